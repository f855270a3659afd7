use std::collections::BTreeMap;

use schemas::money::Fen;

use super::*;
use crate::figures::alerts::{self, AlertRules};

fn expected(standard: i64, mean: Option<i64>) -> BTreeMap<String, Expected> {
    let one = Expected {
        standard: Fen(standard),
        stay: 5_000,
        mean: mean.map(Fen),
        mean_stay: None,
    };
    [("GD15".to_owned(), one)].into()
}

fn watcher(standard: i64, mean: Option<i64>) -> Watcher {
    let alerts = AlertRules::parse(alerts::DEFAULT).unwrap();
    let rules = EarlyRules::parse(DEFAULT).unwrap();
    Watcher::new(alerts, rules, expected(standard, mean)).unwrap()
}

/// A posting of one day that is day `day` of 2026 counted from 1 January, months of 30 days.
fn posting(case: &str, (admitted, day): (u32, u32), category: &str, fen: i64) -> Posting {
    let month = format!("2026-{:02}", day / 30 + 1);
    Posting {
        case: case.to_owned(),
        group: "GD15".to_owned(),
        department: "surgery".to_owned(),
        admitted,
        day,
        month: month.parse().unwrap(),
        date: format!("{month}-{:02}", day % 30 + 1),
        category: category.parse().unwrap(),
        amount: Fen(fen),
        closed: false,
    }
}

fn closing(case: &str, days: (u32, u32), category: &str, fen: i64) -> Posting {
    Posting {
        closed: true,
        ..posting(case, days, category, fen)
    }
}

/// Oracle O10, on cases, with the alerts' own comparison beside it.
#[test]
fn o10_levels_of_cases() {
    let rules = AlertRules::parse(alerts::DEFAULT).unwrap();
    let lines = Lines::of(&rules).unwrap();
    for (cost, level) in [
        (719_999, Level::None),
        (720_000, Level::Blue),
        (759_999, Level::Blue),
        (760_000, Level::Yellow),
        (799_999, Level::Yellow),
        (800_000, Level::Yellow),
        (800_001, Level::Red),
        (900_000, Level::Red),
    ] {
        let mut watcher = watcher(800_000, None);
        let told = watcher.post(&closing("c1", (3, 9), "drugs", cost)).unwrap();
        let told = told.iter().find_map(|alert| alert.level);
        assert_eq!(told.unwrap_or(Level::None), level, "{cost}");
        assert_eq!(lines.level(Fen(cost), Fen(800_000)), level);
        assert_eq!(rules.level(Fen(cost), Fen(800_000)), level);
    }
    for cost in [i64::MIN, -1, 0, i64::MAX] {
        assert_eq!(
            lines.level(Fen(cost), Fen(i64::MAX)),
            rules.level(Fen(cost), Fen(i64::MAX))
        );
    }
}

#[test]
fn a_case_is_told_of_once_a_level_and_what_is_there_is_not_foretold() {
    let mut watcher = watcher(800_000, None);
    let kinds = |alerts: Vec<Alert>| -> Vec<(Kind, Option<Level>, Fen)> {
        let of = |alert: Alert| (alert.kind, alert.level, alert.found);
        alerts.into_iter().map(of).collect()
    };
    // One of five days gone, 700.00 spent: 700 + 4/5 of 8,000 = 7,100.00, 88.75 %.
    let first = watcher
        .post(&posting("c1", (1, 1), "drugs", 70_000))
        .unwrap();
    assert_eq!(kinds(first), []);
    // 900.00: 7,300.00, 91.25 %.
    let blue = watcher
        .post(&posting("c1", (1, 1), "drugs", 20_000))
        .unwrap();
    let told = (Kind::Projected, Some(Level::Blue), Fen(730_000));
    assert_eq!(kinds(blue), [told]);
    // Day 5: nothing is left of an ordinary stay; the same level again is not told.
    let blue = watcher
        .post(&posting("c1", (1, 5), "drugs", 630_000))
        .unwrap();
    let told = (Kind::Incurred, Some(Level::Blue), Fen(720_000));
    assert_eq!(kinds(blue), [told]);
    let red = watcher
        .post(&posting("c1", (1, 7), "drugs", 80_001))
        .unwrap();
    assert_eq!(red[0].longer, Some(2));
    let told = (Kind::Incurred, Some(Level::Red), Fen(800_001));
    assert_eq!(kinds(red), [told]);
    // A correction and the same again: it was told.
    for fen in [-80_001, 80_001] {
        let none = watcher.post(&posting("c1", (1, 8), "drugs", fen)).unwrap();
        assert_eq!(kinds(none), []);
    }
    let running = watcher.running("c1").unwrap();
    let days = [(1, 90_000), (5, 720_000), (7, 800_001), (8, 800_001)];
    assert_eq!(running.days, days.map(|(day, fen)| (day, Fen(fen))));
    assert_eq!(running.at_discharge, Some(Fen(800_001)));
    // Neither the number of the case nor the day is kept.
    let alert = Alert {
        hints: Vec::new(),
        ..watcher_alert()
    };
    let text = serde_json::to_string(&alert.kept()).unwrap();
    assert!(!text.contains("c77") && !text.contains("2026-01-04"));
}

fn watcher_alert() -> Alert {
    let mut watcher = watcher(1, None);
    watcher
        .post(&posting("c77", (3, 3), "drugs", 5))
        .unwrap()
        .remove(0)
}

