//! What is allowed, and how figures follow: pure functions without clock or I/O. Coordinator,
//! nodes and members compute with the same code, so that everyone gets the same result from the
//! same signed inputs (rule CALC-1).

pub mod template;
pub mod pooling;
pub mod rules;
pub mod plan;
pub mod disclosure;
pub mod access;
pub mod figures;
pub mod costing;
pub mod quality;
pub mod early;
pub mod year;
