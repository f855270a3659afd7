//! The ids of a folder: sixteen bytes each in memory, and where references to them lead.

use std::collections::{BTreeMap, BTreeSet};

use super::FhirRule;
use super::files::Kind;
use super::resource::Reference;

/// Most resources of a type.
const MOST: usize = 5_000_000;

/// What stands for an id in memory.
pub(super) type Key = [u8; 16];

pub(super) fn key(id: &str) -> Key {
    let mut key = [0; 16];
    blake3::Hasher::new()
        .update(id.as_bytes())
        .finalize_xof()
        .fill(&mut key);
    key
}

/// Where references lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// To one stay.
    Stay(usize),
    /// To what is no stay.
    Elsewhere,
    /// To nothing in the folder, or to a stay and something else.
    Nowhere,
}

/// The ids of the resources read so far.
#[derive(Default)]
pub(super) struct Ids {
    /// Every encounter, and its stay where it is inpatient.
    encounters: BTreeMap<Key, Option<usize>>,
    /// Every claim, and its stay.
    claims: BTreeMap<Key, Option<usize>>,
    /// Every other resource.
    others: BTreeMap<Kind, BTreeSet<Key>>,
}

impl Ids {
    pub(super) fn add_encounter(&mut self, own: Key, stay: Option<usize>) -> Result<(), FhirRule> {
        once(
            self.encounters.insert(own, stay).is_none(),
            self.encounters.len(),
        )
    }

    pub(super) fn add_claim(&mut self, own: Key, stay: Option<usize>) -> Result<(), FhirRule> {
        once(self.claims.insert(own, stay).is_none(), self.claims.len())
    }

    pub(super) fn add(&mut self, kind: Kind, own: Key) -> Result<(), FhirRule> {
        let known = self.others.entry(kind).or_default();
        once(known.insert(own), known.len())
    }

    /// The stay that a reference to an encounter leads to.
    pub(super) fn stay(&self, encounter: &Reference) -> Option<usize> {
        self.stay_of(&encounter.id("Encounter").map(key)?)
    }

    /// The stay that an encounter is, or is part of.
    pub(super) fn stay_of(&self, encounter: &Key) -> Option<usize> {
        self.encounters.get(encounter).copied().flatten()
    }

    pub(super) fn is_encounter(&self, key: &Key) -> bool {
        self.encounters.contains_key(key)
    }

    /// An encounter turned out to be, or to be part of, this stay.
    pub(super) fn lead(&mut self, encounter: Key, stay: usize) {
        self.encounters.insert(encounter, Some(stay));
    }

    /// Where references to encounters lead, taken together.
    pub(super) fn of_encounters<'a>(
        &self,
        references: impl Iterator<Item = &'a Reference>,
    ) -> Target {
        let mut found = BTreeSet::new();
        for reference in references {
            let encounter = reference.id("Encounter").map(key);
            match encounter.and_then(|key| self.encounters.get(&key)) {
                Some(stay) => drop(found.insert(*stay)),
                None => return Target::Nowhere,
            }
        }
        match (found.pop_first(), found.pop_first()) {
            (Some(Some(stay)), None) => Target::Stay(stay),
            (Some(None), None) => Target::Elsewhere,
            _ => Target::Nowhere,
        }
    }

    /// Where a reference to a claim leads.
    pub(super) fn of_claim(&self, claim: &Reference) -> Target {
        let claim = claim.id("Claim").map(key);
        match claim.and_then(|key| self.claims.get(&key)) {
            Some(Some(stay)) => Target::Stay(*stay),
            Some(None) => Target::Elsewhere,
            None => Target::Nowhere,
        }
    }
}

/// A resource stands once, and there are not too many.
fn once(new: bool, count: usize) -> Result<(), FhirRule> {
    match (new, count) {
        (false, _) => Err(FhirRule::Twice),
        (true, count) if count > MOST => Err(FhirRule::Count),
        _ => Ok(()),
    }
}
