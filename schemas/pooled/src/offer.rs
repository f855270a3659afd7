//! A pooled round as nodes and committee members receive it: who asks what and why, as in every
//! round, and the manifest.

use schemas::canonical;
use schemas::digest::Digest;
use schemas::question::Release;
use schemas::round::Round as Asked;
use schemas::seal::{PublicKey, SealError, Sealed};
use serde::{Deserialize, Serialize};

use crate::manifest::Manifest;
use crate::wire::{self, WireError};

/// Both halves, each signed by the coordinator.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// The question, its purpose, template and roster: what a steward approves.
    pub round: Sealed<Asked>,
    /// How it is answered.
    pub manifest: Sealed<Manifest>,
}

/// Why an offer is refused.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// The bytes.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A signature.
    #[error("the offer's signature: {0}")]
    Seal(#[from] SealError),
    /// The question.
    #[error("the offer's question has no digest")]
    Question(#[from] canonical::Error),
    /// The halves disagree.
    #[error("the manifest is not that of the round it is offered with: {0} differs")]
    Other(&'static str),
}

impl Offer {
    /// Longest offer, in bytes.
    pub const MAX_BYTES: usize = 4 * 1024 * 1024;

    /// Reads an offer; nothing in it is believed yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, OfferError> {
        Ok(wire::read(bytes, Self::MAX_BYTES)?)
    }

    /// Opens both halves; the second is the first one's. Gives the round, its digest, which
    /// stewards approve, and the manifest, unchecked otherwise.
    pub fn open(&self, coordinator: &PublicKey) -> Result<(Asked, Digest, Manifest), OfferError> {
        let round = self.round.open(coordinator)?;
        let manifest = self.manifest.open(coordinator)?;
        let question = round.question.digest()?;
        let same = [
            (round.question.release == Release::Pooled, "release"),
            (round.id == manifest.round, "name"),
            (question == manifest.question, "question"),
            (round.question.period == manifest.period, "period"),
            (round.roster == manifest.roster, "roster"),
            (
                round.min_answers == manifest.n_min,
                "least number of answers",
            ),
            (round.opened == manifest.opened, "opening"),
            (round.deadline == manifest.closes, "deadline"),
        ];
        match same.into_iter().find(|(holds, _)| !holds) {
            Some((_, what)) => Err(OfferError::Other(what)),
            None => Ok((round, self.round.digest()?, manifest)),
        }
    }
}
