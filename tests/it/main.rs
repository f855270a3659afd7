//! One binary for all integration tests.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod architecture;
mod scan;
mod dp_audit;
mod ledger;
mod link;
mod dictionary;
