//! Whole rounds in memory, what every party refuses, and vectors by an independent script.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first fault"
)]

mod families;
mod fixture;
mod hostile;
mod lists;
mod manifests;
mod members;
mod model;
mod receipts;
mod rounds;
mod vectors;
