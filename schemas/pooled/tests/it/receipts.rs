//! Receipts against rollback: what a seat keeps and tells, what a receipt is worth, how many are
//! enough.

use std::collections::BTreeSet;

use pooled::receipt::{
    Answer, Asked, Local, Receipt, ReceiptError, Seen, Told, Worth, enough, judge, links, nonce,
};
use pooled::shape::Shape;
use proofs::checkpoint::Checkpoint;
use proofs::note::Note;
use proofs::tree::Log;
use proofs::witness::origin;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::Sealed;
use schemas::time::Timestamp;

use crate::fixture::{Alliance, NOW, signer, slug};

/// A log of so many entries; from `from` on, they are of another life.
fn log(size: u64, from: u64) -> Log {
    let mut log = Log::default();
    for entry in 0..size {
        let life = u64::from(entry >= from);
        let leaf = Digest::of("leaf", &[&entry.to_le_bytes(), &life.to_le_bytes()]);
        log.append(leaf).unwrap();
    }
    log
}

const WHOLE: u64 = u64::MAX;

fn note(log: &Log, size: u64, generation: u32, by: &str) -> String {
    let origin = origin(&slug("north-river"), &slug("h01"), generation);
    let checkpoint = Checkpoint {
        origin: origin.clone(),
        size,
        root: log.root_at(size).unwrap(),
    };
    let mut note = Note::new(checkpoint.text()).unwrap();
    note.sign(&origin, &signer(by)).unwrap();
    note.to_string()
}

fn seen(log: &Log, size: u64, generation: u32) -> Seen {
    let key = signer("h01").public();
    let note = note(log, size, generation, "h01");
    Seen::read(&slug("north-river"), &slug("h01"), key, &note).unwrap()
}

struct Case {
    alliance: Alliance,
    nonce: Digest,
    tree: Log,
}

impl Case {
    fn new() -> Self {
        Self {
            alliance: Alliance::new(Shape::DEFAULT, 5),
            nonce: nonce().unwrap(),
            tree: log(9, WHOLE),
        }
    }

    /// A receipt about size 8 of the log, changed.
    fn told(&self, witness: &str, change: &dyn Fn(&mut Receipt)) -> Told {
        self.about(witness, &seen(&self.tree, 8, 1), change)
    }

    fn about(&self, witness: &str, seen: &Seen, change: &dyn Fn(&mut Receipt)) -> Told {
        let mut receipt = Receipt {
            alliance: slug("north-river"),
            subject: slug("h01"),
            nonce: self.nonce,
            sequence: seen.checkpoint.size,
            head: seen.checkpoint.root,
            witness: slug(witness),
            at: NOW,
        };
        change(&mut receipt);
        Told {
            receipt: Sealed::seal(&signer(witness), &receipt).unwrap(),
            checkpoint: seen.note.clone(),
        }
    }

    /// Against a log of nine entries that was sent with eight.
    fn judge(&self, told: &Told, generation: u32) -> Worth {
        let subject = slug("h01");
        let local = Local {
            subject: &subject,
            key: signer("h01").public(),
            nonce: &self.nonce,
            asked: 8,
            generation,
            tree: &self.tree,
        };
        judge(told, self.alliance.pinned.list(), &local, NOW)
    }

    fn enough(&self, subject: &str, witnesses: &[&str]) -> Result<(), ReceiptError> {
        let witnesses: BTreeSet<Slug> = witnesses.iter().map(|name| slug(name)).collect();
        let list = self.alliance.pinned.list();
        enough(&witnesses, list, &list.committees[0], &slug(subject))
    }
}

