//! Where warnings go beside the screen: a file that grows and an address, both the hospital's own. They
//! name the case, so that somebody can act; the file therefore lies outside the data folder.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use policies::early::Alert;
use reqwest::{Client, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// How long the address may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why warnings did not get where they should.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The file.
    #[error("the file of warnings could not be read or written")]
    File(#[from] std::io::Error),
    /// Below the data folder.
    #[error("the file of warnings names cases: it lies outside the node's data folder")]
    Inside,
    /// The address.
    #[error("a webhook is https:// with --webhook-ca FILE, or http:// on this machine itself")]
    Address,
    /// The CA.
    #[error("the file of the webhook's CA holds no certificate")]
    Authority,
    /// Not reached.
    #[error("the webhook was not reached; the same command tells it again")]
    Unreachable(#[source] reqwest::Error),
    /// It refused.
    #[error("the webhook answered {0}; the same command tells it again")]
    Status(u16),
}

/// File and address, where there are any.
#[derive(Debug, Default)]
pub struct Sinks {
    file: Option<PathBuf>,
    webhook: Option<(Client, Url)>,
}

impl Sinks {
    /// A file, and an address with the one CA that its certificate may be from: plain HTTP goes to this
    /// machine alone.
    pub fn new(
        data: &Path,
        file: Option<&Path>,
        webhook: Option<(&str, Option<&Path>)>,
    ) -> Result<Self, SinkError> {
        let mut sinks = Self::default();
        if let Some(path) = file {
            let path = std::path::absolute(path)?;
            let folder = path.parent().unwrap_or(Path::new("/")).canonicalize()?;
            if folder.starts_with(data.canonicalize()?) {
                return Err(SinkError::Inside);
            }
            whole_lines(&path)?;
            sinks.file = Some(path);
        }
        if let Some((address, ca)) = webhook {
            sinks.webhook = Some(client(address, ca)?);
        }
        Ok(sinks)
    }

    /// Tells them; the file last, so that what is in it was told.
    pub async fn tell(&self, alerts: &[Alert]) -> Result<(), SinkError> {
        if let Some((client, url)) = &self.webhook {
            let sent = client.post(url.clone()).json(alerts).send().await;
            // An address may hold a secret: it stays out of the error.
            let sent = sent.map_err(|error| SinkError::Unreachable(error.without_url()))?;
            if !sent.status().is_success() {
                return Err(SinkError::Status(sent.status().as_u16()));
            }
        }
        if let Some(path) = &self.file {
            let mut text = String::new();
            for alert in alerts {
                text.push_str(&serde_json::to_string(alert).map_err(std::io::Error::from)?);
                text.push('\n');
            }
            let mut file = OpenOptions::new().create(true).append(true).open(path)?;
            file.write_all(text.as_bytes())?;
            file.sync_data()?;
        }
        Ok(())
    }
}

/// Takes off a last line without an end: what a killed process left.
fn whole_lines(path: &Path) -> Result<(), SinkError> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)?;
    let bytes = std::fs::read(path)?;
    let end = bytes.iter().rposition(|byte| *byte == b'\n');
    let length = end.map_or(0, |at| at.saturating_add(1));
    if length < bytes.len() {
        file.set_len(u64::try_from(length).unwrap_or(0))?;
    }
    Ok(())
}

fn client(address: &str, ca: Option<&Path>) -> Result<(Client, Url), SinkError> {
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
    Ok((client, url))
}
