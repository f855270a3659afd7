//! The benchmark and its files, on made-up answers.

use std::path::Path;

use policies::figures::benchmark::Figure;
use policies::figures::{Benchmark, benchmark};
use proptest::prelude::*;
use schemas::canonical;
use schemas::outcome::Outcome;

use crate::simulated::{Source, answer, dictionary, exact, layout, replies, rules, slug, stays};

fn made(monthly: bool) -> Benchmark {
    let (dictionary, rules) = (dictionary(), rules());
    let layout = layout(&dictionary, &rules, monthly);
    benchmark(
        &layout,
        &dictionary,
        &rules,
        &replies(&layout, &dictionary, 7),
    )
    .unwrap()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap()
}

fn holds(figure: &Figure, truth: f64) -> bool {
    let high = figure.noise.high.as_deref().map_or(f64::INFINITY, number);
    number(&figure.noise.low) <= truth && truth <= high
}

#[test]
fn a_report_is_written_and_is_the_same_every_time() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    let found = made(false);
    let files = coordinator::report::write(&folder, &found).unwrap();
    assert_eq!(files.len(), 4);
    let read = |files: &[std::path::PathBuf]| -> Vec<Vec<u8>> {
        files
            .iter()
            .map(|file| std::fs::read(file).unwrap())
            .collect()
    };
    let first = read(&files);
    let again: Benchmark = serde_json::from_slice(&first[0]).unwrap();
    assert_eq!(again, found, "the JSON file says all");
    coordinator::report::write(&folder, &made(false)).unwrap();
    assert_eq!(read(&files), first);
    assert!(first[1].starts_with("\u{feff}".as_bytes()));
    let page = String::from_utf8(first[3].clone()).unwrap();
    for needed in [
        "riverside（逾期 late）",
        "封顶均值",
        "capped means",
        "<svg",
        "已抑制",
    ] {
        assert!(page.contains(needed), "{needed}");
    }
    for foreign in ["<script", "http://", "https://", "NaN", ">inf"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

#[test]
fn hidden_cells_have_one_form_and_missing_hospitals_their_reason() {
    let found = made(false);
    let groups = &found.splits[0];
    let mut hidden = 0;
    for row in &groups.rows {
        for (hospital, cell) in found.hospitals.iter().zip(&row.hospitals) {
            if hospital.id == slug("riverside") {
                assert_eq!(cell.stays, Outcome::Late);
                assert_eq!(cell.mean_cost, Outcome::Late);
            } else if cell.stays == Outcome::Suppressed {
                hidden += 1;
                let rest = [
                    &cell.mean_cost,
                    &cell.deviation,
                    &cell.capped_share,
                    &cell.mean_stay,
                ];
                assert!(rest.iter().all(|figure| **figure == Outcome::Suppressed));
                assert!(
                    cell.percentiles
                        .all()
                        .into_iter()
                        .all(|p| *p == Outcome::Suppressed)
                );
            } else {
                assert!(number(&cell.stays.value().unwrap().value) >= 11.0);
            }
        }
    }
    assert!(hidden > 0, "some cells of the township hospital are small");
}

#[test]
fn a_monthly_layout_gives_what_it_holds() {
    let found = made(true);
    let total = &found.hospitals[0].totals;
    assert!(total.cost_index.reference.value().is_some());
    assert_eq!(total.cost_index.alliance, Outcome::NoData);
    assert_eq!(total.cmi, Outcome::NoData);
    assert_eq!(found.splits[0].dimension, slug("mdc"));
    assert_eq!(found.splits[0].rows[0].alliance.deviation, Outcome::NoData);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("monthly");
    coordinator::report::write(&folder, &found).unwrap();
}

#[test]
fn a_source_without_a_field_has_no_data_and_never_a_zero() {
    let (dictionary, rules) = (dictionary(), rules());
    let layout = layout(&dictionary, &rules, false);
    let mut said = replies(&layout, &dictionary, 7);
    let is_days = |block: &policies::plan::BlockLayout| {
        serde_json::to_string(&block.measure)
            .unwrap()
            .contains("los")
    };
    let answer = said[0].1.as_mut().unwrap();
    for (block, numbers) in layout.blocks.iter().zip(&mut answer.blocks) {
        if is_days(block) {
            *numbers = None;
        }
    }
    let found = benchmark(&layout, &dictionary, &rules, &said).unwrap();
    let without = found
        .hospitals
        .iter()
        .find(|h| h.id == slug("first-people"))
        .unwrap();
    assert_eq!(without.totals.all.mean_stay, Outcome::NoData);
    assert_eq!(without.totals.time_index.alliance, Outcome::NoData);
    assert!(without.totals.all.mean_cost.value().is_some());
    assert!(found.total.all.mean_stay.value().is_some());
}

#[test]
fn answers_to_other_questions_are_refused() {
    let (dictionary, rules) = (dictionary(), rules());
    let layout = layout(&dictionary, &rules, true);
    let said = replies(&layout, &dictionary, 7);
    let mut renamed = said.clone();
    renamed[0].0 = slug("somebody-else");
    assert!(benchmark(&layout, &dictionary, &rules, &renamed).is_err());
    let mut short = said.clone();
    short[0].1.as_mut().unwrap().blocks.pop();
    assert!(benchmark(&layout, &dictionary, &rules, &short).is_err());
    let mut twice = said.clone();
    twice.push(said[0].clone());
    assert!(benchmark(&layout, &dictionary, &rules, &twice).is_err());
}

/// 40 alliances from fixed seeds: the true capped mean, count, index and median of each shown cell
/// lies in its noise interval. Of more than 5,000 cells each a true coverage of 95 % gives less
/// than 93 % with probability below 1e-9.
#[test]
fn intervals_of_shown_cells_cover() {
    let (dictionary, rules) = (dictionary(), rules());
    let layout = layout(&dictionary, &rules, false);
    let mut source = Source(99);
    let sizes = [4000, 2500, 1500, 900];
    let truth: Vec<Vec<_>> = sizes
        .iter()
        .map(|n| stays(&dictionary, *n, 0.9 + *n as f64 / 2e4, &mut source))
        .collect();
    let exact: Vec<_> = truth
        .iter()
        .map(|t| exact(&layout, &dictionary, t))
        .collect();
    let ids = ["a", "b", "c", "d"];
    let mut tally = [[0_u32; 2]; 4];
    let mut note = |kind: usize, outcome: &Outcome<Figure>, truth: f64| {
        if let Some(figure) = outcome.value() {
            tally[kind][1] += 1;
            tally[kind][0] += u32::from(holds(figure, truth));
        }
    };
    for _ in 0..40 {
        let said: Vec<_> = ids
            .iter()
            .zip(&exact)
            .map(|(id, cells)| (slug(id), Ok(answer(&layout, id, cells, &mut source))))
            .collect();
        let found = benchmark(&layout, &dictionary, &rules, &said).unwrap();
        for (group, row) in found.splits[0].rows.iter().enumerate() {
            let reference = dictionary.groups[group].references.cost as f64;
            for (cell, stays) in row.hospitals.iter().zip(&truth) {
                let own: Vec<f64> = stays.iter().filter(|s| s.0 == group).map(|s| s.1).collect();
                let n = own.len() as f64;
                let capped: f64 = own.iter().map(|cost| cost.min(3.0 * reference)).sum();
                note(0, &cell.stays, n);
                note(1, &cell.mean_cost, capped / n / 100.0);
                let mut sorted = own.clone();
                sorted.sort_by(f64::total_cmp);
                if let Some(median) = sorted.get(own.len().div_ceil(2).saturating_sub(1)) {
                    note(2, &cell.percentiles.p50, median / 100.0);
                }
            }
        }
        for (hospital, stays) in found.hospitals.iter().zip(&truth) {
            let weight = |s: &(usize, f64, f64)| dictionary.groups[s.0].weight_micro as f64 / 1e6;
            let n = stays.len() as f64;
            note(
                3,
                &hospital.totals.cmi,
                stays.iter().map(weight).sum::<f64>() / n,
            );
            let relative = |s: &(usize, f64, f64)| {
                (s.1 / dictionary.groups[s.0].references.cost as f64).min(3.0)
            };
            let index = stays.iter().map(relative).sum::<f64>() / n;
            note(3, &hospital.totals.cost_index.reference, index);
        }
    }
    eprintln!("{tally:?}");
    for [held, shown] in tally {
        assert!(shown > 200, "{tally:?}");
        assert!(f64::from(held) / f64::from(shown) >= 0.93, "{tally:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the numbers: no panic, the order of hospitals does not matter, all text finite.
    #[test]
    fn any_numbers_give_a_benchmark(
        cells in prop::collection::vec(-(1_i64 << 61)..(1_i64 << 61), 7),
        rotate in 0_usize..6,
        small in any::<bool>(),
    ) {
        let (dictionary, rules) = (dictionary(), rules());
        let layout = layout(&dictionary, &rules, true);
        let mut said = replies(&layout, &dictionary, 3);
        for (place, (_, reply)) in said.iter_mut().enumerate() {
            let Ok(answer) = reply else { continue };
            let numbers = answer.blocks.iter_mut().flatten().flatten();
            for (k, number) in numbers.enumerate() {
                let wild = cells[(k * 5 + place) % cells.len()];
                *number = if small { wild >> 52 } else { wild };
            }
        }
        let first = benchmark(&layout, &dictionary, &rules, &said).unwrap();
        said.rotate_left(rotate);
        let again = benchmark(&layout, &dictionary, &rules, &said).unwrap();
        let bytes = canonical::to_bytes(&first).unwrap();
        prop_assert_eq!(&bytes, &canonical::to_bytes(&again).unwrap());
        let text = String::from_utf8(bytes).unwrap();
        prop_assert!(!text.contains("NaN") && !text.contains("\"inf"));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wild");
        coordinator::report::write(&folder, &first).unwrap();
    }
}
