//! The service without listeners: the members' routes and one look of the background task, for a
//! simulation of the whole alliance in one process. Everything above TLS is what a member reaches.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::CertificateDer;

use super::gate::Gate;
use super::listen::ServeError;
use super::member::Peer;
use super::watch::{self, Memory, WatchError};
use super::{App, MOST_BODY, member_routes, moment};

/// A response as it leaves.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Said {
    /// Its status.
    pub status: u16,
    /// Its headers, where they are text.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// A coordinator that listens nowhere.
#[derive(Debug)]
pub struct Inside {
    app: Arc<App>,
    gate: Arc<Gate>,
    memory: Memory,
}

impl Inside {
    /// Starts as [`super::Listeners::serve`] does, without the listening.
    pub async fn start(app: Arc<App>) -> Result<Self, ServeError> {
        moment::look(&app).await?;
        Ok(Self {
            gate: Gate::new(&app).await?,
            memory: Memory::default(),
            app,
        })
    }

    /// Answers a request of whoever shows this certificate. TLS, which would have refused what the
    /// alliance's authority did not issue, is the caller's; so are the names of method, path and
    /// headers: what is none is answered with 400.
    pub async fn ask(
        &self,
        certificate: CertificateDer<'static>,
        (method, path): (&str, &str),
        headers: &[(String, String)],
        body: Vec<u8>,
    ) -> Said {
        let bad = || Said {
            status: 400,
            ..Said::default()
        };
        let peer = Peer {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            certificate: Some(certificate),
        };
        let routes = member_routes(&self.app).layer(axum::Extension(peer));
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let Ok(request) = request.body(Body::from(body)) else {
            return bad();
        };
        let response = match TowerToHyperService::new(routes).call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (head, body) = response.into_parts();
        let text = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
            Some((name.to_string(), value.to_str().ok()?.to_owned()))
        };
        Said {
            status: head.status.as_u16(),
            headers: head.headers.iter().filter_map(text).collect(),
            body: to_bytes(body, MOST_BODY)
                .await
                .map_or_else(|_| Vec::new(), Vec::from),
        }
    }

    /// One look of the background task: ends rounds, follows membership, clock and log.
    pub async fn look(&mut self) -> Result<(), WatchError> {
        watch::look(&self.app, &self.gate, &mut self.memory, true).await?;
        watch::call(&self.app);
        Ok(())
    }
}
