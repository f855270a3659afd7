//! Receipts: that an entry stands in the log at a checkpoint that others cosigned.

use proofs::checkpoint;
use proofs::history::{QUORUM, Receipt};
use proofs::note::Note;
use schemas::canonical;
use schemas::digest::Digest;
use sqlx::Row as _;

use super::{Keeper, Leaves, LogError, whole};
use crate::store::state::{State, StateError};

/// The receipt of an entry, at the oldest witnessed checkpoint that counts it; `None` before there
/// is one. Numbers are from 1.
pub async fn prove(keeper: &Keeper<'_>, sequence: u64) -> Result<Option<Receipt>, LogError> {
    let Some(index) = sequence.checked_sub(1) else {
        return Ok(None);
    };
    let origin = keeper.origin().await?;
    let keys = keeper.keys(&origin).await?;
    let notes =
        sqlx::query("select note from checkpoints where origin = $1 and size >= $2 order by size")
            .bind(&origin)
            .bind(whole(sequence)?)
            .fetch_all(keeper.state.pool())
            .await?;
    for row in &notes {
        let note = Note::parse(row.try_get::<String, _>(0)?.as_bytes())?;
        let accepted = checkpoint::accept(&note, &keys.log, &keys.witnesses, QUORUM);
        let Ok(witnessed) = accepted else { continue };
        let mut leaves = Leaves::default();
        let tree = leaves.follow(keeper.state).await?;
        let entry: String = sqlx::query_scalar("select entry from log where sequence = $1")
            .bind(whole(sequence)?)
            .fetch_one(keeper.state.pool())
            .await?;
        return Ok(Some(Receipt {
            entry: canonical::from_bytes(entry.as_bytes()).map_err(StateError::from)?,
            path: tree.inclusion(index, witnessed.checkpoint.size)?,
            checkpoint: note.to_string(),
        }));
    }
    Ok(None)
}

/// The number of the entry of a kind about a subject, if it was written.
pub async fn entry_about(
    state: &State,
    kind: &str,
    subject: &Digest,
) -> Result<Option<u64>, LogError> {
    let found: Option<i64> = sqlx::query_scalar(
        "select sequence from log where json_extract(entry, '$.kind') = $1 \
         and json_extract(entry, '$.subject') = $2 order by sequence limit 1",
    )
    .bind(kind)
    .bind(subject.to_string())
    .fetch_optional(state.pool())
    .await?;
    let found = found.map(u64::try_from).transpose();
    Ok(found.map_err(|_| StateError::Range)?)
}
