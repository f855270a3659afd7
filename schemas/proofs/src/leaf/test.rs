use super::keys::{ClaimKeys, nonce};
use super::*;
use crate::commit::total;
use crate::oprf::{Blinded, ServerKey};

fn claim(number: &str) -> Claim {
    let (hospital, period) = ("H0001".parse().unwrap(), "2025-03".parse().unwrap());
    Claim::new(hospital, period, number).unwrap()
}

fn settlement(number: &str, amount: i64) -> Settlement {
    Settlement {
        claim: claim(number),
        amount,
        group: "FM19".to_owned(),
    }
}

fn key(payer: &str) -> ServerKey {
    ServerKey::derive(
        &[7; 32],
        &payer.parse().unwrap(),
        "2025-03".parse().unwrap(),
    )
    .unwrap()
}

fn seed() -> BlindingSeed {
    BlindingSeed::from_bytes([9; 32])
}

/// A hospital's leaves with `pad` that stand for nothing, and the opening of their total.
fn built(settlements: &[Settlement], key: &ServerKey, pad: u32) -> (Leaves, Opening) {
    let numbered = settlements.iter().zip(occurrences(settlements));
    let mut made: Vec<(Leaf, Opening)> = numbered
        .map(|(settlement, i)| seal(settlement, i, key, &seed()).unwrap())
        .collect();
    made.extend((0..pad).map(|number| padding(number, &seed()).unwrap()));
    let (leaves, openings): (Vec<Leaf>, Vec<Opening>) = made.into_iter().unzip();
    (Leaves::arrange(leaves).unwrap(), total(&openings).unwrap())
}

fn amounts(matches: &[Match]) -> Vec<i64> {
    let amount = |found: &Match| found.label.as_ref().unwrap().amount;
    matches.iter().map(amount).collect()
}

/// The whole audit: the hospital leaves out number 17, adds a fen to 23, lists 30 twice and invents
/// one; the insurer holds 0 to 39.
#[test]
fn an_audit_finds_what_was_left_out_changed_doubled_and_invented() {
    let key = key("I01");
    let paid = |n: i64| 100_000 + 37 * n - if n == 5 { 200_000 } else { 0 };
    let mut listed: Vec<Settlement> = (0..40)
        .filter(|n| *n != 17)
        .map(|n| settlement(&format!("S{n}"), paid(n) + i64::from(n == 23)))
        .collect();
    listed.push(settlement("S30", paid(30)));
    listed.push(settlement("invented", 5));
    let (leaves, opening) = built(&listed, &key, 7);
    assert_eq!(leaves.as_slice().len(), 48);

    let claims: Vec<Vec<u8>> = (0..40).map(|n| claim(&format!("S{n}")).key()).collect();
    let blinded = Blinded::blind(&claims).unwrap();
    let answer = key.evaluate_batch(blinded.elements()).unwrap();
    let outputs = blinded.finalize(&claims, &answer, &key.public()).unwrap();
    let mut claimed = Vec::new();
    for (n, output) in (0..).zip(&outputs) {
        let found = leaves.find(output).unwrap();
        let expected = match n {
            17 => vec![],
            23 => vec![paid(23) + 1],
            30 => vec![paid(30), paid(30)],
            _ => vec![paid(n)],
        };
        assert_eq!(amounts(&found), expected, "{n}");
        claimed.extend(found.iter().map(|found| found.place));
    }
    // The invented one and the padding are what nobody claims.
    claimed.sort_unstable();
    claimed.dedup();
    assert_eq!(claimed.len(), 40);

    let sum: i64 = listed.iter().map(|settlement| settlement.amount).sum();
    assert_eq!(opening.amount, i128::from(sum));
    let total = leaves.total().unwrap();
    assert_eq!(total.verify(&opening), Ok(()));
    let mut wrong = opening;
    wrong.amount += 1;
    assert_eq!(total.verify(&wrong), Err(CommitError::Opening));
}

