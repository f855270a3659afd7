//! Bytes of the state file that change.

use std::path::Path;

use node::log::{self, Keeper, Leaves};
use node::store::dictionaries;
use node::store::state::State;
use schemas::seal::Signer;
use schemas::time::Timestamp;
use sqlx::Row as _;
use tests::fixture;

use crate::ledger::{ask, layout};

/// Positions that are tried, spread over what is not empty.
const FLIPS: usize = 1200;

/// Everything that `log fsck` answers for, as text.
async fn content(state: &State) -> Result<Vec<String>, sqlx::Error> {
    let mut rows = Vec::new();
    for select in [
        "select sequence || digest || leaf || entry from log order by sequence",
        "select year || ' ' || purpose || ' ' || spent_nano from ledger order by 1",
        "select question || releases || mechanism || sealed || charged_nano || ' ' || at \
         from answers order by 1",
        "select version || digest || body || signed from dictionaries order by version",
    ] {
        for row in sqlx::query(select).fetch_all(state.pool()).await? {
            rows.push(row.try_get(0)?);
        }
    }
    Ok(rows)
}

async fn fill(folder: &Path, signer: &Signer) -> Vec<String> {
    let state = State::open(folder).await.unwrap();
    let now = Timestamp(1);
    dictionaries::accept(&state, &fixture::dictionary(), false, now)
        .await
        .unwrap();
    for number in [0, 2, 4, 6, 8] {
        let (layout, policy) = (layout(number), fixture::rules());
        ask(&state, &layout, 1, signer, &policy, |_| {})
            .await
            .unwrap();
    }
    let hospital = fixture::slug("h1");
    let keeper = Keeper::open(&state, signer, &hospital)
        .await
        .unwrap()
        .unwrap();
    let mut leaves = Leaves::default();
    let tree = leaves.follow(&state).await.unwrap();
    let note = keeper.sign(&keeper.origin().await.unwrap(), tree).unwrap();
    keeper.keep(&note).await.unwrap();
    let found = log::fsck(&state, &signer.public()).await.unwrap();
    assert_eq!((found.entries, found.answers), (6, 5));
    let content = content(&state).await.unwrap();
    assert_eq!(content.len(), 6 + 2 + 5 + 1);
    state.pool().close().await;
    content
}

/// security.md §6 row 20: detected or unreadable, never silently accepted.
#[tokio::test]
async fn flipped_bytes_of_the_state_file_are_never_accepted() {
    let home = tempfile::tempdir().unwrap();
    let (signer, _) = Signer::generate().unwrap();
    let before = fill(home.path(), &signer).await;
    let sound = std::fs::read(home.path().join("state.sqlite")).unwrap();
    // Most of a small database is empty pages.
    let used: Vec<usize> = (0..sound.len())
        .filter(|place| sound[*place] != 0)
        .collect();
    let (mut unreadable, mut detected, mut unused) = (0, 0, 0);
    for flip in 0..FLIPS {
        let mut bytes = sound.clone();
        let place = used[flip * used.len() / FLIPS];
        bytes[place] ^= 1 << (flip % 8);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("state.sqlite"), bytes).unwrap();
        let Ok(state) = State::open(folder.path()).await else {
            unreadable += 1;
            continue;
        };
        let found = log::fsck(&state, &signer.public()).await;
        if found.is_err() {
            detected += 1;
        } else {
            let now = content(&state).await.unwrap();
            assert_eq!(now, before, "byte {place} was accepted silently");
            unused += 1;
        }
        state.pool().close().await;
    }
    println!("{unreadable} unreadable, {detected} detected, {unused} in unused bytes");
    assert!(detected > FLIPS / 4, "the test tests too little");
}

/// The database itself refuses; who goes around it is found.
#[tokio::test]
async fn the_log_is_append_only() {
    let home = tempfile::tempdir().unwrap();
    let (signer, _) = Signer::generate().unwrap();
    fill(home.path(), &signer).await;
    let state = State::open(home.path()).await.unwrap();
    let run = async |statement: &'static str| {
        let done = sqlx::query(statement).execute(state.pool()).await;
        done.map(|done| done.rows_affected())
    };
    for statement in [
        "update log set entry = '{}' where sequence = 2",
        "delete from log",
    ] {
        let refused = run(statement).await.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
    let fsck = async || {
        let found = log::fsck(&state, &signer.public()).await;
        found.map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(fsck().await, Ok(()));
    run("update ledger set spent_nano = spent_nano - 1 where purpose = 'all'")
        .await
        .unwrap();
    assert!(fsck().await.unwrap_err().starts_with("ledger: "));
    run("update ledger set spent_nano = spent_nano + 1 where purpose = 'all'")
        .await
        .unwrap();
    assert_eq!(fsck().await, Ok(()));

    run("drop trigger log_keeps_entries").await.unwrap();
    run("drop trigger log_loses_nothing").await.unwrap();
    run("delete from log where sequence = 6").await.unwrap();
    assert!(fsck().await.unwrap_err().starts_with("checkpoints: "));
    run("delete from log where sequence = 2").await.unwrap();
    assert!(fsck().await.unwrap_err().starts_with("log entry 2: "));
}
