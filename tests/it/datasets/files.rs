//! What loading a dataset leaves on disk, and what it refuses.

use std::collections::BTreeMap;

use super::SETS;
use crate::hospital::{Hospital, Line, bytes_below, file, holds};

#[tokio::test]
async fn identifiers_of_other_datasets_are_nowhere() {
    let hospital = Hospital::new("h1").await;
    for set in &SETS {
        let mut planted = set.rows(40);
        planted[3].patient = "MR77712345".to_owned();
        planted[4].number = "V2025SECRET99".to_owned();
        set.hold(&hospital, &planted).await;
    }
    for (path, bytes) in bytes_below(&hospital.config.data) {
        for text in [
            "张三",
            "110101196005050017",
            "13912345678",
            "MR77712345",
            "V2025SECRET99",
            "2025-03-11",
            "1960-05-05",
        ] {
            assert!(!holds(&bytes, text), "{text} in {}", path.display());
        }
    }
}

#[tokio::test]
async fn lines_that_break_a_rule_are_quarantined_by_its_name() {
    for set in &SETS {
        let hospital = Hospital::new("h1").await;
        let name = set.dataset.as_str();
        let mut text = String::from_utf8(set.csv(&set.rows(30))).unwrap();
        let mut bad = vec![
            (set.day, "2025-02-30", "date"),
            (set.day, "2031-02-03", "date-range"),
            (set.day, "", "required"),
            ("patient_id", "", "required"),
            ("birth_date", "2025-12-30", "date-order"),
            ("birth_date", "1800-01-01", "range"),
            (set.by.0, "13912345678", "identifier"),
            (set.groups.0, "a <b>; c", "code-shape"),
        ];
        if let Some((_, column, _)) = set.field {
            bad.extend([
                (column, "ten", "amount"),
                (column, "-1.00", "negative"),
                (column, "999999.00", "range"),
                (column, "", "required"),
            ]);
        }
        let mut expected: BTreeMap<&str, u64> = BTreeMap::from([("duplicate", 1), ("width", 1)]);
        for (number, (column, value, rule)) in bad.iter().enumerate() {
            let mut row = set.rows(1).remove(0);
            row.number = format!("B{number}");
            row.month = 2;
            let values = set.values(&row).into_iter();
            let values = values.map(|(of, sound)| match of == *column {
                true => (*value).to_owned(),
                false => sound,
            });
            text += &(values.collect::<Vec<_>>().join(",") + "\n");
            *expected.entry(rule).or_default() += 1;
        }
        let first = text.lines().nth(1).unwrap().to_owned();
        text += &format!("{first}\n{first},more\n");
        let summary = hospital.load_file("rows.csv", text.as_bytes(), set.mapping);
        let summary = summary.await.unwrap();
        assert_eq!(summary.rules, expected, "{name}");
        assert_eq!(summary.kept, 30, "{name}");
        assert_eq!(summary.refused, expected.values().sum::<u64>(), "{name}");
        let quarantine: Vec<Vec<u8>> = bytes_below(&hospital.config.data)
            .into_iter()
            .filter(|(path, _)| path.to_string_lossy().contains("quarantine"))
            .map(|(_, bytes)| bytes)
            .collect();
        let quarantine = quarantine.concat();
        for rule in expected.keys() {
            assert!(holds(&quarantine, rule), "{name}: {rule} is named");
        }
        for value in ["13912345678", "999999", "a <b>; c"] {
            assert!(!holds(&quarantine, value), "{name}: {value}");
        }
    }
}

/// Months of several datasets stand beside each other; each is released and replaced by itself.
#[tokio::test]
async fn releases_of_one_dataset_leave_the_others_alone() {
    let hospital = Hospital::new("h1").await;
    let stays: Vec<Line> = (1..=12)
        .map(|month| {
            Line::new(
                &format!("p{month}"),
                &format!("S{month}"),
                month,
                "FR19",
                9000,
            )
        })
        .collect();
    hospital.hold(&stays).await;
    for set in &SETS {
        set.hold(&hospital, &set.rows(200)).await;
    }
    for (place, set) in SETS.iter().enumerate() {
        set.hold(&hospital, &set.rows(240)).await;
        let months = node::release::months(&hospital.state).await.unwrap();
        let restated = |name: &str| {
            let of = months.iter().filter(|one| one.dataset.as_str() == name);
            of.filter(|one| one.restated_by.is_some()).count()
        };
        assert_eq!(restated("stays"), 0);
        for (other, of) in SETS.iter().enumerate() {
            let expected = if other <= place { 12 } else { 0 };
            assert_eq!(restated(of.dataset.as_str()), expected);
        }
        // A file of stays under another mapping is refused by its header.
        let wrong = hospital.load_as(&file(&stays), set.mapping).await;
        assert!(wrong.is_err());
    }
}
