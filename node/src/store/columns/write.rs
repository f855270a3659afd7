//! Writing column files. Memory holds one batch; the file's digest is taken on the way.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{
    ArrayRef, FixedSizeBinaryArray, RecordBatch, UInt8Array, UInt16Array, UInt32Array,
};
use arrow_buffer::Buffer;
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, Schema};

use super::shape::{BATCH_ROWS, Shape, Width, ranks_schema};
use super::{ColumnsError, name_of};

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

    fn into_batch(self, schema: &Arc<Schema>) -> Result<RecordBatch, ArrowError> {
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
