//! Where warnings go beside the screen: a file that grows, and an address of the alliance's own.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use policies::figures::watch::Warning;
use reqwest::{Client, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// How long the address may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Largest file that is read again.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Why warnings did not get where they should.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The file.
    #[error("the file of warnings could not be read or written")]
    File(#[from] std::io::Error),
    /// Not a file of warnings.
    #[error("line {0} of the file is no warning: name another file")]
    Line(usize),
    /// Too large.
    #[error("the file of warnings is larger than 64 MiB: begin another one")]
    Long,
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

/// Those warnings that a file, one JSON object a line, does not hold yet. A last line without an end is
/// what a killed process left: it does not count.
pub fn unknown(path: &Path, warnings: &[Warning]) -> Result<Vec<Warning>, SinkError> {
    let text = match std::fs::metadata(path) {
        Ok(found) if found.len() > LONGEST => return Err(SinkError::Long),
        Ok(_) => std::fs::read_to_string(path)?,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error.into()),
    };
    let mut known = Vec::new();
    for (place, line) in text.split_inclusive('\n').enumerate() {
        if let Some(line) = line.strip_suffix('\n') {
            let warning = serde_json::from_str::<Warning>(line);
            known.push(warning.map_err(|_| SinkError::Line(place.saturating_add(1)))?);
        }
    }
    let news = warnings.iter().filter(|warning| !known.contains(warning));
    Ok(news.cloned().collect())
}

/// Appends warnings to a file, after its last whole line.
pub fn append(path: &Path, news: &[Warning]) -> Result<(), SinkError> {
    let mut text = String::new();
    for warning in news {
        text.push_str(&serde_json::to_string(warning).map_err(std::io::Error::from)?);
        text.push('\n');
    }
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    let bytes = std::fs::read(path)?;
    let end = bytes.iter().rposition(|byte| *byte == b'\n');
    let length = end.map_or(0, |at| at.saturating_add(1));
    if length < bytes.len() {
        file.set_len(u64::try_from(length).unwrap_or(0))?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}

/// The client that tells an address: plain HTTP on this machine alone; TLS trusts the one CA.
pub fn client(address: &str, ca: Option<&Path>) -> Result<(Client, Url), SinkError> {
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

/// Posts warnings as one JSON list.
pub async fn post((client, url): (Client, Url), warnings: &[Warning]) -> Result<(), SinkError> {
    let sent = client.post(url).json(warnings).send().await;
    // An address may hold a secret: it stays out of the error.
    let sent = sent.map_err(|error| SinkError::Unreachable(error.without_url()))?;
    if sent.status().is_success() {
        Ok(())
    } else {
        Err(SinkError::Status(sent.status().as_u16()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warning(month: &str) -> Warning {
        let text = format!(
            r#"{{"member":"h1","month":"{month}","kind":"anomaly","group":null,"level":null,
                "found":"13.00","against":"12.00","certainty":"decided"}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_file_holds_each_warning_once_and_survives_a_half_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("warnings.jsonl");
        let both = [warning("2026-01"), warning("2026-02")];
        assert_eq!(unknown(&path, &both).unwrap(), both);
        append(&path, &both[..1]).unwrap();
        assert_eq!(unknown(&path, &both).unwrap(), both[1..]);
        append(&path, &both[1..]).unwrap();
        let whole = std::fs::read(&path).unwrap();
        assert!(unknown(&path, &both).unwrap().is_empty());
        // Cut anywhere, its end included, the last one is told and written again.
        for left in 1..10 {
            std::fs::write(&path, &whole[..whole.len() - left]).unwrap();
            let news = unknown(&path, &both).unwrap();
            assert_eq!(news, both[1..]);
            append(&path, &news).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), whole);
        }
        std::fs::write(&path, "other\n").unwrap();
        assert!(matches!(unknown(&path, &[]), Err(SinkError::Line(1))));
    }

    #[tokio::test]
    async fn an_address_is_tls_or_this_machine() {
        for (address, ca) in [
            ("http://example.org/x", None),
            ("https://example.org/x", None),
            ("ftp://127.0.0.1/", None),
            ("x", None),
        ] {
            let refused = client(address, ca);
            assert!(matches!(refused, Err(SinkError::Address)), "{address}");
        }
        // Nobody listens on port 9 here.
        let to = client("http://127.0.0.1:9/secret", None).unwrap();
        let refused = post(to, &[]).await;
        let Err(error @ SinkError::Unreachable(_)) = refused else {
            panic!("reached");
        };
        assert!(!format!("{error:?}").contains("secret"));
    }
}
