//! Replies, stored before they are sent: after a crash the same bytes are sent again.

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::outcome::Reason;
use schemas::round::{Reply, Round, Said};
use schemas::seal::{SealError, Sealed, Signer};
use schemas::time::Timestamp;
use sqlx::Row as _;

use crate::ledger::{self, Charged};
use crate::steward;
use crate::store::state::{Change, State, StateError, append};

/// What the node says to a round. An answer is one that the ledger holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Word {
    /// The stored, signed answer.
    Answered(Charged),
    /// Why there is none.
    Declined(Reason),
}

/// A stored reply and whether the coordinator has said what became of it.
pub(super) struct Stored {
    pub(super) sealed: Sealed<Reply>,
    pub(super) settled: bool,
}

/// Why a reply was not stored.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// It could not be signed.
    #[error("the reply could not be signed")]
    Seal(#[from] SealError),
    /// The state file failed.
    #[error("the state file could not be read or written")]
    State(#[from] StateError),
}

/// The reply to a round, if there is one.
pub(super) async fn find(state: &State, round: &Digest) -> Result<Option<Stored>, StateError> {
    let row = sqlx::query("select sealed, acknowledged from replies where round = $1")
        .bind(round.to_string())
        .fetch_optional(state.pool())
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let text: String = row.try_get(0)?;
    Ok(Some(Stored {
        sealed: serde_json::from_str(&text).map_err(|_| StateError::Range)?,
        settled: row.try_get::<i64, _>(1)? != 0,
    }))
}

/// Whether another round bore this name before. A name is unique for ever: a coordinator cannot
/// put a second question under a round that was looked at already.
pub(super) async fn taken(state: &State, id: &Slug, round: &Digest) -> Result<bool, StateError> {
    let known = sqlx::query("select round from round_names where id = $1")
        .bind(id.as_str())
        .fetch_optional(state.pool())
        .await?;
    match known {
        Some(row) => Ok(row.try_get::<String, _>(0)? != round.to_string()),
        None => Ok(false),
    }
}

/// Signs and stores what is said to a round, unless a reply is stored already; that one then
/// stands. `None` where the steward has stopped an answer since it was judged.
pub(super) async fn store(
    state: &State,
    signer: &Signer,
    hospital: &Slug,
    (round, digest): (&Round, Digest),
    word: Word,
    now: Timestamp,
) -> Result<Option<Sealed<Reply>>, OutboxError> {
    let answers = matches!(word, Word::Answered(_));
    let (name, said) = match word {
        Word::Answered(charged) => ("answered", Said::Answered(charged.into_sealed())),
        Word::Declined(reason) => (reason.as_str(), Said::Declined(reason)),
    };
    let reply = Reply {
        round: digest,
        hospital: hospital.clone(),
        said,
        log_head: state.log_head().await?,
    };
    let sealed = Sealed::seal(signer, &reply)?;
    let text = serde_json::to_string(&sealed).map_err(|_| StateError::Range)?;
    let mut change = state.begin().await?;
    if answers && !steward::let_go(&mut change, &digest).await? {
        return Ok(None);
    }
    let stored = sqlx::query(
        "insert into replies (round, sealed, acknowledged) values ($1, $2, 0) \
         on conflict (round) do nothing",
    )
    .bind(digest.to_string())
    .bind(text)
    .execute(&mut *change)
    .await
    .map_err(StateError::from)?;
    if stored.rows_affected() == 0 {
        drop(change);
        let earlier = find(state, &digest).await?.ok_or(StateError::Range)?;
        return Ok(Some(earlier.sealed));
    }
    sqlx::query("insert into round_names (id, round) values ($1, $2) on conflict (id) do nothing")
        .bind(round.id.as_str())
        .bind(digest.to_string())
        .execute(&mut *change)
        .await
        .map_err(StateError::from)?;
    let detail = [
        ("round", round.id.to_string()),
        ("said", name.to_owned()),
        ("reply", sealed.digest()?.to_string()),
    ];
    append(&mut change, now, "reply", digest, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(Some(sealed))
}

/// The replies of which it is not known whether the coordinator has them.
pub(super) async fn unsettled(state: &State) -> Result<Vec<(Digest, Sealed<Reply>)>, StateError> {
    let rows = sqlx::query("select round, sealed from replies where acknowledged = 0")
        .fetch_all(state.pool())
        .await?;
    let replies = rows.iter().map(|row| {
        let round: String = row.try_get(0)?;
        let sealed: String = row.try_get(1)?;
        Ok((
            round.parse().map_err(|_| StateError::Range)?,
            serde_json::from_str(&sealed).map_err(|_| StateError::Range)?,
        ))
    });
    replies.collect()
}

/// Remembers that the coordinator will never take the reply.
pub(super) async fn settle(state: &State, round: &Digest) -> Result<(), StateError> {
    let mut change = state.begin().await?;
    settled(&mut change, round).await?;
    Ok(change.commit().await?)
}

/// Remembers that the coordinator has the reply: an answer in it has left.
pub(super) async fn reached(
    state: &State,
    signer: &Signer,
    round: &Digest,
    sealed: &Sealed<Reply>,
    now: Timestamp,
) -> Result<(), OutboxError> {
    let key = signer.public();
    let said = sealed.open(&key)?.said;
    let mut change = state.begin().await?;
    if let Said::Answered(answer) = said {
        ledger::left(&mut change, &answer.open(&key)?, now).await?;
    }
    settled(&mut change, round).await?;
    Ok(change.commit().await.map_err(StateError::from)?)
}

async fn settled(change: &mut Change, round: &Digest) -> Result<(), StateError> {
    sqlx::query("update replies set acknowledged = 1 where round = $1")
        .bind(round.to_string())
        .execute(&mut **change)
        .await?;
    Ok(())
}
