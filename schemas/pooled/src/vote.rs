//! Votes of committee members. Each has one, for one survivor set or for none, so two sets are
//! never both certified, nor a set and the round's void.

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{Message, SealError, Sealed, Signer};
use serde::{Deserialize, Serialize};

use crate::manifest::Round;

/// A member's vote for a set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certify {
    /// H(M).
    pub manifest: Digest,
    /// h_U.
    pub survivors: Digest,
    /// Who votes.
    pub member: Slug,
}

impl Message for Certify {
    const TAG: &'static str = "cams-certify-v1";
}

/// A member's vote that the round ends without a result.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Void {
    /// H(M).
    pub manifest: Digest,
    /// Who votes.
    pub member: Slug,
}

impl Message for Void {
    const TAG: &'static str = "cams-void-v1";
}

/// A member's word that a hospital's box or parts are not what they should be. The coordinator then
/// proposes a set without that hospital.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Complaint {
    /// H(M).
    pub manifest: Digest,
    /// Whose upload.
    pub hospital: Slug,
    /// Who complains.
    pub member: Slug,
}

impl Message for Complaint {
    const TAG: &'static str = "cams-complaint-v1";
}

/// Why a vote is not cast or not counted.
#[derive(Debug, thiserror::Error)]
pub enum VoteError {
    /// A signature.
    #[error("a vote's signature: {0}")]
    Seal(#[from] SealError),
    /// Of another round.
    #[error("the vote or complaint belongs to another round")]
    OtherRound,
    /// By somebody without a seat, or not about a hospital of the roster.
    #[error("votes and complaints are signed by the seats that they name")]
    Seat,
    /// The member has voted otherwise.
    #[error("this member has voted otherwise in this round: it gives that vote only")]
    Voted,
}

/// The one vote that a member has in a round. It is stored durably before it is signed; whoever
/// asks again gets the same one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ballot {
    /// For the set with this h_U.
    Certify(Digest),
    /// For no set.
    Void,
}

impl Ballot {
    /// The vote to store, given what was stored before: the same one or, if there was none, this
    /// one.
    pub fn cast(stored: Option<Self>, wanted: Self) -> Result<Self, VoteError> {
        match stored {
            Some(stored) if stored != wanted => Err(VoteError::Voted),
            _ => Ok(wanted),
        }
    }
}

impl Certify {
    /// Signs a vote that is already stored.
    pub fn sign(
        round: &Round,
        member: &Slug,
        signer: &Signer,
        survivors: Digest,
    ) -> Result<Sealed<Self>, VoteError> {
        seat(round, member, signer)?;
        let vote = Self {
            manifest: *round.hash(),
            survivors,
            member: member.clone(),
        };
        Ok(Sealed::seal(signer, &vote)?)
    }
}

impl Void {
    /// Signs a vote that is already stored.
    pub fn sign(round: &Round, member: &Slug, signer: &Signer) -> Result<Sealed<Self>, VoteError> {
        seat(round, member, signer)?;
        let vote = Self {
            manifest: *round.hash(),
            member: member.clone(),
        };
        Ok(Sealed::seal(signer, &vote)?)
    }
}

impl Complaint {
    /// Signs a complaint.
    pub fn sign(
        round: &Round,
        member: &Slug,
        signer: &Signer,
        hospital: &Slug,
    ) -> Result<Sealed<Self>, VoteError> {
        seat(round, member, signer)?;
        let (manifest, hospital) = (*round.hash(), hospital.clone());
        let complaint = Self {
            manifest,
            hospital,
            member: member.clone(),
        };
        Ok(Sealed::seal(signer, &complaint)?)
    }

    /// Opens a complaint of this round; it is signed by the seat that it names.
    pub fn open(round: &Round, sealed: &Sealed<Self>) -> Result<Self, VoteError> {
        let (member, complaint) = by_seat(round, sealed)?;
        let names = complaint.member == member && round.hospital(&complaint.hospital).is_some();
        if complaint.manifest != *round.hash() {
            return Err(VoteError::OtherRound);
        }
        if names {
            Ok(complaint)
        } else {
            Err(VoteError::Seat)
        }
    }
}

/// Opens what a seat signed, whichever it is.
pub(crate) fn by_seat<T: Message>(
    round: &Round,
    sealed: &Sealed<T>,
) -> Result<(Slug, T), VoteError> {
    let claimed = sealed.claimed_key();
    let mut seats = round.seats().iter();
    let seat = seats.find(|seat| seat.key.fingerprint() == claimed);
    let seat = seat.ok_or(VoteError::Seat)?;
    Ok((seat.member.clone(), sealed.open(&seat.key)?))
}

fn seat(round: &Round, member: &Slug, signer: &Signer) -> Result<(), VoteError> {
    let seat = round
        .seat(member)
        .filter(|(_, seat)| seat.key == signer.public());
    seat.map(|_| ()).ok_or(VoteError::Seat)
}
