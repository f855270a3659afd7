//! One payer's batch: settlements become leaves on all cores, padding hides how many there are, the
//! order is that of the tags.

use std::num::NonZero;
use std::thread;

use proofs::commit::{Opening, total};
use proofs::leaf::{
    BlindingSeed, Header, Leaf, LeafError, Leaves, Settlement, occurrences, padding, seal,
};
use proofs::oprf::ServerKey;
use proofs::tree;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Month;

use super::CloseError;
use crate::config::keys::AuditSeed;

/// Leaves of a batch are a multiple of this: all that their number shows.
pub(super) const STEP: usize = 256;
/// Settlements between two reports of progress.
const BLOCK: usize = 4096;

/// Whose batch.
pub(super) struct Of<'a> {
    pub(super) hospital: &'a Slug,
    pub(super) payer: &'a Slug,
    pub(super) month: Month,
    pub(super) version: u32,
    pub(super) nonce: Option<Digest>,
    pub(super) seed: &'a AuditSeed,
}

/// A batch, and what only the hospital knows of it.
pub(super) struct Batch {
    pub(super) header: Header,
    pub(super) header_bytes: Vec<u8>,
    pub(super) leaves: Leaves,
    /// By place: what the leaf opens to, and its case group, empty for padding.
    pub(super) labels: Vec<(Opening, String)>,
    pub(super) settlements: u64,
    pub(super) total: Opening,
}

struct Sealed {
    leaf: Leaf,
    opening: Opening,
    group: String,
}

impl Batch {
    pub(super) fn build(
        of: &Of<'_>,
        settlements: &[Settlement],
        progress: &mut dyn FnMut(usize),
    ) -> Result<Self, CloseError> {
        let key = of.seed.oprf_key(of.payer, of.month);
        let key = key.map_err(LeafError::from)?;
        let blinding = of.seed.blinding(of.payer, of.month, of.version);
        let mut sealed = Vec::with_capacity(padded(settlements.len()));
        let numbered: Vec<_> = settlements.iter().zip(occurrences(settlements)).collect();
        for block in numbered.chunks(BLOCK) {
            sealed.extend(seal_block(block, &key, &blinding)?);
            progress(sealed.len());
        }
        let missing = padded(settlements.len()) - settlements.len();
        for number in (0..).take(missing) {
            let (leaf, opening) = padding(number, &blinding)?;
            let group = String::new();
            sealed.push(Sealed {
                leaf,
                opening,
                group,
            });
        }
        sealed.sort_unstable_by_key(|one| one.leaf.tag());
        let leaves = Leaves::received(sealed.iter().map(|one| one.leaf).collect())?;
        let header = Header {
            hospital: of.hospital.clone(),
            payer: of.payer.clone(),
            period: of.month,
            release: of.version,
            leaves: u32::try_from(sealed.len()).map_err(|_| CloseError::TooMany)?,
            key: Digest::from_bytes(*key.public().as_bytes()),
            total: Digest::from_bytes(*leaves.total().map_err(LeafError::from)?.as_bytes()),
            nonce: of.nonce,
        };
        let opened = total(sealed.iter().map(|one| &one.opening)).map_err(LeafError::from)?;
        let labels = sealed.into_iter().map(|one| (one.opening, one.group));
        Ok(Self {
            header_bytes: header.to_bytes()?,
            header,
            leaves,
            labels: labels.collect(),
            settlements: u64::try_from(settlements.len()).unwrap_or(u64::MAX),
            total: opened,
        })
    }

    /// Hashes of header and leaves, in the order of the log.
    pub(super) fn hashes(&self) -> impl Iterator<Item = Digest> + '_ {
        let leaves = self.leaves.as_slice().iter().map(Leaf::hash);
        std::iter::once(tree::leaf_hash(&self.header_bytes)).chain(leaves)
    }
}

fn padded(settlements: usize) -> usize {
    settlements.max(1).next_multiple_of(STEP)
}

fn seal_block(
    block: &[(&Settlement, u32)],
    key: &ServerKey,
    blinding: &BlindingSeed,
) -> Result<Vec<Sealed>, CloseError> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let part = block.len().div_ceil(cores).max(1);
    let sealed = thread::scope(|scope| {
        let running: Vec<_> = block
            .chunks(part)
            .map(|part| scope.spawn(move || seal_part(part, key, blinding)))
            .collect();
        let joined = running.into_iter().map(|thread| {
            let done = thread.join().map_err(|_| CloseError::Stopped)?;
            done.map_err(CloseError::from)
        });
        joined.collect::<Result<Vec<_>, _>>()
    })?;
    Ok(sealed.into_iter().flatten().collect())
}

fn seal_part(
    part: &[(&Settlement, u32)],
    key: &ServerKey,
    blinding: &BlindingSeed,
) -> Result<Vec<Sealed>, LeafError> {
    let one = |(settlement, occurrence): &(&Settlement, u32)| {
        let (leaf, opening) = seal(settlement, *occurrence, key, blinding)?;
        let group = settlement.group.clone();
        Ok(Sealed {
            leaf,
            opening,
            group,
        })
    };
    part.iter().map(one).collect()
}
