//! The neighbour test, from raw input files: a hospital's file with and without all rows of one
//! patient goes through ingest → check → deidentify → columns → plan → scan, and no block moves
//! further than the plan claims. Everything in an answer that carries no noise is equal.
//!
//! Outside of this, and said so in docs/PRIVACY.md: the release statement, that is which months a
//! hospital has released and the officer's grade for them.

use std::collections::BTreeMap;

use node::answer;
use node::load::{LoadError, Summary};
use node::scan::Rows;
use node::store::columns::{self, MonthColumns};
use node::{noise, scan};
use policies::plan::{BlockLayout, Layout, compile};
use schemas::dictionary::Dictionary;
use schemas::question::Question;
use tests::noise::Zero;

use crate::hospital::{Hospital, Line, by_officer, dictionary, file, question, shipped};
use crate::simulated::Source;

/// Patients of every kind that has ever broken such a claim.
fn hospital_file() -> Vec<Line> {
    let dictionary = dictionary();
    let codes: Vec<&str> = dictionary.groups.iter().map(|g| g.code.as_str()).collect();
    let mut random = Source(11);
    let mut below = |limit: usize| (random.uniform() * limit as f64) as usize;
    let mut lines = Vec::new();
    let mut number = 0;
    let mut add = |patient: &str, month: u8, drg: &str, yuan: u64| -> Line {
        number += 1;
        Line::new(patient, &format!("S{number:05}"), month, drg, yuan)
    };
    for patient in 0..60 {
        for _ in 0..=below(4) {
            let month = 1 + below(12) as u8;
            let (drg, yuan) = (codes[below(codes.len() - 1)], 500 + below(60_000) as u64);
            let line = add(&format!("P{patient:03}"), month, drg, yuan)
                .with("sex", ["m", "f"][below(2)])
                .with("severity", ["1", "3", "5", "9"][below(4)])
                .with("birth_date", &format!("{}-03-04", 1930 + below(90)));
            lines.push(line);
        }
    }
    // The dearest stay that the dictionary allows, many times, in many groups and months.
    for month in 1..=12 {
        let code = codes[usize::from(month)];
        lines.push(add("EXTREME", month, code, 40_000_000));
        lines.push(add("EXTREME", month, code, 39_999_999));
    }
    // Twelve months, one group, one cell.
    for month in 1..=12 {
        lines.push(add("CONSTANT", month, codes[0], 60_000));
        lines.push(add("CONSTANT", month, codes[0], 10));
    }
    // Every group of the dictionary in one month.
    for code in &codes[..codes.len() - 1] {
        lines.push(add("EVERYTHING", 6, code, 77_777));
    }
    // The only one with a value, one with values nobody lists, one without values, one for nothing.
    lines.push(add("RARE", 3, codes[5], 9_000).with("department", "2100"));
    lines.push(add("UNLISTED", 4, "ZZ99", 9_000).with("department", "9999"));
    lines.push(add("MISSING", 5, "", 9_000).with("insurance", ""));
    lines.push(add("NOTHING", 7, codes[3], 0));
    // All rows of this one are refused by the check.
    lines.push(add("REFUSED", 8, codes[3], 100).with("total_cost", "-1.00"));
    lines
}

const VICTIMS: [&str; 12] = [
    "EXTREME",
    "CONSTANT",
    "EVERYTHING",
    "RARE",
    "UNLISTED",
    "MISSING",
    "NOTHING",
    "REFUSED",
    "P000",
    "P017",
    "P031",
    "P059",
];

/// Loads a file, maps its columns and forgets it again, so that the next world has the same keys.
async fn columns_of(hospital: &Hospital, lines: &[Line], dictionary: &Dictionary) -> Vec<Rows> {
    let summary: Result<Summary, LoadError> = hospital.load_bytes(&file(lines)).await;
    let summary = summary.unwrap();
    let load = summary.load.unwrap();
    let folder = columns::folder(&hospital.config.data).join(&load);
    let mut rows = Vec::new();
    for quality in &summary.quality {
        let month = MonthColumns::open(&folder, quality.month).unwrap();
        for batch in month.batches() {
            let (columns, ranks) = batch.parts();
            let found = Rows::from_batches(quality.month, columns, ranks).unwrap();
            rows.push(found.made_ready(dictionary));
        }
    }
    node::release::discard(
        &hospital.state,
        &hospital.config.data,
        &load,
        crate::hospital::NOW,
    )
    .await
    .unwrap();
    rows
}

fn cells(layout: &Layout, dictionary: &Dictionary, rows: &[Rows]) -> Vec<Vec<i64>> {
    let exact = scan::run(layout, dictionary, rows, 1).unwrap();
    // Through the noise stage too, with a source that adds none.
    let noisy = noise::add(layout, exact, &Zero, 1).unwrap().into_blocks();
    noisy.into_iter().map(Option::unwrap_or_default).collect()
}

fn moved(a: &[i64], b: &[i64]) -> u128 {
    assert_eq!(a.len(), b.len());
    let squares = a
        .iter()
        .zip(b)
        .map(|(a, b)| u128::from(a.abs_diff(*b)).pow(2));
    squares.sum()
}

