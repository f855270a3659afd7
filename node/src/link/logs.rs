//! What is sent and asked about logs. Checkpoints and cosignatures carry signatures of their own and
//! may be repeated, so these requests are not signed once more.

use std::sync::atomic::Ordering;

use proofs::note::Note;
use proofs::witness::Request;
use reqwest::{Response, StatusCode};
use schemas::canonical;
use schemas::witness::{Exchange, Exchanged};

use super::client::{Link, LinkError, TIMEOUT, refusal};
use super::exchange::Sent;
use crate::enrol::web;

impl Link {
    /// What the coordinator keeps of the own log, and how other logs went on.
    pub async fn exchange(&self, ask: &Exchange) -> Result<Exchanged, LinkError> {
        let body = canonical::to_bytes(ask)?;
        let response = self.say("/v1/log/exchange", body).await?;
        let status = response.status();
        let body = web::body(response, canonical::MAX_BYTES).await?;
        if !status.is_success() {
            return Err(refusal(status, &body));
        }
        let told: Exchanged = canonical::read(&body)?;
        self.turn.store(told.turn, Ordering::Relaxed);
        Ok(told)
    }

    /// Sends a checkpoint of the own log to be cosigned (C2SP tlog-witness).
    pub async fn add_checkpoint(&self, request: &Request) -> Result<Sent, LinkError> {
        let response = self.say("/v1/log/add-checkpoint", request.to_string());
        let response = response.await?;
        let status = response.status();
        let body = web::body(response, proofs::note::MAX_BYTES).await?;
        let text = String::from_utf8(body).unwrap_or_default();
        Ok(match status {
            status if status.is_success() => Sent::Cosigned(text),
            StatusCode::CONFLICT => match text.trim_end().parse() {
                Ok(known) => Sent::Stale(known),
                Err(_) => Sent::Refused(status.as_u16()),
            },
            StatusCode::FORBIDDEN => return Err(refusal(status, text.as_bytes())),
            status if status.is_client_error() => Sent::Refused(status.as_u16()),
            status => return Err(LinkError::Status(status.as_u16())),
        })
    }

    /// Sends a checkpoint of another log that this node cosigned.
    pub async fn cosigned(&self, note: &Note) -> Result<(), LinkError> {
        let response = self.say("/v1/log/cosign", note.to_string()).await?;
        let status = response.status();
        // A note that it will never take is not sent again.
        if status.is_success() || status.is_client_error() {
            return Ok(());
        }
        Err(LinkError::Status(status.as_u16()))
    }

    async fn say(&self, path: &str, body: impl Into<reqwest::Body>) -> Result<Response, LinkError> {
        let identity = self.identity();
        let request = identity.client.post(format!("{}{path}", self.url));
        self.go(&identity, request.body(body).timeout(TIMEOUT))
            .await
    }
}
