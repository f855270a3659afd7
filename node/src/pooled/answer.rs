//! The hospital's part: exact cells → share of the noise → mask → charge → sent, in this order and
//! never otherwise.

use std::sync::Arc;

use policies::plan::{apart, pooled_charge};
use pooled::offer::Offer;
use pooled::upload::{Secrets, Upload};
use schemas::outcome::Reason;
use schemas::time::Timestamp;

use super::{Desk, Opened, PooledError, families, heard, open};
use crate::answer::{App, Examined, Unanswered, asked_by, exact, examine};
use crate::ledger::{self, Due, LedgerError, Of, PaidUpload};
use crate::noise;
use crate::scan::ScanError;
use crate::snapshot::Released;
use crate::steward::{self, Admitted, LetterState};
use crate::store::state::StateError;

/// What becomes of a pooled round now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// The stored upload may leave.
    Upload(PaidUpload),
    /// The steward has not decided yet.
    Waits,
    /// This hospital does not take part.
    Declined(Reason),
}

/// Answers an offer, declines it, or lets it wait. A stored upload leaves as it is, however often.
/// What becomes of it is noted for the steward.
pub async fn answer(desk: &Desk<'_>, offer: &Offer) -> Result<Said, PooledError> {
    let said = judge(desk, offer).await;
    heard::note(desk, offer, &said).await?;
    said
}

async fn judge(desk: &Desk<'_>, offer: &Offer) -> Result<Said, PooledError> {
    let opened = open(desk, offer).await?;
    let app = desk.app;
    let now = app.clock.now();
    steward::expire(&app.state, now).await?;
    if let Some(stored) = ledger::stored_upload(&app.state, &opened.round).await? {
        return leave(app, &opened, stored).await;
    }
    if declined_before(app, &opened).await? {
        return Ok(Said::Declined(Reason::Declined));
    }
    if !opened.round.takes_uploads(now) {
        return Err(PooledError::Closed);
    }
    if opened.round.hospital(&app.hospital) != Some(&app.signer.public()) {
        return Err(pooled::upload::UploadError::NotAsked.into());
    }
    let asked = (&opened.asked, opened.digest);
    let declined = match steward::admit(&app.state, &app.policy.quota, asked, now).await? {
        Admitted::Yes => None,
        Admitted::Locked => Some((Reason::Declined, "locked")),
        Admitted::Busy => Some((Reason::Busy, "quota.per_minute")),
        Admitted::OverQuota => Some((Reason::OverQuota, "quota.per_week")),
    };
    if let Some((reason, why)) = declined {
        return decline(desk, (offer, &opened), reason, why).await;
    }
    let letter = steward::find(&app.state, &opened.digest.to_string()).await?;
    if letter.is_some_and(|letter| letter.state == LetterState::Refused) {
        return decline(desk, (offer, &opened), Reason::Declined, "steward").await;
    }
    let examined = match examine(app, &asked_by(&opened.asked, opened.digest)).await {
        Ok(examined) => examined,
        Err(error) => match error.reason() {
            Some(reason) => {
                return decline(desk, (offer, &opened), reason, &error.to_string()).await;
            }
            None => return Err(error.into()),
        },
    };
    if examined.waits.is_some() {
        steward::put(&app.state, &opened.asked, opened.digest, now).await?;
        return Ok(Said::Waits);
    }
    let paid = match pay(app, &opened, &examined, now).await {
        Ok(paid) => paid,
        Err(error) => match reason(&error) {
            Some(reason) => {
                return decline(desk, (offer, &opened), reason, &error.to_string()).await;
            }
            None => return Err(error),
        },
    };
    if examined.hold {
        steward::answered(&app.state, opened.digest, now).await?;
    }
    leave(app, &opened, paid).await
}

/// Everything that is asked before the scan, then the upload and its charge.
async fn pay(
    app: &Arc<App>,
    opened: &Opened,
    examined: &Examined,
    now: Timestamp,
) -> Result<PaidUpload, PooledError> {
    families::roster_fits(&app.state, &opened.round).await?;
    let open = ledger::open_uploads(&app.state, now).await?;
    if open >= app.policy.pooled.open_rounds {
        return Err(PooledError::OpenRounds(open));
    }
    let payer = app.payer(examined.bound.purpose);
    ledger::affordable(&app.state, &opened.layout, payer).await?;
    let (layout, data) = (&opened.layout, &examined.bound.released.months);
    let apart = apart(layout, &app.dictionary).map_err(LedgerError::from)?;
    let of = Of::new(layout.period, layout.dictionary, data);
    // Before anything is scanned: it comes again until these are told and have left.
    ledger::wholes_told(&app.state, &apart.wholes, &of).await?;
    let upload = make(app, opened, &examined.bound.released).await?;
    let thresholds = (opened.round.manifest().n_min, opened.round.manifest().t);
    let (charge, worst) = pooled_charge(&opened.layout, thresholds)?;
    let due = Due {
        round: &opened.round,
        question: opened.layout.question,
        charge,
        worst,
        apart: &apart,
        of,
    };
    Ok(ledger::charge_upload(&app.state, &due, &upload, payer, app.watch).await?)
}

