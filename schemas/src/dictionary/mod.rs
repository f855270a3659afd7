//! The alliance's dictionary: datasets, fields, dimensions, bounds and code tables. Public, signed
//! and versioned. Clamp bounds, group keys and bin edges come from here and never from the data
//! asked about (rule DP-4).

mod check;
mod further;

pub use check::DictionaryError;
pub use further::Further;

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
    /// Full marks of a score, in hundredths of a point; left out where no field is a score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u64>,
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
    /// [`References::score`].
    Score,
}

/// The unit in which a field is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// 0.01 of the currency.
    Fen,
    /// A thousandth of a day.
    MilliDay,
    /// 0.01 of a point.
    CentiPoint,
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
    /// How near an amount of the row came to its own group's reference, computed at load: the first
    /// key below all lines, one from each line on, one beyond the last line, then [`OTHER`] where
    /// the group is not listed or the source lacks the amount.
    Level {
        /// The field, money.
        field: Slug,
        /// Lines in percent of the reference, rising: reached from there on.
        from: Vec<u32>,
        /// The last line: passed beyond it.
        beyond: u32,
    },
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

/// The dictionary: of the `stays` dataset at the top, of each further one below it.
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
    /// The further datasets, each at most once and none of them `stays`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<Further>,
}

impl Dictionary {
    /// Domain tag of a dictionary's digest and signature.
    pub const TAG: &'static str = "consilium-dictionary-v1";

    /// The digest that questions and answers cite.
    pub fn digest(&self) -> Result<Digest, canonical::Error> {
        canonical::digest(Self::TAG, self)
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
            KeySource::Exact
            | KeySource::Prefix { .. }
            | KeySource::Bands
            | KeySource::Level { .. } => {
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
            // The rules of dictionaries leave no score without full marks.
            Reference::Score => self.references.score.unwrap_or(1),
        }
    }
}
