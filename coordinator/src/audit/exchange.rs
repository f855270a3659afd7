//! The way to the coordinator, which carries requests and replies: mutual TLS, outbound only.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use reqwest::{Client, Response, StatusCode};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};
use schemas::digest::Digest;
use schemas::time::Month;
use serde::{Deserialize, Serialize};

use super::AuditError;
use super::folder::{Case, Folder};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_mins(2);
/// Pause between two looks for replies.
const PAUSE: Duration = Duration::from_millis(500);
/// Longest book or reply in bytes.
const LONGEST: usize = 20 * 1024 * 1024;

/// What the alliance hands to an insurer that it admits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admission {
    /// The insurer's certificate in PEM.
    pub certificate: String,
    /// The alliance's CA in PEM.
    pub ca: String,
    /// Where the coordinator is.
    pub url: String,
}

/// Makes the insurer's TLS key, once, and gives the signing request for `insurer admit`.
pub fn identity(folder: &Folder) -> Result<String, AuditError> {
    let name = "private/tls-key.pem";
    let failed = |_| AuditError::Stopped;
    let key = if folder.has(name) {
        let pem = String::from_utf8(folder.secret(name)?);
        KeyPair::from_pem(&pem.map_err(|_| AuditError::Other("TLS key"))?).map_err(failed)?
    } else {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        folder.write(name, key.serialize_pem().as_bytes())?;
        key
    };
    let params = CertificateParams::new(Vec::new()).map_err(failed)?;
    let request = params.serialize_request(&key).map_err(failed)?;
    request.pem().map_err(failed)
}

/// Keeps what the alliance sent back.
pub fn admitted(folder: &Folder, admission: &Admission) -> Result<(), AuditError> {
    folder.write_json("admission.json", admission)
}

/// Fetches the hospital's book.
pub async fn fetch_book(folder: &Folder) -> Result<Vec<u8>, AuditError> {
    let case = folder.case()?;
    let (hospital, month): (_, Month) = (&case.subject.hospital, case.subject.period);
    let link = Link::open(folder)?;
    let response = link.get(&format!("books/{hospital}/{month}")).await?;
    if response.status() == StatusCode::NOT_FOUND {
        return Err(AuditError::Waiting(
            "the hospital has published no book yet".into(),
        ));
    }
    body(response).await
}

/// Sends every request without a reply and waits for replies, so many looks long. Gives how many
/// are still out.
pub async fn exchange(
    folder: &Folder,
    looks: u32,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<usize, AuditError> {
    let case = folder.case()?;
    let link = Link::open(folder)?;
    let names = folder.names("requests")?;
    let mut out = Vec::new();
    for name in &names {
        if !folder.has(&format!("replies/{name}")) {
            let bytes = folder.read(&format!("requests/{name}"))?;
            out.push((name, link.send(&case, bytes).await?));
        }
    }
    for look in 0..looks {
        if look > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        let mut left = Vec::new();
        for (name, id) in out {
            match link.reply(&id).await? {
                // The coordinator could send anything: only what the hospital signed is kept.
                Some(bytes) if said(folder, &case, name, &bytes)? => {
                    folder.write(&format!("replies/{name}"), &bytes)?;
                }
                _ => left.push((name, id)),
            }
        }
        out = left;
        progress(names.len() - out.len(), names.len());
        if out.is_empty() {
            break;
        }
    }
    Ok(out.len())
}

/// Whether these bytes are the hospital's signed reply to this request, a refusal included.
fn said(folder: &Folder, case: &Case, name: &str, bytes: &[u8]) -> Result<bool, AuditError> {
    let request = folder.read(&format!("requests/{name}"))?;
    let said = case.said(name, &request, bytes);
    Ok(matches!(said, Ok(_) | Err(AuditError::Refused(_))))
}

struct Link {
    client: Client,
    url: String,
}

impl Link {
    fn open(folder: &Folder) -> Result<Self, AuditError> {
        let admission: Admission = folder.json("admission.json")?;
        let key = folder.secret("private/tls-key.pem")?;
        let refused = |_| AuditError::Other("certificate, CA or TLS key");
        let pem = |text: &str| CertificateDer::from_pem_slice(text.as_bytes()).map_err(refused);
        let mut roots = RootCertStore::empty();
        let tls = |_| AuditError::Other("certificate, CA or TLS key");
        roots.add(pem(&admission.ca)?).map_err(tls)?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13])
            .map_err(tls)?
            .with_root_certificates(roots)
            .with_client_auth_cert(
                vec![pem(&admission.certificate)?],
                PrivateKeyDer::from_pem_slice(&key).map_err(refused)?,
            )
            .map_err(tls)?;
        let client = Client::builder()
            .tls_backend_preconfigured(config)
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            .build()?;
        let url = format!("{}/v1/audit", admission.url.trim_end_matches('/'));
        Ok(Self { client, url })
    }

    async fn get(&self, path: &str) -> Result<Response, AuditError> {
        Ok(self
            .client
            .get(format!("{}/{path}", self.url))
            .send()
            .await?)
    }

    async fn send(&self, case: &Case, request: Vec<u8>) -> Result<Digest, AuditError> {
        let url = format!("{}/hospitals/{}", self.url, case.subject.hospital);
        let response = self.client.post(url).body(request).send().await?;
        let bytes = body(response).await?;
        serde_json::from_slice(&bytes).map_err(|_| AuditError::Reply("the coordinator".into()))
    }

    async fn reply(&self, id: &Digest) -> Result<Option<Vec<u8>>, AuditError> {
        let response = self.get(&format!("replies/{id}")).await?;
        match response.status() {
            StatusCode::NO_CONTENT => Ok(None),
            _ => Ok(Some(body(response).await?)),
        }
    }
}

async fn body(mut response: Response) -> Result<Vec<u8>, AuditError> {
    if !response.status().is_success() {
        return Err(AuditError::Status(response.status().as_u16()));
    }
    let mut bytes = Vec::new();
    while let Some(part) = response.chunk().await? {
        bytes.extend_from_slice(&part);
        if bytes.len() > LONGEST {
            return Err(AuditError::Reply("the coordinator".into()));
        }
    }
    Ok(bytes)
}
