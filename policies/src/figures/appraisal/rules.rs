//! The rules of appraisal (`rules/appraisal.toml`), and what is unwise about them.

use std::collections::{BTreeMap, BTreeSet};

use dashu::rational::RBig;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Month;
use serde::{Deserialize, Serialize};

use crate::figures::Exact;
use crate::figures::settings::{Faults, RulesError, distinct, one, read};

/// The rules as shipped.
pub const DEFAULT: &str = include_str!("../../../rules/appraisal.toml");

/// Rules of appraisal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppraisalRules {
    /// Rises with each change.
    pub version: u32,
    /// The first month that they hold for.
    pub effective: Month,
    /// The indicators.
    pub indicators: Vec<Indicator>,
    /// Weights of indicators in hundredths by stage; each stage's add up to 100.
    pub stages: BTreeMap<Slug, BTreeMap<Slug, u32>>,
    /// What the parts of the whole weigh; together 1.
    pub sources: BTreeMap<Source, Exact>,
    /// Grades, best first.
    pub grades: Vec<Grade>,
    /// What shortcomings of the year before take; nothing where the rules have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortcomings: Option<Shortcomings>,
}

/// Points that shortcomings of the year before take from the whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shortcomings {
    /// For each one of its kind, 0 to 100.
    pub points: BTreeMap<Shortcoming, Exact>,
    /// All together take at most this, 0 to 100.
    pub most: Exact,
}

/// What a member left undone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shortcoming {
    /// A task of improvement that was reported late, or not at all (整改逾期).
    LateTask,
    /// Overspend that a settlement laid to management (管理漏洞).
    ManagementGap,
}

/// Who says something about a member.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The indicators.
    Indicators,
    /// Patients (患者评价).
    Patients,
    /// Deputies and media (社会监督).
    Social,
    /// Quality control centres (专业评价).
    Professional,
}

/// What an indicator is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// 医疗质量.
    Quality,
    /// 运行效率.
    Efficiency,
    /// 经济效益.
    Economy,
    /// 健康结果.
    Outcome,
}

/// One indicator.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// Its name, as inputs name it.
    pub id: Slug,
    /// In Chinese.
    pub name: String,
    /// What it is about.
    pub aspect: Aspect,
    /// The value of no points.
    pub worst: Exact,
    /// The value of all points; below `worst` where less is better.
    pub best: Exact,
    /// What is counted, or added up.
    pub numerator: String,
    /// Of how many, or of how much.
    pub denominator: String,
    /// Marks what the linter compares: referrals or control of costs.
    #[serde(default)]
    pub about: Option<About>,
}

impl Indicator {
    /// Whether it is of quality or outcome, and not of efficiency or money.
    pub(crate) fn is_of_care(&self) -> bool {
        matches!(self.aspect, Aspect::Quality | Aspect::Outcome)
    }
}

/// What the linter looks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// Two-way referral.
    Referral,
    /// Control of costs.
    CostControl,
}

/// A grade and what follows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grade {
    /// Its name.
    pub id: Slug,
    /// The least score for it, from 0 to 100.
    pub from: Exact,
    /// What the insurer's payment is multiplied by.
    pub payment: Exact,
    /// Days in which a plan for improvement is due, if one is.
    #[serde(default)]
    pub improve_days: Option<u32>,
}

impl Shortcoming {
    /// In words, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::LateTask => "late task(s)",
            Self::ManagementGap => "overspend(s) laid to management",
        }
    }
}

impl AppraisalRules {
    /// Reads and checks rules.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        read(text, Self::check)
    }

    /// Digest of the rules, as appraisals cite it.
    pub fn digest(&self) -> Result<Digest, canonical::Error> {
        canonical::digest("consilium-appraisal-rules-v1", self)
    }

    pub(crate) fn check(&self, faults: &mut Faults) {
        faults.counted_from_one(self.version);
        let mut check = |sound: bool, fault: &str| faults.check(sound, fault);
        let known: BTreeSet<&Slug> = self.indicators.iter().map(|one| &one.id).collect();
        check(
            distinct(self.indicators.iter().map(|one| &one.id)),
            "an indicator stands twice",
        );
        check(
            self.indicators.iter().all(|one| one.worst != one.best),
            "an indicator's worst and best differ",
        );
        check(
            self.indicators
                .iter()
                .all(|one| !one.numerator.trim().is_empty() && !one.denominator.trim().is_empty()),
            "an indicator says what is counted (`numerator`) and of what (`denominator`)",
        );
        check(!self.stages.is_empty(), "at least one stage");
        for (stage, weights) in &self.stages {
            let whole: u64 = weights.values().map(|weight| u64::from(*weight)).sum();
            check(whole == 100, "weights of each stage add up to 100");
            check(
                weights.keys().all(|name| known.contains(name)),
                "a stage weighs what is no indicator",
            );
            check(
                self.weight(stage, Indicator::is_of_care) >= 40,
                "quality and outcome weigh at least 40 in each stage",
            );
        }
        check(one(self.sources.values()), "`sources` add up to 1");
        let indicators = self.sources.get(&Source::Indicators);
        let half = RBig::from_parts(1.into(), 2_u8.into());
        check(
            indicators.is_some_and(|share| share.0 >= half),
            "`sources.indicators` is at least 0.50",
        );
        let patients = self.sources.get(&Source::Patients);
        let fifth = RBig::from_parts(1.into(), 5_u8.into());
        check(
            patients.is_some_and(|share| share.0 >= fifth),
            "`sources.patients` is at least 0.20",
        );
        check(self.sources.len() >= 3, "at least three sources");
        check(
            self.sources.values().all(|share| share.0 > RBig::ZERO),
            "each source weighs more than 0",
        );
        let falling = self.grades.windows(2).all(|pair| match pair {
            [better, worse] => better.from > worse.from,
            _ => true,
        });
        let last = self
            .grades
            .last()
            .is_some_and(|grade| grade.from.0 == RBig::ZERO);
        check(falling && last, "grades fall, the last begins at 0");
        let scale = |points: &Exact| points.0 >= RBig::ZERO && points.0 <= RBig::from(100);
        check(
            self.shortcomings
                .iter()
                .all(|of| scale(&of.most) && of.points.values().all(scale)),
            "points of `shortcomings` are from 0 to 100",
        );
        check(
            self.grades
                .iter()
                .all(|grade| grade.payment.0 > RBig::ZERO && grade.payment.0 <= RBig::from(2)),
            "a payment's factor is above 0 and at most 2",
        );
        check(
            self.grades.iter().all(|grade| scale(&grade.from)),
            "a grade begins at 0 to 100 points",
        );
        check(
            self.grades
                .iter()
                .filter_map(|grade| grade.improve_days)
                .all(|days| (1..=365).contains(&days)),
            "`improve_days` are from 1 to 365",
        );
    }

    /// What the indicators that are wanted weigh in a stage, in hundredths.
    pub(crate) fn weight(&self, stage: &Slug, wanted: impl Fn(&Indicator) -> bool) -> u64 {
        let Some(weights) = self.stages.get(stage) else {
            return 0;
        };
        let of = self.indicators.iter().filter(|one| wanted(one));
        let weights = of.filter_map(|one| weights.get(&one.id));
        weights.map(|weight| u64::from(*weight)).sum()
    }
}
