//! Checkpoints (C2SP tlog-checkpoint): the size and root of a log as a signed note, and the quorum
//! of witnesses without which nobody believes one.
//!
//! The note's text is three lines: origin, size in canonical decimal, root in base64. The extension
//! lines that the specification allows and advises against are refused: what a log has to say
//! stands in its leaves, where it can be proven.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use schemas::digest::Digest;
use schemas::id::Slug;

use crate::note::{Key, Kind, Note, NoteError};
use crate::tree::{self, TreeError};

/// What a log says of itself at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// The log's name, which is also its key's, such as `alliance/H0001/settlements`.
    pub origin: String,
    /// Number of leaves, at most [`tree::MAX_SIZE`].
    pub size: u64,
    /// Root over them.
    pub root: Digest,
}

/// A key and whose it is. Keys of one organisation count once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// The organisation that answers for the key.
    pub organisation: Slug,
    /// The key.
    pub key: Key,
}

/// A checkpoint with the witnesses that vouch for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Witnessed {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// Each witnessing organisation and when it last cosigned, in seconds since 1970.
    pub witnesses: BTreeMap<Slug, u64>,
}

/// Why a checkpoint is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not three lines of the right form.
    #[error("a checkpoint is three lines: origin, size, root in base64")]
    Form,
    /// Of another log than expected.
    #[error("the checkpoint belongs to another log")]
    Origin,
    /// The note or one of its signatures.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Not signed by the log itself.
    #[error("the log's own signature is missing")]
    NotByLog,
    /// Too few organisations.
    #[error("cosigned by {found} organisations other than the log's, {needed} are needed: wait")]
    Quorum {
        /// Organisations that cosigned.
        found: usize,
        /// Organisations asked for.
        needed: usize,
    },
    /// The log does not continue what was seen before.
    #[error("the log does not continue what was seen before: {0}; keep both and report them")]
    Continues(#[from] TreeError),
}

impl Checkpoint {
    /// The note's text.
    pub fn text(&self) -> String {
        let root = BASE64.encode(self.root.as_bytes());
        format!("{}\n{}\n{root}\n", self.origin, self.size)
    }

    /// Reads a note's text; one checkpoint has one text.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.split('\n');
        let mut line = || lines.next().ok_or(CheckpointError::Form);
        let (origin, size, root) = (line()?, line()?, line()?);
        let root = BASE64.decode(root).map_err(|_| CheckpointError::Form)?;
        let checkpoint = Self {
            origin: origin.to_owned(),
            size: size.parse().map_err(|_| CheckpointError::Form)?,
            root: Digest::from_bytes(root.try_into().map_err(|_| CheckpointError::Form)?),
        };
        let sound = !origin.is_empty() && checkpoint.size <= tree::MAX_SIZE;
        if sound && checkpoint.text() == text {
            Ok(checkpoint)
        } else {
            Err(CheckpointError::Form)
        }
    }

    /// Whether this checkpoint continues an earlier one of the same log: what a witness checks
    /// before it cosigns, against the last checkpoint that it cosigned.
    pub fn check_follows(&self, last: &Self, proof: &[Digest]) -> Result<(), CheckpointError> {
        if self.origin != last.origin {
            return Err(CheckpointError::Origin);
        }
        let (old, new) = ((last.size, &last.root), (self.size, &self.root));
        Ok(tree::verify_consistency(old, new, proof)?)
    }
}

/// Believes a checkpoint: signed by the log, whose key bears the origin as its name, and cosigned
/// by witnesses of at least `quorum` organisations other than the log's own. A wrong line of any
/// known key refuses it. Whether the times are recent enough is for who has a clock.
pub fn accept(
    note: &Note,
    log: &Member,
    witnesses: &[Member],
    quorum: usize,
) -> Result<Witnessed, CheckpointError> {
    let known = std::iter::once(log).chain(witnesses);
    let keys: Vec<Key> = known.map(|member| member.key.clone()).collect();
    let verified = note.verify(&keys)?;
    if log.key.kind() != Kind::Text || !verified.iter().any(|line| *line.key == log.key) {
        return Err(CheckpointError::NotByLog);
    }
    let checkpoint = Checkpoint::parse(note.text())?;
    if checkpoint.origin != log.key.name() {
        return Err(CheckpointError::Origin);
    }
    let mut organisations: BTreeMap<Slug, u64> = BTreeMap::new();
    for line in &verified {
        let Some(time) = line.time else { continue };
        // A key counts for the organisation that it is listed for first.
        let Some(witness) = witnesses.iter().find(|member| member.key == *line.key) else {
            continue;
        };
        if witness.organisation != log.organisation {
            let entry = organisations.entry(witness.organisation.clone());
            let latest = entry.or_insert(time);
            *latest = time.max(*latest);
        }
    }
    if organisations.len() < quorum {
        return Err(CheckpointError::Quorum {
            found: organisations.len(),
            needed: quorum,
        });
    }
    Ok(Witnessed {
        checkpoint,
        witnesses: organisations,
    })
}

#[cfg(test)]
mod tests {
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
        let witness =
            |organisation, name, seed| member(organisation, name, Kind::Cosignature, seed);
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
        let accept =
            |by: &[(&str, u8)], quorum| accept(&cosigned(by), &log(), &witnesses(), quorum);
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
}
