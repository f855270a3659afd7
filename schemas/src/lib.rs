//! What is said in an alliance: every value that crosses a process boundary, and the one way
//! each becomes bytes, digest and signature.
//!
//! Modules stand in the order in which they build on each other; none names one below it.

pub mod digest;
pub mod canonical;
pub mod written;
pub mod shown;
pub mod panics;
pub mod id;
pub mod time;
pub mod money;
pub mod loss;
pub mod dataset;
pub mod dictionary;
pub mod question;
pub mod seal;
pub mod answer;
pub mod outcome;
pub mod enrolment;
pub mod request;
pub mod round;
pub mod officer;
pub mod unique;
pub mod year;
pub mod entry;
pub mod witness;
pub mod problem;
pub mod finding;
pub mod catalogue;
