//! Trying a mapping: a few rows as they would be kept, how much of each dimension is covered, and
//! the codes that the dictionary does not list. Only for the hospital's own screen.

use std::collections::BTreeMap;

use schemas::dictionary::Dictionary;
use schemas::time::Month;
use serde::Serialize;

use super::crossed::Crossed;
use super::{LoadError, Request, bind};
use crate::check::Checker;
use crate::config::keys::PseudonymKey;
use crate::deidentify::{Deidentified, Deidentifier, KeyRing, Refusal, identifiers};
use crate::ingest::bound::{Bound, DimensionSource};
use crate::ingest::row::Row;
use crate::store::columns::is_stored;

/// Rows shown.
const SHOWN: usize = 10;
/// A code is named only if it stands in at least this many rows.
const COMMON: u64 = 5;
/// Most codes kept a dimension while counting.
pub(super) const MOST_CODES: usize = 1000;

/// What a trial shows.
#[derive(Debug, Serialize)]
pub struct Trial {
    /// The first rows that pass, as they would be kept, without pseudonyms.
    pub rows: Vec<BTreeMap<String, String>>,
    /// By dimension: rows with a key of the dictionary, in thousandths.
    pub coverage_permille: BTreeMap<String, u64>,
    /// By dimension: codes that the dictionary does not list and that stand in at least five rows.
    pub unlisted: BTreeMap<String, BTreeMap<String, u64>>,
    /// By dimension: how many more codes it does not list; they stand in fewer rows and are not named, because such a
    /// code may be one patient's.
    pub rare: BTreeMap<String, u64>,
    /// By place and crosswalk: rows whose code it has, in thousandths of those that have a code.
    pub crossed_permille: BTreeMap<String, u64>,
    /// By place and crosswalk: codes that it does not have, at most 1,000, and their rows.
    pub unmapped: BTreeMap<String, BTreeMap<String, u64>>,
    /// Rows read.
    pub read: u64,
    /// Rows refused by rule.
    pub rules: BTreeMap<&'static str, u64>,
    /// What the officer should know about the mapping.
    pub notes: Vec<String>,
}

/// Tries a mapping on the first `most` rows of a file.
pub fn run(
    dictionary: &Dictionary,
    last_month: Month,
    request: &Request,
    most: u64,
) -> Result<Trial, LoadError> {
    let bound = bind(dictionary, request)?.believes_until(last_month)?;
    if let Some(view) = request.from.view() {
        view.begin(None)?;
    }
    let mut source = request.from.open(bound.encoding)?;
    let mut checks = Checker::new(&bound, dictionary, last_month);
    let ring = KeyRing::Passing(PseudonymKey::random()?);
    let mut deidentifier = Deidentifier::new(&bound, ring);
    let mut covered: BTreeMap<String, u64> = BTreeMap::new();
    let mut unlisted: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    let mut trial = Trial {
        rows: Vec::new(),
        coverage_permille: BTreeMap::new(),
        unlisted: BTreeMap::new(),
        rare: BTreeMap::new(),
        crossed_permille: BTreeMap::new(),
        unmapped: BTreeMap::new(),
        read: 0,
        rules: BTreeMap::new(),
        notes: bound.notes.clone(),
    };
    let mut row = Row::new();
    let mut crossed = Crossed::default();
    let mut kept = 0_u64;
    while trial.read < most && source.read(&mut row)? {
        if bound.passes_over(&row) {
            continue;
        }
        trial.read += 1;
        let month = checks.month(&row);
        count_unlisted(&bound, (&row, month), &mut unlisted);
        crossed.count(&bound, &row, month);
        let fault = match checks.check(&row) {
            Ok(checked) => match deidentifier.apply(&checked, b"") {
                Ok(clean) => {
                    kept += 1;
                    let shown = show(dictionary, &bound, &clean);
                    for (name, code) in &shown {
                        let listed = code != schemas::dictionary::OTHER;
                        *covered.entry(name.clone()).or_default() += u64::from(listed);
                    }
                    if trial.rows.len() < SHOWN {
                        trial.rows.push(shown);
                    }
                    continue;
                }
                Err(Refusal::Row(fault)) => fault,
                Err(Refusal::Key(error)) => return Err(error.into()),
            },
            Err(fault) => fault,
        };
        *trial.rules.entry(fault.rule.id()).or_default() += 1;
    }
    let share = |count: u64| count * 1000 / kept.max(1);
    let coded = |name: &str| name != "month" && dictionary.dimension(name).is_some();
    covered.retain(|name, _| coded(name));
    trial.coverage_permille = covered
        .into_iter()
        .map(|(name, count)| (name, share(count)))
        .collect();
    trial.crossed_permille = crossed.permille();
    trial.unmapped = crossed.unmapped;
    for (name, mut codes) in unlisted {
        let all = codes.len();
        codes.retain(|_, count| *count >= COMMON);
        let rare = all.saturating_sub(codes.len());
        if rare > 0 {
            trial
                .rare
                .insert(name.clone(), u64::try_from(rare).unwrap_or(u64::MAX));
        }
        if !codes.is_empty() {
            trial.unlisted.insert(name, codes);
        }
    }
    Ok(trial)
}

/// A row as it would be kept, by name, without its pseudonyms.
fn show(
    dictionary: &Dictionary,
    bound: &Bound,
    clean: &Deidentified<'_>,
) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::new();
    let stored = dictionary.dimensions.iter().filter(|d| is_stored(d));
    for (dimension, key) in stored.zip(clean.keys) {
        let code = dimension.keys.get(usize::from(*key));
        let code = code.map_or("", |key| key.code.as_str());
        shown.insert(dimension.id.to_string(), code.to_owned());
    }
    let group = dictionary.groups.get(usize::from(clean.group));
    let group = group.map_or("", |group| group.code.as_str());
    shown.insert("case_group".to_owned(), group.to_owned());
    shown.insert("month".to_owned(), clean.month.to_string());
    for (field, amount) in bound.fields.iter().zip(clean.amounts) {
        shown.insert(field.name.clone(), amount.to_string());
    }
    shown
}

/// Whether a value looks like a code and like nobody's identifier.
pub(super) fn is_plain(value: &[u8]) -> bool {
    (1..=48).contains(&value.len())
        && !value.iter().any(u8::is_ascii_control)
        && identifiers::count(value) == 0
}

/// Counts codes that have no key. Only what looks like a code: short, on one line, and shaped like
/// nobody's identifier.
fn count_unlisted(
    bound: &Bound,
    (row, month): (&Row, Option<Month>),
    unlisted: &mut BTreeMap<String, BTreeMap<String, u64>>,
) {
    for dimension in &bound.dimensions {
        let DimensionSource::Coded {
            column,
            codes,
            walk,
        } = &dimension.source
        else {
            continue;
        };
        let value = match walk {
            None => row.value(*column),
            // A code without a target is told with its crosswalk.
            Some(walk) => month
                .and_then(|month| walk.find(row.value(*column), month))
                .unwrap_or_default(),
        };
        if !is_plain(value) || codes.find(value).is_some() {
            continue;
        }
        if let Ok(code) = std::str::from_utf8(value) {
            let counts = unlisted.entry(dimension.name.clone()).or_default();
            if counts.len() < MOST_CODES || counts.contains_key(code) {
                *counts.entry(code.to_owned()).or_default() += 1;
            }
        }
    }
}
