//! The hospital's side of an insurer's audit: it evaluates blinded claims up to a cap, opens a
//! payer's total to that payer, and leaves without a claim once two officers agree. It learns how
//! many claims were asked about, and nothing of which. What that rests on: AUDIT.md.

mod listed;
mod opening;
mod serve;
mod store;
mod together;

pub use opening::{Door, Opening, Stands, approve, openings, refuse};
pub use serve::{Served, serve};
pub use together::{at_once, serve_together};

use std::path::Path;

use policies::access::OfficersError;
use proofs::book::Book;
use proofs::commit::CommitError;
use proofs::exchange::OpenedError;
use proofs::oprf::OprfError;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{PublicKey, SealError};
use schemas::time::{Month, Timestamp};

use crate::commit::{self, CloseError};
use crate::config::keys::Keys;
use crate::config::{Config, ConfigError};
use crate::ledger::LedgerError;
use crate::log::{self, Keeper, LogError};
use crate::steward::StewardError;
use crate::store::state::{self, State, StateError};

/// Why a request is not even refused: it is nobody's who may ask. Nothing was counted.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// Not a signed request.
    #[error("the request is not of the expected shape: {0}")]
    Shape(#[from] canonical::Error),
    /// Signed by a key that no payer was registered with.
    #[error(
        "the request is signed by no payer that this hospital knows; register it with \
         `consilium-node audit payer`"
    )]
    Unknown,
    /// The signature.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// About another payer's settlements, or another hospital's.
    #[error("a payer may ask about its own settlements at this hospital only")]
    NotItsOwn,
    /// The access policies do not let it ask.
    #[error("the hospital's policy refuses the request: {0}")]
    Forbidden(String),
    /// No such opening was asked for.
    #[error("no opening {0} waits; see `consilium-node audit list`")]
    NoOpening(Digest),
    /// Nothing is left to decide.
    #[error("the opening is {0} already; nothing is left to decide about it")]
    Decided(&'static str),
    /// The same person again.
    #[error("`{0}` has signed for it already; another officer has to")]
    Again(Slug),
    /// An unknown person, or a key of somebody else.
    #[error(transparent)]
    Officers(#[from] OfficersError),
    /// State, keys or the settlement log.
    #[error(transparent)]
    Close(#[from] CloseError),
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
    /// Keys.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The OPRF.
    #[error(transparent)]
    Oprf(#[from] OprfError),
    /// The node's log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A stored opening.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A parcel.
    #[error(transparent)]
    Opened(#[from] OpenedError),
    /// A task died.
    #[error("answering stopped; try again")]
    Stopped,
    /// Officers or policy changed meanwhile.
    #[error("officers or policy changed while it was answered; try again")]
    Changed,
    /// The steward locked the node.
    #[error("the steward has locked this node: nothing is answered")]
    Locked,
    /// The state file is older than what others have seen.
    #[error("LEDGER_ROLLED_BACK: nothing is answered; see `consilium-node log burn --help`")]
    RolledBack,
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The steward's tables could not be read.
    #[error(transparent)]
    Steward(#[from] StewardError),
}

/// Forgets a payer's key: nothing that it signs is answered any more. What was counted for it stays
/// counted. Whether there was one.
pub async fn unregister(state: &State, payer: &Slug, now: Timestamp) -> Result<bool, AuditError> {
    let mut change = state.begin().await?;
    let Some(key) = store::remove_payer(&mut change, payer).await? else {
        return Ok(false);
    };
    listed::withdraw_all(&mut change, payer).await?;
    let detail = [("payer", payer.to_string())];
    let subject = key.fingerprint();
    state::append(&mut change, now, "audit-payer-leaves", subject, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(true)
}

/// Registers the message key by which a payer's requests are known; replaces an earlier one, which
/// it gives.
pub async fn register(
    state: &State,
    payer: &Slug,
    key: &PublicKey,
    now: Timestamp,
) -> Result<Option<PublicKey>, AuditError> {
    let mut change = state.begin().await?;
    let before = store::set_payer(&mut change, payer, key).await?;
    let before = before.filter(|before| before != key);
    if before.is_some() {
        listed::withdraw_all(&mut change, payer).await?;
    }
    let detail = [("payer", payer.to_string())];
    let subject = key.fingerprint();
    state::append(&mut change, now, "audit-payer", subject, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(before)
}

/// The book of a payer's latest batch of a month. It shows witnesses once two have seen the close.
pub async fn book(
    state: &State,
    config: &Config,
    payer: &Slug,
    month: Month,
) -> Result<Option<Book>, AuditError> {
    let closes = commit::store::closes(state.pool()).await?;
    let batches = commit::store::batches(state.pool()).await?;
    let own = batches.iter().rev();
    let mut own = own.filter(|batch| batch.payer == *payer && batch.month == month);
    let Some(batch) = own.next() else {
        return Ok(None);
    };
    let close = closes
        .iter()
        .find(|close| (close.month, close.version) == (batch.month, batch.version));
    let Some(close) = close else { return Ok(None) };
    let mut book = commit::log::book(&config.data, &closes, close, batch)?;
    let signer = Keys::open(&config.data)?.message_key()?;
    let keeper = Keeper::open(state, &signer, &config.hospital).await?;
    let entry = log::entry_about(state, "close", &close.digest()).await?;
    if let (Some(keeper), Some(entry)) = (keeper, entry) {
        book.place.receipt = log::prove(&keeper, entry).await?;
    }
    Ok(Some(book))
}

/// Ends a month's audit for good: its key and what its leaves open to are destroyed. What the
/// batch's total opens to stays, and so do the officers' signatures under what was opened.
pub async fn end(
    state: &State,
    data: &Path,
    month: Month,
    now: Timestamp,
) -> Result<(), AuditError> {
    let mut change = state.begin().await?;
    // Replies under way look for the key again before they are kept.
    let subject = Digest::of("consilium-audit-end-v1", &[month.to_string().as_bytes()]);
    let detail = [("month", month.to_string())];
    listed::forget(&mut change, month).await?;
    state::append(&mut change, now, "audit-end", subject, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    // After the entry: a crash in between leaves a key to be destroyed by the same command again.
    Keys::open(data)?.remove_audit_seed(month)?;
    Ok(commit::log::forget(data, month)?)
}
