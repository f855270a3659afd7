//! Rounds that end without a result: a seat's vote for that, and what a node does when a quorum of
//! them is shown.

use pooled::manifest::Round;
use pooled::offer::Offer;
use pooled::published::open_round;
use pooled::survivors::VoidCertificate;
use pooled::vote::Void;
use pooled::work::SeatWord;
use schemas::id::Slug;
use schemas::loss::Rho;
use sqlx::Row as _;

use super::round::{self, Named};
use super::{Desk, PooledError, ballot, lists, receipts, seat};
use crate::ledger;
use crate::steward;
use crate::store::state::State;

/// The round of an offer, by a list that is or was followed. Enough to vote or hear that it is over;
/// what it asks is not judged.
async fn opened(desk: &Desk<'_>, offer: &Offer) -> Result<(Round, Named), PooledError> {
    let state = &desk.app.state;
    let (_, digest, manifest) = offer.open(desk.alliance)?;
    let hash = offer.manifest.digest()?;
    let kept = sqlx::query("select manifest from pooled_rounds where round = $1")
        .bind(manifest.round.as_str())
        .fetch_optional(state.pool())
        .await?;
    let kept: Option<String> = kept.map(|row| row.try_get(0)).transpose()?;
    if kept.as_ref().is_some_and(|kept| *kept != hash.to_string()) {
        return Err(PooledError::SecondManifest(manifest.round));
    }
    let list = lists::of_hash(state, &manifest.key_list.to_string()).await?;
    let list = list.ok_or(PooledError::NoList)?;
    let round = open_round(offer, list.list().clone(), desk.alliance)?;
    let named = Named {
        digest,
        list: list.hash(),
        known: kept.is_some(),
    };
    Ok((round, named))
}

/// Votes that a round ends without a result: not before its uploads are closed by this seat's own
/// clock, and only if nothing else was cast. The ballot is on disk before the signature exists.
pub async fn void(desk: &Desk<'_>, offer: &Offer) -> Result<SeatWord, PooledError> {
    let app = desk.app;
    let (opened, named) = opened(desk, offer).await?;
    let now = app.clock.now();
    if !opened.may_be_voided(now) {
        return Err(PooledError::StillOpen);
    }
    if opened.seat(&app.hospital).is_none() {
        return Err(pooled::vote::VoteError::Seat.into());
    }
    seat::free(desk).await?;
    receipts::hold(app, &opened).await?;
    if !named.known {
        round::keep(desk, offer, &opened, &named, now).await?;
    }
    ballot::void(desk, &opened).await?;
    let vote = Void::sign(&opened, &app.hospital, &app.signer)?;
    Ok(SeatWord::Void(vote))
}

/// Whether a round's void is known.
pub async fn voided(state: &State, round: &Slug) -> Result<bool, PooledError> {
    let row = sqlx::query("select 1 from pooled_voided where round = $1")
        .bind(round.as_str())
        .fetch_optional(state.pool())
        .await?;
    Ok(row.is_some())
}

/// Verifies a published void certificate, takes back what the own upload was charged and wipes it.
/// Beside a certificate it is refused and written down: more seats than allowed have lied.
pub async fn hear_void(
    desk: &Desk<'_>,
    offer: &Offer,
    certificate: &VoidCertificate,
) -> Result<Option<Rho>, PooledError> {
    let app = desk.app;
    let (opened, _) = opened(desk, offer).await?;
    let now = app.clock.now();
    let credited = ledger::credit(&app.state, &opened, certificate, now, app.watch).await;
    if let Err(ledger::LedgerError::Certified(_)) = &credited {
        let what = "a void certificate of a round that was certified";
        steward::alarm(&app.state, *opened.hash(), what, now).await?;
    }
    Ok(credited?)
}
