//! Whether rounds are answered at all.

use schemas::digest::Digest;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::{Acting, StewardError};
use crate::store::state::{Change, State, append};

/// The last lock or unlock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lock {
    /// Whether rounds are declined.
    pub locked: bool,
    /// The officer, or `policy`.
    pub who: String,
    /// Since when.
    pub at: Timestamp,
}

const LAST: &str = "select locked, who, at from locks order by position desc limit 1";

/// How it stands; `None` where it was never locked.
pub async fn locked(state: &State) -> Result<Option<Lock>, StewardError> {
    last(state.pool()).await
}

/// The same inside a change.
pub(crate) async fn last<'e>(
    source: impl sqlx::Executor<'e, Database = sqlx::Sqlite>,
) -> Result<Option<Lock>, StewardError> {
    let row = sqlx::query(LAST).fetch_optional(source).await?;
    let Some(row) = row else {
        return Ok(None);
    };
    Ok(Some(Lock {
        locked: row.try_get::<i64, _>(0)? != 0,
        who: row.try_get(1)?,
        at: Timestamp(row.try_get(2)?),
    }))
}

/// Locks: every round is declined from now on.
pub async fn lock(state: &State, by: Acting<'_>) -> Result<(), StewardError> {
    by.check()?;
    let mut change = state.begin().await?;
    set(&mut change, true, by.name.as_str(), by.at).await?;
    Ok(change.commit().await?)
}

/// Unlocks; what was counted before counts no more.
pub async fn unlock(state: &State, by: Acting<'_>) -> Result<(), StewardError> {
    by.check()?;
    let mut change = state.begin().await?;
    set(&mut change, false, by.name.as_str(), by.at).await?;
    Ok(change.commit().await?)
}

pub(super) async fn set(
    change: &mut Change,
    locked: bool,
    who: &str,
    at: Timestamp,
) -> Result<(), StewardError> {
    sqlx::query(
        "insert into locks (position, locked, who, at) \
         select coalesce(max(position), 0) + 1, $1, $2, $3 from locks",
    )
    .bind(i64::from(locked))
    .bind(who)
    .bind(at.0)
    .execute(&mut **change)
    .await?;
    let kind = if locked { "lock" } else { "unlock" };
    let detail = [("who", who.to_owned())];
    Ok(append(change, at, kind, Digest::ZERO, &detail).await?)
}
