//! Rows that fill a batch.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, FixedSizeBinaryArray, RecordBatch, UInt8Array, UInt16Array, UInt32Array,
};
use arrow_buffer::Buffer;
use arrow_schema::{ArrowError, Schema};

use super::shape::{BATCH_ROWS, Shape, Width};

/// De-identified rows of one month on their way to the file, at most [`BATCH_ROWS`].
#[derive(Debug)]
pub struct Rows {
    patient: Vec<u8>,
    stay: Vec<u8>,
    group: Vec<u16>,
    keys: Vec<Keys>,
    amounts: Vec<Vec<u32>>,
}

#[derive(Debug)]
enum Keys {
    Narrow(Vec<u8>),
    Wide(Vec<u16>),
}

impl Rows {
    /// No rows yet.
    pub fn new(shape: &Shape) -> Self {
        let keys = shape.dimensions.iter().map(|(_, width, _)| match width {
            Width::Narrow => Keys::Narrow(Vec::new()),
            Width::Wide => Keys::Wide(Vec::new()),
        });
        Self {
            patient: Vec::new(),
            stay: Vec::new(),
            group: Vec::new(),
            keys: keys.collect(),
            amounts: shape.fields.iter().map(|_| Vec::new()).collect(),
        }
    }

    /// Adds a row; codes and amounts stand in the shape's order.
    pub fn push(
        &mut self,
        patient: &[u8; 16],
        stay: &[u8; 16],
        group: u16,
        keys: &[u16],
        amounts: &[u32],
    ) {
        self.patient.extend_from_slice(patient);
        self.stay.extend_from_slice(stay);
        self.group.push(group);
        for (column, key) in self.keys.iter_mut().zip(keys) {
            match column {
                // A narrow dimension has at most 256 keys, so its codes fit.
                Keys::Narrow(codes) => codes.push(u8::try_from(*key).unwrap_or(u8::MAX)),
                Keys::Wide(codes) => codes.push(*key),
            }
        }
        for (column, amount) in self.amounts.iter_mut().zip(amounts) {
            column.push(*amount);
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.group.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.group.is_empty()
    }

    /// Whether the batch must be written before another row comes.
    pub fn is_full(&self) -> bool {
        self.len() >= BATCH_ROWS
    }

    /// Orders the rows by case group and keyed stay id; gives the old place of the row at every new
    /// place. A scan then meets a group's rows together, and the order of the source is gone.
    pub fn sort(&mut self) -> Vec<usize> {
        let stays = self.stay.chunks_exact(16);
        let keys = self.group.iter().zip(stays).enumerate();
        let mut keyed: Vec<(u16, &[u8], usize)> = keys
            .map(|(place, (group, stay))| (*group, stay, place))
            .collect();
        keyed.sort_unstable();
        let order: Vec<usize> = keyed.into_iter().map(|(_, _, place)| place).collect();
        self.patient = taken_16(&self.patient, &order);
        self.stay = taken_16(&self.stay, &order);
        self.group = taken(&self.group, &order);
        for keys in &mut self.keys {
            match keys {
                Keys::Narrow(codes) => *codes = taken(codes, &order),
                Keys::Wide(codes) => *codes = taken(codes, &order),
            }
        }
        for amounts in &mut self.amounts {
            *amounts = taken(amounts, &order);
        }
        order
    }

    pub(super) fn into_batch(self, schema: &Arc<Schema>) -> Result<RecordBatch, ArrowError> {
        let binary = |bytes: Vec<u8>| -> Result<ArrayRef, ArrowError> {
            Ok(Arc::new(FixedSizeBinaryArray::try_new(
                16,
                Buffer::from_vec(bytes),
                None,
            )?))
        };
        let mut columns: Vec<ArrayRef> = vec![
            binary(self.patient)?,
            binary(self.stay)?,
            Arc::new(UInt16Array::from(self.group)),
        ];
        for keys in self.keys {
            columns.push(match keys {
                Keys::Narrow(codes) => Arc::new(UInt8Array::from(codes)),
                Keys::Wide(codes) => Arc::new(UInt16Array::from(codes)),
            });
        }
        for amounts in self.amounts {
            columns.push(Arc::new(UInt32Array::from(amounts)));
        }
        RecordBatch::try_new(Arc::clone(schema), columns)
    }
}

/// The values of a column in another order.
fn taken<T: Copy>(column: &[T], order: &[usize]) -> Vec<T> {
    order
        .iter()
        .filter_map(|place| column.get(*place))
        .copied()
        .collect()
}

/// The same for a column of 16 bytes a row.
fn taken_16(column: &[u8], order: &[usize]) -> Vec<u8> {
    let row = |place: &usize| column.get(place * 16..place * 16 + 16);
    order.iter().filter_map(row).flatten().copied().collect()
}
