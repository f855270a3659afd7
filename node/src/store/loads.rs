//! What was loaded and released: the tables `loads` and `months`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use schemas::answer::Grade;
use schemas::digest::Digest;
use schemas::question::Dataset;
use schemas::time::{DataYear, Month};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite};

use super::state::{Change, StateError};

/// One month of one load.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoadedMonth {
    /// The load.
    pub load: String,
    /// What a row of it is.
    pub dataset: Dataset,
    /// The month.
    pub month: Month,
    /// Its folder, below the data folder.
    pub folder: PathBuf,
    /// Digest of the dictionary that coded it.
    pub dictionary: Digest,
    /// What counts as a patient: `patient` (a key of the source) or `row`.
    pub unit: String,
    /// Rows; it stays at the node.
    pub rows: u64,
    /// The grade that the load's quality report came to; of a released month that of its release.
    pub grade: Grade,
    /// Identifiers found in what the load wrote; any blocks the release.
    pub findings: u64,
    /// BLAKE3 of the data file.
    pub data_digest: String,
    /// BLAKE3 of the ranks file.
    pub ranks_digest: String,
    /// Its release number; `None` while staged.
    pub release: Option<u32>,
    /// The release that replaced it.
    pub restated_by: Option<u32>,
}

impl LoadedMonth {
    /// Whether it is staged or released and not replaced.
    pub fn is_current(&self) -> bool {
        self.restated_by.is_none()
    }
}

/// A load to be registered.
#[derive(Debug)]
pub struct NewLoad<'a> {
    /// Its name.
    pub id: &'a str,
    /// BLAKE3 of the source file.
    pub file_digest: &'a str,
    /// What a row of it is.
    pub dataset: Dataset,
    /// Digest of the dictionary.
    pub dictionary: Digest,
    /// What counts as a patient.
    pub unit: &'a str,
    /// What a month of it holds: `month` or `year`.
    pub span: &'a str,
    /// Whether it holds some departments' stays only.
    pub pilot: bool,
    /// Rows kept.
    pub kept: u64,
    /// Rows in quarantine.
    pub quarantined: u64,
    /// Identifiers found in what the load wrote.
    pub findings: u64,
}

const SELECT: &str = "select m.load_id, m.month, m.folder, l.dictionary, m.rows, \
     coalesce(m.grade, m.quality), \
     l.findings, m.data_digest, m.ranks_digest, m.release, m.restated_by, l.unit, l.dataset \
     from months m join loads l on l.id = m.load_id \
     order by m.month, l.dataset <> 'stays', l.dataset, m.release is null, m.release, m.load_id";

