//! The key list: followed version by version, countersigned once a version.

use std::collections::BTreeSet;

use pooled::key_list::{
    Countersignature, Followed, KeyList, KeyListError, LONGEST, Pinned, SignedList,
};
use schemas::digest::Digest;
use schemas::seal::Sealed;
use sqlx::Row as _;

use super::{Desk, PooledError};
use crate::steward;
use crate::store::state::{State, StateError, append};

/// The list that is followed.
pub async fn pinned(state: &State) -> Result<Option<Pinned>, PooledError> {
    let row = sqlx::query("select body, hash from pooled_lists order by version desc limit 1")
        .fetch_optional(state.pool())
        .await?;
    row.as_ref().map(read).transpose()
}

/// The list of a hash, among those that were followed.
pub(super) async fn of_hash(state: &State, hash: &str) -> Result<Option<Pinned>, PooledError> {
    let row = sqlx::query("select body, hash from pooled_lists where hash = $1")
        .bind(hash)
        .fetch_optional(state.pool())
        .await?;
    row.as_ref().map(read).transpose()
}

/// The followed version; 0 before the first.
pub async fn version(state: &State) -> Result<u32, PooledError> {
    let pinned = pinned(state).await?;
    Ok(pinned.map_or(0, |pinned| pinned.list().version))
}

fn read(row: &sqlx::sqlite::SqliteRow) -> Result<Pinned, PooledError> {
    // Verified when it came in; the hash shows that it is still the same.
    let list: String = row.try_get(0)?;
    let list: KeyList = schemas::canonical::from_bytes(list.as_bytes())?;
    let pinned = Pinned::stored(list)?;
    if pinned.hash().to_string() == row.try_get::<String, _>(1)? {
        Ok(pinned)
    } else {
        Err(StateError::Range.into())
    }
}

/// Fingerprints that this organisation's steward accepted.
pub async fn accepted(desk: &Desk<'_>) -> Result<BTreeSet<Digest>, PooledError> {
    let app = desk.app;
    let officers = &app.standing.officers;
    Ok(steward::accepted_members(&app.state, officers, &app.hospital).await?)
}

/// Follows a published list; `true` where it is a new version. A second list of the pinned version
/// is refused and written down.
pub async fn follow(desk: &Desk<'_>, bytes: &[u8]) -> Result<bool, PooledError> {
    let app = desk.app;
    let signed = SignedList::parse(bytes)?;
    let least = app.policy.pooled.countersigned;
    let next = match pinned(&app.state).await? {
        None => Pinned::first(&signed, desk.alliance, least)?,
        Some(here) => match here.follow(&signed, desk.alliance, least) {
            Ok(Followed::Same) => return Ok(false),
            Ok(Followed::Next(next)) => *next,
            Err(error) => {
                if matches!(error, KeyListError::Forked { .. }) {
                    let message = signed.list.digest()?;
                    let what = "a second key list of one version";
                    steward::alarm(&app.state, message, what, app.clock.now()).await?;
                }
                return Err(error.into());
            }
        },
    };
    let list = next.list();
    let body = String::from_utf8(schemas::canonical::to_bytes(list)?);
    let now = app.clock.now();
    let mut change = app.state.begin().await?;
    sqlx::query("insert into pooled_lists (version, hash, body, at) values ($1, $2, $3, $4)")
        .bind(i64::from(list.version))
        .bind(next.hash().to_string())
        .bind(body.map_err(|_| StateError::Range)?)
        .bind(now.0)
        .execute(&mut *change)
        .await?;
    let detail = [("version", list.version.to_string())];
    append(&mut change, now, "key-list", next.hash(), &detail).await?;
    change.commit().await?;
    Ok(true)
}

/// Countersigns a draft of the next list: everybody in it is accepted here, it continues the pinned
/// one, and no other list of the version was countersigned. What a list must keep of the one before
/// is checked by everyone who follows it.
pub async fn countersign(
    desk: &Desk<'_>,
    draft: &[u8],
) -> Result<Sealed<Countersignature>, PooledError> {
    let app = desk.app;
    let sealed: Sealed<KeyList> = schemas::canonical::read(draft)?;
    let next = Pinned::stored(sealed.open(desk.alliance)?)?;
    let list = next.list();
    let now = app.clock.now();
    let (expected, previous) = match pinned(&app.state).await? {
        None => (1, Digest::ZERO),
        Some(here) => {
            if here.list().alliance != list.alliance {
                return Err(KeyListError::Alliance.into());
            }
            (here.list().version.saturating_add(1), here.hash())
        }
    };
    if list.version != expected {
        return Err(KeyListError::Version { expected }.into());
    }
    if list.previous != previous {
        return Err(KeyListError::Previous.into());
    }
    // A list for times long past or ahead is none that anybody waits for.
    if list.valid_to < now || list.valid_from.0.saturating_sub(now.0) > LONGEST {
        return Err(KeyListError::Validity.into());
    }
    if let Some(newcomer) = next.newcomers(&accepted(desk).await?).first() {
        return Err(PooledError::Newcomer(newcomer.id.clone()));
    }
    let mut change = app.state.begin().await?;
    let before: Option<String> =
        sqlx::query_scalar("select hash from pooled_countersigned where version = $1")
            .bind(i64::from(list.version))
            .fetch_optional(&mut *change)
            .await?;
    match before {
        Some(before) if before != next.hash().to_string() => {
            return Err(PooledError::Countersigned(list.version));
        }
        Some(_) => drop(change),
        None => {
            sqlx::query("insert into pooled_countersigned (version, hash) values ($1, $2)")
                .bind(i64::from(list.version))
                .bind(next.hash().to_string())
                .execute(&mut *change)
                .await?;
            let detail = [("version", list.version.to_string())];
            append(
                &mut change,
                now,
                "key-list-countersign",
                next.hash(),
                &detail,
            )
            .await?;
            change.commit().await?;
        }
    }
    Ok(Sealed::seal(&app.signer, &Countersignature::of(&next))?)
}
