//! Surplus and bonus: contribution scores, payments, the pool, Shapley values.

mod payout;
mod rules;
mod score;
pub mod shapley;
#[cfg(test)]
mod test;
#[cfg(test)]
mod test_gates;
#[cfg(test)]
mod test_properties;

pub use payout::{Bonus, BonusError, BonusInput, Pooled, bonus};
pub use rules::{BonusRules, DEFAULT, Dimension, Gaming, Pool};
pub use score::{Contributor, Score, ScoreError, Scores, scores};
