//! Survivor sets: whose uploads the sum is made of, and the certificates that make one of them, or
//! the round's void, final.

use std::collections::BTreeSet;

use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{Message, Sealed};
use serde::{Deserialize, Serialize};

use crate::manifest::{MAX_ROSTER, Round};
use crate::shape::Shape;
use crate::vote::{Certify, Void, VoteError, by_seat};
use crate::wire::{self, WireError};

/// One survivor.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survivor {
    /// Who.
    pub hospital: Slug,
    /// Digest of its upload.
    pub upload: Digest,
}

/// A set U as the coordinator proposes it. Its digest is h_U.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survivors {
    /// H(M).
    pub manifest: Digest,
    /// The survivors, sorted by hospital.
    pub uploads: Vec<Survivor>,
}

impl Message for Survivors {
    const TAG: &'static str = "cams-survivors-v1";
}

/// Why a set, a vote or a certificate is refused.
#[derive(Debug, thiserror::Error)]
pub enum SurvivorsError {
    /// The bytes.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// One vote.
    #[error(transparent)]
    Cast(#[from] VoteError),
    /// Of another round.
    #[error("the set or vote belongs to another round")]
    OtherRound,
    /// Not sorted, or hospitals that were not asked.
    #[error("survivors are hospitals of the roster, sorted, each once")]
    Set,
    /// Fewer than n_min.
    #[error("the set has fewer than n_min hospitals: the round dies")]
    TooFew,
    /// A vote by somebody without a seat, a second vote, or one for another set.
    #[error("votes are by distinct seats, each for this set")]
    Vote,
    /// Fewer votes than the quorum.
    #[error("{found} votes, {needed} are needed")]
    Quorum {
        /// Votes.
        found: usize,
        /// Quorum.
        needed: usize,
    },
}

impl Survivors {
    /// h_U.
    pub fn digest(&self) -> Result<Digest, canonical::Error> {
        canonical::digest(Self::TAG, self)
    }

    /// The hospitals.
    pub fn hospitals(&self) -> BTreeSet<Slug> {
        self.uploads
            .iter()
            .map(|one| one.hospital.clone())
            .collect()
    }

    /// Checks the set against its round; gives h_U.
    pub fn check(&self, round: &Round) -> Result<Digest, SurvivorsError> {
        if self.manifest != *round.hash() {
            return Err(SurvivorsError::OtherRound);
        }
        let sorted = self
            .uploads
            .is_sorted_by(|one, next| one.hospital < next.hospital);
        let asked = |one: &Survivor| round.hospital(&one.hospital).is_some();
        if self.uploads.len() > MAX_ROSTER || !sorted || !self.uploads.iter().all(asked) {
            return Err(SurvivorsError::Set);
        }
        let least = usize::try_from(round.manifest().n_min).unwrap_or(usize::MAX);
        if self.uploads.len() < least {
            return Err(SurvivorsError::TooFew);
        }
        Ok(self.digest().map_err(WireError::from)?)
    }
}

/// A set and the votes for it, as published.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The set.
    pub survivors: Survivors,
    /// The votes.
    pub votes: Vec<Sealed<Certify>>,
}

/// A verified certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certified {
    survivors: Survivors,
    digest: Digest,
}

impl Certificate {
    /// Longest certificate, in bytes.
    pub const MAX_BYTES: usize = 512 * 1024;

    /// Reads a certificate; nothing in it is believed yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, SurvivorsError> {
        Ok(wire::read(bytes, Self::MAX_BYTES)?)
    }

    /// Checks set and votes.
    pub fn verify(&self, round: &Round) -> Result<Certified, SurvivorsError> {
        let digest = self.survivors.check(round)?;
        count(round, &self.votes, |vote: &Certify, member| {
            let named = (vote.manifest, vote.survivors, &vote.member);
            named == (*round.hash(), digest, member)
        })?;
        let survivors = self.survivors.clone();
        Ok(Certified { survivors, digest })
    }
}

impl Certified {
    /// The set.
    pub fn survivors(&self) -> &Survivors {
        &self.survivors
    }

    /// h_U.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// Proof that the round ended without a result: then, and only then, is an upload's charge credited.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoidCertificate {
    /// The votes.
    pub votes: Vec<Sealed<Void>>,
}

impl VoidCertificate {
    /// Longest certificate, in bytes.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Reads a certificate; nothing in it is believed yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, SurvivorsError> {
        Ok(wire::read(bytes, Self::MAX_BYTES)?)
    }

    /// Checks the votes.
    pub fn verify(&self, round: &Round) -> Result<(), SurvivorsError> {
        count(round, &self.votes, |vote: &Void, member| {
            (vote.manifest, &vote.member) == (*round.hash(), member)
        })
    }
}

/// Whether a quorum of distinct seats voted as it should; one wrong vote refuses all.
fn count<T: Message>(
    round: &Round,
    votes: &[Sealed<T>],
    fits: impl Fn(&T, &Slug) -> bool,
) -> Result<(), SurvivorsError> {
    if votes.len() > Shape::MAX_SEATS {
        return Err(SurvivorsError::Vote);
    }
    let mut members = BTreeSet::new();
    for vote in votes {
        let (member, vote) = by_seat(round, vote)?;
        if !fits(&vote, &member) || !members.insert(member) {
            return Err(SurvivorsError::Vote);
        }
    }
    let (found, needed) = (members.len(), round.shape().quorum());
    if found < needed {
        return Err(SurvivorsError::Quorum { found, needed });
    }
    Ok(())
}