#[test]
fn another_payer_finds_nothing() {
    let (leaves, _) = built(&[settlement("S1", 100)], &key("I01"), 0);
    for (payer, number) in [("I02", "S1"), ("I01", "S2")] {
        let output = key(payer).evaluate(&claim(number).key()).unwrap();
        assert_eq!(leaves.find(&output), Ok(vec![]));
    }
}

#[test]
fn the_same_inputs_give_the_same_bytes_and_a_changed_amount_another_blinding() {
    let key = key("I01");
    let one = |amount, seed: &BlindingSeed| seal(&settlement("S1", amount), 0, &key, seed).unwrap();
    let (leaf, opening) = one(100, &seed());
    assert_eq!(one(100, &seed()), (leaf, opening.clone()));
    let (restated, reopened) = one(101, &seed());
    assert_eq!(restated.tag(), leaf.tag());
    assert_ne!(reopened.blinding, opening.blinding);
    // The same case group under another keystream: key and nonce are never used twice.
    let group = |leaf: &Leaf| leaf.parts().4[40..72].to_vec();
    assert_ne!(group(&restated), group(&leaf));
    let (elsewhere, _) = one(100, &BlindingSeed::random().unwrap());
    assert_ne!(elsewhere.commitment(), leaf.commitment());
    // Equal amounts: nothing of two leaves is alike.
    let (second, _) = seal(&settlement("S1", 100), 1, &key, &seed()).unwrap();
    assert_ne!(second.tag(), leaf.tag());
    assert_ne!(second.commitment(), leaf.commitment());
}

/// The layout, and that padding has it too.
#[test]
fn all_leaves_have_one_form() {
    let key = key("I01");
    let mut long = settlement("S1", i64::MIN);
    long.group = "G".repeat(GROUP_BYTES);
    let leaves = [
        seal(&settlement("S2", 1), 0, &key, &seed()).unwrap().0,
        seal(&long, 0, &key, &seed()).unwrap().0,
        padding(0, &seed()).unwrap().0,
        padding(1, &seed()).unwrap().0,
    ];
    for leaf in leaves {
        let bytes = leaf.as_bytes();
        assert_eq!((bytes.len(), bytes[0], bytes[49]), (138, 1, 88));
        assert_eq!(bytes[1..17], leaf.tag());
        assert_eq!(bytes[17..49], leaf.commitment().as_bytes()[..]);
        assert_eq!(Leaf::from_bytes(0, bytes), Ok(leaf));
        assert_eq!(leaf.hash(), tree::leaf_hash(bytes));
        for position in [0, 49] {
            let mut wrong = *bytes;
            wrong[position] ^= 1;
            assert_eq!(Leaf::from_bytes(3, &wrong), Err(LeafError::Form(3)));
        }
        assert_eq!(Leaf::from_bytes(3, &bytes[1..]), Err(LeafError::Form(3)));
    }
    let (leaves, _) = built(std::slice::from_ref(&long), &key, 0);
    let found = leaves
        .find(&key.evaluate(&long.claim.key()).unwrap())
        .unwrap();
    let label = found[0].label.as_ref().unwrap();
    assert_eq!((label.amount, &label.group), (i64::MIN, &long.group));
}

#[test]
fn padding_commits_to_nothing() {
    for number in 0..3 {
        let (leaf, opening) = padding(number, &seed()).unwrap();
        assert_eq!(opening.amount, 0);
        assert_eq!(leaf.commitment().verify(&opening), Ok(()));
    }
    assert_ne!(padding(0, &seed()).unwrap(), padding(1, &seed()).unwrap());
}

