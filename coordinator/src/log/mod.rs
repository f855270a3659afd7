//! Logs for third parties: the coordinator's own as a Merkle tree with checkpoints, and what it has
//! seen of the members' logs as their first witness and relay.
//!
//! One table holds the newest checkpoint of every log with the proof from the one before, so that a
//! member that was away can follow step by step.

mod export;
mod fsck;
mod leaves;
mod own;
mod people;
mod relay;
mod witness;

pub use export::export;
pub use fsck::{FsckError, Tally, chain, fsck};
pub use leaves::Leaves;
pub use own::{advance, keys, witnessed};
pub use people::at_start;
pub use relay::{cosigned, exchange};
pub use witness::{Add, add};

use proofs::checkpoint::CheckpointError;
use proofs::note::NoteError;
use proofs::tree::TreeError;
use proofs::witness::{COORDINATOR, Refusal};
use schemas::id::{NotASlug, Slug};

use crate::store::state::StateError;

/// Why a log could not be read, signed or witnessed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The state file failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// The stored log is not the one that was written.
    #[error("log entry {entry} is damaged: run `consilium-coordinator log fsck`")]
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
    /// A request to cosign is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A log that this member does not keep, or that nobody keeps.
    #[error("no such log")]
    NoSuchLog,
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

impl From<NotASlug> for LogError {
    fn from(_: NotASlug) -> Self {
        Self::State(StateError::Name)
    }
}

/// The coordinator as an organisation.
fn coordinator() -> Result<Slug, LogError> {
    Ok(COORDINATOR.parse()?)
}

fn whole(size: u64) -> Result<i64, LogError> {
    i64::try_from(size).map_err(|_| LogError::Tree(TreeError::TooLarge))
}
