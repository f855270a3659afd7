//! Settlement lists of interface 4101 load to the very stays that the same rows give as CSV.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::fhir::packed;
use crate::hospital::{Hospital, MAPPING, bytes_below, holds, made};

/// What the generator's columns are called in a list; others keep their names, as local fields.
const NAMES: [(&str, &str); 17] = [
    ("settlement_no", "setl_id"),
    ("patient_id", "medcasno"),
    ("name", "psn_name"),
    ("resident_id", "certno"),
    ("phone", "coner_tel"),
    ("address", "curr_addr"),
    ("sex", "gend"),
    ("birth_date", "brdy"),
    ("admission_date", "adm_time"),
    ("discharge_date", "dscg_time"),
    ("department", "dscg_caty"),
    ("insurance", "hi_type"),
    ("district", "insuplc"),
    ("total_charges", "iteminfo.all"),
    ("fund_paid", "payinfo.all"),
    ("diagnosis", "diseinfo.main"),
    ("disposition", "dscg_way"),
];

fn called(column: &str) -> &str {
    let known = NAMES.iter().find(|(own, _)| *own == column);
    known.map_or(column, |(_, name)| name)
}

/// A row as a list: charges in two categories, one payment, the main diagnosis behind another.
fn list(header: &csv::StringRecord, row: &csv::StringRecord) -> Value {
    let mut info = serde_json::Map::new();
    let (mut charges, mut paid, mut main) = ("", "", "");
    for (column, value) in header.iter().zip(row) {
        match column {
            "total_charges" => charges = value,
            "fund_paid" => paid = value,
            "diagnosis" => main = value,
            "self_paid" => {}
            "admission_date" | "discharge_date" => {
                drop(info.insert(
                    called(column).to_owned(),
                    json!(format!("{value} 08:30:00")),
                ));
            }
            _ => drop(info.insert(called(column).to_owned(), json!(value))),
        }
    }
    let fen: i64 = charges.replace('.', "").parse().unwrap();
    let beds = fen / 3;
    let yuan = |fen: i64| format!("{}.{:02}", fen / 100, fen % 100);
    json!({"infno": "4101", "input": {
        "setlinfo": info,
        "payinfo": [{"fund_pay_type": "310100", "fund_payamt": paid}],
        "diseinfo": [
            {"maindiag_flag": "0", "diag_code": "I10.x00x002"},
            {"maindiag_flag": "1", "diag_code": main},
        ],
        "iteminfo": [
            {"med_chrgitm": "01", "amt": yuan(beds)},
            {"med_chrgitm": "西药费", "amt": yuan(fen - beds)},
        ],
    }})
}

#[tokio::test]
async fn settlement_lists_load_to_the_stays_that_csv_gives() {
    let (rows, csv) = made();
    let mut reader = csv::Reader::from_reader(&csv[..]);
    let header = reader.headers().unwrap().clone();
    let (mut lists, mut phones) = (String::new(), Vec::new());
    for row in reader.records() {
        let row = row.unwrap();
        writeln!(lists, "{}", list(&header, &row)).unwrap();
        if phones.len() < 40 {
            phones.push(row.get(4).unwrap().to_owned());
        }
    }
    let mut mapping = MAPPING.to_owned();
    for (own, name) in NAMES {
        mapping = mapping.replace(&format!("\"{own}\""), &format!("\"{name}\""));
    }

    let one = Hospital::new("h01").await;
    let by_csv = one.load_bytes(&csv).await.unwrap();
    // The first load makes the keys that amounts and ranks follow from.
    let twin = one.twin().await;
    let by_list = twin
        .load_file("lists.ndjson", lists.as_bytes(), &mapping)
        .await
        .unwrap();
    assert_eq!(by_csv.kept, u64::from(rows));
    assert_eq!(
        (by_list.kept, by_list.refused),
        (by_csv.kept, by_csv.refused)
    );
    assert_eq!(by_list.unknown_groups, by_csv.unknown_groups);
    // The same stays with every field; their order within a month follows from the file.
    one.release().await;
    twin.release().await;
    let stays = |rows: &[node::scan::Rows]| {
        let mut stays = Vec::new();
        for rows in rows {
            for (at, group) in rows.group.iter().enumerate() {
                let fields: Vec<u32> = rows.fields.values().map(|field| field[at]).collect();
                stays.push((rows.month, *group, fields));
            }
        }
        stays.sort();
        stays
    };
    let expected = stays(&one.rows(&*one.app().await).await);
    let found = stays(&twin.rows(&*twin.app().await).await);
    assert_eq!(expected.len(), rows as usize);
    assert!(expected == found, "the stays differ");
    for (path, bytes) in bytes_below(&twin.config.data) {
        let leaked = phones.iter().any(|phone| holds(&bytes, phone));
        assert!(!leaked, "{}", path.display());
    }

    // The shipped mapping reads the same file; a line that is no list goes to quarantine alone.
    let third = Hospital::new("h02").await;
    let shipped = include_str!("../../deploy/mappings/settlement-list.toml");
    // So it does packed.
    let spoilt = packed(format!("{lists}not a list\n").as_bytes());
    let loaded = third
        .load_file("lists.ndjson.gz", &spoilt, shipped)
        .await
        .unwrap();
    assert_eq!((loaded.kept, loaded.refused), (u64::from(rows), 1));
}
