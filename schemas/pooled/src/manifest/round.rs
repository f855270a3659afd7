//! Checking a manifest: what a node and a committee member refuse alike.

use std::collections::{BTreeMap, BTreeSet};

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{PublicKey, Sealed};
use schemas::time::Timestamp;

use super::{LONGEST, MAX_BLOCKS, MAX_ROSTER, Manifest, ManifestError};
use crate::boxes::BoxKey;
use crate::key_list::{Committee, Kind, Member, Pinned, SeatKey};
use crate::shape::Shape;
use crate::threshold::{Policy, ThresholdError, Thresholds};
use crate::wire::{self, MAX_CELLS};

/// What a node or member holds against a manifest.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'t> {
    /// The coordinator's message key.
    pub coordinator: &'t PublicKey,
    /// The key list that is followed.
    pub pinned: &'t Pinned,
    /// The local policy.
    pub policy: &'t Policy,
    /// Fingerprints of the members that the local steward accepted.
    pub accepted: &'t BTreeSet<Digest>,
}

/// One seat of a round.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeatAt {
    /// Who sits there.
    pub member: Slug,
    /// Its message key.
    pub key: PublicKey,
    /// Its key for boxes.
    pub box_key: BoxKey,
}

/// A checked manifest with what the key list says about its parties.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Round {
    manifest: Manifest,
    hash: Digest,
    shape: Shape,
    seats: Vec<SeatAt>,
    hospitals: Vec<PublicKey>,
    by_key: BTreeMap<Digest, usize>,
    bounds: Vec<i128>,
}

impl Round {
    /// Checks a manifest at a moment: every rule that needs no question, data or history. The
    /// caller still compiles the question itself (layout, blocks, families), asks the family rule,
    /// and knows whether the round's name is new.
    ///
    /// The moment is that of first acceptance. The caller keeps manifest, moment and key list, and
    /// opens the round with the same ones again after a restart, when a newer list may be pinned;
    /// [`Self::takes_uploads`] and [`Self::answers`] then judge by the clock.
    pub fn open(
        sealed: &Sealed<Manifest>,
        trust: &Trust<'_>,
        now: Timestamp,
    ) -> Result<Self, ManifestError> {
        let manifest = sealed.open(trust.coordinator)?;
        let hash = sealed.digest()?;
        let list = trust.pinned.list();
        if manifest.alliance != list.alliance {
            return Err(ManifestError::Alliance);
        }
        if manifest.key_list != trust.pinned.hash() {
            return Err(ManifestError::OtherList);
        }
        trust.pinned.check_valid(now)?;
        check_times(&manifest, now)?;
        let committee = list.committee(manifest.epoch);
        let committee = committee.filter(|committee| committee.f == manifest.f);
        let committee = committee.ok_or(ManifestError::Committee)?;
        let shape = committee.shape()?;
        let asked = roster(&manifest, trust)?;
        let seats = seats(&manifest, committee, trust)?;
        let thresholds = thresholds(&manifest, shape, &asked, &seats, trust.pinned);
        if manifest.t > list.t_max {
            return Err(ManifestError::AboveMost);
        }
        thresholds.check(trust.policy)?;
        let bounds = bounds(&manifest, &thresholds)?;
        let hospitals: Vec<PublicKey> = asked.into_iter().map(|member| member.key).collect();
        let fingerprints = hospitals.iter().map(PublicKey::fingerprint);
        let by_key = fingerprints.zip(0..).collect();
        Ok(Self {
            manifest,
            hash,
            shape,
            seats,
            hospitals,
            by_key,
            bounds,
        })
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// H(M).
    pub fn hash(&self) -> &Digest {
        &self.hash
    }

    /// The committee's shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The committee's seats in order.
    pub fn seats(&self) -> &[SeatAt] {
        &self.seats
    }

    /// Cells of the whole vector.
    pub fn cells(&self) -> usize {
        self.manifest.cells()
    }

    /// Greatest absolute value of each block's sum, in its fixed-point units.
    pub fn bounds(&self) -> &[i128] {
        &self.bounds
    }

    /// The message key of a hospital of the roster.
    pub fn hospital(&self, id: &Slug) -> Option<&PublicKey> {
        let place = self.manifest.roster.binary_search(id).ok()?;
        self.hospitals.get(place)
    }

    /// The hospital of the roster whose key has this fingerprint.
    pub(crate) fn signer(&self, fingerprint: &Digest) -> Option<(&Slug, &PublicKey)> {
        let place = *self.by_key.get(fingerprint)?;
        Some((self.manifest.roster.get(place)?, self.hospitals.get(place)?))
    }

    /// The seat of a member, by number and record.
    pub fn seat(&self, member: &Slug) -> Option<(u8, &SeatAt)> {
        let place = self.seats.iter().position(|seat| seat.member == *member)?;
        Some((u8::try_from(place).ok()?, self.seats.get(place)?))
    }

    /// Whether uploads are still taken.
    pub fn takes_uploads(&self, now: Timestamp) -> bool {
        self.manifest.opened <= now && now <= self.manifest.closes
    }

    /// Whether members may vote that the round ends without a result: not while hospitals may still
    /// upload, whatever the coordinator says.
    pub fn may_be_voided(&self, now: Timestamp) -> bool {
        now > self.manifest.closes
    }

    /// Whether members still answer.
    pub fn answers(&self, now: Timestamp) -> bool {
        self.manifest.opened <= now && now <= self.manifest.answer_by
    }
}

fn check_times(manifest: &Manifest, now: Timestamp) -> Result<(), ManifestError> {
    let (opened, closes, last) = (manifest.opened, manifest.closes, manifest.answer_by);
    let latest = opened.0.checked_add(LONGEST).ok_or(ManifestError::Times)?;
    if opened >= closes || closes > last || last.0 > latest {
        return Err(ManifestError::Times);
    }
    if now < opened || now > last {
        return Err(ManifestError::NotNow);
    }
    Ok(())
}

fn roster<'t>(manifest: &Manifest, trust: &Trust<'t>) -> Result<Vec<&'t Member>, ManifestError> {
    let roster = &manifest.roster;
    if roster.len() > MAX_ROSTER || !roster.is_sorted_by(|one, next| one < next) {
        return Err(ManifestError::Roster);
    }
    let list = trust.pinned.list();
    let mut asked = Vec::with_capacity(roster.len());
    for id in roster {
        let member = list
            .member(id)
            .filter(|member| member.kind == Kind::Hospital);
        let member = member.ok_or(ManifestError::Roster)?;
        accepted(member, trust)?;
        asked.push(member);
    }
    Ok(asked)
}

