//! Receipts against rollback.

use pooled::receipt::{Local, Receipt, ReceiptError, check, nonce};
use pooled::shape::Shape;
use schemas::digest::Digest;
use schemas::seal::Sealed;
use schemas::time::Timestamp;

use crate::fixture::{Alliance, NOW, signer, slug};

struct Case {
    alliance: Alliance,
    nonce: Digest,
    head: Digest,
}

impl Case {
    fn new() -> Self {
        let alliance = Alliance::new(Shape::DEFAULT, 5);
        Self {
            alliance,
            nonce: nonce().unwrap(),
            head: Digest::of("head", &[]),
        }
    }

    fn receipt(&self, witness: &str, change: &dyn Fn(&mut Receipt)) -> Sealed<Receipt> {
        let mut receipt = Receipt {
            alliance: slug("north-river"),
            subject: slug("h01"),
            nonce: self.nonce,
            sequence: 7,
            head: self.head,
            witness: slug(witness),
            at: NOW,
        };
        change(&mut receipt);
        Sealed::seal(&signer(witness), &receipt).unwrap()
    }

    fn check(&self, receipts: &[Sealed<Receipt>]) -> Result<(), ReceiptError> {
        let subject = slug("h01");
        let local = Local {
            subject: &subject,
            nonce: &self.nonce,
            sequence: 7,
            head: &self.head,
        };
        let list = self.alliance.pinned.list();
        check(receipts, list, &list.committees[0], &local, NOW)
    }
}

#[test]
fn two_fresh_receipts_of_other_seats_let_it_work() {
    let case = Case::new();
    let same: &dyn Fn(&mut Receipt) = &|_| ();
    let by = |names: &[&str]| {
        let receipts: Vec<_> = names.iter().map(|name| case.receipt(name, same)).collect();
        case.check(&receipts)
    };
    assert_eq!(by(&["h02", "c3"]), Ok(()));
    let few = |found| Err(ReceiptError::TooFew { found, needed: 2 });
    assert_eq!(by(&["h02"]), few(1));
    assert_eq!(by(&["h02", "h02"]), few(1));
    // Its own word and that of a hospital without a seat add nothing.
    assert_eq!(by(&["h02", "h01"]), few(1));
    assert_eq!(by(&["h02", "h03"]), few(1));
    let rows: [&dyn Fn(&mut Receipt); 7] = [
        &|r| r.nonce = Digest::ZERO,
        &|r| r.subject = slug("h02"),
        &|r| r.alliance = slug("other"),
        &|r| r.witness = slug("c4"),
        &|r| r.at = Timestamp(NOW.0 - 86_401),
        &|r| r.at = Timestamp(NOW.0 + 301),
        &|r| r.at = Timestamp(i64::MIN),
    ];
    for (place, change) in rows.iter().enumerate() {
        let receipts = [case.receipt("h02", same), case.receipt("c3", *change)];
        assert_eq!(case.check(&receipts), few(1), "row {place}");
    }
    let old = |r: &mut Receipt| r.at = Timestamp(NOW.0 - 86_400);
    assert_eq!(
        case.check(&[case.receipt("h02", &old), case.receipt("c3", same)]),
        Ok(())
    );
}

#[test]
fn a_receipt_that_is_ahead_or_forked_stops_it() {
    let case = Case::new();
    let same: &dyn Fn(&mut Receipt) = &|_| ();
    let with = |change: &dyn Fn(&mut Receipt)| {
        let names = ["h02", "c3"];
        let mut receipts: Vec<_> = names.iter().map(|name| case.receipt(name, same)).collect();
        receipts.push(case.receipt("c4", change));
        case.check(&receipts)
    };
    let other = Digest::of("other", &[]);
    assert_eq!(with(&|r| r.sequence = 6), Ok(()));
    assert_eq!(with(&|r| (r.sequence, r.head) = (6, other)), Ok(()));
    assert_eq!(
        with(&|r| r.sequence = 8),
        Err(ReceiptError::Behind { sequence: 8 })
    );
    assert_eq!(
        with(&|r| r.head = other),
        Err(ReceiptError::Forked { sequence: 7 })
    );
    // A stale word about an old nonce does not stop anything.
    assert_eq!(with(&|r| (r.sequence, r.nonce) = (8, other)), Ok(()));
}
