//! The node as the keeper of its own log: signing checkpoints, collecting cosignatures, noticing
//! that others have seen more than the state file knows.

use std::collections::BTreeMap;

use proofs::checkpoint::{self, Checkpoint, Member, Witnessed};
use proofs::history::Keys;
use proofs::note::{Key, Note};
use proofs::tree::Log;
use proofs::witness::{generation, log_key, origin, witness_key};
use schemas::id::Slug;
use schemas::seal::{PublicKey, Signer};
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::{LogError, rollback, whole};
use crate::store::dictionaries;
use crate::store::state::{State, StateError, append};

/// Most keys of other organisations that are remembered.
const MOST_KEYS: i64 = 256;

/// Whose log it is.
#[derive(Debug)]
pub struct Keeper<'a> {
    /// The state file.
    pub state: &'a State,
    /// The hospital's message key.
    pub signer: &'a Signer,
    /// The hospital.
    pub hospital: &'a Slug,
    /// The alliance, as the accepted dictionary names it.
    pub alliance: Slug,
}

/// How the log stands to a checkpoint of itself that others saw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// The log continues it.
    Continues,
    /// The log is shorter or another one.
    RolledBack,
}

impl<'a> Keeper<'a> {
    /// The keeper of an open node; `None` before a dictionary tells the alliance's name. Nothing
    /// can be answered before then.
    pub async fn open(
        state: &'a State,
        signer: &'a Signer,
        hospital: &'a Slug,
    ) -> Result<Option<Self>, LogError> {
        let dictionary = dictionaries::latest(state).await?;
        Ok(dictionary.map(|dictionary| Self {
            state,
            signer,
            hospital,
            alliance: dictionary.alliance,
        }))
    }

    /// The log's name. Each burned rollback begins a new one, after all that were given up: a backup
    /// from before a burning may learn of the later name first.
    pub async fn origin(&self) -> Result<String, LogError> {
        let mut last = 0_u32;
        for name in rollback::burned(self.state).await? {
            last = last.max(self.generation(&name).unwrap_or_default());
        }
        Ok(origin(
            &self.alliance,
            self.hospital,
            last.saturating_add(1),
        ))
    }

    fn generation(&self, origin: &str) -> Option<u32> {
        generation(&self.alliance, self.hospital, origin)
    }

    /// Signs the log as it is.
    pub fn sign(&self, origin: &str, tree: &Log) -> Result<Note, LogError> {
        let checkpoint = Checkpoint {
            origin: origin.to_owned(),
            size: tree.size(),
            root: tree.root_at(tree.size())?,
        };
        let mut note = Note::new(checkpoint.text())?;
        note.sign(origin, self.signer)?;
        Ok(note)
    }

    /// Keeps a checkpoint of the own log and its cosignatures of known keys.
    pub async fn keep(&self, note: &Note) -> Result<(), LogError> {
        let checkpoint = Checkpoint::parse(note.text())?;
        let keys = self.keys(&checkpoint.origin).await?;
        let known: Vec<Key> = members(&keys).map(|member| member.key.clone()).collect();
        let mut kept = note.of_keys(&known);
        kept.verify(&known)?;
        let mut change = self.state.begin().await?;
        let size = whole(checkpoint.size)?;
        let stored: Option<String> =
            sqlx::query_scalar("select note from checkpoints where origin = $1 and size = $2")
                .bind(&checkpoint.origin)
                .bind(size)
                .fetch_optional(&mut *change)
                .await?;
        if let Some(stored) = stored {
            kept.merge(&Note::parse(stored.as_bytes())?)?;
        }
        sqlx::query(
            "insert into checkpoints (origin, size, note) values ($1, $2, $3) \
             on conflict (origin, size) do update set note = $3",
        )
        .bind(&checkpoint.origin)
        .bind(size)
        .bind(kept.to_string())
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(())
    }

