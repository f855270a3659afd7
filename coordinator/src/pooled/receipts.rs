//! Receipts against rollback, carried between members: the newest ask of each, and what seats said to
//! it. The coordinator can withhold them, then nobody works; it can make none.

use pooled::receipt::{Asked, Receipt, Told};
use pooled::work::Ask;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::Sealed;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::PooledError;
use super::bodies::committees;
use crate::register::Member;
use crate::store::state::{State, StateError};

/// Asks that a seat is told of at once.
const MOST_TOLD: i64 = 64;

/// Takes a member's ask; it takes the place of the one before, whose receipts are dropped.
pub async fn ask(
    state: &State,
    member: &Member,
    sealed: &Sealed<Asked>,
    now: Timestamp,
) -> Result<(), PooledError> {
    let asked = sealed.open(&member.message_key)?;
    if asked.subject != member.hospital {
        return Err(PooledError::NotAsked);
    }
    let name = member.hospital.as_str();
    let mut change = state.begin().await?;
    let before: Option<String> =
        sqlx::query_scalar("select nonce from pooled_asks where subject = $1")
            .bind(name)
            .fetch_optional(&mut *change)
            .await?;
    if before == Some(asked.nonce.to_string()) {
        return Ok(());
    }
    sqlx::query("delete from pooled_receipts where subject = $1")
        .bind(name)
        .execute(&mut *change)
        .await?;
    sqlx::query(
        "insert into pooled_asks (subject, nonce, sealed, at) values ($1, $2, $3, $4) \
         on conflict (subject) do update set nonce = $2, sealed = $3, at = $4",
    )
    .bind(name)
    .bind(asked.nonce.to_string())
    .bind(serde_json::to_string(sealed).map_err(|_| StateError::Range)?)
    .bind(now.0)
    .execute(&mut *change)
    .await?;
    Ok(change.commit().await.map_err(StateError::from)?)
}

/// The ask of a member.
pub async fn asked(state: &State, subject: &Slug) -> Result<Sealed<Asked>, PooledError> {
    let text: Option<String> =
        sqlx::query_scalar("select sealed from pooled_asks where subject = $1")
            .bind(subject.as_str())
            .fetch_optional(state.pool())
            .await?;
    let text = text.ok_or(PooledError::NotYet)?;
    Ok(serde_json::from_str(&text).map_err(|_| StateError::Range)?)
}

/// Takes a seat's receipt for the ask that is held; one for another is of no use any more.
pub async fn receipt(state: &State, witness: &Member, told: &Told) -> Result<(), PooledError> {
    let receipt: Receipt = told.receipt.open(&witness.message_key)?;
    let seats = committees(state).await?;
    let sits = seats
        .iter()
        .any(|one| one.seats.contains(&witness.hospital));
    if !sits || receipt.witness != witness.hospital {
        return Err(PooledError::NotAsked);
    }
    let added = sqlx::query(
        "insert into pooled_receipts (subject, witness, told) \
         select subject, $2, $3 from pooled_asks where subject = $1 and nonce = $4 \
         on conflict (subject, witness) do nothing",
    )
    .bind(receipt.subject.as_str())
    .bind(witness.hospital.as_str())
    .bind(serde_json::to_string(told).map_err(|_| StateError::Range)?)
    .bind(receipt.nonce.to_string())
    .execute(state.pool())
    .await?;
    tracing::debug!(subject = %receipt.subject, new = added.rows_affected(), "a receipt");
    Ok(())
}

/// What seats said to a member's ask.
pub async fn receipts(state: &State, subject: &Slug) -> Result<Vec<Told>, PooledError> {
    let rows = sqlx::query("select told from pooled_receipts where subject = $1 order by witness")
        .bind(subject.as_str())
        .fetch_all(state.pool())
        .await?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let text: String = row.try_get(0)?;
        Ok(serde_json::from_str(&text).map_err(|_| StateError::Range)?)
    };
    rows.iter().map(read).collect()
}

/// The nonce that is held for a member, and how many receipts for it.
pub(super) async fn held(
    state: &State,
    member: &Slug,
) -> Result<(Option<Digest>, u32), PooledError> {
    let row = sqlx::query(
        "select nonce, (select count(*) from pooled_receipts r where r.subject = a.subject) \
         from pooled_asks a where subject = $1",
    )
    .bind(member.as_str())
    .fetch_optional(state.pool())
    .await?;
    let Some(row) = row else {
        return Ok((None, 0));
    };
    let nonce: String = row.try_get(0)?;
    let nonce = nonce.parse().map_err(|_| StateError::Range)?;
    let count = u32::try_from(row.try_get::<i64, _>(1)?).map_err(|_| StateError::Range)?;
    Ok((Some(nonce), count))
}

/// Asks of others that a seat has not answered.
pub(super) async fn waiting(state: &State, seat: &Slug) -> Result<Vec<Ask>, PooledError> {
    let rows = sqlx::query(
        "select subject, nonce from pooled_asks a where subject <> $1 and not exists \
         (select 1 from pooled_receipts r where r.subject = a.subject and r.witness = $1) \
         order by at desc, subject limit $2",
    )
    .bind(seat.as_str())
    .bind(MOST_TOLD)
    .fetch_all(state.pool())
    .await?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let (subject, nonce): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        Ok(Ask {
            subject: subject.parse().map_err(|_| StateError::Name)?,
            nonce: nonce.parse().map_err(|_| StateError::Range)?,
        })
    };
    rows.iter().map(read).collect()
}
