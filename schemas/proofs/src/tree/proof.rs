//! Verification of proofs, by the loops of RFC 9162 §2.1.3.2 and §2.1.4.2: no recursion, no
//! allocation, work bounded by [`MAX_PROOF`].
//!
//! A proof shows what a root commits to. Size and root belong together only by the checkpoint that
//! names both: sizes of one shape (5 to 8, say, for leaf 0) share their paths.

use schemas::digest::Digest;

use super::{MAX_PROOF, MAX_SIZE, TreeError, empty_root, node_hash};

/// Checks that the leaf with hash `leaf` is number `index` (from 0) of the tree of `size` leaves
/// with this `root`.
pub fn verify_inclusion(
    leaf: Digest,
    index: u64,
    size: u64,
    path: &[Digest],
    root: &Digest,
) -> Result<(), TreeError> {
    check(size, path)?;
    if index >= size {
        return Err(TreeError::NoSuchLeaf);
    }
    let mut place = Place::new(index, size);
    let mut hash = leaf;
    for sibling in path {
        hash = match place.up()? {
            Side::Left => node_hash(sibling, &hash),
            Side::Right => node_hash(&hash, sibling),
        };
    }
    place.finished()?;
    equal(&hash, root)
}

/// Checks that the tree of `old.0` leaves with root `old.1` is the beginning of the tree of `new.0`
/// leaves with root `new.1`. Everything continues the empty tree; a tree continues itself with an
/// empty proof.
pub fn verify_consistency(
    old: (u64, &Digest),
    new: (u64, &Digest),
    proof: &[Digest],
) -> Result<(), TreeError> {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    check(new_size, proof)?;
    if old_size > new_size {
        return Err(TreeError::Sizes);
    }
    if old_size == 0 || old_size == new_size {
        if !proof.is_empty() {
            return Err(TreeError::Length);
        }
        return match old_size {
            _ if old_size == new_size => equal(old_root, new_root),
            _ => equal(old_root, &empty_root()),
        };
    }
    // A complete old tree is itself a node of the new one; its root is not sent again.
    let (start, rest) = if old_size.is_power_of_two() {
        (old_root, proof)
    } else {
        proof.split_first().ok_or(TreeError::Length)?
    };
    let mut place = Place::new(old_size - 1, new_size);
    place.skip_right_turns();
    let (mut older, mut newer) = (*start, *start);
    for hash in rest {
        match place.up()? {
            Side::Left => {
                older = node_hash(hash, &older);
                newer = node_hash(hash, &newer);
            }
            Side::Right => newer = node_hash(&newer, hash),
        }
    }
    place.finished()?;
    equal(&older, old_root)?;
    equal(&newer, new_root)
}

/// On which side of the node so far the next hash stands.
enum Side {
    Left,
    Right,
}

/// A node on its way to the root: its number on its level (`fn` of the RFC), and the number of the
/// last node there (`sn`).
struct Place {
    this: u64,
    last: u64,
}

impl Place {
    fn new(index: u64, size: u64) -> Self {
        Self {
            this: index,
            last: size - 1,
        }
    }

    /// Goes one hash up.
    fn up(&mut self) -> Result<Side, TreeError> {
        if self.last == 0 {
            return Err(TreeError::Length);
        }
        let side = if self.this % 2 == 1 || self.this == self.last {
            // At the ragged edge a node rises without a sibling until it is a right child.
            while self.this != 0 && self.this.is_multiple_of(2) {
                self.shift();
            }
            Side::Left
        } else {
            Side::Right
        };
        self.shift();
        Ok(side)
    }

    fn skip_right_turns(&mut self) {
        while self.this % 2 == 1 {
            self.shift();
        }
    }

    fn shift(&mut self) {
        self.this >>= 1;
        self.last >>= 1;
    }

    fn finished(&self) -> Result<(), TreeError> {
        if self.last == 0 {
            Ok(())
        } else {
            Err(TreeError::Length)
        }
    }
}

fn check(size: u64, proof: &[Digest]) -> Result<(), TreeError> {
    if size > MAX_SIZE {
        return Err(TreeError::TooLarge);
    }
    if proof.len() > MAX_PROOF {
        return Err(TreeError::Length);
    }
    Ok(())
}

fn equal(reached: &Digest, root: &Digest) -> Result<(), TreeError> {
    if reached == root {
        Ok(())
    } else {
        Err(TreeError::Root)
    }
}
