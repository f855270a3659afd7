//! A finished round as it is published: everything that a verifier needs, in files of fixed names.
//! Boxes are left out; masked vectors and mask sums tell nothing that their difference does not.

use std::collections::{BTreeMap, BTreeSet};

use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::round::Round as Asked;
use schemas::seal::{PublicKey, SealError, Sealed};
use schemas::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::key_list::{KeyList, KeyListError, Pinned, SignedList};
use crate::manifest::{ManifestError, Round, Trust};
use crate::offer::{Offer, OfferError};
use crate::sums::{MaskSum, Sent, Sum, SumError};
use crate::survivors::{Certificate, Certified, SurvivorsError};
use crate::threshold::Policy;
use crate::total::{TotalError, Totals, total};
use crate::upload::{Masked, UploadError};
use crate::vote::by_seat;
use crate::wire::{self, WireError};

/// Files by name: `list.json`, `offer.json`, `certificate.json`, `totals.json`, `upload-<hospital>`
/// and `sum-<class>-<member>`.
pub type Files = BTreeMap<String, Vec<u8>>;

const NAMED: [&str; 4] = ["list.json", "offer.json", "certificate.json", "totals.json"];

/// Totals as written: whole numbers of 2^−scale.
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

/// A verified publication.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    /// What was asked.
    pub asked: Asked,
    /// The round.
    pub round: Round,
    /// Whose sum it is.
    pub certified: Certified,
    /// The sum.
    pub totals: Totals,
    /// Members that named another mask sum than the believed one.
    pub dissenters: BTreeSet<Slug>,
}

/// Why a publication is refused.
#[derive(Debug, thiserror::Error)]
pub enum PublishedError {
    /// A file is not there.
    #[error("the file `{0}` is missing")]
    Missing(String),
    /// A file that belongs to nothing.
    #[error("the file `{0}` is none of a publication")]
    Stray(String),
    /// Bytes.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The key list.
    #[error(transparent)]
    List(#[from] KeyListError),
    /// A signature.
    #[error("a signature: {0}")]
    Seal(#[from] SealError),
    /// Round and manifest.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// The manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The certificate.
    #[error(transparent)]
    Survivors(#[from] SurvivorsError),
    /// An upload.
    #[error("the upload of {0}: {1}")]
    Upload(Slug, UploadError),
    /// A mask sum.
    #[error(transparent)]
    Sum(#[from] SumError),
    /// The total.
    #[error(transparent)]
    Total(#[from] TotalError),
    /// The written totals.
    #[error("totals.json does not hold what follows from the other files")]
    OtherTotals,
    /// Canonical form.
    #[error("a message has no canonical form")]
    Canonical(#[from] canonical::Error),
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

/// Verifies a publication by the alliance's key alone. `latest` is the verifier's clock.
pub fn verify(
    files: &Files,
    key: &PublicKey,
    latest: Timestamp,
) -> Result<Verified, PublishedError> {
    let file = |name: &str| {
        let bytes = files.get(name);
        bytes.ok_or_else(|| PublishedError::Missing(name.to_owned()))
    };
    let signed = SignedList::parse(file("list.json")?)?;
    let list = signed.list.open(key)?;
    let offer = Offer::parse(file("offer.json")?)?;
    let (asked, _, manifest) = offer.open(key)?;
    if manifest.opened > latest {
        return Err(ManifestError::NotNow.into());
    }
    let round = open_round(&offer, list, key)?;
    let certificate = Certificate::parse(file("certificate.json")?)?;
    let certified = certificate.verify(&round)?;
    let mut masked = Vec::new();
    for survivor in &certified.survivors().uploads {
        let bytes = file(&format!("upload-{}", survivor.hospital))?;
        let most = [wire::MAX_SEALED, round.cells().saturating_mul(8)];
        let parts = wire::split(bytes, &most)?;
        let [sealed, vector] = parts.as_slice() else {
            return Err(WireError::Part(0).into());
        };
        let read = Masked::parse(&round, sealed, vector);
        masked.push(read.map_err(|e| PublishedError::Upload(survivor.hospital.clone(), e))?);
    }
    let mut sent = Vec::new();
    for (name, bytes) in files {
        if name.starts_with("sum-") {
            sent.push(Sent::parse(&round, bytes)?);
        } else if !name.starts_with("upload-") && !NAMED.contains(&name.as_str()) {
            return Err(PublishedError::Stray(name.clone()));
        }
    }
    let sums = mask_sums(&round, &certified, &sent)?;
    let totals = total(&round, &certified, &masked, &sums)?;
    let written: Written = wire::read(file("totals.json")?, canonical::MAX_BYTES)?;
    if written != Written::of(&round, &certified, &totals) {
        return Err(PublishedError::OtherTotals);
    }
    let dissenters = sums.iter().flat_map(MaskSum::dissenters).cloned().collect();
    Ok(Verified {
        asked,
        round,
        certified,
        totals,
        dissenters,
    })
}
