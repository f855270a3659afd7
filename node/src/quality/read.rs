//! What a run reads: the month's columns, what its load refused, and the three tables of consumables.

use std::collections::BTreeMap;
use std::path::Path;

use dashu::rational::RBig;
use policies::figures::Exact;
use policies::quality::{Line, Table};
use schemas::dictionary::Dictionary;
use schemas::time::Month;
use serde::Deserialize;

use super::QualityError;
use crate::ingest::table::{self, TableError, each};
use crate::store::columns::{Codes, MonthColumns};

/// Longest code of a case, item or department.
const CODE: usize = 64;

/// The columns of a month as the checks read them.
pub(super) fn columns(
    load: &Path,
    month: Month,
    dictionary: &Dictionary,
) -> Result<Table, QualityError> {
    let stored = MonthColumns::open(load, month)?;
    let mut table = Table::default();
    for batch in stored.batches() {
        let (patients, _) = batch.patient().as_chunks::<16>();
        table.patients.extend_from_slice(patients);
        table.groups.extend_from_slice(batch.case_group());
        for dimension in &dictionary.dimensions {
            let name = dimension.id.as_str();
            let codes = batch.codes(name).filter(|_| name != "case_group");
            let Some(codes) = codes else { continue };
            let held = table.dimensions.entry(name.to_owned()).or_default();
            match codes {
                Codes::Narrow(codes) => held.extend(codes.iter().map(|code| u16::from(*code))),
                Codes::Wide(codes) => held.extend_from_slice(codes),
            }
        }
        for field in &dictionary.fields {
            if let Some(amounts) = batch.amounts(field.id.as_str()) {
                let held = table.fields.entry(field.id.to_string()).or_default();
                held.extend_from_slice(amounts);
            }
        }
    }
    Ok(table)
}

/// What the load's own report says of a month.
#[derive(Deserialize)]
pub(super) struct Loaded {
    month: Month,
    pub(super) refused: u64,
    pub(super) timeliness: u8,
    pub(super) rules: BTreeMap<String, u64>,
}

/// Reads `quality.json` in a load's folder.
pub(super) fn loaded(load: &Path, month: Month) -> Result<Loaded, QualityError> {
    let damaged = || QualityError::Report(month);
    let bytes = std::fs::read(load.join("quality.json")).map_err(|_| damaged())?;
    let all: Vec<Loaded> = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
    all.into_iter()
        .find(|one| one.month == month)
        .ok_or_else(damaged)
}

/// Reads a table of consumables (`case,item,quantity,department`; the department may be missing). The
/// numbers of cases serve the match and go no further.
pub(super) fn lines(path: &Path) -> Result<Vec<Line>, TableError> {
    let mut lines = Vec::new();
    let wanted = ["case", "item", "quantity", "department"];
    each(path, (&wanted, &|_| false), |row| {
        let code = |name: &str| {
            let text = row.text(name).unwrap_or_default();
            let sound = text.chars().count() <= CODE && schemas::shown::is_plain(text);
            let there = !text.is_empty() || name == "department";
            // The number of the case goes no further.
            let person = name != "case" && row.holds_person(name);
            if sound && there && !person {
                Ok(text.to_owned())
            } else {
                Err(row.wrong(&format!("`{name}` is missing or refused")))
            }
        };
        lines.push(Line {
            case: code("case")?,
            item: code("item")?,
            department: code("department")?,
            quantity: quantity(row)?,
        });
        Ok(())
    })?;
    Ok(lines)
}

/// In thousandths; below zero for what came back.
fn quantity(row: &table::Line<'_>) -> Result<i64, TableError> {
    let number: Exact = row.need("quantity")?;
    let scaled = number.0 * RBig::from(1_000);
    let whole = scaled.is_int().then(|| scaled.numerator().clone());
    let whole = whole.and_then(|whole| i64::try_from(whole).ok());
    whole.ok_or_else(|| row.wrong("`quantity` has at most three decimals"))
}
