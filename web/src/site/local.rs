//! A site on a loopback address: plain HTTP for browsers of this machine, or for a proxy on it that speaks
//! TLS. Requests that name another host are turned away, so that no foreign name leads here.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;

use super::From;

/// How long open requests may take to finish when the service ends.
const FAREWELL: Duration = Duration::from_secs(5);

/// The site could not be served.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// Another address than a loopback one.
    #[error("pages listen on a loopback address; put a proxy that speaks TLS before them")]
    Open,
    /// The address is taken or not ours.
    #[error("cannot listen on {address}")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The listener failed.
    #[error("the pages' listener failed")]
    Serve(#[source] std::io::Error),
}

/// Binds a loopback address.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, LocalError> {
    if !address.ip().is_loopback() {
        return Err(LocalError::Open);
    }
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| LocalError::Bind { address, source })
}

/// Serves a site until `stop` is done. `hosts` are names by which a proxy of this machine is reached.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    hosts: &[String],
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), LocalError> {
    let hosts: Arc<[String]> = hosts.into();
    let router = router
        .layer(from_fn(peer))
        .layer(from_fn_with_state(hosts, named));
    let made = router.into_make_service_with_connect_info::<SocketAddr>();
    let (told, heard) = tokio::sync::oneshot::channel::<()>();
    let stop = async move {
        stop.await;
        drop(told);
    };
    let served = axum::serve(listener, made).with_graceful_shutdown(stop);
    let cut = async {
        // Nothing is ever sent: it ends when the other end is dropped.
        drop(heard.await);
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        done = served.into_future() => done.map_err(LocalError::Serve),
        () = cut => Ok(()),
    }
}

async fn peer(request: Request, next: Next) -> Response {
    let mut request = request;
    let known = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let address = known.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |from| from.0.ip());
    request.extensions_mut().insert(From(address));
    next.run(request).await
}

/// The name in a `Host`, without its port.
fn name(host: &str) -> &str {
    if host.starts_with('[') {
        return host.split_inclusive(']').next().unwrap_or_default();
    }
    host.split(':').next().unwrap_or_default()
}

async fn named(State(hosts): State<Arc<[String]>>, request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .map(name)
        .unwrap_or_default();
    let own = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    if own || hosts.iter().any(|known| known == host) {
        return next.run(request).await;
    }
    StatusCode::MISDIRECTED_REQUEST.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_its_name_without_the_port() {
        for (host, found) in [
            ("localhost:8710", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]:8710", "[::1]"),
            ("evil.example:8710", "evil.example"),
            ("", ""),
        ] {
            assert_eq!(name(host), found);
        }
    }

    #[tokio::test]
    async fn no_address_but_a_loopback_one_is_bound() {
        assert!(matches!(
            bind("0.0.0.0:0".parse().unwrap()).await,
            Err(LocalError::Open)
        ));
        assert!(bind("127.0.0.1:0".parse().unwrap()).await.is_ok());
    }
}
