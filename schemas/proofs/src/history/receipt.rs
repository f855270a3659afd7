//! The proof that one entry stands in a log: what somebody keeps who may have to show later that
//! it was written.

use schemas::canonical;
use schemas::digest::Digest;
use schemas::entry::Entry;
use serde::{Deserialize, Serialize};

use super::Keys;
use crate::checkpoint::{self, CheckpointError, Witnessed};
use crate::note::{Note, NoteError};
use crate::tree::{self, TreeError};

/// An entry, a witnessed checkpoint and the path between them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The entry.
    pub entry: Entry,
    /// Inclusion proof (RFC 6962 §2.1.1).
    pub path: Vec<Digest>,
    /// The checkpoint, a signed note with its cosignatures.
    pub checkpoint: String,
}

/// Why a receipt proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// The checkpoint is not a signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The checkpoint is not believed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The entry has no canonical form.
    #[error("the entry has no canonical form")]
    Entry(#[from] canonical::Error),
    /// Of another organisation's log.
    #[error("the receipt is of another log than this hospital's own")]
    OtherLog,
    /// Of an entry that says something else.
    #[error("the receipt proves another entry than the close of this batch")]
    OtherEntry,
    /// The entry does not stand in the log.
    #[error("the entry does not stand in the log at this checkpoint: {0}")]
    Path(#[from] TreeError),
}

impl Receipt {
    /// Checks that the entry stands in the log of `keys`, at a checkpoint that so many other
    /// organisations cosigned.
    pub fn verify(&self, keys: &Keys, quorum: usize) -> Result<Witnessed, ReceiptError> {
        let note = Note::parse(self.checkpoint.as_bytes())?;
        let witnessed = checkpoint::accept(&note, &keys.log, &keys.witnesses, quorum)?;
        let leaf = tree::leaf_hash(&canonical::to_bytes(&self.entry)?);
        let index = self.entry.sequence.checked_sub(1);
        let index = index.ok_or(TreeError::NoSuchLeaf)?;
        let (size, root) = (witnessed.checkpoint.size, &witnessed.checkpoint.root);
        tree::verify_inclusion(leaf, index, size, &self.path, root)?;
        Ok(witnessed)
    }
}
