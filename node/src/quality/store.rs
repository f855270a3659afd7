//! The tables `quality_runs` and `quality_findings`.

use policies::quality::{Known, QualityRules, Report, State as Stands, report};
use schemas::canonical;
use schemas::digest::Digest;
use schemas::time::{Month, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite};

use super::{QualityError, plain};
use crate::store::state::{Change, State, StateError, append};

/// The last run of a dataset and month.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) dataset: String,
    pub(super) month: Month,
    pub(super) load: String,
    pub(super) rules: QualityRules,
    pub(super) rows: u64,
    pub(super) timeliness: u8,
    pub(super) provisional: bool,
    pub(super) at: Timestamp,
}

/// Where a dataset and month stands: its report, what it follows from, and the digest of both.
#[derive(Clone, Debug, Serialize)]
pub struct Standing {
    /// The load that was examined.
    pub load: String,
    /// Scores and grade.
    pub report: Report,
    /// All findings.
    pub known: Vec<Known>,
    /// What a signature fits.
    pub digest: Digest,
    /// When it was examined.
    pub at: Timestamp,
}

impl Standing {
    fn of(run: &Run, known: Vec<Known>) -> Result<Self, StateError> {
        let numbers = (run.rows, run.timeliness, run.provisional);
        let report = report(&run.rules, (&run.dataset, run.month), numbers, &known);
        let digest = canonical::digest("consilium-quality-v1", &(&run.load, &report, &known))?;
        Ok(Self {
            load: run.load.clone(),
            report,
            known,
            digest,
            at: run.at,
        })
    }
}

/// Keeps a run and its findings in place of the last ones.
pub(super) async fn keep(
    change: &mut Change,
    run: Run,
    known: Vec<Known>,
) -> Result<Standing, QualityError> {
    let count = |value: u64| i64::try_from(value).map_err(|_| StateError::Range);
    sqlx::query(
        "insert into quality_runs (dataset, month, load_id, rules, rows, timeliness, provisional, at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (dataset, month) do update set \
         load_id = $3, rules = $4, rows = $5, timeliness = $6, provisional = $7, at = $8",
    )
    .bind(&run.dataset)
    .bind(run.month.to_string())
    .bind(&run.load)
    .bind(text(&run.rules)?)
    .bind(count(run.rows)?)
    .bind(i64::from(run.timeliness))
    .bind(i64::from(run.provisional))
    .bind(run.at.0)
    .execute(&mut **change)
    .await?;
    for one in &known {
        put(change, one, run.at).await?;
    }
    Ok(Standing::of(&run, known)?)
}

async fn put(change: &mut Change, one: &Known, at: Timestamp) -> Result<(), StateError> {
    sqlx::query(
        "insert into quality_findings (id, dataset, month, known, first_at, at) \
         values ($1, $2, $3, $4, $5, $5) on conflict (id) do update set known = $4, at = $5",
    )
    .bind(one.finding.id())
    .bind(&one.finding.dataset)
    .bind(one.finding.month.to_string())
    .bind(text(one)?)
    .bind(at.0)
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// The findings of a dataset and month.
pub(super) async fn known<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
    dataset: &str,
    month: Month,
) -> Result<Vec<Known>, StateError> {
    let rows = sqlx::query(
        "select known from quality_findings where dataset = $1 and month = $2 order by id",
    )
    .bind(dataset)
    .bind(month.to_string())
    .fetch_all(source)
    .await?;
    rows.iter().map(|row| parse(row, 0)).collect()
}

