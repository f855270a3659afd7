//! What was tried and came to nothing before it could be a question: kept in the log, once a
//! message.

use schemas::digest::Digest;
use schemas::time::Timestamp;

use super::StewardError;
use crate::store::state::{State, append};

/// More different messages than this in a day are not written down one by one.
const MOST_A_DAY: i64 = 1000;

/// Writes down an attempt.
pub async fn alarm(
    state: &State,
    message: Digest,
    kind: &'static str,
    at: Timestamp,
) -> Result<(), StewardError> {
    let known = sqlx::query("select 1 from alarms where message = $1")
        .bind(message.to_string())
        .fetch_optional(state.pool())
        .await?;
    if known.is_some() {
        return Ok(());
    }
    let mut change = state.begin().await?;
    let written = sqlx::query(
        "insert into alarms (message, kind, at) select $1, $2, $3 \
         where (select count(*) from alarms where at > $3 - 86400) < $4 on conflict do nothing",
    )
    .bind(message.to_string())
    .bind(kind)
    .bind(at.0)
    .bind(MOST_A_DAY)
    .execute(&mut *change)
    .await?;
    if written.rows_affected() == 1 {
        let detail = [("what", kind.to_owned())];
        append(&mut change, at, "alarm", message, &detail).await?;
        change.commit().await?;
    }
    Ok(())
}

/// Writes down why a round is declined: names of rules and policies. The asker is told the typed
/// reason; whoever is given an export of the log reads this too.
pub async fn declined(
    state: &State,
    round: Digest,
    why: &str,
    at: Timestamp,
) -> Result<(), StewardError> {
    let mut change = state.begin().await?;
    let detail = [("why", why.to_owned())];
    append(&mut change, at, "decline", round, &detail).await?;
    Ok(change.commit().await?)
}
