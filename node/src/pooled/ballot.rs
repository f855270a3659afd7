//! A seat's one ballot in a round: for a set, or for no result. It is on disk before it is signed.

use pooled::family::{self, Earlier};
use pooled::manifest::Round;
use pooled::survivors::Survivors;
use pooled::vote::Ballot;
use schemas::digest::Digest;
use sqlx::Row as _;

use super::{Desk, PooledError, families};
use crate::ledger::{self, LedgerError};
use crate::store::state::{Change, StateError, append};

/// The ballot that was cast in a round of this name.
pub(super) async fn cast(
    change: &mut Change,
    round: &Round,
) -> Result<Option<Ballot>, PooledError> {
    let row = sqlx::query("select ballot from pooled_ballots where round = $1")
        .bind(round.manifest().round.as_str())
        .fetch_optional(&mut **change)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let text: String = row.try_get(0)?;
    Ok(Some(
        serde_json::from_str(&text).map_err(|_| StateError::Range)?,
    ))
}

/// Casts for a set: the family rule allows it, and nothing else was cast.
pub(super) async fn certify(
    desk: &Desk<'_>,
    round: &Round,
    survivors: &Survivors,
) -> Result<(), PooledError> {
    let digest = survivors.digest()?;
    let Some(mut change) = begin(desk, round, Ballot::Certify(digest)).await? else {
        return Ok(());
    };
    let manifest = round.manifest();
    if ledger::voided(&mut *change, round.hash()).await? {
        return Err(LedgerError::Voided(manifest.round.clone()).into());
    }
    let earlier = families::earlier(&mut change, round.hash(), &manifest.round).await?;
    family::check(manifest, survivors, &earlier)?;
    let this = Earlier::of(manifest, survivors);
    let this = serde_json::to_string(&this).map_err(|_| StateError::Range)?;
    let ballot = (Ballot::Certify(digest), Some(this), digest);
    keep(desk, change, round, ballot).await
}

/// Casts for no result: no certificate of the round was seen, and nothing else was cast.
pub(super) async fn void(desk: &Desk<'_>, round: &Round) -> Result<(), PooledError> {
    let Some(mut change) = begin(desk, round, Ballot::Void).await? else {
        return Ok(());
    };
    if families::certified(&mut change, round.hash()).await? {
        return Err(PooledError::OtherSet);
    }
    keep(desk, change, round, (Ballot::Void, None, Digest::ZERO)).await
}

/// The change in which a ballot is cast; none where it was before.
async fn begin(
    desk: &Desk<'_>,
    round: &Round,
    wanted: Ballot,
) -> Result<Option<Change>, PooledError> {
    let mut change = desk.app.state.begin().await?;
    if ledger::rolled_back(&mut *change).await? {
        return Err(LedgerError::RolledBack.into());
    }
    let stored = cast(&mut change, round).await?;
    Ballot::cast(stored, wanted)?;
    Ok(stored.is_none().then_some(change))
}

async fn keep(
    desk: &Desk<'_>,
    mut change: Change,
    round: &Round,
    (ballot, earlier, survivors): (Ballot, Option<String>, Digest),
) -> Result<(), PooledError> {
    let (name, now) = (&round.manifest().round, desk.app.clock.now());
    sqlx::query("insert into pooled_ballots (round, ballot, earlier, at) values ($1, $2, $3, $4)")
        .bind(name.as_str())
        .bind(serde_json::to_string(&ballot).map_err(|_| StateError::Range)?)
        .bind(earlier)
        .bind(now.0)
        .execute(&mut *change)
        .await?;
    let said = match ballot {
        Ballot::Certify(_) => ("survivors", survivors.to_string()),
        Ballot::Void => ("void", "true".to_owned()),
    };
    let detail = [("round", name.to_string()), said];
    append(&mut change, now, "pooled-vote", *round.hash(), &detail).await?;
    Ok(change.commit().await.map_err(StateError::from)?)
}
