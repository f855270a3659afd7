use std::collections::BTreeMap;

use super::*;
use crate::ingest::encoding::Encoding;
use crate::ingest::row::{Broken, BrokenFault};
use crate::ingest::source::{self, Source};

type Found = (String, Option<Broken>, BTreeMap<String, String>);

const CLASS: &str = r#""class":{"code":"IMP"},"status":"finished""#;

fn encounter(id: &str, patient: &str) -> String {
    format!(
        r#"{{"resourceType":"Encounter","id":"{id}",{CLASS},"subject":{{"reference":"Patient/{patient}"}},
        "serviceProvider":{{"reference":"Organization/h1"}},
        "period":{{"start":"2025-03-01T08:00:00+08:00","end":"2025-03-04"}}}}"#
    )
    .replace('\n', "")
}

fn claim(id: &str, encounter: &str, value: &str) -> String {
    format!(
        r#"{{"resourceType":"Claim","id":"{id}","status":"active","use":"claim",
        "type":{{"coding":[{{"code":"institutional"}}]}},"provider":{{"reference":"Organization/h1"}},
        "item":[{{"encounter":[{{"reference":"Encounter/{encounter}"}}]}}],
        "total":{{"value":{value},"currency":"CNY"}}}}"#
    )
    .replace('\n', "")
}

fn benefit(id: &str, claim: &str, value: &str) -> String {
    format!(
        r#"{{"resourceType":"ExplanationOfBenefit","id":"{id}","status":"active","use":"claim",
        "claim":{{"reference":"urn:uuid:{claim}"}},"total":[{{"amount":{{"value":1}}}}],
        "payment":{{"amount":{{"value":{value},"currency":"CNY"}}}}}}"#
    )
    .replace('\n', "")
}

fn patient(id: &str) -> String {
    format!(
        r#"{{"resourceType":"Patient","id":"{id}","gender":"female","birthDate":"1950-02-03","name":[{{"family":"Hane"}}]}}"#
    )
}

fn finding(kind: &str, id: &str, encounter: &str, code: &str) -> String {
    format!(
        r#"{{"resourceType":"{kind}","id":"{id}","code":{{"coding":[{{"code":"{code}"}}],"text":"words"}},"encounter":{{"reference":"Encounter/{encounter}"}}}}"#
    )
}

fn rows(files: &[(&str, &str)]) -> Result<Vec<Found>, IngestError> {
    let folder = tempfile::tempdir().unwrap();
    for (name, lines) in files {
        std::fs::write(folder.path().join(name), lines).unwrap();
    }
    let mut source = Source::open(folder.path(), Encoding::Utf8)?;
    let header = source.header().to_vec();
    let mut row = Row::new();
    let mut found = Vec::new();
    while source.read(&mut row)? {
        assert_eq!(row.width(), header.len());
        let values = header.iter().enumerate().map(|(at, name)| {
            let value = String::from_utf8(row.value(at).to_vec()).unwrap();
            (name.clone(), value)
        });
        found.push((row.place(), row.broken(), values.collect()));
    }
    assert_eq!(source.digest(), source::digest(folder.path()).unwrap());
    Ok(found)
}

fn told(files: &[(&str, &str)]) -> String {
    rows(files).unwrap_err().to_string()
}

