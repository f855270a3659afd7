//! The insurer's side: all leaves of one payer and month, searched with what the OPRF gave.

use ring::aead::Aad;

use super::keys::{ClaimKeys, nonce};
use super::{Label, Leaf, LeafError};
use crate::commit::{CommitError, Commitment, sum};
use crate::oprf::Output;

/// All leaves of one hospital, payer and month in the order of their tags, no tag twice. The order
/// says nothing about the settlements.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leaves(Vec<Leaf>);

/// A leaf that belongs to a claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Match {
    /// Its place among the leaves.
    pub place: usize,
    /// What it says; or why it does not, which is evidence against the hospital.
    pub label: Result<Label, LeafError>,
}

impl Leaves {
    /// Orders the leaves that a hospital has made.
    pub fn arrange(mut leaves: Vec<Leaf>) -> Result<Self, LeafError> {
        leaves.sort_unstable_by_key(Leaf::tag);
        Self::received(leaves)
    }

    /// Takes leaves in the order of the log; anything but strictly rising tags is refused.
    pub fn received(leaves: Vec<Leaf>) -> Result<Self, LeafError> {
        let falls = leaves.windows(2).position(|pair| match pair {
            [one, next] => one.tag() >= next.tag(),
            _ => false,
        });
        match falls {
            Some(place) => Err(LeafError::Order(place + 1)),
            None => Ok(Self(leaves)),
        }
    }

    /// The leaves in order, for the log.
    pub fn as_slice(&self) -> &[Leaf] {
        &self.0
    }

    /// The sum of all commitments, padding included: opens to the payer's total.
    pub fn total(&self) -> Result<Commitment, CommitError> {
        let commitments: Vec<Commitment> = self.0.iter().map(Leaf::commitment).collect();
        sum(&commitments)
    }

    /// Every leaf of the claim whose OPRF output this is: none if the hospital left it out, more
    /// than one if it is listed more than once.
    pub fn find(&self, output: &Output) -> Result<Vec<Match>, LeafError> {
        let keys = ClaimKeys::new(output);
        let mut matches = Vec::new();
        for occurrence in 0.. {
            let tag = keys.tag(occurrence)?;
            let Ok(place) = self.0.binary_search_by_key(&tag, Leaf::tag) else {
                break;
            };
            let Some(leaf) = self.0.get(place) else { break };
            let label = open(leaf, occurrence, &keys);
            matches.push(Match { place, label });
        }
        Ok(matches)
    }
}

fn open(leaf: &Leaf, occurrence: u32, keys: &ClaimKeys) -> Result<Label, LeafError> {
    let commitment = leaf.commitment();
    let key = keys.label_key(occurrence, &commitment)?;
    let (_, _, _, _, mut sealed) = leaf.parts();
    let aad = Aad::from(commitment.as_bytes());
    let opened = key.open_in_place(nonce(), aad, &mut sealed);
    let label = Label::from_bytes(opened.map_err(|_| LeafError::Label)?)?;
    if label.group.is_empty() {
        return Err(LeafError::Content);
    }
    commitment.verify(&label.opening())?;
    Ok(label)
}
