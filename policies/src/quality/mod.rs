//! Data quality inside one hospital: rules as data, findings, four scores and a grade for each dataset and
//! month. Pure and exact. A finding says how many rows of which department and case group break which rule,
//! never whose and never a value. Nothing of it leaves a hospital but the grade of a release.

mod examine;
mod matched;
mod report;
mod rules;
mod spread;
mod table;
#[cfg(test)]
mod test;
#[cfg(test)]
mod test_matched;

pub use examine::{Examined, examine};
pub use matched::{Line, Matched, matched};
pub use report::{Finding, Known, Report, Scores, State, report, settle};
pub use rules::{Aspect, Check, DEFAULT, QualityRules, Rule};
pub use table::{Coverage, Table};

/// The dataset of settled stays.
pub const STAYS: &str = "stays";
/// The dataset of consumables used in surgery.
pub const CONSUMABLES: &str = "consumables";
