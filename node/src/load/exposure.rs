//! The de-identification report: what was written is read back and judged. Every code must be one
//! of the dictionary's; how small the classes are that share their quasi-identifiers
//! (k-anonymity), how many case groups the smallest-mixed class has (l-diversity), and whether
//! anything shaped like a person's identifier stands in what was written. k and l inform; a found
//! identifier stops the release.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use schemas::id::Slug;
use schemas::time::Month;
use serde::Serialize;

use super::LoadError;
use crate::deidentify::identifiers;
use crate::store::columns::{Batch, Codes, MonthColumns, Shape};

/// What the report says of one month.
#[derive(Clone, Debug, Serialize)]
pub struct Exposure {
    /// The month.
    pub month: Month,
    /// Rows.
    pub rows: u64,
    /// Classes of rows that share all quasi-identifiers.
    pub classes: u64,
    /// k: rows of the smallest class.
    pub smallest_class: u64,
    /// Rows in classes below the setting `small_class`, in thousandths.
    pub small_permille: u64,
    /// l: distinct case groups of the class that has the fewest.
    pub fewest_groups: u64,
    /// Identifier-shaped values in pseudonyms.
    pub findings: u64,
}

/// Reads a written month back and judges it.
pub(super) fn measure(
    load: &Path,
    month: Month,
    shape: &Shape,
    quasi: &[Slug],
    small: u32,
) -> Result<Exposure, LoadError> {
    let columns = MonthColumns::open(load, month)?;
    let mut classes: Vec<(u64, u16)> = Vec::with_capacity(columns.rows());
    let mut findings = 0;
    for batch in columns.batches() {
        if !is_closed(batch, shape) {
            return Err(LoadError::NotClosed);
        }
        findings += identifiers::count(batch.patient()) + identifiers::count(batch.stay());
        collect(batch, quasi, &mut classes);
    }
    classes.sort_unstable();
    let rows = u64::try_from(classes.len()).unwrap_or(u64::MAX);
    let mut report = Exposure {
        month,
        rows,
        classes: 0,
        smallest_class: rows,
        small_permille: 0,
        fewest_groups: rows,
        findings,
    };
    let mut small_rows = 0;
    for class in classes.chunk_by(|a, b| a.0 == b.0) {
        let size = u64::try_from(class.len()).unwrap_or(u64::MAX);
        let groups = class.chunk_by(|a, b| a.1 == b.1).count();
        report.classes += 1;
        report.smallest_class = report.smallest_class.min(size);
        report.fewest_groups = report
            .fewest_groups
            .min(u64::try_from(groups).unwrap_or(u64::MAX));
        if size < u64::from(small) {
            small_rows += size;
        }
    }
    report.small_permille = small_rows * 1000 / rows.max(1);
    Ok(report)
}

/// Packs up to four quasi-identifiers of every row into one number.
fn collect(batch: &Batch, quasi: &[Slug], classes: &mut Vec<(u64, u16)>) {
    let start = classes.len();
    classes.extend(batch.case_group().iter().map(|group| (0, *group)));
    let new = classes.get_mut(start..).unwrap_or_default();
    for name in quasi.iter().take(4) {
        match batch.codes(name.as_str()) {
            Some(Codes::Narrow(codes)) => pack(new, codes.iter().map(|code| u64::from(*code))),
            Some(Codes::Wide(codes)) => pack(new, codes.iter().map(|code| u64::from(*code))),
            None => {}
        }
    }
}

fn pack(classes: &mut [(u64, u16)], codes: impl Iterator<Item = u64>) {
    for ((class, _), code) in classes.iter_mut().zip(codes) {
        *class = (*class << 16) | code;
    }
}

/// Whether every code and amount is one that the dictionary allows.
fn is_closed(batch: &Batch, shape: &Shape) -> bool {
    let groups = batch.case_group().iter().all(|group| *group < shape.groups);
    let mut dimensions = shape.dimensions.iter().map(|(name, _, keys)| {
        let below = |code: u16| code < *keys;
        match batch.codes(name.as_str()) {
            Some(Codes::Narrow(codes)) => codes.iter().all(|code| below(u16::from(*code))),
            Some(Codes::Wide(codes)) => codes.iter().all(|code| below(*code)),
            None => false,
        }
    });
    let mut fields = shape.fields.iter().map(|(name, most)| {
        batch
            .amounts(name.as_str())
            .is_some_and(|amounts| amounts.iter().all(|amount| amount <= most))
    });
    groups && dimensions.all(|closed| closed) && fields.all(|closed| closed)
}

/// Identifier-shaped values in the texts that a load wrote (quarantine and reports).
pub(super) fn findings_in_texts(load: &Path) -> Result<u64, LoadError> {
    let mut found = 0;
    for entry in fs::read_dir(load)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind != "arrow") {
            let bytes = crate::store::columns::map(&path)?;
            found += identifiers::count(&bytes);
        }
    }
    Ok(found)
}

/// The report for people.
pub(super) fn text(months: &[Exposure], quasi: &[Slug], small: u32, findings: u64) -> String {
    let names: Vec<&str> = quasi.iter().map(Slug::as_str).collect();
    let mut text = format!(
        "De-identification by month (去标识化报告)\n\nclasses by {}\n\nmonth         rows    classes  \
         smallest (k)  rows in classes < {small}  fewest groups (l)\n",
        names.join(", ")
    );
    for m in months {
        let share = format!("{}.{} %", m.small_permille / 10, m.small_permille % 10);
        let line = writeln!(
            text,
            "{}  {:>9}  {:>9}  {:>12}  {:>19}  {:>17}",
            m.month, m.rows, m.classes, m.smallest_class, share, m.fewest_groups
        );
        debug_assert!(line.is_ok(), "writing to a string does not fail");
    }
    let verdict = if findings == 0 {
        "Identifiers found in what was written: none.\n"
    } else {
        "Identifiers were found in what was written: these months cannot be released.\n"
    };
    text.push('\n');
    text.push_str(verdict);
    text
}
