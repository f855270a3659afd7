//! Verifying a publication from its files and the alliance's key, part by part: each part has a
//! name under which it is found to hold or not to.

use std::collections::BTreeSet;
use std::fmt;

use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::round::Round as Asked;
use schemas::seal::{PublicKey, SealError};
use schemas::time::Timestamp;

use super::key::{self, KEY};
use super::{Files, VOID, Written, mask_sums, open_round};
use crate::key_list::{Followed, KeyListError, Pinned, SignedList};
use crate::manifest::{Manifest, ManifestError, Round};
use crate::offer::{Offer, OfferError};
use crate::sums::{MaskSum, Sent, SumError};
use crate::survivors::{Certificate, Certified, SurvivorsError};
use crate::threshold::Policy;
use crate::total::{TotalError, Totals, total};
use crate::upload::{Masked, UploadError};
use crate::wire::{self, WireError};

/// A part of a publication, in the order in which parts are verified.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Part {
    /// Which files there are.
    Files,
    /// The key lists: signatures, countersignatures, every version after the other.
    KeyList,
    /// Round and manifest.
    Round,
    /// Survivor set and the votes for it.
    Certificate,
    /// The votes that the round ends without a result.
    Void,
    /// Masked vectors.
    Uploads,
    /// Mask sums of all classes.
    MaskSums,
    /// What is left when the masks are taken off.
    Totals,
}

impl Part {
    /// What it means that the part does not hold, and what to do.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Files => {
                "the folder is not as it was published, or of another alliance: fetch it again, and \
                 compare the key's fingerprint by another way"
            }
            Self::KeyList => {
                "members stand in it whom hospitals did not countersign, or a version was changed: do \
                 not use the totals; ask two hospitals which list they follow"
            }
            Self::Round => {
                "what was asked is not signed by this alliance's key, or was changed: compare the \
                 key's fingerprint by another way, then fetch the folder again"
            }
            Self::Certificate => {
                "no quorum of the committee voted for this set of hospitals: the totals are not the \
                 round's; ask the members of the committee"
            }
            Self::Void => {
                "no quorum of the committee voted that it ended without a result: nobody is credited \
                 by this"
            }
            Self::Uploads => {
                "a vector is not what its hospital signed, or is missing: the totals are not the sum \
                 of these hospitals; ask the hospital that is named"
            }
            Self::MaskSums => {
                "too few seats named the same masks: the totals cannot be opened from these files; \
                 ask for what the seats sent"
            }
            Self::Totals => {
                "the other files are sound, and give other totals: do not use `totals.json`"
            }
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Files => "files",
            Self::KeyList => "key list",
            Self::Round => "round",
            Self::Certificate => "certificate",
            Self::Void => "void certificate",
            Self::Uploads => "uploads",
            Self::MaskSums => "mask sums",
            Self::Totals => "totals",
        })
    }
}

/// A verified publication.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    /// What was asked.
    pub asked: Asked,
    /// The round.
    pub round: Round,
    /// The cited version of the key list; it and all before it were verified.
    pub list: u32,
    /// Votes in the certificate.
    pub votes: usize,
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
    /// What a verifier named is no key.
    #[error(
        "what is named is neither a file nor 64 hexadecimal digits, as a key or its fingerprint is"
    )]
    Key,
    /// The key beside the publication is another one.
    #[error(
        "another key is named than the one beside the publication, whose fingerprint is {0}: either \
         the wrong key is named, or the folder is another alliance's"
    )]
    OtherKey(Digest),
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
    /// The void certificate.
    #[error(transparent)]
    Void(SurvivorsError),
    /// There is no sum to verify.
    #[error("the committee voided this round: it ended without a sum, and will have none")]
    Voided,
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

impl PublishedError {
    /// The part that does not hold.
    pub fn part(&self) -> Part {
        match self {
            Self::Missing(name) => part_of(name),
            Self::Stray(_) | Self::Key | Self::OtherKey(_) => Part::Files,
            Self::Void(_) | Self::Voided => Part::Void,
            Self::List(_) => Part::KeyList,
            Self::Offer(_)
            | Self::Manifest(_)
            | Self::Wire(_)
            | Self::Seal(_)
            | Self::Canonical(_) => Part::Round,
            Self::Survivors(_) => Part::Certificate,
            Self::Upload(..) | Self::Total(TotalError::Upload(_) | TotalError::Outsider) => {
                Part::Uploads
            }
            Self::Sum(_) | Self::Total(TotalError::Class) => Part::MaskSums,
            Self::Total(TotalError::Range { .. }) | Self::OtherTotals => Part::Totals,
        }
    }
}

fn part_of(file: &str) -> Part {
    match file {
        "offer.json" => Part::Round,
        "certificate.json" => Part::Certificate,
        "totals.json" => Part::Totals,
        VOID => Part::Void,
        _ if file.starts_with("list-") => Part::KeyList,
        _ if file.starts_with("upload-") => Part::Uploads,
        _ => Part::Files,
    }
}

