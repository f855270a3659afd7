//! The elements that are read of each FHIR R4 resource; everything else is passed over. Names, addresses,
//! telephone numbers, identifiers, narrative and display texts of persons are not among them.

use serde::Deserialize;
use serde_json::value::RawValue;

/// Most bytes of a coded value, a date or an id.
const MOST_TEXT: usize = 256;

/// A reference to another resource.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Reference {
    reference: Option<String>,
}

impl Reference {
    /// The id that it leads to, if it can be one of this type: `Type/id`, an address that ends so, or
    /// `urn:uuid:id`. A contained or purely logical reference has none.
    pub(super) fn id(&self, kind: &str) -> Option<&str> {
        let text = self.reference.as_deref()?;
        if let Some(id) = text.strip_prefix("urn:uuid:") {
            return is_id(id).then_some(id);
        }
        let text = text.split_once("/_history/").map_or(text, |(text, _)| text);
        let (before, id) = text.rsplit_once('/')?;
        let named = before.rsplit('/').next() == Some(kind);
        (named && is_id(id)).then_some(id)
    }

    /// Whether it names anything.
    pub(super) fn is_given(&self) -> bool {
        self.reference.is_some()
    }
}

/// Whether a text is a FHIR id.
pub(super) fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

/// Whether a value may be held: short, on one line.
pub(super) fn is_short(text: &str) -> bool {
    text.len() <= MOST_TEXT && !text.bytes().any(|byte| byte.is_ascii_control())
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Coding {
    pub(super) code: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Concept {
    coding: Vec<Coding>,
}

impl Concept {
    /// The first code; its text is not read.
    pub(super) fn code(&self) -> &str {
        let mut codes = self.coding.iter().filter_map(|one| one.code.as_deref());
        codes.next().unwrap_or_default()
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Money {
    /// As it stands, so that it passes no float.
    pub(super) value: Option<Box<RawValue>>,
    pub(super) currency: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Period {
    pub(super) start: String,
    pub(super) end: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Hospitalization {
    pub(super) discharge_disposition: Concept,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Encounter {
    pub(super) status: String,
    pub(super) class: Coding,
    #[serde(default)]
    pub(super) r#type: Vec<Concept>,
    #[serde(default)]
    pub(super) service_type: Concept,
    #[serde(default)]
    pub(super) subject: Reference,
    #[serde(default)]
    pub(super) period: Period,
    #[serde(default)]
    pub(super) part_of: Reference,
    #[serde(default)]
    pub(super) service_provider: Reference,
    #[serde(default)]
    pub(super) hospitalization: Hospitalization,
    #[serde(default)]
    pub(super) reason_code: Vec<Concept>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Item {
    pub(super) encounter: Vec<Reference>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Diagnosis {
    pub(super) sequence: u32,
    #[serde(rename = "diagnosisReference")]
    pub(super) condition: Reference,
    #[serde(rename = "diagnosisCodeableConcept")]
    pub(super) concept: Concept,
    pub(super) r#type: Vec<Concept>,
    pub(super) package_code: Concept,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Info {
    pub(super) category: Concept,
    pub(super) code: Concept,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Coverage {
    /// The plan's name.
    pub(super) display: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Insurance {
    pub(super) focal: bool,
    pub(super) coverage: Coverage,
}

/// A Claim or an ExplanationOfBenefit: what both have, and `total` and `payment` of one of them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bill<Total> {
    pub(super) status: String,
    pub(super) r#use: String,
    #[serde(default)]
    pub(super) r#type: Concept,
    #[serde(default)]
    pub(super) provider: Reference,
    #[serde(default)]
    pub(super) claim: Reference,
    #[serde(default)]
    pub(super) item: Vec<Item>,
    #[serde(default)]
    pub(super) diagnosis: Vec<Diagnosis>,
    #[serde(default)]
    pub(super) supporting_info: Vec<Info>,
    #[serde(default)]
    pub(super) insurance: Vec<Insurance>,
    pub(super) total: Option<Total>,
    pub(super) payment: Option<Payment>,
}

/// A claim's total is one amount.
pub(super) type Claim = Bill<Money>;
/// A benefit's totals are by category: not read.
pub(super) type Benefit = Bill<serde::de::IgnoredAny>;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Payment {
    pub(super) amount: Money,
}

impl<Total> Bill<Total> {
    /// Whether it asks for money that counts: no draft, nothing cancelled, no estimate.
    pub(super) fn counts(&self) -> bool {
        self.status == "active" && self.r#use == "claim"
    }

    /// The diagnosis that is marked as the principal one, else the first by its number.
    pub(super) fn principal(&self) -> Option<&Diagnosis> {
        let marked = |of: &&Diagnosis| of.r#type.iter().any(|kind| kind.code() == "principal");
        let first = || self.diagnosis.iter().min_by_key(|of| of.sequence);
        self.diagnosis.iter().find(marked).or_else(first)
    }

    /// The diagnosis related group: of a diagnosis (`packageCode`), or the supporting information that
    /// is marked `drg`.
    pub(super) fn group(&self) -> &str {
        let packages = self.diagnosis.iter().map(|of| of.package_code.code());
        let infos = self.supporting_info.iter();
        let infos = infos.filter(|info| info.category.code() == "drg");
        let mut codes = packages.chain(infos.map(|info| info.code.code()));
        codes.find(|code| !code.is_empty()).unwrap_or_default()
    }

    /// The name of the plan that pays first.
    pub(super) fn payer(&self) -> &str {
        let focal = self.insurance.iter().find(|one| one.focal);
        let plan = focal.or_else(|| self.insurance.first());
        let name = plan.and_then(|plan| plan.coverage.display.as_deref());
        name.unwrap_or_default()
    }
}

/// A Condition or a Procedure.
#[derive(Deserialize)]
pub(super) struct Finding {
    #[serde(default)]
    pub(super) code: Concept,
    #[serde(default)]
    pub(super) encounter: Reference,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Patient {
    #[serde(default)]
    pub(super) gender: String,
    #[serde(default)]
    pub(super) birth_date: String,
}

/// What every resource begins with.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head {
    pub(super) resource_type: String,
    pub(super) id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_lead_to_one_type_only() {
        let id = |text: &str| {
            let reference = Reference {
                reference: Some(text.to_owned()),
            };
            reference.id("Patient").map(str::to_owned)
        };
        for text in [
            "Patient/p-1",
            "urn:uuid:p-1",
            "https://a.example/fhir/Patient/p-1",
            "Patient/p-1/_history/3",
        ] {
            assert_eq!(id(text).as_deref(), Some("p-1"), "{text}");
        }
        let long = format!("Patient/{}", "a".repeat(65));
        for text in [
            "",
            "p-1",
            "#p",
            "Group/p-1",
            "Patient/",
            "Patient/张",
            &long,
        ] {
            assert_eq!(id(text), None, "{text}");
        }
    }
}
