//! Loading a file: one pass, column files under a staging name, reports, then one change that
//! registers and logs the load. Before that change nothing counts; after it everything does.

mod exposure;
mod held;
mod quality;
mod ranks;
mod staging;
mod stream;
mod tally;
pub mod trial;

pub use exposure::Exposure;
pub use quality::{Quality, Timeliness};
pub use staging::Lock;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::time::{DataYear, Month, Timestamp};
use serde::Serialize;

use self::held::Held;
use self::staging::Staging;
use self::stream::{Pass, Stays};
use self::tally::Tally;
use crate::config::keys::{Keys, PseudonymKey};
use crate::config::{Config, ConfigError};
use crate::deidentify::KeyRing;
use crate::ingest::IngestError;
use crate::ingest::bound::Bound;
use crate::ingest::date::month_of;
use crate::ingest::mapping::Mapping;
use crate::ingest::source::{self, Source};
use crate::store::columns::{ColumnsError, ranks_file, write_ranks};
use crate::store::loads::{self, LoadedMonth, NewLoad};
use crate::store::state::{self, State, StateError};
use crate::store::{columns, dictionaries};

/// Why a file is not loaded. Nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file or its mapping is refused.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// Settings or keys are refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Column files failed.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
    /// The state file failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// The data folder failed.
    #[error("the data folder could not be read or written")]
    Io(#[from] std::io::Error),
    /// No dictionary was accepted, or the one that coded stored months is gone.
    #[error("no dictionary is accepted; run `consilium-node dictionary accept FILE` first")]
    NoDictionary,
    /// The file is in the store already.
    #[error("this file was loaded before, as load `{load}`; nothing was changed")]
    Same {
        /// The load that brought it.
        load: String,
    },
    /// Another load of this month waits for the officer.
    #[error(
        "{month} is staged by load `{load}` and not released; release it, or `discard {load}`, \
         before loading the month again"
    )]
    Staged {
        /// The month.
        month: Month,
        /// The load that waits.
        load: String,
    },
    /// Another command changes the data folder.
    #[error("another load, release or discard is under way in this data folder")]
    Busy,
    /// Every row was refused or passed over.
    #[error("no row passed the checks ({refused} refused); run `consilium-node check` to see why")]
    Nothing {
        /// Rows refused.
        refused: u64,
    },
    /// The store changed under the load.
    #[error("the store changed while loading; load the file again")]
    Moved,
    /// More than 2^32 rows in one month.
    #[error("a month has more than 4,294,967,295 rows")]
    TooManyRows,
    /// What was written does not fit the dictionary: a fault of this program.
    #[error("what was written does not fit the dictionary; nothing was kept, please report this")]
    NotClosed,
    /// The random source gave nothing.
    #[error("the system's random source failed")]
    Random,
    /// The writer stopped early.
    #[error("the writer of the column files stopped")]
    Writer,
}

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
    // One file may hold several hospitals: the row filter belongs to what was loaded.
    let file_digest = with_filter(&file_digest, request);
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

/// The part of a load that works on files only.
struct Work<'a> {
    config: &'a Config,
    now: Timestamp,
    request: &'a Request,
    dictionary: &'a Dictionary,
    file_digest: &'a str,
    held: &'a Held,
    progress: &'a dyn Fn(u64),
}

/// A load that is written but not registered.
struct Done {
    staging: Staging,
    file_digest: String,
    months: Vec<LoadedMonth>,
    used_keys: Vec<(u16, String)>,
    summary: Summary,
}

