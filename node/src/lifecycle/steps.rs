//! The table `dataset_steps`: which steps were taken, by whom, why.

use schemas::time::{Month, Timestamp};
use serde::Serialize;
use sqlx::{Row as _, Sqlite};

use super::Step;
use crate::store::loads::LoadedMonth;
use crate::store::state::{Change, State, StateError};

/// A step that was taken.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Taken {
    /// The load.
    pub load: String,
    /// The month.
    pub month: Month,
    /// The step.
    pub step: Step,
    /// Who.
    pub officer: String,
    /// Why, in one of the node's own words.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// Where a month of a load stands.
pub async fn stage<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
    held: &LoadedMonth,
) -> Result<Step, StateError> {
    let rows = sqlx::query("select step from dataset_steps where load_id = $1 and month = $2")
        .bind(&held.load)
        .bind(held.month.to_string())
        .fetch_all(source)
        .await?;
    // A month that was released before steps were kept is released.
    let mut stage = if held.release.is_some() {
        Step::Released
    } else {
        Step::Loaded
    };
    for row in rows {
        stage = stage.max(step(&row.try_get::<String, _>(0)?)?);
    }
    Ok(stage)
}

fn step(word: &str) -> Result<Step, StateError> {
    let found = Step::ALL.into_iter().find(|step| step.as_str() == word);
    found.ok_or(StateError::Range)
}

/// Writes down a step that was checked; part of the change that takes it.
pub async fn record(
    change: &mut Change,
    (load, month): (&str, Month),
    step: Step,
    (officer, why): (&str, &str),
    at: Timestamp,
) -> Result<(), StateError> {
    sqlx::query(
        "insert into dataset_steps (load_id, month, step, officer, why, at) \
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(load)
    .bind(month.to_string())
    .bind(step.as_str())
    .bind(officer)
    .bind(why)
    .bind(at.0)
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// All steps of all loads, by month and time.
pub async fn of(state: &State) -> Result<Vec<Taken>, StateError> {
    let rows = sqlx::query(
        "select load_id, month, step, officer, why, at from dataset_steps order by month, load_id, at, step",
    )
    .fetch_all(state.pool())
    .await?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let month: String = row.try_get(1)?;
        Ok(Taken {
            load: row.try_get(0)?,
            month: month.parse().map_err(|_| StateError::Range)?,
            step: step(&row.try_get::<String, _>(2)?)?,
            officer: row.try_get(3)?,
            why: row.try_get(4)?,
            at: Timestamp(row.try_get(5)?),
        })
    };
    rows.iter().map(read).collect()
}
