//! Which months of a year the insurer has spoken of, held against the calendar. For people; decides
//! nothing: a year may be kept after the event, by whatever clock.

use std::collections::BTreeMap;

use schemas::id::Slug;
use schemas::time::{DataYear, Month, Period, Timestamp};

use super::{Stage, Year};

/// Members and months, as people read them: `h03: 2026-05, 2026-07`.
pub fn by_member(months: &BTreeMap<Slug, Vec<Month>>) -> Vec<String> {
    let lines = months.iter().map(|(member, months)| {
        let months: Vec<String> = months.iter().map(Month::to_string).collect();
        format!("{member}: {}", months.join(", "))
    });
    lines.collect()
}

impl Year {
    /// Months that were over at a moment and of which the insurer has not said what it paid, by member;
    /// nothing before a plan is in force or once the year has ended.
    pub fn unpaid(&self, now: Timestamp) -> BTreeMap<Slug, Vec<Month>> {
        let year = Period::year(DataYear(self.number));
        let months = year.map(|year| year.months()).unwrap_or_default();
        let over: Vec<Month> = months.into_iter().filter(|one| one.is_over(now)).collect();
        let mut missing = BTreeMap::new();
        if self.stage != Stage::InForce {
            return missing;
        }
        for member in self.members.keys() {
            let paid = self.paid.get(member);
            let term = self.term(member);
            let silent = |month: &&Month| {
                term.covers(**month) && paid.is_none_or(|paid| !paid.contains_key(*month))
            };
            let silent: Vec<Month> = over.iter().filter(silent).copied().collect();
            if !silent.is_empty() {
                missing.insert(member.clone(), silent);
            }
        }
        missing
    }

    /// Months that were not over at a moment and that the insurer has spoken of all the same.
    pub fn paid_ahead(&self, now: Timestamp) -> BTreeMap<Slug, Vec<Month>> {
        let members = self.paid.iter().map(|(member, months)| {
            let ahead = months.keys().filter(|month| !month.is_over(now));
            (member.clone(), ahead.copied().collect::<Vec<Month>>())
        });
        members.filter(|(_, months)| !months.is_empty()).collect()
    }

    /// Whether the insurer has spoken of all months of every member.
    pub(super) fn is_paid(&self) -> bool {
        let mut members = self.members.keys();
        members.all(|id| self.paid.get(id).map_or(0, BTreeMap::len) == self.months_of(id).len())
    }
}
