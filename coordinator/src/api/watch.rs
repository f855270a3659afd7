//! The background task: wakes long polls when the state changes (commands change it from other
//! processes too) and ends rounds at their deadline.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::App;
use crate::ask::{self, AskError};
use crate::collect;
use crate::log::{self, Leaves, LogError};
use crate::store::state::StateError;

/// Why the state could not be watched.
#[derive(Debug, thiserror::Error)]
enum WatchError {
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    State(#[from] StateError),
}

const TICK: Duration = Duration::from_millis(200);
/// Ticks between two calls for nodes to exchange checkpoints.
const CALL: u8 = 5;

pub(super) async fn run(app: Arc<App>) {
    let mut tick = tokio::time::interval(TICK);
    let mut leaves = Leaves::default();
    // Whether the own log has grown since its last checkpoint, and ticks since the last call.
    let (mut grown, mut ticks) = (false, 0_u8);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = app.stop.cancelled() => return,
        }
        if let Err(error) = look(&app, &mut leaves, &mut grown).await {
            // The next tick tries again.
            tracing::error!(%error, "the state could not be watched");
        }
        ticks = ticks.saturating_add(1);
        if ticks >= CALL && app.news.swap(false, Ordering::Relaxed) {
            app.witnessing
                .send_modify(|turn| *turn = turn.wrapping_add(1));
            ticks = 0;
        }
    }
}

async fn look(app: &App, leaves: &mut Leaves, grown: &mut bool) -> Result<(), WatchError> {
    let now = app.clock.now();
    for id in collect::overdue(&app.store, now).await? {
        let held = ask::find(&app.store, &app.authority, &id).await?;
        let state = collect::close(&app.store, &held, now).await?;
        tracing::info!(round = %id, ?state, "a round ended at its deadline");
    }
    let length = app.store.log_length().await?;
    *grown |= app.changed.send_if_modified(|known| {
        let changed = *known != length;
        *known = length;
        changed
    });
    // The own log is offered to the members' nodes as it grows.
    if *grown {
        if log::advance(&app.store, &app.authority, leaves).await? {
            app.news.store(true, Ordering::Relaxed);
        }
        *grown = false;
    }
    Ok(())
}