impl Work<'_> {
    fn run(&self, ring: KeyRing) -> Result<Done, LoadError> {
        let data = self.config.data.as_path();
        let bound = bind(self.dictionary, self.request)?;
        let stays = self.stays_of_other_months(&bound)?;
        let staging = Staging::create(data)?;
        let pass = Pass {
            path: &self.request.file,
            bound: &bound,
            dictionary: self.dictionary,
            last_month: month_of(self.now).ok_or(LoadError::Random)?,
            file: self.file_digest.as_bytes(),
            folder: Some(&staging.folder),
            progress: self.progress,
        };
        let mut passed = pass.run(ring, stays)?;
        if with_filter(&passed.file_digest, self.request) != self.file_digest {
            return Err(IngestError::Changed.into());
        }
        if passed.tally.kept() == 0 {
            let refused = passed.tally.refused().values().sum();
            return Err(LoadError::Nothing { refused });
        }
        let months: BTreeSet<Month> = passed.digests.keys().copied().collect();
        let earlier = self.held.ranks(data, &months, self.dictionary)?;
        let mut ranks_digests = BTreeMap::new();
        for (month, ranks) in ranks::assign(std::mem::take(&mut passed.ranks), earlier) {
            let digest = write_ranks(ranks_file(&staging.folder, month), &ranks)?;
            ranks_digests.insert(month, digest);
        }
        let timeliness = Timeliness {
            loaded: self.now,
            days: self.config.quality.timely_days,
            history: self.request.history,
        };
        let quality = quality::judge(&passed.tally, timeliness);
        let mut summary = summary(&bound, &passed.tally, quality);
        self.report(&staging, &bound, &mut summary)?;
        let dictionary = self.dictionary.digest().map_err(StateError::from)?;
        let loaded = |quality: &Quality| LoadedMonth {
            load: staging.id.clone(),
            month: quality.month,
            folder: staging.final_name(),
            dictionary,
            rows: quality.kept,
            grade: quality.grade,
            findings: summary.findings,
            data_digest: passed
                .digests
                .get(&quality.month)
                .cloned()
                .unwrap_or_default(),
            ranks_digest: ranks_digests
                .get(&quality.month)
                .cloned()
                .unwrap_or_default(),
            release: None,
            restated_by: None,
        };
        let months = summary.quality.iter().map(loaded).collect();
        summary.load = Some(staging.id.clone());
        Ok(Done {
            staging,
            file_digest: self.file_digest.to_owned(),
            months,
            used_keys: passed.used_keys,
            summary,
        })
    }

    /// Stays of the store that a row of this file would repeat. Refuses a month that waits for the
    /// officer; a released month is replaced when this load is released, so its stays may recur.
    fn stays_of_other_months(&self, bound: &Bound) -> Result<Stays, LoadError> {
        let mut stays = Stays::default();
        if self.held.months.is_empty() {
            return Ok(stays);
        }
        let months = stream::months_in(&self.request.file, bound)?;
        let waits = self
            .held
            .months
            .iter()
            .find(|held| held.release.is_none() && months.contains(&held.month));
        if let Some(waits) = waits {
            return Err(LoadError::Staged {
                month: waits.month,
                load: waits.load.clone(),
            });
        }
        self.held.stays(&self.config.data, &months, |stay| {
            stays.insert(stay);
        })?;
        Ok(stays)
    }

    /// Judges what was written and writes the reports beside it.
    fn report(
        &self,
        staging: &Staging,
        bound: &Bound,
        summary: &mut Summary,
    ) -> Result<(), LoadError> {
        let settings = &self.config.quality;
        let quasi = &settings.quasi_identifiers;
        for quality in &summary.quality {
            let folder = &staging.folder;
            let shape = &bound.shape;
            let month = quality.month;
            let exposure = exposure::measure(folder, month, shape, quasi, settings.small_class)?;
            summary.exposure.push(exposure);
        }
        staging.write("quality.json", &pretty(&summary.quality)?)?;
        staging.write("quality.txt", quality::text(&summary.quality).as_bytes())?;
        let in_columns: u64 = summary.exposure.iter().map(|month| month.findings).sum();
        summary.findings = in_columns + exposure::findings_in_texts(&staging.folder)?;
        let text = exposure::text(
            &summary.exposure,
            quasi,
            settings.small_class,
            summary.findings,
        );
        staging.write("deidentification.json", &pretty(&summary.exposure)?)?;
        staging.write("deidentification.txt", text.as_bytes())?;
        Ok(())
    }
}

fn pretty<T: Serialize>(value: &T) -> Result<Vec<u8>, LoadError> {
    serde_json::to_vec_pretty(value).map_err(|error| LoadError::Io(error.into()))
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

/// The digest under which a file is remembered: with its row filter, where there is one.
fn with_filter(file: &str, request: &Request) -> String {
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
    if filters.is_empty() {
        return file.to_owned();
    }
    let mut hasher = blake3::Hasher::new();
    for part in [("", file)].into_iter().chain(filters) {
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
