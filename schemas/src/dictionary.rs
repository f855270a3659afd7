//! The alliance's dictionary: datasets, fields, dimensions, bounds and code tables. Public, signed
//! and versioned. Clamp bounds, group keys and bin edges come from here and never from the data
//! asked about (rule DP-4).

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::digest::Digest;
use crate::id::Slug;

/// The last key of every dimension: whatever the dictionary does not list.
pub const OTHER: &str = "other";
/// Most case groups, keys of a dimension, dimensions, fields and bins.
pub const MOST_KEYS: usize = 4096;

/// A name for people, in both languages of the pages.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// The grouper that made the case groups.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// `chs-drg`, `apr-drg`, `ms-drg`, `dip` or `local`.
    pub id: Slug,
    /// Its version, for example `1.1`.
    pub version: String,
}

/// What a case group's amounts are measured against. All are above zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct References {
    /// Cost of an ordinary stay, in fen (payment standard, or weight × rate).
    pub cost: u64,
    /// Charges of an ordinary stay, in fen.
    pub charge: u64,
    /// Length of an ordinary stay, in thousandths of a day.
    pub stay: u64,
}

/// A case group (病组).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Code in the scheme; the last group is [`OTHER`].
    pub code: String,
    /// Name for people.
    pub name: Label,
    /// Major diagnostic category.
    pub mdc: String,
    /// Relative weight (RW) in millionths.
    pub weight_micro: u64,
    /// What amounts are measured against.
    pub references: References,
}

/// Which reference a field is measured against.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// [`References::cost`].
    Cost,
    /// [`References::charge`].
    Charge,
    /// [`References::stay`].
    Stay,
}

/// The unit in which a field is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// 0.01 of the currency.
    Fen,
    /// A thousandth of a day.
    MilliDay,
}

/// A whole-number measure of a stay, from 0 to `most`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Name in questions and mappings.
    pub id: Slug,
    /// Name for people.
    pub label: Label,
    /// Unit of the stored value.
    pub unit: Unit,
    /// What it is measured against and clamped by.
    pub reference: Reference,
    /// Greatest value that a row may hold; a row above it is quarantined. Below 2^32.
    pub most: u32,
    /// Whether a file must bring it. One that is absent yields "no data".
    pub required: bool,
    /// For a cost item: the field that all items with the same `part_of` add up to.
    pub part_of: Option<Slug>,
}

/// How a row's key in a dimension follows from the source value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum KeySource {
    /// The case group; keys are the dictionary's groups.
    CaseGroup,
    /// The major diagnostic category of the case group.
    Mdc,
    /// The settlement month; keys are the months of the question's period.
    Month,
    /// The value as the mapping file gives it.
    Exact,
    /// The first so many characters.
    Prefix {
        /// Number of characters, 1 to 8.
        chars: u8,
    },
    /// Bands of a whole number: keys read `30-34` or `90+`.
    Bands,
}

/// One key of a dimension.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The code that rows hold.
    pub code: String,
    /// Name for people.
    pub label: Label,
}

/// A way to split stays. Keys are the full public list, ending in [`OTHER`]; they are empty for
/// `case_group`, `mdc` and `month`, whose keys follow from elsewhere.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// Name in questions and mappings.
    pub id: Slug,
    /// Name for people.
    pub label: Label,
    /// How a row's key follows.
    pub source: KeySource,
    /// The allowed keys.
    pub keys: Vec<Key>,
}