#[test]
fn resources_of_a_stay_are_one_row() {
    let ambulatory = encounter("e2", "p1").replace("IMP", "AMB");
    let encounters = format!("{}\n\n{ambulatory}\n", encounter("e1", "p1"));
    let bought = claim("c2", "e1", "12.5").replace("institutional", "pharmacy");
    let named = r#""diagnosis":[{"sequence":2,"type":[{"coding":[{"code":"principal"}]}],"diagnosisReference":{"reference":"Condition/d2"},"packageCode":{"coding":[{"code":"ES35"}]}},{"sequence":1,"diagnosisCodeableConcept":{"coding":[{"code":"I10"}]}}],"insurance":[{"coverage":{"display":"b"}},{"focal":true,"coverage":{"display":"a"}}],"total""#;
    let claims = [
        bought,
        claim("c1", "e1", "1000.10").replace("\"total\"", named),
        claim("c3", "e2", "7"),
        claim("c4", "e1", "9").replace("active", "cancelled"),
    ];
    let benefits = [
        benefit("b1", "c1", "800.085"),
        benefit("b2", "c3", "3"),
        benefit("b3", "c4", "3"),
    ];
    let conditions = [
        finding("Condition", "d1", "e1", "J15"),
        finding("Condition", "d2", "e1", "J18"),
        finding("Condition", "d3", "e2", "X"),
    ];
    let files = [
        ("Encounter.000.ndjson", encounters.as_str()),
        ("Claim.ndjson", &claims.join("\n")),
        ("ExplanationOfBenefit.ndjson", &benefits.join("\n")),
        ("Condition.ndjson", &conditions.join("\n")),
        (
            "Procedure.ndjson",
            &finding("Procedure", "o1", "e1", "96.7"),
        ),
        ("Patient.ndjson", &patient("p1")),
        ("Organization.ndjson", "not read"),
        ("notes.txt", "not read"),
    ];
    let found = rows(&files).unwrap();
    assert_eq!(found.len(), 1);
    let (place, broken, row) = &found[0];
    assert_eq!((place.as_str(), *broken), ("Encounter.000.ndjson:1", None));
    for (column, value) in [
        ("Encounter.id", "e1"),
        ("Encounter.subject", "p1"),
        ("Encounter.serviceProvider", "h1"),
        ("Encounter.status", "finished"),
        ("Encounter.period.start", "2025-03-01T08:00:00+08:00"),
        ("Patient.gender", "female"),
        ("Patient.birthDate", "1950-02-03"),
        ("Condition.main", "J18"),
        ("Condition.count", "2"),
        ("Procedure.main", "96.7"),
        ("drg", "ES35"),
        ("payer", "a"),
        ("currency", "CNY"),
        ("Claim.count", "2"),
        ("Claim.total", "1012.60"),
        ("Claim.total.institutional", "1000.10"),
        ("Claim.total.pharmacy", "12.50"),
        ("Claim.total.professional", "0.00"),
        ("ExplanationOfBenefit.count", "1"),
        ("ExplanationOfBenefit.payment", "800.085"),
        ("ExplanationOfBenefit.payment.rounded", "800.09"),
        ("self_paid", "212.51"),
    ] {
        assert_eq!(row[column], value, "{column}");
    }
    assert!(row.values().all(|value| !value.contains("Hane")));
}

