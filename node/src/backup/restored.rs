//! States that were put back: each waits for an officer before anything is answered.

use backups::List;
use schemas::id::Slug;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::KeepError;
use crate::store::state::{State, StateError, append};

/// A backup that was put back and that no officer has acknowledged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// Digest of the backup's list.
    pub backup: String,
    /// When the backup was taken.
    pub taken: Timestamp,
    /// Entries of the log that it held.
    pub entries: u64,
    /// When it was put back.
    pub at: Timestamp,
}

/// Marks a state as put back, in its log too.
pub(super) async fn mark(state: &State, list: &List, at: Timestamp) -> Result<(), KeepError> {
    let entries = i64::try_from(list.entries).map_err(|_| StateError::Range)?;
    let mut change = state.begin().await?;
    sqlx::query(
        "insert into restores (position, backup, taken, entries, at) \
         select coalesce(max(position), 0) + 1, $1, $2, $3, $4 from restores",
    )
    .bind(list.digest().to_string())
    .bind(list.at.0)
    .bind(entries)
    .bind(at.0)
    .execute(&mut *change)
    .await?;
    let detail = [
        ("entries", list.entries.to_string()),
        ("head", list.head.to_string()),
    ];
    append(&mut change, at, "restore", list.digest(), &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(())
}

/// What was put back last and waits for an officer.
pub async fn waiting(state: &State) -> Result<Option<Waiting>, KeepError> {
    let row = sqlx::query(
        "select backup, taken, entries, at from restores where acknowledged is null \
         order by position desc limit 1",
    )
    .fetch_optional(state.pool())
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    Ok(Some(Waiting {
        backup: row.try_get(0)?,
        taken: Timestamp(row.try_get(1)?),
        entries: u64::try_from(row.try_get::<i64, _>(2)?).map_err(|_| StateError::Range)?,
        at: Timestamp(row.try_get(3)?),
    }))
}

/// An officer takes it upon himself that nothing was charged that the state does not know: from now on it
/// answers again, unless the coordinator has seen more of the log.
pub async fn acknowledge(state: &State, officer: &Slug, at: Timestamp) -> Result<(), KeepError> {
    let waiting = waiting(state).await?.ok_or(KeepError::Nothing)?;
    let subject = waiting.backup.parse().map_err(|_| StateError::Range)?;
    let mut change = state.begin().await?;
    sqlx::query("update restores set acknowledged = $1 where acknowledged is null")
        .bind(at.0)
        .execute(&mut *change)
        .await?;
    let detail = [("officer", officer.to_string())];
    append(&mut change, at, "restore-acknowledged", subject, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(())
}
