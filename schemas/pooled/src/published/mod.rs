//! A finished round as it is published: everything that a verifier needs, in files of fixed names.
//! Boxes are left out; masked vectors and mask sums tell nothing that their difference does not.

mod key;
mod verify;
mod void;

pub use key::{KEY, key_bytes, named_key};
pub use verify::{Part, PublishedError, Verified, list_name, verify};
pub use void::{Outcome, VOID, Voided, outcome};

use std::collections::{BTreeMap, BTreeSet};

use schemas::digest::Digest;
use schemas::seal::{PublicKey, Sealed};
use serde::{Deserialize, Serialize};

use crate::key_list::{KeyList, Pinned};
use crate::manifest::{Round, Trust};
use crate::offer::Offer;
use crate::sums::{MaskSum, Sent, Sum, SumError};
use crate::survivors::Certified;
use crate::threshold::Policy;
use crate::total::Totals;
use crate::upload::Masked;
use crate::vote::by_seat;
use crate::wire::{self, WireError};

/// Files by name: `list-<version>.json` from the first version to the one that the round cites,
/// `offer.json`, `certificate.json`, `totals.json`, `upload-<hospital>` and `sum-<class>-<member>`.
/// Of a voided round: the lists, `offer.json` and `void.json`. Beside either, `alliance.key`.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Totals as written: whole numbers of 2^−scale. Every cell stands here, as the sums could not be
/// checked otherwise, also one in which a single hospital has stays: its total is that hospital's own
/// value with the whole round's noise, and whoever knows which hospital that is knows whose it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// H(M).
    pub manifest: Digest,
    /// h_U.
    pub survivors: Digest,
    /// How many hospitals the totals are of.
    pub hospitals: u32,
    /// Whether no single committee member could have falsified them.
    pub integrity: bool,
    /// By block, in the layout's order.
    pub blocks: Vec<WrittenBlock>,
}

/// One block as written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenBlock {
    /// s.
    pub scale: u8,
    /// Totals in units of 2^−s.
    pub raw: Vec<i64>,
    /// Variance of the noise in 1024²ths of the block's unit squared, decimal.
    pub variance: String,
}

impl Written {
    /// Totals as they are written.
    pub fn of(round: &Round, certified: &Certified, totals: &Totals) -> Self {
        let hospitals = certified.survivors().uploads.len();
        Self {
            manifest: *round.hash(),
            survivors: *certified.digest(),
            hospitals: u32::try_from(hospitals).unwrap_or(u32::MAX),
            integrity: totals.integrity,
            blocks: totals
                .blocks
                .iter()
                .map(|block| WrittenBlock {
                    scale: block.scale,
                    raw: block.raw.clone(),
                    variance: block.variance.to_string(),
                })
                .collect(),
        }
    }
}

/// The part of an upload that is published: signed parts and masked vector.
pub fn masked_bytes(masked: &Masked) -> Result<Vec<u8>, WireError> {
    let sealed = wire::write(masked.sealed())?;
    wire::join(&[&sealed, &wire::vector_bytes(masked.vector())])
}

/// Opens the round of an offer for verifying, at the moment of its opening and by the list that it
/// cites. A verifier trusts the list's countersigners; whom a hospital's steward accepted is that
/// hospital's own matter.
pub fn open_round(offer: &Offer, list: KeyList, key: &PublicKey) -> Result<Round, PublishedError> {
    let (_, _, manifest) = offer.open(key)?;
    let pinned = Pinned::stored(list)?;
    let mut accepted = BTreeSet::new();
    for member in &pinned.list().members {
        accepted.insert(member.fingerprint()?);
    }
    let policy = Policy::floors();
    let trust = Trust {
        coordinator: key,
        pinned: &pinned,
        policy: &policy,
        accepted: &accepted,
    };
    Ok(Round::open(&offer.manifest, &trust, manifest.opened)?)
}

/// The mask sum of every class from what members sent.
pub fn mask_sums(
    round: &Round,
    certified: &Certified,
    sent: &[Sent],
) -> Result<Vec<MaskSum>, SumError> {
    let mut opened: Vec<(&Sent, Sum)> = Vec::with_capacity(sent.len());
    for one in sent {
        let (_, sum) = by_seat(round, &one.word).map_err(|_| SumError::Word)?;
        opened.push((one, sum));
    }
    let mut sums = Vec::new();
    for class in round.shape().classes() {
        let of = |(_, sum): &&(&Sent, Sum)| sum.class == class;
        let words: Vec<Sealed<Sum>> = opened
            .iter()
            .filter(of)
            .map(|(one, _)| one.word.clone())
            .collect();
        // A false vector finds no words; a true one stands beside it.
        let mut last = SumError::Words {
            found: 0,
            needed: round.shape().sum_signers(),
        };
        let mut found = None;
        for (one, _) in opened.iter().filter(of) {
            let Some(vector) = &one.vector else { continue };
            match MaskSum::accept(round, certified, class, vector, &words) {
                Ok(sum) => {
                    found = Some(sum);
                    break;
                }
                Err(error) => last = error,
            }
        }
        sums.push(found.ok_or(last)?);
    }
    Ok(sums)
}
