//! The alliance's pages: what administrators and auditors see in a browser. Everything is read from the
//! state that the commands show; nothing is decided here.

mod fault;
mod desk;
mod words;
mod cockpit;
mod allowance;
mod rounds;
mod round;
mod preview;
mod compose;
mod live;
mod pooled;
mod groups;
mod charts;
mod benchmark;
mod year;
mod log;
mod accounts;
mod routes;

pub use desk::Desk;
pub use routes::{ROUTES, Route, Who, router};
pub use web::site::From;
pub use web::site::session::NoRandom;
use web::site::{answer, sign_in};
