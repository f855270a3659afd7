//! The highest time seen, kept in the state file. A clock that runs behind it could revive what has
//! ended, so nothing is served until it is right again.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract;
use axum::http::HeaderValue;
use axum::response::Response;
use schemas::digest::Digest;
use schemas::request::{SKEW, TIME};
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::{App, Fault};
use crate::store::state::{State, StateError, append};

/// Forgets the highest time seen, so that the clock as it runs now is believed. An operator does it
/// after a clock that ran ahead was set right.
pub async fn accept_clock(store: &State, now: Timestamp) -> Result<(), StateError> {
    let mut change = store.begin().await?;
    sqlx::query("delete from clock")
        .execute(&mut *change)
        .await?;
    append(&mut change, now, "clock", Digest::ZERO, &[]).await?;
    change.commit().await?;
    Ok(())
}

/// Compares the clock with the highest time seen, and keeps it if it is higher.
pub(super) async fn look(app: &App) -> Result<(), StateError> {
    let now = app.clock.now();
    let row = sqlx::query("select highest from clock where id = 1")
        .fetch_optional(app.store.pool())
        .await?;
    let highest: Option<i64> = row.map(|row| row.try_get(0)).transpose()?;
    let behind = highest.is_some_and(|highest| highest.saturating_sub(now.0) > SKEW);
    if behind && !app.behind.swap(true, Ordering::SeqCst) {
        tracing::error!("the clock runs behind the time seen before; members are turned away");
    } else if !behind {
        app.behind.store(false, Ordering::SeqCst);
    }
    if highest.is_none_or(|highest| now.0 > highest) {
        sqlx::query(
            "insert into clock (id, highest) values (1, $1) \
             on conflict (id) do update set highest = $1",
        )
        .bind(now.0)
        .execute(app.store.pool())
        .await?;
    }
    Ok(())
}

/// Refuses while the clock is not believed.
pub(super) fn believed(app: &App) -> Result<(), Fault> {
    if app.behind.load(Ordering::SeqCst) {
        return Err(Fault::new(
            "clock",
            503,
            "the coordinator's clock runs behind",
            "its operator sets it right (`run --accept-clock` if it once ran ahead); try again",
        ));
    }
    Ok(())
}

/// Tells members the coordinator's time with each response.
pub(super) async fn stamp(
    extract::State(app): extract::State<Arc<App>>,
    mut response: Response,
) -> Response {
    let now = HeaderValue::from(app.clock.now().0);
    response.headers_mut().insert(TIME, now);
    response
}
