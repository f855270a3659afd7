//! Rounds that died before anything was certified: the committee is asked to say so for good, and
//! hospitals take back what they were charged. Nothing is believed here that nodes do not check.

use pooled::survivors::VoidCertificate;
use pooled::vote::Void;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::Sealed;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::{Held, PooledError};
use crate::store::state::{State, StateError, append};

/// How long after its opening seats are asked to void a round: 90 days, in seconds. Its own times are
/// over after 60 at most, also where it was withdrawn long before.
const ASKED: i64 = 90 * 86_400;

/// Dead rounds that seats may still void: without certificate, not long ago.
pub(super) async fn voidable(state: &State, now: Timestamp) -> Result<Vec<Slug>, PooledError> {
    let rows = sqlx::query(
        "select id from pooled_rounds r where state = 'dead' and opened > $1 \
         and not exists (select 1 from pooled_certificates c where c.round = r.id)",
    )
    .bind(now.0.saturating_sub(ASKED))
    .fetch_all(state.pool())
    .await?;
    rows.iter()
        .map(|row| {
            let name: String = row.try_get(0)?;
            name.parse().map_err(|_| StateError::Name.into())
        })
        .collect()
}

/// Whether this seat is asked to void a round: uploads are closed, and it voted for nothing.
pub(super) async fn asked(
    state: &State,
    held: &Held,
    member: &Slug,
    now: Timestamp,
) -> Result<bool, PooledError> {
    if held.round.seat(member).is_none() || !held.round.may_be_voided(now) {
        return Ok(false);
    }
    let voted = sqlx::query(
        "select 1 from pooled_void_votes where round = $1 and member = $2 union \
         select 1 from pooled_words where round = $1 and member = $2 and kind = 'vote'",
    )
    .bind(held.asked.id.as_str())
    .bind(member.as_str())
    .fetch_optional(state.pool())
    .await?;
    Ok(voted.is_none())
}

/// Takes a seat's vote that a dead round ends without a result. The same again is welcome.
pub(super) async fn take(
    state: &State,
    held: &Held,
    member: &Slug,
    sealed: &Sealed<Void>,
    now: Timestamp,
) -> Result<(), PooledError> {
    let (_, seat) = held.round.seat(member).ok_or(PooledError::NotAsked)?;
    let vote = sealed.open(&seat.key)?;
    if (vote.manifest, &vote.member) != (*held.round.hash(), member) {
        return Err(PooledError::NotAsked);
    }
    let id = held.asked.id.as_str();
    let text = serde_json::to_string(sealed).map_err(|_| StateError::Range)?;
    let mut change = state.begin().await?;
    let stands: String = sqlx::query_scalar("select state from pooled_rounds where id = $1")
        .bind(id)
        .fetch_one(&mut *change)
        .await?;
    if stands != "dead" {
        return Err(PooledError::Ended);
    }
    let added = sqlx::query(
        "insert into pooled_void_votes (round, member, sealed) values ($1, $2, $3) \
         on conflict do nothing",
    )
    .bind(id)
    .bind(member.as_str())
    .bind(&text)
    .execute(&mut *change)
    .await?;
    if added.rows_affected() == 0 {
        return Ok(());
    }
    let detail = [
        ("round", id.to_owned()),
        ("member", member.to_string()),
        ("said", "void".to_owned()),
    ];
    let subject = Digest::of("cams-seat-word-v1", &[text.as_bytes()]);
    append(&mut change, now, "seat-word", subject, &detail).await?;
    Ok(change.commit().await.map_err(StateError::from)?)
}

/// Makes the void certificate once enough seats voted. A certified round is never voided: its
/// certificate stands.
pub(super) async fn stands(
    state: &State,
    held: &Held,
    now: Timestamp,
) -> Result<bool, PooledError> {
    let id = held.asked.id.as_str();
    let mut change = state.begin().await?;
    let rows = sqlx::query("select sealed from pooled_void_votes where round = $1 order by member")
        .bind(id)
        .fetch_all(&mut *change)
        .await?;
    let mut votes: Vec<Sealed<Void>> = Vec::with_capacity(rows.len());
    for row in &rows {
        let text: String = row.try_get(0)?;
        votes.push(serde_json::from_str(&text).map_err(|_| StateError::Range)?);
    }
    if votes.len() < held.round.shape().quorum() {
        return Ok(false);
    }
    let certificate = VoidCertificate { votes };
    certificate.verify(&held.round)?;
    let ended = sqlx::query(
        "update pooled_rounds set state = 'void' where id = $1 and state = 'dead' \
         and not exists (select 1 from pooled_certificates where round = $1)",
    )
    .bind(id)
    .execute(&mut *change)
    .await?;
    if ended.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("insert into pooled_voids (round, certificate) values ($1, $2)")
        .bind(id)
        .bind(serde_json::to_string(&certificate).map_err(|_| StateError::Range)?)
        .execute(&mut *change)
        .await?;
    let detail = [("round", id.to_owned())];
    append(&mut change, now, "void", *held.round.hash(), &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(true)
}

/// The stored void certificate.
pub async fn void(state: &State, round: &Slug) -> Result<Option<VoidCertificate>, PooledError> {
    let text: Option<String> =
        sqlx::query_scalar("select certificate from pooled_voids where round = $1")
            .bind(round.as_str())
            .fetch_optional(state.pool())
            .await?;
    Ok(text
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|_| StateError::Range)?)
}
