//! The coordinator's state file: members, codes, dictionaries, rounds, replies and log in one
//! database file, so that a change and its log entry are one transaction.

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
    /// Kept by a build that this one cannot follow.
    #[error(transparent)]
    Version(#[from] VersionError),
}

impl StateError {
    /// Whether the state file was in use for too long: nothing was done, and it may be tried again.
    pub fn is_busy(error: &sqlx::Error) -> bool {
        match error {
            sqlx::Error::PoolTimedOut => true,
            // SQLITE_BUSY and SQLITE_LOCKED, with whatever in their higher bits.
            sqlx::Error::Database(error) => {
                let code = error.code().and_then(|code| code.parse::<u32>().ok());
                code.is_some_and(|code| matches!(code & 0xff, 5 | 6))
            }
            _ => false,
        }
    }
}

/// The open state file.
#[derive(Clone, Debug)]
pub struct State {
    readers: SqlitePool,
    /// One connection. SQLite has one writer at a time: the others queue here in their order, and
    /// hold no connection that somebody could read with while they wait for the lock.
    writer: SqlitePool,
}

/// Connections that read at a time.
const READERS: u32 = 8;

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
            // KiB that each connection keeps of the file; the system keeps it all the same.
            .pragma("cache_size", "-512")
            .busy_timeout(Duration::from_secs(30))
            // A slow machine's log would hold whole statements.
            .disable_statement_logging();
        // A file's connections need no care, and sqlx's task for it can keep an ending program busy for ever.
        let writer = SqlitePoolOptions::new()
            .idle_timeout(None)
            .max_lifetime(None)
            .max_connections(1)
            .connect_with(options.clone())
            .await?;
        versions::bring(&writer, Clock::System.now()).await?;
        let readers = SqlitePoolOptions::new()
            .idle_timeout(None)
            .max_lifetime(None)
            .max_connections(READERS)
            .connect_with(options)
            .await?;
        Ok(Self { readers, writer })
    }

    /// For reading.
    pub fn pool(&self) -> &SqlitePool {
        &self.readers
    }

    /// Begins a change and takes the write lock at once, so that what it reads stays true.
    pub async fn begin(&self) -> Result<Change, StateError> {
        Ok(self.writer.begin_with("begin immediate").await?)
    }

    /// Digest of the last log entry; zero before the first.
    pub async fn log_head(&self) -> Result<Digest, StateError> {
        let row = sqlx::query("select digest from log order by sequence desc limit 1")
            .fetch_optional(&self.readers)
            .await?;
        match row {
            Some(row) => row
                .try_get::<String, _>(0)?
                .parse()
                .map_err(|_| StateError::Range),
            None => Ok(Digest::ZERO),
        }
    }

    /// Number of the last log entry; 0 before the first. It rises with every change.
    pub async fn log_length(&self) -> Result<i64, StateError> {
        let row = sqlx::query("select coalesce(max(sequence), 0) from log")
            .fetch_one(&self.readers)
            .await?;
        Ok(row.try_get(0)?)
    }

    /// All log entries, oldest first.
    pub async fn log(&self) -> Result<Vec<Entry>, StateError> {
        let rows = sqlx::query("select entry from log order by sequence")
            .fetch_all(&self.readers)
            .await?;
        let texts = rows.iter().map(|row| row.try_get::<String, _>(0));
        texts
            .map(|text| Ok(canonical::from_bytes(text?.as_bytes())?))
            .collect()
    }
}

/// Appends to the log inside a change. `detail` holds names and digests only.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Changes that wait for their turn leave connections to read with.
    #[tokio::test]
    async fn reading_goes_on_while_many_changes_wait() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path()).await.unwrap();
        let first = state.begin().await.unwrap();
        let mut waiting = Vec::new();
        for _ in 0..20 {
            let state = state.clone();
            waiting.push(tokio::spawn(async move {
                let change = state.begin().await.unwrap();
                change.commit().await.unwrap();
            }));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        let read = tokio::time::timeout(Duration::from_secs(10), state.log_length());
        assert_eq!(read.await.expect("nobody could read").unwrap(), 0);
        first.commit().await.unwrap();
        for one in waiting {
            one.await.unwrap();
        }
    }
}
