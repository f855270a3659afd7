//! Requests to the coordinator over mutual TLS.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use reqwest::{RequestBuilder, Response, StatusCode};
use rustls::AlertDescription;
use schemas::canonical;
use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::enrolment::{RenewReply, RenewRequest};
use schemas::id::Slug;
use schemas::problem::Problem;
use schemas::request::{self, SKEW};
use schemas::round::{Reply, Round};
use schemas::seal::{PublicKey, SealError, Sealed, Signer};
use schemas::time::Timestamp;

use super::carrier::Carrier;
use super::identity::Identity;
use super::signed::Signed;
use crate::clock::Clock;
use crate::config::ConfigError;
use crate::config::keys::Keys;
use crate::enrol::files::{Files, FilesError};
use crate::enrol::{self, web};

/// No exchange about logs was made yet.
const NEVER: u64 = u64::MAX;

/// How long one request may take beside its waiting.
pub(super) const TIMEOUT: Duration = Duration::from_mins(1);

/// An enrolled node's way to its coordinator.
#[derive(Debug)]
pub struct Link {
    /// Replaced by renewal; a request under way keeps the one that it began with.
    identity: RwLock<Identity>,
    files: Files,
    root: String,
    proxy: Option<String>,
    pub(super) url: String,
    alliance_key: PublicKey,
    /// The last exchange about logs, in the coordinator's count; [`NEVER`] before the first.
    pub(super) turn: AtomicU64,
    signer: Signer,
    hospital: Slug,
    clock: Clock,
    /// In place of the network, in simulations.
    carrier: Option<Arc<dyn Carrier>>,
}

