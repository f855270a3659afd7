//! Who calls: the extractor that every handler for members takes.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use rustls::pki_types::CertificateDer;

use super::{App, Fault};
use crate::authority::{certificate_digest, hospital_of};
use crate::register::{self, Member};

/// The other end of a connection.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) address: IpAddr,
    pub(super) certificate: Option<CertificateDer<'static>>,
}

/// A member is known by its certificate, asked for anew with each request: it must be the one
/// registered, and it must name the hospital that it is registered for.
impl FromRequestParts<Arc<App>> for Member {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Fault> {
        let stranger = || {
            Fault::new(
                "not-a-member",
                403,
                "this certificate belongs to no member",
                "enrol the node with a new join code",
            )
        };
        let peer = parts.extensions.get::<Peer>().ok_or_else(stranger)?;
        let certificate = peer.certificate.as_ref().ok_or_else(stranger)?;
        let digest = certificate_digest(certificate);
        let member = register::member(&app.store, digest)
            .await?
            .ok_or_else(stranger)?;
        let named = hospital_of(app.authority.alliance(), certificate);
        if named.as_ref() != Some(&member.hospital) {
            return Err(stranger());
        }
        register::heard(&app.store, &member, app.clock.now()).await?;
        Ok(member)
    }
}
