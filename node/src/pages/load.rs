//! A file loaded from a page, as the command `load` loads it: begun there, worked beside the page, which tells
//! how far it is and then what it came to. One load works at a time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use schemas::time::Month;
use web::block::{Block, Cell, Form, Input, Level, Step};
use web::shell::Page;
use web::site::answer::Visit;
use web::site::routes::Fields;

use super::desk::Desk;
use super::fault::Fault;
use super::incoming::{self, Here};
use super::{mapping, named, sign};
use crate::load::{self, LoadError, Request, Summary};

/// How the last load that was begun on a page goes.
#[derive(Clone, Debug)]
pub(super) enum Loading {
    /// Bytes read so far, of how many, of which file.
    Works(Arc<AtomicU64>, u64),
    /// What it came to, and the file's name in `incoming`.
    Done(Box<Summary>, String),
    /// Why nothing was loaded, as the command tells it.
    Failed(String),
}

/// The way of a file from the browser to the position; the place of this page in it.
pub(super) fn course(visit: &Visit, now: usize) -> Block {
    let keys = [
        "upload", "mapping", "load", "reports", "release", "position",
    ];
    let steps = keys.iter().enumerate().map(|(place, key)| Step {
        label: visit.say(&format!("node.course-{key}")),
        done: place < now,
        now: place == now,
    });
    Block::Steps(steps.collect())
}

/// The form that loads a file that was tried.
pub(super) fn form(desk: &Desk, visit: &Visit, (file, mapping): (&str, &str)) -> Block {
    let words = ["no", "yes"].map(|word| (word.to_owned(), visit.say(word)));
    Block::Form(Form {
        method: "post",
        to: "/load".to_owned(),
        inputs: vec![
            Input::hidden("file", file),
            Input::hidden("mapping", mapping),
            sign::choice(visit, "history", "no", words.to_vec()),
        ],
        button: visit.say("node.do-load"),
        token: desk.gate.sessions.token(&visit.cookie),
    })
}

fn set(desk: &Desk, to: Loading) {
    *desk.loading.lock().unwrap_or_else(PoisonError::into_inner) = Some(to);
}

fn last(desk: &Desk) -> Option<Loading> {
    let kept = desk.loading.lock();
    kept.unwrap_or_else(PoisonError::into_inner).clone()
}

/// Begins a load and leads to the page that tells how it goes.
pub(super) async fn begin(desk: Arc<Desk>, fields: Fields) -> Result<String, Fault> {
    let here = match Here::look(&desk)? {
        Ok(here) => here,
        Err(refused) => return Ok(sign::onward("/mapping", Err(refused))),
    };
    let (file, of) = (fields.text("file"), fields.text("mapping"));
    let Some(folder) = here.both((file, of)).cloned() else {
        return Ok(sign::onward("/mapping", Err("no-file")));
    };
    let request = match mapping::request(&desk, &folder, (file, of)).await? {
        Ok(request) => Request {
            history: fields.text("history") == "yes",
            ..request
        },
        Err(why) => {
            set(&desk, Loading::Failed(why));
            return Ok("/load".to_owned());
        }
    };
    let size = folder.open(file).and_then(|file| file.metadata());
    let size = size.map_or(0, |found| found.len());
    let read = Arc::new(AtomicU64::new(0));
    {
        let kept = desk.loading.lock();
        let mut kept = kept.unwrap_or_else(PoisonError::into_inner);
        if matches!(*kept, Some(Loading::Works(..))) {
            return Err(Fault::Often);
        }
        *kept = Some(Loading::Works(Arc::clone(&read), size));
    }
    let file = file.to_owned();
    tokio::spawn(async move {
        let ended = match work(Arc::clone(&desk), request, read).await {
            Ok(summary) => {
                // What could not be removed, and what gave no month, stays on the page with its button.
                if summary.load.is_some() && folder.remove(&file).is_err() {
                    tracing::warn!("a loaded file could not be removed");
                }
                Loading::Done(Box::new(summary), file)
            }
            Err(why) => Loading::Failed(why),
        };
        set(&desk, ended);
    });
    Ok("/load".to_owned())
}

