//! One pass over dictionary codes into dense accumulators. What comes out is exact and never
//! leaves this process: only [`crate::noise`] takes it, by value.

mod rows;
mod ready;
mod scale;
mod program;
mod select;
mod fill;
mod runs;
mod kernel;
mod centred;
pub mod pushed;

pub use ready::Ready;
pub use rows::{Codes, Rows};

use policies::plan::Layout;
use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::id::Slug;

use crate::engine::EngineError;

/// Exact cells of every block of a layout; `None` where the source lacks the field.
///
/// It cannot be serialized, copied or printed.
///
/// ```compile_fail
/// fn leaves<T: serde::Serialize>() {}
/// leaves::<node::scan::Exact>();
/// ```
pub struct Exact {
    question: Digest,
    blocks: Vec<Option<Vec<i64>>>,
}

impl std::fmt::Debug for Exact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Exact(hidden)")
    }
}

impl Exact {
    /// Digest of the question that was scanned for.
    pub fn question(&self) -> Digest {
        self.question
    }

    /// The same cells on the grid of a pooled round.
    pub(crate) fn scaled(question: Digest, blocks: Vec<Option<Vec<i64>>>) -> Self {
        Self { question, blocks }
    }

    /// Hands the cells over, for the noise and for the hospital's own pages.
    pub fn into_blocks(self) -> Vec<Option<Vec<i64>>> {
        self.blocks
    }
}

/// Why a scan does not run. None of these depends on patients' values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// More rows than the dictionary says a hospital can hold.
    #[error("more rows than the dictionary's max_rows")]
    TooManyRows,
    /// The layout was compiled for other columns than the stored ones.
    #[error("column `{0}` is missing from the stored month")]
    Column(Slug),
    /// The layout does not fit the dictionary.
    #[error("the layout does not fit the dictionary")]
    Layout,
    /// A worker ended early.
    #[error("a worker of the scan ended early")]
    Worker,
    /// The hospital's engine did not serve.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Runs a layout over the rows of a snapshot with so many threads.
pub fn run(
    layout: &Layout,
    dictionary: &Dictionary,
    rows: &[Rows],
    threads: usize,
) -> Result<Exact, ScanError> {
    let total: u64 = rows
        .iter()
        .map(|rows| u64::try_from(rows.len()).unwrap_or(u64::MAX))
        .sum();
    if total > dictionary.max_rows {
        return Err(ScanError::TooManyRows);
    }
    let of_dataset = dictionary.of(layout.dataset).ok_or(ScanError::Layout)?;
    let program = program::Program::new(layout, &of_dataset)?;
    let blocks = kernel::run(&program, rows, threads.max(1))?;
    let blocks = centred::centred(layout, &blocks).ok_or(ScanError::Layout)?;
    Ok(Exact {
        question: layout.question,
        blocks,
    })
}
