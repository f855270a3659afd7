//! The plan of a dictionary: everything but the case groups.

use std::io;

use schemas::dictionary::{Dictionary, DictionaryError, Dimension, Field, Further, Group, Scheme};
use schemas::id::Slug;
use serde::Deserialize;

use super::bins;
use super::decimal::NotADecimal;

/// A dictionary's plan as written in `policies/dictionaries/*.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// ISO 4217.
    pub currency: String,
    /// The grouper.
    pub scheme: Scheme,
    /// A stay counts up to so many times its group's reference.
    pub cap: u32,
    /// More rows than any hospital will ever hold.
    pub max_rows: u64,
    /// Dimensions with their keys.
    pub dimensions: Vec<Dimension>,
    /// Fields.
    pub fields: Vec<Field>,
    /// The further datasets, whole: their groups need no tables.
    #[serde(default)]
    pub further: Vec<Further>,
}

/// Why no dictionary was built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The plan is not TOML of the expected shape.
    #[error("the plan cannot be read: {0}")]
    Plan(String),
    /// A table cannot be read.
    #[error("a table cannot be read")]
    Csv(#[from] csv::Error),
    /// A table lacks a column.
    #[error("the table has no column `{0}`")]
    Column(String),
    /// A value is refused. Public tables only, so the row is named but still not the value.
    #[error("row {row}, column `{column}`: {rule}")]
    Value {
        /// Row of the table; the header is row 1.
        row: u64,
        /// Column.
        column: String,
        /// What must hold.
        rule: String,
    },
    /// The arithmetic leaves its range.
    #[error("group `{0}`: its weight or reference is out of range")]
    Range(String),
    /// Nothing in the tables.
    #[error("the tables hold no group with a reference")]
    Empty,
    /// The result breaks a rule of dictionaries.
    #[error(transparent)]
    Dictionary(#[from] DictionaryError),
    /// A file could not be read.
    #[error("a file could not be read")]
    File(#[from] io::Error),
}

impl BuildError {
    pub(super) fn decimal(row: u64, column: &str, error: NotADecimal) -> Self {
        Self::Value {
            row,
            column: column.to_owned(),
            rule: error.to_string(),
        }
    }
}

impl Plan {
    /// Reads a plan.
    pub fn parse(text: &str) -> Result<Self, BuildError> {
        toml::from_str(text).map_err(|error| {
            let at = error.span().map(|span| span.start);
            BuildError::Plan(schemas::written::fault(text, error.message(), at))
        })
    }

    /// The dictionary of these groups, unpublished (version 1).
    pub fn build(self, alliance: &Slug, groups: Vec<Group>) -> Result<Dictionary, BuildError> {
        let dictionary = Dictionary {
            alliance: alliance.clone(),
            version: 1,
            currency: self.currency,
            scheme: self.scheme,
            cap: self.cap,
            max_rows: self.max_rows,
            groups,
            dimensions: self.dimensions,
            fields: self.fields,
            bin_edges: bins::EDGES.to_vec(),
            further: self.further,
        };
        dictionary.check()?;
        Ok(dictionary)
    }
}
