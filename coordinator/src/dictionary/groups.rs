//! What the ways of building case groups share: reading tables, and the group of everything else.

use std::io::Read;

use csv::{Reader, ReaderBuilder, StringRecord};
use schemas::dictionary::{Group, Label, OTHER, References};
use schemas::money::half_up;

use super::plan::BuildError;

/// Reads a table with a header; `delimiter` is a comma or a tab.
pub(super) fn table<R: Read>(source: R, delimiter: u8) -> Reader<R> {
    ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .from_reader(source)
}

/// Where a column stands.
pub(super) fn column(header: &StringRecord, name: &str) -> Result<usize, BuildError> {
    let plain = |field: &str| field.trim_start_matches('\u{feff}') == name;
    header
        .iter()
        .position(plain)
        .ok_or_else(|| BuildError::Column(name.to_owned()))
}

/// Which row a record is; the header is row 1.
pub(super) fn row(record: &StringRecord) -> u64 {
    record.position().map_or(0, csv::Position::line)
}

/// `top / bottom` rounded half up, as a positive whole number.
pub(super) fn ratio(group: &str, top: i128, bottom: i128) -> Result<u64, BuildError> {
    half_up(top, bottom)
        .and_then(|value| u64::try_from(value).ok())
        .filter(|value| *value > 0)
        .ok_or_else(|| BuildError::Range(group.to_owned()))
}

/// The last group: whatever the dictionary does not list, measured against the average stay.
pub(super) fn other(references: References) -> Group {
    Group {
        code: OTHER.to_owned(),
        name: Label {
            zh: "其他".to_owned(),
            en: "Other".to_owned(),
        },
        mdc: OTHER.to_owned(),
        weight_micro: 1_000_000,
        references,
    }
}

/// A name for people where the table has one language only.
pub(super) fn label(name: &str) -> Label {
    Label {
        zh: name.to_owned(),
        en: name.to_owned(),
    }
}