/// The command's own function, on a thread of its own: it reads and writes files.
async fn work(desk: Arc<Desk>, request: Request, read: Arc<AtomicU64>) -> Result<Summary, String> {
    let runtime = tokio::runtime::Handle::current();
    let worked = tokio::task::spawn_blocking(move || {
        let progress = |bytes: u64| read.store(bytes, Ordering::Relaxed);
        let now = desk.clock.now();
        let done = load::load(&desk.state, &desk.config, now, &request, &progress);
        runtime.block_on(done)
    });
    let done = worked.await.map_err(|error| {
        tracing::error!(%error, "a load stopped");
        LoadError::Random.to_string()
    })?;
    done.map_err(|error| error.to_string())
}

/// The page that tells how a load goes.
#[expect(clippy::unused_async, reason = "pages of a site are of one shape")]
pub(super) async fn show(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    let mut page = Page::new(visit.say("node.load-title"), visit.say("node.load-lead"));
    page.above = vec![
        (visit.say("node.way-months"), "/months".to_owned()),
        (visit.say("node.way-mapping"), "/mapping".to_owned()),
    ];
    match last(&desk) {
        None => page.add(
            String::new(),
            vec![course(&visit, 0), Block::Text(visit.say("node.load-none"))],
        ),
        Some(Loading::Works(read, size)) => {
            page.again = true;
            let read = read.load(Ordering::Relaxed).min(size);
            let done = u128::from(read).saturating_mul(100) / u128::from(size.max(1));
            let told = visit.tell("node.load-works", &[("percent", &done.to_string())]);
            let note = Block::Note(Level::Notice, told);
            page.add(String::new(), vec![course(&visit, 2), note]);
        }
        Some(Loading::Failed(why)) => {
            let told = visit.tell("node.load-failed", &[("why", &why)]);
            let note = Block::Note(Level::Alarm, told);
            page.add(String::new(), vec![course(&visit, 1), note]);
        }
        Some(Loading::Done(summary, file)) => {
            done(&desk, &visit, (&summary, &file), &mut page)?;
        }
    }
    Ok(page)
}

/// What was loaded, where its reports are, and that the file is gone.
fn done(
    desk: &Desk,
    visit: &Visit,
    (summary, file): (&Summary, &str),
    page: &mut Page,
) -> Result<(), Fault> {
    let (kept, refused) = (summary.kept.to_string(), summary.refused.to_string());
    let named = [("kept", kept.as_str()), ("refused", refused.as_str())];
    let told = visit.tell("node.load-done", &named);
    let mut blocks = vec![course(visit, 3), Block::Note(Level::Good, told)];
    for warning in &summary.warnings {
        let told = visit.tell("as-told", &[("why", warning)]);
        blocks.push(Block::Note(Level::Warning, told));
    }
    let heads = ["node.month", "grade", "#node.rows", "#node.quarantine-rows"];
    let mut table = visit.table("loaded", "node.load-months", &heads);
    let load = summary.load.as_deref().unwrap_or_default();
    for of in &summary.quality {
        table.rows.push(vec![
            Cell::Link {
                text: of.month.to_string(),
                to: address(load, of.month),
            },
            named::grade(of.grade),
            Cell::Number(of.kept.to_string()),
            Cell::Number(of.refused.to_string()),
        ]);
    }
    blocks.push(Block::Table(table));
    page.add(String::new(), blocks);
    let here = Here::look(desk)?.unwrap_or_default();
    let left = here.sources.iter().any(|name| name == file);
    let key = if left {
        "node.load-remove"
    } else {
        "node.load-removed"
    };
    let mut blocks = vec![Block::Text(visit.say(key))];
    if left {
        blocks.push(incoming::removal(desk, visit, file));
    }
    page.add(visit.say("node.load-file"), blocks);
    Ok(())
}

/// The page of a month of a load.
pub(super) fn address(load: &str, month: Month) -> String {
    format!("/months/{load}/{month}")
}