impl Verified {
    /// What was found to hold, a line for each part.
    pub fn findings(&self) -> Vec<(Part, String)> {
        let (manifest, shape) = (self.round.manifest(), self.round.shape());
        let hospitals = self.certified.survivors().uploads.len();
        let believed = if self.totals.integrity {
            ""
        } else {
            "; one lying member could have falsified a sum"
        };
        vec![
            (
                Part::KeyList,
                format!(
                    "versions 1 to {}, each signed by the alliance and countersigned by hospitals \
                     of the version before, the first by its own",
                    self.list
                ),
            ),
            (
                Part::Round,
                format!(
                    "{} hospitals asked, at least {} in the sum, {} may collude; committee of {}, \
                     {} may collude",
                    manifest.roster.len(),
                    manifest.n_min,
                    manifest.t,
                    shape.m(),
                    shape.f()
                ),
            ),
            (
                Part::Certificate,
                format!("{} of {} seats voted for one set", self.votes, shape.m()),
            ),
            (
                Part::Uploads,
                format!("{hospitals} masked vectors, each signed by its hospital and in the set"),
            ),
            (
                Part::MaskSums,
                format!(
                    "{} classes, each in the words of at least {} seats{believed}",
                    shape.classes().len(),
                    shape.sum_signers()
                ),
            ),
            (
                Part::Totals,
                format!("the vectors less the mask sums, of {hospitals} hospitals"),
            ),
        ]
    }
}

/// Verifies a publication by the alliance's key alone. `latest` is the verifier's clock.
pub fn verify(
    files: &Files,
    key: &PublicKey,
    latest: Timestamp,
) -> Result<Verified, PublishedError> {
    if files.contains_key(VOID) {
        return Err(PublishedError::Voided);
    }
    let (asked, list, round) = opened(files, key, latest)?;
    let certificate = Certificate::parse(file(files, "certificate.json")?)?;
    let certified = certificate.verify(&round)?;
    only(files, list, &certified)?;
    let mut masked = Vec::new();
    for survivor in &certified.survivors().uploads {
        let hospital = &survivor.hospital;
        let bytes = file(files, &format!("upload-{hospital}"))?;
        let read = vector(&round, bytes);
        masked.push(read.map_err(|error| PublishedError::Upload(hospital.clone(), error))?);
    }
    let mut sent = Vec::new();
    for (_, bytes) in files.iter().filter(|(name, _)| name.starts_with("sum-")) {
        sent.push(Sent::parse(&round, bytes)?);
    }
    let sums = mask_sums(&round, &certified, &sent)?;
    let totals = total(&round, &certified, &masked, &sums)?;
    let written: Written = wire::read(file(files, "totals.json")?, canonical::MAX_BYTES)
        .map_err(|_| PublishedError::OtherTotals)?;
    if written != Written::of(&round, &certified, &totals) {
        return Err(PublishedError::OtherTotals);
    }
    let dissenters = sums.iter().flat_map(MaskSum::dissenters).cloned().collect();
    Ok(Verified {
        asked,
        round,
        list,
        votes: certificate.votes.len(),
        certified,
        totals,
        dissenters,
    })
}

/// What was asked, the version of the cited list, and the round.
pub(super) fn opened(
    files: &Files,
    key: &PublicKey,
    latest: Timestamp,
) -> Result<(Asked, u32, Round), PublishedError> {
    if let Some(other) = key::beside(files)?.filter(|beside| beside != key) {
        return Err(PublishedError::OtherKey(other.fingerprint()));
    }
    let offer = Offer::parse(file(files, "offer.json")?)?;
    let (asked, _, manifest) = offer.open(key)?;
    if manifest.opened > latest {
        return Err(ManifestError::NotNow.into());
    }
    let pinned = cited(files, &manifest, key)?;
    let round = open_round(&offer, pinned.list().clone(), key)?;
    Ok((asked, pinned.list().version, round))
}

pub(super) fn file<'f>(files: &'f Files, name: &str) -> Result<&'f [u8], PublishedError> {
    let bytes = files.get(name).map(Vec::as_slice);
    bytes.ok_or_else(|| PublishedError::Missing(name.to_owned()))
}

/// Follows the lists from the first one to the one that the manifest cites, as a node does.
fn cited(files: &Files, manifest: &Manifest, key: &PublicKey) -> Result<Pinned, PublishedError> {
    let least = Policy::floors().t_max;
    let signed = |version: u32| {
        let bytes = file(files, &list_name(version))?;
        Ok::<_, PublishedError>(SignedList::parse(bytes)?)
    };
    let mut pinned = Pinned::first(&signed(1)?, key, least)?;
    while pinned.hash() != manifest.key_list {
        let version = pinned.list().version.saturating_add(1);
        match pinned.follow(&signed(version)?, key, least)? {
            Followed::Next(next) => pinned = *next,
            // A file that holds the version before under a new name.
            Followed::Same => return Err(KeyListError::Version { expected: version }.into()),
        }
    }
    Ok(pinned)
}

/// The file of a version of the key list.
pub fn list_name(version: u32) -> String {
    format!("list-{version}.json")
}

/// Refuses files that the publication does not need: nobody looks at them.
fn only(files: &Files, list: u32, certified: &Certified) -> Result<(), PublishedError> {
    let set = certified.survivors().hospitals();
    let known = |name: &str| {
        let upload = name.strip_prefix("upload-");
        let version = name.strip_prefix("list-");
        let version = version.and_then(|rest| rest.strip_suffix(".json")?.parse::<u32>().ok());
        ["offer.json", "certificate.json", "totals.json", KEY].contains(&name)
            || name.starts_with("sum-")
            || upload.is_some_and(|name| set.iter().any(|one| one.as_str() == name))
            || version.is_some_and(|version| version <= list && name == list_name(version))
    };
    match files.keys().find(|name| !known(name)) {
        Some(name) => Err(PublishedError::Stray(name.clone())),
        None => Ok(()),
    }
}

fn vector(round: &Round, bytes: &[u8]) -> Result<Masked, UploadError> {
    let most = [wire::MAX_SEALED, round.cells().saturating_mul(8)];
    let parts = wire::split(bytes, &most)?;
    let [sealed, vector] = parts.as_slice() else {
        return Err(WireError::Part(0).into());
    };
    Masked::parse(round, sealed, vector)
}
