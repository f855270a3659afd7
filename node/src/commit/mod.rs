//! The month's close: the hospital commits to its settlement list before anything is computed from
//! it. One sealed batch a payer, appended to the hospital's settlement log (an RFC 6962 tree), under
//! a checkpoint signed by the message key. What it proves and to whom: AUDIT.md.

mod build;
mod compare;
mod list;
pub mod log;
pub mod store;

pub use compare::Compared;
pub use list::Refused;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proofs::book;
use proofs::checkpoint::Checkpoint;
use proofs::leaf::{HeaderError, LeafError};
use proofs::note::{Note, NoteError};
use proofs::tree::TreeError;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::{Month, Timestamp};
use serde::Serialize;

use crate::config::keys::{AuditSeed, Keys};
use crate::config::{Config, ConfigError};
use crate::ingest::IngestError;
use crate::ingest::settlements::SettlementMapping;
use crate::ingest::source;
use crate::load::{LoadError, Lock};
use crate::store::columns::ColumnsError;
use crate::store::dictionaries;
use crate::store::state::{self, State, StateError};

use self::build::Batch;
use self::list::Listed;
use self::store::Close;

/// What to close and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// The month.
    pub month: Month,
    /// The settlement list.
    pub file: PathBuf,
    /// Its mapping.
    pub mapping: SettlementMapping,
    /// What payers committed their sampling nonces to.
    pub nonces: BTreeMap<Slug, Digest>,
    /// Close a closed month again, with another list: both versions are kept.
    pub restate: bool,
}

/// What a close came to. It is shown to the hospital only.
#[derive(Clone, Debug, Serialize)]
pub struct Closed {
    /// The month.
    pub month: Month,
    /// 1 for the first close of the month.
    pub version: u32,
    /// Whether this list had closed the month before: nothing was changed.
    pub again: bool,
    /// Settlements by payer.
    pub settlements: BTreeMap<Slug, u64>,
    /// Rows of other months, of no payer or of the mapping's filter.
    pub passed_over: u64,
    /// Rows in quarantine: row number, field, rule.
    pub refused: Vec<Refused>,
    /// The list against the stored stays; `None` where the month is not loaded.
    pub compared: Option<Compared>,
    /// The checkpoint, as others see it.
    pub checkpoint: String,
}

