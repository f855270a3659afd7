//! Proofs that consecutive leaves stand in a tree: what a batch's reader checks once, instead of
//! one path for each leaf. As for paths, size and root belong together only by the checkpoint that
//! names both.

use schemas::digest::Digest;

use super::{Log, MAX_SIZE, TreeError, node_hash, split};

/// Most hashes of a range proof: one path on either side.
pub const MAX_RANGE_PROOF: usize = 2 * super::MAX_PROOF;

impl Log {
    /// The roots of the subtrees beside leaves `first .. first + count` in the tree of `size`,
    /// from left to right: with the leaves themselves they give the root.
    pub fn range_proof(&self, first: u64, count: u64, size: u64) -> Result<Vec<Digest>, TreeError> {
        let range = Range::new(first, count, size)?;
        let mut proof = Vec::new();
        self.beside(&range, 0, size, &mut proof)?;
        Ok(proof)
    }

    fn beside(
        &self,
        range: &Range,
        low: u64,
        high: u64,
        proof: &mut Vec<Digest>,
    ) -> Result<(), TreeError> {
        if range.misses(low, high) {
            proof.push(self.range(low, high)?);
        } else if !range.covers(low, high) {
            let middle = low + split(high - low);
            self.beside(range, low, middle, proof)?;
            self.beside(range, middle, high, proof)?;
        }
        Ok(())
    }
}

/// Checks that leaves with these hashes are numbers `first`, `first + 1` … of the tree of `size`
/// leaves with this `root`. Work is linear in the leaves.
pub fn verify_range(
    leaves: &[Digest],
    first: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), TreeError> {
    let count = u64::try_from(leaves.len()).map_err(|_| TreeError::TooLarge)?;
    if proof.len() > MAX_RANGE_PROOF {
        return Err(TreeError::Length);
    }
    let mut reader = Reader {
        range: Range::new(first, count, size)?,
        leaves: leaves.iter(),
        proof: proof.iter(),
    };
    let found = reader.node(0, size)?;
    if reader.proof.next().is_some() {
        return Err(TreeError::Length);
    }
    if found == *root {
        Ok(())
    } else {
        Err(TreeError::Root)
    }
}

struct Range {
    first: u64,
    end: u64,
}

impl Range {
    fn new(first: u64, count: u64, size: u64) -> Result<Self, TreeError> {
        let end = first.checked_add(count).ok_or(TreeError::NoSuchLeaf)?;
        if size > MAX_SIZE {
            return Err(TreeError::TooLarge);
        }
        if count == 0 || end > size {
            return Err(TreeError::NoSuchLeaf);
        }
        Ok(Self { first, end })
    }

    fn misses(&self, low: u64, high: u64) -> bool {
        high <= self.first || low >= self.end
    }

    fn covers(&self, low: u64, high: u64) -> bool {
        low >= self.first && high <= self.end
    }
}

struct Reader<'a> {
    range: Range,
    leaves: std::slice::Iter<'a, Digest>,
    proof: std::slice::Iter<'a, Digest>,
}

impl Reader<'_> {
    /// The root of leaves `low .. high`; at most 62 levels deep.
    fn node(&mut self, low: u64, high: u64) -> Result<Digest, TreeError> {
        if self.range.misses(low, high) {
            return self.proof.next().copied().ok_or(TreeError::Length);
        }
        if high - low == 1 {
            return self.leaves.next().copied().ok_or(TreeError::Length);
        }
        let middle = low + split(high - low);
        let left = self.node(low, middle)?;
        Ok(node_hash(&left, &self.node(middle, high)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::leaf_hash;

    #[test]
    fn every_range_of_every_small_tree_and_no_other() {
        for size in 1..=17_u64 {
            let mut log = Log::default();
            let hashes: Vec<Digest> = (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect();
            for hash in &hashes {
                log.append(*hash).unwrap();
            }
            let root = log.root_at(size).unwrap();
            for first in 0..size {
                for count in 1..=size - first {
                    let proof = log.range_proof(first, count, size).unwrap();
                    let place = |number: u64| usize::try_from(number).unwrap();
                    let (from, to) = (place(first), place(first + count));
                    let leaves = &hashes[from..to];
                    verify_range(leaves, first, size, &proof, &root).unwrap();
                    let mut more = proof.clone();
                    more.push(Digest::ZERO);
                    assert_eq!(
                        verify_range(leaves, first, size, &more, &root),
                        Err(TreeError::Length)
                    );
                    let mut changed = leaves.to_vec();
                    changed[0] = Digest::ZERO;
                    assert_eq!(
                        verify_range(&changed, first, size, &proof, &root),
                        Err(TreeError::Root)
                    );
                    if count > 1 {
                        assert!(verify_range(&leaves[1..], first, size, &proof, &root).is_err());
                    }
                }
            }
            assert_eq!(log.range_proof(0, 0, size), Err(TreeError::NoSuchLeaf));
            assert_eq!(log.range_proof(size, 1, size), Err(TreeError::NoSuchLeaf));
        }
    }
}
