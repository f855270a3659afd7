//! The background task: wakes long polls when the state changes (commands change it from other
//! processes too), ends rounds at their deadline, keeps the gate and the highest time up to date.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::gate::Gate;
use super::listen::ServeError;
use super::{App, moment};
use crate::ask::{self, AskError};
use crate::collect;
use crate::log::{self, Leaves, LogError};
use crate::pooled::{self, PooledError};
use crate::store::state::StateError;

const TICK: Duration = Duration::from_millis(200);
/// Ticks between two calls for nodes to exchange checkpoints.
const CALL: u8 = 5;
/// Ticks after which gate and time are looked at although nothing changed: four seconds.
const QUIET: u32 = 20;

/// What could not be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// Rounds.
    #[error("the rounds could not be watched")]
    Rounds(#[from] AskError),
    /// Pooled rounds.
    #[error("the pooled rounds could not be watched")]
    Pooled(#[from] PooledError),
    /// The coordinator's own log.
    #[error("the log could not be followed")]
    Log(#[from] LogError),
    /// The state file.
    #[error("the state file could not be read or written")]
    State(#[from] StateError),
    /// Certificates.
    #[error("revocation lists could not be made; without new ones no member gets in after a day")]
    Gate(#[from] ServeError),
}

/// What is known from look to look.
#[derive(Debug, Default)]
pub(super) struct Memory {
    leaves: Leaves,
    /// Whether the own log has grown since its last checkpoint.
    grown: bool,
}

pub(super) async fn run(app: Arc<App>, gate: Arc<Gate>) {
    let mut quiet = 0_u32;
    let mut tick = tokio::time::interval(TICK);
    let mut memory = Memory::default();
    // Since the last call.
    let mut ticks = 0_u8;
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = app.stop.cancelled() => return,
        }
        match look(&app, &gate, &mut memory, quiet >= QUIET).await {
            Ok(true) => quiet = 0,
            Ok(false) => quiet = quiet.saturating_add(1),
            // The next tick tries again.
            Err(error) => {
                quiet = QUIET;
                tracing::error!(%error, "the state could not be watched");
            }
        }
        ticks = ticks.saturating_add(1);
        if ticks >= CALL && call(&app) {
            ticks = 0;
        }
    }
}

/// Calls the nodes where there are new checkpoints or cosignatures; whether there were.
pub(super) fn call(app: &App) -> bool {
    let news = app.news.swap(false, Ordering::Relaxed);
    if news {
        app.witnessing
            .send_modify(|turn| *turn = turn.wrapping_add(1));
    }
    news
}

/// One look; `true` where the gate was looked at too.
pub(super) async fn look(
    app: &App,
    gate: &Gate,
    memory: &mut Memory,
    whole: bool,
) -> Result<bool, WatchError> {
    let length = app.store.log_length().await?;
    let whole = whole || *app.changed.borrow() != length;
    if whole {
        // Who is shut out is cut off before anything else, and before the others are woken.
        moment::look(app).await?;
        gate.refresh(app).await?;
    }
    let now = app.clock.now();
    for id in collect::overdue(&app.store, now).await? {
        let held = ask::find(&app.store, &app.authority, &id).await?;
        let state = collect::close(&app.store, &held, now).await?;
        tracing::info!(round = %id, ?state, "a round ended at its deadline");
    }
    if whole {
        for id in pooled::overdue(&app.store).await? {
            let held = pooled::find(&app.store, &app.authority, &id).await?;
            if pooled::advance(&app.store, &held, now).await? {
                tracing::info!(round = %id, before = %held.state, "a pooled round went on");
            }
        }
    }
    memory.grown |= app.changed.send_if_modified(|known| {
        let changed = *known != length;
        *known = length;
        changed
    });
    // The own log is offered to the members' nodes as it grows.
    if memory.grown {
        if log::advance(&app.store, &app.authority, &mut memory.leaves).await? {
            app.news.store(true, Ordering::Relaxed);
        }
        memory.grown = false;
    }
    Ok(whole)
}
