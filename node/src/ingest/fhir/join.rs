//! Joining the resources of a folder: encounters first, then what refers to them. Held are the inpatient
//! stays and sixteen bytes of every id, never whole resources.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;

use super::FhirRule;
use super::files::{self, File, Kind, Lines, refused};
use super::ids::{Ids, Key, Target, key};
use super::parts::{self, Part};
use super::resource::{self, Finding, Reference};
use super::stay::{Main, Place, Stay, TooLong, held};
use crate::ingest::IngestError;
use crate::ingest::row::{Broken, BrokenFault};

/// Most inpatient encounters.
const MOST_STAYS: usize = 1_000_000;

/// A line that belongs to no stay though it should.
pub(super) struct Loose {
    pub(super) broken: Broken,
    pub(super) place: Place,
    /// Whose it is, where it says so.
    pub(super) hospital: Box<str>,
}

/// A folder that is joined.
pub(super) struct Joined {
    pub(super) stays: Vec<Stay>,
    pub(super) loose: Vec<Loose>,
    pub(super) currency: String,
    pub(super) position: u64,
    pub(super) digest: blake3::Hash,
}

impl Joined {
    /// Reads and joins the files.
    pub(super) fn read(files: &[File]) -> Result<Self, IngestError> {
        let mut join = Join {
            has: files.iter().map(|file| file.kind).collect(),
            ..Join::default()
        };
        let (mut digests, mut position) = (Vec::with_capacity(files.len()), 0);
        for (number, file) in files.iter().enumerate() {
            if file.kind != Kind::Encounter {
                join.settle();
            }
            let mut lines = Lines::open(file)?;
            while lines.next(file)? {
                let line = lines.number;
                let place = Place { file: number, line };
                let taken = join.take(file.kind, &lines.line, place);
                taken.map_err(|rule| refused(&file.name, line, rule))?;
            }
            position += lines.position();
            digests.push((&*file.name, lines.digest()));
        }
        join.settle();
        join.finish();
        Ok(Self {
            stays: join.stays,
            loose: join.loose,
            currency: join.currency.unwrap_or_default(),
            position,
            digest: files::together(digests.into_iter()),
        })
    }
}

#[derive(Default)]
pub(super) struct Join {
    /// The types that the folder has: references to others are not followed.
    pub(super) has: BTreeSet<Kind>,
    pub(super) stays: Vec<Stay>,
    loose: Vec<Loose>,
    pub(super) ids: Ids,
    /// Encounters that are parts of others, until all are read.
    parts: BTreeMap<Key, Part>,
    settled: bool,
    /// Conditions that claims name as the principal one: their stays.
    pub(super) wanted: BTreeMap<Key, Vec<usize>>,
    /// Patients of stays: their stays, and whether they were found.
    patients: BTreeMap<Key, (Vec<usize>, bool)>,
    pub(super) currency: Option<String>,
}

fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, FhirRule> {
    // The parser's words may hold values: they are dropped.
    serde_json::from_slice(line).map_err(|_| FhirRule::Resource)
}

impl From<TooLong> for FhirRule {
    fn from(_: TooLong) -> Self {
        Self::Text
    }
}

impl Join {
    fn take(&mut self, kind: Kind, line: &[u8], place: Place) -> Result<(), FhirRule> {
        let head: resource::Head = parse(line)?;
        if head.resource_type != kind.name() {
            return Err(FhirRule::Resource);
        }
        if !resource::is_id(&head.id) {
            return Err(FhirRule::Id);
        }
        let own = key(&head.id);
        match kind {
            Kind::Encounter => self.encounter(own, &head.id, &parse(line)?, place),
            Kind::Claim => self.claim(own, &parse(line)?, place),
            kind => {
                self.ids.add(kind, own)?;
                match kind {
                    Kind::ExplanationOfBenefit => self.benefit(&parse(line)?, place),
                    Kind::Condition => self.condition(own, &parse(line)?, place),
                    Kind::Procedure => self.procedure(&parse(line)?, place),
                    _ => self.patient(own, &parse(line)?),
                }
            }
        }
    }

