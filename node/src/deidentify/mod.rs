//! From a checked row to a de-identified one, before anything is written (design: pseudonym by a
//! key of node and data year, month and length of stay only, age bands, district, everything that
//! the dictionary does not list is `other`, free text not read).

pub mod risk;
mod pseudonym;

pub use crate::ingest::identifiers;

use std::collections::BTreeMap;

use schemas::time::{DataYear, Month};

use self::pseudonym::Pseudonyms;
use crate::check::Checked;
use crate::check::rules::{Fault, Rule};
use crate::config::ConfigError;
use crate::config::keys::{Keys, PseudonymKey};
use crate::ingest::bound::{Bound, DimensionSource};

/// No identifier is shorter.
const MOST_KEY: usize = 10;
/// Longest value in bytes that is taken for a code; a longer one that is no key is free text.
const LONGEST_CODE: usize = 128;

/// A de-identified row: codes of the dictionary, whole numbers and keyed hashes.
#[derive(Debug)]
pub struct Deidentified<'a> {
    /// Keyed pseudonym of the patient in this data year.
    pub patient: [u8; 16],
    /// Keyed id of the stay.
    pub stay: [u8; 16],
    /// Settlement month.
    pub month: Month,
    /// Index of the case group.
    pub group: u16,
    /// Key indexes of the stored dimensions.
    pub keys: &'a [u16],
    /// The fields that the source has.
    pub amounts: &'a [u32],
    /// Whether no mapped code was empty.
    pub complete: bool,
}

/// Where pseudonym keys come from.
#[derive(Clone, Debug)]
pub enum KeyRing {
    /// The node's own keys; the years whose keys must exist already carry their check value.
    Kept {
        /// Key files.
        keys: Keys,
        /// Check values of keys that stored data depend on.
        known: BTreeMap<DataYear, String>,
    },
    /// One random key for a run that keeps nothing.
    Passing(PseudonymKey),
}

impl KeyRing {
    /// The key of a year. A missing key is made, unless stored data depend on it.
    pub(crate) fn key(&self, year: DataYear) -> Result<PseudonymKey, ConfigError> {
        let (keys, known) = match self {
            Self::Passing(key) => return Ok(key.clone()),
            Self::Kept { keys, known } => (keys, known),
        };
        let wrong = |rule| ConfigError::Key {
            name: format!("pseudonym-{year}.key"),
            rule,
        };
        match (keys.pseudonym_key(year)?, known.get(&year)) {
            (Some(key), Some(check)) if key.check_value() != *check => Err(wrong(
                "is the one that the stored months of its year were made with",
            )),
            (Some(key), _) => Ok(key),
            (None, Some(_)) => Err(wrong("is there: stored months of its year depend on it")),
            (None, None) => keys.make_pseudonym_key(year),
        }
    }
}

/// Keyed ids of the stays of one data year, to find a stored stay again.
#[derive(Debug)]
pub struct StayIds(Pseudonyms);

impl StayIds {
    /// Ids under the key of a year.
    pub fn new(key: PseudonymKey) -> Self {
        Self(Pseudonyms::new(key))
    }

    /// The id of the stay with this patient's and settlement number.
    pub fn of(&mut self, patient: &[u8], settlement: &[u8]) -> [u8; 16] {
        self.0.of_settlement(patient, settlement).1
    }
}

/// De-identifies rows of one bound mapping.
#[derive(Debug)]
pub struct Deidentifier<'a> {
    bound: &'a Bound,
    ring: KeyRing,
    pseudonyms: BTreeMap<DataYear, Pseudonyms>,
    keys: Vec<u16>,
    /// Rows by stored dimension whose value the dictionary does not list, and that have none.
    unlisted: Vec<(u64, u64)>,
    identifiers: u64,
}

/// Why a row is not de-identified.
#[derive(Debug)]
pub enum Refusal {
    /// The row breaks a rule.
    Row(Fault),
    /// The key is missing or wrong: nothing can be loaded.
    Key(ConfigError),
}

impl<'a> Deidentifier<'a> {
    /// A de-identifier for one file.
    pub fn new(bound: &'a Bound, ring: KeyRing) -> Self {
        Self {
            bound,
            ring,
            pseudonyms: BTreeMap::new(),
            keys: Vec::with_capacity(bound.dimensions.len()),
            unlisted: vec![(0, 0); bound.dimensions.len()],
            identifiers: 0,
        }
    }

