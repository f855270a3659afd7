//! The tables `closes` and `close_batches`.

use proofs::book;
use proofs::commit::{Blinding, Opening};
use proofs::tree::Frontier;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::{Month, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite};

use super::build::Batch;
use crate::store::state::{Change, StateError};

/// One close of a month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Close {
    /// The month.
    pub month: Month,
    /// 1 for the first.
    pub version: u32,
    /// By what its list is recognised.
    pub list: String,
    /// Number of its first entry in the log.
    pub first: u64,
    /// The log after it.
    pub frontier: Frontier,
    /// The signed note.
    pub checkpoint: String,
}

impl Close {
    /// The text of the checkpoint, without signatures.
    pub fn text(&self) -> String {
        let text = self.checkpoint.split("\n\n").next();
        format!("{}\n", text.unwrap_or_default())
    }

    /// By what the node's log and the officers' approvals name the checkpoint.
    pub fn digest(&self) -> Digest {
        book::checkpoint_digest(&self.text())
    }
}

/// One payer's batch of a close.
#[derive(Clone, Debug)]
pub struct StoredBatch {
    /// The month.
    pub month: Month,
    /// The close.
    pub version: u32,
    /// Who paid.
    pub payer: Slug,
    /// Number of its header in the log.
    pub first: u64,
    /// Leaves, padding included.
    pub leaves: u64,
    /// Settlements: the hospital's own count.
    pub settlements: u64,
    /// What the header's total opens to.
    pub total: Opening,
    /// What the payer committed its nonce to.
    pub nonce: Option<Digest>,
}

/// All closes in the order of the log.
pub async fn closes<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
) -> Result<Vec<Close>, StateError> {
    let sql = "select month, version, list, first, frontier, checkpoint from closes order by first";
    let rows = sqlx::query(sql).fetch_all(source).await?;
    rows.iter().map(close).collect()
}

/// All batches in the order of the log.
pub async fn batches<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
) -> Result<Vec<StoredBatch>, StateError> {
    let sql = "select month, version, payer, first, leaves, settlements, amount, blinding, nonce \
               from close_batches order by first";
    let rows = sqlx::query(sql).fetch_all(source).await?;
    rows.iter().map(batch).collect()
}

/// The log after its last close.
pub(super) fn frontier(closes: &[Close]) -> Frontier {
    closes
        .last()
        .map(|close| close.frontier.clone())
        .unwrap_or_default()
}

pub(super) async fn insert(
    change: &mut Change,
    close: &Close,
    batches: &[Batch],
    at: Timestamp,
) -> Result<(), StateError> {
    let frontier = serde_json::to_string(&close.frontier).map_err(|_| StateError::Range)?;
    sqlx::query(
        "insert into closes (month, version, list, first, frontier, checkpoint, at) \
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(close.month.to_string())
    .bind(i64::from(close.version))
    .bind(&close.list)
    .bind(signed(close.first)?)
    .bind(frontier)
    .bind(&close.checkpoint)
    .bind(at.0)
    .execute(&mut **change)
    .await?;
    let mut first = close.first;
    for batch in batches {
        let blinding = Digest::from_bytes(*batch.total.blinding.to_bytes());
        sqlx::query(
            "insert into close_batches (month, version, payer, first, leaves, settlements, \
             amount, blinding, nonce) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(close.month.to_string())
        .bind(i64::from(close.version))
        .bind(batch.header.payer.to_string())
        .bind(signed(first)?)
        .bind(i64::from(batch.header.leaves))
        .bind(signed(batch.settlements)?)
        .bind(batch.total.amount.to_string())
        .bind(blinding.to_string())
        .bind(batch.header.nonce.map(|nonce| nonce.to_string()))
        .execute(&mut **change)
        .await?;
        first += 1 + u64::from(batch.header.leaves);
    }
    Ok(())
}

fn signed(value: u64) -> Result<i64, StateError> {
    i64::try_from(value).map_err(|_| StateError::Range)
}

fn unsigned(row: &SqliteRow, column: usize) -> Result<u64, StateError> {
    u64::try_from(row.try_get::<i64, _>(column)?).map_err(|_| StateError::Range)
}

fn named<T: std::str::FromStr>(row: &SqliteRow, column: usize) -> Result<T, StateError> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|_| StateError::Range)
}

fn close(row: &SqliteRow) -> Result<Close, StateError> {
    let frontier: String = row.try_get(4)?;
    Ok(Close {
        month: named(row, 0)?,
        version: u32::try_from(unsigned(row, 1)?).map_err(|_| StateError::Range)?,
        list: row.try_get(2)?,
        first: unsigned(row, 3)?,
        frontier: serde_json::from_str(&frontier).map_err(|_| StateError::Range)?,
        checkpoint: row.try_get(5)?,
    })
}

fn batch(row: &SqliteRow) -> Result<StoredBatch, StateError> {
    let blinding: Digest = named(row, 7)?;
    let blinding = Blinding::from_bytes(*blinding.as_bytes()).map_err(|_| StateError::Range)?;
    let nonce: Option<String> = row.try_get(8)?;
    let nonce = nonce.map(|nonce| nonce.parse()).transpose();
    Ok(StoredBatch {
        month: named(row, 0)?,
        version: u32::try_from(unsigned(row, 1)?).map_err(|_| StateError::Range)?,
        payer: named(row, 2)?,
        first: unsigned(row, 3)?,
        leaves: unsigned(row, 4)?,
        settlements: unsigned(row, 5)?,
        total: Opening {
            amount: named(row, 6)?,
            blinding,
        },
        nonce: nonce.map_err(|_| StateError::Range)?,
    })
}
