//! Random logs, half of them damaged: the verifier and its independent twin in Python say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use proofs::checkpoint::Checkpoint;
use proofs::history::{Fault, Keys, Published, Shown, verify};
use proofs::note::Note;
use proofs::tree;
use proofs::witness::{log_key, origin, witness_key, witness_name};
use schemas::canonical;
use schemas::digest::Digest;
use schemas::entry::Entry;
use schemas::id::Slug;
use schemas::seal::Signer;
use schemas::time::Timestamp;

const LOGS: u64 = 1000;
const MOMENT: i64 = 1_764_000_000;

/// The same numbers in every run.
struct Chance {
    run: u64,
    drawn: u64,
}

impl Chance {
    /// From 0 to below `n`.
    fn below(&mut self, n: usize) -> usize {
        self.drawn += 1;
        let drawn = Digest::of(
            "chance",
            &[&self.run.to_le_bytes(), &self.drawn.to_le_bytes()],
        );
        let (first, _) = drawn.as_bytes().split_first_chunk::<8>().unwrap();
        (u64::from_le_bytes(*first) % (n.max(1) as u64)) as usize
    }
}

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

fn signer(seed: u8) -> Signer {
    Signer::from_seed(&[seed; 32]).unwrap()
}

/// What is published of one log.
struct Log {
    entries: Vec<u8>,
    notes: Vec<Shown>,
    keys: Vec<u8>,
}

fn go_on(mut entries: Vec<Entry>, n: usize, who: &str, at: i64) -> Vec<Entry> {
    for _ in 0..n {
        let sequence = entries.len() as u64 + 1;
        let last = entries.last();
        entries.push(Entry {
            sequence,
            previous: last.map_or(Digest::ZERO, |last| last.digest().unwrap()),
            at: Timestamp(at + sequence as i64 * 60),
            kind: slug(["load", "charge", "reply"][sequence as usize % 3]),
            subject: Digest::of(who, &[&sequence.to_le_bytes()]),
            detail: BTreeMap::from([(slug("note"), format!("第 {sequence} \"\n\u{1}"))]),
        });
    }
    entries
}

fn bytes(entries: &[Entry]) -> Vec<u8> {
    let line = |entry| [canonical::to_bytes(entry).unwrap(), b"\n".to_vec()].concat();
    entries.iter().flat_map(line).collect()
}

fn name() -> String {
    origin(&slug("river"), &slug("h1"), 1)
}

/// A checkpoint of the first `size` entries with the cosignatures of `witnesses` organisations.
fn note(entries: &[Entry], size: usize, witnesses: u8) -> Vec<u8> {
    let leaves = entries[..size].iter();
    let leaves = leaves.map(|entry| tree::leaf_hash(&canonical::to_bytes(entry).unwrap()));
    let checkpoint = Checkpoint {
        origin: name(),
        size: size as u64,
        root: tree::root(leaves).unwrap(),
    };
    let at = size
        .checked_sub(1)
        .map_or(MOMENT, |last| entries[last].at.0);
    let mut note = Note::new(checkpoint.text()).unwrap();
    note.sign(&name(), &signer(1)).unwrap();
    for seed in 2..2 + witnesses {
        let name = witness_name(&slug("river"), &slug(&format!("h{seed}")));
        note.cosign(&name, &signer(seed), at as u64 + 5).unwrap();
    }
    note.to_string().into_bytes()
}

fn keys() -> String {
    let log = log_key(&slug("h1"), &name(), signer(1).public()).unwrap();
    let witness = |seed: u8| {
        let organisation = slug(&format!("h{seed}"));
        witness_key(&slug("river"), &organisation, signer(seed).public()).unwrap()
    };
    let witnesses = vec![witness(2), witness(3)];
    Keys { log, witnesses }.to_string()
}

fn flip(bytes: &mut [u8], chance: &mut Chance) {
    let place = chance.below(bytes.len());
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= 1 << chance.below(8);
    }
}

