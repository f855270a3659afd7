//! The data officer's sign-off: a staged month becomes an immutable snapshot with a rising release
//! number. A later load of a released month replaces it under a new number (restatement).

mod steps;

pub use steps::step;

use std::path::{Path, PathBuf};

use schemas::answer::Grade;
use schemas::question::Dataset;
use schemas::shown;
use schemas::time::{Month, Timestamp};
use serde::Serialize;

use crate::config::Stewardship;
use crate::lifecycle::{self, LifecycleError, Step};
use crate::load::{LoadError, Lock, remove_folder, subject};
use crate::quality::{Gate, QualityError, graded};
use crate::store::columns::{self, data_file, ranks_file};
use crate::store::loads::{self, LoadedMonth};
use crate::store::marks;
use crate::store::month_rates::{self, RatesUsed};
use crate::store::state::{self, Change, State, StateError};

/// Why a month is not released or a load not discarded.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The state file failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// The lock or the column files failed.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The files are not those that were loaded.
    #[error("the column files of {month} are not those that were loaded; discard and load again")]
    Files {
        /// The month.
        month: Month,
    },
    /// No such month waits for release.
    #[error("nothing of {month} waits for release: it was never loaded, or is released already")]
    Nothing {
        /// The month asked for, or `all`.
        month: String,
    },
    /// Identifiers were found in what the load wrote.
    #[error("identifiers were found in what load `{load}` wrote: it cannot be released")]
    Identifiers {
        /// The load.
        load: String,
    },
    /// The grade is D.
    #[error("{month} has grade D; see its quality report, or release it with --accept-grade-d")]
    GradeD {
        /// The month.
        month: Month,
    },
    /// The quality gate.
    #[error(transparent)]
    Quality(#[from] QualityError),
    /// The order of steps, or a missing agreement.
    #[error(transparent)]
    Lifecycle(#[from] LifecycleError),
    /// The de-identification report is gone.
    #[error(
        "the de-identification report of load `{load}` cannot be read; discard it and load again"
    )]
    Report {
        /// The load.
        load: String,
    },
    /// The officer's name is empty or too long.
    #[error("the officer's name is 1 to 64 characters on one line")]
    Officer,
    /// Nothing of that load is staged.
    #[error("nothing of load `{load}` is staged: it does not exist, or all of it was released")]
    NotStaged {
        /// The load.
        load: String,
    },
}

/// A month as the officer sees it.
#[derive(Clone, Debug, Serialize)]
pub struct MonthState {
    /// What a row of it is.
    pub dataset: Dataset,
    /// The month.
    pub month: Month,
    /// The load that brought it.
    pub load: String,
    /// `staged`, `released` or `restated`.
    pub state: &'static str,
    /// Release number.
    pub release: Option<u32>,
    /// The release that replaced it.
    pub restated_by: Option<u32>,
    /// The grade of its quality report.
    pub grade: Grade,
    /// Rows.
    pub rows: u64,
    /// The rates of an earlier closed month that the stays were costed by, where they were.
    pub rates: Option<RatesUsed>,
}

/// All months of all loads.
pub async fn months(state: &State) -> Result<Vec<MonthState>, StateError> {
    let months = loads::months(state.pool()).await?;
    let mut rates = month_rates::all(state.pool()).await?;
    let shown = |month: LoadedMonth| MonthState {
        state: match (month.release, month.restated_by) {
            (None, _) => "staged",
            (Some(_), None) => "released",
            (Some(_), Some(_)) => "restated",
        },
        dataset: month.dataset,
        month: month.month,
        release: month.release,
        restated_by: month.restated_by,
        grade: month.grade,
        rows: month.rows,
        rates: rates.remove(&(month.load.clone(), month.month)),
        load: month.load,
    };
    Ok(months.into_iter().map(shown).collect())
}

/// The officer's decision.
#[derive(Clone, Debug)]
pub struct SignOff<'a> {
    /// Who.
    pub officer: &'a str,
    /// Whether grade D is accepted.
    pub accept_grade_d: bool,
    /// What it is held to, where the settings ask for a grade.
    pub gate: Option<Gate>,
    /// When.
    pub at: Timestamp,
}

/// Releases the staged load of one month, or of all months (`None`), in one change.
pub async fn release(
    state: &State,
    data: &Path,
    month: Option<Month>,
    by: &SignOff<'_>,
) -> Result<Vec<MonthState>, ReleaseError> {
    release_under(state, data, month, by, &Stewardship::default()).await
}

/// [`release`] under the settings of a hospital.
pub async fn release_under(
    state: &State,
    data: &Path,
    month: Option<Month>,
    by: &SignOff<'_>,
    rules: &Stewardship,
) -> Result<Vec<MonthState>, ReleaseError> {
    named(by)?;
    let _lock = Lock::take(data)?;
    let mut change = state.begin().await?;
    let all = loads::months(&mut *change).await?;
    let asked = |held: &&LoadedMonth| month.is_none_or(|month| month == held.month);
    let waiting: Vec<&LoadedMonth> = all
        .iter()
        .filter(|held| held.release.is_none())
        .filter(asked)
        .collect();
    if waiting.is_empty() {
        let month = month.map_or_else(|| "any month".to_owned(), |month| month.to_string());
        return Err(ReleaseError::Nothing { month });
    }
    let mut grades = Vec::new();
    for held in &waiting {
        let dataset = held.dataset.as_str();
        if rules.needs_agreement && !lifecycle::in_force(&mut *change, dataset, by.at).await? {
            return Err(LifecycleError::NeedsAgreement(dataset).into());
        }
        if rules.each_step {
            let is = lifecycle::stage(&mut *change, held).await?;
            Step::Released.after(held.month, is)?;
        }
        let grade = graded(&mut change, by.gate.as_ref(), held).await?;
        may_release(data, (held, grade), by)?;
        grades.push(grade);
    }
    let last = loads::last_release(&mut change).await?;
    let mut number = last;
    for (held, grade) in waiting.into_iter().zip(grades) {
        number = number.checked_add(1).ok_or(StateError::Range)?;
        record(&mut change, (held, grade), number, by).await?;
    }
    change.commit().await.map_err(StateError::from)?;
    let released = months(state).await?;
    Ok(released
        .into_iter()
        .filter(|month| month.release.is_some_and(|release| release > last))
        .collect())
}

