//! What an auditor learns from published files alone.

use std::collections::BTreeSet;

use node::answer;
use node::config::keys::Keys;
use node::log::{Keeper, export};
use schemas::answer::Answer;
use schemas::canonical;
use schemas::entry::Entry;
use schemas::seal::Sealed;
use sqlx::Row as _;

use crate::hospital::{Hospital, Line, by_officer, question};

/// security.md §6 row 44.
#[tokio::test]
async fn an_auditor_rebuilds_every_release_from_published_files() {
    let hospital = Hospital::new("h1").await;
    let line = |n: u8| Line::new(&format!("P{n}"), &format!("S{n}"), 1 + n % 3, "JR19", 9000);
    hospital.hold(&(0..9).map(line).collect::<Vec<_>>()).await;
    let app = hospital.app().await;
    for period in ["2025-01", "2025-02"] {
        let body = "bounds = { groups = 1, stays = 1 }\n[[tables]]\nby = []\n\
                    blocks = [{ measure = { kind = \"count\" }, rho = \"0.01\" }]";
        let asked = by_officer(question(&app, period, body));
        answer::reply(&app, &asked).await.unwrap();
    }
    let signer = Keys::open(&hospital.config.data)
        .unwrap()
        .message_key()
        .unwrap();
    let keeper = Keeper::open(&hospital.state, &signer, &hospital.config.hospital).await;
    let folder = tempfile::tempdir().unwrap();
    export(&keeper.unwrap().unwrap(), folder.path())
        .await
        .unwrap();

    let text = std::fs::read_to_string(folder.path().join("entries.jsonl")).unwrap();
    let entries: Vec<Entry> = text
        .lines()
        .map(|line| canonical::from_bytes(line.as_bytes()).unwrap())
        .collect();
    let of = |kind: &'static str| {
        entries
            .iter()
            .filter(move |entry| entry.kind.as_str() == kind)
    };
    let rebuilt: BTreeSet<[String; 4]> = of("charge")
        .map(|entry| {
            let detail = |name: &str| entry.detail[name].clone();
            assert_eq!(detail("purpose"), "free");
            [
                entry.subject.to_string(),
                detail("answer"),
                detail("policy"),
                entry.at.0.to_string(),
            ]
        })
        .collect();
    let mut held = BTreeSet::new();
    let rows = sqlx::query("select sealed, at from answers").fetch_all(hospital.state.pool());
    for row in rows.await.unwrap() {
        let sealed: Sealed<Answer> = serde_json::from_str(row.get(0)).unwrap();
        let answer = sealed.open(&signer.public()).unwrap();
        held.insert([
            answer.question.to_string(),
            sealed.digest().unwrap().to_string(),
            answer.policy.to_string(),
            row.get::<i64, _>(1).to_string(),
        ]);
    }
    assert_eq!((rebuilt.len(), &rebuilt), (2, &held));
    // Each under the policy that two officers signed.
    let policies: BTreeSet<String> = of("policy")
        .map(|entry| entry.subject.to_string())
        .collect();
    assert!(
        rebuilt
            .iter()
            .all(|[_, _, policy, _]| policies.contains(policy))
    );
    let months: BTreeSet<&str> = of("release")
        .map(|entry| entry.detail["month"].as_str())
        .collect();
    assert_eq!(months, BTreeSet::from(["2025-01", "2025-02", "2025-03"]));
    assert!(of("release").all(|entry| entry.detail["officer"] == "Li Hua"));
}
