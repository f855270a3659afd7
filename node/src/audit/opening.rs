//! Leaves are opened once two officers have signed for exactly this request. Their signatures are
//! checked again when it is answered: persons, request, checkpoint and policy as they are then.

use policies::access::{Channel, Officers, Principal, Request};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::officer::{Officer, OpeningApproval, Role};
use schemas::seal::{PublicKey, Sealed};
use schemas::time::{Month, Timestamp};

use super::listed::{self, Asked};
use super::{AuditError, store};
use crate::access::Standing;
use crate::steward::{self, Acting};
use crate::store::state::{self, State, StateError};

/// Under what a request is judged.
#[derive(Clone, Copy, Debug)]
pub struct Door<'a> {
    /// Officers and policy as they are in force now.
    pub standing: &'a Standing,
    /// By which way the request came.
    pub channel: Channel,
}

/// An opening that was asked for, as officers see it.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Opening {
    /// Digest of the payer's signed request.
    pub request: Digest,
    /// Who asks.
    pub payer: Slug,
    /// The month.
    pub month: Month,
    /// The version of its close.
    pub version: u32,
    /// How many leaves are asked for; of more than 1,024 a sample is opened.
    pub leaves: u64,
    /// Digest of the checkpoint that they stand under.
    pub checkpoint: Digest,
    /// When it came.
    pub at: Timestamp,
    /// Where it stands.
    pub state: Stands,
}

/// Where an opening stands.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// Waits; these officers have signed.
    Waits(Vec<Slug>),
    /// This officer refused.
    Refused(Slug),
    /// Answered.
    Answered,
}

/// What the officers have decided so far.
pub(super) enum Decision {
    /// May be opened; by whom.
    Granted(Vec<Slug>),
    /// Signatures are missing.
    Waits,
    /// An officer refused.
    Declined,
    /// No number of signatures would do.
    Forbidden,
}

/// A request as the policies see it.
pub(super) struct Asking<'a> {
    pub(super) hospital: &'a Slug,
    pub(super) payer: &'a Slug,
    pub(super) key: &'a PublicKey,
}

impl Asking<'_> {
    /// Whether the policies let this payer ask at all.
    pub(super) fn check(&self, door: Door<'_>) -> Result<(), AuditError> {
        let verdict = door.standing.access.judge(
            &self.principal(),
            &Request::AuditSettlement {
                organisation: self.hospital.clone(),
                payer: self.payer.clone(),
                channel: door.channel,
            },
        );
        if verdict.allowed {
            Ok(())
        } else {
            Err(AuditError::Forbidden(verdict.reason))
        }
    }

    /// What the officers' signatures under this request come to.
    pub(super) async fn decision(
        &self,
        state: &State,
        door: Door<'_>,
        (request, checkpoint): (Digest, Digest),
    ) -> Result<Decision, AuditError> {
        if listed::refused(state.pool(), &request).await? {
            return Ok(Decision::Declined);
        }
        let signed = listed::signatures(state.pool(), &request).await?;
        let in_force = (&door.standing.officers, door.standing.approved.policy);
        let by = signed_by(in_force, self.hospital, (request, checkpoint), &signed);
        let own = by.iter().any(|officer| officer.key == *self.key);
        if self.allowed(door, by.len(), own) {
            let names = by.into_iter().map(|officer| officer.name.clone());
            return Ok(Decision::Granted(names.collect()));
        }
        let all = door.standing.officers.all().len();
        Ok(if self.allowed(door, all, false) {
            Decision::Waits
        } else {
            Decision::Forbidden
        })
    }

    fn allowed(&self, door: Door<'_>, approvals: usize, self_proposed: bool) -> bool {
        let request = Request::OpenRecord {
            organisation: self.hospital.clone(),
            payer: self.payer.clone(),
            channel: door.channel,
            approvals: u32::try_from(approvals).unwrap_or(u32::MAX),
            self_proposed,
        };
        let verdict = door.standing.access.judge(&self.principal(), &request);
        verdict.allowed
    }

    fn principal(&self) -> Principal {
        Principal {
            role: Role::InsurerAuditor,
            organisation: self.payer.clone(),
        }
    }
}