/// Why a month is not closed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum CloseError {
    /// The list or its mapping.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// Settings or keys.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
    /// Stored columns.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
    /// Another command is at work, or the data folder failed.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The data folder failed.
    #[error("the settlement log could not be read or written")]
    Io(#[from] std::io::Error),
    /// A leaf.
    #[error(transparent)]
    Leaf(#[from] LeafError),
    /// A header.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The log.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The checkpoint's note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A header has no canonical form.
    #[error(transparent)]
    Canonical(#[from] canonical::Error),
    /// No dictionary names the alliance.
    #[error("no dictionary is accepted; run `consilium-node dictionary accept FILE` first")]
    NoDictionary,
    /// The month was closed with another list.
    #[error(
        "{month} was closed with another list or mapping; `--restate` commits to this one too and \
         keeps both"
    )]
    Closed {
        /// The month.
        month: Month,
    },
    /// The month's audit key was destroyed.
    #[error("the audit of {month} has ended and its key is destroyed; it cannot be closed again")]
    Ended {
        /// The month.
        month: Month,
    },
    /// More settlements than one close takes.
    #[error("a list has at most {} settlements", list::MOST)]
    TooMany,
    /// A nonce for a payer that the mapping does not name.
    #[error("a nonce is given for `{0}`, which the mapping does not name")]
    Payer(Slug),
    /// The files of the settlement log are not those that the state file names.
    #[error("the files of the settlement log are damaged: {0}; restore them from a backup")]
    Damaged(&'static str),
    /// A thread died.
    #[error("sealing stopped; try again")]
    Stopped,
}

/// Closes a month. `progress` hears settlements done and in all.
pub async fn close(
    state: &State,
    config: &Config,
    now: Timestamp,
    request: &Request,
    progress: &dyn Fn(usize, usize),
) -> Result<Closed, CloseError> {
    let data = config.data.as_path();
    let _lock = Lock::take(data)?;
    let payers = request.mapping.payers();
    if let Some(payer) = request.nonces.keys().find(|payer| !payers.contains(*payer)) {
        return Err(CloseError::Payer(payer.clone()));
    }
    let dictionary = dictionaries::latest(state).await?;
    let alliance = dictionary.ok_or(CloseError::NoDictionary)?.alliance;
    let closes = store::closes(state.pool()).await?;
    let identity = identity(request)?;
    let of_month = || closes.iter().filter(|close| close.month == request.month);
    if let Some(close) = of_month().find(|close| close.list == identity) {
        return same(state, close).await;
    }
    let version = of_month().map(|close| close.version).max().unwrap_or(0) + 1;
    if version > 1 && !request.restate {
        let month = request.month;
        return Err(CloseError::Closed { month });
    }
    let keys = Keys::open(data)?;
    let seed = match keys.audit_seed(request.month)? {
        Some(seed) => seed,
        None if version == 1 => keys.make_audit_seed(request.month)?,
        None => {
            let month = request.month;
            return Err(CloseError::Ended { month });
        }
    };
    let known = list::stay_ids(&keys, request)?;
    let listed = list::read(request, &config.hospital, known)?;
    let compared = compare::compare(state, data, request.month, &listed.paid).await?;
    let batches = seal(
        &listed,
        (request, version),
        &config.hospital,
        &seed,
        progress,
    )?;
    let mut frontier = store::frontier(&closes);
    let first = frontier.size();
    log::write(data, (request.month, version), &batches)?;
    for hash in batches.iter().flat_map(Batch::hashes) {
        frontier.append(hash)?;
    }
    let checkpoint = Checkpoint {
        origin: book::origin(&alliance, &config.hospital),
        size: frontier.size(),
        root: frontier.root(),
    };
    let mut note = Note::new(checkpoint.text())?;
    note.sign(&checkpoint.origin, &keys.message_key()?)?;
    let close = Close {
        month: request.month,
        version,
        list: identity,
        first,
        frontier,
        checkpoint: note.to_string(),
    };
    let mut change = state.begin().await?;
    store::insert(&mut change, &close, &batches, now).await?;
    let detail = [
        ("month", request.month.to_string()),
        ("version", version.to_string()),
    ];
    state::append(&mut change, now, "close", close.digest(), &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    let settlements = batches.iter();
    Ok(Closed {
        month: request.month,
        version,
        again: false,
        settlements: settlements
            .map(|batch| (batch.header.payer.clone(), batch.settlements))
            .collect(),
        passed_over: listed.passed_over,
        refused: listed.refused,
        compared,
        checkpoint: close.checkpoint,
    })
}

/// One batch a payer.
fn seal(
    listed: &Listed,
    (request, version): (&Request, u32),
    hospital: &Slug,
    seed: &AuditSeed,
    progress: &dyn Fn(usize, usize),
) -> Result<Vec<Batch>, CloseError> {
    let most = listed.by_payer.values().map(Vec::len).sum();
    let mut done = 0;
    let mut batches = Vec::new();
    for (payer, settlements) in &listed.by_payer {
        let of = build::Of {
            hospital,
            payer,
            month: request.month,
            version,
            nonce: request.nonces.get(payer).copied(),
            seed,
        };
        let heard = &mut |sealed| progress(done + sealed, most);
        batches.push(Batch::build(&of, settlements, heard)?);
        done += settlements.len();
    }
    Ok(batches)
}

async fn same(state: &State, close: &Close) -> Result<Closed, CloseError> {
    let batches = store::batches(state.pool()).await?.into_iter();
    let own = batches.filter(|batch| (batch.month, batch.version) == (close.month, close.version));
    Ok(Closed {
        month: close.month,
        version: close.version,
        again: true,
        settlements: own.map(|batch| (batch.payer, batch.settlements)).collect(),
        passed_over: 0,
        refused: Vec::new(),
        compared: None,
        checkpoint: close.checkpoint.clone(),
    })
}

/// By what a list is recognised: file, mapping and nonces. It stays in the state file.
fn identity(request: &Request) -> Result<String, CloseError> {
    let mut hasher = blake3::Hasher::new();
    let mapping = format!("{:?} {:?}", request.mapping, request.nonces);
    for part in [&source::digest(&request.file)?, &mapping] {
        hasher.update(&part.len().to_le_bytes());
        hasher.update(part.as_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// The folder of the settlement log.
fn folder(data: &Path) -> PathBuf {
    data.join("settlements")
}
