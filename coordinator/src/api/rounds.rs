//! What members ask for and send.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use schemas::canonical;
use schemas::dictionary::Dictionary;
use schemas::id::Slug;
use schemas::round::{Reply, Round};
use schemas::seal::Sealed;
use serde::Deserialize;

use super::{App, Fault};
use crate::ask::{self, Held};
use crate::collect::{self, Progress, Taken};
use crate::dictionary;
use crate::register::Member;

/// Longest wait of a poll in seconds.
const LONGEST_WAIT: u64 = 30;

/// How long to wait for a round, and the exchange after which the member asks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wait {
    #[serde(default)]
    wait: u64,
    turn: Option<u64>,
}

/// The latest dictionary.
pub(super) async fn dictionary(
    State(app): State<Arc<App>>,
    _: Member,
) -> Result<Json<Sealed<Dictionary>>, Fault> {
    match dictionary::latest(&app.store, &app.authority).await? {
        Some(published) => Ok(Json(published.sealed)),
        None => Err(Fault::new(
            "no-dictionary",
            404,
            "no dictionary is published yet",
            "",
        )),
    }
}

/// The open rounds that wait for this member; holds the request until there is one, or something to
/// witness.
pub(super) async fn pending(
    State(app): State<Arc<App>>,
    member: Member,
    wait: Result<Query<Wait>, QueryRejection>,
) -> Result<Json<Vec<Sealed<Round>>>, Fault> {
    let Ok(Query(Wait { wait, turn })) = wait else {
        return Err(Fault::new("query", 400, "wait is a number of seconds", ""));
    };
    let end = tokio::time::sleep(Duration::from_secs(wait.min(LONGEST_WAIT)));
    let mut end = std::pin::pin!(end);
    let mut changed = app.changed.subscribe();
    let mut witnessing = app.witnessing.subscribe();
    loop {
        changed.mark_unchanged();
        let rounds = ask::pending(&app.store, &member.hospital, app.clock.now()).await?;
        let missed = turn.is_some_and(|turn| turn != *witnessing.borrow());
        if missed || !rounds.is_empty() {
            return Ok(Json(rounds));
        }
        tokio::select! {
            woken = changed.changed() => if woken.is_err() { return Ok(Json(rounds)) },
            _ = witnessing.changed() => return Ok(Json(rounds)),
            () = end.as_mut() => return Ok(Json(rounds)),
            () = app.stop.cancelled() => return Ok(Json(rounds)),
        }
    }
}

/// Takes a reply. The same bytes again are welcome.
pub(super) async fn reply(
    State(app): State<Arc<App>>,
    member: Member,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Fault> {
    let held = find(&app, &id).await?;
    let sealed: Sealed<Reply> = canonical::read(&body?)?;
    let taken = collect::take(&app.store, &held, &member, &sealed, app.clock.now()).await?;
    if taken == Taken::Now {
        tracing::info!(round = %id, hospital = %member.hospital, "a reply was stored");
    }
    Ok(StatusCode::OK)
}

/// Where a round stands, for those it asks.
pub(super) async fn progress(
    State(app): State<Arc<App>>,
    member: Member,
    Path(id): Path<String>,
) -> Result<Json<Progress>, Fault> {
    let held = find(&app, &id).await?;
    if !held.round.roster.contains(&member.hospital) {
        return Err(Fault::new(
            "not-asked",
            403,
            "not asked",
            "the round does not ask this hospital",
        ));
    }
    let progress = collect::progress(&app.store, &held, app.clock.now()).await?;
    Ok(Json(progress))
}

async fn find(app: &App, id: &str) -> Result<Held, Fault> {
    let unknown = |_| Fault::new("no-such-round", 404, "no such round", "");
    let id: Slug = id.parse().map_err(unknown)?;
    Ok(ask::find(&app.store, &app.authority, &id).await?)
}
