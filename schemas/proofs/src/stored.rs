//! A log as its keeper stores it: what a start and `log fsck` check of every line.

use schemas::canonical;
use schemas::digest::Digest;
use schemas::entry::Entry;
use schemas::seal::PublicKey;

use crate::checkpoint::Checkpoint;
use crate::note::{Key, Kind, Note};
use crate::tree::{Log, TreeError, leaf_hash};

/// Entries that form one chain so far, from the first one on.
#[derive(Debug)]
pub struct Stored {
    tree: Log,
    head: Digest,
}

impl Default for Stored {
    fn default() -> Self {
        Self {
            tree: Log::default(),
            head: Digest::ZERO,
        }
    }
}

impl Stored {
    /// Takes the next line, `number digest leaf entry`: digest and leaf hash have to be those of
    /// the entry's bytes. Says what is wrong with it.
    pub fn take(&mut self, line: &str) -> Result<Entry, &'static str> {
        let mut columns = line.splitn(4, ' ');
        let mut column = || columns.next().ok_or("cannot be read");
        let (number, digest, leaf, body) = (column()?, column()?, column()?, column()?);
        let expected = self.size().checked_add(1).ok_or("is one too many")?;
        // Any form is read, not the canonical one written out again: its bytes are compared below,
        // and a start checks every entry.
        let entry: Entry = canonical::read(body.as_bytes()).map_err(|_| "is not an entry")?;
        if number.parse() != Ok(expected) || entry.sequence != expected {
            return Err("its number does not follow");
        }
        if entry.previous != self.head {
            return Err("does not continue the entry before");
        }
        let hashed = Digest::of(Entry::TAG, &[body.as_bytes()]);
        let leaf_hashed = leaf_hash(body.as_bytes());
        if digest.parse() != Ok(hashed) || leaf.parse() != Ok(leaf_hashed) {
            return Err("its bytes are not those that were hashed");
        }
        let full = self.tree.append(leaf_hashed);
        full.map_err(|_| "is one too many")?;
        self.head = hashed;
        Ok(entry)
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Digest of the last entry; zero before the first.
    pub fn head(&self) -> Digest {
        self.head
    }

    /// Root of the tree over them.
    pub fn root(&self) -> Result<Digest, TreeError> {
        self.tree.root_at(self.size())
    }

    /// Checks a stored checkpoint of this log: signed by its key, and of these entries. Says what
    /// is wrong.
    pub fn signed(
        &self,
        (origin, size): (&str, i64),
        note: &str,
        key: &PublicKey,
    ) -> Result<(), &'static str> {
        let damaged = "a note is damaged";
        let note = Note::parse(note.as_bytes()).map_err(|_| damaged)?;
        let own = Key::new(origin, Kind::Text, *key).map_err(|_| damaged)?;
        note.verify(&[own]).map_err(|_| damaged)?;
        let checkpoint = Checkpoint::parse(note.text()).map_err(|_| damaged)?;
        let named = checkpoint.origin == origin && u64::try_from(size) == Ok(checkpoint.size);
        let root = self.tree.root_at(checkpoint.size).ok();
        if named && root == Some(checkpoint.root) {
            Ok(())
        } else {
            Err("the log is not the one that was signed")
        }
    }
}

/// The leaf hash of a line `number leaf`, if it has the number.
pub fn leaf(line: &str, number: u64) -> Option<Digest> {
    let (found, leaf) = line.split_once(' ')?;
    (found.parse() == Ok(number))
        .then(|| leaf.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use schemas::seal::Signer;
    use schemas::time::Timestamp;

    use super::*;

    fn line(stored: &Stored, at: i64) -> String {
        let entry = Entry {
            sequence: stored.size() + 1,
            previous: stored.head(),
            at: Timestamp(at),
            kind: "load".parse().unwrap(),
            subject: Digest::ZERO,
            detail: BTreeMap::new(),
        };
        let body = String::from_utf8(canonical::to_bytes(&entry).unwrap()).unwrap();
        let (digest, leaf) = (entry.digest().unwrap(), leaf_hash(body.as_bytes()));
        format!("{} {digest} {leaf} {body}", entry.sequence)
    }

    #[test]
    fn lines_are_taken_in_order_and_unchanged_only() {
        let mut stored = Stored::default();
        let first = line(&stored, 1);
        stored.take(&first).unwrap();
        let second = line(&stored, 2);
        for bad in [
            first.as_str(),
            "",
            "2",
            &second.replacen('2', "3", 1),
            &second.replace("\"at\":2", "\"at\":3"),
            &second.replace("load", "lead"),
        ] {
            assert!(stored.take(bad).is_err(), "{bad}");
            assert_eq!(stored.size(), 1);
        }
        stored.take(&second).unwrap();
        assert_eq!(leaf(&format!("2 {}", Digest::ZERO), 2), Some(Digest::ZERO));
        assert_eq!(leaf(&format!("2 {}", Digest::ZERO), 3), None);
        assert_eq!(leaf("2", 2), None);
    }

    #[test]
    fn a_checkpoint_is_of_these_entries_and_this_key() {
        let mut stored = Stored::default();
        stored.take(&line(&stored, 1)).unwrap();
        let signer = Signer::from_seed(&[7; 32]).unwrap();
        let note = |root: Digest| {
            let checkpoint = Checkpoint {
                origin: "a/b/log".to_owned(),
                size: 1,
                root,
            };
            let mut note = Note::new(checkpoint.text()).unwrap();
            note.sign("a/b/log", &signer).unwrap();
            note.to_string()
        };
        let sound = note(stored.root().unwrap());
        let key = signer.public();
        assert_eq!(stored.signed(("a/b/log", 1), &sound, &key), Ok(()));
        let other = Signer::from_seed(&[8; 32]).unwrap().public();
        assert!(stored.signed(("a/b/log", 1), &sound, &other).is_err());
        assert!(stored.signed(("a/b/log", 2), &sound, &key).is_err());
        assert!(stored.signed(("a/c/log", 1), &sound, &key).is_err());
        let foreign = note(Digest::ZERO);
        assert!(stored.signed(("a/b/log", 1), &foreign, &key).is_err());
    }
}
