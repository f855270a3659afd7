//! Renewal of a member's certificate over its present one.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use schemas::canonical;
use schemas::enrolment::{RenewReply, RenewRequest};

use super::{App, Fault};
use crate::membership;
use crate::register::Member;

/// Issues a new certificate to who is connected and has signed.
pub(super) async fn renew(
    State(app): State<Arc<App>>,
    member: Member,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<RenewReply>, Fault> {
    let request: RenewRequest = canonical::read(&body?)?;
    let now = app.clock.now();
    let (store, authority) = (&app.store, &app.authority);
    let issued =
        membership::renew(store, authority, &member, &request.signing_request, now).await?;
    tracing::info!(hospital = %member.hospital, "a certificate was renewed");
    Ok(Json(RenewReply {
        certificate: issued.pem,
    }))
}
