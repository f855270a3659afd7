//! The committee member's part up to the vote: keys by month, inspection, one ballot a round.

use pooled::boxes::Suite;
use pooled::inspect::{InspectError, Inspected, Proposal};
use pooled::key_list::{SeatKey, destroy_by, month_at};
use pooled::offer::Offer;
use pooled::vote::{Certify, Complaint};
use pooled::work::SeatWord;
use schemas::seal::Sealed;

use super::{Desk, Opened, PooledError, ballot, families, open};
use crate::config::keys::Keys;
use crate::ledger::{self, LedgerError};
use crate::steward;
use crate::store::state::{StateError, append};

/// This seat's keys for this month and the next, signed; they are made where they are missing. The
/// same month gives the same key until it is destroyed.
pub async fn seat_keys(desk: &Desk<'_>, epoch: u32) -> Result<Vec<Sealed<SeatKey>>, PooledError> {
    let app = desk.app;
    let keys = Keys::open(&app.data)?;
    let now = app.clock.now();
    let mut signed = Vec::new();
    let this = month_at(now);
    for month in [this, this.and_then(schemas::time::Month::next)]
        .into_iter()
        .flatten()
    {
        let secret = if let Some(secret) = keys.seat_secret(epoch, month)? {
            secret
        } else {
            let secret = keys.make_seat_secret(epoch, month)?;
            let key = secret.public();
            let detail = [("epoch", epoch.to_string()), ("month", month.to_string())];
            let subject = schemas::canonical::digest("cams-seat-key-made-v1", &key)?;
            let mut change = app.state.begin().await?;
            append(&mut change, now, "seat-key", subject, &detail).await?;
            change.commit().await.map_err(StateError::from)?;
            secret
        };
        let key = SeatKey {
            alliance: app.dictionary.alliance.clone(),
            epoch,
            member: app.hospital.clone(),
            month,
            valid_to: destroy_by(month),
            suite: Suite::XWing,
            key: secret.public(),
        };
        signed.push(Sealed::seal(&app.signer, &key)?);
    }
    Ok(signed)
}

/// Destroys the keys of months that are 14 days over. Rounds that still need them die.
pub async fn destroy_old(desk: &Desk<'_>) -> Result<usize, PooledError> {
    let app = desk.app;
    let keys = Keys::open(&app.data)?;
    let now = app.clock.now();
    let mut destroyed = 0_usize;
    for (epoch, month) in keys.seat_months()? {
        if now < destroy_by(month) {
            continue;
        }
        keys.remove_seat_secret(epoch, month)?;
        let detail = [("epoch", epoch.to_string()), ("month", month.to_string())];
        let subject = schemas::digest::Digest::of("cams-seat-key-destroyed-v1", &[]);
        let mut change = app.state.begin().await?;
        append(&mut change, now, "seat-key-destroyed", subject, &detail).await?;
        change.commit().await.map_err(StateError::from)?;
        destroyed = destroyed.saturating_add(1);
    }
    Ok(destroyed)
}

/// Whether this seat may say anything now: not locked, and no rollback waits to be burned.
pub(super) async fn free(desk: &Desk<'_>) -> Result<(), PooledError> {
    let state = &desk.app.state;
    if steward::locked(state)
        .await?
        .is_some_and(|lock| lock.locked)
    {
        return Err(PooledError::Locked);
    }
    if ledger::rolled_back(state.pool()).await? {
        return Err(LedgerError::RolledBack.into());
    }
    Ok(())
}

/// Opens the boxes of a proposal; a faulty one gives signed complaints.
pub(super) async fn look(
    desk: &Desk<'_>,
    opened: &Opened,
    proposal: &Proposal,
) -> Result<Result<Inspected, SeatWord>, PooledError> {
    let app = desk.app;
    let (round, now) = (&opened.round, app.clock.now());
    if !round.answers(now) {
        return Err(PooledError::Closed);
    }
    free(desk).await?;
    let manifest = round.manifest();
    if now >= destroy_by(manifest.key_month) {
        return Err(PooledError::NoSeatKey);
    }
    let keys = Keys::open(&app.data)?;
    let secret = keys.seat_secret(manifest.epoch, manifest.key_month)?;
    let secret = secret.ok_or(PooledError::NoSeatKey)?;
    match proposal.inspect(round, &app.hospital, &secret) {
        Ok(inspected) => Ok(Ok(inspected)),
        Err(InspectError::Faulty(faulty)) => {
            let mut complaints = Vec::with_capacity(faulty.len());
            for (hospital, fault) in faulty {
                tracing::warn!(round = %manifest.round, %hospital, %fault, "a complaint");
                let (member, signer) = (&app.hospital, &app.signer);
                complaints.push(Complaint::sign(round, member, signer, &hospital)?);
            }
            Ok(Err(SeatWord::Complaints(complaints)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Says whether a proposed set is sound for this seat. Nothing is voted. Of a set that it may not vote
/// for it says nothing, so that no other seat casts its ballot for what is never certified.
pub async fn inspect(
    desk: &Desk<'_>,
    offer: &Offer,
    proposal: &Proposal,
) -> Result<SeatWord, PooledError> {
    let opened = open(desk, offer).await?;
    match look(desk, &opened, proposal).await? {
        Ok(inspected) => {
            families::fits(&desk.app.state, &opened.round, &proposal.survivors).await?;
            Ok(SeatWord::Sound(*inspected.survivors()))
        }
        Err(complaints) => Ok(complaints),
    }
}

/// Votes for a proposed set, if everything fits and nothing else was voted for in this round. The
/// ballot is on disk before the signature exists.
pub async fn certify(
    desk: &Desk<'_>,
    offer: &Offer,
    proposal: &Proposal,
) -> Result<SeatWord, PooledError> {
    let opened = open(desk, offer).await?;
    let inspected = match look(desk, &opened, proposal).await? {
        Ok(inspected) => inspected,
        Err(complaints) => return Ok(complaints),
    };
    let survivors = *inspected.survivors();
    let cast = ballot::certify(desk, &opened.round, &proposal.survivors).await;
    if let Err(PooledError::Vote(_) | PooledError::Family(_)) = &cast {
        let what = "a survivor set that this seat may not vote for";
        let app = desk.app;
        steward::alarm(&app.state, survivors, what, app.clock.now()).await?;
    }
    cast?;
    let (member, signer) = (&desk.app.hospital, &desk.app.signer);
    let vote = Certify::sign(&opened.round, member, signer, survivors)?;
    Ok(SeatWord::Vote(vote))
}
