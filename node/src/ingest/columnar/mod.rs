//! Parquet: rows of a column file as text, one at a time, in bounded memory. Columns are flat; pages are
//! plain or packed by Snappy or gzip. A file is hostile until it is read: what it says of sizes is held to
//! bounds first, and what is damaged is refused.

mod cells;
mod footer;
mod pages;
mod plain;
mod thrift;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv::ByteRecord;
use parquet::column::reader::get_column_reader;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

use self::cells::{Cells, Form, cells};
use self::pages::{Held, Packing, Pages};
use super::IngestError;
use super::row::Row;

/// Rows that are decoded at once.
const BATCH: u64 = 1024;
/// Longest record, in bytes, as in CSV.
const MOST_RECORD: usize = 1024 * 1024;

/// What a Parquet file must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ParquetRule {
    /// It is Parquet, and whole.
    #[error("the file is cut short, damaged or not Parquet; copy or export it again")]
    Damaged,
    /// It can be read without a key.
    #[error("the file is encrypted; export it without")]
    Encrypted,
    /// Its footer is small.
    #[error("the footer is longer than 16 MiB")]
    Footer,
    /// It has few columns.
    #[error("the file has more than 1024 columns")]
    Columns,
    /// Its columns are flat.
    #[error("a column holds lists or parts; export flat columns")]
    Nested,
    /// Its pages are small.
    #[error("a page is larger than 64 MiB; export with smaller pages")]
    Page,
    /// Its columns need little memory together.
    #[error("the columns' pages need more than 512 MiB at once; export with smaller pages")]
    Memory,
    /// Its pages are packed by what is read.
    #[error("pages are packed otherwise than by Snappy or gzip; export with one of these")]
    Packing,
    /// Its values are encoded by what is read.
    #[error("values are encoded otherwise than plain or by a dictionary; export in version 1.0")]
    Encoding,
}

/// A Parquet file being read.
pub(super) struct Table {
    path: PathBuf,
    file: Arc<File>,
    size: u64,
    about: ParquetMetaData,
    header: Vec<String>,
    forms: Vec<Option<Form>>,
    held: Held,
    /// The row group that comes next.
    next_group: usize,
    /// The columns of the row group; `None` where the type is not read.
    columns: Vec<Option<Box<dyn Cells>>>,
    /// Rows of the row group that are not decoded yet.
    in_group: u64,
    /// Rows that are decoded and not read yet.
    decoded: u64,
    read: u64,
    rows: u64,
    value: Vec<u8>,
    is_done: bool,
}

impl Table {
    /// Opens a file and reads its footer.
    pub(super) fn open(path: &Path) -> Result<Self, IngestError> {
        let file = File::open(path).map_err(IngestError::io(path))?;
        let size = file.metadata().map_err(IngestError::io(path))?.len();
        let refused = |rule| refused(path, 0, rule);
        let about = footer::read(&file, size).map_err(refused)?;
        let schema = about.file_metadata().schema_descr();
        let header = schema.columns().iter();
        let header = header.map(|column| column.name().trim().to_owned());
        let forms = schema.columns().iter().map(|column| Form::of(column));
        let groups = about.row_groups().iter();
        let rows = groups.map(|group| u64::try_from(group.num_rows()));
        let rows = rows
            .sum::<Result<u64, _>>()
            .map_err(|_| refused(ParquetRule::Damaged))?;
        Ok(Self {
            path: path.to_owned(),
            header: header.collect(),
            forms: forms.collect(),
            file: Arc::new(file),
            size,
            held: Held::default(),
            about,
            next_group: 0,
            columns: Vec::new(),
            in_group: 0,
            decoded: 0,
            read: 0,
            rows,
            value: Vec::new(),
            is_done: false,
        })
    }

    /// The names of the columns.
    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    /// Columns of types that are not read.
    pub(super) fn unread(&self) -> impl Iterator<Item = &str> {
        let columns = self.header.iter().zip(&self.forms);
        columns.filter_map(|(name, form)| form.is_none().then_some(name.as_str()))
    }

