//! Receipts against rollback: other seats say how far a node's or member's log had got. One who
//! was put back from an old backup learns it before it works again.
//!
//! A subject asks with a fresh nonce and the newest checkpoint of its log; a seat keeps it and says
//! the newest one that it knows, from earlier asks and from cosigning. What a receipt says beyond the
//! subject's log is proved by the subject's own signature, so no seat can stop anybody by a lie.

mod ask;

pub use ask::{Answer, Asked, Link, MAX_LINKS, Seen, links};

use std::collections::BTreeSet;

use proofs::tree::Log;
use ring::rand::{SecureRandom as _, SystemRandom};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{Message, PublicKey, Sealed};
use schemas::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::key_list::{Committee, KeyList};
use crate::wire;

/// Oldest receipt that counts: 24 hours, in seconds. So long can a rollback go unnoticed.
pub const LONGEST: i64 = 86_400;
/// How far a witness's clock may run ahead, in seconds.
const AHEAD: i64 = 300;

/// How far a log had got, by another seat's word.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The alliance.
    pub alliance: Slug,
    /// Whose log.
    pub subject: Slug,
    /// The 32 random bytes that the subject sent.
    pub nonce: Digest,
    /// Number of the last entry that the witness knows: the checkpoint's size.
    pub sequence: u64,
    /// The tree's root there.
    pub head: Digest,
    /// Who says so.
    pub witness: Slug,
    /// When.
    pub at: Timestamp,
}

impl Message for Receipt {
    const TAG: &'static str = "cams-receipt-v1";
}

/// A receipt with what it is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// The receipt.
    pub receipt: Sealed<Receipt>,
    /// The checkpoint of that size and root, signed by the subject itself.
    pub checkpoint: String,
}

impl Told {
    /// Longest receipt, in bytes.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Reads a receipt; nothing in it is believed yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, wire::WireError> {
        wire::read(bytes, Self::MAX_BYTES)
    }
}

/// What a subject holds receipts against.
#[derive(Clone, Copy, Debug)]
pub struct Local<'l> {
    /// Itself.
    pub subject: &'l Slug,
    /// Its message key.
    pub key: PublicKey,
    /// The nonce that it sent.
    pub nonce: &'l Digest,
    /// Size of its log as it sent it.
    pub asked: u64,
    /// The name under which its log goes on: how often it was given up, and 1.
    pub generation: u32,
    /// Its log.
    pub tree: &'l Log,
}

/// What a receipt is worth.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Worth {
    /// A seat knows the log as far as it was sent: it will not forget that.
    Counts(Slug),
    /// A seat knows an earlier state, which the log continues, and lacks the way from there.
    Earlier(u64),
    /// The subject itself signed a log that this one does not continue: what it signed.
    Lost(Seen),
    /// Not of a seat, not about this nonce, not of now, or without proof.
    Nothing,
}

/// Why a node or member does not work, or an ask is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Too few receipts.
    #[error(
        "{found} fresh receipts by other seats of committee {epoch}, {needed} are needed: asked, \
         waiting for its seats to run"
    )]
    TooFew {
        /// Whose seats.
        epoch: u32,
        /// How many count.
        found: usize,
        /// How many must.
        needed: usize,
    },
    /// Not asked by a member of the list.
    #[error("what asks for receipts is not signed by a member of the key list")]
    Stranger,
    /// Not a checkpoint of the subject's log.
    #[error("the checkpoint is none of the subject's log, signed by the subject")]
    Checkpoint,
    /// The random source gave nothing.
    #[error("the system's random source failed; try again")]
    Random,
}

/// A fresh nonce.
pub fn nonce() -> Result<Digest, ReceiptError> {
    let mut bytes = [0; 32];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| ReceiptError::Random)?;
    Ok(Digest::from_bytes(bytes))
}

/// Holds a receipt against the local log.
pub fn judge(told: &Told, list: &KeyList, local: &Local<'_>, now: Timestamp) -> Worth {
    let claimed = told.receipt.claimed_key();
    let mut seats = list
        .committees
        .iter()
        .flat_map(|committee| &committee.seats)
        .filter_map(|seat| list.member(&seat.member));
    let Some(witness) = seats.find(|seat| seat.key.fingerprint() == claimed) else {
        return Worth::Nothing;
    };
    let Ok(receipt) = told.receipt.open(&witness.key) else {
        return Worth::Nothing;
    };
    let named = (
        &receipt.alliance,
        &receipt.subject,
        &receipt.nonce,
        &receipt.witness,
    );
    let age = now.0.saturating_sub(receipt.at.0);
    let fits = named == (&list.alliance, local.subject, local.nonce, &witness.id)
        && (-AHEAD..=LONGEST).contains(&age);
    let seen = Seen::read(&list.alliance, local.subject, local.key, &told.checkpoint);
    let Some(seen) = seen.ok().filter(|_| fits) else {
        return Worth::Nothing;
    };
    if (seen.checkpoint.size, seen.checkpoint.root) != (receipt.sequence, receipt.head) {
        return Worth::Nothing;
    }
    if seen.generation < local.generation {
        return Worth::Earlier(0);
    }
    let here = local.tree.root_at(receipt.sequence);
    if seen.generation > local.generation || here != Ok(receipt.head) {
        return Worth::Lost(seen);
    }
    if receipt.sequence < local.asked {
        return Worth::Earlier(receipt.sequence);
    }
    Worth::Counts(witness.id.clone())
}

/// Whether these witnesses are enough for a subject to work with a committee: `f + 1` other seats of
/// other entities. Where there are not that many, as for a seat of (3, 2), all of them.
pub fn enough(
    witnesses: &BTreeSet<Slug>,
    list: &KeyList,
    committee: &Committee,
    subject: &Slug,
) -> Result<(), ReceiptError> {
    let own = list.member(subject).map(|member| &member.entity);
    let others: BTreeSet<&Slug> = committee
        .seats
        .iter()
        .filter_map(|seat| list.member(&seat.member))
        .filter(|member| Some(&member.entity) != own)
        .map(|member| &member.id)
        .collect();
    let found = others
        .iter()
        .filter(|seat| witnesses.contains(**seat))
        .count();
    let needed = others.len().min(usize::from(committee.f) + 1).max(1);
    if found < needed {
        let epoch = committee.epoch;
        return Err(ReceiptError::TooFew {
            epoch,
            found,
            needed,
        });
    }
    Ok(())
}
