//! The rules: which checks there are, and the lines between grades.

use std::collections::BTreeSet;

use dashu::rational::RBig;
use schemas::answer::Grade;
use schemas::id::Slug;
use schemas::time::Month;
use serde::{Deserialize, Serialize};

use crate::figures::Exact;
use crate::figures::settings::{Faults, RulesError, distinct, part, read};

/// The rules as shipped.
pub const DEFAULT: &str = include_str!("../../rules/quality.toml");

/// Rules of data quality.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualityRules {
    /// Rises with each change.
    pub version: u32,
    /// The first month that they hold for.
    pub effective: Month,
    /// Least score of grade A, B and C, falling, at most 100.
    pub grades: [u8; 3],
    /// The rules; each id once.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, for ever: findings and waivers cite it.
    pub id: Slug,
    /// The score that it belongs to.
    pub aspect: Aspect,
    /// Whether its findings lower that score; otherwise they are remarks.
    pub counts: bool,
    /// The datasets that it is about; all where there is none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub datasets: BTreeSet<Slug>,
    /// What is looked at.
    pub check: Check,
}

impl Rule {
    /// Whether it is about a dataset.
    pub fn is_about(&self, dataset: &str) -> bool {
        self.datasets.is_empty() || self.datasets.iter().any(|one| one.as_str() == dataset)
    }
}

/// The four sides of quality.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// 准确率: values are what they should be.
    Accuracy,
    /// 完整性: nothing that must be there is missing.
    Completeness,
    /// 一致性: values agree with each other.
    Consistency,
    /// 时效性: data are there in time.
    Timeliness,
}

/// What a rule looks at. Fields and dimensions are the dictionary's; one that a file lacks breaks no rule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Check {
    /// Rows that the load refused by one of these rules of its own.
    Refused {
        /// Ids of the load's rules.
        rules: Vec<Slug>,
    },
    /// Rows whose key in a dimension is `other`.
    Listed {
        /// The dimension; `case_group` among them.
        dimension: Slug,
    },
    /// Rows outside a range: below `least`, above `most`, above `times` the group's reference.
    Range {
        /// The field.
        field: Slug,
        /// In the field's own unit.
        least: Option<u32>,
        /// In the field's own unit.
        most: Option<u32>,
        /// Multiples of the case group's reference.
        times: Option<Exact>,
    },
    /// Rows whose items do not add up to the whole, where a file has every item.
    Parts {
        /// The whole.
        whole: Slug,
    },
    /// Rows without an item that their case group usually has.
    Scope {
        /// The field whose items these are.
        whole: Slug,
        /// Part of a group's stays with the item from which on it is usual.
        usual: Exact,
        /// Part of a department's stays of the group below which it is missing (strict).
        least: Exact,
        /// Fewest stays of a department in a group, and of the group, that are judged.
        stays: u32,
    },
    /// Rows that agree with an earlier one in patient, case group and these fields.
    Repeated {
        /// Fields that are the same too.
        fields: Vec<Slug>,
    },
    /// Rows beyond the quartiles by more than `times` the distance between them.
    Outlier {
        /// The field.
        field: Slug,
        /// How many times.
        times: Exact,
        /// Fewest stays of a case group that are judged.
        stays: u32,
    },
    /// The newest load is older than this.
    Fresh {
        /// Days.
        days: u32,
    },
    /// Uses of consumables on which surgery, stock and charge do not agree.
    ThreeWay {
        /// Part that has to agree (reached is enough).
        least: Exact,
    },
}

impl QualityRules {
    /// Reads and checks rules.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        read(text, Self::check)
    }

    fn check(&self, faults: &mut Faults) {
        let [a, b, c] = self.grades;
        faults.check(
            100 >= a && a > b && b > c,
            "`grades` fall and are at most 100",
        );
        faults.check(!self.rules.is_empty(), "there is at least one rule");
        let ids = self.rules.iter().map(|rule| &rule.id);
        faults.check(distinct(ids), "each rule has an id of its own");
        for rule in &self.rules {
            let sound = match &rule.check {
                Check::Refused { rules } => !rules.is_empty(),
                Check::Listed { .. } | Check::Parts { .. } | Check::Fresh { .. } => true,
                Check::Range {
                    least, most, times, ..
                } => {
                    let any = least.is_some() || most.is_some() || times.is_some();
                    let rising =
                        !matches!((least, most), (Some(least), Some(most)) if least > most);
                    any && rising && times.as_ref().is_none_or(|times| times.0 > RBig::ZERO)
                }
                Check::Scope {
                    usual,
                    least,
                    stays,
                    ..
                } => part(usual) && part(least) && *stays > 0,
                // Patient and group alone say nothing, unless a dataset has one row of both a month.
                Check::Repeated { fields } => !fields.is_empty() || !rule.datasets.is_empty(),
                Check::Outlier { times, stays, .. } => times.0 > RBig::ZERO && *stays >= 4,
                Check::ThreeWay { least } => part(least),
            };
            faults.check(sound, &format!("rule `{}`: its numbers", rule.id));
            let late = rule.aspect == Aspect::Timeliness;
            let fits = late == matches!(rule.check, Check::Fresh { .. }) && !(late && rule.counts);
            faults.check(
                fits,
                &format!(
                    "rule `{}`: freshness alone is of timeliness, as a remark",
                    rule.id
                ),
            );
        }
    }

    /// The grade of a lowest score.
    pub fn grade(&self, lowest: u8) -> Grade {
        let [a, b, c] = self.grades;
        match lowest {
            score if score >= a => Grade::A,
            score if score >= b => Grade::B,
            score if score >= c => Grade::C,
            _ => Grade::D,
        }
    }
}