    /// Reads the next row; `false` at the end.
    pub(super) fn read(&mut self, row: &mut Row) -> Result<bool, IngestError> {
        let read = self.next(&mut row.record);
        row.number = self.read;
        match read {
            Ok(true) if row.record.as_slice().len() > MOST_RECORD => {
                Err(IngestError::TooLong { row: self.read })
            }
            Ok(found) => {
                self.is_done |= !found;
                Ok(found)
            }
            Err(rule) => Err(refused(&self.path, self.read, rule)),
        }
    }

    fn next(&mut self, record: &mut ByteRecord) -> Result<bool, ParquetRule> {
        while self.decoded == 0 {
            if self.in_group == 0 {
                if !self.next_group()? {
                    return Ok(false);
                }
                continue;
            }
            let batch = self.in_group.min(BATCH);
            let rows = usize::try_from(batch).map_err(|_| ParquetRule::Damaged)?;
            let mut columns = self.columns.iter_mut().flatten();
            columns.try_for_each(|column| column.fill(rows))?;
            self.in_group -= batch;
            self.decoded = batch;
        }
        self.decoded -= 1;
        self.read += 1;
        record.clear();
        for column in &mut self.columns {
            self.value.clear();
            if let Some(column) = column {
                column.write(&mut self.value)?;
            }
            record.push_field(&self.value);
            if record.as_slice().len() > MOST_RECORD {
                break; // The caller refuses it.
            }
        }
        Ok(true)
    }

    /// Begins the next row group; `false` after the last.
    fn next_group(&mut self) -> Result<bool, ParquetRule> {
        self.columns.clear();
        let Some(group) = self.about.row_groups().get(self.next_group) else {
            return Ok(false);
        };
        self.next_group += 1;
        self.in_group = u64::try_from(group.num_rows()).map_err(|_| ParquetRule::Damaged)?;
        if group.columns().len() != self.forms.len() {
            return Err(ParquetRule::Damaged);
        }
        for (chunk, form) in group.columns().iter().zip(&self.forms) {
            let column = match form {
                Some(form) => Some(self.column(chunk, *form)?),
                None => None,
            };
            self.columns.push(column);
        }
        if self.in_group > 0 && self.columns.iter().all(Option::is_none) {
            return Err(ParquetRule::Nested);
        }
        Ok(true)
    }

    fn column(
        &self,
        chunk: &ColumnChunkMetaData,
        form: Form,
    ) -> Result<Box<dyn Cells>, ParquetRule> {
        let column = chunk.column_descr_ptr();
        let start = chunk.dictionary_page_offset();
        let start = start.unwrap_or_else(|| chunk.data_page_offset());
        let start = u64::try_from(start).map_err(|_| ParquetRule::Damaged)?;
        let length = u64::try_from(chunk.compressed_size()).map_err(|_| ParquetRule::Damaged)?;
        let end = start.checked_add(length).filter(|end| *end <= self.size);
        let of = column.physical_type();
        let width = usize::try_from(column.type_length()).unwrap_or(0);
        let pages = Pages {
            file: Arc::clone(&self.file),
            at: start,
            end: end.ok_or(ParquetRule::Damaged)?,
            packing: Packing::of(chunk.compression())?,
            of,
            width,
            held: Arc::clone(&self.held),
            own: [0; 2],
            is_optional: column.max_def_level() > 0,
            has_dictionary: false,
        };
        let is_optional = column.max_def_level() > 0;
        let reader = get_column_reader(column, Box::new(pages));
        cells(reader, form, is_optional).ok_or(ParquetRule::Damaged)
    }

    /// Bytes of the file, by the share of its rows that were read.
    pub(super) fn position(&self) -> u64 {
        let share = u128::from(self.size) * u128::from(self.read) / u128::from(self.rows.max(1));
        u64::try_from(share).map_or(self.size, |share| share.min(self.size))
    }

    /// BLAKE3 of the file as it is now, once all of it was read.
    pub(super) fn digest(&self) -> Option<blake3::Hash> {
        if !self.is_done {
            return None;
        }
        let mut hasher = blake3::Hasher::new();
        let file = File::open(&self.path).ok()?;
        hasher.update_reader(file).ok()?;
        Some(hasher.finalize())
    }
}

fn refused(path: &Path, row: u64, rule: ParquetRule) -> IngestError {
    IngestError::Parquet {
        file: path.display().to_string(),
        row,
        rule,
    }
}

#[cfg(test)]
mod test;
