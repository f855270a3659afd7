//! stub
pub mod report;
