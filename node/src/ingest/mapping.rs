//! The mapping file: which column of a hospital's file means what. Declarative TOML, one a
//! source; unknown keys are refused.

use std::collections::{BTreeMap, BTreeSet};

use schemas::id::Slug;
use schemas::question::Dataset;
use schemas::written;
use serde::Deserialize;

use super::IngestError;
use super::amount::SourceUnit;
use super::crosswalk::Split;
use super::date::DateFormat;
use super::encoding::Encoding;

/// How a source's columns become a stay.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What a row is: `stays` or another dataset of the dictionary.
    pub dataset: Dataset,
    /// The view that rows come from; without it they come from a file.
    #[serde(default)]
    pub source: Option<ViewMapping>,
    /// How the file writes characters; CSV only.
    #[serde(default)]
    pub encoding: Encoding,
    /// Column → value: rows with another value are passed over.
    #[serde(default)]
    pub only: BTreeMap<String, String>,
    /// The departments in which the hospital tries it first: rows of others are passed over, and what is
    /// released says that it is of a pilot.
    #[serde(default)]
    pub pilot: Option<PilotMapping>,
    /// Who the patient is: `"row"` or `{ column = "…" }`.
    pub patient: Patient,
    /// Column of the settlement number; without it a stay is known by its whole row.
    #[serde(default)]
    pub settlement: Option<String>,
    /// When the stay was settled.
    pub time: Time,
    /// The case group.
    pub case_group: CaseGroup,
    /// Dimensions of the dictionary by name.
    #[serde(default)]
    pub dimensions: BTreeMap<Slug, DimensionMapping>,
    /// How fields with `costing` follow from signed rates.
    #[serde(default)]
    pub costing: Option<CostingMapping>,
    /// Fields of the dictionary by name.
    #[serde(default)]
    pub fields: BTreeMap<Slug, FieldMapping>,
}

/// A view of the hospital's own database. Where the database is stands elsewhere.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewMapping {
    /// `view` or `schema.view`.
    pub view: String,
    /// The columns that tell rows apart.
    pub key: Vec<String>,
    /// A column that is higher in every row that is new or changed: a time, a date or a number.
    pub watermark: String,
}

/// A pilot in some departments.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PilotMapping {
    /// Column of the department.
    pub column: String,
    /// The departments, as the column writes them.
    pub departments: BTreeSet<String>,
}

/// Who the patient is.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Patient {
    /// The source has no patient key: every row is its own patient.
    Row,
    /// The patient's number in this hospital; only its keyed hash is kept.
    Column(String),
}

/// When the stay was settled.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Time {
    /// How finely the source knows it.
    #[serde(default)]
    pub granularity: Granularity,
    /// How dates are written; needed where a column holds one.
    #[serde(default)]
    pub format: Option<DateFormat>,
    /// Column of the discharge date: the settlement month.
    #[serde(default)]
    pub discharge: Option<String>,
    /// Column of the admission date.
    #[serde(default)]
    pub admission: Option<String>,
    /// Column of the year, for `granularity = "year"`.
    #[serde(default)]
    pub year: Option<String>,
    /// Oldest year of settlement that is believed, 1900 to the current one.
    #[serde(default = "oldest_year")]
    pub oldest_year: u16,
}

/// An older date is more often a slip of the pen than a stay.
fn oldest_year() -> u16 {
    1990
}

/// How finely a source knows the time of settlement.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Granularity {
    /// By date; the month is kept.
    #[default]
    Month,
    /// By year: every stay counts as settled in December.
    Year,
}

/// The case group, from one column or several joined.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseGroup {
    /// Columns in order.
    pub columns: Vec<String>,
    /// What stands between them.
    #[serde(default)]
    pub join: String,
    /// Source code → code of the dictionary.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
}

/// A dimension: exactly one of `column`, `constant`, `age`, `birth_date`, `days`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DimensionMapping {
    /// Column of the value.
    #[serde(default)]
    pub column: Option<String>,
    /// Source value → key of the dictionary. A value that is not listed may be a key itself.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// Crosswalk that the column's value goes through before it is looked up.
    #[serde(default)]
    pub crosswalk: Option<Slug>,
    /// What is done with a code that goes to several.
    #[serde(default)]
    pub split: Option<Split>,
    /// The same key for every row.
    #[serde(default)]
    pub constant: Option<String>,
    /// Column of the age in whole years, for bands.
    #[serde(default)]
    pub age: Option<String>,
    /// Column of the birth date, for bands; the age is that on the day of discharge.
    #[serde(default)]
    pub birth_date: Option<String>,
    /// Field of the length of stay, for bands of whole days; a begun day counts.
    #[serde(default)]
    pub days: Option<String>,
}

