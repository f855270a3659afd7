use std::collections::BTreeMap;

use proofs::checkpoint::Checkpoint;
use proofs::note::Note;
use proofs::tree::{Log, leaf_hash, verify_consistency, verify_inclusion};
use proofs::witness::{Refusal, origin, witness_key};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::Signer;
use schemas::time::Timestamp;
use schemas::witness::Step;

use super::*;
use crate::store::state::{State, append};

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

async fn write(state: &State, n: u8) {
    for number in 0..n {
        let mut change = state.begin().await.unwrap();
        let subject = Digest::of("s", &[&[number]]);
        append(&mut change, Timestamp(1), "load", subject, &[])
            .await
            .unwrap();
        change.commit().await.unwrap();
    }
}

#[tokio::test]
async fn proofs_come_from_the_stored_entries() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::open(folder.path()).await.unwrap();
    let mut leaves = Leaves::default();
    write(&state, 5).await;
    let five = leaves.follow(&state).await.unwrap().root_at(5).unwrap();
    write(&state, 6).await;
    let tree = leaves.follow(&state).await.unwrap();
    let eleven = tree.root_at(11).unwrap();
    let proof = tree.consistency(5, 11).unwrap();
    verify_consistency((5, &five), (11, &eleven), &proof).unwrap();
    let entries = state.log().await.unwrap();
    for (index, entry) in (0_u64..).zip(&entries) {
        let leaf = leaf_hash(&schemas::canonical::to_bytes(entry).unwrap());
        let path = tree.inclusion(index, 11).unwrap();
        verify_inclusion(leaf, index, 11, &path, &eleven).unwrap();
    }
    // Another file under the same name is read anew.
    let other = tempfile::tempdir().unwrap();
    let other = State::open(other.path()).await.unwrap();
    write(&other, 3).await;
    assert_eq!(leaves.follow(&other).await.unwrap().size(), 3);
}

/// Another hospital's log as the coordinator relays it.
struct Other {
    signer: Signer,
    tree: Log,
}

impl Other {
    fn new(seed: u8, leaves: &[u8]) -> Self {
        let mut tree = Log::default();
        for leaf in leaves {
            tree.append(leaf_hash(&[*leaf])).unwrap();
        }
        let signer = Signer::from_seed(&[seed; 32]).unwrap();
        Self { signer, tree }
    }

    fn step(&self, old: u64, new: u64) -> Step {
        let origin = origin(&slug("river"), &slug("h2"), 1);
        let checkpoint = Checkpoint {
            origin: origin.clone(),
            size: new,
            root: self.tree.root_at(new).unwrap(),
        };
        let mut note = Note::new(checkpoint.text()).unwrap();
        note.sign(&origin, &self.signer).unwrap();
        Step {
            organisation: slug("h2"),
            origin,
            old,
            proof: self.tree.consistency(old, new).unwrap(),
            note: note.to_string(),
        }
    }
}

/// security.md §6 row 9: what a node does to whom a fork is shown.
#[tokio::test]
async fn a_fork_is_refused_kept_and_logged() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::open(folder.path()).await.unwrap();
    let (signer, hospital) = (Signer::from_seed(&[1; 32]).unwrap(), slug("h1"));
    let keeper = Keeper {
        state: &state,
        signer: &signer,
        hospital: &hospital,
        alliance: slug("river"),
    };
    let (sound, other) = (Other::new(2, b"abcdef"), Other::new(2, b"abXdefg"));
    let now = Timestamp(9);
    let stranger = cosign(&keeper, &sound.step(0, 3), now).await.unwrap();
    assert_eq!(stranger, Err(Refusal::Unsigned), "its key is not known yet");
    let keys = BTreeMap::from([(slug("h2"), sound.signer.public())]);
    keeper.learn(&keys, now).await.unwrap();
    keeper.learn(&keys, now).await.unwrap();
    assert_eq!(
        state.log().await.unwrap().len(),
        1,
        "a new key is logged once"
    );

    cosign(&keeper, &sound.step(0, 3), now)
        .await
        .unwrap()
        .unwrap();
    cosign(&keeper, &sound.step(3, 5), now)
        .await
        .unwrap()
        .unwrap();
    let [note] = &unsent(&state).await.unwrap()[..] else {
        panic!("one note waits");
    };
    let own = witness_key(&slug("river"), &hospital, signer.public()).unwrap();
    assert_eq!(note.verify(&[own.key]).unwrap()[0].time, Some(9));
    sent(&state, note).await.unwrap();
    assert!(unsent(&state).await.unwrap().is_empty());

    for (step, refusal) in [
        (other.step(5, 5), Refusal::Forked { known: 5 }),
        (other.step(3, 5), Refusal::Stale { known: 5 }),
    ] {
        assert_eq!(cosign(&keeper, &step, now).await.unwrap(), Err(refusal));
    }
    let longer = cosign(&keeper, &other.step(5, 7), now).await.unwrap();
    assert!(matches!(longer, Err(Refusal::Proof(_))));
    let again = cosign(&keeper, &other.step(5, 7), now).await.unwrap();
    assert!(again.is_err());
    let entries = state.log().await.unwrap();
    let forks = entries.iter().filter(|entry| entry.kind.as_str() == "fork");
    assert_eq!(forks.count(), 2, "each contradiction once");
    let kept: i64 = sqlx::query_scalar("select count(*) from forks where held <> shown")
        .fetch_one(state.pool())
        .await
        .unwrap();
    assert_eq!(kept, 2);
    // The witness stands where it stood.
    cosign(&keeper, &sound.step(5, 6), now)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        known(&state).await.unwrap().values().collect::<Vec<_>>(),
        [&6]
    );
    // Its own log is nothing that it cosigns.
    let mut own = sound.step(0, 3);
    own.organisation = hospital.clone();
    let refused = cosign(&keeper, &own, now).await.unwrap();
    assert_eq!(refused, Err(Refusal::Unsigned));
}
