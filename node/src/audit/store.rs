//! The tables `audit_payers`, `audit_replies` and `audit_spent`.

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::PublicKey;
use schemas::time::Month;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite};

use crate::store::state::{Change, StateError};

/// What a request uses up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Use {
    /// Evaluations, and how many there may be in all.
    Evaluations(u64, u64),
    /// Openings, and how many there may be in all.
    Openings(u64, u64),
    /// Nothing.
    Nothing,
}

/// Sets a payer's key, and gives the one before.
pub(super) async fn set_payer(
    change: &mut Change,
    payer: &Slug,
    key: &PublicKey,
) -> Result<Option<PublicKey>, StateError> {
    let known = payers(&mut **change).await?;
    let before = known.into_iter().find(|(name, _)| name == payer);
    let text = Digest::from_bytes(*key.as_bytes());
    sqlx::query(
        "insert into audit_payers (payer, key) values ($1, $2) \
         on conflict (payer) do update set key = excluded.key",
    )
    .bind(payer.to_string())
    .bind(text.to_string())
    .execute(&mut **change)
    .await?;
    Ok(before.map(|(_, key)| key))
}

/// Removes a payer's key, if there is one, and gives it.
pub(super) async fn remove_payer(
    change: &mut Change,
    payer: &Slug,
) -> Result<Option<PublicKey>, StateError> {
    let known = payers(&mut **change).await?;
    sqlx::query("delete from audit_payers where payer = $1")
        .bind(payer.to_string())
        .execute(&mut **change)
        .await?;
    let mut known = known.into_iter();
    Ok(known.find(|(name, _)| name == payer).map(|(_, key)| key))
}

pub(super) async fn payers<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
) -> Result<Vec<(Slug, PublicKey)>, StateError> {
    let rows = sqlx::query("select payer, key from audit_payers order by payer")
        .fetch_all(source)
        .await?;
    let read = |row: &SqliteRow| {
        let (payer, key): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let payer = payer.parse().map_err(|_| StateError::Range)?;
        let key: Digest = key.parse().map_err(|_| StateError::Range)?;
        Ok((payer, PublicKey::from_bytes(*key.as_bytes())))
    };
    rows.iter().map(read).collect()
}

pub(super) async fn reply<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
    request: &Digest,
) -> Result<Option<String>, StateError> {
    let row = sqlx::query("select reply from audit_replies where request = $1")
        .bind(request.to_string())
        .fetch_optional(source)
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

pub(super) async fn keep(
    change: &mut Change,
    request: &Digest,
    (payer, month): (&Slug, Month),
    reply: &str,
) -> Result<(), StateError> {
    sqlx::query("insert into audit_replies (request, payer, month, reply) values ($1, $2, $3, $4)")
        .bind(request.to_string())
        .bind(payer.to_string())
        .bind(month.to_string())
        .bind(reply)
        .execute(&mut **change)
        .await?;
    Ok(())
}

/// What was evaluated and opened so far for a payer and month.
pub(super) async fn spent<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
    (payer, month): (&Slug, Month),
) -> Result<(u64, u64), StateError> {
    let row =
        sqlx::query("select evaluated, opened from audit_spent where payer = $1 and month = $2")
            .bind(payer.to_string())
            .bind(month.to_string())
            .fetch_optional(source)
            .await?;
    let Some(row) = row else { return Ok((0, 0)) };
    let count = |at: usize| -> Result<u64, StateError> {
        u64::try_from(row.try_get::<i64, _>(at)?).map_err(|_| StateError::Range)
    };
    Ok((count(0)?, count(1)?))
}

/// Adds what a request uses, unless that is more than there may be: then `false`.
pub(super) async fn spend(
    change: &mut Change,
    (payer, month): (&Slug, Month),
    used: Use,
) -> Result<bool, StateError> {
    let number = |value: u64| i64::try_from(value).map_err(|_| StateError::Range);
    let (evaluated, opened, most_evaluated, most_opened) = match used {
        Use::Nothing => return Ok(true),
        Use::Evaluations(n, most) => (number(n)?, 0, number(most)?, i64::MAX),
        Use::Openings(n, most) => (0, number(n)?, i64::MAX, number(most)?),
    };
    sqlx::query(
        "insert into audit_spent (payer, month, evaluated, opened) values ($1, $2, 0, 0) \
         on conflict do nothing",
    )
    .bind(payer.to_string())
    .bind(month.to_string())
    .execute(&mut **change)
    .await?;
    let done = sqlx::query(
        "update audit_spent set evaluated = evaluated + $3, opened = opened + $4 \
         where payer = $1 and month = $2 and evaluated + $3 <= $5 and opened + $4 <= $6",
    )
    .bind(payer.to_string())
    .bind(month.to_string())
    .bind(evaluated)
    .bind(opened)
    .bind(most_evaluated)
    .bind(most_opened)
    .execute(&mut **change)
    .await?;
    Ok(done.rows_affected() == 1)
}
