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
async fn a_large_log_is_checked_at_a_start() {
    let entries = if tests::fixture::long() {
        1_000_000
    } else {
        100_000
    };
    let [checked, tree] = measure(entries).await;
    println!("{entries} entries: checked in {checked:?}, tree in {tree:?}");
}
