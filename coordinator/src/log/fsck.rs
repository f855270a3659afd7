//! Whether the live state file agrees with itself: chain, tree, checkpoints; replies, rounds and
//! dictionaries. What only outsiders can know is `log verify`'s.

use std::collections::BTreeSet;

use policies::access::Told;
use proofs::stored::Stored;
use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::entry::Entry;
use schemas::round::{Reply, Round};
use schemas::seal::{Message, PublicKey, Sealed};
use sqlx::Row as _;

use super::{LogError, people};
use crate::register;
use crate::store::state::State;

/// Entries that are read at once.
const PAGE: i64 = 5000;

/// What was found sound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tally {
    /// Number of entries.
    pub entries: u64,
    /// Digest of the last entry.
    pub head: Digest,
    /// Root of the tree over them.
    pub root: Digest,
    /// Stored replies, each with its entry.
    pub replies: usize,
}

/// The first thing that does not agree.
#[derive(Debug, thiserror::Error)]
pub enum FsckError {
    /// The file cannot be read.
    #[error("the state file cannot be read: put the newest backup back")]
    Unreadable(#[from] LogError),
    /// The database says that it is damaged.
    #[error("the database is damaged: put the newest backup back")]
    Database,
    /// An entry of the log.
    #[error("log entry {entry}: {fault}; put the newest backup back")]
    Entry {
        /// Which.
        entry: i64,
        /// What is wrong.
        fault: &'static str,
    },
    /// A row of another table.
    #[error("{table}: {fault}; put the newest backup back")]
    Row {
        /// Which table.
        table: &'static str,
        /// What is wrong.
        fault: &'static str,
    },
}

impl From<sqlx::Error> for FsckError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unreadable(error.into())
    }
}

pub(super) fn row(table: &'static str, fault: &'static str) -> FsckError {
    FsckError::Row { table, fault }
}

/// Checks chain, tree and own checkpoints, which every start does; `visit` sees each entry.
pub async fn chain(
    state: &State,
    key: &PublicKey,
    mut visit: impl FnMut(&Entry) -> Result<(), FsckError>,
) -> Result<Tally, FsckError> {
    let mut stored = Stored::default();
    let mut last = 0_i64;
    loop {
        // One text a page: a row at a time would take most of a start.
        let select = "select string_agg(line, $3 order by sequence) from (\
                      select sequence, sequence || ' ' || digest || ' ' || leaf || ' ' || entry \
                      as line from log where sequence > $1 order by sequence limit $2) as page";
        let page = sqlx::query_scalar(select).bind(last).bind(PAGE).bind("\n");
        let page: Option<String> = page.fetch_one(state.pool()).await?;
        let Some(page) = page else {
            break;
        };
        for line in page.split('\n') {
            last = last.saturating_add(1);
            let fault = |fault| FsckError::Entry { entry: last, fault };
            visit(&stored.take(line).map_err(fault)?)?;
        }
    }
    // A number below 1 stands before everything that was read.
    let count: i64 = sqlx::query_scalar("select count(*) from log")
        .fetch_one(state.pool())
        .await?;
    if count != last {
        return Err(FsckError::Entry {
            entry: 0,
            fault: "entries stand outside the order",
        });
    }
    let select = "select origin, size, note from checkpoints \
                  where organisation = 'coordinator'";
    for found in sqlx::query(select).fetch_all(state.pool()).await? {
        let (origin, size): (String, i64) = (found.try_get(0)?, found.try_get(1)?);
        let note: String = found.try_get(2)?;
        let signed = stored.signed((&origin, size), &note, key);
        signed.map_err(|fault| row("checkpoints", fault))?;
    }
    Ok(Tally {
        entries: stored.size(),
        head: stored.head(),
        root: stored.root().map_err(LogError::from)?,
        replies: 0,
    })
}

/// What the log says that other tables must hold: digests by what they are about.
#[derive(Default)]
struct Said {
    replies: BTreeSet<String>,
    rounds: BTreeSet<String>,
    dictionaries: BTreeSet<String>,
}

impl Said {
    fn hear(&mut self, entry: &Entry) {
        let about = match entry.kind.as_str() {
            "reply" => &mut self.replies,
            "round" => &mut self.rounds,
            "dictionary" => &mut self.dictionaries,
            _ => return,
        };
        about.insert(entry.subject.to_string());
    }
}

/// Checks the whole state file: what the log says against every table that it speaks of. `key` is
/// the alliance's.
pub async fn fsck(state: &State, key: &PublicKey) -> Result<Tally, FsckError> {
    let sound: String = sqlx::query_scalar("pragma integrity_check")
        .fetch_one(state.pool())
        .await?;
    if sound != "ok" {
        return Err(FsckError::Database);
    }
    let mut said = Said::default();
    let mut told = Told::default();
    let tally = chain(state, key, |entry| {
        people::hear(&mut told, entry);
        said.hear(entry);
        Ok(())
    })
    .await?;
    people::agree(state, &told).await?;
    let replies = replies(state, &said).await?;
    let rounds = sealed::<Round>(state, "rounds", key, &said.rounds);
    rounds.await?;
    sealed::<Dictionary>(state, "dictionaries", key, &said.dictionaries).await?;
    Ok(Tally { replies, ..tally })
}

/// Replies, each by the key that it was taken with.
async fn replies(state: &State, said: &Said) -> Result<usize, FsckError> {
    let damaged = || row("replies", "a reply is not the one in the log");
    let select = "select hospital, sealed, message_key from replies";
    let rows = sqlx::query(select).fetch_all(state.pool()).await?;
    for found in &rows {
        let (hospital, text): (String, String) = (found.try_get(0)?, found.try_get(1)?);
        let key = register::key(&found.try_get::<String, _>(2)?).map_err(|_| damaged())?;
        let reply: Sealed<Reply> = serde_json::from_str(&text).map_err(|_| damaged())?;
        let said_by = reply.open(&key).map_err(|_| damaged())?.hospital;
        let digest = reply.digest().map_err(|_| damaged())?.to_string();
        if said_by.as_str() != hospital || !said.replies.contains(&digest) {
            return Err(damaged());
        }
    }
    counted(rows.len(), said.replies.len(), damaged)
}

/// What the alliance signed, by the digest that the log names.
async fn sealed<T: Message>(
    state: &State,
    table: &'static str,
    key: &PublicKey,
    said: &BTreeSet<String>,
) -> Result<(), FsckError> {
    let damaged = || row(table, "what the alliance signed is not what the log names");
    let select = format!("select digest, sealed from {table}");
    let rows = sqlx::query(sqlx::AssertSqlSafe(select)).fetch_all(state.pool());
    let rows = rows.await?;
    for found in &rows {
        let (named, text): (String, String) = (found.try_get(0)?, found.try_get(1)?);
        let sealed: Sealed<T> = serde_json::from_str(&text).map_err(|_| damaged())?;
        sealed.open(key).map_err(|_| damaged())?;
        let digest = sealed.digest().map_err(|_| damaged())?.to_string();
        if digest != named || !said.contains(&digest) {
            return Err(damaged());
        }
    }
    counted(rows.len(), said.len(), damaged).map(drop)
}

fn counted(there: usize, said: usize, damaged: impl Fn() -> FsckError) -> Result<usize, FsckError> {
    if there == said {
        Ok(there)
    } else {
        Err(damaged())
    }
}