/// What is final: the same offer comes again, and nothing is scanned for it a second time. Wholes that
/// this hospital has not told may still be told until the round closes.
fn reason(error: &PooledError) -> Option<Reason> {
    match error {
        PooledError::Unanswered(error) => error.reason(),
        PooledError::Family(_)
        | PooledError::Ledger(
            LedgerError::OtherWay(_)
            | LedgerError::OtherDictionary(_)
            | LedgerError::Restated { .. },
        ) => Some(Reason::Refused),
        PooledError::Ledger(LedgerError::OutOfAllowance { .. }) => Some(Reason::OutOfAllowance),
        _ => None,
    }
}

/// Scan, share and mask on a worker thread: nothing of them outlives it but the masked upload.
async fn make(app: &Arc<App>, opened: &Opened, released: &Released) -> Result<Upload, PooledError> {
    let (app, opened, released) = (Arc::clone(app), opened.clone(), released.clone());
    let made = tokio::task::spawn_blocking(move || {
        let (layout, round) = (&opened.layout, &opened.round);
        let exact = exact(&app, layout, &released)?;
        let manifest = round.manifest();
        let honest = manifest.n_min.saturating_sub(manifest.t);
        let source = app.noise.as_ref();
        let share = noise::share(layout, &manifest.blocks, honest, exact, source, app.threads);
        let share = share.map_err(Unanswered::from)?;
        let secrets = Secrets::random(round.shape())?;
        let made = Upload::make(round, &app.hospital, &app.signer, share.cells(), secrets);
        Ok::<Upload, PooledError>(made?)
    });
    made.await
        .map_err(|_| Unanswered::Scan(ScanError::Worker))?
}

/// Lets a paid upload leave, unless the steward has refused, held or locked since.
async fn leave(app: &App, opened: &Opened, paid: PaidUpload) -> Result<Said, PooledError> {
    let manifest = opened.round.hash().to_string();
    let gone: i64 = sqlx::query_scalar("select let_go from pooled_uploads where manifest = $1")
        .bind(&manifest)
        .fetch_one(app.state.pool())
        .await?;
    if gone == 0 {
        let mut change = app.state.begin().await?;
        if !steward::let_go(&mut change, &opened.digest).await? {
            return Ok(Said::Waits);
        }
        sqlx::query("update pooled_uploads set let_go = 1 where manifest = $1")
            .bind(&manifest)
            .execute(&mut *change)
            .await?;
        change.commit().await.map_err(StateError::from)?;
    }
    Ok(Said::Upload(paid))
}

/// The coordinator has the upload, or will never take it.
pub async fn taken(app: &App, round: &schemas::id::Slug) -> Result<(), PooledError> {
    sqlx::query("update pooled_uploads set taken = 1 where round = $1")
        .bind(round.as_str())
        .execute(app.state.pool())
        .await?;
    Ok(())
}

/// Once a round: its offer comes again until it closes.
async fn declined_before(app: &App, opened: &Opened) -> Result<bool, PooledError> {
    let known = sqlx::query("select 1 from alarms where message = $1")
        .bind(opened.round.hash().to_string())
        .fetch_optional(app.state.pool())
        .await?;
    Ok(known.is_some())
}

async fn decline(
    desk: &Desk<'_>,
    (offer, opened): (&Offer, &Opened),
    reason: Reason,
    why: &str,
) -> Result<Said, PooledError> {
    let app = desk.app;
    let state = if reason == Reason::Busy {
        "waits"
    } else {
        "declined"
    };
    heard::keep(desk, offer, state, why).await?;
    let now = app.clock.now();
    if reason != Reason::Busy {
        let message = *opened.round.hash();
        steward::alarm(&app.state, message, "a pooled round was declined", now).await?;
        steward::declined(&app.state, opened.digest, why, now).await?;
    }
    Ok(Said::Declined(reason))
}