fn seats(
    manifest: &Manifest,
    committee: &Committee,
    trust: &Trust<'_>,
) -> Result<Vec<SeatAt>, ManifestError> {
    let list = trust.pinned.list();
    let mut seats = Vec::with_capacity(committee.seats.len());
    for seat in &committee.seats {
        let member = list.member(&seat.member).ok_or(ManifestError::Committee)?;
        accepted(member, trust)?;
        let opened: Result<Vec<_>, _> = seat.keys.iter().map(|key| key.open(&member.key)).collect();
        let fits =
            |key: &SeatKey| key.month == manifest.key_month && key.valid_to >= manifest.answer_by;
        let key = opened?.into_iter().find(fits);
        let key = key.ok_or_else(|| ManifestError::SeatKey(member.id.clone()))?;
        seats.push(SeatAt {
            member: member.id.clone(),
            key: member.key,
            box_key: key.key,
        });
    }
    Ok(seats)
}

fn accepted(member: &Member, trust: &Trust<'_>) -> Result<(), ManifestError> {
    let fingerprint = member.fingerprint().map_err(wire::WireError::from)?;
    if trust.accepted.contains(&fingerprint) {
        Ok(())
    } else {
        Err(ManifestError::Newcomer(member.id.clone()))
    }
}

fn thresholds(
    manifest: &Manifest,
    shape: Shape,
    asked: &[&Member],
    seats: &[SeatAt],
    pinned: &Pinned,
) -> Thresholds {
    let mut entities: BTreeMap<&Slug, usize> = BTreeMap::new();
    for member in asked {
        let hospitals = entities.entry(&member.entity).or_default();
        *hospitals = hospitals.saturating_add(1);
    }
    let both = seats.iter().filter(|seat| {
        let member = pinned.list().member(&seat.member);
        member.is_some_and(|member| entities.contains_key(&member.entity))
    });
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Thresholds {
        shape,
        t: manifest.t,
        n_min: manifest.n_min,
        roster: count(asked.len()),
        both: count(both.count()),
        entities: count(entities.len()),
        largest: count(entities.values().copied().max().unwrap_or_default()),
    }
}

fn bounds(manifest: &Manifest, thresholds: &Thresholds) -> Result<Vec<i128>, ManifestError> {
    let blocks = &manifest.blocks;
    let sound = (1..=MAX_BLOCKS).contains(&blocks.len())
        && manifest.cells() <= MAX_CELLS
        && manifest.period.is_sound();
    if !sound {
        return Err(ManifestError::Cells);
    }
    let mut bounds = Vec::with_capacity(blocks.len());
    for (block, one) in blocks.iter().enumerate() {
        if !thresholds.carries(one.sigma_total, one.sigma_share) {
            return Err(ThresholdError::Variance { block }.into());
        }
        let bound = one.bound(manifest.roster.len(), manifest.max_rows);
        bounds.push(bound.map_err(|fault| ManifestError::Range { block, fault })?);
    }
    Ok(bounds)
}
