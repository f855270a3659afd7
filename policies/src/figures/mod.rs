//! From released answers to figures that people read: values in, values out. Whatever is divided
//! or compared as money or as an index is an exact fraction until it is written; intervals,
//! percentiles and dispersions are floats of fixed order of summation, written with declared
//! digits, so that the same inputs give the same bytes everywhere.

mod decimal;
mod noisy;
mod shares;
#[cfg(test)]
mod simulation;
pub mod indices;
pub mod payment;
mod tails;
pub mod interval;
mod total;
pub mod dispersion;
pub mod percentile;
pub mod improve;
pub mod benchmark;
pub mod summed;
pub mod together;
pub mod signals;
pub mod exact;
mod errors;
pub mod decompose;
pub mod points;
pub mod value;
pub mod risk;
pub mod apportion;
pub mod settings;
pub mod budget;
pub mod bonus;
pub mod overspend;
pub mod appraisal;
pub mod alerts;
pub mod watch;
pub mod forecast;

pub use benchmark::{Benchmark, BenchmarkError, Replies, benchmark};
pub use decimal::half_up;
pub use exact::Exact;
pub use summed::{Pooled, pooled};
pub use together::together;