/// A log of up to 24 entries; odd runs are damaged.
fn make(run: u64) -> Log {
    let mut chance = Chance { run, drawn: 0 };
    let n = chance.below(25);
    let sound = go_on(Vec::new(), n, "h1", MOMENT);
    let mut notes = BTreeMap::new();
    for place in 0..chance.below(4) {
        let size = chance.below(n + 1);
        let witnesses = [2, 2, 1, 0][chance.below(4)];
        let file = format!("{place:02}-{size}.note");
        notes.insert((chance.below(4) > 0, file), note(&sound, size, witnesses));
    }
    let (mut entries, mut keys) = (bytes(&sound), keys().into_bytes());
    let lines: Vec<Vec<u8>> = sound
        .iter()
        .map(|it| bytes(std::slice::from_ref(it)))
        .collect();
    let kinds = if run % 2 == 1 { 12 } else { 0 };
    let at = chance.below(n);
    match chance.below(kinds) {
        _ if kinds == 0 => {}
        0 => flip(&mut entries, &mut chance),
        1 => drop(entries.pop()),
        2 if n > 0 => entries = [&lines[..at], &lines[at + 1..]].concat().concat(),
        3 if n > 0 => entries = lines[..at].concat(),
        4 if n > 1 => {
            let mut turned = lines.clone();
            turned.swap(at, chance.below(n));
            entries = turned.concat();
        }
        5 if n > 0 => entries = [&lines[..=at], &lines[at..]].concat().concat(),
        6 if n > 0 => {
            let mut edited = sound.clone();
            edited[at].detail.insert(slug("rho"), "0".to_owned());
            entries = bytes(&edited);
        }
        7 => entries = bytes(&go_on(sound[..at].to_vec(), n - at, "liar", MOMENT)),
        8 => {
            let other = go_on(sound[..at].to_vec(), n - at, "liar", MOMENT);
            let size = at + chance.below(n - at + 1);
            notes.insert((false, "other.note".to_owned()), note(&other, size, 2));
        }
        9 => {
            let later = go_on(sound[..at].to_vec(), chance.below(6), "h1", MOMENT + 90_000);
            entries = bytes(&later);
        }
        10 => {
            for note in notes.values_mut().take(1) {
                flip(note, &mut chance);
            }
        }
        _ => flip(&mut keys, &mut chance),
    }
    let notes = notes.into_iter().rev().collect::<Vec<_>>();
    let shown = |((own, name), bytes)| Shown { name, own, bytes };
    let mut notes: Vec<Shown> = notes.into_iter().map(shown).collect();
    notes.sort_by(|one, other| (!one.own, &one.name).cmp(&(!other.own, &other.name)));
    Log {
        entries,
        notes,
        keys,
    }
}

/// As the Python verifier words it.
fn told(log: &Log) -> String {
    let Ok(keys) = std::str::from_utf8(&log.keys) else {
        return "keys".to_owned();
    };
    let judged = verify(&Published {
        entries: &log.entries,
        notes: &log.notes,
        keys,
    });
    let fault = match judged {
        Ok(found) => {
            let witnessed = found.witnessed.map_or(0, |(size, _)| size);
            return format!("sound {} {witnessed}", found.entries);
        }
        Err(fault) => fault,
    };
    match fault {
        Fault::Keys => "keys".to_owned(),
        Fault::Edited { entry } => format!("edited {entry}"),
        Fault::Deleted { entry } => format!("deleted {entry}"),
        Fault::Reordered { entry } => format!("reordered {entry}"),
        Fault::Inserted { entry } => format!("inserted {entry}"),
        Fault::Checkpoint { name, .. } => format!("checkpoint {name}"),
        Fault::Forked { first, second } => format!("forked {first} {second}"),
        Fault::Truncated {
            entries,
            checkpoint,
        } => format!("truncated {entries} {checkpoint}"),
        Fault::Replayed { from, to } => format!("replayed {from} {to}"),
        Fault::Rewritten { from, to } => format!("rewritten {from} {to}"),
    }
}

fn write(log: &Log, folder: &Path) {
    for place in ["checkpoints", "seen"] {
        fs::create_dir_all(folder.join(place)).unwrap();
    }
    fs::write(folder.join("entries.jsonl"), &log.entries).unwrap();
    fs::write(folder.join("keys"), &log.keys).unwrap();
    for note in &log.notes {
        let place = if note.own { "checkpoints" } else { "seen" };
        fs::write(folder.join(place).join(&note.name), &note.bytes).unwrap();
    }
}

/// attacks.md T16; security.md §6 row 20.
#[test]
fn two_verifiers_agree_on_a_thousand_random_logs() {
    let folder = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for run in 0..LOGS {
        let log = make(run);
        write(&log, &folder.path().join(format!("{run:04}")));
        let told = told(&log);
        assert!(run % 2 == 1 || told.starts_with("sound"), "{run}: {told}");
        expected.push(told);
    }
    let names: BTreeSet<&str> = expected
        .iter()
        .filter_map(|told| told.split(' ').next())
        .collect();
    let every = [
        "checkpoint",
        "deleted",
        "edited",
        "forked",
        "inserted",
        "keys",
        "reordered",
        "replayed",
        "rewritten",
        "sound",
        "truncated",
    ];
    assert_eq!(names, BTreeSet::from(every));
    let faults = expected
        .iter()
        .filter(|told| !told.starts_with("sound"))
        .count();
    println!("{LOGS} logs, {faults} with a fault");
    assert!(faults > 350, "only {faults} logs have a fault");

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/verify_log.py");
    let folders = (0..LOGS).map(|run| folder.path().join(format!("{run:04}")));
    let Ok(output) = Command::new("python3").arg(script).args(folders).output() else {
        println!("NOT COMPARED: python3 is not on this machine; only the Rust verifier was run");
        return;
    };
    let told = String::from_utf8(output.stdout).unwrap();
    let told: Vec<&str> = told.lines().collect();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(told.len(), expected.len(), "{errors}");
    for (run, (rust, python)) in expected.iter().zip(told).enumerate() {
        assert_eq!(rust, python, "log {run}");
    }
}
