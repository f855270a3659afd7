//! The log: every entry, and whether it still is what was written.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use proofs::history::QUORUM;
use schemas::canonical;
use schemas::entry::Entry;
use sqlx::Row as _;
use web::block::{Block, Form, Level};
use web::shell::Page;
use web::site::entries;

use super::answer::{self, Visit};
use super::desk::Desk;
use super::fault::Fault;
use super::words;
use crate::log;
use crate::store::state::StateError;

/// Entries on a page.
const ROWS: i64 = 50;

/// The newest entries, or those before a number.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    page(&desk, &visit, None).await
}

async fn page(desk: &Desk, visit: &Visit, found: Option<Block>) -> Result<Page, Fault> {
    let mut page = Page::new(visit.say("way-log"), visit.say("log-lead"));
    let length = desk.store.log_length().await?;
    let witnessed = log::witnessed(&desk.store, &desk.authority, QUORUM).await;
    let witnessed = witnessed.map_err(|error| Fault::broken("the log", error))?;
    let told = match &witnessed {
        Some(newest) => Block::Note(
            Level::Good,
            visit.tell(
                "log-witnessed",
                &[
                    ("n", &newest.checkpoint.size.to_string()),
                    ("all", &length.to_string()),
                ],
            ),
        ),
        None => Block::Note(
            Level::Warning,
            visit.tell("log-not-witnessed", &[("all", &length.to_string())]),
        ),
    };
    let verify = Block::Form(Form {
        method: "post",
        to: "/log/verify".to_owned(),
        inputs: Vec::new(),
        button: visit.say("log-verify"),
        token: desk.gate.sessions.token(&visit.cookie),
    });
    let mut blocks = vec![told];
    blocks.extend(found);
    blocks.push(verify);
    page.add(String::new(), blocks);
    let asked = visit
        .number("until", usize::MAX)
        .and_then(|until| i64::try_from(until).ok());
    let until = asked.unwrap_or(length).clamp(0, length);
    let rows =
        sqlx::query("select entry from log where sequence <= $1 order by sequence desc limit $2")
            .bind(until)
            .bind(ROWS)
            .fetch_all(desk.store.pool())
            .await?;
    let mut entries: Vec<Entry> = Vec::with_capacity(rows.len());
    for row in &rows {
        let text: String = row.try_get(0)?;
        entries.push(canonical::from_bytes(text.as_bytes()).map_err(StateError::from)?);
    }
    let table = entries::table(visit, &entries, (until, length, ROWS), "");
    page.add(visit.say("entries"), vec![Block::Table(table)]);
    let head = desk.store.log_head().await?;
    page.sources.push(words::source(visit, "source-log", &head));
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
        let Ok(_turn) = desk.checking.try_lock() else {
            return Err(Fault::Often);
        };
        let key = desk.authority.signer().public();
        let found = match log::fsck(&desk.store, &key).await {
            Ok(found) => Block::Note(
                Level::Good,
                visit.tell(
                    "log-sound",
                    &[
                        ("entries", &found.entries.to_string()),
                        ("head", &found.head.to_string()),
                    ],
                ),
            ),
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
