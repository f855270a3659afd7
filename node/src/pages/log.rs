//! The node's log: every entry, and whether the state file still agrees with it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use policies::access::{Channel, Principal, Request};
use proofs::history::QUORUM;
use schemas::canonical;
use schemas::entry::Entry;
use sqlx::Row as _;
use web::block::{Block, Form, Level};
use web::shell::Page;
use web::site::answer::{self, Visit};
use web::site::entries;

use super::desk::Desk;
use super::fault::Fault;
use crate::answer::App;
use crate::config::keys::Keys;
use crate::log::{self, Keeper};
use crate::store::state::StateError;

/// Entries on a page.
const ROWS: i64 = 50;

/// Whether the policies in force let who is signed in read the log.
fn may(app: &App, visit: &Visit) -> bool {
    let Some((_, role)) = &visit.visitor else {
        return false;
    };
    let principal = Principal {
        role: *role,
        organisation: app.hospital.clone(),
    };
    let request = Request::ReadLog {
        organisation: app.hospital.clone(),
        channel: Channel::Local,
    };
    app.standing.access.judge(&principal, &request).allowed
}

/// The newest entries, or those before a number.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    page(&desk, &visit, None).await
}

async fn page(desk: &Desk, visit: &Visit, found: Option<Block>) -> Result<Page, Fault> {
    let app = desk.app().await?;
    if !may(&app, visit) {
        return Err(Fault::Forbidden);
    }
    let mut page = Page::new(visit.say("way-log"), visit.say("node.log-lead"));
    let length: i64 = sqlx::query_scalar("select coalesce(max(sequence), 0) from log")
        .fetch_one(desk.state.pool())
        .await?;
    let keeper = Keeper::open(&desk.state, &app.signer, &desk.config.hospital).await?;
    let witnessed = match &keeper {
        Some(keeper) => keeper.witnessed(QUORUM).await?,
        None => None,
    };
    let all = length.to_string();
    let told = match &witnessed {
        Some(newest) => {
            let size = newest.checkpoint.size.to_string();
            let told = visit.tell("log-witnessed", &[("n", &size), ("all", &all)]);
            Block::Note(Level::Good, told)
        }
        None => Block::Note(
            Level::Warning,
            visit.tell("log-not-witnessed", &[("all", &all)]),
        ),
    };
    let mut blocks = vec![told];
    blocks.extend(found);
    blocks.push(Block::Form(Form {
        method: "post",
        to: "/log/verify".to_owned(),
        inputs: Vec::new(),
        button: visit.say("log-verify"),
        token: desk.gate.sessions.token(&visit.cookie),
    }));
    page.add(String::new(), blocks);
    let asked = visit.number("until", usize::MAX);
    let asked = asked.and_then(|until| i64::try_from(until).ok());
    let until = asked.unwrap_or(length).clamp(0, length);
    let rows =
        sqlx::query("select entry from log where sequence <= $1 order by sequence desc limit $2")
            .bind(until)
            .bind(ROWS)
            .fetch_all(desk.state.pool())
            .await?;
    let mut shown: Vec<Entry> = Vec::with_capacity(rows.len());
    for row in &rows {
        let text: String = row.try_get(0)?;
        shown.push(canonical::from_bytes(text.as_bytes()).map_err(StateError::from)?);
    }
    let table = entries::table(visit, &shown, (until, length, ROWS), "node.");
    page.add(visit.say("entries"), vec![Block::Table(table)]);
    let head = desk.state.log_head().await?;
    page.sources = vec![(visit.say("source-log"), head.to_string())];
    Ok(page)
}

/// Checks the whole state file against the log, one check at a time.
pub(super) async fn verify(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
) -> Response {
    let mut visit = visit;
    "/log".clone_into(&mut visit.path);
    let made = async {
        let Ok(_turn) = desk.heavy.try_lock() else {
            return Err(Fault::Often);
        };
        let key = Keys::open(&desk.config.data)?.message_key()?.public();
        let found = match log::fsck(&desk.state, &key).await {
            Ok(found) => {
                let (entries, head) = (found.entries.to_string(), found.head.to_string());
                let named = [("entries", entries.as_str()), ("head", head.as_str())];
                Block::Note(Level::Good, visit.tell("log-sound", &named))
            }
            Err(error) => {
                tracing::error!(%error, "the log does not hold");
                Block::Note(Level::Alarm, visit.say("log-broken"))
            }
        };
        let page = page(&desk, &visit, Some(found)).await?;
        answer::html(&desk, &visit, &page, StatusCode::OK)
    };
    match made.await {
        Ok(response) => response,
        Err(fault) => answer::failed(&desk, &visit, &fault),
    }
}
