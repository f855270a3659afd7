//! The leaves that a hospital commits to: one a settlement, all of one size.
//!
//! ```text
//! 0x01 | tag 16 | C 32 | 88 | ChaCha20-Poly1305(label 72; aad = C)
//! label = amount, i64 big-endian | r 32 | case group, 32, filled with zeros
//! ```
//!
//! `F` is the OPRF of the claim under the key of its payer and month, `prk = HKDF-Extract(domain,
//! F)`, and for the i-th settlement of one claim `tag = Expand(prk, "tag" ‖ i)`, label key =
//! `Expand(prk, "label" ‖ i ‖ C)` (HKDF-SHA-256, RFC 5869). `C` is in the key, so a restated leaf
//! never meets the key and nonce of the one before.
//!
//! **A settlement that is listed twice** gives two leaves, i = 0 and 1. Whoever has `F` derives the
//! tags i = 0, 1, 2 … without asking again and reads on until one is missing. A hospital that skips
//! a number hides the leaf from the claim's holder, and so has one more leaf that nobody claims;
//! those are what sampling opens.

mod batch;
mod header;
mod keys;
mod seal;
#[cfg(test)]
mod test;

pub use batch::{Leaves, Match};
pub use header::{Header, HeaderError};
pub use seal::{BlindingSeed, occurrences, padding, seal};

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Month;
use zeroize::Zeroizing;

use crate::commit::{Blinding, CommitError, Commitment, Opening};
use crate::oprf::OprfError;
use crate::tree;

/// Bytes of a leaf.
pub const LEAF_BYTES: usize = 1 + 16 + 32 + 1 + SEALED_BYTES;
/// Longest case group, as in the dictionary.
pub const GROUP_BYTES: usize = 32;
const LABEL_BYTES: usize = 8 + 32 + GROUP_BYTES;
const SEALED_BYTES: usize = LABEL_BYTES + 16;
const KIND: u8 = 0x01;

/// Why a settlement, leaf or list of leaves is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    /// Not 1 to 64 visible ASCII characters.
    #[error("a settlement number is 1 to 64 visible ASCII characters without spaces")]
    Number,
    /// Not 1 to 32 visible ASCII characters.
    #[error("a case group is 1 to {GROUP_BYTES} visible ASCII characters")]
    Group,
    /// Another length or first byte.
    #[error("leaf {0} has another length or kind than a settlement's")]
    Form(usize),
    /// Not sorted by tag, or two of one tag.
    #[error("leaf {0} does not come after the one before: leaves stand in the order of their tags")]
    Order(usize),
    /// The label is not sealed under this claim's key.
    #[error("the label does not open: the leaf was not made for this claim")]
    Label,
    /// The label opens, but to bytes of another form.
    #[error("the label does not hold an amount, a blinding and a case group")]
    Content,
    /// The label names what the commitment does not open to, or a blinding that is none.
    #[error(transparent)]
    Commitment(#[from] CommitError),
    /// The OPRF refused the claim.
    #[error(transparent)]
    Oprf(#[from] OprfError),
    /// Key derivation or sealing failed, or the random source did.
    #[error("the cryptographic library refused; try again")]
    Library,
}

/// What names a settlement to hospital and payer alike. Numbers that can be guessed can be asked
/// about: where they are short, the alliance agrees to append the discharge date.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Claim {
    hospital: Slug,
    period: Month,
    number: String,
}

/// What is sealed: never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Its name.
    pub claim: Claim,
    /// Paid, whole fen; negative for a refund.
    pub amount: i64,
    /// Case group of the dictionary.
    pub group: String,
}

/// One leaf, its bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Leaf([u8; LEAF_BYTES]);

/// What a leaf's label says, checked against its commitment.
#[derive(Clone, PartialEq, Eq)]
pub struct Label {
    /// Whole fen.
    pub amount: i64,
    /// Case group.
    pub group: String,
    /// Opens the commitment.
    pub blinding: Blinding,
}

