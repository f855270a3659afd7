//! The node's log for third parties: a Merkle tree over its entries, checkpoints that others
//! cosign, and what the node itself cosigns of others.
//!
//! The coordinator relays and can withhold; it cannot change a log, forge a checkpoint, or make
//! this node cosign two histories of one log.

mod export;
mod fsck;
mod keeper;
mod leaves;
mod prove;
mod rollback;
#[cfg(test)]
mod test;
mod witness;

pub use export::export;
pub use fsck::{FsckError, Tally, chain, fsck};
pub use keeper::{Keeper, Standing};
pub use leaves::Leaves;
pub use prove::{entry_about, prove};
pub use rollback::{Lost, burned, lost};
pub use witness::{cosign, known, sent, unsent};

use proofs::checkpoint::CheckpointError;
use proofs::note::NoteError;
use proofs::tree::TreeError;

use crate::store::state::StateError;

/// Why the log could not be read, signed or witnessed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The state file failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// The stored log is not the one that was written.
    #[error("log entry {entry} is damaged: run `consilium-node log fsck`")]
    Damaged {
        /// Which.
        entry: i64,
    },
    /// The tree and what is asked of it do not fit.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A note is refused.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A checkpoint is refused.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A file could not be written or read.
    #[error("`{path}` could not be written or read")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

impl From<sqlx::Error> for LogError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(StateError::Database(error))
    }
}

fn whole(size: u64) -> Result<i64, LogError> {
    i64::try_from(size).map_err(|_| LogError::Tree(TreeError::TooLarge))
}
