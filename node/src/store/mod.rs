//! What the node keeps: state in SQLite (`state`), de-identified rows in column files (`columns`).

pub mod state;
