//! Which columns a month's file has, from the dictionary and the fields that the source brings.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use schemas::dictionary::{Dictionary, Dimension, KeySource};
use schemas::id::Slug;

/// Most rows of one record batch.
pub const BATCH_ROWS: usize = 65_536;

/// How wide the codes of a dimension are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Width {
    /// One byte: up to 256 keys.
    Narrow,
    /// Two bytes.
    Wide,
}

/// The columns of a month's file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shape {
    /// Number of case groups.
    pub groups: u16,
    /// Stored dimensions in dictionary order: name, width, number of keys.
    pub dimensions: Vec<(Slug, Width, u16)>,
    /// Fields that the source has, in dictionary order, with their greatest value.
    pub fields: Vec<(Slug, u32)>,
}

/// Whether a dimension has a column of its own; the others follow from case group and month.
pub fn is_stored(dimension: &Dimension) -> bool {
    match dimension.source {
        KeySource::Exact
        | KeySource::Prefix { .. }
        | KeySource::Bands
        | KeySource::Level { .. } => true,
        KeySource::CaseGroup | KeySource::Mdc | KeySource::Month => false,
    }
}

impl Shape {
    /// The columns for a dictionary (checked) and the fields that are present.
    pub fn new(dictionary: &Dictionary, present: impl Fn(&Slug) -> bool) -> Self {
        // A checked dictionary has at most 4,096 keys a dimension.
        let count = |keys: usize| u16::try_from(keys).unwrap_or(u16::MAX);
        let stored = dictionary
            .dimensions
            .iter()
            .filter(|dimension| is_stored(dimension));
        let width = |keys: usize| {
            if keys <= 256 {
                Width::Narrow
            } else {
                Width::Wide
            }
        };
        let dimensions = stored.map(|dimension| {
            let keys = dimension.keys.len();
            (dimension.id.clone(), width(keys), count(keys))
        });
        let fields = dictionary.fields.iter().filter(|field| present(&field.id));
        Self {
            groups: count(dictionary.groups.len()),
            dimensions: dimensions.collect(),
            fields: fields.map(|field| (field.id.clone(), field.most)).collect(),
        }
    }

    /// The Arrow schema of the data file.
    pub(super) fn schema(&self) -> Arc<Schema> {
        let mut columns = vec![
            Field::new("patient", DataType::FixedSizeBinary(16), false),
            Field::new("stay", DataType::FixedSizeBinary(16), false),
            Field::new("case_group", DataType::UInt16, false),
        ];
        for (id, width, _) in &self.dimensions {
            let kind = match width {
                Width::Narrow => DataType::UInt8,
                Width::Wide => DataType::UInt16,
            };
            columns.push(Field::new(id.as_str(), kind, false));
        }
        for (id, _) in &self.fields {
            columns.push(Field::new(id.as_str(), DataType::UInt32, false));
        }
        Arc::new(Schema::new(columns))
    }
}

/// The Arrow schema of the ranks file.
pub(super) fn ranks_schema() -> Arc<Schema> {
    let names = ["group_rank", "stay_rank", "series_rank"];
    let columns = names.map(|name| Field::new(name, DataType::UInt8, false));
    Arc::new(Schema::new(columns.to_vec()))
}
