//! The two listeners: one for members (mutual TLS), one for joining and health.

mod addresses;
mod audit;
mod described;
mod fault;
mod gate;
mod inside;
mod join;
mod listen;
mod member;
mod moment;
mod pooled;
mod renew;
mod rounds;
mod signed;
mod tls;
mod waiting;
mod watch;
mod witness;
mod years;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use tokio_util::sync::CancellationToken;

use crate::authority::Authority;
use crate::clock::Clock;
use crate::config::Config;
use crate::metrics;
use crate::store::state::State as Store;

pub use fault::Fault;
pub use inside::{Inside, Said};
pub use listen::{Listeners, ServeError};
pub use moment::accept_clock;
pub use watch::WatchError;

/// Largest body that is read.
const MOST_BODY: usize = 16 * 1024 * 1024;

/// What-ifs that are computed at one time; more are told to come back.
const WHAT_IFS: usize = 2;

/// Everything that a request may need.
#[derive(Debug)]
pub struct App {
    config: Config,
    store: Store,
    authority: Arc<Authority>,
    clock: Clock,
    /// Length of the log, so that long polls wake up when anything changes.
    changed: tokio::sync::watch::Sender<i64>,
    /// Rises when there are new checkpoints or cosignatures, so that nodes come for them.
    witnessing: tokio::sync::watch::Sender<u64>,
    /// Whether there are some that `witnessing` does not tell yet: it rises once a second at most,
    /// because every node comes each time.
    news: AtomicBool,
    /// What was said to members that asked what waits for them in pooled rounds.
    waiting: waiting::Waiting,
    refused: join::Refused,
    /// Turns of signed requests, one at a time for each id.
    turns: [tokio::sync::Mutex<()>; 16],
    /// Turns of what-ifs: each may keep a core busy for seconds.
    computing: Arc<tokio::sync::Semaphore>,
    /// The clock runs behind the highest time seen.
    behind: AtomicBool,
    stop: CancellationToken,
}

impl App {
    /// Puts the parts together. `stop` ends the service.
    pub fn new(
        config: Config,
        store: Store,
        authority: Authority,
        clock: Clock,
        stop: CancellationToken,
    ) -> Arc<Self> {
        Arc::new(Self {
            refused: join::Refused::new(config.limits.refused_joins),
            config,
            store,
            authority: Arc::new(authority),
            clock,
            changed: tokio::sync::watch::Sender::new(0),
            witnessing: tokio::sync::watch::Sender::new(0),
            news: AtomicBool::new(false),
            waiting: waiting::Waiting::default(),
            turns: std::array::from_fn(|_| tokio::sync::Mutex::default()),
            computing: Arc::new(tokio::sync::Semaphore::new(WHAT_IFS)),
            behind: AtomicBool::new(false),
            stop,
        })
    }

    /// The turn of a message id, by its first digit.
    fn turn(&self, id: &str) -> &tokio::sync::Mutex<()> {
        let [first, others @ ..] = &self.turns;
        let digit = id.chars().next().and_then(|digit| digit.to_digit(16));
        let place = usize::try_from(digit.unwrap_or(0)).unwrap_or(0);
        place
            .checked_sub(1)
            .and_then(|at| others.get(at))
            .unwrap_or(first)
    }
}

/// What members reach: every handler takes a [`crate::register::Member`].
fn member_routes(app: &Arc<App>) -> Router {
    let small = || DefaultBodyLimit::max(512 * 1024);
    let stamp = middleware::map_response_with_state(Arc::clone(app), moment::stamp);
    let router = Router::new()
        .route("/v1/dictionary", get(rounds::dictionary))
        .route("/v1/rounds", get(rounds::pending))
        .route("/v1/rounds/{id}/progress", get(rounds::progress))
        // What is sent here is small, and signed in itself: checkpoints and cosignatures.
        .route("/v1/log/exchange", post(witness::exchange).layer(small()))
        .route("/v1/log/add-checkpoint", post(witness::add_checkpoint).layer(small()))
        .route("/v1/log/cosign", post(witness::cosign).layer(small()))
        .merge(audit::routes())
        .merge(pooled::routes())
        .merge(years::routes())
        .merge(signed_routes(app))
        .layer(stamp);
    finish(router, app)
}

/// What changes something: each request is signed by the member's message key, and taken once.
fn signed_routes(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/v1/rounds/{id}/reply", post(rounds::reply))
        .route("/v1/renew", post(renew::renew))
        .merge(audit::signed_routes())
        .merge(pooled::signed_routes())
        .merge(years::signed_routes())
        .route_layer(middleware::from_fn_with_state(
            Arc::clone(app),
            signed::once,
        ))
}

/// What everyone reaches.
fn public_routes(app: &Arc<App>) -> Router {
    let router = Router::new()
        // A join request is small; strangers may not make the coordinator hold more.
        .route("/v1/join", post(join::join).layer(DefaultBodyLimit::max(64 * 1024)))
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/v1/openapi.json", get(described::document));
    finish(router, app)
}

fn finish(router: Router<Arc<App>>, app: &Arc<App>) -> Router {
    let limit = Duration::from_secs(u64::from(app.config.limits.request_seconds));
    router
        .fallback(async || Fault::new("no-such-path", 404, "no such path", ""))
        .method_not_allowed_fallback(async || {
            Fault::new("no-such-method", 405, "no such method on this path", "")
        })
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .layer(middleware::from_fn(move |request, next| {
            guard(limit, request, next)
        }))
        .with_state(Arc::clone(app))
}

/// Refuses compressed bodies (they hide their size) and ends what takes too long.
async fn guard(limit: Duration, request: Request, next: Next) -> Response {
    if request.headers().contains_key("content-encoding") {
        return Fault::new("encoded", 415, "send the body without content encoding", "")
            .into_response();
    }
    // What says that it is too long is not waited for.
    let length = request.headers().get("content-length");
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > u64::try_from(MOST_BODY).unwrap_or(u64::MAX)) {
        metrics::count(413);
        return Fault::new("too-long", 413, "the body is too long", "").into_response();
    }
    let response = match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Fault::new("too-slow", 408, "the request took too long", "").into_response(),
    };
    metrics::count(response.status().as_u16());
    response
}

/// The process runs.
async fn health() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// The state file answers.
async fn ready(State(app): State<Arc<App>>) -> Result<StatusCode, Fault> {
    app.store.log_length().await?;
    Ok(StatusCode::NO_CONTENT)
}