fn named(by: &SignOff<'_>) -> Result<(), ReleaseError> {
    let named = (1..=64).contains(&by.officer.chars().count());
    if named && shown::is_plain(by.officer) {
        Ok(())
    } else {
        Err(ReleaseError::Officer)
    }
}

fn may_release(
    data: &Path,
    (held, grade): (&LoadedMonth, Grade),
    by: &SignOff<'_>,
) -> Result<(), ReleaseError> {
    if held.findings > 0 {
        return Err(ReleaseError::Identifiers {
            load: held.load.clone(),
        });
    }
    if grade == Grade::D && !by.accept_grade_d {
        return Err(ReleaseError::GradeD { month: held.month });
    }
    unchanged(data, held)
}

/// Whether the column files are those that were loaded.
fn unchanged(data: &Path, held: &LoadedMonth) -> Result<(), ReleaseError> {
    let folder = data.join(&held.folder);
    let digest = |path: PathBuf| columns::digest(&path).map_err(LoadError::from);
    let same = digest(data_file(&folder, held.month))? == held.data_digest
        && digest(ranks_file(&folder, held.month))? == held.ranks_digest;
    if !same {
        return Err(ReleaseError::Files { month: held.month });
    }
    Ok(())
}

/// Gives a month its number, marks the release that it replaces, and logs both.
async fn record(
    change: &mut Change,
    (held, grade): (&LoadedMonth, Grade),
    number: u32,
    by: &SignOff<'_>,
) -> Result<(), StateError> {
    let restated = sqlx::query(
        "update months set restated_by = $1 \
         where month = $2 and release is not null and restated_by is null \
         and load_id in (select id from loads where dataset = $3)",
    )
    .bind(i64::from(number))
    .bind(held.month.to_string())
    .bind(held.dataset.as_str())
    .execute(&mut **change)
    .await?
    .rows_affected();
    sqlx::query(
        "update months set release = $1, grade = $4 \
         where load_id = $2 and month = $3 and release is null",
    )
    .bind(i64::from(number))
    .bind(&held.load)
    .bind(held.month.to_string())
    .bind(format!("{grade:?}"))
    .execute(&mut **change)
    .await?;
    // Whoever releases lets the steps before stand that nobody took by themselves.
    let is = lifecycle::stage(&mut **change, held).await?;
    for step in [Step::Validated, Step::Deidentified, Step::Released] {
        if step > is {
            let of = (held.load.as_str(), held.month);
            lifecycle::record(change, of, step, (by.officer, "routine"), by.at).await?;
        }
    }
    let mut detail = vec![
        ("month", held.month.to_string()),
        ("release", number.to_string()),
        ("grade", format!("{grade:?}")),
        ("officer", by.officer.to_owned()),
        ("restates", (restated > 0).to_string()),
    ];
    if held.dataset != Dataset::Stays {
        detail.push(("dataset", held.dataset.as_str().to_owned()));
    }
    state::append(change, by.at, "release", subject(&held.load), &detail).await
}

/// Removes what is staged of a load; months of it that were released stay. A load of which nothing
/// was released is forgotten, so that its file can be loaded again.
pub async fn discard(
    state: &State,
    data: &Path,
    load: &str,
    at: Timestamp,
) -> Result<(), ReleaseError> {
    let _lock = Lock::take(data)?;
    let mut change = state.begin().await?;
    let all = loads::months(&mut *change).await?;
    let own: Vec<&LoadedMonth> = all.iter().filter(|held| held.load == load).collect();
    let staged = own.iter().filter(|held| held.release.is_none());
    let staged: Vec<Month> = staged.map(|held| held.month).collect();
    if staged.is_empty() {
        return Err(ReleaseError::NotStaged {
            load: load.to_owned(),
        });
    }
    let whole = staged.len() == own.len();
    let forget_load = "delete from loads where id = $1 \
                       and not exists (select 1 from months where load_id = $1)";
    for statement in [
        "delete from months where load_id = $1 and release is null",
        "delete from dataset_steps where load_id = $1 and step <> 'retired' \
         and month not in (select month from months where load_id = $1)",
        forget_load,
        "delete from pilot_loads where load_id = $1 \
         and not exists (select 1 from months where load_id = $1)",
    ] {
        sqlx::query(statement)
            .bind(load)
            .execute(&mut *change)
            .await
            .map_err(StateError::from)?;
    }
    // What a view gave to it is read again.
    marks::forget(&mut change, load).await?;
    month_rates::forget(&mut change, load).await?;
    let detail = [("load", load.to_owned())];
    state::append(&mut change, at, "discard", subject(load), &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    // A folder that stays behind is swept when the next load starts.
    if whole {
        remove_folder(data, load).map_err(LoadError::from)?;
    } else {
        for held in own.iter().filter(|held| held.release.is_none()) {
            let folder = data.join(&held.folder);
            for file in [
                data_file(&folder, held.month),
                ranks_file(&folder, held.month),
            ] {
                std::fs::remove_file(file).map_err(LoadError::from)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod test;
