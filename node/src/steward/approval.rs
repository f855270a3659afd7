//! The steward's word on one question.

use schemas::digest::Digest;
use schemas::officer::{QuestionApproval, Role};
use schemas::seal::Sealed;

use super::inbox::{self, Letter, State as Stands};
use super::{Acting, StewardError};
use crate::store::state::{State, append};

/// Approves a question on these releases, under the policy as it is. `hold` keeps the answer here
/// until the steward has seen it.
pub async fn approve(
    state: &State,
    by: Acting<'_>,
    letter: &Letter,
    releases: String,
    hold: bool,
) -> Result<(), StewardError> {
    by.check()?;
    let (from, to) = (Stands::Pending, Stands::Approved);
    sign(state, by, letter, (from, to), releases, hold).await
}

/// Signs an approval and moves the question on in one change.
async fn sign(
    state: &State,
    by: Acting<'_>,
    letter: &Letter,
    (from, to): (Stands, Stands),
    releases: String,
    hold: bool,
) -> Result<(), StewardError> {
    let approval = QuestionApproval {
        hospital: by.hospital.clone(),
        round: letter.digest,
        question: letter.round.question.digest()?,
        releases,
        policy: by.policy,
        hold,
        officer: by.name.clone(),
        at: by.at,
    };
    let sealed = Sealed::seal(by.key, &approval)?;
    let text =
        serde_json::to_string(&sealed).map_err(|_| crate::store::state::StateError::Range)?;
    let mut change = state.begin().await?;
    if !inbox::advance(&mut change, &letter.digest, from, to).await? {
        return Err(StewardError::Decided(letter.state.as_str()));
    }
    sqlx::query("update inbox set approval = $1 where round = $2")
        .bind(text)
        .bind(letter.digest.to_string())
        .execute(&mut *change)
        .await?;
    let detail = [
        ("officer", by.name.to_string()),
        ("question", approval.question.to_string()),
        ("releases", approval.releases),
        ("policy", approval.policy.to_string()),
        ("approval", sealed.digest()?.to_string()),
        ("hold", hold.to_string()),
    ];
    append(&mut change, by.at, "approve", letter.digest, &detail).await?;
    Ok(change.commit().await?)
}

/// Refuses a question that has not left yet.
pub async fn refuse(
    state: &State,
    by: Acting<'_>,
    letter: &Letter,
    reason: &str,
) -> Result<(), StewardError> {
    by.check()?;
    check_reason(reason)?;
    let mut change = state.begin().await?;
    let mut moved = false;
    for from in [Stands::Pending, Stands::Approved, Stands::Held] {
        moved |= inbox::advance(&mut change, &letter.digest, from, Stands::Refused).await?;
    }
    if !moved {
        return Err(StewardError::Decided(letter.state.as_str()));
    }
    // The log is published: what the steward writes freely stays out of it.
    sqlx::query("update inbox set reason = $1 where round = $2")
        .bind(reason)
        .bind(letter.digest.to_string())
        .execute(&mut *change)
        .await?;
    let detail = [("officer", by.name.to_string())];
    append(&mut change, by.at, "refuse", letter.digest, &detail).await?;
    Ok(change.commit().await?)
}

/// Whether a reason is one to keep: 1 to 200 characters on one line, not only blanks.
pub fn check_reason(reason: &str) -> Result<(), StewardError> {
    let sound = (1..=200).contains(&reason.chars().count()) && !reason.trim().is_empty();
    if !sound || !schemas::shown::is_plain(reason) {
        return Err(StewardError::Reason);
    }
    Ok(())
}

/// Keeps the answer of an approved question here until it is released. Signed anew, so that the
/// approval and what is done with it stay one.
pub async fn hold(state: &State, by: Acting<'_>, letter: &Letter) -> Result<(), StewardError> {
    by.check()?;
    if letter.state != Stands::Approved {
        return Err(StewardError::Decided(letter.state.as_str()));
    }
    let kept = letter
        .approval
        .as_ref()
        .and_then(|sealed| opened(&by, sealed));
    let releases = kept
        .ok_or(StewardError::Decided("without a valid approval"))?
        .releases;
    let (from, to) = (Stands::Approved, Stands::Held);
    sign(state, by, letter, (from, to), releases, true).await
}

fn opened(by: &Acting<'_>, sealed: &Sealed<QuestionApproval>) -> Option<QuestionApproval> {
    let mut officers = by.officers.all().iter();
    officers.find_map(|officer| sealed.open(&officer.key).ok())
}

/// Lets a held answer leave.
pub async fn release(state: &State, by: Acting<'_>, letter: &Letter) -> Result<(), StewardError> {
    by.check()?;
    let mut change = state.begin().await?;
    if !inbox::advance(&mut change, &letter.digest, Stands::Held, Stands::Released).await? {
        return Err(StewardError::Decided(letter.state.as_str()));
    }
    let detail = [("officer", by.name.to_string())];
    append(&mut change, by.at, "let-leave", letter.digest, &detail).await?;
    Ok(change.commit().await?)
}

/// What a valid approval must fit, at the moment of answering.
#[derive(Clone, Copy, Debug)]
pub struct Fits<'a> {
    /// The register.
    pub officers: &'a policies::access::Officers,
    /// This hospital.
    pub hospital: &'a schemas::id::Slug,
    /// Digest of the policy as it is.
    pub policy: Digest,
    /// Numbers of the releases as they are.
    pub releases: &'a str,
}

/// Whether the steward's approval of a round fits everything as it is now; `Err` says what does
/// not.
pub fn approved(
    letter: &Letter,
    (round, question): (&Digest, Digest),
    now: &Fits<'_>,
) -> Result<QuestionApproval, &'static str> {
    if !letter.state.is_approved() {
        return Err("it waits for the steward");
    }
    let sealed = letter.approval.as_ref().ok_or("there is no approval")?;
    let stewards = now
        .officers
        .all()
        .iter()
        .filter(|o| o.role == Role::Steward);
    let approval = stewards
        .filter_map(|officer| Some((officer, sealed.open(&officer.key).ok()?)))
        .find(|(officer, approval)| approval.officer == officer.name);
    let (_, approval) = approval.ok_or("no steward signed it")?;
    let checks = [
        (
            approval.hospital == *now.hospital,
            "it is another hospital's",
        ),
        (approval.round == *round, "it is another round's"),
        (approval.question == question, "the question changed"),
        (
            approval.releases == now.releases,
            "the released data changed",
        ),
        (approval.policy == now.policy, "the policy changed"),
    ];
    match checks.into_iter().find(|(holds, _)| !holds) {
        Some((_, why)) => Err(why),
        None => Ok(approval),
    }
}
