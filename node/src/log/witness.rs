//! The node as a witness of other logs: what it saw last of each, and its cosignatures.

use std::collections::BTreeMap;

use proofs::checkpoint::Checkpoint;
use proofs::note::Note;
use proofs::tree;
use proofs::witness::{Refusal, Request, generation, judge, log_key, witness_name};
use schemas::time::Timestamp;
use schemas::witness::Step;
use sqlx::Row as _;

use super::{Keeper, LogError, keeper, whole};
use crate::store::state::{Change, State, append};

/// Most contradictions that are kept of one log: one is enough to prove it.
const MOST_FORKS: i64 = 16;

/// Sizes that this node has cosigned, by log.
pub async fn known(state: &State) -> Result<BTreeMap<String, u64>, LogError> {
    let rows = sqlx::query("select origin, size from witnessed")
        .fetch_all(state.pool())
        .await?;
    let mut sizes = BTreeMap::new();
    for row in &rows {
        let size = u64::try_from(row.try_get::<i64, _>(1)?);
        sizes.insert(row.try_get(0)?, size.unwrap_or_default());
    }
    Ok(sizes)
}

/// Cosigns a checkpoint of another log if it continues what was cosigned before. A contradiction
/// is kept with both notes and logged.
pub async fn cosign(
    keeper: &Keeper<'_>,
    step: &Step,
    now: Timestamp,
) -> Result<Result<(), Refusal>, LogError> {
    let request = match Request::of(step) {
        Ok(request) => request,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let named = generation(&keeper.alliance, &step.organisation, &step.origin);
    if named.is_none() || step.organisation == *keeper.hospital {
        return Ok(Err(Refusal::Unsigned));
    }
    let mut change = keeper.state.begin().await?;
    let held = last(&mut change, &step.origin).await?;
    let seen = held.as_ref().map(|(checkpoint, _)| checkpoint);
    let mut judged = Err(Refusal::Unsigned);
    for (organisation, key) in keeper::known(keeper.state).await? {
        if organisation == step.organisation && judged == Err(Refusal::Unsigned) {
            let log = log_key(&organisation, &step.origin, key)?;
            judged = judge(&log.key, seen, &request);
        }
    }
    match judged {
        Ok(checkpoint) => {
            let mut note = request.note;
            let name = witness_name(&keeper.alliance, keeper.hospital);
            note.cosign(&name, keeper.signer, u64::try_from(now.0).unwrap_or(0))?;
            sqlx::query(
                "insert into witnessed (origin, size, note, sent) values ($1, $2, $3, 0) \
                 on conflict (origin) do update set size = $2, note = $3, sent = 0",
            )
            .bind(&step.origin)
            .bind(whole(checkpoint.size)?)
            .bind(note.to_string())
            .execute(&mut *change)
            .await?;
            change.commit().await?;
            Ok(Ok(()))
        }
        Err(refusal) => {
            if let Some((_, held)) = held.filter(|_| refusal.is_fork()) {
                forked(change, step, &held, now).await?;
            }
            Ok(Err(refusal))
        }
    }
}

async fn last(change: &mut Change, origin: &str) -> Result<Option<(Checkpoint, String)>, LogError> {
    let note: Option<String> = sqlx::query_scalar("select note from witnessed where origin = $1")
        .bind(origin)
        .fetch_optional(&mut **change)
        .await?;
    let Some(note) = note else {
        return Ok(None);
    };
    let checkpoint = Checkpoint::parse(Note::parse(note.as_bytes())?.text())?;
    Ok(Some((checkpoint, note)))
}

async fn forked(
    mut change: Change,
    step: &Step,
    held: &str,
    now: Timestamp,
) -> Result<(), LogError> {
    let kept = sqlx::query(
        "insert into forks (origin, held, shown, at) select $1, $2, $3, $4 \
         where (select count(*) from forks where origin = $1) < $5 on conflict do nothing",
    )
    .bind(&step.origin)
    .bind(held)
    .bind(&step.note)
    .bind(now.0)
    .bind(MOST_FORKS)
    .execute(&mut *change)
    .await?;
    if kept.rows_affected() == 1 {
        let detail = [
            ("organisation", step.organisation.to_string()),
            ("held", tree::leaf_hash(held.as_bytes()).to_string()),
            ("shown", tree::leaf_hash(step.note.as_bytes()).to_string()),
        ];
        let subject = tree::leaf_hash(step.origin.as_bytes());
        append(&mut change, now, "fork", subject, &detail).await?;
        change.commit().await?;
    }
    Ok(())
}

/// Cosigned notes that the coordinator does not have yet.
pub async fn unsent(state: &State) -> Result<Vec<Note>, LogError> {
    let rows = sqlx::query("select note from witnessed where sent = 0")
        .fetch_all(state.pool())
        .await?;
    let mut notes = Vec::with_capacity(rows.len());
    for row in &rows {
        notes.push(Note::parse(row.try_get::<String, _>(0)?.as_bytes())?);
    }
    Ok(notes)
}

/// Remembers that the coordinator has a cosigned note, or will never take it.
pub async fn sent(state: &State, note: &Note) -> Result<(), LogError> {
    sqlx::query("update witnessed set sent = 1 where note = $1")
        .bind(note.to_string())
        .execute(state.pool())
        .await?;
    Ok(())
}
