//! Audit requests that the coordinator holds for this hospital: fetched, answered, sent back. The
//! coordinator decides nothing: who may ask, and how much, is judged by the node.

use std::collections::BTreeSet;
use std::time::Duration;

use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Month;
use tokio_util::sync::CancellationToken;

use super::client::{Link, LinkError, Sent, sent};
use crate::audit::{self, AuditError, Served};
use crate::clock::Clock;
use crate::config::Config;
use crate::store::state::State;

/// Pause between two looks; longer while the coordinator is not reached.
const PAUSE: Duration = Duration::from_secs(2);
const LONG_PAUSE: Duration = Duration::from_secs(30);

/// Runs until `stop`.
pub async fn carry(
    link: &Link,
    state: &State,
    config: &Config,
    clock: &Clock,
    stop: &CancellationToken,
) {
    // Requests that are nobody's who may ask: said once, not at every look.
    let mut passed = BTreeSet::new();
    let mut told = BTreeSet::new();
    while !stop.is_cancelled() {
        let looked = tokio::select! {
            looked = look(link, state, config, clock, (&mut passed, &mut told)) => looked,
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
    link: &Link,
    state: &State,
    config: &Config,
    clock: &Clock,
    (passed, told): (&mut BTreeSet<Digest>, &mut BTreeSet<Digest>),
) -> Result<bool, LinkError> {
    let mut answered = false;
    for id in link.audit_waiting().await? {
        if passed.contains(&id) {
            continue;
        }
        let request = link.audit_request(&id).await?;
        match audit::serve(state, config, clock.now(), None, &request).await {
            Ok(Served::Reply(reply)) => match link.audit_reply(&id, reply).await? {
                Sent::Acknowledged => answered = true,
                Sent::Refused(status) => {
                    tracing::warn!(request = %id.short(), status, "an audit reply was refused");
                    passed.insert(id);
                }
            },
            Ok(Served::Waits(request)) => {
                if told.insert(request) {
                    tracing::info!(%request, "an audit asks for leaves to be opened: `audit approve`");
                }
            }
            // Until the steward unlocks or burns: asked again at the next look.
            Err(AuditError::Locked | AuditError::RolledBack) => {}
            Err(error) => {
                tracing::warn!(request = %id.short(), %error, "an audit request is not answered");
                passed.insert(id);
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
