//! Approved crosswalks in a mapping: the code of a row by its month.

use std::collections::BTreeMap;

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Month;
use serde::Deserialize;

use super::{Crosswalk, span};
use crate::ingest::IngestError;

/// The crosswalks that an officer approved, each with its digest.
#[derive(Clone, Default, Debug)]
pub struct Crosswalks(BTreeMap<Slug, (Digest, Crosswalk)>);

/// What is done with a code that goes to several where a row can have only one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// The target with the largest share; of equal ones the first in order.
    Largest,
}

impl Crosswalks {
    /// Adds an approved crosswalk; a later one of its name replaces it.
    pub fn add(&mut self, crosswalk: Crosswalk) -> Result<(), IngestError> {
        let digest = crosswalk.digest();
        let digest = digest.map_err(|_| IngestError::rule("crosswalk", "can be read"))?;
        self.0.insert(crosswalk.name.clone(), (digest, crosswalk));
        Ok(())
    }

    /// The approved crosswalk of a name.
    pub fn get(&self, name: &Slug) -> Result<&Crosswalk, IngestError> {
        let found = self.0.get(name).map(|(_, crosswalk)| crosswalk);
        found.ok_or_else(|| IngestError::Crosswalk(name.clone()))
    }

    /// The digest of an approved crosswalk.
    pub fn digest(&self, name: &Slug) -> Option<Digest> {
        self.0.get(name).map(|(digest, _)| *digest)
    }

    /// The lookup of a place of a mapping; none where the place names no crosswalk.
    pub fn walk(
        &self,
        place: &str,
        (name, split): (Option<&Slug>, Option<Split>),
    ) -> Result<Option<Walk>, IngestError> {
        let Some(name) = name else {
            return match split {
                None => Ok(None),
                Some(_) => Err(IngestError::rule(place, "split goes with a crosswalk")),
            };
        };
        let crosswalk = self.get(name)?;
        if split.is_none() && crosswalk.splits() {
            return Err(IngestError::Splits {
                place: place.to_owned(),
                name: name.clone(),
            });
        }
        Ok(Some(Walk::new(crosswalk)))
    }
}

/// A crosswalk by months, one target a code.
#[derive(Debug)]
pub struct Walk {
    /// The name of the crosswalk.
    pub name: Slug,
    codes: BTreeMap<Box<[u8]>, Vec<Step>>,
}

#[derive(Debug)]
struct Step {
    from: Month,
    to: Month,
    target: Box<[u8]>,
    share: u64,
}

impl Walk {
    fn new(crosswalk: &Crosswalk) -> Self {
        let mut codes: BTreeMap<Box<[u8]>, Vec<Step>> = BTreeMap::new();
        for link in &crosswalk.links {
            let steps = codes.entry(link.source.as_bytes().into()).or_default();
            let (from, to) = span(link);
            let step = Step {
                from,
                to,
                target: link.target.as_bytes().into(),
                share: link.share,
            };
            // Lines stand in order of target: of equal shares the first stays.
            match steps.last_mut().filter(|last| last.from == from) {
                Some(last) if last.share < step.share => *last = step,
                Some(_) => {}
                None => steps.push(step),
            }
        }
        Self {
            name: crosswalk.name.clone(),
            codes,
        }
    }

    /// What a code becomes in a month.
    pub fn find(&self, code: &[u8], month: Month) -> Option<&[u8]> {
        let mut steps = self.codes.get(code)?.iter();
        let step = steps.find(|step| step.from <= month && month <= step.to)?;
        Some(&step.target)
    }
}
