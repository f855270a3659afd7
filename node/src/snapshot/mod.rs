//! The released data that a question is answered on: for every month of the period the newest
//! release, mapped into memory once and kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use schemas::answer::{Grade, Snapshot};
use schemas::digest::Digest;
use schemas::time::{Month, Period};
use sqlx::Row as _;

use crate::scan::Rows;
use crate::store::columns;
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
    folders: Vec<(Month, PathBuf)>,
}

impl Released {
    /// Release numbers, joined by commas: which data an answer was computed on.
    pub fn releases(&self) -> String {
        let numbers: Vec<String> = self.months.iter().map(|m| m.release.to_string()).collect();
        numbers.join(",")
    }
}

/// The newest releases of a period.
pub async fn released(
    state: &State,
    data: &Path,
    period: &Period,
) -> Result<Released, SnapshotError> {
    let rows = sqlx::query(
        "select m.month, m.release, m.grade, m.folder, l.dictionary from months m \
         join loads l on l.id = m.load_id \
         where m.release is not null and m.restated_by is null order by m.month",
    )
    .fetch_all(state.pool())
    .await?;
    let mut released =
        Released { months: Vec::new(), dictionaries: Vec::new(), folders: Vec::new() };
    for row in &rows {
        let month: Month =
            row.try_get::<String, _>(0)?.parse().map_err(|_| SnapshotError::Damaged)?;
        if !period.contains(month) {
            continue;
        }
        let release = u32::try_from(row.try_get::<i64, _>(1)?).map_err(|_| SnapshotError::Damaged)?;
        let grade = grade(&row.try_get::<String, _>(2)?).ok_or(SnapshotError::Damaged)?;
        let dictionary: Digest =
            row.try_get::<String, _>(4)?.parse().map_err(|_| SnapshotError::Damaged)?;
        released.months.push(Snapshot { month, release, grade });
        released.folders.push((month, data.join(row.try_get::<String, _>(3)?)));
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

/// Mapped months. Column files are immutable, so what was opened once stays valid.
#[derive(Debug, Default)]
pub struct Cache {
    open: Mutex<BTreeMap<PathBuf, Arc<Vec<Rows>>>>,
}

impl Cache {
    /// The rows of all released months of a period; their digests are checked at first opening.
    pub fn rows(&self, released: &Released) -> Result<Vec<Rows>, SnapshotError> {
        let mut all = Vec::new();
        for (month, folder) in &released.folders {
            all.extend(self.month(*month, folder)?.iter().cloned());
        }
        Ok(all)
    }

    fn month(&self, month: Month, folder: &Path) -> Result<Arc<Vec<Rows>>, SnapshotError> {
        let key = folder.join(month.to_string());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rows) = open.get(&key) {
            return Ok(Arc::clone(rows));
        }
        let damaged = || SnapshotError::Columns(month);
        let batches = columns::open(folder, month).map_err(|_| damaged())?;
        let rows: Option<Vec<Rows>> = batches
            .iter()
            .map(|(batch, ranks)| Rows::from_batches(month, batch, ranks))
            .collect();
        let rows = Arc::new(rows.ok_or_else(damaged)?);
        open.insert(key, Arc::clone(&rows));
        Ok(rows)
    }
}
