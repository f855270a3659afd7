//! The coordinator's own log: its checkpoints and the keys that verify them.

use proofs::checkpoint::{self, Checkpoint, Witnessed};
use proofs::history::Keys;
use proofs::note::Note;
use proofs::witness::{log_key, origin, witness_key};
use sqlx::Row as _;

use super::{Leaves, LogError, coordinator, whole};
use crate::authority::Authority;
use crate::register;
use crate::store::state::State;

/// Signs the log as it is and offers it to the members, if it has grown. Says whether it has.
pub async fn advance(
    state: &State,
    authority: &Authority,
    leaves: &mut Leaves,
) -> Result<bool, LogError> {
    let organisation = coordinator()?;
    let name = origin(authority.alliance(), &organisation, 1);
    let tree = leaves.follow(state).await?;
    let mut change = state.begin().await?;
    let last: i64 =
        sqlx::query_scalar("select coalesce(max(size), 0) from checkpoints where origin = $1")
            .bind(&name)
            .fetch_one(&mut *change)
            .await?;
    if last >= whole(tree.size())? {
        return Ok(false);
    }
    let old = u64::try_from(last).unwrap_or_default();
    let checkpoint = Checkpoint {
        origin: name.clone(),
        size: tree.size(),
        root: tree.root_at(tree.size())?,
    };
    let mut note = Note::new(checkpoint.text())?;
    note.sign(&name, authority.signer())?;
    let proof = tree.consistency(old, tree.size())?;
    sqlx::query(
        "insert into checkpoints (origin, size, organisation, old, proof, note) \
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&name)
    .bind(whole(checkpoint.size)?)
    .bind(organisation.as_str())
    .bind(last)
    .bind(serde_json::to_string(&proof).unwrap_or_default())
    .bind(note.to_string())
    .execute(&mut *change)
    .await?;
    change.commit().await?;
    Ok(true)
}

/// The keys with which the coordinator's log is verified: its own and the members'.
pub async fn keys(state: &State, authority: &Authority) -> Result<Keys, LogError> {
    let (alliance, organisation) = (authority.alliance(), coordinator()?);
    let name = origin(alliance, &organisation, 1);
    let mut witnesses = Vec::new();
    for member in register::members(state).await? {
        witnesses.push(witness_key(alliance, &member.hospital, member.message_key)?);
    }
    let log = log_key(&organisation, &name, authority.signer().public())?;
    Ok(Keys { log, witnesses })
}

/// The newest checkpoint of the own log that so many members cosigned.
pub async fn witnessed(
    state: &State,
    authority: &Authority,
    quorum: usize,
) -> Result<Option<Witnessed>, LogError> {
    let keys = keys(state, authority).await?;
    let notes = sqlx::query("select note from checkpoints where origin = $1 order by size desc")
        .bind(keys.log.key.name())
        .fetch_all(state.pool())
        .await?;
    for row in &notes {
        let note = Note::parse(row.try_get::<String, _>(0)?.as_bytes())?;
        if let Ok(it) = checkpoint::accept(&note, &keys.log, &keys.witnesses, quorum) {
            return Ok(Some(it));
        }
    }
    Ok(None)
}
