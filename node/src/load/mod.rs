//! Loading a file: one pass, column files under a staging name, reports, then one change that
//! registers and logs the load. Before that change nothing counts; after it everything does.

mod crossed;
mod error;
mod exposure;
mod exposure_text;
mod held;
mod identity;
mod kept;
mod moved;
mod patients;
mod pushed;
mod quality;
mod ranks;
mod staging;
mod stream;
mod summary;
mod tally;
pub mod trial;
mod views;
mod work;

pub use error::LoadError;
pub use exposure::Exposure;
pub use patients::PatientCounts;
pub use pushed::{Settled, forget, missing, settle, strangers};
pub use quality::{Quality, Timeliness};
pub use staging::Lock;
pub use summary::{KeptQuality, MonthReport, Summary, kept_reports, reports};

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::question::Dataset;
use schemas::time::{DataYear, Timestamp};

use self::held::Held;
use self::identity::identity;
use self::kept::Stays;
use self::moved::Elsewhere;
use self::stream::Pass;
use self::work::{Done, Work};
use crate::config::Config;
use crate::config::keys::{Keys, PseudonymKey};
use crate::deidentify::KeyRing;
use crate::ingest::bound::Bound;
use crate::ingest::costed::RateBook;
use crate::ingest::crosswalk::Crosswalks;
use crate::ingest::date::month_of;
use crate::ingest::mapping::Mapping;
use crate::ingest::origin::Origin;
use crate::ingest::source;
use crate::store::loads::{self, LoadedMonth, NewLoad};
use crate::store::state::{self, State, StateError};
use crate::store::{columns, dictionaries};
use crate::store::{marks, month_rates};

/// What to load and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where the rows come from.
    pub from: Origin,
    /// The mapping.
    pub mapping: Mapping,
    /// Further row filters: column and value.
    pub only: Vec<(String, String)>,
    /// History brought in when the node starts: not judged late.
    pub history: bool,
    /// The approved crosswalks.
    pub crosswalks: Crosswalks,
    /// The rates that costed fields follow from.
    pub rates: RateBook,
    /// Of a view: all of it, and not only the months in which rows are new.
    pub whole: bool,
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
    pushed::sweep(config, &before).await?;
    let (file_digest, mark) = match &request.from {
        Origin::File(path) => (source::digest(path)?, None),
        Origin::View(view) => {
            let key = Keys::open(data)?.view_key()?;
            views::begin((state, &key), view, request).await?
        }
    };
    let coding = dictionary.digest().map_err(StateError::from)?.to_string();
    let file_digest = identity(&file_digest, request, &coding);
    if let Some(load) = loads::by_file(state.pool(), &file_digest).await? {
        return Err(LoadError::Same { load });
    }
    let dataset = request.mapping.dataset;
    let of_dataset = view(&dictionary, dataset)?;
    let held = Held {
        dataset,
        dictionaries: coded_by(state, &before, dataset).await?,
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
        dictionary: &of_dataset,
        coded: dictionary.digest().map_err(StateError::from)?,
        file_digest: &file_digest,
        held: &held,
        mark: mark.as_ref(),
        progress,
    };
    let done = work.run(&ring)?;
    pushed::send(config, &dictionary, &done).await?;
    register(state, config, now, &held, &dictionary, done).await
}

/// What [`load`] would read of a view; nothing for a file.
pub async fn begin(state: &State, config: &Config, request: &Request) -> Result<(), LoadError> {
    if let Some(view) = request.from.view() {
        let key = Keys::open(&config.data)?.view_key()?;
        views::begin((state, &key), view, request).await?;
    }
    Ok(())
}

