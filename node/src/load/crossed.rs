//! How much of a file its crosswalks cover, and the codes that they lack. Only for the hospital's own screen.

use std::collections::BTreeMap;

use schemas::time::Month;

use super::trial::{MOST_CODES, is_plain};
use crate::ingest::bound::{Bound, DimensionSource};
use crate::ingest::crosswalk::Walk;
use crate::ingest::row::Row;

/// Rows so far by place and crosswalk.
#[derive(Debug, Default)]
pub(super) struct Crossed {
    /// Rows that a crosswalk has, and all that have a code.
    rows: BTreeMap<String, (u64, u64)>,
    /// Codes that it lacks.
    pub(super) unmapped: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Crossed {
    /// Counts a row. Where its month cannot be read the row is refused anyhow.
    pub(super) fn count(&mut self, bound: &Bound, row: &Row, month: Option<Month>) {
        let Some(month) = month else { return };
        for dimension in &bound.dimensions {
            if let DimensionSource::Coded {
                column,
                walk: Some(walk),
                ..
            } = &dimension.source
            {
                self.one(&dimension.name, walk, (row.value(*column), month));
            }
        }
        if let Some(costing) = &bound.costing
            && let Some(walk) = &costing.walk
        {
            self.one("costing", walk, (row.value(costing.department), month));
        }
    }

    fn one(&mut self, place: &str, walk: &Walk, (value, month): (&[u8], Month)) {
        if value.is_empty() {
            return;
        }
        let place = format!("{place} (crosswalk {})", walk.name);
        let rows = self.rows.entry(place.clone()).or_default();
        rows.1 += 1;
        if walk.find(value, month).is_some() {
            rows.0 += 1;
            return;
        }
        let code = std::str::from_utf8(value).ok();
        let Some(code) = code.filter(|_| is_plain(value)) else {
            return;
        };
        let codes = self.unmapped.entry(place).or_default();
        if codes.len() < MOST_CODES || codes.contains_key(code) {
            *codes.entry(code.to_owned()).or_default() += 1;
        }
    }

    /// Thousandths that the crosswalks have.
    pub(super) fn permille(&self) -> BTreeMap<String, u64> {
        let share = |(has, all): &(u64, u64)| has * 1000 / (*all).max(1);
        let all = self.rows.iter();
        all.map(|(place, rows)| (place.clone(), share(rows)))
            .collect()
    }
}
