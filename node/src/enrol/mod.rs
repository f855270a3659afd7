//! Joining the alliance with a one-time code. The node makes its own TLS key; only a signing
//! request leaves it, with proof that the node holds the keys that it shows.

pub mod files;
mod pin;
pub(crate) mod web;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, SigningKey as _};
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::version::TLS13;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::enrolment::{JoinCode, JoinReply, JoinRequest};
use schemas::id::Slug;
use schemas::problem::Problem;
use schemas::seal::Signer;

use files::{Files, FilesError};

/// How long the coordinator may take to answer.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Longest answer in bytes.
const LONGEST: usize = 256 * 1024;

/// Why the hospital did not join.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The code was made for another hospital.
    #[error("the code is for `{code}`, this node is `{node}`")]
    OtherHospital {
        /// Named in the code.
        code: Slug,
        /// Named in the settings.
        node: Slug,
    },
    /// It has joined before.
    #[error("this node has joined already: `{0}` exists; move it away to join anew")]
    Joined(String),
    /// No key or signing request could be made.
    #[error("the TLS key could not be made")]
    Key(#[from] rcgen::Error),
    /// The TLS settings are refused.
    #[error("TLS could not be set up")]
    Tls(#[from] rustls::Error),
    /// The coordinator was not reached, or is not the one the code names.
    #[error("the coordinator was not reached, or its CA is not the one that the code names")]
    Unreachable(#[source] reqwest::Error),
    /// The coordinator refuses.
    #[error("the coordinator refuses: {title}; {detail}")]
    Refused {
        /// What is wrong.
        title: String,
        /// What to do.
        detail: String,
    },
    /// The reply is not of the expected shape.
    #[error("the coordinator's reply is refused")]
    Reply(#[from] canonical::Error),
    /// The reply brings another CA than the code names, or a certificate that is none.
    #[error("the coordinator's reply does not fit the code")]
    OtherAlliance,
    /// A file could not be written.
    #[error(transparent)]
    Files(#[from] FilesError),
}

/// Joins: makes a key, sends the request, checks the reply and keeps it. Gives the digest of the
/// node's new certificate.
pub async fn enrol(
    folder: &Path,
    hospital: &Slug,
    signer: &Signer,
    code: &JoinCode,
    proxy: Option<&str>,
) -> Result<Digest, EnrolError> {
    if code.hospital != *hospital {
        return Err(EnrolError::OtherHospital {
            code: code.hospital.clone(),
            node: hospital.clone(),
        });
    }
    let files = Files::in_folder(folder);
    if let Some(name) = files.present() {
        return Err(EnrolError::Joined(name));
    }
    let (key, signing_request) = signing_request(hospital)?;
    let mut request = JoinRequest {
        hospital: hospital.clone(),
        secret: code.secret,
        signing_request,
        message_key: signer.public(),
        tls_proof: String::new(),
        message_proof: String::new(),
    };
    let statement = request.statement();
    request.tls_proof = JoinRequest::proof_text(&key.sign(statement.as_bytes())?);
    request.message_proof = JoinRequest::proof_text(&signer.sign(statement.as_bytes()));
    let reply = send(code, &request, proxy).await?;
    let ca = CertificateDer::from_pem_slice(reply.ca.as_bytes())
        .map_err(|_| EnrolError::OtherAlliance)?;
    let certificate = CertificateDer::from_pem_slice(reply.certificate.as_bytes())
        .map_err(|_| EnrolError::OtherAlliance)?;
    if pin::ca_digest(&ca) != code.ca || !reply.url.starts_with("https://") {
        return Err(EnrolError::OtherAlliance);
    }
    files.write(&key.serialize_pem(), &reply)?;
    Ok(Digest::of("consilium-certificate-v1", &[&certificate]))
}

/// A new TLS key and a request to sign it, in PEM.
pub(crate) fn signing_request(hospital: &Slug) -> Result<(KeyPair, String), rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, hospital.as_str());
    let request = params.serialize_request(&key)?.pem()?;
    Ok((key, request))
}

async fn send(
    code: &JoinCode,
    request: &JoinRequest,
    proxy: Option<&str>,
) -> Result<JoinReply, EnrolError> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pin::Pinned::new(code.ca, provider)))
        .with_no_client_auth();
    let client = web::client(config, proxy).map_err(EnrolError::Unreachable)?;
    let response = client
        .post(format!("{}/v1/join", code.url.trim_end_matches('/')))
        .timeout(TIMEOUT)
        .json(request)
        .send()
        .await
        .map_err(EnrolError::Unreachable)?;
    let accepted = response.status().is_success();
    let body = web::body(response, LONGEST)
        .await
        .map_err(EnrolError::Unreachable)?;
    if accepted {
        return Ok(canonical::read(&body)?);
    }
    let problem: Problem = canonical::read(&body)?;
    Err(EnrolError::Refused {
        title: problem.title,
        detail: problem.detail,
    })
}
