//! A hospital's node: it loads and de-identifies the hospital's own data and answers aggregate
//! questions about it.
//!
//! Modules stand in the order in which data flows; none names one below it.

pub mod clock;
pub mod config;
pub mod incoming;
pub mod store;
pub mod log;
pub mod ingest;
pub mod engine;
pub mod check;
pub mod deidentify;
pub mod load;
pub mod commit;
pub mod costing;
pub mod scan;
pub mod noise;
pub mod ledger;
pub mod snapshot;
pub mod access;
pub mod crosswalks;
pub mod quality;
pub mod lifecycle;
pub mod release;
pub mod retention;
pub mod backup;
pub mod early;
pub mod steward;
pub mod audit;
pub mod answer;
pub mod pooled;
pub mod accounts;
pub mod pages;
pub mod enrol;
pub mod metrics;
pub mod link;
pub mod telemetry;
pub mod synth;
pub mod cli;
