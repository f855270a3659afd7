//! Several requests at the same time, one a core: an evaluation keeps one core busy.

use std::sync::Arc;

use policies::access::Channel;
use schemas::time::Timestamp;

use super::AuditError;
use super::opening::Door;
use super::serve::{Served, serve};
use crate::access::Standing;
use crate::config::Config;
use crate::store::state::State;

/// How many requests are worth answering at the same time.
pub fn at_once() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Answers requests at the same time; what became of each, in their order. They count against one
/// cap, so which of too many is refused is not settled.
pub async fn serve_together(
    state: &State,
    config: &Config,
    now: Timestamp,
    (standing, channel): (&Arc<Standing>, Channel),
    requests: Vec<Vec<u8>>,
) -> Vec<Result<Served, AuditError>> {
    let started = requests.into_iter().map(|bytes| {
        let (state, config, standing) = (state.clone(), config.clone(), Arc::clone(standing));
        tokio::spawn(async move {
            let door = Door {
                standing: &standing,
                channel,
            };
            serve(&state, &config, now, door, &bytes).await
        })
    });
    let started: Vec<_> = started.collect();
    let mut served = Vec::with_capacity(started.len());
    for one in started {
        served.push(one.await.unwrap_or(Err(AuditError::Stopped)));
    }
    served
}
