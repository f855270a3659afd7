//! The alliance's side: membership, dictionary, rounds and what follows from their answers. It
//! holds no row of any hospital; it sees signed, noised answers only.
//!
//! Modules stand in flow order; none names one below it.

pub mod clock;
pub mod config;
pub mod store;
pub mod authority;
pub mod administrators;
pub mod certificates;
pub mod register;
pub mod membership;
pub mod log;
pub mod metrics;
pub mod backup;
pub mod relay;
pub mod dictionary;
pub mod template;
pub mod ask;
pub mod collect;
pub mod merge;
pub mod pooled;
pub mod report;
pub mod year;
pub mod audit;
pub mod accounts;
pub mod pages;
pub mod insurer;
pub mod api;
pub mod telemetry;
pub mod cli;
