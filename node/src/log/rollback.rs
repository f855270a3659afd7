//! That the state file is older than what the node itself signed: an old backup was put back.

use proofs::checkpoint::Checkpoint;
use proofs::note::Note;
use proofs::tree;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::{LogError, whole};
use crate::store::state::{State, append};

/// A checkpoint of the own log that the state file does not continue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lost {
    /// What this node signed.
    pub checkpoint: Checkpoint,
    /// The note with its signatures.
    pub note: String,
}

/// Remembers a rollback and writes it into the log, once.
pub(super) async fn remember(
    state: &State,
    seen: &Checkpoint,
    note: &Note,
    now: Timestamp,
) -> Result<(), LogError> {
    let mut change = state.begin().await?;
    // A larger one of the same log replaces what was seen of it before.
    sqlx::query("delete from rollbacks where origin = $1 and size < $2 and burned is null")
        .bind(&seen.origin)
        .bind(whole(seen.size)?)
        .execute(&mut *change)
        .await?;
    let inserted = sqlx::query(
        "insert into rollbacks (origin, size, note, at) values ($1, $2, $3, $4) \
         on conflict do nothing",
    )
    .bind(&seen.origin)
    .bind(whole(seen.size)?)
    .bind(note.to_string())
    .bind(now.0)
    .execute(&mut *change)
    .await?;
    if inserted.rows_affected() == 1 {
        let subject = tree::leaf_hash(note.text().as_bytes());
        let detail = [
            ("size", seen.size.to_string()),
            ("root", seen.root.to_string()),
        ];
        append(&mut change, now, "rollback", subject, &detail).await?;
        change.commit().await?;
    }
    Ok(())
}

/// The rollback that waits to be burned, if there is one.
pub async fn lost(state: &State) -> Result<Option<Lost>, LogError> {
    let row =
        sqlx::query("select note from rollbacks where burned is null order by size desc limit 1")
            .fetch_optional(state.pool())
            .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let note: String = row.try_get(0)?;
    let checkpoint = Checkpoint::parse(Note::parse(note.as_bytes())?.text())?;
    Ok(Some(Lost { checkpoint, note }))
}

/// Names of this log that were given up by burning.
pub async fn burned(state: &State) -> Result<Vec<String>, LogError> {
    let names =
        sqlx::query_scalar("select distinct origin from rollbacks where burned is not null")
            .fetch_all(state.pool())
            .await?;
    Ok(names)
}
