//! Which sets of a family may have been unmasked, as far as this node knows: from its own votes and
//! from published certificates, which it verifies.

use pooled::family::{self, Earlier};
use pooled::manifest::{Manifest, Round};
use pooled::offer::Offer;
use pooled::published::open_round;
use pooled::survivors::{Certificate, Certified, Survivor, Survivors};
use schemas::digest::Digest;
use schemas::id::Slug;
use sqlx::Row as _;

use super::{Desk, PooledError, lists};
use crate::ledger::{self, LedgerError};
use crate::steward;
use crate::store::state::{Change, State, StateError, append};

/// Whether the certificate of a round is known.
pub async fn known(state: &State, round: &Slug) -> Result<bool, PooledError> {
    let row = sqlx::query("select 1 from pooled_certified where round = $1")
        .bind(round.as_str())
        .fetch_optional(state.pool())
        .await?;
    Ok(row.is_some())
}

/// Verifies a published certificate and keeps the set.
pub async fn hear(
    desk: &Desk<'_>,
    offer: &Offer,
    certificate: &Certificate,
) -> Result<(), PooledError> {
    let state = &desk.app.state;
    let (_, _, manifest) = offer.open(desk.alliance)?;
    let list = lists::of_hash(state, &manifest.key_list.to_string()).await?;
    let list = list.ok_or(PooledError::NoList)?;
    let round = open_round(offer, list.list().clone(), desk.alliance)?;
    let certified = certificate.verify(&round)?;
    keep(desk, &round, certificate, &certified).await
}

/// Keeps a verified certificate. A second one of the round for another set is refused.
pub(super) async fn keep(
    desk: &Desk<'_>,
    round: &Round,
    certificate: &Certificate,
    certified: &Certified,
) -> Result<(), PooledError> {
    let app = desk.app;
    let earlier = Earlier::of(round.manifest(), certified.survivors());
    let mut change = app.state.begin().await?;
    let before: Option<String> =
        sqlx::query_scalar("select certificate from pooled_certified where manifest = $1")
            .bind(round.hash().to_string())
            .fetch_optional(&mut *change)
            .await?;
    if ledger::voided(&mut *change, round.hash()).await? {
        drop(change);
        let what = "a certificate of a round that was voided";
        steward::alarm(&app.state, *round.hash(), what, app.clock.now()).await?;
        return Err(LedgerError::Voided(round.manifest().round.clone()).into());
    }
    if let Some(before) = before {
        let before: Certificate = serde_json::from_str(&before).map_err(|_| StateError::Range)?;
        if before.survivors != *certified.survivors() {
            return Err(PooledError::OtherSet);
        }
        return Ok(());
    }
    let text = serde_json::to_string(certificate).map_err(|_| StateError::Range)?;
    sqlx::query(
        "insert into pooled_certified (manifest, round, certificate, earlier, at) \
         values ($1, $2, $3, $4, $5)",
    )
    .bind(round.hash().to_string())
    .bind(round.manifest().round.as_str())
    .bind(text)
    .bind(serde_json::to_string(&earlier).map_err(|_| StateError::Range)?)
    .bind(app.clock.now().0)
    .execute(&mut *change)
    .await?;
    let detail = [
        ("round", round.manifest().round.to_string()),
        ("survivors", certified.digest().to_string()),
    ];
    append(
        &mut change,
        app.clock.now(),
        "pooled-certified",
        *round.hash(),
        &detail,
    )
    .await?;
    Ok(change.commit().await.map_err(StateError::from)?)
}

/// Whether a certificate of this manifest is known.
pub(super) async fn certified(change: &mut Change, manifest: &Digest) -> Result<bool, PooledError> {
    let row = sqlx::query("select 1 from pooled_certified where manifest = $1")
        .bind(manifest.to_string())
        .fetch_optional(&mut **change)
        .await?;
    Ok(row.is_some())
}

/// What counts as unmasked before: certificates, and sets that this seat voted for, of other rounds.
pub(super) async fn earlier(
    change: &mut Change,
    manifest: &Digest,
    round: &Slug,
) -> Result<Vec<Earlier>, PooledError> {
    let rows = sqlx::query(
        "select earlier from pooled_certified where manifest <> $1 \
         union select earlier from pooled_ballots where round <> $2 and earlier is not null",
    )
    .bind(manifest.to_string())
    .bind(round.as_str())
    .fetch_all(&mut **change)
    .await?;
    rows.iter()
        .map(|row| {
            let text: String = row.try_get(0)?;
            Ok(serde_json::from_str(&text).map_err(|_| StateError::Range)?)
        })
        .collect()
}

/// Before an upload: the whole roster, as the set that the round is meant to end with, must be one
/// that may be unmasked. A charge for a round that no committee may certify would be lost.
pub(super) async fn roster_fits(state: &State, round: &Round) -> Result<(), PooledError> {
    let whole = |hospital: &Slug| Survivor {
        hospital: hospital.clone(),
        upload: Digest::ZERO,
    };
    let set = Survivors {
        manifest: *round.hash(),
        uploads: round.manifest().roster.iter().map(whole).collect(),
    };
    fits(state, round, &set).await
}

/// Whether this node's seat may vote for a set, by what was unmasked before.
pub(super) async fn fits(state: &State, round: &Round, set: &Survivors) -> Result<(), PooledError> {
    let manifest: &Manifest = round.manifest();
    let mut change = state.begin().await?;
    let earlier = earlier(&mut change, round.hash(), &manifest.round).await?;
    drop(change);
    Ok(family::check(manifest, set, &earlier)?)
}
