//! Early warning inside one hospital: what a case has cost so far and will have cost at discharge, against
//! the payment standard of its group and the alliance's benchmark, and days and months on which a group
//! deviates. Pure and exact; nothing of it leaves a hospital.

mod case;
mod expected;
mod hints;
mod rules;
mod stat;
#[cfg(test)]
mod test;
mod watcher;
mod windows;

pub use expected::{Expected, expected};
pub use hints::Hint;
pub use rules::{DEFAULT, EarlyRules, Lines};
pub use watcher::{Refused, Running, Watcher};

use schemas::id::Slug;
use schemas::money::Fen;
use schemas::time::Month;
use serde::{Deserialize, Serialize};

use crate::figures::alerts::{Deviation, Level};

/// One posting: what a case was charged with on a day, or took back (below zero).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Posting {
    /// The case's number in the hospital.
    pub case: String,
    /// Its case group as far as it is known; empty where it is not yet.
    pub group: String,
    /// The department's code.
    pub department: String,
    /// The day of admission, as a running number.
    pub admitted: u32,
    /// The day of the posting, likewise.
    pub day: u32,
    /// The month of that day.
    pub month: Month,
    /// That day as it is written.
    pub date: String,
    /// What for: a cost category.
    pub category: Slug,
    /// How much.
    pub amount: Fen,
    /// Whether the case is closed with it.
    pub closed: bool,
}

/// What a warning is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What a case has cost reaches a level of the payment standard.
    Incurred,
    /// What it will have cost at discharge does.
    Projected,
    /// What it has cost lies far above the alliance's mean of its group.
    Benchmark,
    /// A day's closed cases of a group deviate from the past (short term).
    Day,
    /// So they do for days in a row (medium term).
    Days,
    /// A month's do (long term).
    Month,
    /// A month's lie far above the past.
    Anomaly,
}

/// A warning.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// About what.
    pub kind: Kind,
    /// How near the standard, of cases.
    pub level: Option<Level>,
    /// To which side, of days and months.
    pub side: Option<Deviation>,
    /// The month that it is of.
    pub month: Month,
    /// The day that it is of; not kept at the node.
    pub date: Option<String>,
    /// The department's code; empty of days and months.
    pub department: String,
    /// The case group.
    pub group: String,
    /// The case's number; not kept at the node.
    pub case: Option<String>,
    /// The day of the stay, 1 on admission.
    pub day_of_stay: Option<u32>,
    /// What was found.
    pub found: Fen,
    /// What it is held against: the standard, or the mean of the past.
    pub against: Fen,
    /// Categories that differ most from what closed cases of the group had.
    pub hints: Vec<Hint>,
    /// Days that the stay is longer than expected, a begun one counts; of windows, than the past.
    pub longer: Option<i64>,
}

impl Alert {
    /// What makes it the same warning when it is computed again.
    pub fn parts(&self) -> [String; 5] {
        let level = self
            .level
            .map_or_else(String::new, |level| format!("{level:?}"));
        let day = self.date.as_ref().filter(|_| self.case.is_none());
        [
            format!("{:?}", self.kind),
            level,
            self.case.clone().unwrap_or_else(|| self.group.clone()),
            self.case
                .as_ref()
                .map_or_else(|| self.month.to_string(), |_| String::new()),
            day.cloned().unwrap_or_default(),
        ]
    }

    /// Without what would tell whose it is: neither the case's number nor a day.
    #[must_use]
    pub fn kept(&self) -> Self {
        Self {
            case: None,
            date: None,
            ..self.clone()
        }
    }
}
