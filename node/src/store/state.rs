//! The node's state file: ledger, answers, snapshots and log in one SQLite database, so that a
//! change and its log entry are one transaction.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use proofs::tree;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::entry::Entry;
use schemas::id::Slug;
use schemas::time::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Row as _, Sqlite, SqlitePool, Transaction};

use super::versions::{self, VersionError};
use crate::clock::Clock;

/// The state file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The database refused.
    #[error("the state file could not be read or written")]
    Database(#[from] sqlx::Error),
    /// An entry has no canonical form, or a stored one cannot be read.
    #[error("a log entry is damaged")]
    Entry(#[from] canonical::Error),
    /// A number outside its range.
    #[error("a number in the state file is out of range")]
    Range,
    /// A name in the state file or the code is not a plain name.
    #[error("a name in the state file is not a plain name")]
    Name,
    /// A sealed watermark does not open: its key is another one.
    #[error(
        "how far a view was read does not open under this node's `view.key`: load it once with --whole"
    )]
    Mark,
    /// Kept by a build that this one cannot follow.
    #[error(transparent)]
    Version(#[from] VersionError),
}

/// The open state file.
#[derive(Clone, Debug)]
pub struct State {
    pool: SqlitePool,
}

/// A change under way; dropped without commit it never happened.
pub type Change = Transaction<'static, Sqlite>;

impl State {
    /// Opens or creates `state.sqlite` in the folder; one of an earlier build is carried forward, one of a
    /// later build is refused.
    pub async fn open(folder: &Path) -> Result<Self, StateError> {
        let options = SqliteConnectOptions::new()
            .filename(folder.join("state.sqlite"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // What is deleted or replaced does not stay behind in free pages.
            .pragma("secure_delete", "on")
            // KiB that each connection keeps of the file; the system keeps it all the same.
            .pragma("cache_size", "-512")
            .busy_timeout(Duration::from_secs(30))
            // A slow machine's log would hold whole statements.
            .disable_statement_logging();
        // A file's connections need no care, and sqlx's task for it can keep an ending program busy for ever.
        let pool = SqlitePoolOptions::new()
            .idle_timeout(None)
            .max_lifetime(None)
            .max_connections(4)
            .connect_with(options)
            .await?;
        versions::bring(&pool, Clock::System.now()).await?;
        Ok(Self { pool })
    }

    /// For reading.
    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// Begins a change and takes the write lock at once, so that what it reads stays true.
    pub async fn begin(&self) -> Result<Change, StateError> {
        Ok(self.pool.begin_with("begin immediate").await?)
    }

    /// Lets what was deleted leave the files too: until then overwritten pages wait in the log of the database,
    /// and the old ones stand in its file. Another process that reads at this moment holds it up for up to 30
    /// seconds; `false` where it still does.
    pub async fn settle(&self) -> Result<bool, StateError> {
        let row = sqlx::query("pragma wal_checkpoint(truncate)")
            .fetch_one(&self.pool)
            .await?;
        Ok(row.try_get::<i64, _>(0)? == 0)
    }

    /// The highest time on which node and coordinator agreed; none before they first did.
    pub async fn agreed(&self) -> Result<Option<Timestamp>, StateError> {
        let row = sqlx::query("select highest from clock where id = 1")
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| row.try_get(0).map(Timestamp)).transpose()?)
    }

    /// Digest of the last log entry; zero before the first.
    pub async fn log_head(&self) -> Result<Digest, StateError> {
        let row = sqlx::query("select digest from log order by sequence desc limit 1")
            .fetch_optional(&self.pool)
            .await?;
        match row {
            Some(row) => row
                .try_get::<String, _>(0)?
                .parse()
                .map_err(|_| StateError::Range),
            None => Ok(Digest::ZERO),
        }
    }

    /// All log entries, oldest first.
    pub async fn log(&self) -> Result<Vec<Entry>, StateError> {
        let rows = sqlx::query("select entry from log order by sequence")
            .fetch_all(&self.pool)
            .await?;
        let texts = rows.iter().map(|row| row.try_get::<String, _>(0));
        texts
            .map(|text| Ok(canonical::from_bytes(text?.as_bytes())?))
            .collect()
    }
}

/// Appends to the log inside a change. `detail` holds names, digests and losses only.
pub async fn append(
    change: &mut Change,
    at: Timestamp,
    kind: &str,
    subject: Digest,
    detail: &[(&str, String)],
) -> Result<(), StateError> {
    let last = sqlx::query("select sequence, digest from log order by sequence desc limit 1")
        .fetch_optional(&mut **change)
        .await?;
    let (before, previous) = match last {
        Some(row) => {
            let digest: String = row.try_get(1)?;
            (
                row.try_get::<i64, _>(0)?,
                digest.parse().map_err(|_| StateError::Range)?,
            )
        }
        None => (0, Digest::ZERO),
    };
    let sequence = before.checked_add(1).ok_or(StateError::Range)?;
    let detail: Result<BTreeMap<Slug, String>, _> = detail
        .iter()
        .map(|(name, value)| Ok((name.parse()?, value.clone())))
        .collect();
    let entry = Entry {
        sequence: u64::try_from(sequence).map_err(|_| StateError::Range)?,
        previous,
        at,
        kind: kind.parse().map_err(|_| StateError::Name)?,
        subject,
        detail: detail.map_err(|_: schemas::id::NotASlug| StateError::Name)?,
    };
    let bytes = canonical::to_bytes(&entry)?;
    let leaf = tree::leaf_hash(&bytes);
    let text = String::from_utf8(bytes).map_err(|_| StateError::Range)?;
    sqlx::query("insert into log (sequence, digest, leaf, entry) values ($1, $2, $3, $4)")
        .bind(sequence)
        .bind(entry.digest()?.to_string())
        .bind(leaf.to_string())
        .bind(text)
        .execute(&mut **change)
        .await?;
    Ok(())
}
