//! What some rows show of a column: shapes and counts, never kept values but a few short codes.

use std::collections::BTreeSet;

use super::super::amount::{self, SourceUnit};
use super::super::date::{Date, DateFormat};
use super::super::row::Row;

/// Date formats, in the order in which they are tried, as a mapping writes them.
const FORMATS: [(DateFormat, &str); 3] = [
    (DateFormat::Dashes, "YYYY-MM-DD"),
    (DateFormat::Slashes, "YYYY/MM/DD"),
    (DateFormat::Digits, "YYYYMMDD"),
];
/// Most short codes remembered of a column.
const MOST_CODES: usize = 8;

/// What was seen of a column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// Values that are not empty.
    pub(super) filled: u64,
    /// Of them, in each date format.
    dated: [u64; 3],
    /// Of them, amounts with at most two decimals.
    pub(super) amounts: u64,
    /// Of them, with a decimal point.
    pub(super) decimals: u64,
    codes: BTreeSet<Vec<u8>>,
    many: bool,
}

impl Column {
    pub(super) fn new() -> Self {
        Self {
            filled: 0,
            dated: [0; 3],
            amounts: 0,
            decimals: 0,
            codes: BTreeSet::new(),
            many: false,
        }
    }

    pub(super) fn see(&mut self, row: &Row, place: usize) {
        let value = row.value(place);
        if value.is_empty() {
            return;
        }
        self.filled += 1;
        for (count, (format, _)) in self.dated.iter_mut().zip(FORMATS) {
            *count += u64::from(Date::parse(value, format).is_some());
        }
        self.amounts += u64::from(amount::parse(value, SourceUnit::Yuan).is_ok());
        self.decimals += u64::from(value.contains(&b'.'));
        if value.len() > 8 || (self.codes.len() >= MOST_CODES && !self.codes.contains(value)) {
            self.many = true;
        } else {
            self.codes.insert(value.to_vec());
        }
    }

    /// The first date format that every value has.
    pub(super) fn format(&self) -> Option<&'static str> {
        let all = self.dated.iter().zip(FORMATS);
        let mut fits = all.filter(|(count, _)| **count > 0 && **count == self.filled);
        fits.next().map(|(_, (_, name))| name)
    }

    /// Whether all values are among these.
    pub(super) fn within(&self, codes: &[&str]) -> bool {
        let known = |code: &Vec<u8>| codes.iter().any(|known| known.as_bytes() == code);
        !self.many && self.filled > 0 && self.codes.iter().all(known)
    }
}
