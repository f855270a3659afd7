//! Receipts against rollback: other seats say how far a node's or member's log had got. One who
//! was put back from an old backup learns it before it works again.

use std::collections::BTreeSet;

use ring::rand::{SecureRandom as _, SystemRandom};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{Message, Sealed};
use schemas::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::key_list::{Committee, KeyList};
use crate::shape::Shape;

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
    /// Number of the last entry that the witness knows.
    pub sequence: u64,
    /// Its digest.
    pub head: Digest,
    /// Who says so.
    pub witness: Slug,
    /// When.
    pub at: Timestamp,
}

impl Message for Receipt {
    const TAG: &'static str = "cams-receipt-v1";
}

/// What a subject holds receipts against.
#[derive(Clone, Copy, Debug)]
pub struct Local<'l> {
    /// Itself.
    pub subject: &'l Slug,
    /// The nonce that it sent.
    pub nonce: &'l Digest,
    /// Number of the last entry of its log.
    pub sequence: u64,
    /// Its digest.
    pub head: &'l Digest,
}

/// Why a node or member does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Too few receipts.
    #[error("{found} fresh receipts by other seats, {needed} are needed: ask again")]
    TooFew {
        /// How many count.
        found: usize,
        /// How many must.
        needed: usize,
    },
    /// A witness knows more than the log holds.
    #[error(
        "this log ends before entry {sequence}, which a witness has seen: a steward must burn the gap"
    )]
    Behind {
        /// The entry that the witness knows.
        sequence: u64,
    },
    /// A witness knows another entry of the same number.
    #[error("a witness has seen another entry {sequence} of this log: a steward must burn the gap")]
    Forked {
        /// The entry.
        sequence: u64,
    },
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

/// Whether `f + 1` other seats of the committee say that the log is where it ends here, or behind
/// it. Receipts that do not count are passed over; a counting one that is ahead stops all.
pub fn check(
    receipts: &[Sealed<Receipt>],
    list: &KeyList,
    committee: &Committee,
    local: &Local<'_>,
    now: Timestamp,
) -> Result<(), ReceiptError> {
    let mut entities = BTreeSet::new();
    let own = list.member(local.subject).map(|member| &member.entity);
    for sealed in receipts.iter().take(Shape::MAX_SEATS * 2) {
        let claimed = sealed.claimed_key();
        let mut seats = committee
            .seats
            .iter()
            .filter_map(|seat| list.member(&seat.member));
        let Some(witness) = seats.find(|seat| seat.key.fingerprint() == claimed) else {
            continue;
        };
        let Ok(receipt) = sealed.open(&witness.key) else {
            continue;
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
        if !fits || own == Some(&witness.entity) {
            continue;
        }
        let sequence = receipt.sequence;
        if sequence > local.sequence {
            return Err(ReceiptError::Behind { sequence });
        }
        if sequence == local.sequence && receipt.head != *local.head {
            return Err(ReceiptError::Forked { sequence });
        }
        entities.insert(&witness.entity);
    }
    let (found, needed) = (entities.len(), usize::from(committee.f) + 1);
    if found < needed {
        return Err(ReceiptError::TooFew { found, needed });
    }
    Ok(())
}