/// A field: `column` with its unit, or (length of stay) `from_dates`, or both to compare.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldMapping {
    /// Column of the value.
    #[serde(default)]
    pub column: Option<String>,
    /// Unit in the column.
    #[serde(default)]
    pub unit: Option<SourceUnit>,
    /// Days from admission to discharge; a stay within one day counts 1.
    #[serde(default)]
    pub from_dates: bool,
    /// A cost item, or `all`: the value follows from signed rates and has no column.
    #[serde(default)]
    pub costing: Option<String>,
}

/// What costing by rates needs of a row.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostingMapping {
    /// Column of the department, as the closes name it.
    pub department: String,
    /// Crosswalk that the department goes through.
    #[serde(default)]
    pub crosswalk: Option<Slug>,
    /// What is done with a code that goes to several.
    #[serde(default)]
    pub split: Option<Split>,
    /// Field of the length of stay, for rates by days.
    #[serde(default)]
    pub days: Option<String>,
    /// Field of the charges, for rates by charges.
    #[serde(default)]
    pub charges: Option<String>,
    /// Cost items that the stay bears itself.
    #[serde(default)]
    pub own: BTreeMap<Slug, OwnMapping>,
}

/// A cost item that the stay bears itself, at cost.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnMapping {
    /// Column of the amount.
    pub column: String,
    /// Unit in the column.
    pub unit: SourceUnit,
}

impl Mapping {
    /// The crosswalks that it names.
    pub fn crosswalks(&self) -> BTreeSet<&Slug> {
        let dimensions = self.dimensions.values();
        let named = dimensions.filter_map(|of| of.crosswalk.as_ref());
        named
            .chain(self.costing.iter().filter_map(|of| of.crosswalk.as_ref()))
            .collect()
    }

    /// Longest mapping file, in bytes.
    pub const MAX_BYTES: usize = 4 * 1024 * 1024;

    /// Reads a mapping.
    pub fn parse(text: &str) -> Result<Self, IngestError> {
        if text.len() > Self::MAX_BYTES {
            return Err(IngestError::rule("file", "at most 4 MiB"));
        }
        toml::from_str(text).map_err(|error| {
            let at = error.span().map(|span| span.start);
            IngestError::Mapping(written::fault(text, error.message(), at))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_mappings_are_read() {
        for text in [
            include_str!("../../../deploy/mappings/sparcs.toml"),
            include_str!("../../../deploy/mappings/consilium-csv.toml"),
        ] {
            Mapping::parse(text).unwrap();
        }
    }

    #[test]
    fn unknown_keys_are_refused_by_name_and_line() {
        let text = "dataset = \"stays\"\npatient = \"row\"\nsecret = 1\n";
        let error = Mapping::parse(text).unwrap_err().to_string();
        assert!(
            error.contains("secret") && error.contains("line 3"),
            "{error}"
        );
        assert!(Mapping::parse("dataset = \"visits\"").is_err());
        assert!(Mapping::parse("\u{0}").is_err());
    }

    const DOCUMENT: &str = include_str!("../../../docs/MAPPING.md");

    /// The examples of the document, each put over the whole one that comes first.
    #[test]
    fn the_examples_of_the_document_are_read() {
        let parts = DOCUMENT.split("```toml\n").skip(1);
        let examples: Vec<&str> = parts
            .map(|part| part.split("```").next().unwrap())
            .collect();
        let whole: toml::Table = toml::from_str(examples[0]).unwrap();
        assert!(examples.len() > 5);
        for example in examples {
            let mut table = whole.clone();
            table.extend(toml::from_str::<toml::Table>(example).unwrap());
            Mapping::parse(&toml::to_string(&table).unwrap()).unwrap();
        }
    }

    /// An unknown key is refused with a list of all that are known: each has a line of the document.
    #[test]
    fn every_key_has_a_line_in_the_document() {
        for (place, keys) in [
            ("", 12),
            ("[source]\n", 3),
            ("[pilot]\n", 2),
            ("[time]\n", 6),
            ("[case_group]\n", 3),
            ("[dimensions.sex]\n", 8),
            ("[fields.cost]\n", 4),
            ("[costing]\n", 6),
        ] {
            let error = toml::from_str::<Mapping>(&format!("{place}nokey = 1")).unwrap_err();
            let known = error.message().split('`').skip(1).step_by(2);
            let known: Vec<&str> = known.filter(|key| *key != "nokey").collect();
            assert_eq!(known.len(), keys, "{known:?}");
            for key in known {
                assert!(DOCUMENT.contains(&format!("\n| `{key}` | ")), "{key}");
            }
        }
    }
}
