//! The hospital's side: masks and boxes from fresh secrets.

use std::collections::BTreeMap;

use ring::rand::{SecureRandom as _, SystemRandom};
use schemas::id::Slug;
use schemas::seal::{Sealed, Signer};
use zeroize::Zeroizing;

use super::{Masked, Parts, Upload, UploadError, box_digest, box_length};
use crate::boxes::{Context, DRAWN};
use crate::manifest::Round;
use crate::mask::{MaskError, Owner, Seed};
use crate::shape::{Class, Shape};
use crate::wire::{self, vector_digest};

/// Everything random about an upload. Wiped when dropped; never stored, never used twice.
pub struct Secrets {
    seeds: Vec<(Class, Seed)>,
    boxes: Vec<Zeroizing<[u8; DRAWN]>>,
}

impl Secrets {
    /// Fresh secrets for one upload.
    pub fn random(shape: Shape) -> Result<Self, MaskError> {
        let seeds: Result<_, MaskError> = shape
            .classes()
            .into_iter()
            .map(|class| Ok((class, Seed::random()?)))
            .collect();
        let mut boxes = Vec::with_capacity(Shape::MAX_SEATS);
        for _ in 0..shape.m() {
            let mut drawn = Zeroizing::new([0; DRAWN]);
            let filled = SystemRandom::new().fill(&mut *drawn);
            filled.map_err(|_| MaskError)?;
            boxes.push(drawn);
        }
        Ok(Self {
            seeds: seeds?,
            boxes,
        })
    }

    /// Secrets from given bytes, for test vectors: a seed for each class, 64 bytes for each box.
    pub fn fixed(shape: Shape, seeds: &[[u8; 32]], boxes: &[[u8; DRAWN]]) -> Self {
        let seeds = seeds.iter().map(|bytes| Seed::from_bytes(*bytes));
        Self {
            seeds: shape.classes().into_iter().zip(seeds).collect(),
            boxes: boxes.iter().map(|bytes| Zeroizing::new(*bytes)).collect(),
        }
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(secret)")
    }
}

impl Upload {
    /// Masks a hospital's noised vector and seals the seeds. `noised` holds values plus noise share
    /// in fixed-point units, cell by cell; the caller wipes it, stores [`Self::to_bytes`] durably
    /// and sends the same bytes whenever it sends.
    pub fn make(
        round: &Round,
        hospital: &Slug,
        signer: &Signer,
        noised: &[i64],
        secrets: Secrets,
    ) -> Result<Self, UploadError> {
        if round.hospital(hospital) != Some(&signer.public()) {
            return Err(UploadError::NotAsked);
        }
        if noised.len() != round.cells() {
            return Err(UploadError::Vector);
        }
        let Secrets { seeds, boxes } = secrets;
        let mut vector: Vec<u64> = noised.iter().map(|cell| cell.cast_unsigned()).collect();
        let mut commitments = Vec::with_capacity(seeds.len());
        for (class, seed) in &seeds {
            let owner = Owner {
                round: round.hash(),
                hospital,
                class: *class,
            };
            seed.add_mask(&owner, &mut vector)?;
            commitments.push(seed.commitment(&owner));
        }
        let boxes = seal_boxes(round, hospital, &seeds, &boxes)?;
        let bytes = wire::vector_bytes(&vector);
        let parts = Parts {
            manifest: *round.hash(),
            hospital: hospital.clone(),
            vector: vector_digest(&bytes),
            boxes: boxes.iter().map(|sealed| box_digest(sealed)).collect(),
            seeds: commitments,
        };
        let sealed = Sealed::seal(signer, &parts)?;
        Ok(Self {
            masked: Masked::opened(round, sealed, &bytes)?,
            boxes,
        })
    }
}

fn seal_boxes(
    round: &Round,
    hospital: &Slug,
    seeds: &[(Class, Seed)],
    drawn: &[Zeroizing<[u8; DRAWN]>],
) -> Result<Vec<Vec<u8>>, UploadError> {
    let seeds: BTreeMap<Class, &Seed> = seeds.iter().map(|(class, seed)| (*class, seed)).collect();
    if seeds.len() != round.shape().classes().len() || drawn.len() != round.seats().len() {
        return Err(UploadError::Boxes);
    }
    let mut boxes = Vec::with_capacity(drawn.len());
    for ((seat, at), drawn) in (0_u8..).zip(round.seats()).zip(drawn) {
        let mut content = Zeroizing::new(Vec::with_capacity(box_length(round.shape())));
        for class in round.shape().classes_of(seat) {
            let seed = seeds.get(&class).ok_or(UploadError::Boxes)?;
            content.extend_from_slice(seed.as_bytes());
        }
        let context = Context {
            round: round.hash(),
            hospital,
            member: &at.member,
        };
        boxes.push(at.box_key.seal(&context, drawn, &content)?);
    }
    Ok(boxes)
}
