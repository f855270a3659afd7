//! What a member is told there is to do, and what a committee member says to a proposal. Members
//! ask; nobody connects to them.

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::Sealed;
use serde::{Deserialize, Serialize};

use crate::shape::Class;
use crate::vote::{Certify, Complaint, Void};
use crate::wire::{self, WireError};

/// What waits for a member. Nothing of it is signed: each thing is checked when it is fetched.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// Newest published version of the key list; 0 before the first.
    pub list: u32,
    /// Version that waits for countersignatures, if one does.
    pub draft: Option<u32>,
    /// Epochs of committees in which this member sits, for its keys.
    pub epochs: Vec<u32>,
    /// Rounds that ask this hospital and lack its upload.
    pub rounds: Vec<Slug>,
    /// What this member's seats are asked.
    pub seats: Vec<SeatTask>,
    /// Rounds whose certificate is published, newest first.
    pub certified: Vec<Slug>,
    /// Rounds whose void certificate is published, newest first.
    pub voided: Vec<Slug>,
    /// Nonce of this member's ask for receipts that the coordinator holds, if it holds one.
    pub asked: Option<Digest>,
    /// How many receipts are held for it.
    pub receipts: u32,
    /// Asks of others for receipts that this member's seats have not answered.
    pub asks: Vec<Ask>,
}

/// An ask for a receipt: whose, and its nonce.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Who asks.
    pub subject: Slug,
    /// Its nonce.
    pub nonce: Digest,
}

/// One thing that a seat is asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeatTask {
    /// The round.
    pub round: Slug,
    /// What.
    pub step: Step,
}

/// Steps of a committee member. All members inspect before any votes, so that one bad box cannot
/// split the votes between two sets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Check the proposed set and say whether it is sound; nothing is voted.
    Inspect,
    /// Vote for the proposed set.
    Certify,
    /// Give words on the mask sums of the certified set, with the vectors of these classes.
    Sum(Vec<Class>),
    /// Vote that the round ends without a result; nothing is inspected.
    Void,
}

/// What a seat says to a proposal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeatWord {
    /// The set of this h_U is sound.
    Sound(Digest),
    /// Hospitals whose parts are not.
    Complaints(Vec<Sealed<Complaint>>),
    /// The vote.
    Vote(Sealed<Certify>),
    /// The vote that the round ends without a result.
    Void(Sealed<Void>),
}

impl SeatWord {
    /// Longest word, in bytes.
    pub const MAX_BYTES: usize = 2 * 1024 * 1024;

    /// Reads a word; nothing in it is believed yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        wire::read(bytes, Self::MAX_BYTES)
    }
}

impl Work {
    /// Longest list of work, in bytes.
    pub const MAX_BYTES: usize = 256 * 1024;

    /// Reads what is to do.
    pub fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        wire::read(bytes, Self::MAX_BYTES)
    }
}