/// All months of all loads, by month; within one by dataset, stays first, then by release, the
/// staged one last.
pub async fn months<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
) -> Result<Vec<LoadedMonth>, StateError> {
    let rows = sqlx::query(SELECT).fetch_all(source).await?;
    rows.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> Result<LoadedMonth, StateError> {
    let number = |value: Option<i64>| {
        let number = value.map(u32::try_from).transpose();
        number.map_err(|_| StateError::Range)
    };
    let count = |value: i64| u64::try_from(value).map_err(|_| StateError::Range);
    let month: String = row.try_get(1)?;
    let dictionary: String = row.try_get(3)?;
    let grade: String = row.try_get(5)?;
    let dataset: String = row.try_get(12)?;
    Ok(LoadedMonth {
        dataset: Dataset::named(&dataset).ok_or(StateError::Range)?,
        load: row.try_get(0)?,
        month: month.parse().map_err(|_| StateError::Range)?,
        folder: PathBuf::from(row.try_get::<String, _>(2)?),
        dictionary: dictionary.parse().map_err(|_| StateError::Range)?,
        rows: count(row.try_get(4)?)?,
        grade: grade_of(&grade).ok_or(StateError::Range)?,
        findings: count(row.try_get(6)?)?,
        data_digest: row.try_get(7)?,
        ranks_digest: row.try_get(8)?,
        release: number(row.try_get(9)?)?,
        restated_by: number(row.try_get(10)?)?,
        unit: row.try_get(11)?,
    })
}

/// Writes a load and its months; part of the change that logs it.
pub async fn register(
    change: &mut Change,
    load: &NewLoad<'_>,
    months: &[LoadedMonth],
    at: i64,
) -> Result<(), StateError> {
    let count = |value: u64| i64::try_from(value).map_err(|_| StateError::Range);
    sqlx::query(
        "insert into loads (id, file_digest, dataset, dictionary, rows_kept, rows_quarantined, \
         findings, at, unit, span) values ($1, $2, $10, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(load.id)
    .bind(load.file_digest)
    .bind(load.dictionary.to_string())
    .bind(count(load.kept)?)
    .bind(count(load.quarantined)?)
    .bind(count(load.findings)?)
    .bind(at)
    .bind(load.unit)
    .bind(load.span)
    .bind(load.dataset.as_str())
    .execute(&mut **change)
    .await?;
    if load.pilot {
        sqlx::query("insert into pilot_loads (load_id) values ($1)")
            .bind(load.id)
            .execute(&mut **change)
            .await?;
    }
    for month in months {
        sqlx::query(
            "insert into months (load_id, month, folder, rows, quality, data_digest, \
             ranks_digest) values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(load.id)
        .bind(month.month.to_string())
        .bind(month.folder.to_string_lossy().into_owned())
        .bind(count(month.rows)?)
        .bind(format!("{:?}", month.grade))
        .bind(&month.data_digest)
        .bind(&month.ranks_digest)
        .execute(&mut **change)
        .await?;
    }
    Ok(())
}

/// The highest release number that was ever given; 0 before the first.
pub async fn last_release(change: &mut Change) -> Result<u32, StateError> {
    let last: i64 = sqlx::query_scalar(
        "select coalesce(max(release), 0) from (select release from months \
         union all select release from retired_months) as given",
    )
    .fetch_one(&mut **change)
    .await?;
    u32::try_from(last).map_err(|_| StateError::Range)
}

/// Data years of which a month was retired.
pub async fn retired_years(change: &mut Change) -> Result<BTreeSet<DataYear>, StateError> {
    let rows = sqlx::query("select distinct month from retired_months")
        .fetch_all(&mut **change)
        .await?;
    let year = |row: &SqliteRow| {
        let month: String = row.try_get(0)?;
        let month: Month = month.parse().map_err(|_| StateError::Range)?;
        Ok(month.year())
    };
    rows.iter().map(year).collect()
}

/// The load that brought a file, by the file's digest.
pub async fn by_file<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
    file_digest: &str,
) -> Result<Option<String>, StateError> {
    let row = sqlx::query("select id from loads where file_digest = $1")
        .bind(file_digest)
        .fetch_optional(source)
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// The check value of a data year's pseudonym key, where data depend on it.
pub async fn key_check<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
) -> Result<Vec<(u16, String)>, StateError> {
    let rows = sqlx::query("select year, check_value from pseudonym_keys")
        .fetch_all(source)
        .await?;
    let read = |row: &SqliteRow| {
        let year = u16::try_from(row.try_get::<i64, _>(0)?).map_err(|_| StateError::Range)?;
        Ok((year, row.try_get(1)?))
    };
    rows.iter().map(read).collect()
}

/// Remembers the check value of a data year's pseudonym key.
pub async fn remember_key(change: &mut Change, year: u16, check: &str) -> Result<(), StateError> {
    sqlx::query(
        "insert into pseudonym_keys (year, check_value) values ($1, $2) on conflict do nothing",
    )
    .bind(i64::from(year))
    .bind(check)
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// The grade of that letter.
pub fn grade_of(letter: &str) -> Option<Grade> {
    match letter {
        "A" => Some(Grade::A),
        "B" => Some(Grade::B),
        "C" => Some(Grade::C),
        "D" => Some(Grade::D),
        _ => None,
    }
}
