//! The made sample, and packed files.

use std::collections::BTreeSet;

use super::search::{Search, identifiers};
use super::{MAPPING, expected, held, packed, resources, run, sample, spoilt, text};
use crate::hospital::{self, Hospital, Line, bytes_below};

/// The sample's plans are named after the dictionary's keys.
const FIELDS: [&str; 5] = ["cost", "charges", "fund_paid", "self_paid", "los"];

#[tokio::test]
async fn a_node_loads_its_own_stays_of_a_fhir_folder() {
    for (name, stays) in [("river", 6), ("hill", 2)] {
        let hospital = Hospital::new(name).await;
        let said = run(&hospital, "load", &sample(), MAPPING, name);
        assert!(said.ok, "{}", said.all());
        assert_eq!((said.number("kept"), said.number("refused")), (stays, 0));
        let own: Vec<_> = expected(&sample())
            .into_iter()
            .filter(|(of, ..)| text(of, "/serviceProvider/reference").ends_with(name))
            .collect();
        let charges: u64 = own.iter().map(|(_, charged, _)| charged).sum();
        let paid: u64 = own.iter().map(|(.., paid)| paid).sum();
        let (rows, sums) = held(&hospital, FIELDS).await;
        assert_eq!(rows as u64, stays);
        assert_eq!(sums[..4], [charges, charges, paid, charges - paid]);
        // Days by hand: river 7 + 3 + 9 + 4 + 1 + 18, hill 3 + 10.
        assert_eq!(sums[4], if name == "river" { 42_000 } else { 13_000 });
        // The same folder again is the same load; packed it is another, of the same stays.
        let again = run(&hospital, "load", &sample(), MAPPING, name);
        assert!(again.err.contains("was loaded before"), "{}", again.err);
    }
    let river = held(&Hospital::new("river").await, FIELDS).await;
    assert_eq!(river.0, 0);
}

#[tokio::test]
async fn nothing_that_identifies_anybody_leaves_the_folder() {
    let planted = identifiers(&sample());
    let search = Search::new(planted);
    assert!(search.count > 100, "{}", search.count);
    for kind in ["Patient", "Encounter", "Claim"] {
        let bytes = std::fs::read(sample().join(format!("{kind}.ndjson"))).unwrap();
        assert!(
            !search.found(&bytes).is_empty(),
            "the search finds what is there"
        );
    }
    let hospital = Hospital::new("river").await;
    let mut places = Vec::new();
    // A sound load, the trial of a mapping, and faults of every kind.
    for command in ["map test", "check", "load"] {
        let said = run(&hospital, command, &sample(), MAPPING, "");
        assert!(said.ok, "{command}: {}", said.all());
        places.push((command.into(), said.all().into_bytes()));
    }
    for (name, from, to) in super::refused::FAULTS {
        let folder = spoilt(&[(name, from, to)]);
        let said = run(&hospital, "check", folder.path(), MAPPING, "");
        places.push((format!("{name}: {to:.20}").into(), said.all().into_bytes()));
    }
    places.extend(bytes_below(&hospital.config.data));
    assert!(places.len() > 20);
    for (path, bytes) in &places {
        let found = search.found(bytes);
        assert!(found.is_empty(), "{found:?} in {}", path.display());
    }
    println!("{} values in none of {} places", search.count, places.len());
}

#[tokio::test]
async fn packed_files_load_as_they_do_unpacked() {
    let one = Hospital::new("h01").await;
    let twin = one.twin().await;
    let lines: Vec<Line> = (1..=40)
        .map(|n| Line::new(&format!("p{n}"), &format!("s{n}"), 3, "ES35", 1000 + n))
        .collect();
    let csv = hospital::file(&lines);
    let plain = one.load_bytes(&csv).await.unwrap();
    let zipped = twin
        .load_file("march.csv.gz", &packed(&csv), hospital::MAPPING)
        .await;
    assert_eq!((zipped.unwrap().kept, plain.kept), (40, 40));
    let fields = ["cost", "charges", "los"];
    assert_eq!(held(&one, fields).await, held(&twin, fields).await);

    // A folder of packed FHIR files, in two parts with a number each.
    let folder = tempfile::tempdir().unwrap();
    for kind in [
        "Encounter",
        "Claim",
        "ExplanationOfBenefit",
        "Condition",
        "Procedure",
        "Patient",
    ] {
        let all = resources(&sample(), kind);
        for (part, half) in all.chunks(all.len().div_ceil(2)).enumerate() {
            let lines: Vec<String> = half.iter().map(ToString::to_string).collect();
            let name = format!("{kind}.{part:03}.ndjson.gz");
            let bytes = packed(lines.join("\n").as_bytes());
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
    }
    let (plain, parts) = (Hospital::new("river").await, Hospital::new("river").await);
    for (hospital, folder) in [(&plain, sample()), (&parts, folder.path().to_owned())] {
        let said = run(hospital, "load", &folder, MAPPING, "");
        assert!(said.ok, "{}", said.all());
        assert_eq!(said.number("kept"), 8);
    }
    assert_eq!(held(&plain, FIELDS).await, held(&parts, FIELDS).await);
    let kinds: BTreeSet<&str> = FIELDS.into_iter().collect();
    assert_eq!(kinds.len(), FIELDS.len());
}
