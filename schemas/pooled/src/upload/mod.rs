//! A hospital's one upload: its masked vector, a box for every committee member, and the signed
//! digests of both.

mod make;

pub use make::Secrets;

use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{Message, SealError, Sealed};
use serde::{Deserialize, Serialize};

use crate::boxes::{BoxError, OVERHEAD};
use crate::manifest::Round;
use crate::mask::{MaskError, Seed};
use crate::shape::Shape;
use crate::wire::{self, MAX_SEALED, WireError, vector_digest};

/// What a hospital signs about its upload.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    /// H(M).
    pub manifest: Digest,
    /// Who uploads.
    pub hospital: Slug,
    /// Digest of the masked vector.
    pub vector: Digest,
    /// Digests of the boxes, by seat.
    pub boxes: Vec<Digest>,
    /// Commitments to the seeds, by rising class.
    pub seeds: Vec<Digest>,
}

impl Message for Parts {
    const TAG: &'static str = "cams-upload-v1";
}

/// Why an upload is not made or not taken.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The bytes.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The hospital's signature.
    #[error("the upload's signature: {0}")]
    Seal(#[from] SealError),
    /// Not asked.
    #[error("the hospital is not in the round's roster")]
    NotAsked,
    /// Signed for another round.
    #[error("the upload belongs to another round")]
    OtherRound,
    /// The vector.
    #[error("the vector does not have the round's cells, or is not the one signed")]
    Vector,
    /// Boxes or commitments.
    #[error(
        "boxes or commitments are not those that the committee's shape asks for, or not those signed"
    )]
    Boxes,
    /// The random source.
    #[error(transparent)]
    Mask(#[from] MaskError),
    /// A seat's key.
    #[error(transparent)]
    Box(#[from] BoxError),
}

/// A hospital's masked vector and what it signed about it: what the sum is made from and what a
/// verifier is given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Masked {
    hospital: Slug,
    digest: Digest,
    parts: Parts,
    sealed: Sealed<Parts>,
    vector: Vec<u64>,
}

/// A verified upload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Upload {
    masked: Masked,
    boxes: Vec<Vec<u8>>,
}

impl Upload {
    /// The bytes that are stored and sent: signed parts, vector, boxes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, UploadError> {
        let sealed = wire::write(&self.masked.sealed)?;
        let vector = wire::vector_bytes(&self.masked.vector);
        let mut parts: Vec<&[u8]> = vec![&sealed, &vector];
        parts.extend(self.boxes.iter().map(Vec::as_slice));
        Ok(wire::join(&parts)?)
    }

    /// Reads and verifies an upload of this round, up to what only committee members can check.
    pub fn parse(round: &Round, bytes: &[u8]) -> Result<Self, UploadError> {
        let parts = split(round, bytes)?;
        let [sealed, vector, boxes @ ..] = parts.as_slice() else {
            return Err(WireError::Part(0).into());
        };
        let masked = Masked::parse(round, sealed, vector)?;
        Self::of(masked, box_length(round.shape()), boxes)
    }

    /// Reads an upload that was verified when it came, by the digest that was kept then: as
    /// [`Masked::kept`], with its boxes.
    pub fn kept(round: &Round, digest: Digest, bytes: &[u8]) -> Result<Self, UploadError> {
        let parts = split(round, bytes)?;
        let [sealed, vector, boxes @ ..] = parts.as_slice() else {
            return Err(WireError::Part(0).into());
        };
        let masked = Masked::by_digest(round, digest, sealed, vector)?;
        Self::of(masked, box_length(round.shape()), boxes)
    }

    /// The boxes held against what was signed about them.
    fn of(masked: Masked, length: usize, boxes: &[&[u8]]) -> Result<Self, UploadError> {
        let fits = |(sealed, digest): (&&[u8], &Digest)| {
            sealed.len() == length && box_digest(sealed) == *digest
        };
        // As many of both as there are seats: `split` and `Masked` saw to that.
        if !boxes.iter().zip(&masked.parts.boxes).all(fits) {
            return Err(UploadError::Boxes);
        }
        let boxes = boxes.iter().map(|sealed| sealed.to_vec()).collect();
        Ok(Self { masked, boxes })
    }

    /// The masked vector.
    pub fn masked(&self) -> &Masked {
        &self.masked
    }

    /// The box for a seat.
    pub fn sealed_box(&self, seat: u8) -> Option<&[u8]> {
        self.boxes.get(usize::from(seat)).map(Vec::as_slice)
    }
}