/// Four dimensions, and filters in the block as well.
const FOUR: &str = "bounds = { groups = 3, stays = 1 }\n[[tables]]\n\
    by = [\"age_band\", \"month\", \"severity\", \"sex\"]\nblocks = [\
    { measure = { kind = \"count\" }, rho = \"0.008\" },\
    { measure = { kind = \"sum\", field = \"cost\" }, rho = \"0.008\" },\
    { measure = { kind = \"squares\", field = \"cost\" }, rho = \"0.008\" },\
    { measure = { kind = \"relative\", field = \"los\" }, rho = \"0.008\" },\
    { measure = { kind = \"count_where\", filter = { department = [\"2100\"] } }, rho = \"0.008\" }]";

#[tokio::test]
async fn no_patient_moves_a_block_further_than_claimed() {
    let hospital = Hospital::new("h1").await;
    let app = hospital.app().await;
    let dictionary = &app.dictionary;
    let compiled = |question: &Question| compile(question, dictionary, &app.policy).unwrap();
    let years = [
        compiled(&shipped(&app, "yearly-benchmark", "2025").0),
        compiled(&question(&app, "2025", FOUR)),
    ];
    let months: Vec<Layout> = (1..=12)
        .map(|m| compiled(&shipped(&app, "monthly-benchmark", &format!("2025-{m:02}")).0))
        .collect();
    let all = hospital_file();
    let whole = columns_of(&hospital, &all, dictionary).await;
    let mut closest: BTreeMap<String, f64> = BTreeMap::new();
    for victim in VICTIMS {
        let rest: Vec<Line> = all
            .iter()
            .filter(|l| l.patient() != victim)
            .cloned()
            .collect();
        assert!(rest.len() < all.len());
        let without = columns_of(&hospital, &rest, dictionary).await;
        let mut in_months = 0;
        for (n, layout) in years.iter().chain(&months).enumerate() {
            let of_series = n >= years.len();
            let worlds = [&whole, &without].map(|rows| cells(layout, dictionary, rows));
            let mut any = false;
            for (block, (a, b)) in layout.blocks.iter().zip(worlds[0].iter().zip(&worlds[1])) {
                let distance = moved(a, b);
                let place = named(block);
                assert!(
                    distance <= block.l2_squared,
                    "{victim}: {place}: {distance}"
                );
                any |= distance > 0;
                let share = (distance as f64 / block.l2_squared as f64).sqrt();
                let most = closest.entry(place).or_default();
                *most = most.max(share);
            }
            in_months += usize::from(of_series && any);
        }
        assert!(
            in_months <= 3,
            "{victim} is in {in_months} months of the series"
        );
        if victim == "REFUSED" {
            assert_eq!(in_months, 0);
        }
    }
    for (place, share) in &closest {
        println!("neighbours: {place}: {share:.3} of the claimed distance at most");
    }
    // The claim is not far from what the extreme patients do: the test would see a smaller one.
    assert!(closest.values().filter(|share| **share > 0.99).count() >= 5);
}

fn named(block: &BlockLayout) -> String {
    let measure = serde_json::to_string(&block.measure).unwrap();
    format!("table {} {measure} ρ {}", block.table, block.rho)
}

#[tokio::test]
async fn what_carries_no_noise_is_equal_for_neighbours() {
    let all = hospital_file();
    let first = Hospital::new("h1").await;
    first.hold(&all).await;
    for victim in ["EXTREME", "RARE", "REFUSED"] {
        let second = first.twin().await;
        let rest: Vec<Line> = all
            .iter()
            .filter(|l| l.patient() != victim)
            .cloned()
            .collect();
        second.hold(&rest).await;
        let mut seen = Vec::new();
        for hospital in [&first, &second] {
            let app = hospital.app().await;
            let mut said = Vec::new();
            for asked in [
                shipped(&app, "yearly-benchmark", "2025").0,
                shipped(&app, "monthly-benchmark", "2025-03").0,
                question(&app, "2025", FOUR),
                question(&app, "2025-04", FOUR),
                question(&app, "2024", FOUR),
            ] {
                let reply = answer::reply(&app, &by_officer(asked)).await;
                said.push(match reply {
                    Ok(charged) => {
                        let mut answer = charged.sealed().open(&app.signer.public()).unwrap();
                        // All that is left when the noised numbers are blanked out.
                        for block in answer.blocks.iter_mut().flatten() {
                            block.iter_mut().for_each(|cell| *cell = 0);
                        }
                        serde_json::to_string(&answer).unwrap()
                    }
                    Err(error) => format!("{error}"),
                });
            }
            seen.push(said);
        }
        // The officer's grade is the release statement's; everything else must be equal.
        let graded = |text: &String| {
            let grades = ["A", "B", "C", "D"].map(|g| format!("\"grade\":\"{g}\""));
            grades
                .iter()
                .fold(text.clone(), |text, g| text.replace(g, "\"grade\":\"\""))
        };
        let seen: Vec<Vec<String>> = seen
            .iter()
            .map(|s| s.iter().map(graded).collect())
            .collect();
        assert_eq!(seen[0], seen[1], "{victim}");
        assert!(
            seen[0]
                .last()
                .unwrap()
                .contains("no month of the period is released")
        );
    }
}
