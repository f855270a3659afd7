//! All pages: method, path, who may, what answers. The router is made of this table and of nothing else.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
pub use web::site::routes::Who;
pub(super) use web::site::routes::{Places, page};
use web::site::routes::{Route as Of, form, route};

use super::desk::Desk;
use super::{
    accounts, benchmark, cockpit, compose, live, log, pooled, round, rounds, sign_in, year,
};
use crate::accounts::Role;

/// A page, or what a form is sent to.
pub type Route = Of<Desk>;

const BOTH: Who = Who::Roles(&[Role::Administrator, Role::Auditor]);
const ADMINISTRATOR: Who = Who::Roles(&[Role::Administrator]);

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
    route("POST", "/years/{year}/say", ADMINISTRATOR, || {
        form(year::say)
    }),
    route("GET", "/years/{year}/propose", ADMINISTRATOR, || {
        page(year::proposal)
    }),
    route("POST", "/years/{year}/propose", ADMINISTRATOR, || {
        form(year::propose)
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

/// The pages' router.
pub fn router(desk: &Arc<Desk>) -> Router {
    web::site::routes::router(desk, ROUTES)
}
