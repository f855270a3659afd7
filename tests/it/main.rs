//! One binary for all integration tests.

mod architecture;
mod scan;
mod dp_audit;
mod ledger;
mod link;
mod simulated;
mod benchmark;
mod dictionary;
mod coverage;
mod sparcs;
