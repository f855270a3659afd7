//! Looking for many texts in many bytes at once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::{resources, text};

/// Texts of at least five bytes, found wherever they stand.
pub(super) struct Search {
    texts: BTreeMap<[u8; 5], Vec<String>>,
    /// Whether any text begins with these two bytes.
    begins: Vec<bool>,
    pub(super) count: usize,
}

impl Search {
    pub(super) fn new(texts: BTreeSet<String>) -> Self {
        let mut search = Self {
            texts: BTreeMap::new(),
            begins: vec![false; 1 << 16],
            count: 0,
        };
        for text in texts.into_iter().filter(|text| text.len() >= 5) {
            let bytes = text.as_bytes();
            let first: [u8; 5] = bytes[..5].try_into().unwrap();
            search.begins[usize::from(bytes[0]) << 8 | usize::from(bytes[1])] = true;
            search.texts.entry(first).or_default().push(text);
            search.count += 1;
        }
        search
    }

    /// The texts that stand in these bytes.
    pub(super) fn found(&self, bytes: &[u8]) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for (at, window) in bytes.windows(5).enumerate() {
            if !self.begins[usize::from(window[0]) << 8 | usize::from(window[1])] {
                continue;
            }
            let first: [u8; 5] = window.try_into().unwrap();
            for text in self.texts.get(&first).into_iter().flatten() {
                if bytes[at..].starts_with(text.as_bytes()) {
                    found.insert(text.as_str());
                }
            }
        }
        found
    }
}

/// Every text below a value.
fn texts(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(into.insert(text.clone())),
        Value::Array(all) => all.iter().for_each(|one| texts(one, into)),
        Value::Object(all) => all.values().for_each(|one| texts(one, into)),
        _ => {}
    }
}

/// What identifies somebody in a folder: every id, all of names, numbers, telephones and addresses,
/// exact birth and death dates, and the moments of stays.
pub(super) fn identifiers(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for patient in resources(folder, "Patient") {
        for part in ["name", "telecom"] {
            texts(&patient[part], &mut found);
        }
        for number in patient["identifier"].as_array().unwrap() {
            found.insert(text(number, "/value").to_owned());
        }
        for address in patient["address"].as_array().unwrap() {
            texts(&address["line"], &mut found);
            texts(&address["text"], &mut found);
        }
        for extension in patient["extension"].as_array().into_iter().flatten() {
            if text(extension, "/url").ends_with("mothersMaidenName") {
                texts(&extension["valueString"], &mut found);
            }
        }
        for name in patient["name"].as_array().unwrap() {
            let mut given = name["given"].as_array().unwrap().iter();
            let family = text(name, "/family");
            given.all(|given| found.insert(format!("{} {family}", given.as_str().unwrap())));
        }
        found.insert(text(&patient, "/birthDate").to_owned());
        found.insert(text(&patient, "/deceasedDateTime").to_owned());
    }
    for generic in ["official", "nickname", "maiden", "phone", "mobile", "email"] {
        found.remove(generic);
    }
    for kind in [
        "Encounter",
        "Claim",
        "ExplanationOfBenefit",
        "Condition",
        "Procedure",
        "Patient",
    ] {
        for resource in resources(folder, kind) {
            found.insert(text(&resource, "/id").to_owned());
            if kind == "Encounter" {
                found.insert(text(&resource, "/period/start").to_owned());
                found.insert(text(&resource, "/period/end").to_owned());
                let end = text(&resource, "/period/end");
                found.extend(end.get(..10).map(str::to_owned));
            }
        }
    }
    found
}
