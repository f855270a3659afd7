//! The year's budget: rules, split, what noise does to it, capability rating.

mod bounds;
mod check;
mod noise;
mod rating;
mod rules;
mod split;
mod structure;
#[cfg(test)]
mod test;
#[cfg(test)]
mod test_properties;

pub use bounds::{BoundsError, Pinned};
pub use noise::Noise;
pub use rating::{RatingError, rating};
pub use rules::{BudgetRules, DEFAULT, Earmark, Factor, Tier};
pub use split::{BudgetError, BudgetInput, Measured, Member, Part, Plan, plan};
pub use structure::TierGap;
