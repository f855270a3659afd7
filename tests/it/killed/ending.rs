//! What must hold when all is over.

use std::collections::{BTreeMap, BTreeSet};

use node::config::keys::Keys;
use schemas::round::{Reply, Said};
use schemas::seal::Sealed;
use sqlx::{Row as _, SqliteConnection};

use super::alliance::{Alliance, Round, state};
use super::process::{COORDINATOR, NODE, call};

/// The yearly question, and the monthly series that its first month pays for whole.
const PRICES: [i64; 2] = [250_000_000, 150_000_000];

/// The rounds may ask the same more than once.
pub(super) async fn check(alliance: &Alliance, rounds: &[Round]) {
    let questions: BTreeSet<String> = rounds.iter().map(|r| r.question.to_string()).collect();
    let mut held = by_round(&mut state(&alliance.hub()).await, "round || hospital").await;
    assert_eq!(held.len(), rounds.len() * alliance.nodes.len());
    for node in 0..alliance.nodes.len() {
        let home = alliance.home(node);
        let mut state = state(&home).await;
        spent(&home, &mut state, questions.len()).await;
        let answers = by_round(&mut state, "question").await;
        assert_eq!(answers.len(), questions.len(), "one answer a question");
        let replies = by_round(&mut state, "round").await;
        assert_eq!(replies.len(), rounds.len(), "one reply a round");
        let key = Keys::open(&home).unwrap().message_key().unwrap().public();
        for round in rounds {
            let name = format!("{}h{:02}", round.id, node + 1);
            let reply = held.remove(&name).unwrap();
            assert_eq!(
                replies[&round.digest.to_string()],
                reply,
                "the same bytes on both sides"
            );
            let reply: Sealed<Reply> = serde_json::from_str(&reply).unwrap();
            let Said::Answered(answer) = reply.open(&key).unwrap().said else {
                panic!("{name} was declined");
            };
            let answer = serde_json::to_string(&answer).unwrap();
            assert_eq!(
                answers[&round.question.to_string()],
                answer,
                "the answer that was charged"
            );
        }
        call(NODE, &home, &["log", "fsck"]);
    }
    assert!(held.is_empty());
    let hub = alliance.hub();
    call(COORDINATOR, &hub, &["log", "fsck"]);
    let figures = hub.join("figures");
    let words = ["benchmark", &rounds[0].id, "--out"];
    let words: Vec<&str> = words.into_iter().chain(figures.to_str()).collect();
    call(COORDINATOR, &hub, &words);
}

/// The ledger, by the node's own command and by its entries.
async fn spent(home: &std::path::Path, state: &mut SqliteConnection, questions: usize) {
    let lines = call(NODE, home, &["ledger", "--json"]);
    let lines: serde_json::Value = serde_json::from_str(&lines).unwrap();
    let lines: BTreeMap<&str, Option<i64>> = lines
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            (
                line["purpose"].as_str().unwrap(),
                line["spent_nano"].as_i64(),
            )
        })
        .collect();
    let whole = Some(PRICES.iter().sum());
    assert_eq!(
        lines,
        BTreeMap::from([("all", whole), ("benchmark", whole)]),
        "one charge a question"
    );
    let charged = sqlx::query_scalar("select charged_nano from answers where charged_nano > 0");
    let mut charged: Vec<i64> = charged.fetch_all(&mut *state).await.unwrap();
    charged.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(charged, PRICES);
    let charges = "select count(*) from log where entry like '%\"kind\":\"charge\"%'";
    let charges: i64 = sqlx::query_scalar(charges).fetch_one(state).await.unwrap();
    assert_eq!(usize::try_from(charges), Ok(questions));
}

/// Sealed texts by the name of their row; a doubled name fails.
async fn by_round(state: &mut SqliteConnection, name: &str) -> BTreeMap<String, String> {
    let table = if name == "question" {
        "answers"
    } else {
        "replies"
    };
    let query = format!("select {name}, sealed from {table}");
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .fetch_all(state)
        .await
        .unwrap();
    let texts: BTreeMap<String, String> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(texts.len(), rows.len(), "doubled rows of {table}");
    texts
}
