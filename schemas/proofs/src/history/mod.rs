//! A published log, judged from its files alone: entries, checkpoints with cosignatures, keys.
//!
//! Each way of changing history has a name. What the chain of entries shows names the entry; what
//! only checkpoints show names the two between which history was changed. The same rules stand a
//! second time, written independently, in `tests/vectors/verify_log.py`.

mod chain;
mod keys;
mod receipt;
#[cfg(test)]
mod test;

pub use chain::{Chain, lines};
pub use keys::Keys;
pub use receipt::{Receipt, ReceiptError};

use std::collections::BTreeMap;

use schemas::digest::Digest;
use schemas::id::Slug;

use crate::checkpoint::{self, Checkpoint, CheckpointError};
use crate::note::Note;

/// Organisations other than the log's own that must have cosigned a checkpoint.
pub const QUORUM: usize = 2;

/// A checkpoint as it was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// Name of its file.
    pub name: String,
    /// Published with the log; else somebody else kept it.
    pub own: bool,
    /// The signed note.
    pub bytes: Vec<u8>,
}

/// What is known of a log from outside.
#[derive(Clone, Copy, Debug)]
pub struct Published<'a> {
    /// Canonical entries, one a line.
    pub entries: &'a [u8],
    /// Checkpoints, in the order of their names, the log's own first.
    pub notes: &'a [Shown],
    /// Keys: [`Keys::parse`].
    pub keys: &'a str,
}

/// A log in which no fault was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sound {
    /// Number of entries.
    pub entries: u64,
    /// Digest of the last entry.
    pub head: Digest,
    /// Root of all entries.
    pub root: Digest,
    /// Size of the newest checkpoint that [`QUORUM`] other organisations cosigned, and they.
    pub witnessed: Option<(u64, Vec<Slug>)>,
}

/// The first fault of a published log. Numbers are of entries, from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The keys cannot be read.
    #[error("the file of keys is refused: one `log` line and `witness` lines are expected")]
    Keys,
    /// An entry is not canonical, or its digest is not the one that the next entry names.
    #[error("edited: entry {entry} is not as it was written")]
    Edited {
        /// Which.
        entry: u64,
    },
    /// An entry is missing between others.
    #[error("deleted: entry {entry} is missing")]
    Deleted {
        /// Which.
        entry: u64,
    },
    /// An entry stands at another place.
    #[error("reordered: entry {entry} stands elsewhere")]
    Reordered {
        /// Which.
        entry: u64,
    },
    /// Something stands where this entry should, and the entry itself is gone or doubled.
    #[error("inserted: where entry {entry} should stand, an earlier number stands again")]
    Inserted {
        /// Which.
        entry: u64,
    },
    /// A checkpoint is not one, or not signed by the log, or a known cosignature is wrong.
    #[error("checkpoint `{name}` is refused: {fault}")]
    Checkpoint {
        /// Name of its file.
        name: String,
        /// Why.
        fault: CheckpointError,
    },
    /// The log signed two histories.
    #[error("forked: the log signed two histories, one at size {first} and another at {second}")]
    Forked {
        /// Size of the checkpoint that is not of these entries.
        first: u64,
        /// Size of the one that contradicts it.
        second: u64,
    },
    /// The last entries are missing: the log's own checkpoint counts more.
    #[error("truncated: {entries} entries are left of {checkpoint}")]
    Truncated {
        /// Entries that are there.
        entries: u64,
        /// Entries that the checkpoint counts.
        checkpoint: u64,
    },
    /// An old backup: others have seen more than the log now knows of, or entries were written
    /// after others had seen other entries of the same numbers.
    #[error("replayed: an old backup; what others saw between {from} and {to} is gone")]
    Replayed {
        /// The last size that still agrees.
        from: u64,
        /// The first that does not.
        to: u64,
    },
    /// The chain is whole but not the one that was signed.
    #[error("rewritten: history was changed between the checkpoints at {from} and {to}")]
    Rewritten {
        /// The last checkpoint that agrees; 0 for none.
        from: u64,
        /// The first that does not.
        to: u64,
    },
}

