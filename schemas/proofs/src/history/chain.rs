//! The entries of a published log.

use std::collections::BTreeSet;

use schemas::canonical;
use schemas::digest::Digest;
use schemas::entry::Entry;

use super::Fault;
use crate::tree::{self, Log};

/// Entries that form one chain, as a tree.
#[derive(Debug)]
pub struct Chain {
    tree: Log,
    head: Digest,
    at: Vec<i64>,
}

/// The lines of a file of entries; an end without newline is a line, and a broken one.
pub fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').collect()
}

impl Chain {
    /// Reads entries, one a line, and checks that they form one chain from the beginning.
    pub fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let mut entries = Vec::new();
        for (number, line) in (1_u64..).zip(lines(bytes)) {
            let broken = Fault::Edited { entry: number };
            let Some(line) = line.strip_suffix(b"\n") else {
                return Err(broken);
            };
            let entry: Entry = canonical::from_bytes(line).map_err(|_| broken.clone())?;
            let digest = entry.digest().map_err(|_| broken)?;
            entries.push((entry, digest, tree::leaf_hash(line)));
        }
        numbered(&entries)?;
        let mut chain = Self {
            tree: Log::default(),
            head: Digest::ZERO,
            at: Vec::new(),
        };
        for (place, (entry, digest, leaf)) in entries.iter().enumerate() {
            if entry.previous != chain.head {
                // The entry itself was edited if its follower knows another one, else the one
                // before it.
                let next = entries.get(place.saturating_add(1));
                let itself = next.is_some_and(|(next, ..)| next.previous != *digest);
                let back = u64::from(!itself && entry.sequence > 1);
                let entry = entry.sequence.saturating_sub(back);
                return Err(Fault::Edited { entry });
            }
            chain.head = *digest;
            chain.at.push(entry.at.0);
            let full = Fault::Edited {
                entry: entry.sequence,
            };
            chain.tree.append(*leaf).map_err(|_| full)?;
        }
        Ok(chain)
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Digest of the last entry; zero before the first.
    pub fn head(&self) -> Digest {
        self.head
    }

    /// The root when the log had this size; `None` beyond its end.
    pub fn root_at(&self, size: u64) -> Option<Digest> {
        self.tree.root_at(size).ok()
    }

    /// Whether one of the entries after number `from` up to `to` is dated after a moment.
    pub(super) fn written_after(&self, from: u64, to: u64, moment: u64) -> bool {
        let place = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
        let between = self.at.get(place(from)..place(to)).unwrap_or_default();
        let after = |at: &i64| u64::try_from(*at).is_ok_and(|at| at > moment);
        between.iter().any(after)
    }
}

/// Whether the numbers are 1, 2, 3 …
fn numbered(entries: &[(Entry, Digest, Digest)]) -> Result<(), Fault> {
    let wrong = (1_u64..)
        .zip(entries)
        .find(|(expected, (entry, ..))| entry.sequence != *expected);
    let Some((expected, (found, ..))) = wrong else {
        return Ok(());
    };
    let numbers: BTreeSet<u64> = entries.iter().map(|(entry, ..)| entry.sequence).collect();
    let entry = expected;
    Err(if numbers.contains(&expected) {
        Fault::Reordered { entry }
    } else if found.sequence > expected {
        Fault::Deleted { entry }
    } else {
        Fault::Inserted { entry }
    })
}
