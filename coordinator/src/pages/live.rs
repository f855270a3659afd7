//! Progress as it happens: an open round's page is told that something changed, never what; it reads
//! itself again then. A stream ends with its round or after ten minutes, so that nobody stays signed in by
//! a page left open.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{RawPathParams, State};
use axum::http::header;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use schemas::id::Slug;
use schemas::round::State as RoundState;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::answer::{self, Visit};
use super::desk::Desk;
use super::fault::Fault;
use super::routes::Places;
use crate::ask;
use crate::collect;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// Most looks of a stream.
const LOOKS: u32 = 600;

/// What a page shows of a round, to be compared: nothing once it has ended.
async fn standing(desk: &Desk, id: &Slug) -> Result<Option<String>, Fault> {
    let held = ask::find(&desk.store, &desk.authority, id).await?;
    if held.state != RoundState::Open {
        return Ok(None);
    }
    let of = collect::progress(&desk.store, &held, desk.clock.now()).await?;
    let places = of.hospitals.values().map(|one| one.standing);
    Ok(Some(format!("{:?}", places.collect::<Vec<_>>())))
}

/// A word to the page. Browsers pass over events without data.
fn word(event: &str) -> Event {
    Event::default().event(event).data("1")
}

/// Tells of changes until there are none to come.
async fn tell(desk: Arc<Desk>, id: Slug, mut last: String, to: mpsc::Sender<Event>) {
    for _ in 0..LOOKS {
        tokio::time::sleep(LOOK).await;
        if to.is_closed() {
            return;
        }
        match standing(&desk, &id).await {
            Ok(Some(now)) if now == last => {}
            Ok(Some(now)) => {
                last = now;
                // Whoever left needs no word.
                if to.send(word("changed")).await.is_err() {
                    return;
                }
            }
            Ok(None) | Err(_) => break,
        }
    }
    drop(to.send(word("end")).await);
}

/// The stream of a round.
pub(super) async fn round(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Visit>,
    params: RawPathParams,
) -> Response {
    let begun = async {
        let id = Places::of(&params).name("id")?;
        let first = standing(&desk, &id).await?.unwrap_or_default();
        let place = Arc::clone(&desk.streams).try_acquire_owned();
        let place = place.map_err(|_| Fault::Often)?;
        let (to, from) = mpsc::channel(2);
        let desk = Arc::clone(&desk);
        tokio::spawn(async move {
            tell(desk, id, first, to).await;
            drop(place);
        });
        let events = tokio_stream::StreamExt::map(ReceiverStream::new(from), Ok::<_, Infallible>);
        Ok(Sse::new(events).keep_alive(KeepAlive::default()))
    };
    match begun.await {
        Ok(stream) => ([(header::CACHE_CONTROL, "no-store")], stream).into_response(),
        Err(fault) => answer::failed(&desk, &visit, &fault),
    }
}
