//! The rules that every dictionary keeps.

use std::collections::BTreeSet;

use super::{
    Dictionary, Group, Key, KeySource, Label, MOST_KEYS, OTHER, Reference, References, Unit,
};
use crate::dataset::Dataset;
use crate::shown;

/// The first rule that a dictionary breaks, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("dictionary: {place}: {rule}")]
pub struct DictionaryError {
    /// Which entry.
    pub place: String,
    /// What must hold.
    pub rule: &'static str,
}

fn broken(place: impl Into<String>, rule: &'static str) -> DictionaryError {
    DictionaryError {
        place: place.into(),
        rule,
    }
}

impl Dictionary {
    /// Checks every rule that the rest of the system relies on.
    pub fn check(&self) -> Result<(), DictionaryError> {
        let currency_ok =
            self.currency.len() == 3 && self.currency.bytes().all(|b| b.is_ascii_uppercase());
        if !currency_ok {
            return Err(broken("currency", "three capital letters (ISO 4217)"));
        }
        if !(1..=1_000_000).contains(&self.cap) {
            return Err(broken("cap", "from 1 to 1,000,000"));
        }
        if !(1..=1_000_000_000).contains(&self.max_rows) {
            return Err(broken("max_rows", "from 1 to 1,000,000,000"));
        }
        if !shown::is_plain(&self.scheme.version) {
            return Err(broken("scheme", "a version on one line"));
        }
        self.check_groups()?;
        self.check_dimensions()?;
        self.check_fields()?;
        self.check_bins()?;
        self.check_further()
    }

    /// Every further dataset keeps the rules of a dictionary of its own.
    fn check_further(&self) -> Result<(), DictionaryError> {
        let mut seen = BTreeSet::from([Dataset::Stays]);
        for set in &self.further {
            let place = format!("further.{}", set.dataset.as_str());
            if !seen.insert(set.dataset) {
                return Err(broken(place, "each dataset once, and not `stays`"));
            }
            self.view(set).check().map_err(|error| DictionaryError {
                place: format!("{place}.{}", error.place),
                rule: error.rule,
            })?;
        }
        Ok(())
    }

    fn check_groups(&self) -> Result<(), DictionaryError> {
        if self.groups.is_empty() || self.groups.len() > MOST_KEYS {
            return Err(broken("groups", "from 1 to 4096 groups"));
        }
        let mut seen = BTreeSet::new();
        for group in &self.groups {
            check_code(&group.code, "groups")?;
            check_code(&group.mdc, "groups")?;
            check_label(&group.name, "groups")?;
            if !seen.insert(&group.code) {
                return Err(broken(format!("groups.{}", group.code), "listed once"));
            }
            let References {
                cost,
                charge,
                stay,
                score,
            } = group.references;
            let mut references = [cost, charge, stay].into_iter().chain(score);
            if references.any(|value| !(1..=1_000_000_000_000).contains(&value)) {
                return Err(broken(
                    format!("groups.{}", group.code),
                    "references from 1 to 10^12",
                ));
            }
        }
        if self.groups.last().is_none_or(|last| last.code != OTHER) {
            return Err(broken("groups", "the last group is `other`"));
        }
        Ok(())
    }

    fn check_dimensions(&self) -> Result<(), DictionaryError> {
        let mut seen = BTreeSet::new();
        if self.dimensions.len() > 64 {
            return Err(broken("dimensions", "at most 64"));
        }
        for dimension in &self.dimensions {
            let place = format!("dimensions.{}", dimension.id);
            check_label(&dimension.label, &place)?;
            if !seen.insert(&dimension.id) {
                return Err(broken(place, "listed once"));
            }
            match dimension.source {
                KeySource::CaseGroup | KeySource::Mdc | KeySource::Month => {
                    let fixed = match dimension.source {
                        KeySource::CaseGroup => "case_group",
                        KeySource::Mdc => "mdc",
                        _ => "month",
                    };
                    if dimension.id.as_str() != fixed {
                        return Err(broken(place, "a derived dimension bears its own name"));
                    }
                    if !dimension.keys.is_empty() {
                        return Err(broken(place, "a derived dimension lists no keys"));
                    }
                }
                KeySource::Exact | KeySource::Bands => check_keys(&place, &dimension.keys)?,
                KeySource::Level {
                    ref field,
                    ref from,
                    beyond,
                } => {
                    check_keys(&place, &dimension.keys)?;
                    let lines: Vec<u32> = from.iter().copied().chain([beyond]).collect();
                    let rising = lines.is_sorted_by(|a, b| a < b);
                    let most = from.len().saturating_add(3) == dimension.keys.len();
                    if !rising || lines.first() == Some(&0) || beyond > 10_000 || !most {
                        return Err(broken(
                            place,
                            "lines rise from above 0 to 10,000 percent; a key below, from and beyond them",
                        ));
                    }
                    let of = self.field(field.as_str());
                    if !of.is_some_and(|of| of.unit == Unit::Fen) {
                        return Err(broken(place, "a level is of a money field"));
                    }
                }
                KeySource::Prefix { chars } => {
                    check_keys(&place, &dimension.keys)?;
                    if !(1..=8).contains(&chars) {
                        return Err(broken(place, "a prefix has 1 to 8 characters"));
                    }
                }
            }
        }
        for needed in ["case_group", "mdc", "month"] {
            if !self
                .dimensions
                .iter()
                .any(|dimension| dimension.id.as_str() == needed)
            {
                return Err(broken("dimensions", "case_group, mdc and month are listed"));
            }
        }
        Ok(())
    }

