//! A row of a source: bytes, where they stand, and what makes the row useless.

use std::sync::Arc;

use csv::ByteRecord;

/// A row as it stands in the file. It does not print itself.
pub struct Row {
    pub(super) record: ByteRecord,
    pub(super) number: u64,
    pub(super) place: Option<(Arc<str>, u64)>,
    pub(super) broken: Option<Broken>,
}

/// What makes a row useless whatever its values are: something that belongs to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Broken {
    /// The element, as its standard names it.
    pub element: &'static str,
    /// What is wrong.
    pub fault: BrokenFault,
}

/// What is wrong with an element that belongs to a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BrokenFault {
    /// A reference leads nowhere, or to several.
    Reference,
    /// An amount is no plain decimal.
    Amount,
    /// An amount is below zero.
    Negative,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Row({})", self.number)
    }
}

impl Row {
    /// An empty row, to be filled by a source.
    pub fn new() -> Self {
        Self {
            record: ByteRecord::new(),
            number: 0,
            place: None,
            broken: None,
        }
    }

    /// Number of the row in the file; the header is row 1. In a folder: of all its rows.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Where the row stands, for people: its number, in a folder `FILE:LINE`.
    pub fn place(&self) -> String {
        match &self.place {
            Some((file, line)) => format!("{file}:{line}"),
            None => self.number.to_string(),
        }
    }

    /// What makes the row useless before its values are looked at.
    pub fn broken(&self) -> Option<Broken> {
        self.broken
    }

    /// Number of values.
    pub fn width(&self) -> usize {
        self.record.len()
    }

    /// A value without spaces around it; empty where the row is too short.
    pub fn value(&self, column: usize) -> &[u8] {
        self.record.get(column).unwrap_or_default().trim_ascii()
    }

    /// All values on end, for a hash.
    pub fn bytes(&self) -> &[u8] {
        self.record.as_slice()
    }

    /// Where the values end inside [`Self::bytes`], for a hash.
    pub fn lengths(&self) -> impl Iterator<Item = usize> + '_ {
        self.record.iter().map(<[u8]>::len)
    }
}

impl Default for Row {
    fn default() -> Self {
        Self::new()
    }
}
