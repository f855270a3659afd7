//! The year's budget: rules, split, what noise does to it, capability rating, demand, control figures.

mod bounds;
mod boxed;
mod check;
mod control;
mod derived;
mod error;
mod noise;
mod rating;
mod revised;
mod rules;
mod split;
mod structure;
#[cfg(test)]
mod test;
#[cfg(test)]
mod test_derived;
#[cfg(test)]
mod test_properties;
#[cfg(test)]
mod test_revised;

pub use bounds::{BoundsError, Pinned};
pub use control::{Control, GroupLevel};
pub use derived::{DEMAND, RATED};
pub use error::BudgetError;
pub use noise::Noise;
pub use rating::{RatingError, rating};
pub use revised::{Given, Revised, Revision};
pub use rules::{BudgetRules, DEFAULT, Earmark, Factor, Scale, Tier};
pub use split::{BudgetInput, Measured, Member, Part, Plan, plan};
pub use structure::TierGap;
