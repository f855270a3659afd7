//! The released data that a question is answered on: for every month of the period the newest
//! release, mapped into memory once and kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use schemas::answer::{Counted, Grade, Snapshot, Span};
use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::question::Dataset;
use schemas::time::{Month, Period};
use sqlx::Row as _;

use crate::engine::Part;
use crate::scan::Rows;
use crate::store::columns;
use crate::store::columns::MonthColumns;
use crate::store::state::{State, StateError};

/// Why released data could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The state file failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// A column file is missing, damaged or of another form.
    #[error("the columns of {0} cannot be read; run `consilium-node doctor` or restore a backup")]
    Columns(Month),
    /// A stored grade or month is damaged.
    #[error("the list of releases is damaged")]
    Damaged,
}

impl From<sqlx::Error> for SnapshotError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(StateError::Database(error))
    }
}

/// Released months, ready to be scanned.
#[derive(Clone, Debug)]
pub struct Released {
    /// What an answer says about them.
    pub months: Vec<Snapshot>,
    /// Digests of the dictionaries that coded them, without repeats.
    pub dictionaries: Vec<Digest>,
    files: Vec<Files>,
}

impl Released {
    /// The same months as the hospital's engine knows them.
    pub fn parts(&self) -> Vec<Part> {
        let part = |files: &Files| {
            let [data, ranks] = &files.digests;
            let digests = [data.as_str(), ranks.as_str()];
            Part::new(files.dataset, files.month, digests, files.rows)
        };
        self.files.iter().map(part).collect()
    }
}

/// The column files of a month, and what their content must be.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Files {
    dataset: Dataset,
    month: Month,
    folder: PathBuf,
    digests: [String; 2],
    rows: u64,
}

/// The newest releases of stays in a period.
pub async fn released(
    state: &State,
    data: &Path,
    period: &Period,
) -> Result<Released, SnapshotError> {
    released_of(state, data, (Dataset::Stays, period)).await
}

/// The newest releases of a dataset in a period.
pub async fn released_of(
    state: &State,
    data: &Path,
    (dataset, period): (Dataset, &Period),
) -> Result<Released, SnapshotError> {
    let rows = sqlx::query(
        "select m.month, m.release, m.grade, m.folder, l.dictionary, m.data_digest, \
         m.ranks_digest, l.unit, l.span, p.load_id is not null, m.rows from months m \
         join loads l on l.id = m.load_id left join pilot_loads p on p.load_id = l.id \
         where m.release is not null and m.restated_by is null and l.dataset = $1 order by m.month",
    )
    .bind(dataset.as_str())
    .fetch_all(state.pool())
    .await?;
    let mut released = Released {
        months: Vec::new(),
        dictionaries: Vec::new(),
        files: Vec::new(),
    };
    for row in &rows {
        let month: Month = row
            .try_get::<String, _>(0)?
            .parse()
            .map_err(|_| SnapshotError::Damaged)?;
        if !period.contains(month) {
            continue;
        }
        let release =
            u32::try_from(row.try_get::<i64, _>(1)?).map_err(|_| SnapshotError::Damaged)?;
        let grade = grade(&row.try_get::<String, _>(2)?).ok_or(SnapshotError::Damaged)?;
        let dictionary: Digest = row
            .try_get::<String, _>(4)?
            .parse()
            .map_err(|_| SnapshotError::Damaged)?;
        let counted = match row.try_get::<String, _>(7)?.as_str() {
            "patient" => Counted::Patient,
            "row" => Counted::Stay,
            _ => return Err(SnapshotError::Damaged),
        };
        let span = match row.try_get::<String, _>(8)?.as_str() {
            "month" => Span::Month,
            "year" => Span::Year,
            _ => return Err(SnapshotError::Damaged),
        };
        released.months.push(Snapshot {
            month,
            release,
            grade,
            counted,
            span,
            pilot: row.try_get(9)?,
        });
        released.files.push(Files {
            dataset,
            month,
            folder: data.join(row.try_get::<String, _>(3)?),
            digests: [row.try_get(5)?, row.try_get(6)?],
            rows: u64::try_from(row.try_get::<i64, _>(10)?).map_err(|_| SnapshotError::Damaged)?,
        });
        if !released.dictionaries.contains(&dictionary) {
            released.dictionaries.push(dictionary);
        }
    }
    Ok(released)
}

fn grade(text: &str) -> Option<Grade> {
    match text {
        "A" => Some(Grade::A),
        "B" => Some(Grade::B),
        "C" => Some(Grade::C),
        "D" => Some(Grade::D),
        _ => None,
    }
}

/// Mapped months, one release of each dataset. Column files are immutable, so what was opened once stays
/// valid until a question is about another release of the month, which then takes its place.
#[derive(Debug, Default)]
pub struct Cache {
    open: Mutex<BTreeMap<(Dataset, Month), Mapped>>,
}

/// A mapped month: which files, scaled by which dictionary.
#[derive(Debug)]
struct Mapped {
    files: Files,
    dictionary: Digest,
    rows: Arc<Vec<Rows>>,
}

impl Cache {
    /// The rows of all released months of a period; their digests are checked at first opening.
    pub fn rows(
        &self,
        released: &Released,
        dictionary: &Dictionary,
    ) -> Result<Vec<Rows>, SnapshotError> {
        let scaled_by = dictionary.digest().map_err(|_| SnapshotError::Damaged)?;
        // What was retired is let go, so that its disk space is free too.
        let there = |mapped: &Mapped| {
            columns::data_file(&mapped.files.folder, mapped.files.month).is_file()
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, mapped| there(mapped));
        drop(open);
        let mut all = Vec::new();
        for files in &released.files {
            let of = dictionary.of(files.dataset);
            let of = of.ok_or(SnapshotError::Damaged)?;
            all.extend(self.month(files, &of, scaled_by)?.iter().cloned());
        }
        Ok(all)
    }

    fn month(
        &self,
        files: &Files,
        dictionary: &Dictionary,
        scaled_by: Digest,
    ) -> Result<Arc<Vec<Rows>>, SnapshotError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mapped) = open.get(&(files.dataset, files.month))
            && mapped.files == *files
            && mapped.dictionary == scaled_by
        {
            return Ok(Arc::clone(&mapped.rows));
        }
        let damaged = || SnapshotError::Columns(files.month);
        let paths = [
            columns::data_file(&files.folder, files.month),
            columns::ranks_file(&files.folder, files.month),
        ];
        for (path, expected) in paths.iter().zip(&files.digests) {
            if columns::digest(path).map_err(|_| damaged())? != *expected {
                return Err(damaged());
            }
        }
        let month = MonthColumns::open(&files.folder, files.month).map_err(|_| damaged())?;
        let rows: Option<Vec<Rows>> = month
            .batches()
            .iter()
            .map(|batch| {
                let (columns, ranks) = batch.parts();
                Some(Rows::from_batches(files.month, columns, ranks)?.made_ready(dictionary))
            })
            .collect();
        let rows = Arc::new(rows.ok_or_else(damaged)?);
        let mapped = Mapped {
            files: files.clone(),
            dictionary: scaled_by,
            rows: Arc::clone(&rows),
        };
        drop(open.insert((files.dataset, files.month), mapped));
        Ok(rows)
    }
}

#[cfg(test)]
mod test;
