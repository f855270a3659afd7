//! The hospitals of 66 Synthea patients, each at a node of its own. The files are no part of the project;
//! where they are missing this test says that it did not run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use node::ingest::row::Row;
use node::ingest::source::Source;

use super::search::{Search, identifiers};
use super::{MAPPING, expected, held, id, run, text};
use crate::hospital::{Hospital, bytes_below};

fn data() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("CONSILIUM_DATA")?).join("fhir");
    folder
        .join("Encounter.ndjson.gz")
        .is_file()
        .then_some(folder)
}

/// The shipped mapping for these files: dollars, and plans by their names.
fn mapping() -> String {
    MAPPING
        .replace("\"yuan\"", "\"dollar\"")
        .replace("\"310\" = \"employee\", \"390\" = \"resident\"", "medicare = \"other-insured\", medicaid = \"other-insured\", private = \"other-insured\", no_insurance = \"self\"")
        .replace("\"1\" = \"home\"", "\"01\" = \"home\"")
}

/// Rows that the source makes of the folder, and the sum of their charges in cents, before any check.
fn joined(folder: &Path) -> (u64, u64) {
    let mut source = Source::open(folder).unwrap();
    let place = source
        .header()
        .iter()
        .position(|name| name == "Claim.total");
    let (mut row, mut rows, mut sum) = (Row::new(), 0, 0);
    while source.read(&mut row).unwrap() {
        assert!(row.broken().is_none(), "{}", row.place());
        let total = std::str::from_utf8(row.value(place.unwrap())).unwrap();
        sum += total.replace('.', "").parse::<u64>().unwrap();
        rows += 1;
    }
    (rows, sum)
}

#[tokio::test]
async fn eleven_hospitals_load_their_stays_and_nobody_is_found() {
    let Some(folder) = data() else {
        println!("did not run: needs the FHIR files (CONSILIUM_DATA)");
        return;
    };
    let stays = expected(&folder);
    assert_eq!(stays.len(), 377);
    let (rows, all) = joined(&folder);
    assert_eq!(
        (rows, all),
        (377, stays.iter().map(|(_, charged, _)| charged).sum())
    );
    let search = Search::new(identifiers(&folder));
    let raw = super::unpacked(&folder.join("Patient.ndjson.gz"));
    assert!(
        search.found(raw.as_bytes()).len() > 500,
        "the search finds what is there"
    );

    let mut by_hospital: BTreeMap<&str, Vec<(&str, u64, u64)>> = BTreeMap::new();
    for (stay, charged, paid) in &stays {
        let own = id(stay, "/serviceProvider/reference");
        let end = text(stay, "/period/end");
        by_hospital
            .entry(own)
            .or_default()
            .push((end, *charged, *paid));
    }
    assert_eq!(by_hospital.len(), 11);
    let (mut kept, mut old, mut total, mut places) = (0, 0, 0, 0);
    for (number, (own, stays)) in by_hospital.iter().enumerate() {
        let hospital = Hospital::new(&format!("h{number:02}")).await;
        let said = run(&hospital, "load", &folder, &mapping(), own);
        assert!(said.ok, "{}", said.all());
        // What ended before 1990 is not believed (`date-range`): it is refused, and counted here.
        let believed: Vec<_> = stays.iter().filter(|(end, ..)| *end >= "1990").collect();
        let early = stays.len() - believed.len();
        assert_eq!(said.number("kept"), believed.len() as u64);
        assert_eq!(said.number("refused"), early as u64);
        let refused: BTreeMap<String, u64> = {
            let summary: serde_json::Value = serde_json::from_str(&said.out).unwrap();
            serde_json::from_value(summary["rules"].clone()).unwrap()
        };
        let only = refused.keys().all(|rule| rule == "date-range");
        assert!(only, "{refused:?}");
        let charges: u64 = believed.iter().map(|(_, charged, _)| charged).sum();
        let paid: u64 = believed.iter().map(|(.., paid)| paid).sum();
        let (rows, sums) = held(&hospital, ["charges", "fund_paid", "self_paid"]).await;
        assert_eq!(rows, believed.len());
        assert_eq!(sums, [charges, paid, charges - paid]);
        (kept, old, total) = (kept + rows, old + early, total + charges);

        let mut all = bytes_below(&hospital.config.data);
        all.push(("outputs".into(), said.all().into_bytes()));
        for (path, bytes) in &all {
            let found = search.found(bytes);
            assert!(found.is_empty(), "{found:?} in {}", path.display());
        }
        places += all.len();
    }
    assert_eq!((kept, old, kept + old), (312, 65, 377));
    println!(
        "{rows} rows of {all} cents; {kept} stays of {total} cents kept and {old} before 1990 refused; \
         {} identifiers in none of {places} places",
        search.count
    );
}