    /// Compares the log with a checkpoint that the coordinator keeps of it. Only one that this
    /// node signed itself counts. A rollback is remembered and logged: from then on nothing is
    /// answered.
    pub async fn compare(
        &self,
        tree: &Log,
        note: &Note,
        now: Timestamp,
    ) -> Result<Standing, LogError> {
        let seen = Checkpoint::parse(note.text())?;
        let own = log_key(self.hospital, &seen.origin, self.signer.public())?;
        note.verify(std::slice::from_ref(&own.key))?;
        let (here, there) = (
            self.generation(&self.origin().await?),
            self.generation(&seen.origin),
        );
        if there < here {
            return Ok(Standing::Continues);
        }
        if there == here && tree.root_at(seen.size).is_ok_and(|root| root == seen.root) {
            return Ok(Standing::Continues);
        }
        rollback::remember(self.state, &seen, note, now).await?;
        Ok(Standing::RolledBack)
    }

    /// Remembers keys of other organisations; each new one is written into the log, so that it
    /// shows by whose keys this node believed checkpoints.
    pub async fn learn(
        &self,
        keys: &BTreeMap<Slug, PublicKey>,
        now: Timestamp,
    ) -> Result<(), LogError> {
        let known = known(self.state).await?;
        for (organisation, key) in keys {
            let new = !known.contains(&(organisation.clone(), *key));
            if organisation == self.hospital || !new {
                continue;
            }
            let mut change = self.state.begin().await?;
            let inserted = sqlx::query(
                "insert into witness_keys (organisation, public_key) select $1, $2 \
                 where (select count(*) from witness_keys) < $3 on conflict do nothing",
            )
            .bind(organisation.as_str())
            .bind(hexadecimal(key)?)
            .bind(MOST_KEYS)
            .execute(&mut *change)
            .await?;
            if inserted.rows_affected() == 1 {
                let detail = [("organisation", organisation.to_string())];
                append(&mut change, now, "witness-key", key.fingerprint(), &detail).await?;
                change.commit().await?;
            }
        }
        Ok(())
    }

    /// The keys with which this log is verified.
    pub async fn keys(&self, origin: &str) -> Result<Keys, LogError> {
        let mut witnesses = Vec::new();
        for (organisation, key) in known(self.state).await? {
            witnesses.push(witness_key(&self.alliance, &organisation, key)?);
        }
        let log = log_key(self.hospital, origin, self.signer.public())?;
        Ok(Keys { log, witnesses })
    }

    /// The newest checkpoint that so many other organisations cosigned.
    pub async fn witnessed(&self, quorum: usize) -> Result<Option<Witnessed>, LogError> {
        let origin = self.origin().await?;
        let keys = self.keys(&origin).await?;
        let notes =
            sqlx::query("select note from checkpoints where origin = $1 order by size desc")
                .bind(&origin)
                .fetch_all(self.state.pool())
                .await?;
        for row in &notes {
            let note = Note::parse(row.try_get::<String, _>(0)?.as_bytes())?;
            if let Ok(it) = checkpoint::accept(&note, &keys.log, &keys.witnesses, quorum) {
                return Ok(Some(it));
            }
        }
        Ok(None)
    }
}

fn members(keys: &Keys) -> impl Iterator<Item = &Member> {
    std::iter::once(&keys.log).chain(&keys.witnesses)
}

/// The keys of other organisations, by name.
pub(super) async fn known(state: &State) -> Result<Vec<(Slug, PublicKey)>, LogError> {
    let rows = sqlx::query("select organisation, public_key from witness_keys order by 1, 2")
        .fetch_all(state.pool())
        .await?;
    let mut keys = Vec::with_capacity(rows.len());
    for row in &rows {
        let organisation: String = row.try_get(0)?;
        let key = serde_json::Value::String(row.try_get(1)?);
        keys.push((
            organisation.parse().map_err(|_| StateError::Name)?,
            serde_json::from_value(key).map_err(|_| StateError::Range)?,
        ));
    }
    Ok(keys)
}

fn hexadecimal(key: &PublicKey) -> Result<String, StateError> {
    match serde_json::to_value(key) {
        Ok(serde_json::Value::String(text)) => Ok(text),
        Ok(_) | Err(_) => Err(StateError::Range),
    }
}
