//! What every page of the two binaries shares: the shell, the words in both languages, tables with
//! their CSV and XLSX forms, charts, one style sheet, the scripts. It knows no state, no network and no clock.
//!
//! Modules stand in flow order; none names one below it.

pub mod language;
pub mod number;
pub mod block;
pub mod chart;
pub mod download;
pub mod sheet;
pub mod style;
pub mod script;
pub mod shell;
