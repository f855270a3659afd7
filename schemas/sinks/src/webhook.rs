//! An address that is told by POST.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use serde::Serialize;

use super::SinkError;

/// How long the address may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// An address of the organisation's own. It may hold a secret: no error and no debug text names it.
pub struct Webhook {
    client: Client,
    url: Url,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Webhook")
    }
}

impl Webhook {
    /// Plain HTTP goes to this machine alone; TLS trusts the one CA whose certificate the file holds.
    pub fn new(address: &str, ca: Option<&Path>) -> Result<Self, SinkError> {
        let url: Url = address.trim().parse().map_err(|_| SinkError::Address)?;
        let local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        let mut roots = RootCertStore::empty();
        match (url.scheme(), ca) {
            ("https", Some(path)) => {
                let pem = std::fs::read(path)?;
                let ca = CertificateDer::from_pem_slice(&pem).map_err(|_| SinkError::Authority)?;
                roots.add(ca).map_err(|_| SinkError::Authority)?;
            }
            ("http", None) if local => {}
            _ => return Err(SinkError::Address),
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| SinkError::Authority)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(config)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            .build()
            .map_err(SinkError::Unreachable)?;
        Ok(Self { client, url })
    }

    /// Posts warnings as one JSON list.
    pub async fn post<T: Serialize>(&self, warnings: &[T]) -> Result<(), SinkError> {
        let sent = self
            .client
            .post(self.url.clone())
            .json(warnings)
            .send()
            .await;
        let sent = sent.map_err(|error| SinkError::Unreachable(error.without_url()))?;
        if sent.status().is_success() {
            Ok(())
        } else {
            Err(SinkError::Status(sent.status().as_u16()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_tls_or_this_machine() {
        for (address, ca) in [
            ("http://example.org/x", None),
            ("https://example.org/x", None),
            ("ftp://127.0.0.1/", None),
            ("x", None),
        ] {
            let refused = Webhook::new(address, ca);
            assert!(matches!(refused, Err(SinkError::Address)), "{address}");
        }
        // Nobody listens on port 9 here.
        let to = Webhook::new("http://127.0.0.1:9/secret", None).unwrap();
        assert!(!format!("{to:?}").contains("secret"));
        let refused = to.post(&["x"]).await;
        let Err(error @ SinkError::Unreachable(_)) = refused else {
            panic!("reached");
        };
        assert!(!format!("{error:?}").contains("secret"));
    }
}
