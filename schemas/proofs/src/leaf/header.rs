//! The leaf before a batch: what the following leaves are, named before anything is asked.
//!
//! `0x00 | canonical JSON`. It binds the OPRF key, the padded number of leaves and the hidden total
//! to the checkpoint, so that a hospital cannot choose another key for another asker, nor move leaves
//! between payers.

use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Month;
use serde::{Deserialize, Serialize};

use super::Leaves;
use crate::commit::{CommitError, Commitment};
use crate::oprf::{OprfError, PublicKey};

const KIND: u8 = 0x00;

/// What one batch of leaves is. In the log the batch follows its header at once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Whose settlements.
    pub hospital: Slug,
    /// Who paid them.
    pub payer: Slug,
    /// Settlement month.
    pub period: Month,
    /// The month's release that was committed to; a restated month has a higher one.
    pub release: u32,
    /// Number of leaves, padding included.
    pub leaves: u32,
    /// The OPRF key, 32 bytes.
    pub key: Digest,
    /// Sum of all commitments, 32 bytes. It hides the amount from everybody: only the payer is
    /// sent what opens it (rule DP-1).
    pub total: Digest,
    /// What the payer committed its sampling nonce to before the month was closed, if it did: see
    /// [`crate::sample`].
    pub nonce: Option<Digest>,
}

/// Why a header or its batch is refused.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// Not a header leaf.
    #[error("the leaf is no header")]
    Kind,
    /// Its body.
    #[error("the header is refused: {0}")]
    Body(#[from] canonical::Error),
    /// Its key is no group element.
    #[error(transparent)]
    Key(#[from] OprfError),
    /// A leaf's commitment is none.
    #[error(transparent)]
    Commitment(#[from] CommitError),
    /// Another number of leaves than named.
    #[error("the batch has another number of leaves than its header names")]
    Count,
    /// Another total than named.
    #[error("the leaves' commitments do not add up to the header's total")]
    Total,
}

impl Header {
    /// The leaf's bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, HeaderError> {
        Ok([&[KIND], canonical::to_bytes(self)?.as_slice()].concat())
    }

    /// Reads a header leaf; one header has one form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HeaderError> {
        let body = bytes.strip_prefix(&[KIND]).ok_or(HeaderError::Kind)?;
        let header: Self = canonical::from_bytes(body)?;
        header.public_key()?;
        Ok(header)
    }

    /// The key under which the batch's tags were made.
    pub fn public_key(&self) -> Result<PublicKey, OprfError> {
        PublicKey::from_bytes(*self.key.as_bytes())
    }

    /// The commitment that the hospital opens to the payer's total.
    pub fn total(&self) -> Commitment {
        Commitment::from_bytes(*self.total.as_bytes())
    }

    /// Checks number and total of the leaves that follow the header.
    pub fn check(&self, leaves: &Leaves) -> Result<(), HeaderError> {
        if usize::try_from(self.leaves) != Ok(leaves.as_slice().len()) {
            return Err(HeaderError::Count);
        }
        if leaves.total()? == self.total() {
            Ok(())
        } else {
            Err(HeaderError::Total)
        }
    }
}
