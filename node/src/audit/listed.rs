//! The tables `audit_openings` and `audit_signatures`.

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::officer::OpeningApproval;
use schemas::seal::Sealed;
use schemas::time::{Month, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite};

use crate::store::state::{Change, StateError};

/// A row of `audit_openings`.
pub(super) struct Asked {
    pub(super) request: Digest,
    pub(super) payer: Slug,
    pub(super) month: Month,
    pub(super) version: u32,
    pub(super) leaves: u64,
    pub(super) checkpoint: Digest,
    pub(super) refused: Option<Slug>,
    pub(super) at: Timestamp,
}

const OPENING: &str =
    "select request, payer, month, version, leaves, checkpoint, refused, at from audit_openings";

fn read(row: &SqliteRow) -> Result<Asked, StateError> {
    fn named<T: std::str::FromStr>(row: &SqliteRow, column: usize) -> Result<T, StateError> {
        let text: String = row.try_get(column)?;
        text.parse().map_err(|_| StateError::Range)
    }
    let refused: Option<String> = row.try_get(6)?;
    let refused = refused.map(|name| name.parse()).transpose();
    Ok(Asked {
        request: named(row, 0)?,
        payer: named(row, 1)?,
        month: named(row, 2)?,
        version: u32::try_from(row.try_get::<i64, _>(3)?).map_err(|_| StateError::Range)?,
        leaves: u64::try_from(row.try_get::<i64, _>(4)?).map_err(|_| StateError::Range)?,
        checkpoint: named(row, 5)?,
        refused: refused.map_err(|_| StateError::Range)?,
        at: Timestamp(row.try_get(7)?),
    })
}

pub(super) async fn find<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
    request: &Digest,
) -> Result<Option<Asked>, StateError> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{OPENING} where request = $1")))
        .bind(request.to_string())
        .fetch_optional(source)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Whether an officer refused it.
pub(super) async fn refused<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
    request: &Digest,
) -> Result<bool, StateError> {
    let found = find(source, request).await?;
    Ok(found.is_some_and(|found| found.refused.is_some()))
}

/// All of them, newest first.
pub(super) async fn all<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
) -> Result<Vec<Asked>, StateError> {
    let sql = format!("{OPENING} order by at desc, request");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .fetch_all(source)
        .await?;
    rows.iter().map(read).collect()
}

/// Lists an opening, unless so many of its payer wait already: then `None`. `false` where it was
/// listed before.
pub(super) async fn list(
    change: &mut Change,
    row: &Asked,
    most: i64,
) -> Result<Option<bool>, StateError> {
    if find(&mut **change, &row.request).await?.is_some() {
        return Ok(Some(false));
    }
    let listed = sqlx::query(
        "insert into audit_openings (request, payer, month, version, leaves, checkpoint, at) \
         select $1, $2, $3, $4, $5, $6, $7 where (select count(*) from audit_openings o \
         where o.payer = $2 and o.refused is null \
         and not exists (select 1 from audit_replies r where r.request = o.request)) < $8",
    )
    .bind(row.request.to_string())
    .bind(row.payer.to_string())
    .bind(row.month.to_string())
    .bind(i64::from(row.version))
    .bind(i64::try_from(row.leaves).map_err(|_| StateError::Range)?)
    .bind(row.checkpoint.to_string())
    .bind(row.at.0)
    .bind(most)
    .execute(&mut **change)
    .await?;
    Ok((listed.rows_affected() == 1).then_some(true))
}

/// Signatures under a request, unchecked.
pub(super) async fn signatures<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
    request: &Digest,
) -> Result<Vec<Sealed<OpeningApproval>>, StateError> {
    let rows =
        sqlx::query("select approval from audit_signatures where request = $1 order by officer")
            .bind(request.to_string())
            .fetch_all(source)
            .await?;
    let sealed = |row: &SqliteRow| {
        let text: String = row.try_get(0)?;
        serde_json::from_str(&text).map_err(|_| StateError::Range)
    };
    rows.iter().map(sealed).collect()
}

/// Keeps a signature; one that the officer made under another policy goes.
pub(super) async fn sign(
    change: &mut Change,
    request: &Digest,
    officer: &Slug,
    approval: &Sealed<OpeningApproval>,
) -> Result<(), StateError> {
    let text = serde_json::to_string(approval).map_err(|_| StateError::Range)?;
    sqlx::query(
        "insert into audit_signatures (request, officer, approval) values ($1, $2, $3) \
         on conflict (request, officer) do update set approval = $3",
    )
    .bind(request.to_string())
    .bind(officer.as_str())
    .bind(text)
    .execute(&mut **change)
    .await?;
    Ok(())
}

pub(super) async fn refuse(
    change: &mut Change,
    request: &Digest,
    officer: &Slug,
    reason: &str,
) -> Result<(), StateError> {
    sqlx::query("update audit_openings set refused = $1, reason = $2 where request = $3")
        .bind(officer.as_str())
        .bind(reason)
        .bind(request.to_string())
        .execute(&mut **change)
        .await?;
    Ok(())
}

/// Takes an opening that nobody decided about off the list.
pub(super) async fn withdraw(change: &mut Change, request: &Digest) -> Result<(), StateError> {
    undecided(change, "request", request.to_string()).await
}

/// Takes a payer's undecided openings off the list: what an earlier key of its signed.
pub(super) async fn withdraw_all(change: &mut Change, payer: &Slug) -> Result<(), StateError> {
    undecided(change, "payer", payer.to_string()).await
}

/// Forgets the openings of a month that nothing came of. Under what was opened or refused the
/// signatures stay, as proof of who agreed.
pub(super) async fn forget(change: &mut Change, month: Month) -> Result<(), StateError> {
    undecided(change, "month", month.to_string()).await
}

/// Deletes openings, and the signatures under them, that were neither answered nor refused.
async fn undecided(
    change: &mut Change,
    column: &'static str,
    value: String,
) -> Result<(), StateError> {
    let which = format!(
        "select o.request from audit_openings o where o.{column} = $1 and o.refused is null \
         and not exists (select 1 from audit_replies r where r.request = o.request)"
    );
    for table in ["audit_signatures", "audit_openings"] {
        let sql = format!("delete from {table} where request in ({which})");
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(&value)
            .execute(&mut **change)
            .await?;
    }
    Ok(())
}
