//! Reading column files without copying.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    Array as _, FixedSizeBinaryArray, RecordBatch, UInt8Array, UInt16Array, UInt32Array,
};
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::root_as_footer;
use schemas::time::Month;

use super::{ColumnsError, data_file, map, ranks_file};

/// The columns of one month, mapped into memory.
#[derive(Debug)]
pub struct MonthColumns {
    batches: Vec<Batch>,
}

/// One batch of rows with its ranks.
#[derive(Debug)]
pub struct Batch {
    data: RecordBatch,
    ranks: RecordBatch,
}

/// The codes of a dimension: each an index into the dictionary's keys.
#[derive(Clone, Copy, Debug)]
pub enum Codes<'a> {
    /// At most 256 keys.
    Narrow(&'a [u8]),
    /// More.
    Wide(&'a [u16]),
}

impl MonthColumns {
    /// Opens the two files of a month. Their digests are for the caller to check once
    /// ([`super::digest`]).
    pub fn open(load: &Path, month: Month) -> Result<Self, ColumnsError> {
        let path = data_file(load, month);
        let batches = open(load, month)?
            .into_iter()
            .map(|(data, ranks)| Batch { data, ranks });
        let batches: Vec<Batch> = batches.collect();
        let whole = batches.iter().all(|batch| {
            batch.patient().len() == 16 * batch.rows()
                && batch.stay().len() == 16 * batch.rows()
                && batch.case_group().len() == batch.rows()
                && batch.group_rank().len() == batch.rows()
                && batch.stay_rank().len() == batch.rows()
                && batch.series_rank().len() == batch.rows()
        });
        if !whole {
            return Err(ColumnsError::damaged(&path, "the fixed columns are there"));
        }
        Ok(Self { batches })
    }

    /// The batches in order.
    pub fn batches(&self) -> &[Batch] {
        &self.batches
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(Batch::rows).sum()
    }
}

impl Batch {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.data.num_rows()
    }

    /// The stored columns and the ranks, for the scan.
    pub fn parts(&self) -> (&RecordBatch, &RecordBatch) {
        (&self.data, &self.ranks)
    }

    /// Pseudonyms, 16 bytes a row.
    pub fn patient(&self) -> &[u8] {
        self.binary("patient")
    }

    /// Keyed stay ids, 16 bytes a row.
    pub fn stay(&self) -> &[u8] {
        self.binary("stay")
    }

    /// Index of each row's case group in the dictionary.
    pub fn case_group(&self) -> &[u16] {
        match self.codes("case_group") {
            Some(Codes::Wide(codes)) => codes,
            Some(Codes::Narrow(_)) | None => &[],
        }
    }

    /// The codes of a stored dimension; `None` if the file has no such column.
    pub fn codes(&self, dimension: &str) -> Option<Codes<'_>> {
        let column = self.data.column_by_name(dimension)?.as_any();
        if let Some(narrow) = column.downcast_ref::<UInt8Array>() {
            return Some(Codes::Narrow(narrow.values()));
        }
        let wide = column.downcast_ref::<UInt16Array>()?;
        Some(Codes::Wide(wide.values()))
    }

    /// The values of a field; `None` if the source lacked it.
    pub fn amounts(&self, field: &str) -> Option<&[u32]> {
        let column = self.data.column_by_name(field)?.as_any();
        Some(column.downcast_ref::<UInt32Array>()?.values())
    }

    /// Rank of the case group among the patient-year's groups.
    pub fn group_rank(&self) -> &[u8] {
        self.rank("group_rank")
    }

    /// Rank of the stay among the patient's stays in the group.
    pub fn stay_rank(&self) -> &[u8] {
        self.rank("stay_rank")
    }

    /// Rank of the month among the patient's months; 255 if another stay stands for the month.
    pub fn series_rank(&self) -> &[u8] {
        self.rank("series_rank")
    }

    fn binary(&self, name: &str) -> &[u8] {
        let column = self.data.column_by_name(name);
        let column = column.and_then(|c| c.as_any().downcast_ref::<FixedSizeBinaryArray>());
        column.map_or(&[], FixedSizeBinaryArray::value_data)
    }

    fn rank(&self, name: &str) -> &[u8] {
        let column = self.ranks.column_by_name(name);
        let column = column.and_then(|c| c.as_any().downcast_ref::<UInt8Array>());
        column.map_or(&[], |ranks| ranks.values())
    }
}

/// A record batch of rows and the batch of their ranks.
pub type WithRanks = (RecordBatch, RecordBatch);

/// The record batches of a month, each with its ranks.
pub fn open(load: &Path, month: Month) -> Result<Vec<WithRanks>, ColumnsError> {
    let path = data_file(load, month);
    let data = read(&path)?;
    let ranks = read(&ranks_file(load, month))?;
    let mut pairs = data.iter().zip(&ranks);
    let fit = data.len() == ranks.len() && pairs.all(|(a, b)| a.num_rows() == b.num_rows());
    if !fit {
        return Err(ColumnsError::damaged(
            &path,
            "its ranks have the same batches",
        ));
    }
    Ok(data.into_iter().zip(ranks).collect())
}

fn read(path: &Path) -> Result<Vec<RecordBatch>, ColumnsError> {
    let damaged = |rule| ColumnsError::damaged(path, rule);
    let bytes = map(path).map_err(ColumnsError::io(path))?;
    let (before, tail) = bytes
        .split_last_chunk::<10>()
        .ok_or_else(|| damaged("it has a trailer"))?;
    let length = read_footer_length(*tail).map_err(|_| damaged("it has a trailer"))?;
    let start = before.len().checked_sub(length);
    let footer = start.and_then(|start| before.get(start..));
    let footer = footer.ok_or_else(|| damaged("its footer fits"))?;
    let footer = root_as_footer(footer).map_err(|_| damaged("its footer can be read"))?;
    let schema = footer.schema().ok_or_else(|| damaged("it has a schema"))?;
    let schema = try_fb_to_schema(schema).map_err(|_| damaged("its schema can be read"))?;
    if schema.fields().iter().any(|column| column.is_nullable()) {
        return Err(damaged("no column may be null"));
    }
    // Aligned buffers are required, so nothing is ever copied.
    let decoder = FileDecoder::new(Arc::new(schema), footer.version()).with_require_alignment(true);
    let buffer = Buffer::from(bytes.clone());
    let mut batches = Vec::new();
    for block in footer.recordBatches().iter().flatten() {
        let offset = usize::try_from(block.offset()).ok();
        let head = usize::try_from(block.metaDataLength()).ok();
        let body = usize::try_from(block.bodyLength()).ok();
        let place = offset.zip(
            head.zip(body)
                .and_then(|(head, body)| head.checked_add(body)),
        );
        let place = place.filter(|(offset, length)| {
            offset
                .checked_add(*length)
                .is_some_and(|end| end <= buffer.len())
        });
        let (offset, length) = place.ok_or_else(|| damaged("its blocks lie inside it"))?;
        let block_bytes = buffer.slice_with_length(offset, length);
        let batch = decoder.read_record_batch(block, &block_bytes);
        let batch = batch.map_err(|_| damaged("its batches can be read"))?;
        batches.push(batch.ok_or_else(|| damaged("its batches can be read"))?);
    }
    Ok(batches)
}
