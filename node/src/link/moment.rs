//! The highest time on which node and coordinator agreed, kept in the state file. A clock that runs
//! behind it could revive what has ended, so the node says nothing until it is right again.

use schemas::request::SKEW;
use schemas::time::Timestamp;

use crate::store::state::{State, StateError};

/// The clock is not believed.
#[derive(Debug, thiserror::Error)]
pub enum Behind {
    /// By so many seconds.
    #[error("the clock runs {0} seconds behind the time seen before; set it right")]
    Clock(i64),
    /// The state file failed.
    #[error("the state file could not be read or written")]
    State(#[from] StateError),
}

impl From<sqlx::Error> for Behind {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}

/// Refuses a clock that runs behind.
pub(super) async fn check(state: &State, now: Timestamp) -> Result<(), Behind> {
    let highest = state.agreed().await?;
    match highest.map_or(0, |highest| highest.0.saturating_sub(now.0)) {
        behind if behind > SKEW => Err(Behind::Clock(behind)),
        _ => Ok(()),
    }
}

/// Keeps a time on which the coordinator agreed just now, if it is higher.
pub(super) async fn keep(state: &State, now: Timestamp) -> Result<(), Behind> {
    sqlx::query(
        "insert into clock (id, highest) values (1, $1) \
         on conflict (id) do update set highest = $1 where clock.highest < $1",
    )
    .bind(now.0)
    .execute(state.pool())
    .await?;
    Ok(())
}
