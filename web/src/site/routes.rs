//! A site's pages as a table: method, path, who may, what answers. A router is made of such a table and of
//! nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawPathParams, State};
use axum::http::header;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};
use schemas::id::Slug;
use schemas::officer::Role;

use super::Site;
use super::answer::{self, Visit};
use super::door::{self, Filled};
use super::fault::Fault;
use crate::script;
use crate::shell::Page;
use crate::style;

/// Who may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// Whoever asks.
    Everyone,
    /// Who is signed in with one of these roles.
    Roles(&'static [Role]),
}

/// A page, or what a form is sent to.
#[derive(Debug)]
pub struct Route<S: 'static> {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path, with `{names}`.
    pub path: &'static str,
    /// Who may.
    pub who: Who,
    /// Makes what answers.
    pub make: fn() -> MethodRouter<Arc<S>>,
    /// Whether it takes files, which [`super::upload`] reads as they come.
    pub takes_files: bool,
}

/// A line of a table of routes.
pub const fn route<S: Site>(
    method: &'static str,
    path: &'static str,
    who: Who,
    make: fn() -> MethodRouter<Arc<S>>,
) -> Route<S> {
    Route {
        method,
        path,
        who,
        make,
        takes_files: false,
    }
}

/// A line of a table of routes: a form with files, made by [`super::upload::upload`].
pub const fn files<S: Site>(
    path: &'static str,
    who: Who,
    make: fn() -> MethodRouter<Arc<S>>,
) -> Route<S> {
    Route {
        takes_files: true,
        ..route("POST", path, who, make)
    }
}

/// Longest that a page may take.
const LONGEST: Duration = Duration::from_mins(1);
/// Longest that files may take to arrive.
const LONGEST_FILE: Duration = Duration::from_mins(15);

/// What stood in the path.
#[derive(Clone, Debug)]
pub struct Places(Vec<(String, String)>);

impl Places {
    /// As the router found it.
    pub fn of(params: &RawPathParams) -> Self {
        Self(
            params
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    /// A place as it stands there.
    pub fn text(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value)
    }

    /// A name in the path.
    pub fn name(&self, name: &str) -> Result<Slug, Fault> {
        self.text(name).parse().map_err(|_| Fault::Missing)
    }

    /// A year in the path.
    pub fn year(&self) -> Result<u16, Fault> {
        let text = self.text("year");
        let year = text
            .parse()
            .ok()
            .filter(|year| (2000..2200).contains(year) && text.len() == 4);
        year.ok_or(Fault::Missing)
    }
}

/// What stood in a form.
#[derive(Clone, Debug, Default)]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    /// A field; empty where it was not given.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// A field that is a name.
    pub fn name(&self, name: &str) -> Result<Slug, Fault> {
        self.text(name).parse().map_err(|_| Fault::Form)
    }
}

/// A page that is read.
pub fn page<S, F, R>(show: F) -> MethodRouter<Arc<S>>
where
    S: Site,
    F: Fn(Arc<S>, Visit, Places) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<Page, Fault>> + Send,
{
    get(
        async move |State(desk): State<Arc<S>>,
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

/// What a form is sent to: acts, then leads on to the address that it gives.
pub fn form<S, F, R>(act: F) -> MethodRouter<Arc<S>>
where
    S: Site,
    F: Fn(Arc<S>, Visit, Places, Fields) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<String, Fault>> + Send,
{
    post(
        async move |State(desk): State<Arc<S>>,
                    Extension(visit): Extension<Visit>,
                    Extension(Filled(fields)): Extension<Filled>,
                    params: RawPathParams| {
            let places = Places::of(&params);
            match act(Arc::clone(&desk), visit.clone(), places, Fields(fields)).await {
                Ok(to) => Redirect::to(&to).into_response(),
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

async fn bounded(
    State(longest): State<Duration>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    match tokio::time::timeout(longest, next.run(request)).await {
        Ok(response) => response,
        Err(_) => axum::http::StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// The router of a site.
pub fn router<S: Site>(desk: &Arc<S>, routes: &[Route<S>]) -> Router {
    let mut router = Router::new();
    for route in routes {
        let door = door::Door {
            who: route.who,
            takes_files: route.takes_files,
        };
        let guard = from_fn_with_state((Arc::clone(desk), door), door::guard::<S>);
        let longest = if route.takes_files {
            LONGEST_FILE
        } else {
            LONGEST
        };
        let made = (route.make)().route_layer(guard);
        let made = made.route_layer(from_fn_with_state(longest, bounded));
        router = router.route(route.path, made);
    }
    if let Some(address) = script::charts() {
        router = router.route(address, get(charts));
    }
    router
        // What nobody needs to be signed in for and is no page.
        .route(style::address(), get(sheet))
        .route(script::helps(), get(helps))
        .fallback(door::nowhere::<S>)
        .layer(from_fn(door::headers))
        .with_state(Arc::clone(desk))
}
