//! The manifest M: one round as the coordinator opens it. What a node and a committee member check
//! of it is the same, and only a checked one becomes a [`Round`], which everything else asks for.

mod round;

pub use round::{Round, SeatAt, Trust};

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{Message, SealError, Sealed};
use schemas::time::{Month, Period, Timestamp};
use serde::{Deserialize, Serialize};

use crate::key_list::KeyListError;
use crate::range::{Block, RangeError};
use crate::threshold::ThresholdError;
use crate::wire::{self, MAX_CELLS};

/// Most hospitals asked.
pub const MAX_ROSTER: usize = 1_024;
/// Most blocks.
pub const MAX_BLOCKS: usize = 256;
/// Longest time from opening to the last answer: 60 days, in seconds.
pub const LONGEST: i64 = 60 * 86_400;

/// A round.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The alliance.
    pub alliance: Slug,
    /// Its name, unique for ever.
    pub round: Slug,
    /// Digest of the question.
    pub question: Digest,
    /// Digest of the layout that everyone compiles from it.
    pub layout: Digest,
    /// The months asked about.
    pub period: Period,
    /// The blocks in the layout's order.
    pub blocks: Vec<Block>,
    /// Most rows of one hospital that the dictionary lets a cell hold.
    pub max_rows: u64,
    /// The hospitals asked, sorted.
    pub roster: Vec<Slug>,
    /// Hash of the key list.
    pub key_list: Digest,
    /// Which of its committees.
    pub epoch: u32,
    /// Which of the seats' monthly keys.
    pub key_month: Month,
    /// Seats that may collude, as the committee's record says.
    pub f: u8,
    /// Contributing hospitals that may collude.
    pub t: u32,
    /// Fewer survivors than this: the round dies.
    pub n_min: u32,
    /// When it was opened.
    pub opened: Timestamp,
    /// After this moment no upload is taken.
    pub closes: Timestamp,
    /// After this moment no member answers.
    pub answer_by: Timestamp,
}

impl Message for Manifest {
    const TAG: &'static str = "cams-manifest-v1";
}

impl Manifest {
    /// Longest manifest, in bytes.
    pub const MAX_BYTES: usize = 512 * 1024;

    /// Reads a sealed manifest; nothing in it is believed yet.
    pub fn parse(bytes: &[u8]) -> Result<Sealed<Self>, ManifestError> {
        Ok(wire::read(bytes, Self::MAX_BYTES)?)
    }

    fn cells(&self) -> usize {
        let cells: u64 = self.blocks.iter().map(|block| u64::from(block.cells)).sum();
        usize::try_from(cells).unwrap_or(usize::MAX)
    }
}

/// Why a manifest is refused. None of it depends on patients' data.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The coordinator's signature.
    #[error("the manifest's signature: {0}")]
    Seal(#[from] SealError),
    /// The bytes.
    #[error(transparent)]
    Wire(#[from] wire::WireError),
    /// The key list at this time.
    #[error(transparent)]
    KeyList(#[from] KeyListError),
    /// Of another alliance.
    #[error("the manifest of another alliance")]
    Alliance,
    /// It cites another key list.
    #[error("the manifest cites another key list than the pinned one: fetch the newest list")]
    OtherList,
    /// No committee of this epoch, or another `f` than its record's.
    #[error("the key list has no such committee with this f")]
    Committee,
    /// The roster.
    #[error("the roster is at most {MAX_ROSTER} hospitals of the key list, sorted, each once")]
    Roster,
    /// A member that the steward has not accepted.
    #[error("the steward has not accepted the fingerprint of {0}: compare and accept it first")]
    Newcomer(Slug),
    /// Blocks, cells or period.
    #[error("a round has 1 to {MAX_BLOCKS} blocks, at most {MAX_CELLS} cells and a sound period")]
    Cells,
    /// The order of times.
    #[error("times must rise from opening to the last answer, over at most 60 days")]
    Times,
    /// Outside the window.
    #[error("the round is not open at this time")]
    NotNow,
    /// A seat without a key for the month, or one that ends too early.
    #[error("seat {0} has no key of that month that lasts until the last answer")]
    SeatKey(Slug),
    /// Thresholds.
    #[error(transparent)]
    Threshold(#[from] ThresholdError),
    /// `t` above the list's own bound.
    #[error("t is above the key list's t_max")]
    AboveMost,
    /// Range or noise of a block.
    #[error("block {block}: {fault}")]
    Range {
        /// Which.
        block: usize,
        /// Why.
        fault: RangeError,
    },
}
