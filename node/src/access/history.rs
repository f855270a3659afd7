//! The policies that two officers signed, in order: which of them is in force.

use policies::access::Signed;
use schemas::request::SKEW;
use schemas::time::Timestamp;
use sqlx::{Row as _, Sqlite};

use super::AccessError;
use crate::store::state::{Change, State, StateError};

/// All of them, oldest first.
pub(super) async fn signed<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
) -> Result<Vec<Signed>, StateError> {
    let rows = sqlx::query("select signed from policies order by position")
        .fetch_all(source)
        .await?;
    let texts = rows.iter().map(|row| row.try_get::<String, _>(0));
    texts
        .map(|text| serde_json::from_str(&text?).map_err(|_| StateError::Range))
        .collect()
}

/// Keeps a policy as the `position`-th, from 1.
pub(super) async fn keep(
    change: &mut Change,
    position: usize,
    signed: &Signed,
) -> Result<(), StateError> {
    sqlx::query("insert into policies (position, signed) values ($1, $2)")
        .bind(i64::try_from(position).map_err(|_| StateError::Range)?)
        .bind(serde_json::to_string(signed).map_err(|_| StateError::Range)?)
        .execute(&mut **change)
        .await?;
    Ok(())
}

/// The clock's time, if it does not run behind the time on which node and coordinator agreed.
pub(super) async fn not_behind(state: &State, now: Timestamp) -> Result<(), AccessError> {
    let agreed = state.agreed().await?;
    let behind = agreed.map_or(0, |agreed| agreed.0.saturating_sub(now.0));
    if behind > SKEW {
        return Err(AccessError::Clock(behind));
    }
    Ok(())
}

/// The time by which a waiting policy is judged: the clock's, but once the node has joined no later
/// than what it agreed on with the coordinator, so that a clock set forward shortens nothing.
pub(super) async fn believed(state: &State, now: Timestamp) -> Result<Timestamp, StateError> {
    let agreed = state.agreed().await?;
    Ok(agreed.map_or(now, |agreed| {
        now.min(Timestamp(agreed.0.saturating_add(SKEW)))
    }))
}
