//! Crosswalks from raw files: drafted ones count for nothing, approved ones turn four digits into six by the
//! month, a changed one needs approval anew; ledgers go through one with every fen.

use std::collections::BTreeMap;
use std::fs;

use node::costing::{self, CostError};
use node::crosswalks::{self, CrosswalkError};
use node::ingest::IngestError;
use node::ingest::crosswalk::Crosswalk;
use node::ingest::mapping::Mapping;
use node::load::{LoadError, Request, trial};
use node::store::columns::{self, MonthColumns};
use policies::costing::{CostRules, DEFAULT};
use schemas::id::Slug;
use tests::officers::{self, SECOND, STEWARD};

use crate::hospital::{Hospital, Line, MAPPING, NOW, dictionary, file};

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

/// Written as the hospital information system writes them; the dictionary's keys have four digits.
const TABLE: &str = "source,target,ratio,from,to\nN1,0401,,,2025-01\nN1,2100,,2025-02,\n\
    N2,0401,0.4,,\nN2,2100,0.6,,\n";

fn table(text: &str) -> Crosswalk {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("departments.csv");
    fs::write(&path, text).unwrap();
    Crosswalk::read(slug("departments"), &path).unwrap()
}

async fn add(hospital: &Hospital, text: &str) -> Result<i64, CrosswalkError> {
    let register = hospital.register().await;
    let added = crosswalks::add(&hospital.state, &register, &table(text), NOW).await;
    added.map(|added| added.number)
}

async fn approve(hospital: &Hospital, name: &str) -> Result<i64, CrosswalkError> {
    let register = hospital.register().await;
    let key = officers::key(&hospital.config.data, name);
    let whose = (&hospital.config.hospital, &register);
    let who = (&slug(name), &key);
    let of = crosswalks::approve(&hospital.state, whose, &slug("departments"), who, NOW).await;
    of.map(|of| of.number)
}

fn mapping(more: &str) -> String {
    let own = "department = { column = \"department\" }";
    assert!(MAPPING.contains(own));
    let with =
        format!("department = {{ column = \"department\", crosswalk = \"departments\"{more} }}");
    MAPPING.replace(own, &with)
}

const LARGEST: &str = ", split = \"largest\"";

/// Rows by month and department's key.
fn departments(
    hospital: &Hospital,
    load: &str,
    months: &[&str],
) -> BTreeMap<(String, String), u64> {
    let folder = columns::folder(&hospital.config.data).join(load);
    let dictionary = dictionary();
    let keys = &dictionary.dimension("department").unwrap().keys;
    let mut found = BTreeMap::new();
    for month in months {
        let columns = MonthColumns::open(&folder, month.parse().unwrap()).unwrap();
        for batch in columns.batches() {
            let codes: Vec<usize> = match batch.codes("department").unwrap() {
                columns::Codes::Narrow(codes) => codes.iter().map(|c| usize::from(*c)).collect(),
                columns::Codes::Wide(codes) => codes.iter().map(|c| usize::from(*c)).collect(),
            };
            for code in codes {
                let key = (month.to_string(), keys[code].code.clone());
                *found.entry(key).or_default() += 1;
            }
        }
    }
    found
}

fn lines() -> Vec<u8> {
    let line = |patient: &str, at, department| {
        Line::new(patient, &format!("S-{patient}"), at, "FR19", 100).with("department", department)
    };
    file(&[
        line("A", 1, "N1"),
        line("B", 2, "N1"),
        line("C", 2, "N2"),
        line("D", 2, "N9"),
        line("E", 2, "0401"),
    ])
}