/// A checkpoint that its log has signed.
struct Seen {
    checkpoint: Checkpoint,
    own: bool,
    witnesses: BTreeMap<Slug, u64>,
}

/// Judges a published log.
pub fn verify(published: &Published<'_>) -> Result<Sound, Fault> {
    let keys = Keys::parse(published.keys)?;
    let chain = Chain::read(published.entries)?;
    let seen = signed(published.notes, &keys)?;
    one_root_a_size(&seen)?;
    continued(&chain, &seen)?;
    let enough = |seen: &&Seen| seen.witnesses.len() >= QUORUM;
    let newest = seen.iter().rfind(enough);
    let by = |seen: &Seen| {
        (
            seen.checkpoint.size,
            seen.witnesses.keys().cloned().collect(),
        )
    };
    Ok(Sound {
        entries: chain.size(),
        head: chain.head(),
        root: chain.root_at(chain.size()).unwrap_or(Digest::ZERO),
        witnessed: newest.map(by),
    })
}

/// The checkpoints by size, each signed by the log.
fn signed(notes: &[Shown], keys: &Keys) -> Result<Vec<Seen>, Fault> {
    let mut seen = Vec::new();
    for shown in notes {
        let refused = |fault| Fault::Checkpoint {
            name: shown.name.clone(),
            fault,
        };
        let note = Note::parse(&shown.bytes).map_err(|fault| refused(fault.into()))?;
        // Whether there are enough witnesses is asked afterwards.
        let accepted = checkpoint::accept(&note, &keys.log, &keys.witnesses, 0);
        let accepted = accepted.map_err(refused)?;
        seen.push(Seen {
            checkpoint: accepted.checkpoint,
            own: shown.own,
            witnesses: accepted.witnesses,
        });
    }
    seen.sort_by_key(|seen| seen.checkpoint.size);
    Ok(seen)
}

fn one_root_a_size(seen: &[Seen]) -> Result<(), Fault> {
    for (one, next) in seen.iter().zip(seen.iter().skip(1)) {
        let (one, next) = (&one.checkpoint, &next.checkpoint);
        if one.size == next.size && one.root != next.root {
            return Err(Fault::Forked {
                first: one.size,
                second: next.size,
            });
        }
    }
    Ok(())
}

/// Whether the entries are those that the checkpoints count.
fn continued(chain: &Chain, seen: &[Seen]) -> Result<(), Fault> {
    let size = |seen: &Seen| seen.checkpoint.size;
    let agrees = |seen: &&Seen| chain.root_at(seen.checkpoint.size) == Some(seen.checkpoint.root);
    let (held, beyond): (Vec<&Seen>, Vec<&Seen>) =
        seen.iter().partition(|seen| size(seen) <= chain.size());
    if let Some(broken) = held.iter().find(|seen| !agrees(seen)) {
        let to = size(broken);
        let agreeing = || {
            held.iter()
                .filter(|seen| agrees(seen))
                .map(|seen| size(seen))
        };
        let from = agreeing().filter(|size| *size < to).max().unwrap_or(0);
        if let Some(later) = agreeing().find(|size| *size > to) {
            return Err(Fault::Forked {
                first: to,
                second: later,
            });
        }
        let at_size = held.iter().filter(|seen| size(seen) == to);
        let saw = at_size.flat_map(|seen| seen.witnesses.values()).min();
        let late = saw.is_some_and(|saw| chain.written_after(from, to, *saw));
        return Err(if late {
            Fault::Replayed { from, to }
        } else {
            Fault::Rewritten { from, to }
        });
    }
    if let Some(own) = beyond.iter().find(|seen| seen.own) {
        return Err(Fault::Truncated {
            entries: chain.size(),
            checkpoint: size(own),
        });
    }
    match beyond.first() {
        None => Ok(()),
        Some(first) => Err(Fault::Replayed {
            from: chain.size(),
            to: size(first),
        }),
    }
}
