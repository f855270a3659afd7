//! What a hospital no longer keeps: months past the retention of its settings, or one that it retires on
//! request. First a list of what would go, then one change that takes it out of the state file, then the
//! files. After a crash either everything is there or the next command finishes: the change says which
//! files are still to go. Answers, charges, uploads and the log stay for ever; they hold no row.

mod files;
mod plan;
#[cfg(test)]
mod test;

pub use files::finish;
pub use plan::{Going, Plan, Which, plan};

use std::path::Path;

use schemas::id::Slug;
use schemas::time::{Month, Timestamp};

use crate::config::WARNINGS_PAGE;
use crate::lifecycle::{Deciding, LifecycleError, Step, record, stage};
use crate::load::{LoadError, Lock, subject};
use crate::store::loads::{self, LoadedMonth};
use crate::store::state::{Change, State, StateError, append};

/// Why nothing is retired.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// Nothing of it is there.
    #[error("nothing is to be retired")]
    Nothing,
    /// The list is another one than what was confirmed.
    #[error("what would go is not what `{0}` stands for; read the list again and confirm its word")]
    Other(String),
    /// Who, or the order of steps.
    #[error(transparent)]
    Lifecycle(#[from] LifecycleError),
    /// The lock.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
    /// The files. What is left of them goes with the next command.
    #[error(
        "files of retired months could not be deleted; the next load or `dataset retention` goes on"
    )]
    Files(#[from] std::io::Error),
}

impl From<sqlx::Error> for RetentionError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(StateError::Database(error))
    }
}

/// Retires what the plan lists, if it is still the plan whose word was confirmed. Gives the plan.
pub async fn retire(
    state: &State,
    data: &Path,
    which: Which,
    confirmed: &str,
    by: &Deciding<'_>,
) -> Result<Plan, RetentionError> {
    let _lock = Lock::take(data)?;
    let plan = decide(state, data, which, confirmed, by).await?;
    files::finish_locked(state, data).await?;
    // Where somebody reads for longer than it waits, the end of the next command does it.
    let _settled = state.settle().await?;
    Ok(plan)
}

/// The part in the state file: from here on the months are retired, whatever happens.
async fn decide(
    state: &State,
    data: &Path,
    which: Which,
    confirmed: &str,
    by: &Deciding<'_>,
) -> Result<Plan, RetentionError> {
    let officer = by.steward()?.name.clone();
    let mut change = state.begin().await?;
    let held = loads::months(&mut *change).await?;
    let plan = plan::of(&mut change, data, which, (&held, by.at)).await?;
    if plan.months.is_empty() {
        return Err(RetentionError::Nothing);
    }
    if plan.word() != confirmed {
        return Err(RetentionError::Other(confirmed.to_owned()));
    }
    for going in &plan.months {
        let month = going.month;
        for held in held.iter().filter(|held| held.month == month) {
            // What is past retention goes wherever it stands; on request what was released goes.
            if matches!(which, Which::Month(_)) {
                let is = stage(&mut *change, held).await?;
                Step::Retired.after(month, is)?;
            }
            take_out(&mut change, held, (&officer, which.why()), by.at).await?;
        }
        forget(&mut change, month).await?;
        let releases: Vec<String> = going.releases.iter().map(u32::to_string).collect();
        let detail = [
            ("month", month.to_string()),
            ("releases", releases.join(",")),
            ("officer", officer.to_string()),
            ("why", which.why().to_owned()),
        ];
        append(
            &mut change,
            by.at,
            "retire",
            subject(&month.to_string()),
            &detail,
        )
        .await?;
    }
    // The page may show warnings of these months; without it nothing is lost.
    match std::fs::remove_file(data.join(WARNINGS_PAGE)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    change.commit().await?;
    Ok(plan)
}

async fn take_out(
    change: &mut Change,
    held: &LoadedMonth,
    (officer, why): (&Slug, &str),
    at: Timestamp,
) -> Result<(), StateError> {
    sqlx::query(
        "insert into retired_months (load_id, month, release, folder, files_left, at) \
         values ($1, $2, $3, $4, 1, $5)",
    )
    .bind(&held.load)
    .bind(held.month.to_string())
    .bind(held.release.map(i64::from))
    .bind(held.folder.to_string_lossy().into_owned())
    .bind(at.0)
    .execute(&mut **change)
    .await?;
    sqlx::query("delete from months where load_id = $1 and month = $2")
        .bind(&held.load)
        .bind(held.month.to_string())
        .execute(&mut **change)
        .await?;
    let of = (held.load.as_str(), held.month);
    record(change, of, Step::Retired, (officer.as_str(), why), at).await
}

/// What rests on a month's rows and ledgers beside its columns.
async fn forget(change: &mut Change, month: Month) -> Result<(), StateError> {
    for table in plan::RESTING {
        sqlx::query(table.delete)
            .bind(month.to_string())
            .execute(&mut **change)
            .await?;
    }
    Ok(())
}
