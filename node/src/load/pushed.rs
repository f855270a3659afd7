//! Months on their way to the hospital's engine, where the settings name one. They are sent before the change
//! that registers their load: a question asks for registered months only, so a killed load is never seen,
//! and what it left is deleted when the next one begins.

use std::collections::BTreeSet;
use std::path::PathBuf;

use schemas::dictionary::Dictionary;
use schemas::time::Month;

use super::work::Done;
use super::{LoadError, Lock};
use crate::config::Config;
use crate::engine::{Engine, Part};
use crate::store::loads::{self, LoadedMonth};
use crate::store::state::{State, StateError};

/// Months that may be in the engine: identifiers were found in none of them.
fn clean(registered: &[LoadedMonth]) -> BTreeSet<i64> {
    let clean = registered.iter().filter(|one| one.findings == 0);
    clean.map(|one| Part::of(one).number).collect()
}

fn engine(config: &Config) -> Result<Option<Engine>, LoadError> {
    let open = |columns| Engine::open(columns, &config.hospital);
    Ok(config.columns.as_ref().map(open).transpose()?)
}

/// Deletes what the engine has of months that are not registered.
pub(super) async fn sweep(config: &Config, registered: &[LoadedMonth]) -> Result<(), LoadError> {
    if let Some(engine) = engine(config)? {
        engine.sweep(&clean(registered)).await?;
    }
    Ok(())
}

/// Sends the months of a load that is written and not registered. One in which identifiers were found stays
/// at the node: it is never released.
pub(super) async fn send(
    config: &Config,
    dictionary: &Dictionary,
    done: &Done,
) -> Result<(), LoadError> {
    if done.summary.findings > 0 {
        return Ok(());
    }
    if let Some(engine) = engine(config)? {
        let folder = &done.staging.folder;
        let months = done.months.iter();
        let months: Vec<_> = months.map(|one| (Part::of(one), folder.clone())).collect();
        engine.send(dictionary, &months).await?;
    }
    Ok(())
}

/// What became of months of the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settled {
    /// Sent now.
    pub sent: usize,
    /// Deleted, because no registered load has them.
    pub gone: usize,
}

/// Deletes what the engine should not have and sends what it lacks of the months of the dictionary in use;
/// nothing where the settings name no engine.
pub async fn settle(
    state: &State,
    config: &Config,
    dictionary: &Dictionary,
) -> Result<Option<Settled>, LoadError> {
    let Some(engine) = engine(config)? else {
        return Ok(None);
    };
    let _lock = Lock::take(&config.data)?;
    let all = loads::months(state.pool()).await?;
    let gone = engine.sweep(&clean(&all)).await?;
    let coded = dictionary.digest().map_err(StateError::from)?;
    let current = all.iter();
    let current =
        current.filter(|one| one.is_current() && one.dictionary == coded && one.findings == 0);
    let months = current.map(|one| (Part::of(one), config.data.join(&one.folder)));
    let months: Vec<(Part, PathBuf)> = months.collect();
    let sent = engine.send(dictionary, &months).await?;
    Ok(Some(Settled { sent, gone }))
}

/// Deletes what the engine has of months that were discarded or retired; `false` where another command holds
/// the data folder and it is left to the next load.
pub async fn forget(state: &State, config: &Config) -> Result<bool, LoadError> {
    match Lock::take(&config.data) {
        Err(LoadError::Busy) => Ok(config.columns.is_none()),
        Err(error) => Err(error),
        Ok(_lock) => {
            sweep(config, &loads::months(state.pool()).await?).await?;
            Ok(true)
        }
    }
}

/// Months in the engine that should not be there.
pub async fn strangers(state: &State, engine: &Engine) -> Result<usize, LoadError> {
    let all = loads::months(state.pool()).await?;
    Ok(engine.strangers(&clean(&all)).await?)
}

/// Months that questions may be about and that the engine does not hold whole.
pub async fn missing(state: &State, engine: &Engine) -> Result<Vec<Month>, LoadError> {
    let all = loads::months(state.pool()).await?;
    let released = all.iter();
    let released = released.filter(|one| one.release.is_some() && one.is_current());
    let parts: Vec<Part> = released.map(Part::of).collect();
    let missing = engine.missing(&parts).await?;
    Ok(missing.into_iter().map(|part| part.month).collect())
}