/// Every flipped bit of tag, commitment or label shows: as missing, or as a leaf that does not
/// open.
#[test]
fn a_changed_leaf_never_passes() {
    let key = key("I01");
    let (leaf, _) = seal(&settlement("S1", 100), 0, &key, &seed()).unwrap();
    let output = key.evaluate(&claim("S1").key()).unwrap();
    for position in (1..LEAF_BYTES).filter(|position| *position != 49) {
        let mut bytes = *leaf.as_bytes();
        bytes[position] ^= 0x10;
        let changed = Leaf::from_bytes(0, &bytes).unwrap();
        let leaves = Leaves::received(vec![changed]).unwrap();
        let found = leaves.find(&output).unwrap();
        if position < 17 {
            assert!(found.is_empty());
        } else {
            assert_eq!(found[0].label, Err(LeafError::Label));
        }
    }
}

/// A hospital that seals one amount and commits to another is caught when the label is opened.
#[test]
fn a_label_that_its_commitment_denies_is_evidence() {
    let key = key("I01");
    let keys = ClaimKeys::new(&key.evaluate(&claim("S1").key()).unwrap());
    let blinding = Blinding::from_uniform(&[3; 64]);
    let made = |label: &[u8], commitment: Commitment| {
        let sealing = keys.label_key(0, &commitment).unwrap();
        let mut sealed = label.to_vec();
        let aad = ring::aead::Aad::from(commitment.as_bytes());
        sealing
            .seal_in_place_append_tag(nonce(), aad, &mut sealed)
            .unwrap();
        let leaf = Leaf::new(
            keys.tag(0).unwrap(),
            &commitment,
            &sealed.try_into().unwrap(),
        );
        let output = key.evaluate(&claim("S1").key()).unwrap();
        let found = Leaves::received(vec![leaf]).unwrap().find(&output).unwrap();
        found[0].label.clone()
    };
    let sound = Label {
        amount: 100,
        group: "FM19".to_owned(),
        blinding: blinding.clone(),
    };
    let honest = crate::commit::commit(100, &blinding);
    assert_eq!(made(&sound.to_bytes()[..], honest).unwrap(), sound);
    let lower = crate::commit::commit(90, &blinding);
    let denied = Err(LeafError::Commitment(CommitError::Opening));
    assert_eq!(made(&sound.to_bytes()[..], lower), denied);
    assert_eq!(
        made(&sound.to_bytes()[..], Commitment::from_bytes([0xff; 32])),
        denied
    );
    // No group, a group that goes on after its end, one that is not text, a blinding that is none.
    for (position, byte, error) in [
        (40, 0, LeafError::Content),
        (71, b'x', LeafError::Content),
        (41, 0x80, LeafError::Content),
        (41, b' ', LeafError::Content),
        (39, 0xff, LeafError::Commitment(CommitError::Blinding)),
    ] {
        let mut bytes = *sound.to_bytes();
        bytes[position] = byte;
        assert_eq!(made(&bytes, honest), Err(error), "{position}");
    }
    let empty = Label {
        group: String::new(),
        ..sound
    };
    assert_eq!(made(&empty.to_bytes()[..], honest), Err(LeafError::Content));
}

#[test]
fn leaves_stand_in_order_and_once() {
    let key = key("I01");
    let some = [
        settlement("S1", 1),
        settlement("S2", 2),
        settlement("S3", 3),
    ];
    let (leaves, _) = built(&some, &key, 2);
    let sorted = leaves.as_slice().to_vec();
    let mut turned = sorted.clone();
    turned.swap(1, 2);
    assert_eq!(Leaves::received(turned), Err(LeafError::Order(2)));
    let mut doubled = sorted.clone();
    doubled.insert(3, sorted[3]);
    assert_eq!(Leaves::received(doubled.clone()), Err(LeafError::Order(4)));
    assert_eq!(Leaves::arrange(doubled), Err(LeafError::Order(4)));
    assert_eq!(Leaves::received(sorted), Ok(leaves));
    assert!(Leaves::received(vec![]).unwrap().total().is_ok());
}

