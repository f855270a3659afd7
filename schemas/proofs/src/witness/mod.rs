//! What a witness does (C2SP tlog-witness): it remembers the last checkpoint of a log that it
//! cosigned, and cosigns another one only if a proof shows that the log was continued, not changed.
//!
//! Judging is pure. Whoever calls it stores the new checkpoint in the transaction in which the
//! cosignature is made, so that a crash cannot make a witness sign two histories.

#[cfg(test)]
mod test;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::PublicKey;
use schemas::witness::Step;

use crate::checkpoint::{Checkpoint, CheckpointError, Member};
use crate::note::{Key, Kind, Note, NoteError};
use crate::tree::{self, TreeError};

/// The organisation under which the coordinator keeps its own log and cosigns others.
pub const COORDINATOR: &str = "coordinator";

/// Name of an organisation's log. Generation 1 has no number; a log that was burned after a
/// rollback goes on under the next one.
pub fn origin(alliance: &Slug, organisation: &Slug, generation: u32) -> String {
    match generation {
        0 | 1 => format!("{alliance}/{organisation}/log"),
        later => format!("{alliance}/{organisation}/log.{later}"),
    }
}

/// The generation that a log's name tells; `None` if it is not this organisation's log.
pub fn generation(alliance: &Slug, organisation: &Slug, name: &str) -> Option<u32> {
    let first = origin(alliance, organisation, 1);
    let generation = match name.strip_prefix(&first)? {
        "" => 1,
        later => later.strip_prefix('.')?.parse().ok()?,
    };
    (origin(alliance, organisation, generation) == name).then_some(generation)
}

/// The key that signs an organisation's log: its message key, under the log's name.
pub fn log_key(organisation: &Slug, origin: &str, public: PublicKey) -> Result<Member, NoteError> {
    Ok(Member {
        organisation: organisation.clone(),
        key: Key::new(origin, Kind::Text, public)?,
    })
}

/// Name of the key with which an organisation cosigns.
pub fn witness_name(alliance: &Slug, organisation: &Slug) -> String {
    format!("{alliance}/{organisation}/witness")
}

/// The key with which an organisation cosigns: its message key, of the cosigning kind.
pub fn witness_key(
    alliance: &Slug,
    organisation: &Slug,
    public: PublicKey,
) -> Result<Member, NoteError> {
    let name = witness_name(alliance, organisation);
    Ok(Member {
        organisation: organisation.clone(),
        key: Key::new(&name, Kind::Cosignature, public)?,
    })
}

/// A request to cosign: `old` size, consistency proof from there, a checkpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Size of the last checkpoint that the witness cosigned, as the log believes.
    pub old: u64,
    /// Consistency proof.
    pub proof: Vec<Digest>,
    /// The new checkpoint, signed by its log.
    pub note: Note,
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not of the form of C2SP tlog-witness.
    #[error("not `old SIZE`, at most 63 hashes, an empty line and a checkpoint")]
    Form,
    /// Not signed by the log that it names.
    #[error("the checkpoint is not signed by its log")]
    Unsigned,
    /// The older size is the larger one.
    #[error("the old size is larger than the checkpoint's")]
    Sizes,
    /// The witness stands at another size: ask again from there.
    #[error("the witness has cosigned size {known}: prove from there")]
    Stale {
        /// What it cosigned last.
        known: u64,
    },
    /// The same size with another root: two histories, both signed by the log.
    #[error("the witness has cosigned another log of size {known}: keep both checkpoints")]
    Forked {
        /// That size.
        known: u64,
    },
    /// The proof does not hold.
    #[error("the log does not continue what the witness cosigned: {0}")]
    Proof(TreeError),
}

impl Refusal {
    /// The HTTP status that C2SP tlog-witness asks for.
    pub fn status(self) -> u16 {
        match self {
            Self::Form | Self::Sizes => 400,
            Self::Unsigned => 403,
            Self::Stale { .. } | Self::Forked { .. } => 409,
            Self::Proof(_) => 422,
        }
    }

    /// Whether the log signed something that does not continue what it signed before.
    pub fn is_fork(self) -> bool {
        matches!(self, Self::Forked { .. } | Self::Proof(_))
    }
}

impl Request {
    /// Reads a request as sent.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(bytes).map_err(|_| Refusal::Form)?;
        let (head, note) = text.split_once("\n\n").ok_or(Refusal::Form)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old "));
        let old: u64 = old.and_then(|old| old.parse().ok()).ok_or(Refusal::Form)?;
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() == tree::MAX_PROOF {
                return Err(Refusal::Form);
            }
            let bytes = BASE64.decode(line).map_err(|_| Refusal::Form)?;
            let bytes = bytes.try_into().map_err(|_| Refusal::Form)?;
            proof.push(Digest::from_bytes(bytes));
        }
        let note = Note::parse(note.as_bytes()).map_err(|_| Refusal::Form)?;
        let request = Self { old, proof, note };
        // One request has one text: no leading zeros, no other base64.
        if request.to_string() == text {
            Ok(request)
        } else {
            Err(Refusal::Form)
        }
    }

    /// The same request out of a relayed step.
    pub fn of(step: &Step) -> Result<Self, Refusal> {
        if step.proof.len() > tree::MAX_PROOF {
            return Err(Refusal::Form);
        }
        Ok(Self {
            old: step.old,
            proof: step.proof.clone(),
            note: Note::parse(step.note.as_bytes()).map_err(|_| Refusal::Form)?,
        })
    }
}

/// As it is sent.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        for hash in &self.proof {
            writeln!(f, "{}", BASE64.encode(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.note)
    }
}

/// Judges a request against the last checkpoint of this log that was cosigned; gives the
/// checkpoint to remember and to cosign.
pub fn judge(
    log: &Key,
    last: Option<&Checkpoint>,
    request: &Request,
) -> Result<Checkpoint, Refusal> {
    let known = last.map_or(0, |last| last.size);
    let signed = request.note.verify(std::slice::from_ref(log));
    signed.map_err(|_| Refusal::Unsigned)?;
    let checkpoint = Checkpoint::parse(request.note.text()).map_err(|_| Refusal::Form)?;
    if checkpoint.origin != log.name() {
        return Err(Refusal::Unsigned);
    }
    if request.old > checkpoint.size {
        return Err(Refusal::Sizes);
    }
    if request.old != known {
        return Err(Refusal::Stale { known });
    }
    let nothing = Checkpoint {
        origin: checkpoint.origin.clone(),
        size: 0,
        root: tree::empty_root(),
    };
    let last = last.unwrap_or(&nothing);
    match checkpoint.check_follows(last, &request.proof) {
        Ok(()) => Ok(checkpoint),
        Err(CheckpointError::Continues(TreeError::Root)) if checkpoint.size == known => {
            Err(Refusal::Forked { known })
        }
        Err(CheckpointError::Continues(fault)) => Err(Refusal::Proof(fault)),
        Err(_) => Err(Refusal::Form),
    }
}
