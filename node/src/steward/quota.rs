//! How often the alliance asks: a soft limit a minute, a hard one a week, and questions that look
//! like earlier ones.

use policies::rules::Quota;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::question::Question;
use schemas::round::Round;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::{StewardError, lock};
use crate::store::state::{Change, State, append};

const MINUTE: i64 = 60;
const WEEK: i64 = 7 * 86_400;

/// Whether a round may be looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admitted {
    /// Yes.
    Yes,
    /// The node is locked.
    Locked,
    /// Too many rounds in this minute.
    Busy,
    /// Too many rounds in this week.
    OverQuota,
}

/// An earlier question like one that is asked now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Similar {
    /// Its digest.
    pub question: Digest,
    /// When it was asked.
    pub at: Timestamp,
}

/// What near-duplicates share: tables and measures, whatever the period, the filter and the price.
fn shape(question: &Question) -> Result<Digest, StewardError> {
    let tables: Vec<_> = question
        .tables
        .iter()
        .map(|table| {
            let measures: Vec<_> = table.blocks.iter().map(|block| &block.measure).collect();
            (&table.by, measures)
        })
        .collect();
    Ok(canonical::digest("consilium-shape-v1", &tables)?)
}

/// Counts a round the first time it is seen and says whether it may be looked at. A round that was
/// admitted once stays so: a node that was stopped goes on where it was.
pub async fn admit(
    state: &State,
    quota: &Quota,
    (round, digest): (&Round, Digest),
    now: Timestamp,
) -> Result<Admitted, StewardError> {
    if lock::locked(state).await?.is_some_and(|lock| lock.locked) {
        return Ok(Admitted::Locked);
    }
    let known = sqlx::query("select 1 from questions where round = $1")
        .bind(digest.to_string())
        .fetch_optional(state.pool())
        .await?;
    if known.is_some() {
        return Ok(Admitted::Yes);
    }
    let mut change = state.begin().await?;
    if since(&mut change, now, WEEK).await? >= i64::from(quota.per_week) {
        return Ok(Admitted::OverQuota);
    }
    if since(&mut change, now, MINUTE).await? >= i64::from(quota.per_minute) {
        return Ok(Admitted::Busy);
    }
    let free = round.template.is_none();
    sqlx::query(
        "insert into questions (round, question, shape, free, at) values ($1, $2, $3, $4, $5)",
    )
    .bind(digest.to_string())
    .bind(round.question.digest()?.to_string())
    .bind(shape(&round.question)?.to_string())
    .bind(i64::from(free))
    .bind(now.0)
    .execute(&mut *change)
    .await?;
    change.commit().await?;
    if free && !similar_to(state, &round.question, now).await?.is_empty() {
        suspect(state, quota, digest, now).await?;
    }
    Ok(Admitted::Yes)
}

async fn since(change: &mut Change, now: Timestamp, seconds: i64) -> Result<i64, StewardError> {
    let row = sqlx::query("select count(*) from questions where at > $1")
        .bind(now.0.saturating_sub(seconds))
        .fetch_one(&mut **change)
        .await?;
    Ok(row.try_get(0)?)
}

/// Earlier free questions of the last week with the same tables and measures.
async fn similar_to(
    state: &State,
    question: &Question,
    now: Timestamp,
) -> Result<Vec<Similar>, StewardError> {
    let all = similar(state, question).await?;
    let recent = |similar: &Similar| similar.at.0 > now.0.saturating_sub(WEEK);
    Ok(all.into_iter().filter(recent).collect())
}

/// All earlier questions with the same tables and measures that differ in period or filter.
pub async fn similar(state: &State, question: &Question) -> Result<Vec<Similar>, StewardError> {
    let rows = sqlx::query(
        "select question, min(at) from questions where shape = $1 and question <> $2 \
         group by question order by min(at), question",
    )
    .bind(shape(question)?.to_string())
    .bind(question.digest()?.to_string())
    .fetch_all(state.pool())
    .await?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let digest: String = row.try_get(0)?;
        Ok(Similar {
            question: digest
                .parse()
                .map_err(|_| crate::store::state::StateError::Range)?,
            at: Timestamp(row.try_get(1)?),
        })
    };
    rows.iter().map(read).collect()
}

/// Marks a round as refused or as a near-duplicate; after so many since the last unlock, and in a
/// week, the node locks itself.
pub async fn suspect(
    state: &State,
    quota: &Quota,
    round: Digest,
    now: Timestamp,
) -> Result<(), StewardError> {
    let mut change = state.begin().await?;
    let marked = sqlx::query("update questions set suspect = 1 where round = $1 and suspect = 0")
        .bind(round.to_string())
        .execute(&mut *change)
        .await?;
    if marked.rows_affected() == 0 {
        return Ok(());
    }
    append(&mut change, now, "suspect", round, &[]).await?;
    let row = sqlx::query(
        "select count(*) from questions where suspect = 1 and at > $1 \
         and at >= coalesce((select max(at) from locks where locked = 0), 0)",
    )
    .bind(now.0.saturating_sub(WEEK))
    .fetch_one(&mut *change)
    .await?;
    if row.try_get::<i64, _>(0)? >= i64::from(quota.lock_after) {
        lock::set(&mut change, true, "policy", now).await?;
    }
    Ok(change.commit().await?)
}
