//! All pages of the insurer: method, path, who may, what answers. The router is made of this table and of
//! nothing else.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use web::site::routes::{Route as Of, Who, files, form, page, route};
use web::site::sign_in;
use web::site::upload::upload;

use super::desk::{AUDITOR, Desk};
use super::{act, audit, begin, list, signals};

/// A page, or what a form is sent to.
pub type Route = Of<Desk>;

const WHO: Who = Who::Roles(AUDITOR);

/// All of them.
pub const ROUTES: &[Route] = &[
    route("GET", "/sign-in", Who::Everyone, || {
        page(|desk, visit, _| std::future::ready(Ok(sign_in::show(&desk, &visit))))
    }),
    route("POST", "/sign-in", Who::Everyone, || {
        post(sign_in::enter::<Desk>)
    }),
    route("POST", "/sign-out", WHO, || post(sign_in::leave::<Desk>)),
    route("GET", "/", WHO, || {
        page(|desk, visit, _| list::show(desk, visit))
    }),
    route("GET", "/begin", WHO, || {
        page(|desk, visit, _| begin::show(desk, visit))
    }),
    route("POST", "/begin", WHO, || {
        form(|desk, _, _, fields| begin::begin(desk, fields))
    }),
    files("/audits/{audit}/prepare", WHO, || {
        upload(|desk, _, places, sent| begin::prepare((desk, places), sent))
    }),
    route("GET", "/audits/{audit}", WHO, || page(audit::show)),
    route("POST", "/audits/{audit}/step", WHO, || form(act::step)),
    route("GET", "/audits/{audit}/pack", WHO, || get(act::pack)),
    route("GET", "/signals", WHO, || {
        page(|desk, visit, _| signals::show(desk, visit))
    }),
];

/// The pages' router.
pub fn router(desk: &Arc<Desk>) -> Router {
    web::site::routes::router(desk, ROUTES)
}