    fn encounter(
        &mut self,
        own: Key,
        id: &str,
        encounter: &resource::Encounter,
        place: Place,
    ) -> Result<(), FhirRule> {
        let stay = Stay::of(id, encounter, place)?;
        if self.stays.len() + self.parts.len() >= MOST_STAYS {
            return Err(FhirRule::Stays);
        }
        if encounter.part_of.is_given() {
            self.ids.add_encounter(own, None)?;
            let part = Part {
                parent: encounter.part_of.id("Encounter").map(key),
                place,
                hospital: hospital(&encounter.service_provider),
                stay,
            };
            self.parts.insert(own, part);
            return Ok(());
        }
        let at = stay.is_some().then_some(self.stays.len());
        self.ids.add_encounter(own, at)?;
        self.stays.extend(stay);
        Ok(())
    }

    /// All encounters are read: which are stays is known.
    fn settle(&mut self) {
        if std::mem::replace(&mut self.settled, true) {
            return;
        }
        let parts = std::mem::take(&mut self.parts);
        for part in parts::resolve(parts, &mut self.ids, &mut self.stays) {
            self.loose("Encounter.partOf", part.hospital, part.place);
        }
        for (at, stay) in self.stays.iter().enumerate() {
            if !stay.patient.is_empty() {
                let patient = self.patients.entry(key(&stay.patient)).or_default();
                patient.0.push(at);
            }
        }
    }

    pub(super) fn loose(&mut self, element: &'static str, hospital: Box<str>, place: Place) {
        let broken = Broken {
            element,
            fault: BrokenFault::Reference,
        };
        self.loose.push(Loose {
            broken,
            place,
            hospital,
        });
    }

    fn condition(&mut self, own: Key, condition: &Finding, place: Place) -> Result<(), FhirRule> {
        let code = held(condition.code.code())?;
        for at in self.wanted.remove(&own).unwrap_or_default() {
            let stay = self.stays.get_mut(at);
            // A later claim of the stay may have named another.
            if let Some(stay) = stay
                && matches!(&stay.main, Main::Condition(named, _) if *named == own)
            {
                stay.main = Main::Code(code.clone());
            }
        }
        if let Some(stay) = self.stay_of(condition, "Condition.encounter", place) {
            stay.conditions = stay.conditions.saturating_add(1);
            if stay.first_condition.is_empty() {
                stay.first_condition = code;
            }
        }
        Ok(())
    }

    fn procedure(&mut self, procedure: &Finding, place: Place) -> Result<(), FhirRule> {
        let code = held(procedure.code.code())?;
        if let Some(stay) = self.stay_of(procedure, "Procedure.encounter", place) {
            stay.procedures = stay.procedures.saturating_add(1);
            if stay.first_procedure.is_empty() {
                stay.first_procedure = code;
            }
        }
        Ok(())
    }

    /// The stay of a condition or procedure. One without an encounter belongs to none.
    fn stay_of(
        &mut self,
        finding: &Finding,
        element: &'static str,
        place: Place,
    ) -> Option<&mut Stay> {
        if !finding.encounter.is_given() {
            return None;
        }
        match self.ids.of_encounters(std::iter::once(&finding.encounter)) {
            Target::Stay(at) => self.stays.get_mut(at),
            Target::Elsewhere => None,
            Target::Nowhere => {
                self.loose(element, "".into(), place);
                None
            }
        }
    }

    fn patient(&mut self, own: Key, patient: &resource::Patient) -> Result<(), FhirRule> {
        let Some((stays, found)) = self.patients.get_mut(&own) else {
            return Ok(());
        };
        *found = true;
        for at in stays {
            if let Some(stay) = self.stays.get_mut(*at) {
                stay.gender = held(&patient.gender)?;
                stay.birth = held(&patient.birth_date)?;
            }
        }
        Ok(())
    }

    /// References that were not found by the end.
    fn finish(&mut self) {
        if self.has.contains(&Kind::Patient) {
            for (stays, found) in self.patients.values() {
                for at in stays.iter().filter(|_| !found) {
                    if let Some(stay) = self.stays.get_mut(*at) {
                        stay.fail(BrokenFault::Reference, "Encounter.subject", stay.place);
                    }
                }
            }
        }
        if self.has.contains(&Kind::Condition) {
            for stay in &mut self.stays {
                if let Main::Condition(_, place) = stay.main {
                    stay.fail(BrokenFault::Reference, "Claim.diagnosis", place);
                }
            }
        }
    }
}

/// Whose a line is, where it says so.
pub(super) fn hospital(provider: &Reference) -> Box<str> {
    provider.id("Organization").unwrap_or_default().into()
}
