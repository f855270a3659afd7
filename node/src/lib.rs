//! A hospital's node: loads settlements, de-identifies them, and answers aggregate questions.
//!
//! Modules stand in the order in which data flow; none names one below it.

pub mod clock;
pub mod store;
pub mod scan;
pub mod noise;
pub mod ledger;
pub mod enrol;
pub mod link;
pub mod synth;
pub mod cli;
