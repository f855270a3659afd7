//! What a pass counted. Counts stay at the node.

use std::collections::BTreeMap;

use schemas::time::Month;

use crate::check::rules::{Fault, Rule};

/// Counts of a pass.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// By month.
    pub months: BTreeMap<Month, MonthTally>,
    /// Refused rows whose month is not known, by rule.
    pub unplaced: BTreeMap<Rule, u64>,
    /// Rows that the filter passed over.
    pub passed_over: u64,
    /// Rows with a well-shaped case group that the dictionary does not list, or none.
    pub unknown_groups: u64,
    /// By stored dimension: rows with a value that is not listed, rows without a value.
    pub unlisted: Vec<(u64, u64)>,
}

/// Counts of one month.
#[derive(Clone, Debug, Default)]
pub(super) struct MonthTally {
    /// Rows kept.
    pub kept: u64,
    /// Kept rows with an empty code.
    pub incomplete: u64,
    /// Refused rows by rule.
    pub refused: BTreeMap<Rule, u64>,
}

impl Tally {
    pub(super) fn keep(&mut self, month: Month, complete: bool) {
        let month = self.months.entry(month).or_default();
        month.kept += 1;
        month.incomplete += u64::from(!complete);
    }

    pub(super) fn refuse(&mut self, fault: &Fault) {
        let rules = match fault.month {
            Some(month) => &mut self.months.entry(month).or_default().refused,
            None => &mut self.unplaced,
        };
        *rules.entry(fault.rule).or_default() += 1;
    }

    pub(super) fn kept(&self) -> u64 {
        self.months.values().map(|month| month.kept).sum()
    }

    pub(super) fn refused(&self) -> BTreeMap<Rule, u64> {
        let mut all = self.unplaced.clone();
        for (rule, count) in self.months.values().flat_map(|month| &month.refused) {
            *all.entry(*rule).or_default() += count;
        }
        all
    }
}
