//! Pooled rounds: the hospital's part (one masked upload) and the committee member's part (one vote,
//! then sums of masks). Functions over the node's state; what leaves and arrives is carried by
//! [`crate::link`]. Nothing here connects anywhere.

mod lists;
mod receipts;
mod round;
mod heard;
mod answer;
mod families;
mod ballot;
mod seat;
mod void;
mod sums;
mod verify;

pub use answer::{Said, answer, taken};
pub use families::{hear, known};
pub use heard::{Offered, ended, offered, seated};
pub use lists::{accepted, countersign, follow, pinned, version};
pub use receipts::{ask, begin, take, witness};
pub use round::{Opened, open};
pub use seat::{certify, destroy_old, inspect, seat_keys};
pub use sums::sums;
pub use verify::{VerifyError, verify, verify_named};
pub use void::{hear_void, void, voided};

use std::sync::Arc;

use policies::plan::Refusal;
use pooled::family::FamilyError;
use pooled::inspect::InspectError;
use pooled::key_list::KeyListError;
use pooled::manifest::ManifestError;
use pooled::mask::MaskError;
use pooled::offer::OfferError;
use pooled::published::PublishedError;
use pooled::receipt::ReceiptError;
use pooled::sums::SumError;
use pooled::survivors::SurvivorsError;
use pooled::upload::UploadError;
use pooled::vote::VoteError;
use pooled::wire::WireError;
use schemas::canonical;
use schemas::id::Slug;
use schemas::seal::{PublicKey, SealError};

use crate::answer::{App, Unanswered};
use crate::config::ConfigError;
use crate::ledger::LedgerError;
use crate::log::LogError;
use crate::steward::StewardError;
use crate::store::state::StateError;

/// Who takes part: a hospital, a committee member, or both.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// State, keys, policy, officers, dictionary.
    pub app: &'a Arc<App>,
    /// The alliance's message key, by which manifests and key lists are signed.
    pub alliance: &'a PublicKey,
}

/// Why something is not done. None of it depends on patients' data but what [`Unanswered`] says.
#[derive(Debug, thiserror::Error)]
pub enum PooledError {
    /// No key list is followed yet.
    #[error("no key list is followed yet")]
    NoList,
    /// The key list.
    #[error(transparent)]
    List(#[from] KeyListError),
    /// Someone in a list to be countersigned is not accepted.
    #[error("the steward has not accepted the fingerprint of {0}: see `pooled members`")]
    Newcomer(Slug),
    /// Another list of the version was countersigned before.
    #[error("another key list of version {0} was countersigned before: one a version")]
    Countersigned(u32),
    /// Round and manifest.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// The manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The manifest is not what follows from the question.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Another manifest bears the name.
    #[error("another manifest was accepted under the name `{0}`; a name stands for one for ever")]
    SecondManifest(Slug),
    /// The hospital differencing rule.
    #[error(transparent)]
    Family(#[from] FamilyError),
    /// Too many uploads whose round is open.
    #[error("{0} uploads wait for their rounds to end; more are sent afterwards")]
    OpenRounds(u32),
    /// Uploads or answers are no longer given.
    #[error("the round is closed for this")]
    Closed,
    /// Hospitals may still upload.
    #[error("the round still takes uploads: no seat votes that it has no result")]
    StillOpen,
    /// Receipts against rollback.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// Opened before this state file was put back.
    #[error(
        "the round was opened before the rollback that was burned here: what was said to it then \
         is not known any more, so nothing is; the next round is answered"
    )]
    Restored,
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The steward locked the node.
    #[error("the steward has locked this node")]
    Locked,
    /// The seat has no key of the month.
    #[error("this seat's key of the round's month is not here (destroyed, or never made)")]
    NoSeatKey,
    /// Two certificates, or one beside the own vote.
    #[error("a certificate for another set than the one known for this round")]
    OtherSet,
    /// A proposal.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// A certificate.
    #[error(transparent)]
    Survivors(#[from] SurvivorsError),
    /// A vote.
    #[error(transparent)]
    Vote(#[from] VoteError),
    /// A mask sum.
    #[error(transparent)]
    Sum(#[from] SumError),
    /// An upload.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// A published certificate.
    #[error(transparent)]
    Published(#[from] PublishedError),
    /// Bytes.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Randomness.
    #[error(transparent)]
    Mask(#[from] MaskError),
    /// The question, the scan or the noise.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The steward's register.
    #[error(transparent)]
    Steward(#[from] StewardError),
    /// Keys.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Canonical form.
    #[error("a message has no canonical form")]
    Canonical(#[from] canonical::Error),
    /// Signatures.
    #[error("a message could not be signed or opened")]
    Seal(#[from] SealError),
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<sqlx::Error> for PooledError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}