impl Claim {
    /// A claim of a hospital, a settlement month and a settlement number.
    pub fn new(hospital: Slug, period: Month, number: &str) -> Result<Self, LeafError> {
        if !(1..=64).contains(&number.len()) || !visible(number.as_bytes()) {
            return Err(LeafError::Number);
        }
        Ok(Self {
            hospital,
            period,
            number: number.to_owned(),
        })
    }

    /// The OPRF's input: each part behind its length, two bytes big-endian.
    pub fn key(&self) -> Vec<u8> {
        let mut key = Vec::new();
        let period = self.period.to_string();
        for part in [self.hospital.as_str(), &period, &self.number] {
            let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
            key.extend(length.to_be_bytes());
            key.extend(part.as_bytes());
        }
        key
    }
}

impl Leaf {
    /// Reads a leaf at a place of a list; its label stays sealed.
    pub fn from_bytes(place: usize, bytes: &[u8]) -> Result<Self, LeafError> {
        let leaf = Self(bytes.try_into().map_err(|_| LeafError::Form(place))?);
        let (kind, _, _, length, _) = leaf.parts();
        if kind != KIND || usize::from(length) != SEALED_BYTES {
            return Err(LeafError::Form(place));
        }
        Ok(leaf)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; LEAF_BYTES] {
        &self.0
    }

    /// Its hash in the tree.
    pub fn hash(&self) -> Digest {
        tree::leaf_hash(&self.0)
    }

    /// The name by which the claim's holder finds it.
    pub fn tag(&self) -> [u8; 16] {
        self.parts().1
    }

    /// The commitment to its amount.
    pub fn commitment(&self) -> Commitment {
        Commitment::from_bytes(self.parts().2)
    }

    fn new(tag: [u8; 16], commitment: &Commitment, sealed: &[u8; SEALED_BYTES]) -> Self {
        let length = u8::try_from(SEALED_BYTES).unwrap_or(u8::MAX);
        let parts = [&[KIND], &tag[..], commitment.as_bytes(), &[length], sealed];
        let mut bytes = [0; LEAF_BYTES];
        for (to, from) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        Self(bytes)
    }

    fn parts(&self) -> (u8, [u8; 16], [u8; 32], u8, [u8; SEALED_BYTES]) {
        let mut bytes = self.0.iter().copied();
        let mut part = || bytes.next().unwrap_or_default();
        let kind = part();
        let tag = std::array::from_fn(|_| part());
        let commitment = std::array::from_fn(|_| part());
        let length = part();
        (
            kind,
            tag,
            commitment,
            length,
            std::array::from_fn(|_| part()),
        )
    }
}

impl std::fmt::Debug for Leaf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Leaf({})", self.hash().short())
    }
}

impl std::fmt::Debug for Settlement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Settlement(secret)")
    }
}

impl std::fmt::Debug for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Label(secret)")
    }
}

impl Label {
    /// What the leaf's commitment opens to.
    pub fn opening(&self) -> Opening {
        Opening {
            amount: self.amount.into(),
            blinding: self.blinding.clone(),
        }
    }

    fn to_bytes(&self) -> Zeroizing<[u8; LABEL_BYTES]> {
        let (amount, blinding) = (self.amount.to_be_bytes(), self.blinding.to_bytes());
        let parts = [&amount[..], &blinding[..], self.group.as_bytes()];
        let mut bytes = Zeroizing::new([0; LABEL_BYTES]);
        for (to, from) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, LeafError> {
        let (amount, rest) = bytes.split_first_chunk().ok_or(LeafError::Content)?;
        let (blinding, group) = rest.split_first_chunk().ok_or(LeafError::Content)?;
        let end = group.iter().position(|byte| *byte == 0);
        let (group, fill) = group.split_at(end.unwrap_or(group.len()));
        if !visible(group) || fill.iter().any(|byte| *byte != 0) {
            return Err(LeafError::Content);
        }
        Ok(Self {
            amount: i64::from_be_bytes(*amount),
            blinding: Blinding::from_bytes(*blinding)?,
            group: group.iter().copied().map(char::from).collect(),
        })
    }
}

fn visible(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_graphic)
}