/// A number skipped hides the later leaf from its claim, so that it counts as one nobody claims.
#[test]
fn a_skipped_occurrence_is_a_leaf_that_nobody_claims() {
    let key = key("I01");
    let doubled = settlement("S1", 1);
    let leaf = |i| seal(&doubled, i, &key, &seed()).unwrap().0;
    let leaves = Leaves::arrange(vec![leaf(0), leaf(2)]).unwrap();
    let output = key.evaluate(&doubled.claim.key()).unwrap();
    assert_eq!(leaves.find(&output).unwrap().len(), 1);
}

#[test]
fn claims_cannot_be_moved_between_fields_and_odd_ones_are_refused() {
    let key = |hospital: &str, number| {
        let (hospital, period) = (hospital.parse().unwrap(), "2025-03".parse().unwrap());
        Claim::new(hospital, period, number).unwrap().key()
    };
    assert_eq!(key("H1", "S1"), b"\0\x02H1\0\x072025-03\0\x02S1");
    assert_ne!(key("H1", "1S"), key("H11", "S"));
    let claim = |number| Claim::new("H1".parse().unwrap(), "2025-03".parse().unwrap(), number);
    for number in ["", " S1", "S 1", "S1\n", "S1\0", "Ｓ１", &"9".repeat(65)] {
        assert_eq!(claim(number), Err(LeafError::Number), "{number}");
    }
    for group in ["", "FM 19", "病组", &"G".repeat(33)] {
        let mut odd = settlement("S1", 1);
        odd.group = group.to_owned();
        let refused = seal(&odd, 0, &self::key("I01"), &seed());
        assert_eq!(refused, Err(LeafError::Group));
    }
}

#[test]
fn secrets_do_not_print_themselves() {
    let sealed = settlement("S1", 123_456);
    let text = format!("{sealed:?} {:?}", seed());
    assert_eq!(text, "Settlement(secret) BlindingSeed(secret)");
    let key = key("I01");
    let (leaves, opening) = built(&[sealed], &key, 0);
    let output = key.evaluate(&claim("S1").key()).unwrap();
    let found = format!("{:?}", leaves.find(&output).unwrap());
    assert!(
        !found.contains("123456") && !found.contains("FM19"),
        "{found}"
    );
    assert!(!format!("{opening:?}").contains("123456"));
}

#[test]
fn a_header_names_its_batch() {
    let key = key("I01");
    let (leaves, _) = built(&[settlement("S1", 1), settlement("S2", 2)], &key, 1);
    let header = Header {
        hospital: "H0001".parse().unwrap(),
        payer: "I01".parse().unwrap(),
        period: "2025-03".parse().unwrap(),
        release: 1,
        leaves: 3,
        key: Digest::from_bytes(*key.public().as_bytes()),
        total: Digest::from_bytes(*leaves.total().unwrap().as_bytes()),
        nonce: None,
    };
    let bytes = header.to_bytes().unwrap();
    let read = Header::from_bytes(&bytes).unwrap();
    assert_eq!(read, header);
    assert_eq!(read.public_key(), Ok(key.public()));
    read.check(&leaves).unwrap();
    let fewer = Leaves::received(leaves.as_slice()[1..].to_vec()).unwrap();
    assert!(matches!(read.check(&fewer), Err(HeaderError::Count)));
    let (other, _) = built(&[settlement("S1", 1), settlement("S2", 3)], &key, 1);
    assert!(matches!(read.check(&other), Err(HeaderError::Total)));

    let refused = |bytes: &[u8]| Header::from_bytes(bytes).unwrap_err();
    assert!(matches!(refused(&bytes[1..]), HeaderError::Kind));
    assert!(matches!(refused(&[]), HeaderError::Kind));
    assert!(matches!(
        refused(&[&bytes[..], b" "].concat()),
        HeaderError::Body(_)
    ));
    let mut junk = header;
    junk.key = Digest::ZERO;
    let refused = refused(&junk.to_bytes().unwrap());
    assert!(matches!(refused, HeaderError::Key(OprfError::Bytes)));
}
