//! How long a large log takes.

use node::log::{Leaves, chain};
use node::store::state::State;
use schemas::digest::Digest;
use schemas::entry::Entry;
use schemas::seal::Signer;
use schemas::time::Timestamp;

/// Writes `n` entries as the node does, in one change.
async fn fill(state: &State, n: u64) {
    let mut change = state.begin().await.unwrap();
    let mut previous = Digest::ZERO;
    for sequence in 1..=n {
        let entry = Entry {
            sequence,
            previous,
            at: Timestamp(1),
            kind: "load".parse().unwrap(),
            subject: Digest::of("s", &[&sequence.to_le_bytes()]),
            detail: [("answer".parse().unwrap(), previous.to_string())].into(),
        };
        let bytes = schemas::canonical::to_bytes(&entry).unwrap();
        previous = Digest::of(Entry::TAG, &[&bytes]);
        sqlx::query("insert into log (sequence, digest, leaf, entry) values ($1, $2, $3, $4)")
            .bind(i64::try_from(sequence).unwrap())
            .bind(previous.to_string())
            .bind(proofs::tree::leaf_hash(&bytes).to_string())
            .bind(String::from_utf8(bytes).unwrap())
            .execute(&mut *change)
            .await
            .unwrap();
    }
    change.commit().await.unwrap();
}

async fn measure(n: u64) -> [std::time::Duration; 2] {
    let folder = tempfile::tempdir().unwrap();
    let state = State::open(folder.path()).await.unwrap();
    fill(&state, n).await;
    let key = Signer::generate().unwrap().0.public();
    let start = tokio::time::Instant::now();
    let found = chain(&state, &key, |_| Ok(())).await.unwrap();
    assert_eq!(found.entries, n);
    let checked = start.elapsed();
    let start = tokio::time::Instant::now();
    let mut leaves = Leaves::default();
    let tree = leaves.follow(&state).await.unwrap();
    let root = tree.root_at(n).unwrap();
    assert_eq!(root, found.root);
    tree.consistency(n / 3, n).unwrap();
    let path = tree.inclusion(n / 2, n).unwrap();
    assert!(path.len() <= 63);
    [checked, start.elapsed()]
}

#[tokio::test]
async fn a_hundred_thousand_entries_are_checked_at_a_start() {
    let [checked, tree] = measure(100_000).await;
    println!("100,000 entries: checked in {checked:?}, tree in {tree:?}");
    assert!(checked.as_secs() < 10 && tree.as_secs() < 10);
}

#[tokio::test]
#[ignore = "a minute: the full size, for docs/EVIDENCE.md"]
async fn a_million_entries_are_checked_in_ten_seconds() {
    let [checked, tree] = measure(1_000_000).await;
    println!("1,000,000 entries: checked in {checked:?}, tree in {tree:?}");
    assert!(checked.as_secs() < 10 && tree.as_secs() < 10);
}
