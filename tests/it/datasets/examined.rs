//! `quality run` over a month of every dataset beside stays, and the gate before its release.

use node::quality::{Gate, QualityError, run};
use node::release::{self, ReleaseError, SignOff};
use policies::quality::{DEFAULT, QualityRules};
use schemas::answer::Grade;
use schemas::question::Dataset;
use schemas::time::{Month, Timestamp};

use super::{Row, SETS, Set};
use crate::hospital::{Hospital, NOW};

fn rules() -> QualityRules {
    QualityRules::parse(DEFAULT).unwrap()
}

fn december() -> Month {
    "2025-12".parse().unwrap()
}

/// Twenty rows of December without anything to find, of a patient each.
fn sound(set: &Set) -> Vec<Row> {
    let rows = set.rows(20).into_iter().enumerate();
    rows.map(|(at, row)| Row {
        patient: format!("p{at}"),
        month: 12,
        group: at % 3,
        by: at % 2,
        ..row
    })
    .collect()
}

/// The rules that were broken and by how many rows, and the grade.
async fn examined(hospital: &Hospital, set: &Set, at: Timestamp) -> (Vec<(String, u64)>, Grade) {
    let of = (set.dataset, december(), None);
    let rules = rules();
    let ran = run(&hospital.state, &hospital.config.data, &rules, of, at);
    let ran = ran.await.unwrap().rows;
    assert_eq!(ran.report.dataset, set.dataset.as_str());
    let mut found: std::collections::BTreeMap<String, u64> = Default::default();
    for one in &ran.known {
        *found.entry(one.finding.rule.to_string()).or_default() += one.finding.rows;
    }
    (found.into_iter().collect(), ran.report.grade)
}

#[tokio::test]
async fn a_month_of_every_dataset_is_examined_and_waits_for_its_grade() {
    for set in &SETS {
        let name = set.dataset.as_str();
        let hospital = Hospital::new("h1").await;
        // Nothing to find.
        let bytes = set.csv(&sound(set));
        hospital
            .load_file("a.csv", &bytes, set.mapping)
            .await
            .unwrap();
        let gate = || {
            Some(Gate {
                least: Grade::A,
                finance: Vec::new(),
            })
        };
        let by = || SignOff {
            officer: "Li Hua",
            accept_grade_d: false,
            gate: gate(),
            at: NOW,
        };
        let data = &hospital.config.data;
        let refused = release::release(&hospital.state, data, None, &by()).await;
        let refused = refused.unwrap_err();
        let waits = matches!(refused, ReleaseError::Quality(QualityError::NotRun(_)));
        assert!(waits, "{name}: {refused:?}");
        let (found, grade) = examined(&hospital, set, NOW).await;
        assert_eq!((found, grade), (Vec::new(), Grade::A), "{name}");
        release::release(&hospital.state, data, None, &by())
            .await
            .unwrap();

        // An unlisted group and key, a date that is none, birth after the day, a row twice.
        let mut rows = sound(set);
        rows[0].group = 3;
        rows[1].by = 2;
        let again = Row {
            number: "AGAIN".to_owned(),
            ..rows[5].clone()
        };
        rows.push(again);
        let mut text = String::from_utf8(set.csv(&rows)).unwrap();
        for (column, value) in [(set.day, "2025-12-40"), ("birth_date", "2025-12-30")] {
            let mut bad = rows[7].clone();
            bad.number = column.to_owned();
            let values = set.values(&bad).into_iter();
            let values = values.map(|(of, sound)| match of == column {
                true => value.to_owned(),
                false => sound,
            });
            text += &(values.collect::<Vec<_>>().join(",") + "\n");
        }
        let twice = text.lines().nth(3).unwrap().to_owned();
        text += &format!("{twice}\n");
        hospital
            .load_file("b.csv", text.as_bytes(), set.mapping)
            .await
            .unwrap();
        let stale = Timestamp(NOW.0 + 36 * 86_400);
        let (found, grade) = examined(&hospital, set, stale).await;
        let mut expected = vec![("case-group-listed", 1), ("fresh", 21)];
        match set.dataset {
            Dataset::Visits => expected.extend([("tier-listed", 1), ("visit-repeated", 1)]),
            Dataset::Referrals => expected.push(("direction-listed", 1)),
            Dataset::Followups => expected.push(("followup-repeated", 1)),
            _ => {}
        }
        // The row with a date that is none is of no month, so that it counts in each.
        expected.extend([("refused-order", 2), ("refused-values", 1)]);
        expected.sort_unstable();
        let found: Vec<(&str, u64)> = found
            .iter()
            .map(|(rule, rows)| (rule.as_str(), *rows))
            .collect();
        assert_eq!(found, expected, "{name}");
        assert!(grade > Grade::A, "{name}: {grade:?}");
        let refused = release::release(&hospital.state, data, None, &by()).await;
        let below = matches!(
            refused,
            Err(ReleaseError::Quality(QualityError::Below { .. }))
        );
        assert!(below, "{name}");
    }
}
