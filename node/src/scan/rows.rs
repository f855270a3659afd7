//! A batch of stored stays as typed columns, without copying.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{UInt8Type, UInt16Type, UInt32Type};
use arrow_array::{Array as _, RecordBatch};
use arrow_buffer::ScalarBuffer;
use arrow_schema::DataType;
use schemas::dictionary::Dictionary;
use schemas::id::Slug;
use schemas::time::Month;

use super::ready::Ready;

/// Keys of one dimension, one a row.
#[derive(Clone, Debug)]
pub enum Codes {
    /// At most 256 keys.
    Narrow(ScalarBuffer<u8>),
    /// More.
    Wide(ScalarBuffer<u16>),
}

/// Up to 65,536 stays of one month.
#[derive(Clone)]
pub struct Rows {
    /// The settlement month of all of them.
    pub month: Month,
    /// Case group, an index into the dictionary's groups.
    pub group: ScalarBuffer<u16>,
    /// Stored dimensions.
    pub keys: BTreeMap<Slug, Codes>,
    /// Stored fields.
    pub fields: BTreeMap<Slug, ScalarBuffer<u32>>,
    /// What was made ready at opening.
    pub ready: Ready,
    /// Index of the stay's group among the patient's groups of the year.
    pub group_rank: ScalarBuffer<u8>,
    /// Index of the stay among the patient's stays of the year in that group.
    pub stay_rank: ScalarBuffer<u8>,
    /// Index of the month among the patient's months of the year; 255 for a stay that is not the
    /// one chosen for its month.
    pub series_rank: ScalarBuffer<u8>,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rows({})", self.month)
    }
}

impl Rows {
    /// Takes the columns of a stored batch and of its ranks. `None` if a column is missing, has
    /// another type or another length.
    pub fn from_batches(month: Month, batch: &RecordBatch, ranks: &RecordBatch) -> Option<Self> {
        if batch.num_rows() != ranks.num_rows() {
            return None;
        }
        let mut keys = BTreeMap::new();
        let mut fields = BTreeMap::new();
        for (column, field) in batch.columns().iter().zip(batch.schema().fields()) {
            if column.null_count() > 0 {
                return None;
            }
            let Ok(name) = field.name().parse::<Slug>() else {
                return None;
            };
            match column.data_type() {
                DataType::UInt8 => {
                    let values = column.as_primitive_opt::<UInt8Type>()?.values().clone();
                    keys.insert(name, Codes::Narrow(values));
                }
                DataType::UInt16 if field.name() != "case_group" => {
                    let values = column.as_primitive_opt::<UInt16Type>()?.values().clone();
                    keys.insert(name, Codes::Wide(values));
                }
                DataType::UInt32 => {
                    fields.insert(
                        name,
                        column.as_primitive_opt::<UInt32Type>()?.values().clone(),
                    );
                }
                _ => {}
            }
        }
        let group = batch
            .column_by_name("case_group")?
            .as_primitive_opt::<UInt16Type>()?;
        let rank = |name: &str| {
            let column = ranks
                .column_by_name(name)?
                .as_primitive_opt::<UInt8Type>()?;
            Some(column.values().clone())
        };
        Some(Self {
            month,
            group: group.values().clone(),
            keys,
            fields,
            ready: Ready::default(),
            group_rank: rank("group_rank")?,
            stay_rank: rank("stay_rank")?,
            series_rank: rank("series_rank")?,
        })
    }

    /// Makes ready what scans need, by the dictionary that coded the rows.
    #[must_use]
    pub fn made_ready(mut self, dictionary: &Dictionary) -> Self {
        self.ready = Ready::new(&self.group, &self.fields, dictionary);
        self
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.group.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.group.is_empty()
    }
}