/// The registered officers whose signatures fit request, checkpoint and policy.
fn signed_by<'a>(
    (officers, policy): (&'a Officers, Digest),
    hospital: &Slug,
    (request, checkpoint): (Digest, Digest),
    signed: &[Sealed<OpeningApproval>],
) -> Vec<&'a Officer> {
    let fits = |officer: &Officer, approval: &OpeningApproval| {
        approval.officer == officer.name
            && approval.hospital == *hospital
            && approval.request == request
            && approval.checkpoint == checkpoint
            && approval.policy == policy
    };
    officers.signed(signed, fits)
}

/// The openings that were asked for, newest first.
pub async fn openings(
    state: &State,
    standing: &Standing,
    hospital: &Slug,
) -> Result<Vec<Opening>, AuditError> {
    let in_force = (&standing.officers, standing.approved.policy);
    let mut openings = Vec::new();
    for row in listed::all(state.pool()).await? {
        let stands = if store::reply(state.pool(), &row.request).await?.is_some() {
            Stands::Answered
        } else if let Some(officer) = row.refused {
            Stands::Refused(officer)
        } else {
            let signed = listed::signatures(state.pool(), &row.request).await?;
            let about = (row.request, row.checkpoint);
            let by = signed_by(in_force, hospital, about, &signed);
            Stands::Waits(by.into_iter().map(|officer| officer.name.clone()).collect())
        };
        openings.push(Opening {
            request: row.request,
            payer: row.payer,
            month: row.month,
            version: row.version,
            leaves: row.leaves,
            checkpoint: row.checkpoint,
            at: row.at,
            state: stands,
        });
    }
    Ok(openings)
}

/// An officer signs for one request that opens leaves. Gives how many have signed for it now.
pub async fn approve(state: &State, by: Acting<'_>, request: &Digest) -> Result<usize, AuditError> {
    let officer = by.officers.acting(by.name, by.key)?;
    let mut change = state.begin().await?;
    let row = waiting(&mut change, request).await?;
    let about = (row.request, row.checkpoint);
    let mut signed = listed::signatures(&mut *change, request).await?;
    let in_force = (by.officers, by.policy);
    let before = signed_by(in_force, by.hospital, about, &signed);
    if before.iter().any(|other| other.name == officer.name) {
        return Err(AuditError::Again(officer.name.clone()));
    }
    let approval = OpeningApproval {
        hospital: by.hospital.clone(),
        request: row.request,
        checkpoint: row.checkpoint,
        policy: by.policy,
        officer: officer.name.clone(),
        at: by.at,
    };
    let sealed = Sealed::seal(by.key, &approval)?;
    listed::sign(&mut change, request, &officer.name, &sealed).await?;
    let detail = [
        ("officer", officer.name.to_string()),
        ("policy", approval.policy.to_string()),
        ("approval", sealed.digest()?.to_string()),
    ];
    state::append(&mut change, by.at, "audit-approve", *request, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    signed.push(sealed);
    Ok(signed_by(in_force, by.hospital, about, &signed).len())
}

/// An officer refuses a request that opens leaves, for good: its payer is told that it was refused,
/// not why.
pub async fn refuse(
    state: &State,
    by: Acting<'_>,
    request: &Digest,
    reason: &str,
) -> Result<(), AuditError> {
    let officer = by.officers.acting(by.name, by.key)?;
    steward::check_reason(reason)?;
    let mut change = state.begin().await?;
    waiting(&mut change, request).await?;
    listed::refuse(&mut change, request, &officer.name, reason).await?;
    let detail = [("officer", officer.name.to_string())];
    state::append(&mut change, by.at, "audit-refuse", *request, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(())
}

/// The opening, if it is still to be decided.
async fn waiting(change: &mut state::Change, request: &Digest) -> Result<Asked, AuditError> {
    let row = listed::find(&mut **change, request).await?;
    let row = row.ok_or(AuditError::NoOpening(*request))?;
    if row.refused.is_some() {
        return Err(AuditError::Decided("refused"));
    }
    if store::reply(&mut **change, request).await?.is_some() {
        return Err(AuditError::Decided("answered"));
    }
    Ok(row)
}
