//! One binary for all integration tests.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    reason = "a test fails by panicking, makes data up and prints its figures"
)]

mod hospital;
mod attacks;
mod neighbours;
mod amounts;
mod hub;
mod hostile;
mod planted;
mod malformed;
mod architecture;
mod scan;
mod dp_audit;
mod ledger;
mod link;
mod simulated;
mod benchmark;
