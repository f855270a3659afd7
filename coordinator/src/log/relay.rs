//! Between the members, who open no port: what each has to know of the other logs, and the
//! cosignatures that come back.

use std::collections::BTreeMap;

use proofs::checkpoint::Checkpoint;
use proofs::note::Note;
use proofs::witness::{COORDINATOR, generation, witness_key};
use schemas::witness::{Exchange, Exchanged, Step};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{LogError, whole};
use crate::authority::Authority;
use crate::register::{self, Member, Standing};
use crate::store::state::{State, StateError};

/// Most steps of one log, and of all, in one answer; the rest comes at the next exchange.
const STEPS: i64 = 32;
const ALL_STEPS: usize = 256;

/// What a member has to know: its own newest checkpoint, everybody's keys, how other logs went on.
pub async fn exchange(
    state: &State,
    authority: &Authority,
    member: &Member,
    ask: &Exchange,
    turn: u64,
) -> Result<Exchanged, LogError> {
    let own = generation(authority.alliance(), &member.hospital, &ask.origin);
    own.ok_or(LogError::NoSuchLog)?;
    let newest = sqlx::query("select note from checkpoints where origin = $1 order by size desc");
    let newest = newest.bind(&ask.origin).fetch_optional(state.pool());
    let own = newest.await?.map(|row| row.try_get(0)).transpose()?;
    let mut keys = BTreeMap::new();
    let members = register::members(state).await?.into_iter();
    // Who is not approved, or was shut out, is no witness to learn of.
    for member in members.filter(|member| member.standing == Standing::Active) {
        keys.insert(member.hospital, member.message_key);
    }
    keys.insert(COORDINATOR.parse()?, authority.signer().public());
    let logs = sqlx::query(
        "select origin, max(size) from checkpoints where organisation <> $1 group by origin",
    )
    .bind(member.hospital.as_str())
    .fetch_all(state.pool())
    .await?;
    let mut steps = Vec::new();
    for row in &logs {
        let (origin, newest): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        let known = ask.known.get(&origin).copied().unwrap_or_default();
        let known = whole(known)?;
        if newest > known && steps.len() < ALL_STEPS {
            steps.extend(after(state, &origin, known).await?);
        }
    }
    Ok(Exchanged {
        own,
        keys,
        turn,
        steps,
    })
}

/// The steps after a size; for a member that knows nothing, the newest checkpoint alone.
async fn after(state: &State, origin: &str, known: i64) -> Result<Vec<Step>, LogError> {
    let columns = "select organisation, origin, old, proof, note from checkpoints";
    if known == 0 {
        let newest = format!("{columns} where origin = $1 order by size desc limit 1");
        let row = sqlx::query(sqlx::AssertSqlSafe(newest)).bind(origin);
        let mut first = step(&row.fetch_one(state.pool()).await?)?;
        first.old = 0;
        first.proof.clear();
        return Ok(vec![first]);
    }
    let next = format!("{columns} where origin = $1 and size > $2 order by size limit $3");
    let rows = sqlx::query(sqlx::AssertSqlSafe(next))
        .bind(origin)
        .bind(known)
        .bind(STEPS)
        .fetch_all(state.pool())
        .await?;
    rows.iter().map(step).collect()
}

fn step(row: &SqliteRow) -> Result<Step, LogError> {
    let organisation: String = row.try_get(0)?;
    let old: i64 = row.try_get(2)?;
    let proof: String = row.try_get(3)?;
    Ok(Step {
        organisation: organisation.parse()?,
        origin: row.try_get(1)?,
        old: u64::try_from(old).map_err(|_| StateError::Range)?,
        proof: serde_json::from_str(&proof).map_err(|_| StateError::Range)?,
        note: row.try_get(4)?,
    })
}

/// Adds a member's cosignature to the checkpoint that it is for; `true` if it was not there.
pub async fn cosigned(
    state: &State,
    authority: &Authority,
    member: &Member,
    note: &Note,
) -> Result<bool, LogError> {
    let own = witness_key(authority.alliance(), &member.hospital, member.message_key)?;
    let own = std::slice::from_ref(&own.key);
    let cosignature = note.of_keys(own);
    cosignature.verify(own)?;
    let checkpoint = Checkpoint::parse(note.text())?;
    let mut change = state.begin().await?;
    let stored = sqlx::query("select note from checkpoints where origin = $1 and size = $2")
        .bind(&checkpoint.origin)
        .bind(whole(checkpoint.size)?)
        .fetch_optional(&mut *change)
        .await?
        .ok_or(LogError::NoSuchLog)?;
    let mut stored = Note::parse(stored.try_get::<String, _>(0)?.as_bytes())?;
    if stored.verify(own).is_ok() {
        // One cosignature of a member is enough.
        return Ok(false);
    }
    stored.merge(&cosignature)?;
    sqlx::query("update checkpoints set note = $1 where origin = $2 and size = $3")
        .bind(stored.to_string())
        .bind(&checkpoint.origin)
        .bind(whole(checkpoint.size)?)
        .execute(&mut *change)
        .await?;
    change.commit().await?;
    Ok(true)
}
