//! One binary for all integration tests.

mod hospital;
mod attacks;
mod neighbours;
mod amounts;
mod hub;
mod hostile;
mod steward;
mod planted;
mod pooled;
mod snapshots;
mod malformed;
mod architecture;
mod audit;
mod scan;
mod dp_audit;
mod ledger;
mod killed;
mod log;
mod link;
mod signals;
mod simulated;
mod benchmark;
mod dictionary;
mod coverage;
mod sparcs;
mod told;