/// What became of a reply that was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    /// The coordinator has it.
    Acknowledged,
    /// The coordinator will never take it (the round ended, or it holds another reply).
    Refused(u16),
}

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The node has not joined, or its files are damaged.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// A certificate or key in them is refused.
    #[error("the node's certificate or key is refused")]
    Tls(#[from] rustls::Error),
    /// A file holds no certificate or key.
    #[error("a file of the node holds no certificate or key")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// The coordinator was not reached.
    #[error("the coordinator was not reached")]
    Unreachable(#[source] reqwest::Error),
    /// The node's certificate is damaged.
    #[error("the node's certificate cannot be read")]
    Certificate,
    /// The message key cannot be read.
    #[error("the node's message key cannot be read")]
    Key(#[from] ConfigError),
    /// No new TLS key could be made.
    #[error("a new TLS key could not be made")]
    NewKey(#[from] rcgen::Error),
    /// The certificate has ended.
    #[error("the node's certificate has expired; ask the alliance for a new join code")]
    Expired,
    /// The alliance shut this hospital out.
    #[error("the alliance revoked this node; ask it why, then join with a new code")]
    Revoked,
    /// The alliance has not approved this hospital yet.
    #[error(
        "the alliance has not approved this node yet; read the fingerprint that `enrol` printed \
         to its second administrator by phone"
    )]
    Pending,
    /// The two clocks differ.
    #[error("this clock and the coordinator's are {0} seconds apart; set the wrong one right")]
    Clock(i64),
    /// It has too much to do.
    #[error("the coordinator is busy; it is asked again later")]
    Busy,
    /// The coordinator answered with an error.
    #[error("the coordinator answered {0}")]
    Status(u16),
    /// What it sent is refused.
    #[error("what the coordinator sent is refused")]
    Shape(#[from] canonical::Error),
    /// A signature does not fit.
    #[error("what the coordinator sent is not signed by the alliance")]
    Seal(#[from] SealError),
}

/// A refused certificate shows as a TLS alert, deep in the chain of causes.
impl From<reqwest::Error> for LinkError {
    fn from(error: reqwest::Error) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(one) = cause {
            let inner = one
                .downcast_ref::<std::io::Error>()
                .and_then(std::io::Error::get_ref)
                .and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match inner.or_else(|| one.downcast_ref()) {
                Some(rustls::Error::AlertReceived(AlertDescription::CertificateRevoked)) => {
                    return Self::Revoked;
                }
                Some(rustls::Error::AlertReceived(AlertDescription::CertificateExpired)) => {
                    return Self::Expired;
                }
                _ => cause = one.source(),
            }
        }
        Self::Unreachable(error)
    }
}

impl Link {
    /// Opens the link of an enrolled node. Nothing is sent yet.
    pub fn open(
        folder: &Path,
        hospital: &Slug,
        proxy: Option<&str>,
        clock: Clock,
    ) -> Result<Self, LinkError> {
        let files = Files::in_folder(folder);
        let enrolled = files.open()?;
        let identity = Identity::new(&enrolled.identity, &enrolled.ca, proxy, clock)?;
        Ok(Self {
            identity: RwLock::new(identity),
            files,
            root: enrolled.ca,
            proxy: proxy.map(str::to_owned),
            url: enrolled.url,
            alliance_key: enrolled.alliance_key,
            turn: AtomicU64::new(NEVER),
            signer: Keys::open(folder)?.message_key()?,
            hospital: hospital.clone(),
            clock,
            carrier: None,
        })
    }

    /// The same link to another address of the same coordinator.
    #[must_use]
    pub fn at(mut self, url: &str) -> Self {
        url.trim_end_matches('/').clone_into(&mut self.url);
        self
    }

    /// The same link without a network: what it sends goes through these hands.
    #[must_use]
    pub fn carried_by(mut self, carrier: Arc<dyn Carrier>) -> Self {
        self.carrier = Some(carrier);
        self
    }

    /// The key that signs dictionaries and rounds.
    pub fn alliance_key(&self) -> &PublicKey {
        &self.alliance_key
    }

    /// When the certificate in use ends.
    pub fn certificate_ends(&self) -> Timestamp {
        let identity = self.identity.read();
        identity.unwrap_or_else(PoisonError::into_inner).ends()
    }

    /// The alliance's latest dictionary.
    pub async fn dictionary(&self) -> Result<Sealed<Dictionary>, LinkError> {
        let (body, _) = self.get("/v1/dictionary", 0).await?;
        Ok(canonical::read(&body)?)
    }

    /// The rounds that wait for this hospital; the coordinator holds the request for up to so many
    /// seconds until there is one, or something new to exchange about logs. Refused where the two
    /// clocks are apart: nothing is then answered.
    pub async fn rounds(&self, wait: u64) -> Result<Vec<Sealed<Round>>, LinkError> {
        let turn = self.turn.load(Ordering::Relaxed);
        // Who exchanges nothing yet has missed nothing: told of a turn, it would be called at once for ever.
        let path = match turn {
            NEVER => format!("/v1/rounds?wait={wait}"),
            turn => format!("/v1/rounds?wait={wait}&turn={turn}"),
        };
        let (body, time) = self.get(&path, wait).await?;
        let apart = time.saturating_sub(self.clock.now().0).saturating_abs();
        if apart > SKEW {
            return Err(LinkError::Clock(apart));
        }
        Ok(canonical::read(&body)?)
    }

    /// Sends a reply to the round of that digest.
    pub async fn reply(&self, round: &Digest, reply: &Sealed<Reply>) -> Result<Sent, LinkError> {
        let body = serde_json::to_vec(reply).map_err(|_| SealError::Signature)?;
        let path = format!("/v1/rounds/{round}/reply");
        sent(self.post(&path, body).await?.0)
    }

    /// Renews the certificate when two thirds of its life are over; `true` where it did. Requests
    /// under way are not disturbed, and the earlier certificate works until the new one is used.
    pub async fn renew_when_due(&self, now: Timestamp) -> Result<bool, LinkError> {
        let identity = self.identity();
        if identity.expired(now) {
            return Err(LinkError::Expired);
        }
        if !identity.due(now) {
            return Ok(false);
        }
        self.renew().await?;
        Ok(true)
    }

    /// Renews the certificate now, with a new TLS key.
    pub async fn renew(&self) -> Result<(), LinkError> {
        let (key, signing_request) = enrol::signing_request(&self.hospital)?;
        let request = RenewRequest { signing_request };
        let body = serde_json::to_vec(&request).map_err(|_| SealError::Signature)?;
        let (status, body) = self.post("/v1/renew", body).await?;
        if !status.is_success() {
            return Err(LinkError::Status(status.as_u16()));
        }
        let reply: RenewReply = canonical::read(&body)?;
        let key = key.serialize_pem();
        let pem = format!("{key}{}", reply.certificate);
        let fresh = Identity::new(&pem, &self.root, self.proxy.as_deref(), self.clock)?;
        self.files.renew(&key, &reply.certificate)?;
        *self
            .identity
            .write()
            .unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Signs a request to a path, to be sent with [`Link::send`].
    pub fn sign(&self, path: &str, body: Vec<u8>) -> Result<Signed, LinkError> {
        let (to, now) = (&self.alliance_key, self.clock.now());
        Ok(Signed::new(
            &self.signer,
            &self.hospital,
            to,
            path,
            body,
            now,
        )?)
    }

    /// Sends a signed request; a definite response must carry the coordinator's receipt for it.
    pub async fn send(
        &self,
        path: &str,
        signed: &Signed,
    ) -> Result<(StatusCode, Vec<u8>), LinkError> {
        let identity = self.identity();
        let request = identity.client.post(format!("{}{path}", self.url));
        let request = request
            .timeout(TIMEOUT)
            .header(request::REQUEST, &signed.header)
            .body(signed.body.clone());
        let response = self.go(&identity, request).await?;
        let status = response.status();
        let receipt = response.headers().get(request::RECEIPT).cloned();
        let body = web::body(response, canonical::MAX_BYTES).await?;
        match receipt {
            Some(receipt) => {
                let key = &self.alliance_key;
                signed.answered_by(key, receipt.as_bytes(), status.as_u16(), &body)?;
                Ok((status, body))
            }
            // Not even read: whoever sent it again would hear the same.
            None if status == StatusCode::PAYLOAD_TOO_LARGE => Ok((status, body)),
            None => Err(refusal(status, &body)),
        }
    }

    pub(super) async fn post(
        &self,
        path: &str,
        body: Vec<u8>,
    ) -> Result<(StatusCode, Vec<u8>), LinkError> {
        self.send(path, &self.sign(path, body)?).await
    }

    /// The body and the coordinator's time.
    pub(super) async fn get(&self, path: &str, wait: u64) -> Result<(Vec<u8>, i64), LinkError> {
        let identity = self.identity();
        let patience = TIMEOUT.saturating_add(Duration::from_secs(wait));
        let request = identity.client.get(format!("{}{path}", self.url));
        let response = self.go(&identity, request.timeout(patience)).await?;
        let status = response.status();
        let time = response.headers().get(request::TIME);
        let time = time.and_then(|time| time.to_str().ok()?.parse().ok());
        let body = web::body(response, canonical::MAX_BYTES).await?;
        match time {
            Some(time) if status.is_success() => Ok((body, time)),
            _ => Err(refusal(status, &body)),
        }
    }

    /// The one place where a request leaves.
    pub(super) async fn go(
        &self,
        identity: &Identity,
        request: RequestBuilder,
    ) -> Result<Response, LinkError> {
        match &self.carrier {
            None => Ok(request.send().await?),
            Some(carrier) => {
                let shown = identity.certificate.clone();
                let came = carrier.carry(shown, request.build()?).await?;
                came.into_response()
            }
        }
    }

    pub(super) fn identity(&self) -> Identity {
        let identity = self.identity.read().unwrap_or_else(PoisonError::into_inner);
        identity.clone()
    }
}

/// What a status says about something that was sent.
pub(super) fn sent(status: StatusCode) -> Result<Sent, LinkError> {
    match status {
        status if status.is_success() => Ok(Sent::Acknowledged),
        status @ (StatusCode::CONFLICT
        | StatusCode::GONE
        | StatusCode::NOT_FOUND
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNPROCESSABLE_ENTITY) => Ok(Sent::Refused(status.as_u16())),
        status => Err(LinkError::Status(status.as_u16())),
    }
}

/// What a response without a result means.
pub(super) fn refusal(status: StatusCode, body: &[u8]) -> LinkError {
    let problem: Option<Problem> = canonical::read(body).ok();
    match problem.as_ref().map(|problem| problem.kind.as_str()) {
        Some("urn:consilium:revoked") => LinkError::Revoked,
        Some("urn:consilium:pending") => LinkError::Pending,
        _ if status == StatusCode::SERVICE_UNAVAILABLE => LinkError::Busy,
        _ => LinkError::Status(status.as_u16()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_coordinator_is_no_failing_one() {
        let busy = refusal(StatusCode::SERVICE_UNAVAILABLE, b"");
        assert!(matches!(busy, LinkError::Busy), "{busy:?}");
        let failed = refusal(StatusCode::INTERNAL_SERVER_ERROR, b"");
        assert!(matches!(failed, LinkError::Status(500)), "{failed:?}");
    }
}