#[test]
fn the_benchmark_warns_of_what_is_far_above_the_alliance() {
    let mut watcher = watcher(100_000_000, Some(1_000_000));
    let at = watcher
        .post(&posting("c1", (1, 1), "drugs", 1_200_000))
        .unwrap();
    assert_eq!(at, []);
    let above = watcher.post(&posting("c1", (1, 1), "drugs", 1)).unwrap();
    assert_eq!(
        (above[0].kind, above[0].against),
        (Kind::Benchmark, Fen(1_000_000))
    );
    assert_eq!(
        watcher.post(&posting("c1", (1, 1), "drugs", 1)).unwrap(),
        []
    );
}

/// Oracle O11: the past is January, the days are February's; one case is closed a day.
#[test]
fn o11_days_against_the_past() {
    let mut watcher = watcher(1_000_000_000, None);
    let past = [
        980_000, 1_010_000, 1_000_000, 1_030_000, 990_000, 1_020_000, 970_000, 1_000_000,
    ];
    let days = [
        1_090_000, 1_100_000, 1_100_001, 1_120_000, 1_150_000, 1_090_000, 880_000, 899_999, 900_000,
    ];
    let all = (5..).zip(past).chain((30..).zip(days)).chain([(60, 1)]);
    let mut told = Vec::new();
    for (day, fen) in all {
        let posting = closing(&format!("c{day}"), (day, day), "drugs", fen);
        told.extend(watcher.post(&posting).unwrap());
    }
    let of = |kind: Kind| -> Vec<(i64, Deviation)> {
        let own = told.iter().filter(|alert| alert.kind == kind);
        own.map(|alert| (alert.found.0, alert.side.unwrap()))
            .collect()
    };
    let (high, low) = (Deviation::High, Deviation::Low);
    let flags = [
        (1_100_001, high),
        (1_120_000, high),
        (1_150_000, high),
        (880_000, low),
        (899_999, low),
    ];
    assert_eq!(of(Kind::Day), flags);
    assert_eq!(of(Kind::Days), [(1_150_000, high)]);
    assert!(told.iter().all(|alert| alert.against == Fen(1_000_000)));
    // One earlier month is too short a past for months.
    assert_eq!(of(Kind::Month), []);
}

#[test]
fn months_against_the_past_with_what_they_lie_in() {
    let mut watcher = watcher(1_000_000_000, None);
    let mut told = Vec::new();
    // Three months of 10,000.00, of which drugs 4,000.00; a fourth of 12,000.01: drugs again as much,
    // consumables more; a last posting ends it.
    for (day, consumables) in [(1, 600_000), (31, 600_000), (61, 600_000), (91, 800_001)] {
        let case = format!("c{day}");
        told.extend(
            watcher
                .post(&posting(&case, (day, day), "drugs", 400_000))
                .unwrap(),
        );
        let last = closing(&case, (day, day + 4), "consumables", consumables);
        told.extend(watcher.post(&last).unwrap());
    }
    assert_eq!(told, []);
    let end = watcher
        .post(&posting("c200", (125, 125), "drugs", 1))
        .unwrap();
    let kinds: Vec<Kind> = end.iter().map(|alert| alert.kind).collect();
    // A day is held against the days of earlier months, of which there are three.
    assert_eq!(kinds, [Kind::Day, Kind::Month, Kind::Anomaly]);
    assert_eq!(
        (end[1].found, end[1].against),
        (Fen(1_200_001), Fen(1_000_000))
    );
    let hint = Hint {
        category: "consumables".parse().unwrap(),
        more: Fen(200_001),
    };
    assert_eq!(
        (end[1].hints.as_slice(), end[1].longer),
        (&[hint][..], None)
    );
}

#[test]
fn hints_of_a_case_are_what_it_has_more_than_closed_ones() {
    let mut watcher = watcher(800_000, None);
    for (number, drugs) in [(1, 100), (2, 200), (3, 300)] {
        let case = format!("c{number}");
        watcher
            .post(&posting(&case, (1, 1), "drugs", drugs))
            .unwrap();
        watcher
            .post(&closing(&case, (1, 2), "nursing", 1_000))
            .unwrap();
    }
    // What comes after the closing counts for the closed case: nursing 4,000 ÷ 3, drugs 200.
    watcher
        .post(&posting("c3", (1, 4), "nursing", 1_000))
        .unwrap();
    watcher
        .post(&posting("c9", (4, 4), "nursing", 900))
        .unwrap();
    watcher.post(&posting("c9", (4, 5), "drugs", 205)).unwrap();
    let told = watcher
        .post(&posting("c9", (4, 5), "imaging", 900_000))
        .unwrap();
    let hints: Vec<(&str, i64)> = told[0]
        .hints
        .iter()
        .map(|hint| (hint.category.as_str(), hint.more.0))
        .collect();
    assert_eq!(hints, [("imaging", 900_000), ("drugs", 5)]);
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let mut watcher = watcher(800_000, None);
    let early = watcher.post(&posting("c1", (5, 4), "drugs", 1));
    assert_eq!(early, Err(Refused::Before));
    watcher
        .post(&posting("c1", (5, 5), "drugs", i64::MAX))
        .unwrap();
    let over = watcher.post(&posting("c1", (5, 5), "drugs", 1));
    assert_eq!(over, Err(Refused::Range));
    let other = watcher.post(&posting("c1", (4, 5), "drugs", 1));
    assert_eq!(other, Err(Refused::Admission));
    assert_eq!(watcher.running("c1").unwrap().days, [(1, Fen(i64::MAX))]);
    let ungrouped = Posting {
        group: String::new(),
        ..posting("c2", (5, 5), "drugs", 9_000_000)
    };
    assert_eq!(watcher.post(&ungrouped).unwrap(), []);
    assert_eq!(watcher.cases(), (2, 1));
    assert!(EarlyRules::parse(&DEFAULT.replacen("least = 3", "least = 1", 1)).is_err());
    assert!(EarlyRules::parse(&DEFAULT.replacen("days = 60", "days = 2", 1)).is_err());
}