    fn check_fields(&self) -> Result<(), DictionaryError> {
        let mut seen = BTreeSet::new();
        if self.fields.len() > 64 {
            return Err(broken("fields", "at most 64"));
        }
        for field in &self.fields {
            let place = format!("fields.{}", field.id);
            check_label(&field.label, &place)?;
            if !seen.insert(&field.id) || self.dimensions.iter().any(|d| d.id == field.id) {
                return Err(broken(place, "listed once"));
            }
            // `most` is stored in 32 bits and scaled by 2,000 in 64-bit arithmetic.
            if field.most == 0 || field.most == u32::MAX {
                return Err(broken(place, "most is from 1 to 2^32 - 2"));
            }
            if (field.unit == Unit::CentiPoint) != (field.reference == Reference::Score) {
                return Err(broken(place, "points are measured against full marks"));
            }
            let marks = |group: &Group| group.references.score.is_some();
            if field.reference == Reference::Score && !self.groups.iter().all(marks) {
                return Err(broken(place, "every group names the full marks of a score"));
            }
            if let Some(whole) = &field.part_of {
                let whole = self.fields.iter().find(|other| other.id == *whole);
                let sound = whole.is_some_and(|whole| {
                    whole.part_of.is_none()
                        && whole.unit == field.unit
                        && whole.reference == field.reference
                });
                if !sound {
                    return Err(broken(
                        place,
                        "part_of names a whole field of the same unit",
                    ));
                }
            }
        }
        Ok(())
    }

    fn check_bins(&self) -> Result<(), DictionaryError> {
        let rising = self.bin_edges.is_sorted_by(|a, b| a < b);
        let ends = self.bin_edges.first() == Some(&0)
            && self.bin_edges.last().is_some_and(|last| *last <= 100_000);
        if !rising || !ends || !(2..=256).contains(&self.bin_edges.len()) {
            return Err(broken(
                "bin_edges",
                "2 to 256 rising edges from 0 to at most 100,000",
            ));
        }
        let cap = self.cap.checked_mul(1000);
        let past = self
            .bin_edges
            .last()
            .zip(cap)
            .is_none_or(|(last, cap)| cap > *last);
        if !past && !self.bin_edges.iter().any(|edge| Some(*edge) == cap) {
            return Err(broken("bin_edges", "the cap is an edge"));
        }
        Ok(())
    }
}

fn check_code(code: &str, place: &str) -> Result<(), DictionaryError> {
    let plain = |c: char| {
        c.is_ascii_graphic() && !matches!(c, '"' | '\\' | ',' | '<' | '>' | '&' | '=' | '@')
    };
    if code.is_empty() || code.len() > 32 || !code.chars().all(plain) {
        return Err(broken(place, "codes are 1 to 32 plain ASCII characters"));
    }
    Ok(())
}

/// Names are shown to stewards and in reports as they are.
fn check_label(label: &Label, place: &str) -> Result<(), DictionaryError> {
    if shown::is_plain(&label.zh) && shown::is_plain(&label.en) {
        Ok(())
    } else {
        Err(broken(place, "names are text on one line"))
    }
}

fn check_keys(place: &str, keys: &[Key]) -> Result<(), DictionaryError> {
    if keys.is_empty() || keys.len() > MOST_KEYS {
        return Err(broken(place, "from 1 to 4096 keys"));
    }
    let mut seen = BTreeSet::new();
    for key in keys {
        check_code(&key.code, place)?;
        check_label(&key.label, place)?;
        if !seen.insert(&key.code) {
            return Err(broken(place, "every key is listed once"));
        }
    }
    if keys.last().is_none_or(|last| last.code != OTHER) {
        return Err(broken(place, "the last key is `other`"));
    }
    Ok(())
}
