//! Pooled rounds for members: what waits, what is handed out, what is taken.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use pooled::receipt::{Asked, Told};
use pooled::work::SeatWord;
use schemas::canonical;
use schemas::id::Slug;
use serde::Serialize;

use super::{App, Fault};
use crate::pooled::{self as rounds, Held, PooledError};
use crate::register::Member;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/pooled/work", get(work))
        .route("/v1/pooled/lists/{version}", get(list))
        .route("/v1/pooled/draft", get(draft))
        .route("/v1/pooled/rounds/{id}", get(offer))
        .route("/v1/pooled/rounds/{id}/proposal", get(proposal))
        .route("/v1/pooled/rounds/{id}/certificate", get(certificate))
        .route("/v1/pooled/rounds/{id}/void", get(void))
        .route("/v1/pooled/asks/{subject}", get(asked))
        .route("/v1/pooled/receipts", get(receipts))
}

/// What members send: signed requests.
pub(super) fn signed_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/pooled/seat-key", post(seat_key))
        .route("/v1/pooled/countersign", post(countersign))
        .route("/v1/pooled/rounds/{id}/upload", post(upload))
        .route("/v1/pooled/rounds/{id}/word", post(word))
        .route("/v1/pooled/rounds/{id}/sum", post(sum))
        .route("/v1/pooled/ask", post(ask))
        .route("/v1/pooled/receipt", post(receipt))
}

fn bytes<T: Serialize>(message: &T) -> Result<Vec<u8>, Fault> {
    Ok(canonical::to_bytes(message).map_err(PooledError::from)?)
}

async fn find(app: &App, id: &str) -> Result<Held, Fault> {
    let unknown = |_| Fault::new("no-such-round", 404, "no such round", "");
    let id: Slug = id.parse().map_err(unknown)?;
    Ok(rounds::find(&app.store, &app.authority, &id).await?)
}

/// Takes a round as far as it goes with what came in.
async fn go_on(app: &App, id: &str) -> Result<StatusCode, Fault> {
    app.waiting.changed();
    while rounds::advance(&app.store, &find(app, id).await?, app.clock.now()).await? {}
    app.waiting.changed();
    Ok(StatusCode::OK)
}

async fn work(State(app): State<Arc<App>>, member: Member) -> Result<Vec<u8>, Fault> {
    let (name, now) = (&member.hospital, app.clock.now());
    let length = app.store.log_length().await.map_err(PooledError::from)?;
    let mark = app.waiting.mark(length, now);
    if let Some(said) = app.waiting.said(name, mark).await {
        return Ok(said);
    }
    let work = bytes(&rounds::work(&app.store, &app.authority, name, now).await?)?;
    app.waiting.keep(name, mark, &work).await;
    Ok(work)
}

async fn list(
    State(app): State<Arc<App>>,
    _: Member,
    Path(version): Path<String>,
) -> Result<Vec<u8>, Fault> {
    let version: u32 = version.parse().map_err(|_| PooledError::NoList)?;
    let found = rounds::signed_list(&app.store, i64::from(version)).await?;
    bytes(&found.ok_or(PooledError::NoList)?)
}

async fn draft(State(app): State<Arc<App>>, _: Member) -> Result<Vec<u8>, Fault> {
    let found = rounds::draft_sealed(&app.store).await?;
    bytes(&found.ok_or(PooledError::NoDraft)?.1)
}

async fn offer(
    State(app): State<Arc<App>>,
    _: Member,
    Path(id): Path<String>,
) -> Result<Vec<u8>, Fault> {
    bytes(&find(&app, &id).await?.offer)
}

async fn proposal(
    State(app): State<Arc<App>>,
    member: Member,
    Path(id): Path<String>,
) -> Result<Vec<u8>, Fault> {
    let held = find(&app, &id).await?;
    bytes(&rounds::proposal(&app.store, &held, &member.hospital).await?)
}

async fn certificate(
    State(app): State<Arc<App>>,
    _: Member,
    Path(id): Path<String>,
) -> Result<Vec<u8>, Fault> {
    let held = find(&app, &id).await?;
    let found = rounds::certificate(&app.store, &held.asked.id).await?;
    bytes(&found.ok_or(PooledError::NotYet)?)
}

