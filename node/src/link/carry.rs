//! Audit requests that the coordinator holds for this hospital: fetched, answered, sent back. The
//! coordinator decides nothing: who may ask, and how much, is judged by the node.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use policies::access::Channel;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Month;
use tokio_util::sync::CancellationToken;

use super::client::{Link, LinkError, Sent, sent};
use super::exchange::{self, ExchangeError};
use super::moment;
use super::poll::Desk;
use crate::answer;
use crate::audit::{self, AuditError, Served};
use crate::config::Config;
use crate::log::Leaves;

/// Pause between two looks; longer while the coordinator is not reached.
const PAUSE: Duration = Duration::from_secs(2);
const LONG_PAUSE: Duration = Duration::from_secs(30);

/// Why a look came to nothing.
#[derive(Debug, thiserror::Error)]
enum CarryError {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("the log could not be compared with what the coordinator has seen of it")]
    Exchange(#[from] ExchangeError),
    #[error(transparent)]
    Clock(#[from] moment::Behind),
}

/// Runs until `stop`.
pub async fn carry(desk: &Desk<'_>, config: &Config, stop: &CancellationToken) {
    // Requests that are nobody's who may ask: said once, not at every look.
    let mut passed = BTreeSet::new();
    let mut told = BTreeSet::new();
    let mut leaves = Leaves::default();
    while !stop.is_cancelled() {
        let looked = tokio::select! {
            looked = look(desk, config, &mut leaves, (&mut passed, &mut told)) => looked,
            () = stop.cancelled() => return,
        };
        let pause = match looked {
            Ok(true) => continue,
            Ok(false) => PAUSE,
            Err(error) => {
                tracing::warn!(%error, "audit requests were not carried");
                LONG_PAUSE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// One look; whether anything was answered.
async fn look(
    desk: &Desk<'_>,
    config: &Config,
    leaves: &mut Leaves,
    (passed, told): (&mut BTreeSet<Digest>, &mut BTreeSet<Digest>),
) -> Result<bool, CarryError> {
    let (link, state, clock) = (desk.link, desk.state, desk.clock);
    let mut answered = false;
    let mut waiting = link.audit_waiting().await?;
    waiting.retain(|id| !passed.contains(id));
    if waiting.is_empty() {
        return Ok(false);
    }
    // An old backup, or a clock that is not believed, answers no audit either.
    moment::check(state, clock.now()).await?;
    exchange::exchange(desk, leaves).await?;
    // Read anew each time, so that what the officers changed counts at once.
    let standing = match answer::standing(config, state, clock.now()).await {
        Ok(standing) => Arc::new(standing),
        Err(error) => {
            tracing::warn!(%error, "audit requests wait");
            return Ok(false);
        }
    };
    for ids in waiting.chunks(audit::at_once()) {
        let mut requests = Vec::with_capacity(ids.len());
        for id in ids {
            requests.push(link.audit_request(id).await?);
        }
        let by = (&standing, Channel::MutualTls);
        let served = audit::serve_together(state, config, clock.now(), by, requests).await;
        for (id, served) in ids.iter().zip(served) {
            match served {
                Ok(Served::Reply(reply)) => match link.audit_reply(id, reply).await? {
                    Sent::Acknowledged => answered = true,
                    Sent::Refused(status) => {
                        tracing::warn!(request = %id.short(), status, "an audit reply was refused");
                        passed.insert(*id);
                    }
                },
                Ok(Served::Waits(request)) => {
                    if told.insert(request) {
                        tracing::info!(%request, "an audit asks to open leaves: `audit list`");
                    }
                }
                // Until the steward unlocks or burns, or officers decide: asked again at the next look.
                Ok(Served::Later)
                | Err(
                    AuditError::Locked
                    | AuditError::RolledBack
                    | AuditError::Stopped
                    | AuditError::Changed,
                ) => {}
                Err(error) => {
                    let request = id.short();
                    tracing::warn!(%request, %error, "an audit request is not answered");
                    passed.insert(*id);
                }
            }
        }
    }
    Ok(answered)
}

impl Link {
    /// Audit requests that wait for this hospital.
    pub async fn audit_waiting(&self) -> Result<Vec<Digest>, LinkError> {
        let (body, _) = self.get("/v1/audit/requests", 0).await?;
        Ok(canonical::read(&body)?)
    }

    /// One of them, as the insurer signed it.
    pub async fn audit_request(&self, id: &Digest) -> Result<Vec<u8>, LinkError> {
        let (body, _) = self.get(&format!("/v1/audit/requests/{id}"), 0).await?;
        Ok(body)
    }

    /// Sends the signed reply to an audit request.
    pub async fn audit_reply(&self, id: &Digest, reply: Vec<u8>) -> Result<Sent, LinkError> {
        let path = format!("/v1/audit/requests/{id}");
        sent(self.post(&path, reply).await?.0)
    }

    /// Publishes a payer's book of a month.
    pub async fn publish(
        &self,
        payer: &Slug,
        month: Month,
        book: Vec<u8>,
    ) -> Result<Sent, LinkError> {
        let path = format!("/v1/audit/books/{payer}/{month}");
        sent(self.post(&path, book).await?.0)
    }
}
