//! TLS of the two listeners: version 1.3 only, ring only, no resumption. A resumed session would
//! skip the check of the client's certificate.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{RootCertStore, server::VerifierBuilderError};

/// The TLS settings could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate or key is refused.
    #[error("the server's certificate or key is refused")]
    Certificate(#[from] rustls::Error),
    /// The CA is refused.
    #[error("the CA is refused as a root for members")]
    Verifier(#[from] VerifierBuilderError),
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// For members: a certificate of this CA is required.
pub(super) fn for_members(
    identity: Identity,
    ca: &CertificateDer<'static>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone())?;
    let provider = Arc::new(ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
    server(identity, verifier)
}

/// For everyone: no certificate is asked for.
pub(super) fn for_everyone(identity: Identity) -> Result<Arc<ServerConfig>, TlsError> {
    server(identity, Arc::new(NoClientAuth))
}

fn server(
    (chain, key): Identity,
    verifier: Arc<dyn ClientCertVerifier>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
