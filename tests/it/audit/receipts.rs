//! A book shows that witnesses have seen the close; anything else that it shows is refused.

use coordinator::audit::{AuditError, Witness};
use node::log::{Keeper, Leaves};
use proofs::book::{Book, BookError};
use proofs::checkpoint::CheckpointError;
use proofs::history::ReceiptError;
use proofs::note::Note;
use proofs::witness::{witness_key, witness_name};
use schemas::time::Timestamp;

use super::*;

fn witness(seed: u8) -> Signer {
    Signer::from_seed(&[seed; 32]).unwrap()
}

const WITNESSES: [(&str, u8); 3] = [("coordinator", 61), ("h02", 62), ("h03", 63)];

fn message_key(closing: &Closing) -> Signer {
    let keys = node::config::keys::Keys::open(&closing.hospital.config.data).unwrap();
    keys.message_key().unwrap()
}

/// Some witnesses cosign the node's log as it is.
async fn cosigned(closing: &Closing, by: &[(&str, u8)]) {
    let (state, hospital) = (&closing.hospital.state, &closing.hospital.config.hospital);
    let signer = message_key(closing);
    let keeper = Keeper::open(state, &signer, hospital)
        .await
        .unwrap()
        .unwrap();
    let keys = WITNESSES.map(|(name, seed)| (slug(name), witness(seed).public()));
    keeper.learn(&BTreeMap::from(keys), NOW).await.unwrap();
    let mut leaves = Leaves::default();
    let tree = leaves.follow(state).await.unwrap();
    let origin = keeper.origin().await.unwrap();
    let mut note: Note = keeper.sign(&origin, tree).unwrap();
    for (name, seed) in by {
        let name = witness_name(&slug("river"), &slug(name));
        note.cosign(&name, &witness(*seed), 1_768_435_200).unwrap();
    }
    keeper.keep(&note).await.unwrap();
}

fn witnesses() -> Vec<Witness> {
    let known = WITNESSES.map(|(name, seed)| {
        let organisation = slug(name);
        let key = witness_key(&slug("river"), &organisation, witness(seed).public());
        Witness {
            organisation,
            key: key.unwrap().key.to_string(),
        }
    });
    known.to_vec()
}

fn case(closing: &Closing, quorum: u32) -> Case {
    Case {
        alliance: slug("river"),
        subject: Subject {
            hospital: slug("h01"),
            payer: slug("i01"),
            period: month(),
        },
        log_key: closing.log_key(),
        quorum,
        witnesses: witnesses(),
        insurer_key: Digest::ZERO,
    }
}