/// Checks a file as [`load`] would and keeps nothing; a view after [`begin`]. Duplicates are found within
/// the file only.
pub fn check(
    dictionary: &Dictionary,
    now: Timestamp,
    timely_days: u16,
    request: &Request,
    progress: &dyn Fn(u64),
) -> Result<Summary, LoadError> {
    let last_month = month_of(now).ok_or(LoadError::Random)?;
    let dictionary = &*view(dictionary, request.mapping.dataset)?;
    let bound = bind(dictionary, request)?.believes_until(last_month)?;
    let pass = Pass {
        origin: &request.from,
        bound: &bound,
        dictionary,
        last_month,
        file: b"",
        folder: None,
        progress,
    };
    let ring = KeyRing::Passing(PseudonymKey::random()?);
    let passed = pass.run(ring, Stays::default(), Elsewhere::default())?;
    let timeliness = Timeliness {
        loaded: now,
        days: timely_days,
        history: request.history,
    };
    let quality = quality::judge(&passed.tally, timeliness);
    Ok(summary::of(&bound, &passed, quality))
}

/// What the dictionary says of a dataset.
fn view(dictionary: &Dictionary, dataset: Dataset) -> Result<Cow<'_, Dictionary>, LoadError> {
    let name = dataset.as_str();
    dictionary.of(dataset).ok_or(LoadError::NoDataset { name })
}

/// `dictionary` is that of the mapping's dataset.
fn bind(dictionary: &Dictionary, request: &Request) -> Result<Bound, LoadError> {
    let bound = Bound::new(
        &request.mapping,
        &request.only,
        dictionary,
        &request.from.header(&request.mapping, &request.only)?,
    )?;
    let bound = bound.crossed_by(&request.mapping, &request.crosswalks)?;
    Ok(bound.costed_by(&request.rates)?)
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
    let retired = loads::retired_years(&mut change).await?;
    let mut years = done.months.iter().map(|month| month.month.year());
    if let Some(year) = years.find(|year| retired.contains(year)) {
        return Err(LoadError::Retired { year: year.0 });
    }
    let id = done.staging.id.clone();
    let new = NewLoad {
        id: &id,
        dataset: held.dataset,
        file_digest: &done.file_digest,
        dictionary,
        unit: done.unit,
        span: done.span,
        pilot: done.pilot,
        kept: done.summary.kept,
        quarantined: done.summary.refused,
        findings: done.summary.findings,
    };
    loads::register(&mut change, &new, &done.months, now.0).await?;
    if let Some(reached) = &done.mark {
        let key = Keys::open(&config.data)?.view_key()?;
        marks::remember(&mut change, &id, (reached, &key)).await?;
    }
    for (year, check) in &done.used_keys {
        loads::remember_key(&mut change, *year, check).await?;
    }
    let names: Vec<String> = done
        .months
        .iter()
        .map(|month| month.month.to_string())
        .collect();
    let mut detail = vec![
        ("load", id.clone()),
        ("months", names.join(",")),
        ("dictionary", dictionary.to_string()),
    ];
    if held.dataset != Dataset::Stays {
        detail.push(("dataset", held.dataset.as_str().to_owned()));
    }
    if done.pilot {
        detail.push(("pilot", "yes".to_owned()));
    }
    for (month, used) in &done.rates {
        month_rates::remember(&mut change, (&id, *month), used).await?;
    }
    let digests: BTreeSet<String> = done
        .rates
        .values()
        .map(|of| of.digest.to_string())
        .collect();
    if !digests.is_empty() {
        let digests: Vec<String> = digests.into_iter().collect();
        detail.push(("rates", digests.join(",")));
    }
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
    dataset: Dataset,
) -> Result<BTreeMap<Digest, Dictionary>, LoadError> {
    let own = months.iter().filter(|month| month.dataset == dataset);
    let digests: BTreeSet<Digest> = own.map(|month| month.dictionary).collect();
    let mut found = BTreeMap::new();
    for digest in digests {
        let dictionary = dictionaries::by_digest(state, &digest).await?;
        let dictionary = dictionary.ok_or(LoadError::NoDictionary)?;
        found.insert(digest, view(&dictionary, dataset)?.into_owned());
    }
    Ok(found)
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
pub(crate) mod test;
#[cfg(test)]
mod test_doubt;
