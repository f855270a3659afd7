//! The relay between insurers and hospitals. Who calls decides what is reached: an insurer its own
//! requests and books, a hospital what is addressed to it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Month;

use super::member::Peer;
use super::{App, Fault, moment};
use crate::authority::{Role, certificate_digest, holder_of};
use crate::register::Member;
use crate::relay::{self, Insurer, RelayError};

/// Largest request or reply: the places of a million leaves.
const MOST_MESSAGE: usize = 12 * 1024 * 1024;

pub(super) fn routes() -> Router<Arc<App>> {
    let limit = || DefaultBodyLimit::max(MOST_MESSAGE);
    Router::new()
        .route("/v1/audit/hospitals/{hospital}", post(ask).layer(limit()))
        .route("/v1/audit/replies/{id}", get(replied))
        .route("/v1/audit/books/{party}/{month}", get(book))
        .route("/v1/audit/requests", get(waiting))
        .route("/v1/audit/requests/{id}", get(request))
}

/// What hospitals send: signed requests.
pub(super) fn signed_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/audit/books/{party}/{month}", post(publish))
        .route("/v1/audit/requests/{id}", post(reply))
}

/// An insurer is known by its certificate, as a member is: the one registered, naming it.
impl FromRequestParts<Arc<App>> for Insurer {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Fault> {
        let stranger = || {
            Fault::new(
                "not-an-insurer",
                403,
                "this certificate belongs to no insurer",
                "have the alliance admit the insurer",
            )
        };
        let peer = parts.extensions.get::<Peer>().ok_or_else(stranger)?;
        let certificate = peer.certificate.as_ref().ok_or_else(stranger)?;
        let digest = certificate_digest(certificate);
        moment::believed(app)?;
        let insurer = relay::insurer(&app.store, digest, app.clock.now()).await?;
        let insurer = insurer.ok_or_else(stranger)?;
        let alliance = app.authority.alliance();
        if holder_of(alliance, Role::Insurer, certificate).as_ref() != Some(&insurer.0) {
            return Err(stranger());
        }
        Ok(insurer)
    }
}

async fn ask(
    State(app): State<Arc<App>>,
    insurer: Insurer,
    Path(hospital): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Digest>, Fault> {
    let hospital = name(&hospital)?;
    let now = app.clock.now();
    let id = relay::ask(&app.store, &insurer, &hospital, &text(body)?, now).await?;
    Ok(Json(id))
}

async fn replied(
    State(app): State<Arc<App>>,
    insurer: Insurer,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    match relay::replied(&app.store, &insurer, digest(&id)?).await? {
        Some(reply) => Ok(reply.into_response()),
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

async fn book(
    State(app): State<Arc<App>>,
    insurer: Insurer,
    Path((hospital, month)): Path<(String, String)>,
) -> Result<Vec<u8>, Fault> {
    let which = (&name(&hospital)?, moment(&month)?);
    Ok(relay::book(&app.store, &insurer, which).await?)
}

async fn publish(
    State(app): State<Arc<App>>,
    member: Member,
    Path((insurer, month)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Fault> {
    let which = (&name(&insurer)?, moment(&month)?);
    relay::publish(&app.store, &member.hospital, which, &body?, app.clock.now()).await?;
    Ok(StatusCode::OK)
}

async fn waiting(State(app): State<Arc<App>>, member: Member) -> Result<Json<Vec<Digest>>, Fault> {
    Ok(Json(relay::waiting(&app.store, &member.hospital).await?))
}

async fn request(
    State(app): State<Arc<App>>,
    member: Member,
    Path(id): Path<String>,
) -> Result<String, Fault> {
    Ok(relay::request(&app.store, &member.hospital, digest(&id)?).await?)
}

async fn reply(
    State(app): State<Arc<App>>,
    member: Member,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Fault> {
    relay::reply(&app.store, &member.hospital, digest(&id)?, &text(body)?).await?;
    Ok(StatusCode::OK)
}

fn unknown() -> Fault {
    Fault::new("no-such-path", 404, "no such path", "")
}

fn name(text: &str) -> Result<Slug, Fault> {
    text.parse().map_err(|_| unknown())
}

fn moment(text: &str) -> Result<Month, Fault> {
    text.parse().map_err(|_| unknown())
}

fn digest(text: &str) -> Result<Digest, Fault> {
    text.parse().map_err(|_| unknown())
}

fn text(body: Result<Bytes, BytesRejection>) -> Result<String, Fault> {
    let shape = |_| Fault::new("shape", 400, "the body is refused", "it is UTF-8");
    String::from_utf8(body?.to_vec()).map_err(shape)
}

impl From<RelayError> for Fault {
    fn from(error: RelayError) -> Self {
        let detail = error.to_string();
        match error {
            RelayError::Full => Self::new("relay-full", 429, "too many requests", &detail),
            RelayError::Conflict => Self::new("relay-conflict", 409, "another reply", &detail),
            RelayError::Unknown => Self::new("no-such-request", 404, "no such request", ""),
            RelayError::Request(_) => Self::new("signing-request", 422, "refused", &detail),
            RelayError::State(error) => error.into(),
        }
    }
}
