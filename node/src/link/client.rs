//! Requests to the coordinator over mutual TLS.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proofs::note::Note;
use proofs::witness::Request;
use reqwest::{Client, Response, StatusCode};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};
use schemas::canonical;
use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::round::{Reply, Round};
use schemas::seal::{PublicKey, SealError, Sealed};
use schemas::time::Month;
use schemas::witness::{Exchange, Exchanged};

use super::exchange;
use crate::enrol::files::{Enrolled, Files, FilesError};
use crate::enrol::web;

/// How long one request may take beside its waiting.
const TIMEOUT: Duration = Duration::from_mins(1);

/// An enrolled node's way to its coordinator.
#[derive(Debug)]
pub struct Link {
    client: Client,
    url: String,
    alliance_key: PublicKey,
    /// The last exchange, in the coordinator's count.
    turn: AtomicU64,
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
    Unreachable(#[from] reqwest::Error),
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

impl Link {
    /// Opens the link of an enrolled node. Nothing is sent yet.
    pub fn open(folder: &Path, proxy: Option<&str>) -> Result<Self, LinkError> {
        let enrolled = Files::in_folder(folder).open()?;
        Ok(Self {
            client: web::client(tls(&enrolled)?, proxy)?,
            url: enrolled.url,
            alliance_key: enrolled.alliance_key,
            turn: AtomicU64::new(0),
        })
    }

    /// The same link to another address of the same coordinator.
    #[must_use]
    pub fn at(mut self, url: &str) -> Self {
        url.trim_end_matches('/').clone_into(&mut self.url);
        self
    }

    /// The key that signs dictionaries and rounds.
    pub fn alliance_key(&self) -> &PublicKey {
        &self.alliance_key
    }

    /// The alliance's latest dictionary.
    pub async fn dictionary(&self) -> Result<Sealed<Dictionary>, LinkError> {
        let request = self.client.get(format!("{}/v1/dictionary", self.url));
        let response = request.timeout(TIMEOUT).send().await?;
        Ok(canonical::read(&accepted(response).await?)?)
    }

    /// The rounds that wait for this hospital; the coordinator holds the request for up to so many
    /// seconds until there is one, or something new to exchange about logs.
    pub async fn rounds(&self, wait: u64) -> Result<Vec<Sealed<Round>>, LinkError> {
        let turn = self.turn.load(Ordering::Relaxed);
        let url = format!("{}/v1/rounds?wait={wait}&turn={turn}", self.url);
        let request = self.client.get(url);
        let patience = TIMEOUT.saturating_add(Duration::from_secs(wait));
        let response = request.timeout(patience).send().await?;
        Ok(canonical::read(&accepted(response).await?)?)
    }

    /// What the coordinator keeps of the own log, and how other logs went on.
    pub async fn exchange(&self, ask: &Exchange) -> Result<Exchanged, LinkError> {
        let request = self.client.post(format!("{}/v1/log/exchange", self.url));
        let response = request.timeout(TIMEOUT).json(ask).send().await?;
        let told: Exchanged = canonical::read(&accepted(response).await?)?;
        self.turn.store(told.turn, Ordering::Relaxed);
        Ok(told)
    }

    /// Sends a checkpoint of the own log to be cosigned (C2SP tlog-witness).
    pub async fn add_checkpoint(&self, request: &Request) -> Result<exchange::Sent, LinkError> {
        let url = format!("{}/v1/log/add-checkpoint", self.url);
        let sending = self.client.post(url).body(request.to_string());
        let response = sending.timeout(TIMEOUT).send().await?;
        let status = response.status();
        let body = web::body(response, proofs::note::MAX_BYTES).await?;
        let text = String::from_utf8(body).unwrap_or_default();
        Ok(match status {
            status if status.is_success() => exchange::Sent::Cosigned(text),
            StatusCode::CONFLICT => match text.trim_end().parse() {
                Ok(known) => exchange::Sent::Stale(known),
                Err(_) => exchange::Sent::Refused(status.as_u16()),
            },
            status if status.is_client_error() => exchange::Sent::Refused(status.as_u16()),
            status => return Err(LinkError::Status(status.as_u16())),
        })
    }

    /// Sends a checkpoint of another log that this node cosigned.
    pub async fn cosigned(&self, note: &Note) -> Result<(), LinkError> {
        let url = format!("{}/v1/log/cosign", self.url);
        let sending = self.client.post(url).body(note.to_string());
        let status = sending.timeout(TIMEOUT).send().await?.status();
        // A note that it will never take is not sent again.
        if status.is_success() || status.is_client_error() {
            return Ok(());
        }
        Err(LinkError::Status(status.as_u16()))
    }

    /// Sends a reply to the round of that digest.
    pub async fn reply(&self, round: &Digest, reply: &Sealed<Reply>) -> Result<Sent, LinkError> {
        let request = self
            .client
            .post(format!("{}/v1/rounds/{round}/reply", self.url));
        let response = request.timeout(TIMEOUT).json(reply).send().await?;
        sent(response.status())
    }

    /// Audit requests that wait for this hospital.
    pub async fn audit_waiting(&self) -> Result<Vec<Digest>, LinkError> {
        Ok(canonical::read(&self.audit("requests").await?)?)
    }

    /// One of them, as the insurer signed it.
    pub async fn audit_request(&self, id: &Digest) -> Result<Vec<u8>, LinkError> {
        self.audit(&format!("requests/{id}")).await
    }

    /// Sends the signed reply to an audit request.
    pub async fn audit_reply(&self, id: &Digest, reply: Vec<u8>) -> Result<Sent, LinkError> {
        let url = format!("{}/v1/audit/requests/{id}", self.url);
        let request = self.client.post(url).timeout(TIMEOUT);
        sent(request.body(reply).send().await?.status())
    }

    /// Publishes a payer's book of a month.
    pub async fn publish(
        &self,
        payer: &Slug,
        month: Month,
        book: Vec<u8>,
    ) -> Result<Sent, LinkError> {
        let url = format!("{}/v1/audit/books/{payer}/{month}", self.url);
        let request = self.client.put(url).timeout(TIMEOUT);
        sent(request.body(book).send().await?.status())
    }

    async fn audit(&self, path: &str) -> Result<Vec<u8>, LinkError> {
        let request = self.client.get(format!("{}/v1/audit/{path}", self.url));
        accepted(request.timeout(TIMEOUT).send().await?).await
    }
}

/// What a status says about something that was sent.
fn sent(status: StatusCode) -> Result<Sent, LinkError> {
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

async fn accepted(response: Response) -> Result<Vec<u8>, LinkError> {
    if !response.status().is_success() {
        return Err(LinkError::Status(response.status().as_u16()));
    }
    Ok(web::body(response, canonical::MAX_BYTES).await?)
}

/// TLS 1.3 with the node's certificate; the alliance's CA is the only one trusted.
fn tls(enrolled: &Enrolled) -> Result<ClientConfig, LinkError> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(enrolled.ca.as_bytes())?)?;
    let certificate = CertificateDer::from_pem_slice(enrolled.certificate.as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(enrolled.key.as_bytes())?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![certificate], key)?;
    Ok(config)
}
