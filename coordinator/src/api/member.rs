//! Who calls: the extractor that every handler for members takes.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use rustls::pki_types::CertificateDer;

use super::{App, Fault, moment};
use crate::authority::{certificate_digest, hospital_of};
use crate::register::{self, Member, Standing};

/// The other end of a connection.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) address: IpAddr,
    pub(super) certificate: Option<CertificateDer<'static>>,
}

/// A member is known by its certificate, asked for anew with each request: it must be one that is
/// accepted now, name exactly the hospital that it was issued to, and that hospital must be
/// approved.
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
        moment::believed(app)?;
        let now = app.clock.now();
        let digest = certificate_digest(certificate);
        let member = register::member(&app.store, digest, now)
            .await?
            .ok_or_else(stranger)?;
        let named = hospital_of(app.authority.alliance(), certificate);
        if named.as_ref() != Some(&member.hospital) {
            return Err(stranger());
        }
        match member.standing {
            Standing::Active => {
                register::heard(&app.store, &member, now).await?;
                Ok(member)
            }
            Standing::Pending => Err(Fault::new(
                "pending",
                403,
                "the hospital has joined and is not approved yet",
                "read the fingerprint that `enrol` printed to a second administrator by phone",
            )),
            Standing::Revoked => Err(Fault::new(
                "revoked",
                403,
                "this certificate is revoked",
                "ask the alliance why; a new join code lets the hospital in again",
            )),
        }
    }
}
