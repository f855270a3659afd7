//! A tree that is kept whole, to make proofs from.

use schemas::digest::Digest;

use super::{MAX_SIZE, TreeError, empty_root, node_hash, split};

/// All leaf hashes and all complete subtrees above them: two hashes a leaf. Proofs for every
/// earlier size of the log come from it.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// `levels[k][i]` is the root of leaves `i·2^k .. (i + 1)·2^k`.
    levels: Vec<Vec<Digest>>,
}

impl Log {
    /// Adds a leaf by its hash.
    pub fn append(&mut self, leaf: Digest) -> Result<(), TreeError> {
        if self.size() >= MAX_SIZE {
            return Err(TreeError::TooLarge);
        }
        let mut complete = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let row = self.levels.get_mut(level).ok_or(TreeError::TooLarge)?;
            row.push(complete);
            match row.as_slice() {
                [.., left, right] if row.len().is_multiple_of(2) => {
                    complete = node_hash(left, right);
                }
                _ => break,
            }
        }
        Ok(())
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        let leaves = self.levels.first().map_or(0, Vec::len);
        u64::try_from(leaves).unwrap_or(u64::MAX)
    }

    /// The root that the log had when it held `size` leaves.
    pub fn root_at(&self, size: u64) -> Result<Digest, TreeError> {
        if size == 0 {
            return Ok(empty_root());
        }
        self.range(0, size)
    }

    /// `PATH(index, D[size])` of RFC 6962 §2.1.1: the siblings from the leaf to the root.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Digest>, TreeError> {
        if index >= size {
            return Err(TreeError::NoSuchLeaf);
        }
        let (mut low, mut high) = (0, size);
        let mut path = Vec::new();
        while high - low > 1 {
            let middle = low + split(high - low);
            if index < middle {
                path.push(self.range(middle, high)?);
                high = middle;
            } else {
                path.push(self.range(low, middle)?);
                low = middle;
            }
        }
        path.reverse();
        Ok(path)
    }

    /// `PROOF(old, D[new])` of RFC 6962 §2.1.2: that the first `old` leaves are unchanged in the
    /// tree of `new`. Empty for two equal sizes and for an empty old tree.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Digest>, TreeError> {
        if old > new || new > self.size() {
            return Err(TreeError::Sizes);
        }
        let mut proof = Vec::new();
        if old == 0 {
            return Ok(proof);
        }
        let (mut low, mut high) = (0, new);
        // Whether the verifier already knows the subtree that is left: then it is the old root.
        let mut known = true;
        while old < high {
            let middle = low + split(high - low);
            if old <= middle {
                proof.push(self.range(middle, high)?);
                high = middle;
            } else {
                proof.push(self.range(low, middle)?);
                low = middle;
                known = false;
            }
        }
        if !known {
            proof.push(self.range(low, high)?);
        }
        proof.reverse();
        Ok(proof)
    }

    /// The root of leaves `low .. high`, where `low` is a multiple of the power of two that is at
    /// least `high − low`, as it always is where RFC 6962 splits.
    pub(super) fn range(&self, low: u64, high: u64) -> Result<Digest, TreeError> {
        let n = high - low;
        if !n.is_power_of_two() {
            let middle = low + split(n);
            return Ok(node_hash(
                &self.range(low, middle)?,
                &self.range(middle, high)?,
            ));
        }
        let level = n.ilog2();
        let place = usize::try_from(low >> level).map_err(|_| TreeError::Sizes)?;
        let row = usize::try_from(level).map_err(|_| TreeError::Sizes)?;
        let found = self.levels.get(row).and_then(|row| row.get(place));
        found.copied().ok_or(TreeError::Sizes)
    }
}
