//! The register of data-use agreements: who may use what for which purpose, from when to when, by which
//! document. The document itself lies elsewhere; its digest says which it is.

use jiff::civil::Date;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::question::Dataset;
use schemas::shown;
use schemas::time::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite};

use super::{Deciding, LifecycleError};
use crate::store::state::{State, StateError, append};

/// What can be agreed on.
/// Most parties of one agreement.
const PARTIES: usize = 64;

/// A data-use agreement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// Its name, unique for ever.
    pub id: Slug,
    /// Who is bound beside this hospital, 1 to 64.
    pub parties: Vec<Slug>,
    /// What for, 1 to 200 characters on one line.
    pub purpose: String,
    /// What of; `stays`.
    pub datasets: Vec<Slug>,
    /// First day, YYYY-MM-DD (UTC).
    pub from: String,
    /// Last day.
    pub to: String,
    /// SHA-256 of the document.
    pub document: Digest,
}

/// An agreement in the register.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Held {
    /// The agreement.
    pub agreement: Agreement,
    /// Who added it.
    pub added_by: String,
    /// Who ended it before its last day.
    pub ended_by: Option<String>,
    /// When that was.
    pub ended: Option<Timestamp>,
}

impl Held {
    /// Whether it binds at a moment.
    pub fn in_force(&self, at: Timestamp) -> bool {
        let day = jiff::Timestamp::from_second(at.0);
        // Days as they are written stand in the order of time.
        let day = day.map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string());
        let on = |day: String| self.agreement.from <= day && day <= self.agreement.to;
        self.ended.is_none() && day.is_ok_and(on)
    }
}

fn sound(agreement: &Agreement) -> Result<(), LifecycleError> {
    let listed = |set: &Slug| Dataset::named(set.as_str()).is_some();
    let words = agreement.purpose.chars().count();
    let day = |text: &str| text.len() == 10 && text.parse::<Date>().is_ok();
    let rules = [
        (day(&agreement.from), "from", "a day, YYYY-MM-DD"),
        (day(&agreement.to), "to", "a day, YYYY-MM-DD"),
        (
            (1..=PARTIES).contains(&agreement.parties.len()),
            "parties",
            "1 to 64",
        ),
        (
            (1..=200).contains(&words) && shown::is_plain(&agreement.purpose),
            "purpose",
            "1 to 200 characters on one line",
        ),
        (
            !agreement.datasets.is_empty() && agreement.datasets.iter().all(listed),
            "datasets",
            "`stays`",
        ),
        (
            agreement.from <= agreement.to,
            "to",
            "not before the first day",
        ),
    ];
    match rules.into_iter().find(|(holds, ..)| !holds) {
        Some((_, field, rule)) => Err(LifecycleError::Agreement { field, rule }),
        None => Ok(()),
    }
}

/// Adds an agreement; the data officer's to decide.
pub async fn add(
    state: &State,
    by: &Deciding<'_>,
    agreement: &Agreement,
) -> Result<(), LifecycleError> {
    let officer = by.steward()?.name.to_string();
    sound(agreement)?;
    let mut change = state.begin().await?;
    let text = serde_json::to_string(agreement).map_err(|_| StateError::Range)?;
    let kept = sqlx::query(
        "insert into agreements (id, agreement, added_by, at) values ($1, $2, $3, $4) \
         on conflict do nothing",
    )
    .bind(agreement.id.as_str())
    .bind(text)
    .bind(&officer)
    .bind(by.at.0)
    .execute(&mut *change)
    .await?;
    if kept.rows_affected() == 0 {
        return Err(LifecycleError::Known(agreement.id.clone()));
    }
    let digest =
        canonical::digest("consilium-agreement-v1", agreement).map_err(StateError::from)?;
    let detail = [
        ("agreement", agreement.id.to_string()),
        ("from", agreement.from.clone()),
        ("to", agreement.to.clone()),
        ("document", agreement.document.to_string()),
        ("officer", officer),
    ];
    append(&mut change, by.at, "agreement", digest, &detail).await?;
    change.commit().await?;
    Ok(())
}

/// Ends an agreement before its last day.
pub async fn end(state: &State, by: &Deciding<'_>, id: &Slug) -> Result<(), LifecycleError> {
    let officer = by.steward()?.name.to_string();
    let mut change = state.begin().await?;
    let all = read(&mut *change).await?;
    let held = all.into_iter().find(|held| held.agreement.id == *id);
    let held = held.filter(|held| held.ended.is_none());
    let held = held.ok_or_else(|| LifecycleError::NoAgreement(id.clone()))?;
    sqlx::query("update agreements set ended_by = $2, ended = $3 where id = $1")
        .bind(id.as_str())
        .bind(&officer)
        .bind(by.at.0)
        .execute(&mut *change)
        .await?;
    let digest =
        canonical::digest("consilium-agreement-v1", &held.agreement).map_err(StateError::from)?;
    let detail = [("agreement", id.to_string()), ("officer", officer)];
    append(&mut change, by.at, "agreement-end", digest, &detail).await?;
    change.commit().await?;
    Ok(())
}

/// All agreements, in the order in which they were added.
pub async fn list(state: &State) -> Result<Vec<Held>, StateError> {
    read(state.pool()).await
}

/// Whether an agreement on a dataset is in force.
pub async fn in_force<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
    dataset: &str,
    at: Timestamp,
) -> Result<bool, StateError> {
    let all = read(source).await?;
    let on = |held: &Held| {
        held.agreement
            .datasets
            .iter()
            .any(|set| set.as_str() == dataset)
    };
    Ok(all.iter().any(|held| on(held) && held.in_force(at)))
}

async fn read<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
) -> Result<Vec<Held>, StateError> {
    let rows =
        sqlx::query("select agreement, added_by, ended_by, ended from agreements order by at, id")
            .fetch_all(source)
            .await?;
    let held = |row: &SqliteRow| {
        let text: String = row.try_get(0)?;
        Ok(Held {
            agreement: serde_json::from_str(&text).map_err(|_| StateError::Range)?,
            added_by: row.try_get(1)?,
            ended_by: row.try_get(2)?,
            ended: row.try_get::<Option<i64>, _>(3)?.map(Timestamp),
        })
    };
    rows.iter().map(held).collect()
}
