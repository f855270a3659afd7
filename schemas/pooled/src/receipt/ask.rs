//! What a subject asks, and what a witness answers: the newest checkpoint of the subject's log that
//! it knows, which it gives up for a newer one only if a proof shows that the log was continued.

use proofs::checkpoint::Checkpoint;
use proofs::note::Note;
use proofs::tree::Log;
use proofs::witness::{generation, log_key};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{Message, PublicKey, Sealed};
use schemas::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::ReceiptError;
use crate::key_list::KeyList;
use crate::wire;

/// Most links of one ask.
pub const MAX_LINKS: usize = 16;
/// Longest checkpoint with its signature, in bytes.
const MAX_NOTE: usize = 2 * 1024;

/// That the log of the ask continues what it was at an earlier size.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The earlier size.
    pub size: u64,
    /// Consistency proof from there to the checkpoint of the ask.
    pub proof: Vec<Digest>,
}

/// What a subject asks of all seats: to keep this checkpoint of its log, and to say what they know.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The alliance.
    pub alliance: Slug,
    /// Who asks about its own log.
    pub subject: Slug,
    /// 32 random bytes, fresh for each ask.
    pub nonce: Digest,
    /// The log as it is: a checkpoint, signed by the subject.
    pub checkpoint: String,
    /// From sizes that seats may know.
    pub links: Vec<Link>,
    /// When.
    pub at: Timestamp,
}

impl Message for Asked {
    const TAG: &'static str = "cams-receipt-ask-v1";
}

/// A checkpoint of a subject's log, signed by the subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// How often the subject's log was given up after a rollback, and 1.
    pub generation: u32,
    /// Size and root.
    pub checkpoint: Checkpoint,
    /// As signed, without the signatures of others.
    pub note: String,
}

impl Seen {
    /// Reads a checkpoint that the subject signed.
    pub fn read(
        alliance: &Slug,
        subject: &Slug,
        key: PublicKey,
        note: &str,
    ) -> Result<Self, ReceiptError> {
        let wrong = || ReceiptError::Checkpoint;
        let note = Note::parse(note.as_bytes()).map_err(|_| wrong())?;
        let checkpoint = Checkpoint::parse(note.text()).map_err(|_| wrong())?;
        let generation = generation(alliance, subject, &checkpoint.origin).ok_or_else(wrong)?;
        let log = log_key(subject, &checkpoint.origin, key).map_err(|_| wrong())?;
        let own = note.of_keys(std::slice::from_ref(&log.key));
        let signed = own.verify(std::slice::from_ref(&log.key));
        let note = own.to_string();
        if signed.is_err() || note.len() > MAX_NOTE {
            return Err(wrong());
        }
        Ok(Self {
            generation,
            checkpoint,
            note,
        })
    }

    /// By which of two the log had got further.
    fn place(&self) -> (u32, u64) {
        (self.generation, self.checkpoint.size)
    }
}

/// What a witness says, and whether it keeps the checkpoint of the ask.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The checkpoint that the receipt is about.
    pub told: Seen,
    /// Whether the asked one takes the place of what the witness held by earlier asks.
    pub keep: bool,
}

impl Asked {
    /// Longest ask, in bytes.
    pub const MAX_BYTES: usize = 128 * 1024;

    /// Reads an ask; nothing in it is believed yet.
    pub fn parse(bytes: &[u8]) -> Result<Sealed<Self>, wire::WireError> {
        wire::read(bytes, Self::MAX_BYTES)
    }

    /// Opens an ask of a member of the list.
    pub fn open(sealed: &Sealed<Self>, list: &KeyList) -> Result<(Self, Seen), ReceiptError> {
        let claimed = sealed.claimed_key();
        let mut members = list.members.iter();
        let subject = members.find(|member| member.key.fingerprint() == claimed);
        let subject = subject.ok_or(ReceiptError::Stranger)?;
        let asked = sealed
            .open(&subject.key)
            .map_err(|_| ReceiptError::Stranger)?;
        let named = (&asked.alliance, &asked.subject) == (&list.alliance, &subject.id);
        if !named || asked.links.len() > MAX_LINKS {
            return Err(ReceiptError::Stranger);
        }
        let seen = Seen::read(&list.alliance, &subject.id, subject.key, &asked.checkpoint)?;
        Ok((asked, seen))
    }

    /// What a witness answers that knows these checkpoints of the subject: each of them stands until
    /// a link leads from it to the asked one, so that a log that was put back and grew again does not
    /// make it forget. Of those that stand the shortest is told first.
    pub fn answer(&self, asked: Seen, known: &[Seen]) -> Answer {
        let newest = known.iter().max_by_key(|seen| seen.place());
        if let Some(later) = newest.filter(|seen| seen.generation > asked.generation) {
            let (told, keep) = (later.clone(), false);
            return Answer { told, keep };
        }
        let same = known
            .iter()
            .filter(|seen| seen.generation == asked.generation);
        let mut standing: Vec<&Seen> = same.filter(|seen| !self.leads(&asked, seen)).collect();
        standing.sort_by_key(|seen| seen.place());
        // What stands is never overwritten: a log that was put back and asks twice would be believed.
        let keep = standing.is_empty();
        let told = standing.first().map_or(asked, |seen| (*seen).clone());
        Answer { told, keep }
    }

    /// Whether the asked log continues what was seen.
    fn leads(&self, asked: &Seen, seen: &Seen) -> bool {
        let (new, old) = (&asked.checkpoint, &seen.checkpoint);
        new == old
            || self
                .links
                .iter()
                .any(|link| link.size == old.size && new.check_follows(old, &link.proof).is_ok())
    }
}

/// Links from these sizes to a size of the log; sizes that it never had are left out.
pub fn links(tree: &Log, to: u64, sizes: impl IntoIterator<Item = u64>) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    for size in sizes {
        let new = size > 0 && size < to && links.iter().all(|link| link.size != size);
        if let Ok(proof) = tree.consistency(size, to)
            && new
            && links.len() < MAX_LINKS
        {
            links.push(Link { size, proof });
        }
    }
    links
}