/// The dictionary of the `stays` dataset.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dictionary {
    /// The alliance that published it.
    pub alliance: Slug,
    /// Rising number; a node answers only under a version that it has accepted.
    pub version: u32,
    /// ISO 4217 code of the currency.
    pub currency: String,
    /// The grouper.
    pub scheme: Scheme,
    /// A stay counts up to `cap` times its group's reference (1 to 1,000,000).
    pub cap: u32,
    /// More rows than any hospital will ever hold in a question; for range checks only.
    pub max_rows: u64,
    /// Case groups in fixed order, the last one [`OTHER`].
    pub groups: Vec<Group>,
    /// Dimensions in fixed order.
    pub dimensions: Vec<Dimension>,
    /// Fields in fixed order.
    pub fields: Vec<Field>,
    /// Lower edges of the histogram bins in thousandths of the reference: the first is 0, they
    /// rise, one is the cap. The top bin is open.
    pub bin_edges: Vec<u32>,
}

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
    /// Domain tag of a dictionary's digest and signature.
    pub const TAG: &'static str = "consilium-dictionary-v1";

    /// The digest that questions and answers cite.
    pub fn digest(&self) -> Result<Digest, canonical::Error> {
        canonical::digest(Self::TAG, self)
    }

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
        self.check_groups()?;
        self.check_dimensions()?;
        self.check_fields()?;
        self.check_bins()
    }

    fn check_groups(&self) -> Result<(), DictionaryError> {
        if self.groups.is_empty() || self.groups.len() > MOST_KEYS {
            return Err(broken("groups", "from 1 to 4096 groups"));
        }
        let mut seen = BTreeSet::new();
        for group in &self.groups {
            check_code(&group.code, "groups")?;
            check_code(&group.mdc, "groups")?;
            if !seen.insert(&group.code) {
                return Err(broken(format!("groups.{}", group.code), "listed once"));
            }
            let references = [
                group.references.cost,
                group.references.charge,
                group.references.stay,
            ];
            if references
                .iter()
                .any(|value| !(1..=1_000_000_000_000).contains(value))
            {
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
            if !seen.insert(&field.id) || self.dimensions.iter().any(|d| d.id == field.id) {
                return Err(broken(place, "listed once"));
            }
            // `most` is stored in 32 bits and scaled by 2,000 in 64-bit arithmetic.
            if field.most == 0 || field.most == u32::MAX {
                return Err(broken(place, "most is from 1 to 2^32 - 2"));
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

    /// The dimension of that name.
    pub fn dimension(&self, id: &str) -> Option<&Dimension> {
        self.dimensions
            .iter()
            .find(|dimension| dimension.id.as_str() == id)
    }

    /// The field of that name.
    pub fn field(&self, id: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.id.as_str() == id)
    }

    /// The items that add up to a field, in order.
    pub fn items_of<'a>(&'a self, whole: &'a Slug) -> impl Iterator<Item = &'a Field> {
        self.fields
            .iter()
            .filter(move |field| field.part_of.as_ref() == Some(whole))
    }

    /// The major diagnostic categories of the groups, sorted.
    pub fn mdcs(&self) -> Vec<&str> {
        let codes: BTreeSet<&str> = self.groups.iter().map(|group| group.mdc.as_str()).collect();
        codes.into_iter().collect()
    }

    /// The keys of a dimension in column order; `None` for `month`, whose keys are the question's.
    pub fn keys(&self, dimension: &Dimension) -> Option<Vec<String>> {
        match dimension.source {
            KeySource::Month => None,
            KeySource::CaseGroup => Some(self.groups.iter().map(|g| g.code.clone()).collect()),
            KeySource::Mdc => Some(self.mdcs().into_iter().map(str::to_owned).collect()),
            KeySource::Exact | KeySource::Prefix { .. } | KeySource::Bands => {
                Some(dimension.keys.iter().map(|key| key.code.clone()).collect())
            }
        }
    }
}

impl Group {
    /// The reference of the given kind.
    pub fn reference(&self, kind: Reference) -> u64 {
        match kind {
            Reference::Cost => self.references.cost,
            Reference::Charge => self.references.charge,
            Reference::Stay => self.references.stay,
        }
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

fn check_keys(place: &str, keys: &[Key]) -> Result<(), DictionaryError> {
    if keys.is_empty() || keys.len() > MOST_KEYS {
        return Err(broken(place, "from 1 to 4096 keys"));
    }
    let mut seen = BTreeSet::new();
    for key in keys {
        check_code(&key.code, place)?;
        if !seen.insert(&key.code) {
            return Err(broken(place, "every key is listed once"));
        }
    }
    if keys.last().is_none_or(|last| last.code != OTHER) {
        return Err(broken(place, "the last key is `other`"));
    }
    Ok(())
}
