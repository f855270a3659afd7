//! Entries of the append-only log that each node and the coordinator keep (rule LOG-1).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::digest::Digest;
use crate::id::Slug;
use crate::time::Timestamp;

/// One thing that happened. Details are names, digests and privacy losses: never a patient's
/// value, a count of patients or an amount of money.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// 1, 2, 3 … without gaps.
    pub sequence: u64,
    /// Digest of the entry before; zero for the first.
    pub previous: Digest,
    /// When.
    pub at: Timestamp,
    /// What: `load`, `release`, `charge`, `decline`, `round`, `join` …
    pub kind: Slug,
    /// What it is about.
    pub subject: Digest,
    /// Named details.
    pub detail: BTreeMap<Slug, String>,
}

/// The first fault of a chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("log entry {sequence}: {fault}")]
pub struct ChainError {
    /// At which entry.
    pub sequence: u64,
    /// What is wrong.
    pub fault: &'static str,
}

impl Entry {
    /// Domain tag of [`Entry::digest`].
    pub const TAG: &'static str = "consilium-entry-v1";

    /// The digest by which the next entry cites this one.
    pub fn digest(&self) -> Result<Digest, canonical::Error> {
        canonical::digest(Self::TAG, self)
    }
}

/// Checks that entries form one chain from the beginning; gives the head.
pub fn verify_chain<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
) -> Result<Digest, ChainError> {
    let mut head = Digest::ZERO;
    for (expected, entry) in (1_u64..).zip(entries) {
        let fault = |fault| ChainError {
            sequence: expected,
            fault,
        };
        if entry.sequence != expected {
            return Err(fault("its number does not follow"));
        }
        if entry.previous != head {
            return Err(fault("it does not continue the entry before"));
        }
        head = entry
            .digest()
            .map_err(|_| fault("it has no canonical form"))?;
    }
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(n: u64) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for sequence in 1..=n {
            let previous = entries
                .last()
                .map_or(Digest::ZERO, |last| last.digest().unwrap());
            entries.push(Entry {
                sequence,
                previous,
                at: Timestamp(0),
                kind: "load".parse().unwrap(),
                subject: Digest::of("s", &[&sequence.to_le_bytes()]),
                detail: BTreeMap::new(),
            });
        }
        entries
    }

    #[test]
    fn edits_gaps_and_turns_are_found() {
        assert!(verify_chain(&chain(5)).is_ok());
        let mut edited = chain(5);
        edited[2].at = Timestamp(1);
        assert_eq!(verify_chain(&edited).unwrap_err().sequence, 4);
        let mut gap = chain(5);
        gap.remove(2);
        assert_eq!(verify_chain(&gap).unwrap_err().sequence, 3);
        let mut turned = chain(5);
        turned.swap(1, 2);
        assert_eq!(verify_chain(&turned).unwrap_err().sequence, 2);
    }
}
