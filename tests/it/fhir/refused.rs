//! Bad folders: each is told by file, line and rule, never by a value, and leaves nothing behind.

use super::{MAPPING, packed, run, sample, spoilt};
use crate::hospital::{Hospital, bytes_below};

/// Changes to a file of the sample that spoil it: file, what stood there, what stands there now.
pub(super) const FAULTS: [(&str, &str, &str); 8] = [
    ("Encounter.ndjson", "Patient/p-7f02", "Patient/p-0000"),
    ("Claim.ndjson", "Encounter/enc-3b02", "Encounter/enc-9999"),
    ("Claim.ndjson", "\"value\":13500", "\"value\":-13500.07"),
    ("Claim.ndjson", "\"value\":13500", "\"value\":1.35e4"),
    ("Encounter.ndjson", "2025-03-08T16:31:07+08:00", "soon"),
    (
        "Encounter.ndjson",
        "\"id\":\"enc-3b02\"",
        "\"id\":\"enc-3b01\"",
    ),
    (
        "Patient.ndjson",
        "{\"resourceType\":\"Patient\",\"id\":\"p-7f02\"",
        "Wendeline",
    ),
    ("ExplanationOfBenefit.ndjson", "CNY", "USD"),
];

/// The quarantine of the one load that a node holds, without its header.
fn quarantine(hospital: &Hospital) -> Vec<String> {
    let files = bytes_below(&hospital.config.data);
    let mut found = files
        .iter()
        .filter(|(path, _)| path.ends_with("quarantine.csv"));
    let (_, bytes) = found.next().unwrap();
    assert!(found.next().is_none());
    let text = String::from_utf8(bytes.clone()).unwrap();
    text.lines().skip(1).map(str::to_owned).collect()
}

#[tokio::test]
async fn faults_of_one_stay_go_to_quarantine_by_file_and_line() {
    let period = ",\"period\":{\"start\":\"2025-03-05T09:12:44+08:00\",\"end\":\"2025-03-08T16:31:07+08:00\"}";
    let [person, lost, negative, exponent, date, ..] = FAULTS;
    for (change, expected, kept) in [
        (
            person,
            &["Encounter.ndjson:2,Encounter.subject,reference"][..],
            7,
        ),
        (
            // The stay whose claim is lost has no charges; the claim is named beside it.
            lost,
            &[
                "Encounter.ndjson:2,cost,required",
                "Claim.ndjson:3,Claim.item.encounter,reference",
            ],
            7,
        ),
        (negative, &["Claim.ndjson:3,Claim.total,negative"], 7),
        (exponent, &["Claim.ndjson:3,Claim.total,amount"], 7),
        (date, &["Encounter.ndjson:2,discharge,date"], 7),
        (
            ("Encounter.ndjson", period, ""),
            &["Encounter.ndjson:2,discharge,required"],
            7,
        ),
    ] {
        let hospital = Hospital::new("river").await;
        let folder = spoilt(&[change]);
        let said = run(&hospital, "load", folder.path(), MAPPING, "");
        assert!(said.ok, "{}", said.all());
        assert_eq!(quarantine(&hospital), expected);
        assert_eq!(said.number("kept"), kept);
        assert_eq!(said.number("refused"), expected.len() as u64);
    }
    // A lost claim of another hospital is that hospital's; one that does not say whose it is, everybody's.
    let other = Hospital::new("hill").await;
    let said = run(&other, "load", spoilt(&[lost]).path(), MAPPING, "hill");
    assert_eq!((said.number("kept"), said.number("refused")), (2, 0));
    let nobody = ("Claim.ndjson", "Organization/river", "#x");
    let all = ("Claim.ndjson", "Encounter/enc-3b01", "Encounter/enc-9999");
    let other = Hospital::new("hill").await;
    let said = run(
        &other,
        "load",
        spoilt(&[nobody, all]).path(),
        MAPPING,
        "hill",
    );
    assert_eq!((said.number("kept"), said.number("refused")), (2, 1));
}

#[tokio::test]
async fn doubtful_folders_are_refused_whole() {
    let hospital = Hospital::new("river").await;
    // The lock is an empty file that every load takes.
    drop(std::fs::File::create(hospital.config.data.join("load.lock")).unwrap());
    let before = hospital.trace().await;
    let deep = format!(
        "\"x\":{}1{},\"status\"",
        "[".repeat(9_000),
        "]".repeat(9_000)
    );
    let long = format!("\"x\":\"{}\",\"status\"", "Wendeline".repeat(600_000));
    let [.., twice, json, currency] = FAULTS;
    for (change, place, rule) in [
        (twice, "`Encounter.ndjson`, line 2: ", "stood before"),
        (json, "`Patient.ndjson`, line 2: ", "no FHIR R4 resource"),
        (
            currency,
            "`ExplanationOfBenefit.ndjson`, line 1: ",
            "another currency",
        ),
        (
            ("Encounter.ndjson", "\"status\"", deep.as_str()),
            "`Encounter.ndjson`, line 1: ",
            "64 brackets",
        ),
        (
            ("Encounter.ndjson", "\"status\"", &long),
            "`Encounter.ndjson`, line 1: ",
            "4 MiB",
        ),
    ] {
        let folder = spoilt(&[change]);
        let said = run(&hospital, "load", folder.path(), MAPPING, "");
        assert!(!said.ok && said.out.is_empty(), "{}", said.all());
        assert!(
            said.err.contains(place) && said.err.contains(rule),
            "{}",
            said.err
        );
        assert!(!said.err.contains("Wendeline"), "{}", said.err);
    }
    let claims = std::fs::read(sample().join("Claim.ndjson")).unwrap();
    let whole = packed(&claims);
    let bomb = packed(&[&claims[..], &b" \n".repeat(48 * 1024 * 1024)].concat());
    for (bytes, line, rule) in [
        (&whole[..whole.len() / 2], "line", "cut short"),
        (&claims, "row 1: ", "not gzip"),
        (&bomb, "row ", "100 times its size"),
    ] {
        let folder = spoilt(&[]);
        std::fs::remove_file(folder.path().join("Claim.ndjson")).unwrap();
        std::fs::write(folder.path().join("Claim.ndjson.gz"), bytes).unwrap();
        let said = run(&hospital, "load", folder.path(), MAPPING, "");
        assert!(
            !said.ok && said.err.contains("`Claim.ndjson.gz`"),
            "{}",
            said.err
        );
        assert!(said.err.contains(rule), "{}", said.err);
        assert!(line == "line" || said.err.contains(line), "{}", said.err);
    }
    let empty = tempfile::tempdir().unwrap();
    let said = run(&hospital, "load", empty.path(), MAPPING, "");
    assert!(said.err.contains("`Encounter.ndjson`"), "{}", said.err);
    assert_eq!(
        hospital.trace().await,
        before,
        "a refused folder leaves nothing"
    );
}
