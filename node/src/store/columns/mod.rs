//! De-identified rows in fixed-width columns: one file a month and load, Arrow IPC, uncompressed,
//! memory-mapped. Beside it a file of ranks with the same batches, so that a contribution bound is
//! a filter.

mod map;
mod read;
mod rows;
mod shape;
mod write;

pub use map::map;
pub use read::{Batch, Codes, MonthColumns, WithRanks, open};
pub use rows::Rows;
pub use shape::{BATCH_ROWS, Shape, Width, is_stored};
pub use write::{MonthWriter, Ranks, write_ranks};

use std::path::{Path, PathBuf};

use schemas::time::Month;

/// Column files could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ColumnsError {
    /// The file system refused.
    #[error("column file `{name}` could not be read or written")]
    Io {
        /// File name.
        name: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not a column file of ours, or damaged.
    #[error("column file `{name}` is damaged: {rule}")]
    Damaged {
        /// File name.
        name: String,
        /// What must hold.
        rule: &'static str,
    },
}

impl ColumnsError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        |source| Self::Io {
            name: name_of(path),
            source,
        }
    }

    fn damaged(path: &Path, rule: &'static str) -> Self {
        Self::Damaged {
            name: name_of(path),
            rule,
        }
    }
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The folder of all column files below a data folder.
pub fn folder(data: &Path) -> PathBuf {
    data.join("columns")
}

/// The data file of a month in a load's folder.
pub fn data_file(load: &Path, month: Month) -> PathBuf {
    load.join(format!("{month}.arrow"))
}

/// The ranks file of a month in a load's folder.
pub fn ranks_file(load: &Path, month: Month) -> PathBuf {
    load.join(format!("{month}.ranks.arrow"))
}

/// BLAKE3 of a column file, as the state file remembers it; it stays at the node.
pub fn digest(path: &Path) -> Result<String, ColumnsError> {
    let bytes = map(path).map_err(ColumnsError::io(path))?;
    Ok(blake3::hash(&bytes).to_hex().to_string())
}

#[cfg(test)]
mod test;
