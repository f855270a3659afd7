//! The seam below the requests of a node. A node that runs has the network there; a simulation of
//! the whole alliance has its own hands, which lose, hold back, repeat and change what they carry.

use std::future::Future;
use std::pin::Pin;

use axum::http;
use reqwest::{Request, Response, StatusCode};
use rustls::pki_types::CertificateDer;

use super::client::LinkError;

/// A response as it came.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Came {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// A response that is under way.
pub type Carried<'c> = Pin<Box<dyn Future<Output = Result<Came, LinkError>> + Send + 'c>>;

/// Takes a request to whoever answers it.
pub trait Carrier: Send + Sync + std::fmt::Debug {
    /// Carries one request; `shown` is the certificate that TLS would have shown.
    fn carry(&self, shown: CertificateDer<'static>, request: Request) -> Carried<'_>;
}

impl Came {
    /// The response as a client of the network gives it.
    pub(super) fn into_response(self) -> Result<Response, LinkError> {
        let mut built = http::Response::builder().status(self.status);
        for (name, value) in self.headers {
            built = built.header(name, value);
        }
        let status = StatusCode::BAD_GATEWAY.as_u16();
        let built = built.body(self.body);
        Ok(built.map_err(|_| LinkError::Status(status))?.into())
    }
}
