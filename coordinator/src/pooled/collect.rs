//! Taking uploads: verified before they are stored, one a hospital.

use std::collections::BTreeMap;

use pooled::survivors::{Survivor, Survivors};
use pooled::upload::{Masked, Upload};
use schemas::digest::Digest;
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
    sqlx::query(
        "insert into pooled_uploads (round, hospital, digest, upload, at) \
         values ($1, $2, $3, $4, $5)",
    )
    .bind(id.as_str())
    .bind(member.hospital.as_str())
    .bind(upload.masked().digest().to_string())
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

/// Whose uploads a round has, and their digests, by hospital.
pub(super) async fn digests(state: &State, held: &Held) -> Result<Vec<Survivor>, PooledError> {
    let rows = sqlx::query(
        "select hospital, digest from pooled_uploads where round = $1 order by hospital",
    )
    .bind(held.round.manifest().round.as_str())
    .fetch_all(state.pool())
    .await?;
    rows.iter()
        .map(|row| {
            let text = |column| row.try_get::<String, _>(column);
            Ok(Survivor {
                hospital: text(0)?.parse().map_err(|_| StateError::Name)?,
                upload: text(1)?.parse().map_err(|_| StateError::Range)?,
            })
        })
        .collect()
}

/// The uploads of a set, held against the digests that it cites.
pub(super) async fn uploads(
    state: &State,
    held: &Held,
    set: &Survivors,
) -> Result<Vec<Upload>, PooledError> {
    let mut uploads = Vec::with_capacity(set.uploads.len());
    each(state, held, set, |digest, bytes| {
        uploads.push(Upload::kept(&held.round, digest, bytes)?);
        Ok(())
    })
    .await?;
    Ok(uploads)
}

/// Does something with each masked vector of a set, held against the digest that the set cites.
pub(super) async fn vectors(
    state: &State,
    held: &Held,
    set: &Survivors,
    mut of: impl FnMut(Masked) -> Result<(), PooledError>,
) -> Result<(), PooledError> {
    each(state, held, set, |digest, bytes| {
        of(Masked::kept(&held.round, digest, bytes)?)
    })
    .await
}

/// Reads each upload of a set; `PAGE` of them are in memory as bytes at a time.
async fn each(
    state: &State,
    held: &Held,
    set: &Survivors,
    mut read: impl FnMut(Digest, &[u8]) -> Result<(), PooledError>,
) -> Result<(), PooledError> {
    const PAGE: i64 = 64;
    let mut waiting: BTreeMap<&str, Digest> = set
        .uploads
        .iter()
        .map(|one| (one.hospital.as_str(), one.upload))
        .collect();
    let mut last = String::new();
    while !waiting.is_empty() {
        let rows = sqlx::query(
            "select hospital, upload from pooled_uploads where round = $1 and hospital > $2 \
             order by hospital limit $3",
        )
        .bind(held.round.manifest().round.as_str())
        .bind(&last)
        .bind(PAGE)
        .fetch_all(state.pool())
        .await?;
        let Some(end) = rows.last() else {
            return Err(PooledError::NotYet);
        };
        last = end.try_get(0)?;
        for row in &rows {
            if let Some(digest) = waiting.remove(row.try_get::<&str, _>(0)?) {
                read(digest, row.try_get(1)?)?;
            }
        }
    }
    Ok(())
}
