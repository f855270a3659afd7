//! The hospital's own pages, on its own machine: what its people see and decide in a browser. Everything
//! shown is read from the state that the commands show, and every decision is the command's own. Nothing of
//! these pages leaves the hospital.

mod fault;
mod desk;
mod sign;
mod named;
mod overview;
mod own;
mod compared;
mod position;
mod months;
mod reports;
mod mapping;
mod incoming;
mod load;
mod examine;
mod inbox;
mod letter;
mod decide;
mod standing;
mod openings;
mod charges;
mod ledger;
mod costs;
mod warnings;
mod log;
mod routes;

pub use desk::Desk;
pub use routes::{ROUTES, Route, router};
