//! What the node keeps: state in `SQLite` (`state`), the dictionaries it accepted, its loads and
//! months, by which rates they were costed, how far views were read, and de-identified rows in column files (`columns`).

pub mod state;
pub mod versions;
pub mod dictionaries;
pub mod loads;
pub mod marks;
pub mod month_rates;
pub mod columns;
