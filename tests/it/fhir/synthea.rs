//! The hospitals of 66 Synthea patients, each at a node of its own. The files are no part of the project;
//! where they are missing this test says that it did not run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use node::ingest::encoding::Encoding;
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

/// The shipped mapping for these files: dollars, plans by their names, stays since the 1930s.
fn mapping() -> String {
    MAPPING
        .replace("\"yuan\"", "\"dollar\"")
        .replace("\"310\" = \"employee\", \"390\" = \"resident\"", "medicare = \"other-insured\", medicaid = \"other-insured\", private = \"other-insured\", no_insurance = \"self\"")
        .replace("\"1\" = \"home\"", "\"01\" = \"home\"")
        .replace("[time]\n", "[time]\noldest_year = 1900\n")
}

/// Rows that the source makes of the folder, and the sum of their charges in cents, before any check.
fn joined(folder: &Path) -> (u64, u64) {
    let mut source = Source::open(folder, Encoding::Utf8).unwrap();
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
        assert_eq!(said.number("kept"), stays.len() as u64);
        assert_eq!(said.number("refused"), 0, "{}", said.out);
        let charges: u64 = stays.iter().map(|(_, charged, _)| charged).sum();
        let paid: u64 = stays.iter().map(|(.., paid)| paid).sum();
        let early = stays.iter().filter(|(end, ..)| *end < "1990").count();
        let (rows, sums) = held(&hospital, ["charges", "fund_paid", "self_paid"]).await;
        assert_eq!(rows, stays.len());
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
    assert_eq!((kept, old, total), (377, 65, all));
    println!(
        "{rows} rows of {all} cents; {kept} stays of {total} cents kept at 11 hospitals, {old} of them from \
         before 1990; {} identifiers in none of {places} places",
        search.count
    );
}
