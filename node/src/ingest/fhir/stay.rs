//! An inpatient encounter with what belongs to it, and the columns that a mapping reads of it.

use schemas::money::Fen;

use super::money::Sum;
use super::resource::{Encounter, is_short};
use crate::ingest::amount::NotAnAmount;
use crate::ingest::row::{Broken, BrokenFault};

/// Codes of `Encounter.class` that are inpatient (v3-ActCode).
const INPATIENT: [&str; 3] = ["IMP", "ACUTE", "NONAC"];

/// A line of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Position of the file in the folder's list.
    pub(super) file: usize,
    pub(super) line: u64,
}

/// What a claim says of the principal diagnosis.
#[derive(Default)]
pub(super) enum Main {
    /// No claim says it: the first condition of the encounter.
    #[default]
    Unsaid,
    /// A code.
    Code(Box<str>),
    /// A condition that is looked up; where the claim stands.
    Condition([u8; 16], Place),
}

/// An inpatient encounter with what belongs to it.
#[derive(Default)]
pub(super) struct Stay {
    pub(super) place: Place,
    /// The first thing that makes it useless.
    pub(super) broken: Option<(Broken, Place)>,
    pub(super) id: Box<str>,
    pub(super) patient: Box<str>,
    pub(super) hospital: Box<str>,
    status: Box<str>,
    class: Box<str>,
    start: Box<str>,
    end: Box<str>,
    kind: Box<str>,
    service: Box<str>,
    reason: Box<str>,
    disposition: Box<str>,
    pub(super) gender: Box<str>,
    pub(super) birth: Box<str>,
    pub(super) main: Main,
    pub(super) first_condition: Box<str>,
    pub(super) conditions: u32,
    pub(super) first_procedure: Box<str>,
    pub(super) procedures: u32,
    pub(super) group: Box<str>,
    pub(super) payer: Box<str>,
    pub(super) claims: Sum,
    pub(super) institutional: Sum,
    pub(super) professional: Sum,
    pub(super) pharmacy: Sum,
    pub(super) benefits: u32,
    pub(super) payments: Sum,
}

impl Stay {
    /// The stay of an encounter; `None` where it is not inpatient, an error where a text is too long.
    pub(super) fn of(
        id: &str,
        encounter: &Encounter,
        place: Place,
    ) -> Result<Option<Self>, TooLong> {
        let class = encounter.class.code.as_deref().unwrap_or_default();
        if !INPATIENT.contains(&class) {
            return Ok(None);
        }
        let first = |concepts: &[super::resource::Concept]| {
            held(concepts.first().map_or("", |concept| concept.code()))
        };
        let subject = encounter.subject.id("Patient");
        let mut stay = Self {
            place,
            id: id.into(),
            patient: subject.unwrap_or_default().into(),
            hospital: encounter
                .service_provider
                .id("Organization")
                .unwrap_or_default()
                .into(),
            status: held(&encounter.status)?,
            class: class.into(),
            start: held(&encounter.period.start)?,
            end: held(&encounter.period.end)?,
            kind: first(&encounter.r#type)?,
            service: held(encounter.service_type.code())?,
            reason: first(&encounter.reason_code)?,
            disposition: held(encounter.hospitalization.discharge_disposition.code())?,
            ..Self::default()
        };
        if subject.is_none() {
            stay.fail(BrokenFault::Reference, "Encounter.subject", place);
        }
        Ok(Some(stay))
    }

    /// Nothing but whose it is: for a line that belongs to no stay.
    pub(super) fn of_hospital(hospital: Box<str>) -> Self {
        Self {
            hospital,
            ..Self::default()
        }
    }

    /// Notes what makes the stay useless; the first counts.
    pub(super) fn fail(&mut self, fault: BrokenFault, element: &'static str, place: Place) {
        if self.broken.is_none() {
            self.broken = Some((Broken { element, fault }, place));
        }
    }

    /// Adds a claim's total, as it stands, under the claim's type.
    pub(super) fn charge(&mut self, kind: &str, total: &str) -> Result<(), NotAnAmount> {
        self.claims.add(total)?;
        match kind {
            "institutional" => self.institutional.add(total),
            "professional" => self.professional.add(total),
            "pharmacy" => self.pharmacy.add(total),
            _ => Ok(()),
        }
    }

    /// What the patient paid: the charges less what was paid for them; empty where one is not known.
    fn self_paid(&self) -> String {
        let paid = self.payments.fen().and_then(|fen| fen.0.checked_neg());
        let left = self.claims.fen().zip(paid);
        let left = left.and_then(|(charges, paid)| charges.checked_add(Fen(paid)).ok());
        left.map_or_else(String::new, |fen| fen.to_string())
    }

    /// The columns, by name. Those of the standard are called by their path in it.
    pub(super) fn columns(&self, currency: &str) -> [(&'static str, String); 29] {
        let main = match &self.main {
            Main::Code(code) => code,
            Main::Unsaid | Main::Condition(..) => &self.first_condition,
        };
        // A stay that has claims has none of a type it lacks; one without claims has no amounts.
        let of_type = |sum: &Sum| match (self.claims.count, sum.count) {
            (0, _) => String::new(),
            (_, 0) => Fen(0).to_string(),
            _ => sum.exact(),
        };
        let text = |text: &str| text.to_owned();
        [
            ("Encounter.id", text(&self.id)),
            ("Encounter.subject", text(&self.patient)),
            ("Encounter.serviceProvider", text(&self.hospital)),
            ("Encounter.status", text(&self.status)),
            ("Encounter.class", text(&self.class)),
            ("Encounter.period.start", text(&self.start)),
            ("Encounter.period.end", text(&self.end)),
            ("Encounter.type", text(&self.kind)),
            ("Encounter.serviceType", text(&self.service)),
            ("Encounter.reasonCode", text(&self.reason)),
            ("Encounter.dischargeDisposition", text(&self.disposition)),
            ("Patient.gender", text(&self.gender)),
            ("Patient.birthDate", text(&self.birth)),
            ("Condition.main", text(main)),
            ("Condition.count", self.conditions.to_string()),
            ("Procedure.main", text(&self.first_procedure)),
            ("Procedure.count", self.procedures.to_string()),
            ("drg", text(&self.group)),
            ("payer", text(&self.payer)),
            ("currency", text(currency)),
            ("Claim.count", self.claims.count.to_string()),
            ("Claim.total", self.claims.exact()),
            ("Claim.total.institutional", of_type(&self.institutional)),
            ("Claim.total.professional", of_type(&self.professional)),
            ("Claim.total.pharmacy", of_type(&self.pharmacy)),
            ("ExplanationOfBenefit.count", self.benefits.to_string()),
            ("ExplanationOfBenefit.payment", self.payments.exact()),
            (
                "ExplanationOfBenefit.payment.rounded",
                self.payments.rounded(),
            ),
            ("self_paid", self.self_paid()),
        ]
    }
}

/// A text that is too long to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// A text that is held.
pub(super) fn held(text: &str) -> Result<Box<str>, TooLong> {
    if is_short(text) {
        Ok(text.into())
    } else {
        Err(TooLong)
    }
}
