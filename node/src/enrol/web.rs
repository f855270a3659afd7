//! The HTTP client of every request that leaves the node.

use std::time::Duration;

use reqwest::{Client, Response};
use rustls::ClientConfig;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// A client that uses these TLS settings and this proxy, and neither redirects nor the
/// environment's proxies.
pub(crate) fn client(tls: ClientConfig, proxy: Option<&str>) -> Result<Client, reqwest::Error> {
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT);
    match proxy {
        Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy)?),
        None => builder.no_proxy(),
    }
    .build()
}

/// The body, cut off once it is longer than `most` (so that it fails to parse).
pub(crate) async fn body(mut response: Response, most: usize) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await? {
        body.extend_from_slice(&part);
        if body.len() > most {
            break;
        }
    }
    Ok(body)
}
