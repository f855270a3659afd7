//! A manifest's way in: checked once against list, policy, accepted members and question, then kept
//! with the moment and the list by which it was checked.

use policies::plan::{Layout, Refusal, pooled_fits};
use pooled::key_list::Pinned;
use pooled::manifest::{ManifestError, Round, Trust};
use pooled::offer::Offer;
use schemas::digest::Digest;
use schemas::round::Round as Asked;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::{Desk, PooledError, lists, receipts};
use crate::steward;
use crate::store::state::{StateError, append};

/// A checked offer.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What is asked, for the steward.
    pub asked: Asked,
    /// Its digest as signed.
    pub digest: Digest,
    /// The checked manifest.
    pub round: Round,
    /// The compiled question.
    pub layout: Layout,
}

/// Opens an offer. What is refused is written down as an attempt.
pub async fn open(desk: &Desk<'_>, offer: &Offer) -> Result<Opened, PooledError> {
    let opened = check(desk, offer).await;
    let what = match &opened {
        Err(PooledError::SecondManifest(_)) => "a second manifest under the name of a pooled round",
        Err(PooledError::Offer(_)) => "a pooled manifest beside another round, or not signed",
        // The list that it cites is on its way, the steward looks at a newcomer, or it is too early.
        Err(
            PooledError::Manifest(
                ManifestError::OtherList | ManifestError::Newcomer(_) | ManifestError::NotNow,
            )
            // An officer has not accepted the dictionary yet.
            | PooledError::Refused(Refusal::OtherDictionary),
        ) => return opened,
        Err(PooledError::Manifest(_)) => "a pooled manifest that breaks a rule",
        Err(PooledError::Refused(_)) => "a pooled manifest that does not follow from its question",
        Ok(_) | Err(_) => return opened,
    };
    let app = desk.app;
    let message = offer.manifest.digest()?;
    steward::alarm(&app.state, message, what, app.clock.now()).await?;
    opened
}

async fn check(desk: &Desk<'_>, offer: &Offer) -> Result<Opened, PooledError> {
    let app = desk.app;
    let (asked, digest, manifest) = offer.open(desk.alliance)?;
    let hash = offer.manifest.digest()?;
    let kept = sqlx::query("select manifest, list, at from pooled_rounds where round = $1")
        .bind(manifest.round.as_str())
        .fetch_optional(app.state.pool())
        .await?;
    let (pinned, moment) = match &kept {
        Some(row) => {
            if row.try_get::<String, _>(0)? != hash.to_string() {
                return Err(PooledError::SecondManifest(manifest.round));
            }
            let list = lists::of_hash(&app.state, &row.try_get::<String, _>(1)?).await?;
            (list, Timestamp(row.try_get(2)?))
        }
        None => (lists::pinned(&app.state).await?, app.clock.now()),
    };
    let pinned = pinned.ok_or(PooledError::NoList)?;
    let round = by_trust(desk, offer, &pinned, moment).await?;
    let layout = pooled_fits(&manifest, &asked.question, &app.dictionary, &app.floors)?;
    receipts::hold(app, &round).await?;
    let opened = Opened {
        asked,
        digest,
        round,
        layout,
    };
    if kept.is_none() {
        let named = Named {
            digest,
            list: pinned.hash(),
            known: false,
        };
        keep(desk, offer, &opened.round, &named, moment).await?;
    }
    Ok(opened)
}

async fn by_trust(
    desk: &Desk<'_>,
    offer: &Offer,
    pinned: &Pinned,
    moment: Timestamp,
) -> Result<Round, PooledError> {
    let accepted = lists::accepted(desk).await?;
    let policy = desk.app.policy.pooled.policy();
    let trust = Trust {
        coordinator: desk.alliance,
        pinned,
        policy: &policy,
        accepted: &accepted,
    };
    Ok(Round::open(&offer.manifest, &trust, moment)?)
}

/// Under what a round is kept.
pub(super) struct Named {
    /// Digest of the signed round.
    pub(super) digest: Digest,
    /// Hash of the list that it was checked by.
    pub(super) list: Digest,
    /// Whether it is kept already.
    pub(super) known: bool,
}

/// A name stands for one manifest, and for one signed round of any kind, from now on.
pub(super) async fn keep(
    desk: &Desk<'_>,
    offer: &Offer,
    round: &Round,
    named: &Named,
    moment: Timestamp,
) -> Result<(), PooledError> {
    let app = desk.app;
    let name = &round.manifest().round;
    let text = String::from_utf8(schemas::canonical::to_bytes(offer)?);
    let mut change = app.state.begin().await?;
    sqlx::query("insert into round_names (id, round) values ($1, $2) on conflict (id) do nothing")
        .bind(name.as_str())
        .bind(named.digest.to_string())
        .execute(&mut *change)
        .await?;
    let first: String = sqlx::query_scalar("select round from round_names where id = $1")
        .bind(name.as_str())
        .fetch_one(&mut *change)
        .await?;
    let kept = sqlx::query(
        "insert into pooled_rounds (round, manifest, offer, list, at) \
         values ($1, $2, $3, $4, $5) on conflict do nothing",
    )
    .bind(name.as_str())
    .bind(round.hash().to_string())
    .bind(text.map_err(|_| StateError::Range)?)
    .bind(named.list.to_string())
    .bind(moment.0)
    .execute(&mut *change)
    .await?;
    if first != named.digest.to_string() {
        return Err(PooledError::SecondManifest(name.clone()));
    }
    if kept.rows_affected() != 1 {
        let stands: Option<String> =
            sqlx::query_scalar("select manifest from pooled_rounds where round = $1")
                .bind(name.as_str())
                .fetch_optional(&mut *change)
                .await?;
        if stands == Some(round.hash().to_string()) {
            return Ok(());
        }
        return Err(PooledError::SecondManifest(name.clone()));
    }
    let detail = [
        ("round", name.to_string()),
        ("asked", named.digest.to_string()),
        ("list", named.list.to_string()),
    ];
    append(&mut change, moment, "pooled-round", *round.hash(), &detail).await?;
    Ok(change.commit().await.map_err(StateError::from)?)
}
