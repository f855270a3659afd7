//! All pages of the hospital: method, path, who may, what answers. The router is made of this table and of
//! nothing else.

use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use web::site::routes::{Route as Of, Who, files, form, page, route};
use web::site::sign_in;
use web::site::upload::upload;

use super::decide::Word;
use super::desk::{ALL, COSTS, Desk, FIGURES, LOADERS, OFFICERS, READERS, STEWARD};
use super::{
    costs, decide, examine, inbox, incoming, ledger, letter, load, log, mapping, months, openings,
    overview, position, reports, standing, warnings,
};

/// A page, or what a form is sent to.
pub type Route = Of<Desk>;

/// All of them.
pub const ROUTES: &[Route] = &[
    route("GET", "/sign-in", Who::Everyone, || {
        page(|desk, visit, _| std::future::ready(Ok(sign_in::show(&desk, &visit))))
    }),
    route("POST", "/sign-in", Who::Everyone, || {
        post(sign_in::enter::<Desk>)
    }),
    route("POST", "/sign-out", Who::Roles(ALL), || {
        post(sign_in::leave::<Desk>)
    }),
    route("GET", "/", Who::Roles(ALL), || {
        page(|desk, visit, _| overview::show(desk, visit))
    }),
    route("GET", "/position", Who::Roles(FIGURES), || {
        page(|desk, visit, _| position::show(desk, visit))
    }),
    route("GET", "/months", Who::Roles(ALL), || {
        page(|desk, visit, _| months::show(desk, visit))
    }),
    route("GET", "/months/{load}/{month}", Who::Roles(ALL), || {
        page(reports::show)
    }),
    route("POST", "/months/step", Who::Roles(STEWARD), || {
        form(|desk, visit, _, fields| months::step((desk, visit), fields))
    }),
    route("GET", "/mapping", Who::Roles(LOADERS), || {
        page(|desk, visit, _| mapping::show(desk, visit))
    }),
    files("/incoming", Who::Roles(LOADERS), || {
        upload(|desk, visit, _, sent| incoming::bring((desk, visit), sent))
    }),
    route("POST", "/incoming/remove", Who::Roles(LOADERS), || {
        form(|desk, visit, _, fields| incoming::remove((desk, visit), fields))
    }),
    route("GET", "/load", Who::Roles(LOADERS), || {
        page(|desk, visit, _| load::show(desk, visit))
    }),
    route("POST", "/load", Who::Roles(LOADERS), || {
        form(|desk, _, _, fields| load::begin(desk, fields))
    }),
    route("POST", "/months/examine", Who::Roles(LOADERS), || {
        form(|desk, _, _, fields| examine::run(desk, fields))
    }),
    route("GET", "/inbox", Who::Roles(OFFICERS), || {
        page(|desk, visit, _| inbox::show(desk, visit))
    }),
    route("GET", "/inbox/{round}", Who::Roles(OFFICERS), || {
        page(letter::show)
    }),
    route(
        "POST",
        "/inbox/{round}/approve",
        Who::Roles(STEWARD),
        || {
            form(|desk, visit, places, fields| {
                decide::round(Word::Approve, (desk, visit), places, fields)
            })
        },
    ),
    route("POST", "/inbox/{round}/refuse", Who::Roles(STEWARD), || {
        form(|desk, visit, places, fields| {
            decide::round(Word::Refuse, (desk, visit), places, fields)
        })
    }),
    route("POST", "/inbox/{round}/hold", Who::Roles(STEWARD), || {
        form(|desk, visit, places, fields| decide::round(Word::Hold, (desk, visit), places, fields))
    }),
    route(
        "POST",
        "/inbox/{round}/release",
        Who::Roles(STEWARD),
        || {
            form(|desk, visit, places, fields| {
                decide::round(Word::Release, (desk, visit), places, fields)
            })
        },
    ),
    route("POST", "/lock", Who::Roles(STEWARD), || {
        form(|desk, visit, _, fields| decide::lock(true, (desk, visit), fields))
    }),
    route("POST", "/unlock", Who::Roles(STEWARD), || {
        form(|desk, visit, _, fields| decide::lock(false, (desk, visit), fields))
    }),
    route("GET", "/standing", Who::Roles(OFFICERS), || {
        page(|desk, visit, _| standing::show(desk, visit))
    }),
    route("POST", "/standing/add", Who::Roles(STEWARD), || {
        form(|desk, visit, _, fields| standing::add((desk, visit), fields))
    }),
    route("POST", "/standing/remove", Who::Roles(STEWARD), || {
        form(|desk, visit, _, fields| standing::remove((desk, visit), fields))
    }),
    route("GET", "/openings", Who::Roles(OFFICERS), || {
        page(|desk, visit, _| openings::show(desk, visit))
    }),
    route(
        "POST",
        "/openings/{request}/approve",
        Who::Roles(OFFICERS),
        || {
            form(|desk, visit, places, fields| {
                openings::decide(true, (desk, visit), places, fields)
            })
        },
    ),
    route(
        "POST",
        "/openings/{request}/refuse",
        Who::Roles(OFFICERS),
        || {
            form(|desk, visit, places, fields| {
                openings::decide(false, (desk, visit), places, fields)
            })
        },
    ),
    route("GET", "/ledger", Who::Roles(ALL), || {
        page(|desk, visit, _| ledger::show(desk, visit))
    }),
    route("GET", "/costs", Who::Roles(COSTS), || {
        page(|desk, visit, _| costs::list(desk, visit))
    }),
    route("GET", "/costs/{month}", Who::Roles(COSTS), || {
        page(costs::month)
    }),
    route(
        "GET",
        "/costs/{month}/{department}",
        Who::Roles(COSTS),
        || page(costs::trace),
    ),
    route("GET", "/warnings", Who::Roles(COSTS), || {
        page(|desk, visit, _| warnings::show(desk, visit))
    }),
    route("GET", "/log", Who::Roles(READERS), || {
        page(|desk, visit, _| log::show(desk, visit))
    }),
    route("POST", "/log/verify", Who::Roles(READERS), || {
        post(log::verify)
    }),
];

/// The pages' router.
pub fn router(desk: &Arc<Desk>) -> Router {
    web::site::routes::router(desk, ROUTES)
}
