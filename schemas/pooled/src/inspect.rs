//! What a committee member does before it votes, and once a set is certified: check every
//! hospital's parts and box, then add the masks of its classes up.

use std::collections::BTreeMap;

use proofs::exchange::Bytes;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::Sealed;
use serde::{Deserialize, Serialize};

use crate::boxes::{BoxSecret, Context};
use crate::manifest::Round;
use crate::mask::{MaskError, Owner, Seed};
use crate::shape::Class;
use crate::survivors::{Certified, Survivor, Survivors, SurvivorsError};
use crate::upload::{Parts, Upload, box_digest, box_length, open_parts};
use crate::wire::{self, WireError};

/// One hospital's part of a proposal to one member.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handed {
    /// What the hospital signed.
    pub parts: Sealed<Parts>,
    /// The box for this member.
    pub sealed_box: Bytes,
}

/// A survivor set as the coordinator sends it to one member, with what that member checks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// The set.
    pub survivors: Survivors,
    /// In the set's order.
    pub handed: Vec<Handed>,
}

/// What is wrong with a hospital's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not signed by the hospital, or for another round or shape.
    #[error("its parts are not signed by it for this round")]
    Parts,
    /// Another upload than the set says.
    #[error("its parts are not those of the upload in the set")]
    Upload,
    /// The box is not the one that the hospital signed.
    #[error("its box is not the one that it signed")]
    Swapped,
    /// The box does not open, or holds something else than seeds.
    #[error("its box does not open")]
    Closed,
    /// A seed that is not the one committed to.
    #[error("a seed is not the one that it committed to")]
    Seed,
}

/// Why a proposal is not signed.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The bytes.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The set.
    #[error(transparent)]
    Survivors(#[from] SurvivorsError),
    /// No seat of that name in the round.
    #[error("this member has no seat in the round")]
    NoSeat,
    /// As many parts as survivors are needed.
    #[error("the proposal does not hold one part for every survivor")]
    Handed,
    /// Hospitals to complain about, each with its fault.
    #[error("{} hospitals of the proposal are to be complained about", .0.len())]
    Faulty(Vec<(Slug, Fault)>),
    /// The certificate is for another set.
    #[error("the certificate is for another set than the one inspected")]
    OtherSet,
    /// The library.
    #[error(transparent)]
    Mask(#[from] MaskError),
}

/// An inspected set: the seeds of this seat's classes. Seeds are wiped when it is dropped.
#[derive(Debug)]
pub struct Inspected {
    survivors: Digest,
    seeds: Vec<(Slug, Vec<(Class, Seed)>)>,
}

impl Proposal {
    /// A proposal to a seat, from the uploads of its survivors in the set's order.
    pub fn to_seat<'u>(
        survivors: &Survivors,
        uploads: impl IntoIterator<Item = &'u Upload>,
        seat: u8,
    ) -> Self {
        let handed = uploads.into_iter().filter_map(|upload| {
            let sealed_box = Bytes(upload.sealed_box(seat)?.to_vec());
            let parts = upload.masked().sealed().clone();
            Some(Handed { parts, sealed_box })
        });
        Self {
            survivors: survivors.clone(),
            handed: handed.collect(),
        }
    }

    /// Longest proposal, in bytes.
    pub const MAX_BYTES: usize = 12 * 1024 * 1024;

    /// Reads a proposal; nothing in it is believed yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, InspectError> {
        Ok(wire::read(bytes, Self::MAX_BYTES)?)
    }

    /// Checks the set and every hospital's part for this member. Only after this, and after the
    /// family rule, is the vote stored and signed.
    pub fn inspect(
        &self,
        round: &Round,
        member: &Slug,
        secret: &BoxSecret,
    ) -> Result<Inspected, InspectError> {
        let survivors = self.survivors.check(round)?;
        let (seat, _) = round.seat(member).ok_or(InspectError::NoSeat)?;
        if self.handed.len() != self.survivors.uploads.len() {
            return Err(InspectError::Handed);
        }
        let (mut seeds, mut faulty) = (Vec::with_capacity(self.handed.len()), Vec::new());
        for (survivor, handed) in self.survivors.uploads.iter().zip(&self.handed) {
            match seeds_of(round, (seat, member), secret, survivor, handed) {
                Ok(opened) => seeds.push((survivor.hospital.clone(), opened)),
                Err(fault) => faulty.push((survivor.hospital.clone(), fault)),
            }
        }
        if faulty.is_empty() {
            Ok(Inspected { survivors, seeds })
        } else {
            Err(InspectError::Faulty(faulty))
        }
    }
}

fn seeds_of(
    round: &Round,
    (seat, member): (u8, &Slug),
    secret: &BoxSecret,
    survivor: &Survivor,
    handed: &Handed,
) -> Result<Vec<(Class, Seed)>, Fault> {
    let (parts, digest) = open_parts(round, &handed.parts).map_err(|_| Fault::Parts)?;
    if parts.hospital != survivor.hospital || digest != survivor.upload {
        return Err(Fault::Upload);
    }
    // Without this the coordinator could hand in a box with seeds of its own, of all hospitals
    // but one, and so unmask that one.
    let sealed = &handed.sealed_box.0;
    if parts.boxes.get(usize::from(seat)) != Some(&box_digest(sealed)) {
        return Err(Fault::Swapped);
    }
    if sealed.len() != box_length(round.shape()) {
        return Err(Fault::Closed);
    }
    let context = Context {
        round: round.hash(),
        hospital: &survivor.hospital,
        member,
    };
    let content = secret.open(&context, sealed).map_err(|_| Fault::Closed)?;
    let (bytes, rest) = content.as_chunks::<{ Seed::BYTES }>();
    let classes = round.shape().classes_of(seat);
    if !rest.is_empty() || bytes.len() != classes.len() {
        return Err(Fault::Closed);
    }
    let committed: BTreeMap<Class, &Digest> = round
        .shape()
        .classes()
        .into_iter()
        .zip(&parts.seeds)
        .collect();
    let mut seeds = Vec::with_capacity(classes.len());
    for (class, bytes) in classes.into_iter().zip(bytes) {
        let seed = Seed::from_bytes(*bytes);
        let owner = Owner {
            round: round.hash(),
            hospital: &survivor.hospital,
            class,
        };
        if committed.get(&class) != Some(&&seed.commitment(&owner)) {
            return Err(Fault::Seed);
        }
        seeds.push((class, seed));
    }
    Ok(seeds)
}

impl Inspected {
    /// h_U of the inspected set.
    pub fn survivors(&self) -> &Digest {
        &self.survivors
    }

    /// The sums of the survivors' masks by class, for a certified set that is the inspected one.
    pub fn sums(
        &self,
        round: &Round,
        certified: &Certified,
    ) -> Result<BTreeMap<Class, Vec<u64>>, InspectError> {
        if certified.digest() != &self.survivors {
            return Err(InspectError::OtherSet);
        }
        let mut sums: BTreeMap<Class, Vec<u64>> = BTreeMap::new();
        for (hospital, seeds) in &self.seeds {
            for (class, seed) in seeds {
                let sum = sums.entry(*class).or_insert_with(|| vec![0; round.cells()]);
                let owner = Owner {
                    round: round.hash(),
                    hospital,
                    class: *class,
                };
                seed.add_mask(&owner, sum)?;
            }
        }
        Ok(sums)
    }
}
