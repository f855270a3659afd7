//! The hospital's side of an insurer's audit: it evaluates blinded claims up to a cap, opens a
//! payer's total to that payer, and leaves without a claim once an officer agrees. It learns how
//! many claims were asked about, and nothing of which. What that rests on: AUDIT.md.

mod serve;
mod store;

pub use serve::{Served, serve};

use std::path::Path;

use proofs::commit::CommitError;
use proofs::exchange::OpenedError;
use proofs::oprf::OprfError;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{PublicKey, SealError};
use schemas::time::{Month, Timestamp};

use crate::commit::{self, CloseError};
use crate::config::ConfigError;
use crate::config::keys::Keys;
use crate::ledger::LedgerError;
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
    /// A stored opening.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A parcel.
    #[error(transparent)]
    Opened(#[from] OpenedError),
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

/// Registers the message key by which a payer's requests are known; replaces an earlier one.
pub async fn register(
    state: &State,
    payer: &Slug,
    key: &PublicKey,
    now: Timestamp,
) -> Result<(), AuditError> {
    let mut change = state.begin().await?;
    store::set_payer(&mut change, payer, key).await?;
    let detail = [("payer", payer.to_string())];
    let subject = key.fingerprint();
    state::append(&mut change, now, "audit-payer", subject, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(())
}

/// An officer agrees to one request that opens leaves, by the digest of the signed request.
pub async fn approve(
    state: &State,
    request: &Digest,
    officer: &str,
    now: Timestamp,
) -> Result<(), AuditError> {
    let mut change = state.begin().await?;
    store::approve(&mut change, request, officer).await?;
    let detail = [("officer", officer.to_owned())];
    state::append(&mut change, now, "audit-approve", *request, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(())
}

/// The book of a payer's latest batch of a month, as bytes.
pub async fn book(
    state: &State,
    data: &Path,
    payer: &Slug,
    month: Month,
) -> Result<Option<Vec<u8>>, AuditError> {
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
    let book = commit::log::book(data, &closes, close, batch)?;
    Ok(Some(
        book.to_bytes()
            .map_err(|_| CloseError::Damaged("a book has no form"))?,
    ))
}

/// Ends a month's audit for good: its key and what its leaves open to are destroyed. What the
/// batch's total opens to stays.
pub async fn end(
    state: &State,
    data: &Path,
    month: Month,
    now: Timestamp,
) -> Result<(), AuditError> {
    let mut change = state.begin().await?;
    let subject = Digest::of("consilium-audit-end-v1", &[month.to_string().as_bytes()]);
    let detail = [("month", month.to_string())];
    state::append(&mut change, now, "audit-end", subject, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    // After the entry: a crash in between leaves a key to be destroyed by the same command again.
    Keys::open(data)?.remove_audit_seed(month)?;
    Ok(commit::log::forget(data, month)?)
}
