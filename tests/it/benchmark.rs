//! The benchmark and its files, on made-up answers.

use std::path::Path;

use policies::figures::benchmark::{Cell, Figure, Kind};
use policies::figures::{Benchmark, benchmark};
use proptest::prelude::*;
use schemas::answer::{Counted, Span};
use schemas::canonical;
use schemas::outcome::Outcome;

use crate::simulated::{Source, answer, dictionary, exact, layout, replies, rules, slug, stays};

pub(crate) fn made(monthly: bool) -> Benchmark {
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

pub(crate) fn number(text: &str) -> f64 {
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
    assert_eq!(files.len(), 5);
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
    let page = String::from_utf8(first[4].clone()).unwrap();
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

/// Header and rows of a CSV file of the report.
fn sheet(folder: &Path, name: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    let text = text.strip_prefix('\u{feff}').unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let own = |row: &csv::StringRecord| row.iter().map(str::to_owned).collect::<Vec<_>>();
    let head = own(reader.headers().unwrap());
    let rows = reader.records().map(|row| own(&row.unwrap())).collect();
    (head, rows)
}

/// Every figure of a benchmark, wherever it stands.
fn every_figure(of: &Benchmark) -> Vec<Figure> {
    fn walk(value: serde_json::Value, found: &mut Vec<Figure>) {
        match value {
            serde_json::Value::Object(fields) => {
                if fields.contains_key("noise") {
                    let figure = serde_json::Value::Object(fields);
                    found.push(serde_json::from_value(figure).unwrap());
                } else {
                    fields.into_iter().for_each(|(_, field)| walk(field, found));
                }
            }
            serde_json::Value::Array(items) => items.into_iter().for_each(|item| walk(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(serde_json::to_value(of).unwrap(), &mut found);
    found
}

/// A figure stands in its own intervals, up to the last digits of floats.
fn inside(figure: &Figure) -> bool {
    let value = number(&figure.value);
    let near = value.abs() * 1e-9 + 1e-9;
    let intervals = std::iter::once(&figure.noise).chain(&figure.sampling);
    intervals.into_iter().all(|interval| {
        let high = interval.high.as_deref().map_or(f64::INFINITY, number);
        number(&interval.low) <= value + near && value - near <= high
    })
}

fn cells(of: &Benchmark) -> Vec<&Cell> {
    let whole = of.hospitals.iter().map(|hospital| &hospital.totals.all);
    let rows = of.splits.iter().flat_map(|split| &split.rows);
    let parts = rows.flat_map(|row| row.hospitals.iter().chain([&row.alliance]));
    whole.chain([&of.total.all]).chain(parts).collect()
}

/// Item shares that are shown add to one in thousandths, in every cell.
fn whole_shares(of: &Benchmark) -> usize {
    let mut shown = 0;
    for cell in cells(of) {
        let values: Vec<&Figure> = cell.structure.iter().filter_map(Outcome::value).collect();
        if values.is_empty() {
            continue;
        }
        assert_eq!(values.len(), cell.structure.len(), "all items or none");
        let per_mille = values.iter().map(|share| {
            let (whole, digits) = share.value.split_once('.').unwrap();
            format!("{whole}{digits}").parse::<u32>().unwrap()
        });
        assert_eq!(per_mille.sum::<u32>(), 1000);
        shown += 1;
    }
    shown
}

#[test]
fn shares_add_to_one_and_the_noisy_ones_stand_beside() {
    let found = made(false);
    assert!(whole_shares(&found) > 50);
    let shares = cells(&found).into_iter().flat_map(|cell| &cell.structure);
    let shares: Vec<&Figure> = shares.filter_map(Outcome::value).collect();
    let below = |share: &&&Figure| share.noisy.as_deref().is_some_and(|n| n.starts_with('-'));
    assert!(
        shares.iter().filter(below).count() > 0,
        "noise went below zero"
    );
    assert!(
        shares
            .iter()
            .filter(below)
            .all(|share| share.value == "0.000")
    );
}

#[test]
fn figures_stand_in_their_intervals_which_are_never_points() {
    for monthly in [false, true] {
        let found = made(monthly);
        for figure in every_figure(&found) {
            assert!(inside(&figure), "{figure:?}");
            for interval in std::iter::once(&figure.noise).chain(&figure.sampling) {
                assert_ne!(Some(&interval.low), interval.high.as_ref(), "{figure:?}");
            }
        }
        for cell in cells(&found) {
            for spread in [&cell.deviation, &cell.variation, &cell.capped_share] {
                assert!(spread.value().is_none_or(|f| number(&f.value) > 0.0));
            }
        }
    }
}

/// A sum that noise pushed below zero: zero in an interval from zero, what came out beside it. Far
/// below, where no true sum can have put it, there is no reliable value.
#[test]
fn a_sum_below_zero_stands_at_zero_or_not_at_all() {
    let (dictionary, rules) = (dictionary(), rules());
    let layout = layout(&dictionary, &rules, false);
    let table = layout.table_by(&["case_group"]).unwrap();
    let sum = schemas::question::Measure::Sum {
        field: slug("cost"),
    };
    let block = layout.find(table, &sum).unwrap();
    let counted = layout
        .find(table, &schemas::question::Measure::Count)
        .unwrap();
    // Of the plain sum, which the count rebuilds.
    let less = layout.blocks[block].centre;
    let square = |at: usize| layout.blocks[at].sigma.as_f64().powi(2);
    let sigma = (square(block) + f64::from(less).powi(2) * square(counted)).sqrt();
    let mut said = replies(&layout, &dictionary, 7);
    let answer = &mut said[0].1.as_mut().unwrap().blocks;
    let stays = answer[counted].clone().unwrap();
    let numbers = answer[block].as_mut().unwrap();
    numbers[0] = (-0.5 * sigma) as i64 - i64::from(less) * stays[0];
    numbers[1] = (-3.0 * sigma) as i64 - i64::from(less) * stays[1];
    let found = benchmark(&layout, &dictionary, &rules, &said).unwrap();
    let own = found
        .hospitals
        .iter()
        .position(|h| h.id == said[0].0)
        .unwrap();
    let cell = |row: usize| &found.splits[0].rows[row].hospitals[own];
    for figure in [&cell(0).total_cost, &cell(0).mean_cost] {
        let figure = figure.value().unwrap();
        assert_eq!((&*figure.value, &*figure.noise.low), ("0.00", "0.00"));
        assert!(number(figure.noise.high.as_ref().unwrap()) > 0.0);
        assert!(figure.noisy.as_ref().unwrap().starts_with('-'));
    }
    assert!(cell(1).stays.value().is_some());
    for figure in [&cell(1).total_cost, &cell(1).mean_cost] {
        assert_eq!(*figure, Outcome::Suppressed);
    }
}

#[test]
fn tables_hold_what_was_asked_for_and_say_what_it_means() {
    for (monthly, split) in [(false, "by-case_group.csv"), (true, "by-mdc.csv")] {
        let name = if monthly { "asked-month" } else { "asked" };
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let found = made(monthly);
        coordinator::report::write(&folder, &found).unwrap();
        let (_, guide) = sheet(&folder, "columns.csv");
        for file in ["hospitals.csv", split] {
            let (head, rows) = sheet(&folder, file);
            let explained = guide.iter().filter(|row| row[0] == file);
            let explained: Vec<&String> = explained.map(|row| &row[1]).collect();
            assert_eq!(head.iter().collect::<Vec<_>>(), explained);
            for (place, column) in head.iter().enumerate() {
                let filled = rows.iter().any(|row| !row[place].is_empty());
                assert!(filled, "{file}: {column} is empty");
            }
            let has = |column: &str| head.iter().any(|name| name == column);
            assert!(has("mean_cost_cny_value") && has("stays_value"), "{head:?}");
            for part in ["cny_improved", "cny_improved_low", "improved_by"] {
                assert_eq!(has(&format!("mean_cost_{part}")), file == split, "{part}");
            }
            let yearly = !monthly && file == split;
            assert_eq!(has("deviation_cny_value"), yearly);
            assert_eq!(has("p50_cny_value"), yearly);
        }
        let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
        assert_eq!(page.contains("P90"), !monthly);
        assert_eq!(page.contains("封顶病例占比"), !monthly);
        let asks = |kind| found.asked.iter().any(|asked| asked.figure == kind);
        assert_eq!(asks(Kind::Cmi), !monthly);
        assert!(asks(Kind::CostIndexReference));
    }
}

#[test]
fn whole_years_and_stays_without_a_patient_are_said() {
    let (dictionary, rules) = (dictionary(), rules());
    let layout = layout(&dictionary, &rules, false);
    let mut said = replies(&layout, &dictionary, 7);
    let answer = said[0].1.as_mut().unwrap();
    answer.snapshots.retain(|of| of.month.number() == 12);
    answer.snapshots[0].counted = Counted::Stay;
    answer.snapshots[0].span = Span::Year;
    let found = benchmark(&layout, &dictionary, &rules, &said).unwrap();
    let own = found
        .hospitals
        .iter()
        .position(|h| h.id == said[0].0)
        .unwrap();
    assert!(
        found.hospitals[own]
            .data
            .value()
            .unwrap()
            .missing
            .is_empty()
    );
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("whole-years");
    coordinator::report::write(&folder, &found).unwrap();
    let (head, rows) = sheet(&folder, "hospitals.csv");
    let at = |name: &str| head.iter().position(|column| column == name).unwrap();
    let of = |row: &[String]| (row[at("counted")].clone(), row[at("newest")].clone());
    assert_eq!(of(&rows[own]), ("stay".to_owned(), "2025".to_owned()));
    let other = usize::from(own == 0);
    assert_eq!(
        of(&rows[other]),
        ("patient".to_owned(), "2025-12".to_owned())
    );
    let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(page.contains("per stay") && page.contains("only the year"));
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
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("without-days");
    coordinator::report::write(&folder, &found).unwrap();
    let (head, rows) = sheet(&folder, "hospitals.csv");
    let status = head.iter().position(|name| name == "mean_stay_status");
    let own = rows.iter().find(|row| row[0] == "first-people").unwrap();
    assert_eq!(own[status.unwrap()], "no_data", "asked for, so it is said");
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
        whole_shares(&first);
        for figure in every_figure(&first) {
            prop_assert!(inside(&figure), "{:?}", figure);
        }
        let bytes = canonical::to_bytes(&first).unwrap();
        prop_assert_eq!(&bytes, &canonical::to_bytes(&again).unwrap());
        let text = String::from_utf8(bytes).unwrap();
        prop_assert!(!text.contains("NaN") && !text.contains("\"inf"));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wild");
        coordinator::report::write(&folder, &first).unwrap();
    }
}
