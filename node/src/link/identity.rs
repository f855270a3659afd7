//! The node's TLS key and certificate in use: when they end, when to renew, and the client that
//! shows them.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};
use schemas::time::Timestamp;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::client::LinkError;
use crate::clock::Clock;
use crate::enrol::web;

/// The node's own clock, so that all that ends here ends by the same one.
#[derive(Debug)]
struct Time(Clock);

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().0).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// A client and the life of the certificate that it shows.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) client: Client,
    /// The certificate that is shown.
    pub(super) certificate: CertificateDer<'static>,
    begins: i64,
    ends: i64,
}

impl Identity {
    /// From key and certificate in one PEM text. TLS 1.3; the alliance's root is the only one
    /// trusted. Sessions are not resumed: each connection shows the certificate in use.
    pub(super) fn new(
        pem: &str,
        root: &str,
        proxy: Option<&str>,
        clock: Clock,
    ) -> Result<Self, LinkError> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(root.as_bytes())?)?;
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes())?;
        let (begins, ends) = {
            let (_, parsed) =
                X509Certificate::from_der(&certificate).map_err(|_| LinkError::Certificate)?;
            let validity = parsed.validity();
            (
                validity.not_before.timestamp(),
                validity.not_after.timestamp(),
            )
        };
        let provider = Arc::new(ring::default_provider());
        let mut config = ClientConfig::builder_with_details(provider, Arc::new(Time(clock)))
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![certificate.clone()], key)?;
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Self {
            client: web::client(config, proxy)?,
            certificate,
            begins,
            ends,
        })
    }

    /// When the certificate ends.
    pub(super) fn ends(&self) -> Timestamp {
        Timestamp(self.ends)
    }

    /// Whether the certificate has ended; then only a new join code helps.
    pub(super) fn expired(&self, now: Timestamp) -> bool {
        now.0 > self.ends
    }

    /// Whether two thirds of its life are over.
    pub(super) fn due(&self, now: Timestamp) -> bool {
        let life = self.ends.saturating_sub(self.begins);
        let passed = now.0.saturating_sub(self.begins);
        passed.saturating_mul(3) >= life.saturating_mul(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_is_due_at_two_thirds_of_a_life() {
        let identity = Identity {
            client: Client::builder()
                .tls_backend_preconfigured(
                    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                        .with_protocol_versions(&[&TLS13])
                        .unwrap()
                        .with_root_certificates(RootCertStore::empty())
                        .with_no_client_auth(),
                )
                .build()
                .unwrap(),
            certificate: CertificateDer::from(Vec::new()),
            begins: 0,
            ends: 30 * 86_400,
        };
        let day = |n: i64| Timestamp(n * 86_400);
        assert!(!identity.due(day(19)) && identity.due(day(20)));
        assert!(!identity.expired(day(30)) && identity.expired(day(31)));
        assert!(!identity.due(Timestamp(i64::MIN)) && identity.due(Timestamp(i64::MAX)));
    }
}