impl Masked {
    /// Reads and verifies signed parts and vector, without boxes.
    pub fn parse(round: &Round, sealed: &[u8], vector: &[u8]) -> Result<Self, UploadError> {
        Self::opened(round, wire::read(sealed, MAX_SEALED)?, vector)
    }

    fn opened(round: &Round, sealed: Sealed<Parts>, vector: &[u8]) -> Result<Self, UploadError> {
        let (parts, digest) = open_parts(round, &sealed)?;
        Self::signed(round, sealed, (parts, digest), vector)
    }

    /// Reads the masked vector out of an upload that was verified when it came, by the digest that
    /// was kept then: the signature is not checked again, which is what keeps the sum of a
    /// thousand hospitals cheap. Verifiers of a publication use [`Masked::parse`].
    pub fn kept(round: &Round, digest: Digest, bytes: &[u8]) -> Result<Self, UploadError> {
        let parts = split(round, bytes)?;
        let [sealed, vector, ..] = parts.as_slice() else {
            return Err(WireError::Part(0).into());
        };
        Self::by_digest(round, digest, sealed, vector)
    }

    fn by_digest(
        round: &Round,
        digest: Digest,
        sealed: &[u8],
        vector: &[u8],
    ) -> Result<Self, UploadError> {
        // The digest is of what is inside: the envelope need not be canonical once more.
        let sealed: Sealed<Parts> = canonical::read(sealed).map_err(WireError::from)?;
        let parts = sealed.cited(&digest)?;
        if parts.manifest != *round.hash() {
            return Err(UploadError::OtherRound);
        }
        Self::signed(round, sealed, (parts, digest), vector)
    }

    /// The vector held against what was signed about it.
    fn signed(
        round: &Round,
        sealed: Sealed<Parts>,
        (parts, digest): (Parts, Digest),
        vector: &[u8],
    ) -> Result<Self, UploadError> {
        if vector_digest(vector) != parts.vector {
            return Err(UploadError::Vector);
        }
        let vector = wire::vector(vector, round.cells()).ok_or(UploadError::Vector)?;
        let hospital = parts.hospital.clone();
        Ok(Self {
            hospital,
            digest,
            parts,
            sealed,
            vector,
        })
    }

    /// Whose it is.
    pub fn hospital(&self) -> &Slug {
        &self.hospital
    }

    /// The upload's digest, which survivor sets cite.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// What was signed, for committee members and verifiers.
    pub fn sealed(&self) -> &Sealed<Parts> {
        &self.sealed
    }

    /// The masked vector.
    pub fn vector(&self) -> &[u64] {
        &self.vector
    }
}

/// The parts of a stored upload: what is signed, the vector, a box for every seat.
fn split<'b>(round: &Round, bytes: &'b [u8]) -> Result<Vec<&'b [u8]>, WireError> {
    let length = box_length(round.shape());
    let mut most = vec![MAX_SEALED, round.cells().saturating_mul(8)];
    most.extend(round.seats().iter().map(|_| length));
    wire::split(bytes, &most)
}

/// Opens a hospital's signed parts and checks them against the round; gives the upload's digest.
pub(crate) fn open_parts(
    round: &Round,
    sealed: &Sealed<Parts>,
) -> Result<(Parts, Digest), UploadError> {
    // Keys in a key list are distinct, so the claimed key names the hospital.
    let signer = round.signer(&sealed.claimed_key());
    let (hospital, key) = signer.ok_or(UploadError::NotAsked)?;
    let parts = sealed.open(key)?;
    if parts.manifest != *round.hash() {
        return Err(UploadError::OtherRound);
    }
    if parts.hospital != *hospital {
        return Err(UploadError::NotAsked);
    }
    let shape = round.shape();
    if parts.boxes.len() != round.seats().len() || parts.seeds.len() != shape.classes().len() {
        return Err(UploadError::Boxes);
    }
    Ok((parts, sealed.digest()?))
}

/// Digest of a box.
pub(crate) fn box_digest(sealed: &[u8]) -> Digest {
    Digest::of("cams-sealed-box-v1", &[sealed])
}

/// Every box of a committee has this length: the seeds of a seat's classes on end.
pub(crate) fn box_length(shape: Shape) -> usize {
    shape.classes_of(0).len() * Seed::BYTES + OVERHEAD
}
