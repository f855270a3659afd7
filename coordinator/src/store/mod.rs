//! What the coordinator keeps: state in one database, keys and certificates in files that only their
//! owner reads.

pub mod private;
pub mod state;
pub mod versions;
