//! ClickHouse over HTTP: one URL a shard, the first is asked. To another machine only TLS, by the authority
//! that the URL names (`?ca=FILE`). Of an error only its number is kept.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Client, Response, Url};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use zeroize::Zeroizing;

use super::error::EngineError;
use crate::ingest::sql::is_near;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(20);
/// Longest line of an answer, in bytes.
const LINE: usize = 1 << 20;
/// Most that is read of an error, in bytes.
const ERROR: usize = 512;

/// One server.
#[derive(Clone)]
pub(crate) struct Target {
    url: Url,
    user: Zeroizing<String>,
    password: Zeroizing<String>,
    database: String,
    authority: Option<String>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Target(…)")
    }
}

/// Connected servers.
pub(crate) struct Http {
    servers: Vec<(Target, Client)>,
}

fn odd(rule: &str) -> EngineError {
    EngineError::Address(format!("the engine's address: {rule}"))
}

impl Target {
    /// Reads `https://user:password@host:port/database?ca=FILE`.
    pub(crate) fn parse(text: &str) -> Result<Self, EngineError> {
        let shape = "`https://user:password@host:8443/database?ca=FILE`, one a line";
        let mut url = Url::parse(text).map_err(|_| odd(shape))?;
        let host = url.host_str().ok_or_else(|| odd(shape))?;
        if url.scheme() != "https" && !(url.scheme() == "http" && is_near(host)) {
            return Err(odd("https:// (http:// only to this machine)"));
        }
        let database = url.path().trim_matches('/').to_owned();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let begins = database.starts_with(|c: char| c.is_ascii_alphabetic());
        if !begins || database.len() > 60 || !database.chars().all(plain) {
            return Err(odd("the database's name is letters, digits and `_`"));
        }
        let authority = url.query_pairs().find(|(name, _)| name == "ca");
        let authority = authority.map(|(_, path)| path.into_owned());
        if url.scheme() == "https" && authority.is_none() {
            return Err(odd("`?ca=FILE` names the authority of its certificate"));
        }
        let user = decoded(url.username()).ok_or_else(|| odd(shape))?;
        let password = decoded(url.password().unwrap_or_default()).ok_or_else(|| odd(shape))?;
        let bare = url.set_username("").and_then(|()| url.set_password(None));
        bare.map_err(|()| odd(shape))?;
        url.set_query(None);
        url.set_path("/");
        Ok(Self {
            url,
            user,
            password,
            database,
            authority,
        })
    }

    /// The database.
    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    fn client(&self) -> Result<Client, EngineError> {
        let mut roots = RootCertStore::empty();
        if let Some(path) = &self.authority {
            let unread = |_| odd("the file that `ca` names holds no certificate that can be read");
            for one in CertificateDer::pem_file_iter(path).map_err(unread)? {
                roots
                    .add(one.map_err(unread)?)
                    .map_err(|_| EngineError::Tls)?;
            }
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|_| EngineError::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .no_proxy();
        client.build().map_err(|_| EngineError::Tls)
    }
}

/// Percent-encoded text of a URL.
fn decoded(text: &str) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::new());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let value = digit(rest.next()?)? * 16 + digit(rest.next()?)?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes.to_vec()).ok().map(Zeroizing::new)
}

impl Http {
    /// Clients for all servers.
    pub(crate) fn open(targets: &[Target]) -> Result<Self, EngineError> {
        let servers = targets.iter().map(|one| Ok((one.clone(), one.client()?)));
        Ok(Self {
            servers: servers.collect::<Result<_, EngineError>>()?,
        })
    }

    /// Number of servers.
    pub(crate) fn count(&self) -> usize {
        self.servers.len()
    }

