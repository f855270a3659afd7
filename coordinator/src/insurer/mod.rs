//! The insurer's own pages, on the insurer's machine: audits and how far they are, what was found, signals,
//! evidence packs. They read the folders of audits; nothing of them reaches the alliance's coordinator but
//! what `audit exchange` carries.

mod accounts;
mod desk;
mod words;
mod list;
mod audit;
mod begin;
mod act;
mod tar;
mod signals;
mod routes;

pub use accounts::{all, remove, set};
pub use desk::Desk;
pub use routes::{ROUTES, Route, router};