#[test]
fn what_belongs_to_one_stay_breaks_its_row_only() {
    let encounters = [encounter("e1", "p1"), encounter("e2", "p1")].join("\n");
    let with = |kind: &str, lines: &str| {
        let name = format!("{kind}.ndjson");
        let files = [
            ("Encounter.ndjson", encounters.as_str()),
            (name.as_str(), lines),
        ];
        rows(&files).unwrap()
    };
    let broken = |found: &[Found]| -> Vec<(String, &'static str, BrokenFault)> {
        let broken = found.iter().filter_map(|(place, broken, _)| {
            broken.map(|broken| (place.clone(), broken.element, broken.fault))
        });
        broken.collect()
    };
    let sound = claim("c0", "e1", "5");
    let claims = |bad: &str| with("Claim", &format!("{sound}\n{bad}"));
    let total = |fault| vec![("Claim.ndjson:2".to_owned(), "Claim.total", fault)];
    assert_eq!(
        broken(&claims(&claim("c1", "e2", "-5.00"))),
        total(BrokenFault::Negative)
    );
    for odd in ["1e3", "\"5\"", "null"] {
        let found = claims(&claim("c1", "e2", odd));
        assert_eq!(broken(&found), total(BrokenFault::Amount), "{odd}");
    }
    // An encounter that is not there leaves the claim alone in quarantine, under its provider's name.
    let lost = claims(&claim("c1", "e9", "5"));
    let reference = |place: &str, element| (place.to_owned(), element, BrokenFault::Reference);
    let item = "Claim.item.encounter";
    assert_eq!(broken(&lost), [reference("Claim.ndjson:2", item)]);
    assert_eq!(lost[2].2["Encounter.serviceProvider"], "h1");
    // A claim over two stays cannot be shared out.
    let two = r#"{"encounter":[{"reference":"Encounter/e2"}]},{"encounter""#;
    let shared = claims(&claim("c1", "e1", "5").replace(r#"{"encounter""#, two));
    assert_eq!(broken(&shared), vec![reference("Claim.ndjson:2", item); 3]);
    let condition = r#""diagnosis":[{"diagnosisReference":{"reference":"Condition/d9"}}],"total""#;
    let claimed = claim("c1", "e2", "5").replace("\"total\"", condition);
    let files = [
        ("Encounter.ndjson", encounters.as_str()),
        ("Claim.ndjson", claimed.as_str()),
        ("Condition.ndjson", &finding("Condition", "d1", "e1", "J15")),
    ];
    assert_eq!(
        broken(&rows(&files).unwrap()),
        [reference("Claim.ndjson:1", "Claim.diagnosis")]
    );
    // Types that the folder does not have are not followed.
    assert_eq!(broken(&rows(&files[..2]).unwrap()), []);
    assert_eq!(
        broken(&with("Patient", &patient("p2"))),
        [1, 2].map(|line| reference(&format!("Encounter.ndjson:{line}"), "Encounter.subject"))
    );
    assert_eq!(
        broken(&with("Procedure", &finding("Procedure", "o1", "e9", "1"))),
        [reference("Procedure.ndjson:1", "Procedure.encounter")]
    );
    let claims = with("ExplanationOfBenefit", &benefit("b1", "c9", "5"));
    let element = "ExplanationOfBenefit.claim";
    // Without claims a benefit is found by its items; it has none.
    assert_eq!(
        broken(&claims),
        [reference("ExplanationOfBenefit.ndjson:1", element)]
    );
}

#[test]
fn parts_of_a_stay_are_no_stays_of_their_own() {
    let part = |id: &str, of: &str, class: &str| {
        let own = format!(r#""status":"finished","partOf":{{"reference":"Encounter/{of}"}}"#);
        let whole = encounter(id, "p1").replace("IMP", class);
        whole.replace(r#""status":"finished""#, &own)
    };
    let emergency = encounter("e5", "p1").replace("IMP", "EMER");
    let encounters = [
        part("ward2", "ward1", "IMP"),
        part("theatre", "ward2", "AMB"),
        part("ward1", "e1", "ACUTE"),
        encounter("e1", "p1"),
        emergency,
        part("e6", "e5", "IMP"),
        part("ward6", "e6", "IMP"),
        part("lost", "gone", "IMP"),
        part("ring", "ring", "IMP"),
    ];
    let at = [
        ("ward2", "1"),
        ("theatre", "10"),
        ("e1", "100"),
        ("e6", "1000"),
        ("ward6", "10000"),
    ];
    let claims = at.map(|(at, value)| claim(&format!("c-{at}"), at, value));
    let found = rows(&[
        ("Encounter.ndjson", &encounters.join("\n")),
        ("Claim.ndjson", &claims.join("\n")),
        ("Patient.ndjson", &patient("p1")),
    ])
    .unwrap();
    let told: Vec<(&str, &str, &str, bool)> = found
        .iter()
        .map(|(place, broken, row)| {
            let (id, total) = (row["Encounter.id"].as_str(), row["Claim.total"].as_str());
            (place.as_str(), id, total, broken.is_some())
        })
        .collect();
    assert_eq!(told[0], ("Encounter.ndjson:4", "e1", "111.00", false));
    assert_eq!(told[1], ("Encounter.ndjson:6", "e6", "11000.00", false));
    let mut lost: Vec<&str> = told[2..].iter().map(|row| row.0).collect();
    lost.sort_unstable();
    assert_eq!(lost, ["Encounter.ndjson:8", "Encounter.ndjson:9"]);
    assert!(told[2..].iter().all(|row| row.3));
}

#[test]
fn what_makes_a_join_doubtful_refuses_the_folder() {
    let one = encounter("e1", "p1");
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    let deep = one.replace("\"finished\"", &format!("\"finished\",\"x\":{deep}"));
    let long = one.replace("h1", &"h".repeat(5 * 1024 * 1024));
    let wordy = one.replace("finished", &"secret".repeat(50));
    let second = |bad: &str| format!("{}\n{bad}\n", encounter("e0", "p1"));
    for (bad, rule) in [
        (deep.as_str(), "64 brackets"),
        (&long, "4 MiB"),
        (&wordy, "256 bytes"),
        ("secret", "no FHIR R4 resource"),
        ("[1]", "no FHIR R4 resource"),
        (&patient("secret"), "no FHIR R4 resource"),
        (&one.replace("\"e1\"", "\"secret secret\""), "has no id"),
        (&encounter("e0", "p1"), "stood before"),
        (
            &one.replace(r#"{"code":"IMP"}"#, "[7]"),
            "no FHIR R4 resource",
        ),
    ] {
        let told = told(&[("Encounter.ndjson", &second(bad))]);
        assert!(told.starts_with("`Encounter.ndjson`, line 2: "), "{told}");
        assert!(told.contains(rule) && !told.contains("secret"), "{told}");
    }
    let claims = [claim("c1", "e1", "5"), claim("c1", "e1", "6")].join("\n");
    let twice = told(&[("Encounter.ndjson", &one), ("Claim.ndjson", &claims)]);
    assert!(twice.starts_with("`Claim.ndjson`, line 2: "), "{twice}");
    let dollars = claims.replacen("CNY", "USD", 1).replacen("c1", "c2", 1);
    let currency = told(&[("Encounter.ndjson", &one), ("Claim.ndjson", &dollars)]);
    assert!(currency.contains("another currency"), "{currency}");
    assert!(told(&[("Claim.ndjson", &claims)]).contains("no such file"));
    let named = told(&[("Encounter.ndjson", &one), ("Patient-Hane.ndjson", "")]);
    assert!(
        named.contains("rename it") && !named.contains("Hane"),
        "{named}"
    );
    let packed = told(&[("Encounter.ndjson.gz", &one)]);
    assert!(packed.contains("damaged"), "{packed}");
}