#[test]
fn a_receipt_counts_by_a_seat_about_this_nonce_and_now() {
    let case = Case::new();
    let counts = Worth::Counts(slug("h02"));
    assert_eq!(case.judge(&case.told("h02", &|_| ()), 1), counts);
    let old = |r: &mut Receipt| r.at = Timestamp(NOW.0 - 86_400);
    assert_eq!(case.judge(&case.told("h02", &old), 1), counts);
    // It knows the ninth entry already.
    let ahead = case.about("h02", &seen(&case.tree, 9, 1), &|_| ());
    assert_eq!(case.judge(&ahead, 1), counts);
    let rows: [&dyn Fn(&mut Receipt); 9] = [
        &|r| r.nonce = Digest::ZERO,
        &|r| r.subject = slug("h02"),
        &|r| r.alliance = slug("other"),
        &|r| r.witness = slug("c4"),
        &|r| r.at = Timestamp(NOW.0 - 86_401),
        &|r| r.at = Timestamp(NOW.0 + 301),
        &|r| r.at = Timestamp(i64::MIN),
        // Words without the subject's own signature stop nobody.
        &|r| r.sequence = 10,
        &|r| r.head = Digest::ZERO,
    ];
    for (place, change) in rows.iter().enumerate() {
        let worth = case.judge(&case.told("h02", *change), 1);
        assert_eq!(worth, Worth::Nothing, "row {place}");
    }
    // A hospital without a seat, and a checkpoint that somebody else signed.
    let outside = case.told("h03", &|_| ());
    assert_eq!(case.judge(&outside, 1), Worth::Nothing);
    let mut forged = case.told("h02", &|_| ());
    forged.checkpoint = note(&case.tree, 8, 1, "h02");
    assert_eq!(case.judge(&forged, 1), Worth::Nothing);
}

#[test]
fn a_receipt_that_is_ahead_or_forked_stops_it() {
    let case = Case::new();
    let worth = |seen: &Seen, generation| case.judge(&case.about("c4", seen, &|_| ()), generation);
    let earlier = seen(&case.tree, 5, 1);
    assert_eq!(worth(&earlier, 1), Worth::Earlier(5));
    let longer = log(12, WHOLE);
    let other = log(12, 7);
    for lost in [
        seen(&longer, 12, 1),
        seen(&other, 8, 1),
        seen(&other, 9, 1),
        // What was given up by a burning that this state file does not know.
        seen(&case.tree, 8, 2),
        seen(&other, 12, 2),
    ] {
        assert_eq!(worth(&lost, 1), Worth::Lost(lost.clone()));
    }
    // What this node itself gave up does not stop it.
    assert_eq!(worth(&seen(&longer, 12, 1), 2), Worth::Earlier(0));
}

#[test]
fn two_fresh_receipts_of_other_seats_let_it_work() {
    let case = Case::new();
    let few = |found, needed| {
        Err(ReceiptError::TooFew {
            epoch: 1,
            found,
            needed,
        })
    };
    assert_eq!(case.enough("h01", &["h02", "c3"]), Ok(()));
    assert_eq!(case.enough("h01", &["h02"]), few(1, 2));
    // Its own word and that of a hospital without a seat add nothing.
    assert_eq!(case.enough("h01", &["h02", "h01"]), few(1, 2));
    assert_eq!(case.enough("h01", &["h02", "h03"]), few(1, 2));
    assert_eq!(case.enough("h03", &["h01", "c4"]), Ok(()));
    for (shape, of_seat, of_other) in [((3, 1), 2, 2), ((3, 2), 2, 3), ((7, 2), 3, 3)] {
        let alliance = Alliance::new(Shape::new(shape.0, shape.1).unwrap(), 8);
        let case = Case {
            alliance,
            ..Case::new()
        };
        assert_eq!(case.enough("h01", &[]), few(0, of_seat), "{shape:?}");
        assert_eq!(case.enough("h05", &[]), few(0, of_other), "{shape:?}");
    }
}

fn asked(log: &Log, size: u64, from: &[u64]) -> Asked {
    Asked {
        alliance: slug("north-river"),
        subject: slug("h01"),
        nonce: nonce().unwrap(),
        checkpoint: note(log, size, 1, "h01"),
        links: links(log, size, from.iter().copied()),
        at: NOW,
    }
}

