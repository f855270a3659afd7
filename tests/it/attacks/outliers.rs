//! T3 and T4: one enormous stay, and percentiles of few stays.

use super::{compiled, crowd, drawn};
use crate::hospital::{Hospital, Line, dictionary, shipped};

/// T3. One stay of 4,000,000 yuan among 11 normal ones: beyond the cap nothing of it is seen.
#[tokio::test]
async fn t3_one_enormous_stay() {
    let base = Hospital::new("h1").await;
    let lines: Vec<Line> = crowd(11)
        .into_iter()
        .map(|line| line.with("drg", "JR19"))
        .collect();
    let mut cells = Vec::new();
    for yuan in [4_000_000, 2_000_000, 1_000_000] {
        let hospital = base.twin().await;
        let mut lines = lines.clone();
        lines.push(Line::new("VICTIM", "SV", 1, "JR19", yuan));
        hospital.hold(&lines).await;
        let app = hospital.app().await;
        let (yearly, _) = shipped(&app, "yearly-benchmark", "2025");
        let layout = compiled(&app, &yearly);
        let rows = hospital.rows(&app).await;
        let exact = node::scan::run(&layout, &app.dictionary, &rows, 1).unwrap();
        cells.push(exact.into_blocks());
    }
    // Even without noise 1, 2 and 4 million look alike in every cell: sums, squares, bins, items.
    assert_eq!(cells[0], cells[1]);
    assert_eq!(cells[0], cells[2]);
    // And a percentile of twelve stays is not shown.
    let bins = bins_of(12, 1.0);
    assert!(
        [0.25, 0.5, 0.75, 0.9]
            .iter()
            .all(|p| quantile(&bins, *p).is_none())
    );
}

fn bins_of(stays: u32, sigma: f64) -> policies::figures::percentile::Bins {
    let edges = dictionary().bin_edges;
    let counts = edges.iter().enumerate().map(|(n, _)| {
        let here = (0..stays)
            .filter(|stay| *stay as usize % edges.len() == n)
            .count();
        here as f64
    });
    policies::figures::percentile::Bins {
        counts: counts.collect(),
        edges: edges.iter().map(|edge| f64::from(*edge)).collect(),
        sigma,
        stays: f64::from(stays),
    }
}

fn quantile(bins: &policies::figures::percentile::Bins, p: f64) -> Option<f64> {
    policies::figures::percentile::quantile(bins, p).map(|found| found.value)
}

/// T4. Groups of 3 to 20 stays show no percentile in a hospital's benchmark, whatever the noise.
#[tokio::test]
async fn t4_percentiles_of_small_groups() {
    let hospital = Hospital::new("h1").await;
    let dictionary = dictionary();
    let codes: Vec<&str> = dictionary.groups.iter().map(|g| g.code.as_str()).collect();
    let mut lines = Vec::new();
    for (group, code) in codes.iter().take(18).enumerate() {
        for stay in 0..group + 3 {
            let name = format!("{group}-{stay}");
            let yuan = 3_000 + 211 * stay as u64;
            lines.push(Line::new(
                &format!("P{name}"),
                &format!("S{name}"),
                2,
                code,
                yuan,
            ));
        }
    }
    hospital.hold(&lines).await;
    let app = hospital.app().await;
    let rows = hospital.rows(&app).await;
    let (yearly, _) = shipped(&app, "yearly-benchmark", "2025");
    let layout = compiled(&app, &yearly);
    let mut cells = 0;
    for _ in 0..200 {
        let answer = schemas::answer::Answer {
            question: layout.question,
            hospital: app.hospital.clone(),
            snapshots: Vec::new(),
            mechanism: layout.digest().unwrap(),
            policy: app.policy.digest().unwrap(),
            blocks: drawn(&app, &layout, &rows),
        };
        let said = [(app.hospital.clone(), Ok(answer))];
        let found = policies::figures::benchmark(&layout, &dictionary, &app.policy, &said).unwrap();
        for row in found.splits[0].rows.iter().take(18) {
            for figure in row.hospitals[0].percentiles.all() {
                assert!(
                    figure.value().is_none(),
                    "a percentile of few stays: {figure:?}"
                );
                cells += 1;
            }
        }
    }
    println!("T4: none of {cells} percentiles shown");
}
