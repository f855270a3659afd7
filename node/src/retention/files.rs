//! The files of retired months: deleted after the change that retired them, by whoever comes first.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use schemas::time::Month;
use serde_json::Value;
use sqlx::Row as _;

use super::RetentionError;
use crate::check::quarantine;
use crate::load::{Lock, remove_folder};
use crate::store::columns::{data_file, ranks_file};
use crate::store::state::{State, StateError};

/// Deletes what is left of retired months; gives how many months of loads that were. Another command that
/// has the lock does it, or the next one.
pub async fn finish(state: &State, data: &Path) -> Result<usize, RetentionError> {
    let left: i64 = sqlx::query_scalar("select count(*) from retired_months where files_left = 1")
        .fetch_one(state.pool())
        .await?;
    if left == 0 {
        return Ok(0);
    }
    let Ok(_lock) = Lock::take(data) else {
        return Ok(0);
    };
    finish_locked(state, data).await
}

pub(super) async fn finish_locked(state: &State, data: &Path) -> Result<usize, RetentionError> {
    let rows = sqlx::query(
        "select r.load_id, r.month, r.folder, (select count(*) from months m where m.load_id = r.load_id) \
         from retired_months r where r.files_left = 1",
    )
    .fetch_all(state.pool())
    .await?;
    for row in &rows {
        let (load, month): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let folder = data.join(PathBuf::from(row.try_get::<String, _>(2)?));
        let others: i64 = row.try_get(3)?;
        if others == 0 {
            remove_folder(data, &load)?;
        } else {
            let month = month.parse().map_err(|_| StateError::Range)?;
            remove_month(&folder, month)?;
        }
        sqlx::query("update retired_months set files_left = 0 where load_id = $1 and month = $2")
            .bind(&load)
            .bind(month)
            .execute(state.pool())
            .await?;
    }
    Ok(rows.len())
}

/// Of a load that has other months: the month's columns, its part of the reports, and the quarantine,
/// which names rows of all months.
fn remove_month(folder: &Path, month: Month) -> io::Result<()> {
    for file in [
        data_file(folder, month),
        ranks_file(folder, month),
        folder.join(quarantine::FILE),
        folder.join("quality.txt"),
        folder.join("deidentification.txt"),
    ] {
        match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    without(&folder.join("quality.json"), month, |report| Some(report))?;
    without(&folder.join("deidentification.json"), month, |report| {
        report.get_mut("months")
    })?;
    File::open(folder)?.sync_all()
}

/// Writes a report anew without a month.
fn without(
    path: &Path,
    month: Month,
    list: impl Fn(&mut Value) -> Option<&mut Value>,
) -> io::Result<()> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    let mut report: Value = serde_json::from_slice(&bytes)?;
    if let Some(months) = list(&mut report).and_then(Value::as_array_mut) {
        let name = month.to_string();
        months.retain(|of| of.get("month").and_then(Value::as_str) != Some(name.as_str()));
    }
    // All months together hold the month's rows too.
    if let Some(whole) = report.get_mut("whole") {
        *whole = Value::Null;
    }
    let beside = path.with_extension("new");
    let file = File::create(&beside)?;
    serde_json::to_writer_pretty(&file, &report)?;
    file.sync_all()?;
    fs::rename(beside, path)
}
