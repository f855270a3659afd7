use super::*;
use crate::tree::{self, Log};
use crate::witness;
use schemas::canonical;
use schemas::entry::Entry;
use schemas::seal::Signer;
use schemas::time::Timestamp;

const MOMENT: i64 = 1_764_000_000;

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

fn signer(seed: u8) -> Signer {
    Signer::from_seed(&[seed; 32]).unwrap()
}

/// Entries from `at` on, after those given, written as `who`.
fn written(mut entries: Vec<Entry>, n: usize, who: &str, at: i64) -> Vec<Entry> {
    for _ in 0..n {
        let previous = entries.last().map_or(Digest::ZERO, |e| e.digest().unwrap());
        let sequence = entries.len() as u64 + 1;
        entries.push(Entry {
            sequence,
            previous,
            at: Timestamp(at + entries.len().cast_signed() as i64),
            kind: slug("load"),
            subject: Digest::of(who, &[&sequence.to_le_bytes()]),
            detail: BTreeMap::new(),
        });
    }
    entries
}

fn lines(entries: &[Entry]) -> Vec<Vec<u8>> {
    let line = |entry| [canonical::to_bytes(entry).unwrap(), b"\n".to_vec()].concat();
    entries.iter().map(line).collect()
}

fn note(entries: &[Entry], size: usize, at: i64) -> Vec<u8> {
    let name = witness::origin(&slug("river"), &slug("h1"), 1);
    let leaves = entries.iter().take(size);
    let leaves = leaves.map(|e| tree::leaf_hash(&canonical::to_bytes(e).unwrap()));
    let checkpoint = Checkpoint {
        origin: name.clone(),
        size: size as u64,
        root: tree::root(leaves).unwrap(),
    };
    let mut note = Note::new(checkpoint.text()).unwrap();
    note.sign(&name, &signer(1)).unwrap();
    for (organisation, seed) in [("coordinator", 2), ("h2", 3)] {
        let name = witness::witness_name(&slug("river"), &slug(organisation));
        note.cosign(&name, &signer(seed), at.cast_unsigned())
            .unwrap();
    }
    note.to_string().into_bytes()
}

fn keys() -> String {
    let (river, h1) = (slug("river"), slug("h1"));
    let log = witness::log_key(&h1, &witness::origin(&river, &h1, 1), signer(1).public());
    let witness = |name, seed| witness::witness_key(&river, &slug(name), signer(seed).public());
    let witnesses = vec![
        witness("coordinator", 2).unwrap(),
        witness("h2", 3).unwrap(),
    ];
    let log = log.unwrap();
    Keys { log, witnesses }.to_string()
}

fn shown(name: &str, bytes: Vec<u8>) -> Shown {
    Shown {
        name: name.to_owned(),
        own: name.starts_with("own"),
        bytes,
    }
}

fn judge(lines: &[Vec<u8>], notes: &[Shown]) -> Result<Sound, Fault> {
    verify(&Published {
        entries: &lines.concat(),
        notes,
        keys: &keys(),
    })
}

/// The log of these tests: 12 entries, witnessed at 5 and 10.
fn sound() -> (Vec<Entry>, Vec<Shown>) {
    let entries = written(Vec::new(), 12, "h1", MOMENT);
    let notes = vec![
        shown("own5", note(&entries, 5, MOMENT + 50)),
        shown("own10", note(&entries, 10, MOMENT + 100)),
    ];
    (entries, notes)
}

