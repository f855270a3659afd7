//! T13 of the attacks: amounts of 10^15 fen, below zero, overflowing, not numbers. Each is read
//! exactly or the row goes to quarantine; none is clipped silently.

use schemas::money::{Fen, MoneyError};
use tests::noise::Zero;

use crate::hospital::{Hospital, Line, by_officer, bytes_below, holds, question};

/// What a hospital's file may hold in place of an amount in yuan, and the rule that refuses it.
const REFUSED: [(&str, &str); 22] = [
    ("10000000000000.00", "range"), // 10^15 fen
    ("40000000.01", "range"),       // one fen above the dictionary's greatest
    ("42949672.96", "range"),       // 2^32 fen
    ("92233720368547758.07", "range"),
    ("92233720368547758.08", "range"),
    ("184467440737095516.16", "range"),
    ("99999999999999999999999999", "range"),
    ("99999999999999999999999999999999999999999", "amount"),
    ("-0.01", "negative"),
    ("-99999999999999999999", "negative"),
    ("NaN", "amount"),
    ("nan", "amount"),
    ("inf", "amount"),
    ("-inf", "amount"),
    ("Infinity", "amount"),
    ("1e3", "amount"),
    ("0x10", "amount"),
    ("１００", "amount"),
    ("\"1,000.00\"", "amount"),
    ("1.005", "amount"),
    ("", "required"),
    ("￥100", "amount"),
];

/// Read exactly, to the fen.
const EXACT: [(&str, i64); 6] = [
    ("0", 0),
    ("0.01", 1),
    ("7067.1", 706_710),
    ("12.3400", 1_234),
    ("39999999.99", 3_999_999_999),
    ("40000000.00", 4_000_000_000),
];

fn line(settlement: &str, amount: &str) -> Line {
    let mut line = Line::new(&format!("P{settlement}"), settlement, 1, "JR19", 0);
    line.set("total_cost", amount).set("cost_staff", amount);
    line
}

#[tokio::test]
async fn t13_amounts_are_exact_or_refused() {
    let hospital = Hospital::new("h1").await;
    let mut lines: Vec<Line> = REFUSED
        .iter()
        .enumerate()
        .map(|(n, (amount, _))| line(&format!("R{n}"), amount))
        .collect();
    let sound = EXACT.iter().enumerate();
    lines.extend(sound.map(|(n, (amount, _))| line(&format!("E{n}"), amount)));
    let summary = hospital.hold(&lines).await;
    assert_eq!((summary.kept, summary.refused), (6, 22));

    // Row by row: number, field, rule, and no value anywhere in what was written.
    let load = summary.load.unwrap();
    let folder = node::store::columns::folder(&hospital.config.data).join(load);
    let quarantine = std::fs::read_to_string(folder.join("quarantine.csv")).unwrap();
    let mut listed = quarantine.lines().skip(1);
    for (n, (amount, rule)) in REFUSED.iter().enumerate() {
        let expected = format!("{},cost,{rule}", n + 2);
        assert_eq!(listed.next().unwrap(), expected, "{amount}");
    }
    assert_eq!(listed.next(), None);
    for (path, bytes) in bytes_below(&hospital.config.data) {
        assert!(!holds(&bytes, "92233720368547758"), "{}", path.display());
    }

    // What was kept is exact: histogram of unclamped values, and the largest as it stands.
    let month = "2025-01".parse().unwrap();
    let stored = node::store::columns::MonthColumns::open(&folder, month).unwrap();
    let batch = &stored.batches()[0];
    let mut amounts: Vec<i64> = batch
        .amounts("cost")
        .unwrap()
        .iter()
        .map(|a| i64::from(*a))
        .collect();
    let mut exact = EXACT.map(|(_, fen)| fen);
    amounts.sort_unstable();
    exact.sort_unstable();
    assert_eq!(amounts, exact, "the order of the source is gone");

    // The cap is part of what is asked, and says so: the number of capped stays stands beside it.
    let app = hospital.app().await;
    let mut app = std::sync::Arc::into_inner(app).unwrap();
    app.noise = Box::new(Zero);
    let app = std::sync::Arc::new(app);
    let body = "bounds = { groups = 1, stays = 1 }\n[[tables]]\nby = []\nblocks = [\
                { measure = { kind = \"histogram\", field = \"cost\" }, rho = \"0.04\" }]";
    let asked = by_officer(question(&app, "2025", body));
    let charged = node::answer::reply(&app, &asked).await.unwrap();
    let answer = charged.sealed().open(&app.signer.public()).unwrap();
    let bins = answer.blocks[0].as_ref().unwrap();
    assert_eq!(bins.iter().sum::<i64>(), 6);
    assert_eq!(
        bins.last(),
        Some(&2),
        "two stays far above the cap, counted as such"
    );
}

#[test]
fn t13_money_never_wraps_or_clips() {
    assert_eq!("10000000000000.00".parse(), Ok(Fen(1_000_000_000_000_000)));
    assert_eq!("92233720368547758.07".parse(), Ok(Fen(i64::MAX)));
    for beyond in [
        "92233720368547758.08",
        "-92233720368547758.09",
        "99999999999999999999",
    ] {
        assert_eq!(
            beyond.parse::<Fen>(),
            Err(MoneyError::OutOfRange),
            "{beyond}"
        );
    }
    for bad in [
        "NaN", "inf", "-inf", "", "-", "1e15", "１", "0.001", "1,0", " 1", "+1", "1\u{0}",
    ] {
        assert_eq!(bad.parse::<Fen>(), Err(MoneyError::NotAnAmount), "{bad}");
    }
    let most = Fen(i64::MAX);
    assert_eq!(most.checked_add(Fen(1)), Err(MoneyError::OutOfRange));
    assert_eq!(
        Fen(i64::MIN).checked_add(Fen(-1)),
        Err(MoneyError::OutOfRange)
    );
    assert_eq!(Fen(-1).split(&[1]), Err(MoneyError::OutOfRange));
    let parts = most.split(&[u64::MAX, 1, u64::MAX]).unwrap();
    let sum: i128 = parts.iter().map(|part| i128::from(part.0)).sum();
    assert_eq!(sum, i128::from(i64::MAX));
}
