//! Checkpoints (C2SP tlog-checkpoint): the size and root of a log as a signed note, and the quorum
//! of witnesses without which nobody believes one.
//!
//! The note's text is three lines: origin, size in canonical decimal, root in base64. The extension
//! lines that the specification allows and advises against are refused: what a log has to say
//! stands in its leaves, where it can be proven.

#[cfg(test)]
mod test;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use schemas::digest::Digest;
use schemas::id::Slug;

use crate::note::{Key, Kind, Note, NoteError};
use crate::tree::{self, TreeError};

/// What a log says of itself at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// The log's name, which is also its key's, such as `alliance/H0001/settlements`.
    pub origin: String,
    /// Number of leaves, at most [`tree::MAX_SIZE`].
    pub size: u64,
    /// Root over them.
    pub root: Digest,
}

/// A key and whose it is. Keys of one organisation count once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// The organisation that answers for the key.
    pub organisation: Slug,
    /// The key.
    pub key: Key,
}

/// A checkpoint with the witnesses that vouch for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Witnessed {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// Each witnessing organisation and when it last cosigned, in seconds since 1970.
    pub witnesses: BTreeMap<Slug, u64>,
}

/// Why a checkpoint is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not three lines of the right form.
    #[error("a checkpoint is three lines: origin, size, root in base64")]
    Form,
    /// Of another log than expected.
    #[error("the checkpoint belongs to another log")]
    Origin,
    /// The note or one of its signatures.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Not signed by the log itself.
    #[error("the log's own signature is missing")]
    NotByLog,
    /// Too few organisations.
    #[error("cosigned by {found} organisations other than the log's, {needed} are needed: wait")]
    Quorum {
        /// Organisations that cosigned.
        found: usize,
        /// Organisations asked for.
        needed: usize,
    },
    /// The log does not continue what was seen before.
    #[error("the log does not continue what was seen before: {0}; keep both and report them")]
    Continues(#[from] TreeError),
}

impl Checkpoint {
    /// The note's text.
    pub fn text(&self) -> String {
        let root = BASE64.encode(self.root.as_bytes());
        format!("{}\n{}\n{root}\n", self.origin, self.size)
    }

    /// Reads a note's text; one checkpoint has one text.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.split('\n');
        let mut line = || lines.next().ok_or(CheckpointError::Form);
        let (origin, size, root) = (line()?, line()?, line()?);
        let root = BASE64.decode(root).map_err(|_| CheckpointError::Form)?;
        let checkpoint = Self {
            origin: origin.to_owned(),
            size: size.parse().map_err(|_| CheckpointError::Form)?,
            root: Digest::from_bytes(root.try_into().map_err(|_| CheckpointError::Form)?),
        };
        let sound = !origin.is_empty() && checkpoint.size <= tree::MAX_SIZE;
        if sound && checkpoint.text() == text {
            Ok(checkpoint)
        } else {
            Err(CheckpointError::Form)
        }
    }

    /// Whether this checkpoint continues an earlier one of the same log: what a witness checks
    /// before it cosigns, against the last checkpoint that it cosigned.
    pub fn check_follows(&self, last: &Self, proof: &[Digest]) -> Result<(), CheckpointError> {
        if self.origin != last.origin {
            return Err(CheckpointError::Origin);
        }
        let (old, new) = ((last.size, &last.root), (self.size, &self.root));
        Ok(tree::verify_consistency(old, new, proof)?)
    }
}

/// Believes a checkpoint: signed by the log, whose key bears the origin as its name, and cosigned
/// by witnesses of at least `quorum` organisations other than the log's own. A wrong line of any
/// known key refuses it. Whether the times are recent enough is for who has a clock.
pub fn accept(
    note: &Note,
    log: &Member,
    witnesses: &[Member],
    quorum: usize,
) -> Result<Witnessed, CheckpointError> {
    let known = std::iter::once(log).chain(witnesses);
    let keys: Vec<Key> = known.map(|member| member.key.clone()).collect();
    let verified = note.verify(&keys)?;
    if log.key.kind() != Kind::Text || !verified.iter().any(|line| *line.key == log.key) {
        return Err(CheckpointError::NotByLog);
    }
    let checkpoint = Checkpoint::parse(note.text())?;
    if checkpoint.origin != log.key.name() {
        return Err(CheckpointError::Origin);
    }
    let mut organisations: BTreeMap<Slug, u64> = BTreeMap::new();
    for line in &verified {
        let Some(time) = line.time else { continue };
        // A key counts for the organisation that it is listed for first.
        let Some(witness) = witnesses.iter().find(|member| member.key == *line.key) else {
            continue;
        };
        if witness.organisation != log.organisation {
            let entry = organisations.entry(witness.organisation.clone());
            let latest = entry.or_insert(time);
            *latest = time.max(*latest);
        }
    }
    if organisations.len() < quorum {
        return Err(CheckpointError::Quorum {
            found: organisations.len(),
            needed: quorum,
        });
    }
    Ok(Witnessed {
        checkpoint,
        witnesses: organisations,
    })
}
