//! The background task: wakes long polls when the state changes (commands change it from other
//! processes too) and ends rounds at their deadline.

use std::sync::Arc;
use std::time::Duration;

use super::App;
use crate::ask::{self, AskError};
use crate::collect;

const TICK: Duration = Duration::from_millis(200);

pub(super) async fn run(app: Arc<App>) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = app.stop.cancelled() => return,
        }
        if let Err(error) = look(&app).await {
            // The next tick tries again.
            tracing::error!(%error, "the state could not be watched");
        }
    }
}

async fn look(app: &App) -> Result<(), AskError> {
    let now = app.clock.now();
    for id in collect::overdue(&app.store, now).await? {
        let held = ask::find(&app.store, &app.authority, &id).await?;
        let state = collect::close(&app.store, &held, now).await?;
        tracing::info!(round = %id, ?state, "a round ended at its deadline");
    }
    let length = app.store.log_length().await?;
    app.changed.send_if_modified(|known| {
        let changed = *known != length;
        *known = length;
        changed
    });
    Ok(())
}
