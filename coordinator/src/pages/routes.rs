//! All pages: method, path, who may, what answers. The router is made of this table and of nothing else.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawPathParams, State};
use axum::http::header;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};
use schemas::id::Slug;
use web::shell::Page;
use web::{script, style};

use super::answer::{self, Visit};
use super::desk::Desk;
use super::fault::Fault;
use super::{
    accounts, benchmark, cockpit, compose, door, live, log, pooled, round, rounds, sign_in, year,
};
use crate::accounts::Role;

/// Who may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// Whoever asks.
    Everyone,
    /// Who is signed in with one of these roles.
    Roles(&'static [Role]),
}

/// A page, or what a form is sent to.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path, with `{names}`.
    pub path: &'static str,
    /// Who may.
    pub who: Who,
    make: fn() -> MethodRouter<Arc<Desk>>,
}

const BOTH: Who = Who::Roles(&[Role::Administrator, Role::Auditor]);
const ADMINISTRATOR: Who = Who::Roles(&[Role::Administrator]);

const fn route(
    method: &'static str,
    path: &'static str,
    who: Who,
    make: fn() -> MethodRouter<Arc<Desk>>,
) -> Route {
    Route {
        method,
        path,
        who,
        make,
    }
}

/// All of them.
pub const ROUTES: &[Route] = &[
    route("GET", "/sign-in", Who::Everyone, || {
        page(|desk, visit, _| std::future::ready(Ok(sign_in::show(&desk, &visit))))
    }),
    route("POST", "/sign-in", Who::Everyone, || post(sign_in::enter)),
    route("POST", "/sign-out", BOTH, || post(sign_in::leave)),
    route("GET", "/", BOTH, || {
        page(|desk, visit, _| cockpit::show(desk, visit))
    }),
    route("GET", "/rounds", BOTH, || {
        page(|desk, visit, _| rounds::show(desk, visit))
    }),
    route("GET", "/rounds/new", ADMINISTRATOR, || {
        page(|desk, visit, _| compose::show(desk, visit))
    }),
    route("POST", "/rounds/new", ADMINISTRATOR, || post(compose::open)),
    route("GET", "/rounds/{id}", BOTH, || page(round::show)),
    route("GET", "/rounds/{id}/live", BOTH, || get(live::round)),
    route("GET", "/rounds/{id}/benchmark", BOTH, || {
        page(benchmark::show)
    }),
    route("GET", "/pooled/{id}", BOTH, || page(pooled::show)),
    route("GET", "/years", BOTH, || {
        page(|desk, visit, _| year::list(desk, visit))
    }),
    route("GET", "/years/{year}", BOTH, || page(year::show)),
    route("GET", "/years/{year}/plan", BOTH, || page(year::plan)),
    route("GET", "/years/{year}/workbench", BOTH, || {
        page(year::workbench)
    }),
    route("GET", "/years/{year}/execution", BOTH, || {
        page(year::execution)
    }),
    route("GET", "/years/{year}/settlement", BOTH, || {
        page(year::settlement)
    }),
    route("GET", "/years/{year}/bonus", BOTH, || page(year::bonus)),
    route("GET", "/years/{year}/appraisal", BOTH, || {
        page(year::appraisal)
    }),
    route("GET", "/years/{year}/letter", BOTH, || get(year::letter)),
    route("GET", "/log", BOTH, || {
        page(|desk, visit, _| log::show(desk, visit))
    }),
    route("POST", "/log/verify", BOTH, || post(log::verify)),
    route("GET", "/accounts", ADMINISTRATOR, || {
        page(|desk, visit, _| accounts::show(desk, visit))
    }),
];

/// Longest that a page may take.
const LONGEST: Duration = Duration::from_mins(1);

/// What stood in the path.
#[derive(Clone, Debug)]
pub(super) struct Places(Vec<(String, String)>);

impl Places {
    pub(super) fn of(params: &RawPathParams) -> Self {
        Self(
            params
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    /// A place as it stands there.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value)
    }

    /// A name in the path.
    pub(super) fn name(&self, name: &str) -> Result<Slug, Fault> {
        self.text(name).parse().map_err(|_| Fault::Missing)
    }

    /// A year in the path.
    pub(super) fn year(&self) -> Result<u16, Fault> {
        let text = self.text("year");
        let year = text
            .parse()
            .ok()
            .filter(|year| (2000..2200).contains(year) && text.len() == 4);
        year.ok_or(Fault::Missing)
    }
}

/// A page that is read.
fn page<F, R>(show: F) -> MethodRouter<Arc<Desk>>
where
    F: Fn(Arc<Desk>, Visit, Places) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<Page, Fault>> + Send,
{
    get(
        async move |State(desk): State<Arc<Desk>>,
                    Extension(visit): Extension<Visit>,
                    params: RawPathParams| {
            let made = show(Arc::clone(&desk), visit.clone(), Places::of(&params)).await;
            match made.and_then(|page| answer::send(&desk, &visit, &page)) {
                Ok(response) => response,
                Err(fault) => answer::failed(&desk, &visit, &fault),
            }
        },
    )
}

async fn sheet() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, style::STYLE).into_response()
}

async fn charts() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::CONTENT_ENCODING, "gzip"),
    ];
    (headers, script::CHARTS).into_response()
}

async fn helps() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, script::HELPS).into_response()
}

async fn bounded(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    match tokio::time::timeout(LONGEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => axum::http::StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// The pages' router.
pub fn router(desk: &Arc<Desk>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let guard = from_fn_with_state((Arc::clone(desk), route.who), door::guard);
        router = router.route(route.path, (route.make)().route_layer(guard));
    }
    if let Some(address) = script::charts() {
        router = router.route(address, get(charts));
    }
    router
        // What nobody needs to be signed in for and is no page.
        .route(style::address(), get(sheet))
        .route(script::helps(), get(helps))
        .fallback(door::nowhere)
        .layer(from_fn(bounded))
        .layer(from_fn(door::headers))
        .with_state(Arc::clone(desk))
}
