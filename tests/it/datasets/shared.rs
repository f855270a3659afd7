//! One allowance of a patient-year for all datasets.

use std::sync::Arc;

use node::answer::{Unanswered, reply};
use node::ledger::LedgerError;
use policies::rules::DEFAULT;

use super::SETS;
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

/// Loads all datasets.
async fn hold_all(hospital: &Hospital) {
    hospital.hold(&stays()).await;
    for set in &SETS {
        set.hold(hospital, &set.rows(200)).await;
    }
}

#[tokio::test]
async fn a_charge_on_one_dataset_lowers_what_is_left_for_the_others() {
    let hospital = Hospital::with_policy("h1", DEFAULT).await;
    hold_all(&hospital).await;
    let app = hospital.app().await;
    let mut spent = 0;
    let paid = body("0.04", "sex = [\"f\"]");
    let mut asked = vec![question(&app, "2025", &paid)];
    asked.extend(SETS.iter().map(|set| set.ask(&app, "2025", &paid)));
    for asked in asked {
        reply(&app, &by_officer(asked)).await.unwrap();
        spent += 40_000_000;
        assert_eq!(hospital.spent("free").await, spent);
    }
    assert_eq!(spent, 200_000_000, "one of each is all of 0.2");
    let more = body("0.04", "age_band = [\"65-69\"]");
    let mut asked = vec![question(&app, "2025", &more)];
    asked.extend(SETS.iter().map(|set| set.ask(&app, "2025", &more)));
    for asked in asked {
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
async fn concurrent_asks_of_all_datasets_never_overspend() {
    let hospital = Hospital::with_policy("h1", DEFAULT).await;
    hold_all(&hospital).await;
    let app = hospital.app().await;
    let mut asked = Vec::new();
    for age in ["20-24", "25-29", "30-34", "35-39"] {
        let body = body("0.04", &format!("age_band = [\"{age}\"]"));
        asked.extend(SETS.iter().map(|set| set.ask(&app, "2025", &body)));
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

/// Bytes of an answer about stays are the same whether other datasets are held or not: the question's digest, the
/// releases and the mechanism are, and the stored answer is served.
#[tokio::test]
async fn answers_about_stays_keep_their_bytes_when_other_datasets_are_loaded() {
    let hospital = Hospital::new("h1").await;
    hospital.hold(&stays()).await;
    let app = hospital.app().await;
    let asked = question(&app, "2025", &body("0.04", "sex = [\"f\"]"));
    let before = reply(&app, &by_officer(asked.clone())).await.unwrap();
    for set in &SETS {
        set.hold(&hospital, &set.rows(200)).await;
    }
    let again = hospital.app().await;
    let after = reply(&again, &by_officer(asked)).await.unwrap();
    let bytes = |of: &node::ledger::Charged| serde_json::to_vec(of.sealed()).unwrap();
    assert_eq!(bytes(&before), bytes(&after));
    assert_eq!(hospital.spent("free").await, 40_000_000);
}