fn refused(case: &Case, bytes: &[u8]) -> BookError {
    match case.believe(bytes).unwrap_err() {
        AuditError::Book(error) => error,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_close_is_believed_once_two_others_have_seen_it() {
    let closing = Closing::new().await;
    closing.close(&listed(&settled(90))).await.unwrap();
    let case = case(&closing, 2);
    let none = refused(&case, &closing.book("i01").await);
    assert!(matches!(none, BookError::NoReceipt));
    cosigned(&closing, &WITNESSES[..1]).await;
    let one = refused(&case, &closing.book("i01").await);
    assert!(matches!(one, BookError::NoReceipt), "one is too few");
    cosigned(&closing, &WITNESSES[..2]).await;
    let book = closing.book("i01").await;
    let believed = case.believe(&book).unwrap();
    assert_eq!(believed.witnesses, [slug("coordinator"), slug("h02")]);
    // Later cosignatures change nothing: the receipt stays the one of the first two.
    let _other = Insurer::begin(&closing, "i02").await;
    cosigned(&closing, &WITNESSES).await;
    assert_eq!(closing.book("i01").await, book);
    // Three are asked for and two have signed; or their keys are not known.
    let quorum = |found, needed| CheckpointError::Quorum { found, needed };
    for (changed, expected) in [
        (
            Case {
                quorum: 3,
                ..case.clone()
            },
            quorum(2, 3),
        ),
        (
            Case {
                witnesses: witnesses()[1..].to_vec(),
                ..case.clone()
            },
            quorum(1, 2),
        ),
    ] {
        let error = refused(&changed, &book);
        let BookError::Receipt(ReceiptError::Checkpoint(error)) = error else {
            panic!("{error}");
        };
        assert_eq!(error, expected);
    }
}

#[tokio::test]
async fn a_receipt_of_something_else_is_refused_by_name() {
    let closing = Closing::new().await;
    closing.close(&listed(&settled(90))).await.unwrap();
    closing
        .close_as(&listed(&settled(93)), MAPPING, &[], true)
        .await
        .unwrap();
    cosigned(&closing, &WITNESSES[..2]).await;
    let case = case(&closing, 2);
    let bytes = closing.book("i01").await;
    case.believe(&bytes).unwrap();
    let sound = Book::from_bytes(&bytes).unwrap();
    let state = &closing.hospital.state;
    let signer = message_key(&closing);
    let keeper = Keeper::open(state, &signer, &closing.hospital.config.hospital).await;
    let keeper = keeper.unwrap().unwrap();
    let log = state.log().await.unwrap();
    let closes: Vec<u64> = log
        .iter()
        .filter(|entry| entry.kind.as_str() == "close")
        .map(|entry| entry.sequence)
        .collect();
    let with = |receipt| {
        let mut book = sound.clone();
        book.place.receipt = receipt;
        refused(&case, &book.to_bytes().unwrap())
    };
    // Another entry of the log; the close of another version.
    for sequence in [1, closes[0]] {
        let other = node::log::prove(&keeper, sequence).await.unwrap();
        assert!(other.is_some());
        let error = with(other);
        let named = matches!(error, BookError::Receipt(ReceiptError::OtherEntry));
        assert!(named, "{error}");
    }
    // Another hospital's log, and another log of this one.
    let receipt = sound.place.receipt.clone().unwrap();
    for origin in ["river/h02/log", "river/h01/settlements", "brook/h01/log"] {
        let mut note =
            Note::new(
                receipt.checkpoint.split("\n\n").next().unwrap().replacen(
                    "river/h01/log",
                    origin,
                    1,
                ) + "\n",
            )
            .unwrap();
        note.sign(origin, &signer).unwrap();
        let mut other = receipt.clone();
        other.checkpoint = note.to_string();
        let error = with(Some(other));
        let named = matches!(error, BookError::Receipt(ReceiptError::OtherLog));
        assert!(named, "{origin}: {error}");
    }
    // The entry or its path was changed.
    let mut late = receipt.clone();
    late.entry.at = Timestamp(late.entry.at.0 + 1);
    let mut astray = receipt.clone();
    astray.path[0] = Digest::ZERO;
    for changed in [late, astray] {
        let error = with(Some(changed));
        let named = matches!(error, BookError::Receipt(ReceiptError::Path(_)));
        assert!(named, "{error}");
    }
    // Any byte of it.
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    let from = String::from_utf8_lossy(&bytes[..line])
        .find("\"receipt\"")
        .unwrap();
    for place in (from..line).step_by(7) {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert!(case.believe(&changed).is_err(), "byte {place}");
    }
}

#[tokio::test]
async fn a_pack_shows_its_witnesses_offline() {
    let closing = Closing::new().await;
    let insurer = Insurer::begin_with(&closing, "i01", case(&closing, 2)).await;
    let all = settled(90);
    closing.close(&listed(&all)).await.unwrap();
    let own = paid(&of_payer(&all, "I01"));
    let early = insurer.prepare(&own, &closing.book("i01").await);
    assert!(matches!(early, Err(AuditError::Book(BookError::NoReceipt))));
    cosigned(&closing, &WITNESSES[..2]).await;
    let report = insurer.audit(&closing, "i01", &own).await;
    assert_eq!(report.witnesses, [slug("coordinator"), slug("h02")]);
    let pack = Folder::new(&insurer.folder.path("pack"));
    let check = |witnesses: Vec<Witness>, quorum| {
        let known = Known {
            log_key: Some(closing.log_key()),
            witnesses: Some((witnesses, quorum)),
        };
        audit::verify(&pack, &known)
    };
    assert_eq!(check(witnesses(), 2).unwrap(), report);
    assert!(check(witnesses(), 3).is_err());
    // Keys of the verifier's own: the insurer's word for its witnesses is not enough.
    let mut strangers = witnesses();
    for (one, other) in strangers.iter_mut().zip(["h05", "h06", "h07"]) {
        one.organisation = slug(other);
        let key = witness_key(&slug("river"), &slug(other), witness(70).public());
        one.key = key.unwrap().key.to_string();
    }
    assert!(check(strangers, 2).is_err());
}
