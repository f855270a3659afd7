//! The Merkle tree of RFC 6962 §2.1 (the same in RFC 9162 §2.1), over SHA-256.
//!
//! `MTH({}) = SHA-256()`, `MTH({d}) = SHA-256(0x00 ‖ d)`, and for n > 1 with k the largest power of
//! two below n: `MTH(D[n]) = SHA-256(0x01 ‖ MTH(D[0:k]) ‖ MTH(D[k:n]))`. The two prefixes keep a
//! leaf from being taken for a node.

mod frontier;
mod log;
mod proof;
mod range;
#[cfg(test)]
mod test;

pub use frontier::Frontier;
pub use log::Log;
pub use proof::{verify_consistency, verify_inclusion};
pub use range::{MAX_RANGE_PROOF, verify_range};

use ring::digest::{Context, SHA256};
use schemas::digest::Digest;

/// Most leaves of a tree.
pub const MAX_SIZE: u64 = 1 << 62;
/// Most hashes of a proof: a path has at most 62, a consistency proof one more.
pub const MAX_PROOF: usize = 63;

/// Why a tree or a proof is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// More than [`MAX_SIZE`] leaves.
    #[error("a tree has at most 2^62 leaves")]
    TooLarge,
    /// The leaf's number is not below the size.
    #[error("the tree has no leaf of this number")]
    NoSuchLeaf,
    /// The older tree is the larger one, or the log holds fewer leaves than asked about.
    #[error("the sizes do not follow one another")]
    Sizes,
    /// Too many or too few hashes.
    #[error("the proof has not as many hashes as its sizes ask for")]
    Length,
    /// The proof leads to another root.
    #[error("the proof does not lead to the root: another tree, or the log was changed")]
    Root,
    /// The number of hashes is not the number of ones in the size.
    #[error("a frontier of this size has another number of hashes")]
    Frontier,
}

/// The hash of a leaf: `SHA-256(0x00 ‖ bytes)`.
pub fn leaf_hash(bytes: &[u8]) -> Digest {
    sha256(&[&[0], bytes])
}

/// The hash of a node: `SHA-256(0x01 ‖ left ‖ right)`.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    sha256(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// The root of a tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Digest {
    sha256(&[])
}

/// The root over leaf hashes.
pub fn root(leaves: impl IntoIterator<Item = Digest>) -> Result<Digest, TreeError> {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.append(leaf)?;
    }
    Ok(frontier.root())
}

fn sha256(parts: &[&[u8]]) -> Digest {
    let mut hasher = Context::new(&SHA256);
    for part in parts {
        hasher.update(part);
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hasher.finish().as_ref());
    Digest::from_bytes(bytes)
}

/// The largest power of two below `n`, for n of 2 or more: where RFC 6962 splits.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}