async fn void(
    State(app): State<Arc<App>>,
    _: Member,
    Path(id): Path<String>,
) -> Result<Vec<u8>, Fault> {
    let held = find(&app, &id).await?;
    let found = rounds::void(&app.store, &held.asked.id).await?;
    bytes(&found.ok_or(PooledError::NotYet)?)
}

async fn asked(
    State(app): State<Arc<App>>,
    _: Member,
    Path(subject): Path<String>,
) -> Result<Vec<u8>, Fault> {
    let subject: Slug = subject.parse().map_err(|_| PooledError::NotYet)?;
    bytes(&rounds::asked(&app.store, &subject).await?)
}

async fn receipts(State(app): State<Arc<App>>, member: Member) -> Result<Vec<u8>, Fault> {
    bytes(&rounds::receipts(&app.store, &member.hospital).await?)
}

async fn ask(
    State(app): State<Arc<App>>,
    member: Member,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Fault> {
    let asked = Asked::parse(&body?).map_err(PooledError::from)?;
    rounds::ask(&app.store, &member, &asked, app.clock.now()).await?;
    app.waiting.changed();
    Ok(StatusCode::OK)
}

async fn receipt(
    State(app): State<Arc<App>>,
    member: Member,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Fault> {
    let told = Told::parse(&body?).map_err(PooledError::from)?;
    rounds::receipt(&app.store, &member, &told).await?;
    app.waiting.changed();
    Ok(StatusCode::OK)
}

async fn seat_key(
    State(app): State<Arc<App>>,
    member: Member,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Fault> {
    let key = canonical::read(&body?)?;
    rounds::seat_key(&app.store, &member, &key, app.clock.now()).await?;
    app.waiting.changed();
    Ok(StatusCode::OK)
}

async fn countersign(
    State(app): State<Arc<App>>,
    member: Member,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Fault> {
    let seal = canonical::read(&body?)?;
    let now = app.clock.now();
    if rounds::countersign(&app.store, &app.authority, &member, &seal, now).await? {
        tracing::info!("a key list is published");
    }
    Ok(StatusCode::OK)
}

async fn upload(
    State(app): State<Arc<App>>,
    member: Member,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Fault> {
    let held = find(&app, &id).await?;
    if rounds::take(&app.store, &held, &member, &body?, app.clock.now()).await? {
        tracing::info!(round = %id, hospital = %member.hospital, "an upload was stored");
    }
    go_on(&app, &id).await
}

async fn word(
    State(app): State<Arc<App>>,
    member: Member,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Fault> {
    let held = find(&app, &id).await?;
    let word = SeatWord::parse(&body?).map_err(PooledError::from)?;
    rounds::take_word(&app.store, &held, &member.hospital, &word, app.clock.now()).await?;
    go_on(&app, &id).await
}

async fn sum(
    State(app): State<Arc<App>>,
    member: Member,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Fault> {
    let held = find(&app, &id).await?;
    rounds::take_sums(&app.store, &held, &member.hospital, &body?, app.clock.now()).await?;
    go_on(&app, &id).await
}

impl From<PooledError> for Fault {
    fn from(error: PooledError) -> Self {
        let detail = error.to_string();
        let fault = |kind, status, title| Self::new(kind, status, title, &detail);
        match error {
            PooledError::NoRound(_) => fault("no-such-round", 404, "no such round"),
            PooledError::NoList | PooledError::NoDraft | PooledError::NotYet => {
                fault("not-yet", 404, "not there yet")
            }
            PooledError::NotAsked => fault("not-asked", 422, "not asked"),
            PooledError::Ended => fault("round-ended", 410, "the round has ended"),
            PooledError::Conflict => fault("conflict", 409, "other bytes are held"),
            PooledError::Upload(_)
            | PooledError::Survivors(_)
            | PooledError::Vote(_)
            | PooledError::Sum(_)
            | PooledError::Wire(_)
            | PooledError::Seal(_)
            | PooledError::List(_) => fault("refused", 422, "what was sent is refused"),
            _ => Self::ours(&error),
        }
    }
}
