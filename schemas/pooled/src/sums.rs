//! Mask sums: for each class the sum of the survivors' masks, believed when enough of its members
//! name the same one.

use std::collections::BTreeSet;

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{Message, SealError, Sealed, Signer};
use serde::{Deserialize, Serialize};

use crate::manifest::Round;
use crate::shape::{Class, Shape};
use crate::survivors::Certified;
use crate::vote::by_seat;
use crate::wire::{self, MAX_SEALED, WireError, vector_digest};

/// A member's word on the mask sum of one of its classes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sum {
    /// H(M).
    pub manifest: Digest,
    /// h_U.
    pub survivors: Digest,
    /// The class.
    pub class: Class,
    /// Digest of the vector.
    pub vector: Digest,
    /// Who says so.
    pub member: Slug,
}

impl Message for Sum {
    const TAG: &'static str = "cams-sum-v1";
}

/// Why a mask sum is not signed or not believed.
#[derive(Debug, thiserror::Error)]
pub enum SumError {
    /// The bytes.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A signature.
    #[error("a mask sum's signature: {0}")]
    Seal(#[from] SealError),
    /// By no seat of the class, twice, or about another round, set or class.
    #[error("words on a mask sum are by distinct seats of the class, about this round and set")]
    Word,
    /// Another number of cells.
    #[error("the mask sum does not have the round's cells")]
    Cells,
    /// Too few name this vector.
    #[error("{found} members of the class name this vector, {needed} must: ask another member")]
    Words {
        /// How many do.
        found: usize,
        /// How many must.
        needed: usize,
    },
}

/// A mask sum as one member sends it: its word, and the vector if this member was asked for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    /// The word.
    pub word: Sealed<Sum>,
    /// The vector's bytes, or none.
    pub vector: Option<Vec<u8>>,
}

/// A mask sum that is believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MaskSum {
    survivors: Digest,
    class: Class,
    vector: Vec<u64>,
    dissenters: Vec<Slug>,
}

impl Sum {
    /// Signs the word of a member on a class of its own.
    pub fn sign(
        round: &Round,
        certified: &Certified,
        member: &Slug,
        signer: &Signer,
        class: Class,
        vector: &[u64],
    ) -> Result<Sealed<Self>, SumError> {
        let seat = round
            .seat(member)
            .filter(|(_, seat)| seat.key == signer.public());
        if !seat.is_some_and(|(place, _)| class.contains(place)) {
            return Err(SumError::Word);
        }
        let sum = Self {
            manifest: *round.hash(),
            survivors: *certified.digest(),
            class,
            vector: vector_digest(&wire::vector_bytes(vector)),
            member: member.clone(),
        };
        Ok(Sealed::seal(signer, &sum)?)
    }
}

impl Sent {
    /// The bytes that are sent.
    pub fn to_bytes(&self) -> Result<Vec<u8>, SumError> {
        let word = wire::write(&self.word)?;
        let vector = self.vector.as_deref().unwrap_or_default();
        Ok(wire::join(&[&word, vector])?)
    }

    /// A member's word with the vector.
    pub fn with_vector(word: Sealed<Sum>, vector: &[u64]) -> Self {
        let vector = Some(wire::vector_bytes(vector));
        Self { word, vector }
    }

    /// Reads what a member sent about a round; nothing in it is believed yet.
    pub fn parse(round: &Round, bytes: &[u8]) -> Result<Self, SumError> {
        let most = round.cells().saturating_mul(8);
        let parts = wire::split(bytes, &[MAX_SEALED, most])?;
        let [word, vector] = parts.as_slice() else {
            return Err(WireError::Part(0).into());
        };
        let vector = (!vector.is_empty()).then(|| vector.to_vec());
        Ok(Self {
            word: wire::read(word, MAX_SEALED)?,
            vector,
        })
    }
}

impl MaskSum {
    /// Believes a vector that enough members of its class name ([`Shape::sum_signers`]). Members
    /// that name another one are remembered: their signed words are evidence.
    pub fn accept(
        round: &Round,
        certified: &Certified,
        class: Class,
        vector: &[u8],
        words: &[Sealed<Sum>],
    ) -> Result<Self, SumError> {
        if words.len() > Shape::MAX_SEATS {
            return Err(SumError::Word);
        }
        let named = vector_digest(vector);
        let vector = wire::vector(vector, round.cells()).ok_or(SumError::Cells)?;
        let (mut agree, mut dissenters) = (BTreeSet::new(), BTreeSet::new());
        for word in words {
            let (member, sum) = by_seat(round, word).map_err(|_| SumError::Word)?;
            let about = (sum.manifest, sum.survivors, sum.class, &sum.member);
            let sits = round
                .seat(&member)
                .is_some_and(|(seat, _)| class.contains(seat));
            if !sits || about != (*round.hash(), *certified.digest(), class, &member) {
                return Err(SumError::Word);
            }
            let side = if sum.vector == named {
                &mut agree
            } else {
                &mut dissenters
            };
            if !side.insert(member) {
                return Err(SumError::Word);
            }
        }
        // Who names both is no witness for either.
        let found = agree.difference(&dissenters).count();
        let needed = round.shape().sum_signers();
        if found < needed {
            return Err(SumError::Words { found, needed });
        }
        let dissenters = dissenters.into_iter().collect();
        let survivors = *certified.digest();
        Ok(Self {
            survivors,
            class,
            vector,
            dissenters,
        })
    }

    /// h_U of the set that it is about.
    pub fn survivors(&self) -> &Digest {
        &self.survivors
    }

    /// Its class.
    pub fn class(&self) -> Class {
        self.class
    }

    /// The sum.
    pub fn vector(&self) -> &[u64] {
        &self.vector
    }

    /// Members that named another vector.
    pub fn dissenters(&self) -> &[Slug] {
        &self.dissenters
    }
}
