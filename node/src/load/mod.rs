//! Loading a file: one pass, column files under a staging name, reports, then one change that
//! registers and logs the load. Before that change nothing counts; after it everything does.

mod error;
mod exposure;
mod held;
mod kept;
mod quality;
mod ranks;
mod staging;
mod stream;
mod tally;
pub mod trial;
mod work;

pub use error::LoadError;
pub use exposure::Exposure;
pub use quality::{Quality, Timeliness};
pub use staging::Lock;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::time::{DataYear, Timestamp};
use serde::Serialize;

use self::held::Held;
use self::kept::Stays;
use self::stream::Pass;
use self::tally::Tally;
use self::work::{Done, Work};
use crate::config::Config;
use crate::config::keys::{Keys, PseudonymKey};
use crate::deidentify::KeyRing;
use crate::ingest::bound::Bound;
use crate::ingest::date::month_of;
use crate::ingest::mapping::Mapping;
use crate::ingest::source::{self, Source};
use crate::store::loads::{self, LoadedMonth, NewLoad};
use crate::store::state::{self, State, StateError};
use crate::store::{columns, dictionaries};

/// What to load and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// The CSV file.
    pub file: PathBuf,
    /// The mapping.
    pub mapping: Mapping,
    /// Further row filters: column and value.
    pub only: Vec<(String, String)>,
    /// History brought in when the node starts: not judged late.
    pub history: bool,
}

/// What a load or a check came to. It is shown to the hospital only.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Name of the load; `None` for a dry run.
    pub load: Option<String>,
    /// Rows kept.
    pub kept: u64,
    /// Rows in quarantine.
    pub refused: u64,
    /// Rows that the filter passed over.
    pub passed_over: u64,
    /// Rows in quarantine by rule.
    pub rules: BTreeMap<&'static str, u64>,
    /// Rows with a case group that the dictionary does not list, or none: counted as `other`.
    pub unknown_groups: u64,
    /// By dimension: rows with a value that the dictionary does not list, and rows without one.
    pub unlisted: BTreeMap<String, (u64, u64)>,
    /// Quality by month.
    pub quality: Vec<Quality>,
    /// De-identification by month; empty for a dry run.
    pub exposure: Vec<Exposure>,
    /// Identifiers found in what was written; any stops the release.
    pub findings: u64,
    /// What the officer should know about the mapping.
    pub notes: Vec<String>,
}

/// Loads a file. `progress` hears the bytes read so far.
pub async fn load(
    state: &State,
    config: &Config,
    now: Timestamp,
    request: &Request,
    progress: &dyn Fn(u64),
) -> Result<Summary, LoadError> {
    let data = config.data.as_path();
    let _lock = Lock::take(data)?;
    let dictionary = dictionaries::latest(state)
        .await?
        .ok_or(LoadError::NoDictionary)?;
    let before = loads::months(state.pool()).await?;
    let registered = registered(state).await?;
    staging::sweep(data, &registered)?;
    let file_digest = source::digest(&request.file)?;
    let coding = dictionary.digest().map_err(StateError::from)?.to_string();
    let file_digest = identity(&file_digest, request, &coding);
    if let Some(load) = loads::by_file(state.pool(), &file_digest).await? {
        return Err(LoadError::Same { load });
    }
    let held = Held {
        dictionaries: coded_by(state, &before).await?,
        months: before,
    };
    let known = loads::key_check(state.pool()).await?;
    let known = known
        .into_iter()
        .map(|(year, check)| (DataYear(year), check));
    let ring = KeyRing::Kept {
        keys: Keys::open(data)?,
        known: known.collect(),
    };
    let work = Work {
        config,
        now,
        request,
        dictionary: &dictionary,
        file_digest: &file_digest,
        held: &held,
        progress,
    };
    let done = work.run(ring)?;
    register(state, config, now, &held, &dictionary, done).await
}

/// Checks a file as [`load`] would and keeps nothing. Duplicates are found within the file only.
pub fn check(
    dictionary: &Dictionary,
    now: Timestamp,
    timely_days: u16,
    request: &Request,
    progress: &dyn Fn(u64),
) -> Result<Summary, LoadError> {
    let bound = bind(dictionary, request)?;
    let pass = Pass {
        path: &request.file,
        bound: &bound,
        dictionary,
        last_month: month_of(now).ok_or(LoadError::Random)?,
        file: b"",
        folder: None,
        progress,
    };
    let ring = KeyRing::Passing(PseudonymKey::random()?);
    let passed = pass.run(ring, Stays::default())?;
    let timeliness = Timeliness {
        loaded: now,
        days: timely_days,
        history: request.history,
    };
    let quality = quality::judge(&passed.tally, timeliness);
    Ok(summary(&bound, &passed.tally, quality))
}

