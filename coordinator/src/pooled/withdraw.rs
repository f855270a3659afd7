//! Taking a round back before anything of it can be certified. It closes to uploads at once and goes
//! the way of every dead round: its seats void it once its uploads' time is over by their own clocks,
//! and hospitals take back what it cost them.
//!
//! One outcome a round is held by the seats' ballots, not here. A round is not withdrawn once seats
//! are asked to vote, since those that voted for its set will not void it: it would then have neither
//! a sum nor a credit.

use schemas::time::Timestamp;

use super::{Held, PooledError, advance};
use crate::store::state::{State, StateError, append};

/// What a withdrawn round died of.
pub const WITHDRAWN: &str = "withdrawn by the alliance";

/// Withdraws a round.
pub async fn withdraw(state: &State, held: &Held, now: Timestamp) -> Result<(), PooledError> {
    let id = &held.asked.id;
    // The write lock is held from here on: no word comes in between.
    let mut change = state.begin().await?;
    let stands: String = sqlx::query_scalar("select state from pooled_rounds where id = $1")
        .bind(id.as_str())
        .fetch_one(&mut *change)
        .await?;
    match stands.as_str() {
        "open" => {}
        "proposed" if !advance::proposed(state, held).await?.votable(held) => {}
        _ => return Err(PooledError::NotWithdrawn(id.clone(), stands)),
    }
    sqlx::query("update pooled_rounds set state = 'dead', why = $1, ended = $2 where id = $3")
        .bind(WITHDRAWN)
        .bind(now.0)
        .bind(id.as_str())
        .execute(&mut *change)
        .await?;
    let detail = [("round", id.to_string()), ("why", WITHDRAWN.to_owned())];
    append(&mut change, now, "pooled-end", *held.round.hash(), &detail).await?;
    Ok(change.commit().await.map_err(StateError::from)?)
}