/// security.md §6 row 20, attacks.md T16: every way has its name.
#[test]
fn edit_delete_truncate_reorder_fork_and_old_backup_have_names() {
    let (entries, notes) = sound();
    let all = lines(&entries);
    let found = judge(&all, &notes).unwrap();
    assert_eq!((found.entries, found.witnessed.unwrap().0), (12, 10));

    for (place, entry) in [(0, 1), (6, 7), (10, 11)] {
        let mut edited = entries.clone();
        edited[place].detail.insert(slug("rho"), "0".to_owned());
        let found = judge(&lines(&edited), &notes);
        assert_eq!(found, Err(Fault::Edited { entry }));
    }
    let mut broken = all.clone();
    broken[3].pop();
    assert_eq!(judge(&broken[..4], &[]), Err(Fault::Edited { entry: 4 }));
    let mut deleted = all.clone();
    deleted.remove(6);
    assert_eq!(judge(&deleted, &notes), Err(Fault::Deleted { entry: 7 }));
    let mut turned = all.clone();
    turned.swap(3, 4);
    assert_eq!(judge(&turned, &notes), Err(Fault::Reordered { entry: 4 }));
    let mut doubled = all.clone();
    doubled[11] = all[10].clone();
    assert_eq!(judge(&doubled, &notes), Err(Fault::Inserted { entry: 12 }));
    let (entries_left, checkpoint) = (8, 10);
    let truncated = Fault::Truncated {
        entries: entries_left,
        checkpoint,
    };
    assert_eq!(judge(&all[..8], &notes), Err(truncated));

    // A whole new chain from entry 7 on, by someone without the log's key.
    let rewritten = written(entries[..6].to_vec(), 6, "liar", MOMENT);
    let found = judge(&lines(&rewritten), &notes);
    assert_eq!(found, Err(Fault::Rewritten { from: 5, to: 10 }));

    // The same by the log's keeper himself, who signs what he shows to others.
    let other = shown("seen", note(&rewritten, 10, MOMENT + 100));
    let both = [notes.as_slice(), &[other]].concat();
    let forked = |first, second| Err(Fault::Forked { first, second });
    assert_eq!(judge(&all, &both), forked(10, 10));
    let later = shown("own12", note(&rewritten, 12, MOMENT + 120));
    let both = [notes.as_slice(), &[later]].concat();
    assert_eq!(judge(&lines(&rewritten), &both), forked(10, 12));

    // An old backup: alone, and after it went on.
    let kept = [notes[0].clone(), shown("seen10", notes[1].bytes.clone())];
    let found = judge(&all[..7], &kept);
    assert_eq!(found, Err(Fault::Replayed { from: 7, to: 10 }));
    let gone_on = written(entries[..7].to_vec(), 4, "h1 again", MOMENT + 5000);
    let found = judge(&lines(&gone_on), &kept);
    assert_eq!(found, Err(Fault::Replayed { from: 5, to: 10 }));
}

#[test]
fn damaged_checkpoints_and_keys_are_refused() {
    let (entries, mut notes) = sound();
    let all = lines(&entries);
    for place in 0..notes[0].bytes.len() {
        let whole = notes[0].bytes.clone();
        notes[0].bytes[place] ^= 1;
        let found = judge(&all, &notes);
        // A line of another key's name or id is a line of a stranger: it counts for nothing.
        match found {
            Err(Fault::Checkpoint { name, .. }) => assert_eq!(name, "own5"),
            other => assert_eq!(other.unwrap().entries, 12),
        }
        notes[0].bytes = whole;
    }
    let keys = keys();
    let two = format!("{keys}{keys}");
    for keys in [
        "",
        "log h1\n",
        &keys.replace("log h1 ", "witness h1 "),
        &two,
    ] {
        let entries = &all.concat();
        let refused = verify(&Published {
            entries,
            notes: &notes,
            keys,
        });
        assert_eq!(refused, Err(Fault::Keys));
    }
}

/// security.md §6 row 10: the payer needs nothing but what it stored.
#[test]
fn a_committed_record_cannot_be_denied() {
    let (entries, notes) = sound();
    let mut tree = Log::default();
    for entry in &entries {
        let leaf = tree::leaf_hash(&canonical::to_bytes(entry).unwrap());
        tree.append(leaf).unwrap();
    }
    let keys = Keys::parse(&keys()).unwrap();
    let receipt = Receipt {
        entry: entries[6].clone(),
        path: tree.inclusion(6, 10).unwrap(),
        checkpoint: String::from_utf8(notes[1].bytes.clone()).unwrap(),
    };
    assert_eq!(receipt.verify(&keys, QUORUM).unwrap().checkpoint.size, 10);
    let mut other = receipt.clone();
    other.entry.at = Timestamp(0);
    assert!(matches!(
        other.verify(&keys, QUORUM),
        Err(ReceiptError::Path(_))
    ));
    let mut early = receipt.clone();
    early.checkpoint = String::from_utf8(notes[0].bytes.clone()).unwrap();
    assert!(matches!(
        early.verify(&keys, QUORUM),
        Err(ReceiptError::Path(_))
    ));
    // Without a quorum nobody believes it.
    let lines: Vec<&str> = receipt.checkpoint.lines().collect();
    let mut alone = receipt.clone();
    alone.checkpoint = lines[..lines.len() - 1].join("\n") + "\n";
    let refused = alone.verify(&keys, QUORUM);
    let quorum = CheckpointError::Quorum {
        found: 1,
        needed: QUORUM,
    };
    assert!(matches!(refused, Err(ReceiptError::Checkpoint(e)) if e == quorum));
}
