//! Taking uploads: verified before they are stored, one a hospital.

use pooled::upload::Upload;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::{Held, PooledError};
use crate::register::Member;
use crate::store::state::{State, StateError, append};

/// Takes an upload; `true` where it is new. The same bytes again are welcome.
pub async fn take(
    state: &State,
    held: &Held,
    member: &Member,
    bytes: &[u8],
    now: Timestamp,
) -> Result<bool, PooledError> {
    let upload = Upload::parse(&held.round, bytes)?;
    if *upload.masked().hospital() != member.hospital {
        return Err(PooledError::NotAsked);
    }
    let id = &held.round.manifest().round;
    let mut change = state.begin().await?;
    let before =
        sqlx::query("select upload from pooled_uploads where round = $1 and hospital = $2")
            .bind(id.as_str())
            .bind(member.hospital.as_str())
            .fetch_optional(&mut *change)
            .await?;
    let detail = [
        ("round", id.to_string()),
        ("hospital", member.hospital.to_string()),
    ];
    if let Some(row) = before {
        if row.try_get::<Vec<u8>, _>(0)? == bytes {
            return Ok(false);
        }
        let digest = *upload.masked().digest();
        append(&mut change, now, "upload-conflict", digest, &detail).await?;
        change.commit().await.map_err(StateError::from)?;
        return Err(PooledError::Conflict);
    }
    let stands: String = sqlx::query_scalar("select state from pooled_rounds where id = $1")
        .bind(id.as_str())
        .fetch_one(&mut *change)
        .await?;
    if stands != "open" || !held.round.takes_uploads(now) {
        return Err(PooledError::Ended);
    }
    sqlx::query("insert into pooled_uploads (round, hospital, upload, at) values ($1, $2, $3, $4)")
        .bind(id.as_str())
        .bind(member.hospital.as_str())
        .bind(bytes)
        .bind(now.0)
        .execute(&mut *change)
        .await?;
    append(
        &mut change,
        now,
        "upload",
        *upload.masked().digest(),
        &detail,
    )
    .await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(true)
}

/// The uploads of a round, verified once more, by hospital.
pub(super) async fn uploads(state: &State, held: &Held) -> Result<Vec<Upload>, PooledError> {
    let rows = sqlx::query("select upload from pooled_uploads where round = $1 order by hospital")
        .bind(held.round.manifest().round.as_str())
        .fetch_all(state.pool())
        .await?;
    rows.iter()
        .map(|row| Ok(Upload::parse(&held.round, &row.try_get::<Vec<u8>, _>(0)?)?))
        .collect()
}
