//! The rule against differencing by hospital: sums of one family over overlapping months are
//! unmasked for at most two survivor sets, which are equal or differ by at least `t + 2` hospitals.
//! A pure rule over what was certified before; who asks keeps that list as long as the data can be
//! asked about.

use std::collections::BTreeSet;

use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::question::Dataset;
use schemas::time::Period;
use serde::{Deserialize, Serialize};

use crate::manifest::Manifest;
use crate::survivors::Survivors;

/// Most distinct survivor sets of one family.
pub const MAX_SETS: usize = 2;

/// A set that was certified before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earlier {
    /// The families of its round's blocks.
    pub families: BTreeSet<Digest>,
    /// Its months.
    pub period: Period,
    /// Its t.
    pub t: u32,
    /// The set.
    pub survivors: BTreeSet<Slug>,
}

/// Why a set is refused: data-independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FamilyError {
    /// Too like an earlier set.
    #[error(
        "the set differs from one published before by {difference} hospitals, it must be the same \
         or differ by {least}"
    )]
    Close {
        /// Hospitals in one of the two only.
        difference: usize,
        /// The least difference.
        least: usize,
    },
    /// A third set.
    #[error("{MAX_SETS} different sets were published for these figures already")]
    Sets,
}

/// The family of everything that is asked about a dataset: of each of its blocks, whatever the words.
///
/// Figures of one dataset hang together, so that a sum over one set of hospitals, less another figure
/// over the set without one of them, is about that one: cells add up to those of coarser tables and
/// wider filters, shares' numerators are cells of finer tables, items add up to their whole, any
/// field's bins add up to the stays, and their middles to about its sum. A relation that is followed
/// through all of these leaves no two questions apart, so none are told apart: neither by filters (one
/// that names all keys is no filter), nor by dimensions, measures, fields, bounds or dictionaries.
pub fn family(dataset: Dataset) -> Result<Digest, canonical::Error> {
    canonical::digest("cams-family-v2", &dataset)
}

impl Earlier {
    /// What is kept of a certified set.
    pub fn of(manifest: &Manifest, survivors: &Survivors) -> Self {
        Self {
            families: manifest.blocks.iter().map(|block| block.family).collect(),
            period: manifest.period,
            t: manifest.t,
            survivors: survivors.hospitals(),
        }
    }

    fn meets(&self, other: &Self, family: &Digest) -> bool {
        let overlap = self.period.from <= other.period.to && other.period.from <= self.period.to;
        overlap && other.families.contains(family)
    }
}

/// Whether a set may be certified after the earlier ones.
pub fn check(
    manifest: &Manifest,
    survivors: &Survivors,
    earlier: &[Earlier],
) -> Result<(), FamilyError> {
    let this = Earlier::of(manifest, survivors);
    for family in &this.families {
        let mut sets = BTreeSet::from([&this.survivors]);
        for before in earlier.iter().filter(|before| this.meets(before, family)) {
            let difference = this
                .survivors
                .symmetric_difference(&before.survivors)
                .count();
            let t = usize::try_from(this.t.max(before.t)).unwrap_or(usize::MAX);
            let least = t.saturating_add(2);
            if difference != 0 && difference < least {
                return Err(FamilyError::Close { difference, least });
            }
            sets.insert(&before.survivors);
        }
        if sets.len() > MAX_SETS {
            return Err(FamilyError::Sets);
        }
    }
    Ok(())
}
