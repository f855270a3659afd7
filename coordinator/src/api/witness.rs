//! Logs and their witnesses: what nodes send and hear about their own and others' logs.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use proofs::note::Note;
use proofs::witness::{Refusal, Request};
use schemas::canonical;
use schemas::witness::{Exchange, Exchanged};

use super::{App, Fault};
use crate::log::{self, LogError};
use crate::register::Member;

/// Cosigns a member's checkpoint (C2SP tlog-witness add-checkpoint, over this listener).
pub(super) async fn add_checkpoint(
    State(app): State<Arc<App>>,
    member: Member,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Fault> {
    let request = Request::parse(&body?).map_err(LogError::from)?;
    match log::add(
        &app.store,
        &app.authority,
        &member,
        request,
        app.clock.now(),
    )
    .await
    {
        Ok(added) => {
            if added.grown {
                app.news.store(true, Ordering::Relaxed);
            }
            Ok(added.cosignature.into_response())
        }
        Err(LogError::Refused(Refusal::Stale { known } | Refusal::Forked { known })) => {
            let kind = [(header::CONTENT_TYPE, "text/x.tlog.size")];
            Ok((StatusCode::CONFLICT, kind, format!("{known}\n")).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// What is known of the member's own log, and how the others went on.
pub(super) async fn exchange(
    State(app): State<Arc<App>>,
    member: Member,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Exchanged>, Fault> {
    let ask: Exchange = canonical::read(&body?)?;
    // Read first: what comes in between is told twice rather than never.
    let turn = *app.witnessing.borrow();
    let told = log::exchange(&app.store, &app.authority, &member, &ask, turn).await?;
    Ok(Json(told))
}

/// Takes a member's cosignature of another log.
pub(super) async fn cosign(
    State(app): State<Arc<App>>,
    member: Member,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Fault> {
    let note = Note::parse(&body?).map_err(LogError::from)?;
    if log::cosigned(&app.store, &app.authority, &member, &note).await? {
        app.news.store(true, Ordering::Relaxed);
    }
    Ok(StatusCode::OK)
}
