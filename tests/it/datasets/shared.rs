//! One allowance of a patient-year for all datasets.

use std::sync::Arc;

use node::answer::{Unanswered, reply};
use node::ledger::LedgerError;
use policies::rules::DEFAULT;

use super::{ask, hold, visits};
use crate::hospital::{Hospital, Line, by_officer, question};

/// `free_question` lets 0.04 be spent at once; 0.2 a year.
fn body(rho: &str, name: &str) -> String {
    format!(
        "bounds = {{ groups = 1, stays = 1 }}\n[filter]\n{name}\n[[tables]]\nby = []\n\
         blocks = [{{ measure = {{ kind = \"count\" }}, rho = \"{rho}\" }}]\n"
    )
}

fn stays() -> Vec<Line> {
    let one = |number: u8| {
        let month = 1 + number % 12;
        Line::new(
            &format!("p{number}"),
            &format!("S{number}"),
            month,
            "FR19",
            9000,
        )
    };
    (0..30).map(one).collect()
}

#[tokio::test]
async fn a_charge_on_visits_lowers_what_is_left_for_stays() {
    let hospital = Hospital::with_policy("h1", DEFAULT).await;
    hospital.hold(&stays()).await;
    hold(&hospital, &visits(200)).await;
    let app = hospital.app().await;
    let mut spent = 0;
    for (sex, kind) in [
        ("f", "visits"),
        ("m", "stays"),
        ("f", "stays"),
        ("m", "visits"),
    ] {
        let filter = format!("sex = [\"{sex}\"]");
        let asked = match kind {
            "visits" => ask(&app, "2025", &body("0.04", &filter)),
            _ => question(&app, "2025", &body("0.04", &filter)),
        };
        reply(&app, &by_officer(asked)).await.unwrap();
        spent += 40_000_000;
        assert_eq!(hospital.spent("free").await, spent);
    }
    // 0.16 of 0.2 is gone: one more, of either dataset, and then none of either.
    let other = |age: &str| format!("age_band = [\"{age}\"]");
    let one = question(&app, "2025", &body("0.04", &other("60-64")));
    reply(&app, &by_officer(one)).await.unwrap();
    for asked in [
        ask(&app, "2025", &body("0.04", &other("65-69"))),
        question(&app, "2025", &body("0.04", &other("65-69"))),
    ] {
        let refused = reply(&app, &by_officer(asked)).await.unwrap_err();
        assert!(
            matches!(
                refused,
                Unanswered::Ledger(LedgerError::OutOfAllowance { .. }) | Unanswered::Forbidden(_)
            ),
            "{refused:?}"
        );
    }
    assert_eq!(hospital.spent("free").await, 200_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_asks_of_two_datasets_never_overspend() {
    let hospital = Hospital::with_policy("h1", DEFAULT).await;
    hospital.hold(&stays()).await;
    hold(&hospital, &visits(200)).await;
    let app = hospital.app().await;
    let mut asked = Vec::new();
    for age in ["20-24", "25-29", "30-34", "35-39", "40-44", "45-49"] {
        let body = body("0.04", &format!("age_band = [\"{age}\"]"));
        asked.push(ask(&app, "2025", &body));
        asked.push(question(&app, "2025", &body));
    }
    let tasks: Vec<_> = asked
        .into_iter()
        .map(|question| {
            let app = Arc::clone(&app);
            tokio::spawn(async move { reply(&app, &by_officer(question)).await.is_ok() })
        })
        .collect();
    let mut answered = 0;
    for task in tasks {
        answered += u64::from(task.await.unwrap());
    }
    assert_eq!(answered, 5, "0.2 pays for five of 0.04");
    assert_eq!(hospital.spent("free").await, 200_000_000);
}

/// Bytes of an answer about stays are the same whether visits are held or not: the question's digest, the
/// releases and the mechanism are, and the stored answer is served.
#[tokio::test]
async fn answers_about_stays_keep_their_bytes_when_visits_are_loaded() {
    let hospital = Hospital::new("h1").await;
    hospital.hold(&stays()).await;
    let app = hospital.app().await;
    let asked = question(&app, "2025", &body("0.04", "sex = [\"f\"]"));
    let before = reply(&app, &by_officer(asked.clone())).await.unwrap();
    hold(&hospital, &visits(200)).await;
    let again = hospital.app().await;
    let after = reply(&again, &by_officer(asked)).await.unwrap();
    let bytes = |of: &node::ledger::Charged| serde_json::to_vec(of.sealed()).unwrap();
    assert_eq!(bytes(&before), bytes(&after));
    assert_eq!(hospital.spent("free").await, 40_000_000);
}