    async fn post(
        &self,
        server: usize,
        query: Option<&str>,
        body: Vec<u8>,
    ) -> Result<Response, EngineError> {
        let (target, client) = self.servers.get(server).ok_or(EngineError::Answer)?;
        let mut url = target.url.clone();
        {
            let mut pairs = url.query_pairs_mut();
            pairs.append_pair("database", &target.database);
            pairs.append_pair("max_query_size", "33554432");
            // A shard that is away is an error, never a smaller sum; an error never follows rows.
            pairs.append_pair("skip_unavailable_shards", "0");
            pairs.append_pair("wait_end_of_query", "1");
            pairs.append_pair("max_execution_time", "900");
            if let Some(query) = query {
                pairs.append_pair("query", query);
            }
        }
        let mut key =
            HeaderValue::from_str(target.password.as_str()).map_err(|_| EngineError::Login)?;
        key.set_sensitive(true);
        let sent = client
            .post(url)
            .header("X-ClickHouse-User", target.user.as_str())
            .header("X-ClickHouse-Key", key)
            .body(body)
            .send()
            .await;
        let response = sent.map_err(|error| failed(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refused(response).await)
    }

    /// Runs a statement on one server.
    pub(crate) async fn change(&self, server: usize, sql: String) -> Result<(), EngineError> {
        drop(self.post(server, None, sql.into_bytes()).await?);
        Ok(())
    }

    /// Inserts rows of text.
    pub(crate) async fn insert(
        &self,
        server: usize,
        sql: &str,
        rows: Vec<u8>,
    ) -> Result<(), EngineError> {
        drop(self.post(server, Some(sql), rows).await?);
        Ok(())
    }

    /// Runs a query on the first server and hands over each row as it comes.
    pub(crate) async fn each(
        &self,
        sql: String,
        mut each: impl FnMut(&[&str]) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let mut response = self.post(0, None, sql.into_bytes()).await?;
        let mut rest: Vec<u8> = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
            rest.extend_from_slice(&chunk);
            let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else {
                if rest.len() > LINE {
                    return Err(EngineError::Answer);
                }
                continue;
            };
            let tail = rest.split_off(end.saturating_add(1));
            let text = std::str::from_utf8(&rest).map_err(|_| EngineError::Answer)?;
            for line in text.lines() {
                let values: Vec<&str> = line.split('\t').collect();
                each(&values)?;
            }
            rest = tail;
        }
        if rest.is_empty() {
            Ok(())
        } else {
            Err(EngineError::Answer)
        }
    }
}

fn failed(error: &reqwest::Error) -> EngineError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(one) = cause {
        let inner = one
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
            .is_some_and(|inner| inner.downcast_ref::<rustls::Error>().is_some());
        if inner || one.downcast_ref::<rustls::Error>().is_some() {
            return EngineError::Tls;
        }
        cause = one.source();
    }
    if error.is_connect() {
        EngineError::Unreachable
    } else {
        EngineError::Lost
    }
}

/// Keeps the number of an error and drops its words.
async fn refused(mut response: Response) -> EngineError {
    let mut said = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        said.extend_from_slice(&chunk);
        if said.len() > ERROR {
            break;
        }
    }
    said.truncate(ERROR);
    let said = String::from_utf8_lossy(&said);
    let code = said.split_once("Code: ").map_or("", |(_, tail)| tail);
    let code: String = code
        .chars()
        .take_while(char::is_ascii_digit)
        .take(5)
        .collect();
    match code.as_str() {
        "192" | "193" | "194" | "195" | "516" => EngineError::Login,
        "81" => EngineError::Database,
        "164" | "291" | "497" => EngineError::Permission,
        _ => EngineError::Refused { code },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_is_reached_by_tls_alone_and_nothing_of_the_url_is_told() {
        let good = Target::parse("https://u:p%40ss@ch.example:8443/costs?ca=/etc/ca.pem").unwrap();
        assert_eq!(good.password.as_str(), "p@ss");
        assert_eq!(good.database(), "costs");
        assert!(!good.url.as_str().contains("p%40ss"));
        assert_eq!(format!("{good:?}"), "Target(…)");
        assert!(Target::parse("http://u:p@127.0.0.1:8123/costs").is_ok());
        for wrong in [
            "http://u:hunter2@ch.example:8123/costs",
            "http://u:hunter2@127.0.0.1.example:8123/costs",
            "https://u:hunter2@ch.example:8443/costs",
            "https://u:hunter2@ch.example:8443/a;drop?ca=x",
            "https://u:hunter2@ch.example:8443/?ca=x",
            "postgres://u:hunter2@ch/costs",
            "hunter2",
        ] {
            let told = Target::parse(wrong).unwrap_err().to_string();
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
}
