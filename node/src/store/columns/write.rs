//! Writing column files. Memory holds one batch; the file's digest is taken on the way.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, UInt8Array};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, Schema};

use super::rows::Rows;
use super::shape::{BATCH_ROWS, Shape, ranks_schema};
use super::{ColumnsError, name_of};

/// A file that is hashed as it is written.
struct Hashed {
    file: File,
    hasher: blake3::Hasher,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

struct ArrowFile {
    path: PathBuf,
    writer: FileWriter<BufWriter<Hashed>>,
}

impl ArrowFile {
    fn create(path: PathBuf, schema: &Schema) -> Result<Self, ColumnsError> {
        let file = File::create_new(&path).map_err(ColumnsError::io(&path))?;
        let hashed = Hashed {
            file,
            hasher: blake3::Hasher::new(),
        };
        let buffered = BufWriter::with_capacity(1 << 20, hashed);
        let writer = FileWriter::try_new(buffered, schema).map_err(refused(&path))?;
        Ok(Self { path, writer })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), ColumnsError> {
        self.writer.write(batch).map_err(refused(&self.path))
    }

    /// Ends the file, brings it to the disk and gives its digest.
    fn finish(mut self) -> Result<String, ColumnsError> {
        self.writer.finish().map_err(refused(&self.path))?;
        let buffered = self.writer.into_inner().map_err(refused(&self.path))?;
        let hashed = buffered
            .into_inner()
            .map_err(|error| ColumnsError::io(&self.path)(error.into_error()))?;
        hashed
            .file
            .sync_all()
            .map_err(ColumnsError::io(&self.path))?;
        Ok(hashed.hasher.finalize().to_hex().to_string())
    }
}

fn refused(path: &Path) -> impl FnOnce(ArrowError) -> ColumnsError + '_ {
    |error| match error {
        ArrowError::IoError(_, source) => ColumnsError::Io {
            name: name_of(path),
            source,
        },
        _ => ColumnsError::damaged(path, "its columns fit its schema"),
    }
}

/// Writes the data file of one month.
pub struct MonthWriter {
    schema: Arc<Schema>,
    file: ArrowFile,
}

impl std::fmt::Debug for MonthWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MonthWriter({})", name_of(&self.file.path))
    }
}

impl MonthWriter {
    /// Begins a new file; refuses to replace one.
    pub fn create(path: PathBuf, shape: &Shape) -> Result<Self, ColumnsError> {
        let schema = shape.schema();
        let file = ArrowFile::create(path, &schema)?;
        Ok(Self { schema, file })
    }

    /// Writes a batch. Every batch but the last must be full.
    pub fn write(&mut self, rows: Rows) -> Result<(), ColumnsError> {
        let batch = rows
            .into_batch(&self.schema)
            .map_err(refused(&self.file.path))?;
        self.file.write(&batch)
    }

    /// Ends the file and brings it to the disk; gives its digest.
    pub fn finish(self) -> Result<String, ColumnsError> {
        self.file.finish()
    }
}

/// The ranks of one row: what a contribution bound filters by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ranks {
    /// Of its case group among the patient-year's groups.
    pub group: u8,
    /// Of the stay among that patient's stays in the group.
    pub stay: u8,
    /// Of its month among the patient's months; 255 if another stay stands for the month.
    pub series: u8,
}

/// Writes the ranks file of one month in the order of its rows; gives its digest.
pub fn write_ranks(path: PathBuf, ranks: &[Ranks]) -> Result<String, ColumnsError> {
    let schema = ranks_schema();
    let mut file = ArrowFile::create(path, &schema)?;
    for chunk in ranks.chunks(BATCH_ROWS) {
        let column = |of: fn(&Ranks) -> u8| -> ArrayRef {
            Arc::new(UInt8Array::from_iter_values(chunk.iter().map(of)))
        };
        let columns = vec![
            column(|ranks| ranks.group),
            column(|ranks| ranks.stay),
            column(|ranks| ranks.series),
        ];
        let batch =
            RecordBatch::try_new(Arc::clone(&schema), columns).map_err(refused(&file.path))?;
        file.write(&batch)?;
    }
    file.finish()
}
