use super::*;
use schemas::seal::Signer;

const ORIGIN: &str = "alliance/H0001/settlements";

fn signer(seed: u8) -> Signer {
    Signer::from_seed(&[seed; 32]).unwrap()
}

fn member(organisation: &str, name: &str, kind: Kind, seed: u8) -> Member {
    Member {
        organisation: organisation.parse().unwrap(),
        key: Key::new(name, kind, signer(seed).public()).unwrap(),
    }
}

fn log() -> Member {
    member("H0001", ORIGIN, Kind::Text, 1)
}

/// Two keys of the coordinator, one of an insurer, one of the hospital that keeps the log.
fn witnesses() -> Vec<Member> {
    let witness = |organisation, name, seed| member(organisation, name, Kind::Cosignature, seed);
    vec![
        witness("alliance", "alliance/w1", 2),
        witness("alliance", "alliance/w2", 3),
        witness("I01", "I01/w", 4),
        witness("H0001", "H0001/w", 5),
    ]
}

fn checkpoint(size: u64) -> Checkpoint {
    let leaves = (0..size).map(|i| tree::leaf_hash(&i.to_be_bytes()));
    Checkpoint {
        origin: ORIGIN.to_owned(),
        size,
        root: tree::root(leaves).unwrap(),
    }
}

fn cosigned(by: &[(&str, u8)]) -> Note {
    let mut note = Note::new(checkpoint(3).text()).unwrap();
    note.sign(ORIGIN, &signer(1)).unwrap();
    for (name, seed) in by {
        let time = u64::from(*seed);
        note.cosign(name, &signer(*seed), time).unwrap();
    }
    note
}

#[test]
fn the_specifications_example_has_one_text() {
    let text = "example.com/behind-the-sofa\n20852163\n\
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let read = Checkpoint::parse(text).unwrap();
    assert_eq!((read.size, read.text().as_str()), (20_852_163, text));
    for (from, to) in [
        ("\n2085", "\n02085"),
        ("\n2085", "\n+2085"),
        ("\n2085", "\n 2085"),
        ("\n20852163", "\n4611686018427387905"),
        ("\n20852163", "\n99999999999999999999"),
        ("\n20852163", "\n-1"),
        ("\n20852163", ""),
        ("q2I=", "q2I"),
        ("q2I=", "q2J="),
        ("q2I=", "q2I=\nextension"),
        ("q2I=\n", "q2I="),
        ("q2I=\n", "q2I=\n\n"),
        ("CsUYapGG", ""),
        ("example.com/behind-the-sofa", ""),
    ] {
        let other = text.replace(from, to);
        assert_ne!(other, text);
        assert_eq!(
            Checkpoint::parse(&other),
            Err(CheckpointError::Form),
            "{other}"
        );
    }
}

#[test]
fn only_other_organisations_make_a_quorum() {
    let accept = |by: &[(&str, u8)], quorum| accept(&cosigned(by), &log(), &witnesses(), quorum);
    let quorum = |found, needed| Err(CheckpointError::Quorum { found, needed });
    let both = accept(&[("alliance/w1", 2), ("I01/w", 4)], 2).unwrap();
    assert_eq!(both.checkpoint, checkpoint(3));
    let times: Vec<u64> = both.witnesses.values().copied().collect();
    assert_eq!(times, [4, 2]);
    assert_eq!(accept(&[], 1), quorum(0, 1));
    assert_eq!(
        accept(&[("alliance/w1", 2), ("alliance/w2", 3)], 2),
        quorum(1, 2)
    );
    assert_eq!(
        accept(&[("alliance/w1", 2), ("H0001/w", 5)], 2),
        quorum(1, 2)
    );
    assert_eq!(
        accept(&[("alliance/w1", 2), ("stranger", 6)], 2),
        quorum(1, 2)
    );
    let three = accept(&[("alliance/w1", 2), ("alliance/w2", 3), ("I01/w", 4)], 2);
    assert_eq!(three.unwrap().witnesses.values().max(), Some(&4));
}

#[test]
fn the_log_itself_signs_and_bears_the_origin() {
    let mut unsigned = Note::new(checkpoint(3).text()).unwrap();
    unsigned.cosign("I01/w", &signer(4), 4).unwrap();
    let refused = accept(&unsigned, &log(), &witnesses(), 1);
    assert_eq!(refused, Err(CheckpointError::NotByLog));
    let other = member("H0002", "alliance/H0002/settlements", Kind::Text, 1);
    let mut note = cosigned(&[("I01/w", 4)]);
    note.sign(other.key.name(), &signer(1)).unwrap();
    let refused = accept(&note, &other, &witnesses(), 1);
    assert_eq!(refused, Err(CheckpointError::Origin));
    let text = cosigned(&[("I01/w", 4)])
        .to_string()
        .replace("\n3\n", "\n4\n");
    let changed = Note::parse(text.as_bytes()).unwrap();
    let refused = accept(&changed, &log(), &witnesses(), 1);
    assert_eq!(refused, Err(CheckpointError::Note(NoteError::Signature)));
}

#[test]
fn a_witness_signs_only_what_continues() {
    let mut log = tree::Log::default();
    for i in 0..8_u64 {
        log.append(tree::leaf_hash(&i.to_be_bytes())).unwrap();
    }
    let (old, new) = (checkpoint(5), checkpoint(8));
    let proof = log.consistency(5, 8).unwrap();
    assert_eq!(new.check_follows(&old, &proof), Ok(()));
    assert_eq!(new.check_follows(&checkpoint(0), &[]), Ok(()));
    let mut forked = new.clone();
    forked.root = tree::leaf_hash(b"fork");
    let refused = forked.check_follows(&old, &proof);
    assert_eq!(refused, Err(CheckpointError::Continues(TreeError::Root)));
    let refused = old.check_follows(&new, &proof);
    assert_eq!(refused, Err(CheckpointError::Continues(TreeError::Sizes)));
    let refused = forked.check_follows(&new, &[]);
    assert_eq!(refused, Err(CheckpointError::Continues(TreeError::Root)));
    forked.origin = "alliance/H0002/settlements".to_owned();
    let refused = forked.check_follows(&old, &proof);
    assert_eq!(refused, Err(CheckpointError::Origin));
}