/// Where a dataset and month stands; nothing before its first run.
pub async fn standing(
    change: &mut sqlx::SqliteConnection,
    dataset: &str,
    month: Month,
) -> Result<Option<Standing>, StateError> {
    let row = sqlx::query(
        "select load_id, rules, rows, timeliness, provisional, at from quality_runs \
         where dataset = $1 and month = $2",
    )
    .bind(dataset)
    .bind(month.to_string())
    .fetch_optional(&mut *change)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let run = Run {
        dataset: dataset.to_owned(),
        month,
        load: row.try_get(0)?,
        rules: parse(&row, 1)?,
        rows: u64::try_from(row.try_get::<i64, _>(2)?).map_err(|_| StateError::Range)?,
        timeliness: u8::try_from(row.try_get::<i64, _>(3)?).map_err(|_| StateError::Range)?,
        provisional: row.try_get::<i64, _>(4)? != 0,
        at: Timestamp(row.try_get(5)?),
    };
    let known = known(&mut *change, dataset, month).await?;
    Standing::of(&run, known).map(Some)
}

/// The rules of the last run of a dataset and month, and whether it left figures provisional; nothing before the
/// first.
pub async fn ruled(
    state: &State,
    dataset: &str,
    month: Month,
) -> Result<Option<(QualityRules, bool)>, StateError> {
    let row = sqlx::query(
        "select rules, provisional from quality_runs where dataset = $1 and month = $2",
    )
    .bind(dataset)
    .bind(month.to_string())
    .fetch_optional(state.pool())
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some((parse(&row, 0)?, row.try_get::<i64, _>(1)? != 0)))
}

/// Every dataset and month that was examined, by month.
pub async fn list(state: &State) -> Result<Vec<Standing>, StateError> {
    let mut connection = state.pool().acquire().await?;
    let rows = sqlx::query("select dataset, month from quality_runs order by month, dataset desc")
        .fetch_all(&mut *connection)
        .await?;
    let mut all = Vec::new();
    for row in rows {
        let (dataset, month): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let month = month.parse().map_err(|_| StateError::Range)?;
        all.extend(standing(&mut connection, &dataset, month).await?);
    }
    Ok(all)
}

/// All findings, of one month where it is named, by month and id.
pub async fn findings(state: &State, month: Option<Month>) -> Result<Vec<Known>, StateError> {
    let rows = sqlx::query("select known from quality_findings order by month, dataset desc, id")
        .fetch_all(state.pool())
        .await?;
    let all: Result<Vec<Known>, StateError> = rows.iter().map(|row| parse(row, 0)).collect();
    let asked = |one: &Known| month.is_none_or(|month| month == one.finding.month);
    Ok(all?.into_iter().filter(asked).collect())
}

/// Waives an open finding: somebody answers for it, by name and with a reason. More rows open it again.
pub async fn waive(
    state: &State,
    id: &str,
    (by, reason): (&str, &str),
    now: Timestamp,
) -> Result<Known, QualityError> {
    if !plain(by, 64) {
        return Err(QualityError::Name);
    }
    if !plain(reason, 200) {
        return Err(QualityError::Reason);
    }
    let shown = schemas::shown::line(id).into_owned();
    let mut change = state.begin().await?;
    let row = sqlx::query("select known from quality_findings where id = $1")
        .bind(id)
        .fetch_optional(&mut *change)
        .await?;
    let row = row.ok_or_else(|| QualityError::Unknown(shown.clone()))?;
    let mut one: Known = parse(&row, 0)?;
    if one.state != Stands::Open {
        return Err(QualityError::NotOpen(shown));
    }
    one.state = Stands::Waived {
        by: by.to_owned(),
        reason: reason.to_owned(),
        rows: one.finding.rows,
    };
    put(&mut change, &one, now).await?;
    let subject = Digest::of("consilium-finding-v1", &[id.as_bytes()]);
    let detail = [
        ("finding", id.to_owned()),
        ("month", one.finding.month.to_string()),
        ("rule", one.finding.rule.to_string()),
        ("by", by.to_owned()),
    ];
    append(&mut change, now, "quality-waive", subject, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(one)
}

pub(super) fn text(value: &impl Serialize) -> Result<String, StateError> {
    serde_json::to_string(value).map_err(|_| StateError::Range)
}

pub(super) fn parse<T: DeserializeOwned>(row: &SqliteRow, at: usize) -> Result<T, StateError> {
    let text: String = row.try_get(at)?;
    serde_json::from_str(&text).map_err(|_| StateError::Range)
}
