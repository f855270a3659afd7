//! Findings and their states, and what a month's scores and grade are.

use schemas::answer::Grade;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Month;
use serde::{Deserialize, Serialize};

use super::{Aspect, QualityRules};

/// Letters of a finding's id.
const ID: usize = 12;

/// Rows of one department and case group that break one rule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Of which dataset.
    pub dataset: String,
    /// Of which month.
    pub month: Month,
    /// The rule.
    pub rule: Slug,
    /// The score that it belongs to.
    pub aspect: Aspect,
    /// Whether it lowers that score.
    pub counts: bool,
    /// The department's code; empty where it is the whole hospital's.
    pub department: String,
    /// The field, dimension or item; empty where the rule is about whole rows.
    pub field: String,
    /// The case group's code; empty where the rule is not about one.
    pub group: String,
    /// Rows that break the rule.
    pub rows: u64,
    /// Rows that it was held against.
    pub of: u64,
}

impl Finding {
    /// The same for the same rule, month and place, however many rows break it.
    pub fn id(&self) -> String {
        let month = self.month.to_string();
        let parts: [&[u8]; 6] = [
            self.dataset.as_bytes(),
            month.as_bytes(),
            self.rule.as_str().as_bytes(),
            self.department.as_bytes(),
            self.field.as_bytes(),
            self.group.as_bytes(),
        ];
        let digest = Digest::of("consilium-finding-v1", &parts).to_string();
        digest.chars().take(ID).collect()
    }
}

/// What became of a finding.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum State {
    /// It stands.
    Open,
    /// A later run did not find it.
    Fixed,
    /// Somebody answers for it. More rows than then open it again.
    Waived {
        /// Who.
        by: String,
        /// Why.
        reason: String,
        /// How many rows it was then.
        rows: u64,
    },
}

/// A finding and its state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The finding as last found.
    pub finding: Finding,
    /// Its state.
    pub state: State,
}

/// The states after a run: what is found again keeps its waiver unless it grew, what is not is fixed.
/// In order of ids.
pub fn settle(known: Vec<Known>, found: Vec<Finding>) -> Vec<Known> {
    let mut next: Vec<Known> = found
        .into_iter()
        .map(|finding| {
            let before = known.iter().find(|one| one.finding.id() == finding.id());
            let kept = before.map(|one| &one.state).filter(
                |state| matches!(state, State::Waived { rows, .. } if finding.rows <= *rows),
            );
            Known {
                state: kept.cloned().unwrap_or(State::Open),
                finding,
            }
        })
        .collect();
    let gone = |one: &Known| !next.iter().any(|new| new.finding.id() == one.finding.id());
    let fixed: Vec<Known> = known.into_iter().filter(gone).collect();
    next.extend(fixed.into_iter().map(|one| Known {
        state: State::Fixed,
        ..one
    }));
    next.sort_by_key(|one| one.finding.id());
    next
}

/// The four scores, 0 to 100, each rounded down.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    /// 准确率.
    pub accuracy: u8,
    /// 完整性.
    pub completeness: u8,
    /// 一致性.
    pub consistency: u8,
    /// 时效性.
    pub timeliness: u8,
}

impl Scores {
    fn lowest(self) -> u8 {
        let three = self.accuracy.min(self.completeness).min(self.consistency);
        three.min(self.timeliness)
    }
}

/// What a month's quality comes to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The dataset.
    pub dataset: String,
    /// The month.
    pub month: Month,
    /// Rows, those that the load refused among them.
    pub rows: u64,
    /// The scores as found.
    pub found: Scores,
    /// Their grade.
    pub found_grade: Grade,
    /// The scores without what is waived.
    pub scores: Scores,
    /// Their grade: the one that counts.
    pub grade: Grade,
    /// Findings that stand.
    pub open: u64,
    /// Findings that somebody answers for.
    pub waived: u64,
    /// Surgery, stock and charge agree too seldom: figures about consumables are provisional.
    pub provisional: bool,
}

/// Scores and grade of a month: a score is the part of all rows, in percent, that break no counted rule of
/// its side. A row that breaks two counts twice: a month is never judged better than it is.
pub fn report(
    rules: &QualityRules,
    (dataset, month): (&str, Month),
    (rows, timeliness, provisional): (u64, u8, bool),
    known: &[Known],
) -> Report {
    let standing = |waived: bool| {
        let score = |aspect: Aspect| {
            let of = known.iter().filter(|one| {
                let stands = match one.state {
                    State::Open => true,
                    State::Waived { .. } => waived,
                    State::Fixed => false,
                };
                stands && one.finding.counts && one.finding.aspect == aspect
            });
            let bad = of.fold(0_u64, |sum, one| sum.saturating_add(one.finding.rows));
            let good = u128::from(rows.saturating_sub(bad)) * 100;
            let score = good.checked_div(u128::from(rows)).unwrap_or(0);
            u8::try_from(score).unwrap_or(0)
        };
        Scores {
            accuracy: score(Aspect::Accuracy),
            completeness: score(Aspect::Completeness),
            consistency: score(Aspect::Consistency),
            timeliness,
        }
    };
    let (found, scores) = (standing(true), standing(false));
    let count = |of: &dyn Fn(&State) -> bool| {
        let count = known.iter().filter(|one| of(&one.state)).count();
        u64::try_from(count).unwrap_or(u64::MAX)
    };
    Report {
        dataset: dataset.to_owned(),
        month,
        rows,
        found,
        found_grade: rules.grade(found.lowest()),
        scores,
        grade: rules.grade(scores.lowest()),
        open: count(&|state| *state == State::Open),
        waived: count(&|state| matches!(state, State::Waived { .. })),
        provisional,
    }
}