#[tokio::test]
async fn a_table_counts_from_its_approval_on_and_a_changed_one_needs_it_anew() {
    let hospital = Hospital::new("h1").await;
    let load = |more| {
        let (bytes, text) = (lines(), mapping(more));
        let hospital = &hospital;
        async move { hospital.load_as(&bytes, &text).await }
    };
    let none = |refused: &Result<_, LoadError>| {
        matches!(refused, Err(LoadError::Ingest(IngestError::Crosswalk(_))))
    };
    assert!(none(&load(LARGEST).await));
    assert_eq!(add(&hospital, TABLE).await.unwrap(), 1);
    assert!(none(&load(LARGEST).await), "drafted");
    assert!(matches!(
        add(&hospital, TABLE).await,
        Err(CrosswalkError::Same(_, 1))
    ));
    assert_eq!(approve(&hospital, SECOND).await.unwrap(), 1);
    assert!(matches!(
        approve(&hospital, STEWARD).await,
        Err(CrosswalkError::Approved(_, 1))
    ));
    let splits = load("").await;
    let splits = matches!(splits, Err(LoadError::Ingest(IngestError::Splits { .. })));
    assert!(splits, "one to many without a rule");
    let loaded = load(LARGEST).await.unwrap();
    let months = ["2025-01", "2025-02"];
    let found = departments(&hospital, &loaded.load.clone().unwrap(), &months);
    let at = |month: &str, code: &str| {
        found
            .get(&(month.to_owned(), code.to_owned()))
            .copied()
            .unwrap_or(0)
    };
    // N1 moved in February, N2 goes by its larger share, what the table lacks is `other`.
    assert_eq!((at("2025-01", "0401"), at("2025-02", "2100")), (1, 2));
    assert_eq!((at("2025-02", "0401"), at("2025-02", "other")), (0, 2));
    assert_eq!(loaded.unlisted["department"], (2, 0));
    hospital.release().await;
    // A changed table is drafted: the approved one goes on, so the file is the one that was loaded.
    let changed = TABLE.replace("N1,2100", "N1,0401");
    assert_eq!(add(&hospital, &changed).await.unwrap(), 2);
    assert!(matches!(load(LARGEST).await, Err(LoadError::Same { .. })));
    approve(&hospital, STEWARD).await.unwrap();
    let again = load(LARGEST).await.unwrap();
    let found = departments(&hospital, &again.load.unwrap(), &months);
    assert_eq!(found[&("2025-02".to_owned(), "0401".to_owned())], 1);
    // An approved table that was changed in the state file counts no more.
    sqlx::query("update crosswalks set body = replace(body, '2100', '0402')")
        .execute(hospital.state.pool())
        .await
        .unwrap();
    assert!(none(&load(LARGEST).await));
    let log = hospital.state.log().await.unwrap();
    let kinds = log.iter().map(|entry| entry.kind.as_str());
    let own = kinds.filter(|kind| kind.starts_with("crosswalk"));
    assert_eq!(own.count(), 4);
}

#[tokio::test]
async fn a_trial_tells_what_a_crosswalk_lacks() {
    let hospital = Hospital::new("h1").await;
    add(&hospital, TABLE).await.unwrap();
    approve(&hospital, STEWARD).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stays.csv");
    fs::write(&path, lines()).unwrap();
    let request = Request {
        from: path.into(),
        mapping: Mapping::parse(&mapping(LARGEST)).unwrap(),
        only: Vec::new(),
        history: true,
        whole: false,
        rates: hospital.signed_rates().await,
        crosswalks: crosswalks::approved(&hospital.state, &hospital.register().await)
            .await
            .unwrap(),
    };
    let trial = trial::run(&dictionary(), "2026-01".parse().unwrap(), &request, 100).unwrap();
    let place = "department (crosswalk departments)";
    assert_eq!(trial.crossed_permille[place], 600);
    let lacks = &trial.unmapped[place];
    assert_eq!((lacks.len(), lacks["N9"], lacks["0401"]), (2, 1, 1));
}

const DEPARTMENTS: &str = "department,class\n0401,clinical\n2100,clinical\nadm,administrative\n";

/// Four digits of the ledgers to the departments of the close: nothing is lost, whatever the shares.
#[tokio::test]
async fn ledgers_go_through_a_crosswalk_with_every_fen() {
    let walk = table("source,target,ratio\nN1,0401,\nN2,0401,1/3\nN2,2100,2/3\n");
    let read = |direct: &str| {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("departments.csv", DEPARTMENTS),
            ("direct.csv", direct),
            (
                "volumes.csv",
                "department,days,charges,own:drugs\nN1,10,100.00,1.00\nN2,10,100.00,0.50\n",
            ),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let ledgers = costing::month("2025-01".parse().unwrap(), folder.path()).unwrap();
        costing::crossed(ledgers, &costing::volumes(folder.path()).unwrap(), &walk)
    };
    let direct = "department,item,amount\nN1,drugs,10.00\nN2,drugs,100.00\nN2,personnel,-0.02\n2100,other,5.55\n";
    let (ledgers, volumes) = read(direct).unwrap();
    let closed = policies::costing::close(&CostRules::parse(DEFAULT).unwrap(), &ledgers).unwrap();
    assert_eq!(closed.total.0, 1_000 + 10_000 - 2 + 555);
    assert_eq!(closed.full[&slug("0401")][&slug("drugs")].0, 1_000 + 3_333);
    assert_eq!(closed.full[&slug("2100")][&slug("drugs")].0, 6_667);
    let days: Vec<(u64, u64, i64)> = volumes
        .iter()
        .map(|of| (of.days, of.charges, of.own[&slug("drugs")].0))
        .collect();
    assert_eq!(days, [(13, 13_333, 117), (7, 6_667, 33)]);
    let refused = read("department,item,amount\nN1,drugs,1\nN7,drugs,1\nN8,drugs,1\n");
    let Err(CostError::Unmapped { count, codes, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((count, codes.as_str()), (2, "N7, N8"));
}