fn bind(dictionary: &Dictionary, request: &Request) -> Result<Bound, LoadError> {
    let source = Source::open(&request.file)?;
    Ok(Bound::new(
        &request.mapping,
        &request.only,
        dictionary,
        source.header(),
    )?)
}

fn summary(bound: &Bound, tally: &Tally, quality: Vec<Quality>) -> Summary {
    let rules = tally.refused();
    let names = bound
        .dimensions
        .iter()
        .map(|dimension| dimension.name.clone());
    let unlisted = names.zip(tally.unlisted.iter().copied());
    Summary {
        load: None,
        kept: tally.kept(),
        refused: rules.values().sum(),
        passed_over: tally.passed_over,
        rules: rules
            .iter()
            .map(|(rule, count)| (rule.id(), *count))
            .collect(),
        unknown_groups: tally.unknown_groups,
        unlisted: unlisted.filter(|(_, counts)| *counts != (0, 0)).collect(),
        quality,
        exposure: Vec::new(),
        findings: 0,
        notes: bound.notes.clone(),
    }
}

/// Registers, logs and settles a load in one change.
async fn register(
    state: &State,
    config: &Config,
    now: Timestamp,
    held: &Held,
    dictionary: &Dictionary,
    done: Done,
) -> Result<Summary, LoadError> {
    let dictionary = dictionary.digest().map_err(StateError::from)?;
    let mut change = state.begin().await?;
    if loads::months(&mut *change).await? != held.months {
        return Err(LoadError::Moved);
    }
    if let Some(load) = loads::by_file(&mut *change, &done.file_digest).await? {
        return Err(LoadError::Same { load });
    }
    let id = done.staging.id.clone();
    let new = NewLoad {
        id: &id,
        file_digest: &done.file_digest,
        dictionary,
        unit: done.unit,
        span: done.span,
        kept: done.summary.kept,
        quarantined: done.summary.refused,
        findings: done.summary.findings,
    };
    loads::register(&mut change, &new, &done.months, now.0).await?;
    for (year, check) in &done.used_keys {
        loads::remember_key(&mut change, *year, check).await?;
    }
    let names: Vec<String> = done
        .months
        .iter()
        .map(|month| month.month.to_string())
        .collect();
    let detail = [
        ("load", id.clone()),
        ("months", names.join(",")),
        ("dictionary", dictionary.to_string()),
    ];
    state::append(&mut change, now, "load", subject(&id), &detail).await?;
    // A crash after the renaming and before the commit leaves a folder that the next load sweeps.
    done.staging.settle(&config.data)?;
    change.commit().await.map_err(StateError::from)?;
    Ok(done.summary)
}

/// What the log calls a load: a digest of its random name, nothing of its content.
pub fn subject(load: &str) -> Digest {
    Digest::of("consilium-load-v1", &[load.as_bytes()])
}

async fn registered(state: &State) -> Result<BTreeSet<String>, LoadError> {
    let months = loads::months(state.pool()).await?;
    Ok(months.into_iter().map(|month| month.load).collect())
}

async fn coded_by(
    state: &State,
    months: &[LoadedMonth],
) -> Result<BTreeMap<Digest, Dictionary>, LoadError> {
    let digests: BTreeSet<Digest> = months.iter().map(|month| month.dictionary).collect();
    let mut found = BTreeMap::new();
    for digest in digests {
        let dictionary = dictionaries::by_digest(state, &digest).await?;
        found.insert(digest, dictionary.ok_or(LoadError::NoDictionary)?);
    }
    Ok(found)
}

/// The digest under which a load is remembered: of the file, the mapping, the dictionary and the
/// row filters (one file may hold several hospitals).
fn identity(file: &str, request: &Request, dictionary: &str) -> String {
    let own = request.mapping.only.iter();
    let filters: BTreeSet<(&str, &str)> = own
        .map(|(column, value)| (column.as_str(), value.as_str()))
        .chain(
            request
                .only
                .iter()
                .map(|(column, value)| (column.as_str(), value.as_str())),
        )
        .collect();
    // The same file under another mapping or dictionary gives other rows: it may be loaded again.
    let mapping = format!("{:?}", request.mapping);
    let parts = [("", file), ("", &mapping), ("", dictionary)];
    let mut hasher = blake3::Hasher::new();
    for part in parts.into_iter().chain(filters) {
        for text in [part.0, part.1] {
            hasher.update(&text.len().to_le_bytes());
            hasher.update(text.as_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}

/// Removes the folder of a load that is no longer registered.
pub(crate) fn remove_folder(data: &Path, load: &str) -> std::io::Result<()> {
    let folder = columns::folder(data).join(load);
    if folder.is_dir() {
        std::fs::remove_dir_all(folder)?;
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod test;