#[test]
fn a_seat_gives_up_what_it_knows_only_for_what_continues_it() {
    let (real, other) = (log(40, WHOLE), log(40, 12));
    let answer = |ask: &Asked, known: &[Seen]| {
        let key = signer("h01").public();
        let seen = Seen::read(&ask.alliance, &ask.subject, key, &ask.checkpoint).unwrap();
        let Answer { told, keep } = ask.answer(seen, known);
        (told.checkpoint.size, told.generation, keep)
    };
    let first = asked(&real, 20, &[]);
    assert_eq!(answer(&first, &[]), (20, 1, true));
    assert_eq!(answer(&first, &[seen(&real, 20, 1)]), (20, 1, true));
    let next = asked(&real, 30, &[20, 25]);
    assert_eq!(answer(&next, &[seen(&real, 20, 1)]), (30, 1, true));
    let both = [seen(&real, 25, 1), seen(&real, 20, 1)];
    assert_eq!(answer(&next, &both), (30, 1, true));
    // Without the way from there, what it knew stands and is told.
    assert_eq!(answer(&next, &[seen(&real, 22, 1)]), (22, 1, false));
    // Cosigning was faster than the ask.
    let faster = [seen(&real, 20, 1), seen(&real, 33, 1)];
    assert_eq!(answer(&next, &faster), (33, 1, false));
    // Put back at twelve entries and grown to 35: shorter, longer and equal ones all stand.
    let grown = asked(&other, 35, &[8, 12, 20, 30, 34]);
    for lost in [13, 20, 30, 34, 35, 38] {
        let (size, _, keep) = answer(&grown, &[seen(&real, lost, 1)]);
        // Nothing is kept in its place, so that asking twice changes nothing, not even for a log that
        // was put back and is still shorter.
        assert_eq!((size, keep), (lost, false));
        // Even where the coordinator had this seat cosign the other life meanwhile.
        let fed = [seen(&real, lost, 1), seen(&other, 36, 1)];
        assert_eq!(answer(&grown, &fed).0, lost.min(36));
    }
    assert_eq!(answer(&grown, &[seen(&real, 12, 1)]), (35, 1, true));
    // A name that was given up makes way for the next, not the other way round.
    let mut burned = asked(&other, 16, &[]);
    burned.checkpoint = note(&other, 16, 2, "h01");
    assert_eq!(answer(&burned, &[seen(&real, 30, 1)]), (16, 2, true));
    assert_eq!(answer(&grown, &[seen(&other, 16, 2)]), (16, 2, false));
}

#[test]
fn asks_are_signed_by_a_member_about_its_own_log() {
    let alliance = Alliance::new(Shape::DEFAULT, 5);
    let list = alliance.pinned.list();
    let log = log(9, WHOLE);
    let open = |by: &str, change: &dyn Fn(&mut Asked)| {
        let mut ask = asked(&log, 9, &[3]);
        change(&mut ask);
        Asked::open(&Sealed::seal(&signer(by), &ask).unwrap(), list).err()
    };
    assert_eq!(open("h01", &|_| ()), None);
    let stranger = Some(ReceiptError::Stranger);
    assert_eq!(open("nobody", &|_| ()), stranger);
    assert_eq!(open("h02", &|_| ()), stranger);
    assert_eq!(open("h01", &|ask| ask.alliance = slug("other")), stranger);
    let many = |ask: &mut Asked| ask.links = vec![ask.links[0].clone(); 17];
    assert_eq!(open("h01", &many), stranger);
    let wrong = Some(ReceiptError::Checkpoint);
    let by_other = |ask: &mut Asked| ask.checkpoint = note(&log, 9, 1, "h02");
    assert_eq!(open("h01", &by_other), wrong);
    assert_eq!(open("h01", &|ask| ask.checkpoint.clear()), wrong);
}
