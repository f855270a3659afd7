//! The right edge of a tree: enough to append and to know the root, without the leaves.

use schemas::digest::Digest;
use serde::{Deserialize, Serialize};

use super::{MAX_SIZE, TreeError, empty_root, node_hash};

/// The roots of the complete subtrees that make up a tree, largest first: one for each one in the
/// size's binary form. At most 62 hashes, whatever the size.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Frontier {
    size: u64,
    peaks: Vec<Digest>,
}

/// As it is stored; checked on the way in.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    size: u64,
    peaks: Vec<Digest>,
}

impl Frontier {
    /// Adds a leaf by its hash; amortised one node hash, at most 61.
    pub fn append(&mut self, leaf: Digest) -> Result<(), TreeError> {
        if self.size >= MAX_SIZE {
            return Err(TreeError::TooLarge);
        }
        let mut right = leaf;
        // Every trailing one of the size is a complete subtree that now gets its sibling.
        for _ in 0..self.size.trailing_ones() {
            let left = self.peaks.pop().ok_or(TreeError::Frontier)?;
            right = node_hash(&left, &right);
        }
        self.peaks.push(right);
        self.size += 1;
        Ok(())
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of all leaves so far.
    pub fn root(&self) -> Digest {
        let joined = self.peaks.iter().copied().rev();
        joined
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or_else(empty_root)
    }
}

impl From<Frontier> for Written {
    fn from(frontier: Frontier) -> Self {
        let Frontier { size, peaks } = frontier;
        Self { size, peaks }
    }
}

impl TryFrom<Written> for Frontier {
    type Error = TreeError;

    fn try_from(written: Written) -> Result<Self, TreeError> {
        let Written { size, peaks } = written;
        if size > MAX_SIZE {
            return Err(TreeError::TooLarge);
        }
        if u32::try_from(peaks.len()) != Ok(size.count_ones()) {
            return Err(TreeError::Frontier);
        }
        Ok(Self { size, peaks })
    }
}
