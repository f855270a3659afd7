//! The rule against differencing by hospital: sums of one family over overlapping months are
//! unmasked for one survivor set, the same in every round. A quorum of seats can hold to that and to
//! nothing weaker: any two quorums share an honest seat, which knows both sets, but no honest seat need
//! know three, and three sets that are pairwise far apart can isolate one hospital.
//! A pure rule over what was certified or voted for before; who asks keeps that list as long as the
//! data can be asked about.

use std::collections::BTreeSet;

use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::question::Dataset;
use schemas::time::Period;
use serde::{Deserialize, Serialize};

use crate::manifest::Manifest;
use crate::survivors::Survivors;

/// A set that was certified before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earlier {
    /// The families of its round's blocks.
    pub families: BTreeSet<Digest>,
    /// Its months.
    pub period: Period,
    /// The set.
    pub survivors: BTreeSet<Slug>,
}

/// Why a set is refused: data-independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FamilyError {
    /// Another set than an earlier one.
    #[error(
        "the set differs from an earlier one of these months by {}, and all sums over \
         overlapping months must be of the very same set: ask about other months, or wait until all \
         hospitals of the earlier set take part and no other",
        hospitals(.difference)
    )]
    Other {
        /// Hospitals in one of the two only.
        difference: usize,
    },
}

fn hospitals(number: &usize) -> String {
    match number {
        1 => "1 hospital".to_owned(),
        more => format!("{more} hospitals"),
    }
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
            survivors: survivors.hospitals(),
        }
    }

    fn meets(&self, other: &Self) -> bool {
        let overlap = self.period.from <= other.period.to && other.period.from <= self.period.to;
        overlap && !self.families.is_disjoint(&other.families)
    }
}

/// Whether a set may be certified after the earlier ones: it is the set of each that shares a family
/// and a month with it.
pub fn check(
    manifest: &Manifest,
    survivors: &Survivors,
    earlier: &[Earlier],
) -> Result<(), FamilyError> {
    let this = Earlier::of(manifest, survivors);
    for before in earlier.iter().filter(|before| this.meets(before)) {
        let apart = this.survivors.symmetric_difference(&before.survivors);
        let difference = apart.count();
        if difference != 0 {
            return Err(FamilyError::Other { difference });
        }
    }
    Ok(())
}
