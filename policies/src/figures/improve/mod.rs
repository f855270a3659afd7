//! More accurate figures from the same released numbers. Everything here looks at noised numbers,
//! the known variances of their noise and public lists only, so it costs no allowance. An improved
//! figure stands beside the raw one and names its method; money uses raw ones.

mod consistent;
mod shrink;
mod peers;
mod cumulative;

pub use consistent::{Consistent, Part, Table, consistent};
pub use cumulative::anchored;
pub use peers::{Fitted, Mean, Noise, among_groups, among_peers};
pub use shrink::{Seen, Shrunken, Spread, between, shrink};

use serde::{Deserialize, Serialize};

/// How an improved figure was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Weighted least squares over totals, margins and cells: [`consistent()`].
    LeastSquares,
    /// Normal–normal empirical Bayes with Morris's flat prior on the spread: [`shrink()`].
    EmpiricalBayes,
    /// Isotonic cumulative counts that end at the number of stays: [`anchored()`].
    AnchoredCumulative,
}

impl Method {
    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeastSquares => "least_squares",
            Self::EmpiricalBayes => "empirical_bayes",
            Self::AnchoredCumulative => "anchored_cumulative",
        }
    }
}
