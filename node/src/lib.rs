//! One hospital's node.
pub mod clock;
pub mod store;
pub mod scan;
pub mod noise;
pub mod ledger;