    /// By stored dimension: rows so far with a value that the dictionary does not list, and rows
    /// without a value.
    pub fn unlisted(&self) -> &[(u64, u64)] {
        &self.unlisted
    }

    /// Rows refused so far for an identifier in a column that is kept.
    pub fn identifiers(&self) -> u64 {
        self.identifiers
    }

    /// Check values of the keys that were used.
    pub fn used_keys(&self) -> Vec<(u16, String)> {
        let checks = self.pseudonyms.iter();
        checks.map(|(year, p)| (year.0, p.check_value())).collect()
    }

    /// De-identifies a row. `file` stands for the file where rows are their own patients.
    pub fn apply<'r>(
        &'r mut self,
        checked: &'r Checked<'r>,
        file: &[u8],
    ) -> Result<Deidentified<'r>, Refusal> {
        let month = checked.month();
        let coded = self.code(checked);
        let complete = coded.map_err(|fault| Refusal::Row(fault.in_month(month)))?;
        let year = month.year();
        if !self.pseudonyms.contains_key(&year) {
            let key = self.ring.key(year).map_err(Refusal::Key)?;
            self.pseudonyms.insert(year, Pseudonyms::new(key));
        }
        let row = checked.row();
        let (patient, stay) = match self.pseudonyms.get_mut(&year) {
            Some(pseudonyms) => match (self.bound.patient, self.bound.settlement) {
                (None, _) => pseudonyms.of_row(file, row.number()),
                (Some(patient), Some(settlement)) => {
                    pseudonyms.of_settlement(row.value(patient), row.value(settlement))
                }
                (Some(patient), None) => pseudonyms.of_whole_row(row.value(patient), row),
            },
            None => return Err(Refusal::Key(ConfigError::Random)),
        };
        Ok(Deidentified {
            patient,
            stay,
            month,
            group: checked.group(),
            keys: &self.keys,
            amounts: checked.amounts(),
            complete,
        })
    }

    /// Puts the key indexes of a row into `self.keys`; gives whether none was empty.
    fn code(&mut self, checked: &Checked<'_>) -> Result<bool, Fault> {
        self.keys.clear();
        let mut complete = checked.has_group();
        for (dimension, (unlisted, missing)) in self.bound.dimensions.iter().zip(&mut self.unlisted)
        {
            let key = match &dimension.source {
                DimensionSource::Missing => dimension.other,
                DimensionSource::Constant(key) => *key,
                DimensionSource::Age(bands) => {
                    let age = checked.age().map(usize::from);
                    age.and_then(|age| bands.get(age))
                        .copied()
                        .unwrap_or(dimension.other)
                }
                DimensionSource::Days { field, bands } => {
                    let milli = checked.amounts().get(*field).copied().unwrap_or(0);
                    let days = usize::try_from(milli.div_ceil(1000)).unwrap_or(usize::MAX);
                    let last = bands.last().copied().unwrap_or(dimension.other);
                    bands.get(days).copied().unwrap_or(last)
                }
                DimensionSource::Level(level) => {
                    let amount = checked.amounts().get(level.field).copied().unwrap_or(0);
                    let key = level.key(checked.group(), amount);
                    key.unwrap_or(dimension.other)
                }
                DimensionSource::Coded {
                    column,
                    codes,
                    walk,
                } => {
                    let value = checked.row().value(*column);
                    let key = match walk {
                        None => codes.find(value),
                        Some(walk) => {
                            let target = walk.find(value, checked.month());
                            target.and_then(|target| codes.find(target))
                        }
                    };
                    // A prefix may be a key where the whole is somebody's number.
                    let person = value.len() > MOST_KEY || key.is_none();
                    if person && identifiers::count(value) > 0 {
                        self.identifiers += 1;
                        return Err(Fault::new(Rule::Identifier, &dimension.name));
                    }
                    if let Some(key) = key {
                        key
                    } else if value.is_empty() {
                        *missing += 1;
                        complete = false;
                        dimension.other
                    } else if value.len() > LONGEST_CODE || value.contains(&b'\n') {
                        return Err(Fault::new(Rule::FreeText, &dimension.name));
                    } else {
                        *unlisted += 1;
                        dimension.other
                    }
                }
            };
            self.keys.push(key);
        }
        Ok(complete)
    }
}
