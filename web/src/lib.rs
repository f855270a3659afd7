//! What every page of the two binaries shares: the shell, the words in both languages, tables with
//! their CSV and XLSX forms, charts, one style sheet, the scripts, and
//! the door of a site: sign-in, sessions, forms and headers. Time, accounts and what is shown are the
//! site's own.
//!
//! Modules stand in flow order; none names one below it.

pub mod language;
pub mod number;
pub mod form;
pub mod block;
pub mod chart;
pub mod decline;
pub mod download;
pub mod sheet;
pub mod style;
pub mod script;
pub mod shell;
pub mod site;
