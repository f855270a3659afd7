//! A round's way through the node: quota and lock, the question, the steward's inbox, the answer.

use std::sync::Arc;

use schemas::digest::Digest;
use schemas::outcome::Reason;
use schemas::question::Release;
use schemas::round::Round;

use super::{App, Asked, By, Unanswered, examine, reply};
use crate::ledger::Charged;
use crate::steward::{self, Admitted, LetterState};

/// What becomes of a round now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Spoken {
    /// The stored, signed answer.
    Answered(Charged),
    /// Why there is none.
    Declined(Reason),
    /// The steward has not decided yet, or looks at the answer first.
    Waits,
}

/// The question of a round as the node judges it.
pub fn asked_by(round: &Round, digest: Digest) -> Asked {
    Asked {
        question: round.question.clone(),
        template: round.template.clone(),
        by: By::Alliance {
            round: digest,
            purpose: round.purpose,
        },
    }
}

/// Answers a round, declines it, or lets it wait for the steward. The reason that the outside is
/// told names no policy; the log of the node does.
pub async fn answer_round(
    app: &Arc<App>,
    round: &Round,
    digest: Digest,
) -> Result<Spoken, Unanswered> {
    let now = app.clock.now();
    let state = &app.state;
    steward::expire(state, now).await?;
    let quota = &app.policy.quota;
    let declined = match steward::admit(state, quota, (round, digest), now).await? {
        Admitted::Yes => None,
        Admitted::Locked => Some((Reason::Declined, "locked")),
        Admitted::Busy => Some((Reason::Busy, "quota.per_minute")),
        Admitted::OverQuota => Some((Reason::OverQuota, "quota.per_week")),
    };
    if let Some((reason, why)) = declined {
        steward::declined(state, digest, why, now).await?;
        return Ok(Spoken::Declined(reason));
    }
    if round.question.release != Release::Attributed {
        return decline(app, digest, Unanswered::Pooled).await;
    }
    let letter = steward::find(state, &digest.to_string()).await?;
    if letter
        .as_ref()
        .is_some_and(|l| l.state == LetterState::Refused)
    {
        return Ok(Spoken::Declined(Reason::Declined));
    }
    let asked = asked_by(round, digest);
    let examined = match examine(app, &asked).await {
        Ok(examined) => examined,
        Err(error) => return decline(app, digest, error).await,
    };
    if examined.waits.is_some() {
        steward::put(state, round, digest, now).await?;
        return Ok(Spoken::Waits);
    }
    let charged = match reply(app, &asked).await {
        Ok(charged) => charged,
        // It was approved a moment ago and is no longer: it waits again.
        Err(Unanswered::NotApproved(_)) => return Ok(Spoken::Waits),
        Err(error) => return decline(app, digest, error).await,
    };
    if examined.hold {
        steward::answered(state, digest, now).await?;
        let letter = steward::find(state, &digest.to_string()).await?;
        if letter.is_none_or(|letter| letter.state != LetterState::Released) {
            return Ok(Spoken::Waits);
        }
    }
    Ok(Spoken::Answered(charged))
}

/// Declines for a reason that the asker is told; the node's log says which rule or policy it was.
async fn decline(app: &App, round: Digest, error: Unanswered) -> Result<Spoken, Unanswered> {
    let Some(reason) = error.reason() else {
        return Err(error);
    };
    let now = app.clock.now();
    let why = match &error {
        Unanswered::Forbidden(verdict) if !verdict.policies.is_empty() => {
            verdict.policies.join(" ")
        }
        other => other.to_string(),
    };
    steward::declined(&app.state, round, &why, now).await?;
    if matches!(reason, Reason::Refused | Reason::Declined) {
        steward::suspect(&app.state, &app.policy.quota, round, now).await?;
    }
    Ok(Spoken::Declined(reason))
}
