//! Capability rating (能力评级): scores of a member, weighed as the rules weigh its tier.

use std::collections::BTreeMap;

use dashu::rational::RBig;
use schemas::id::Slug;

use super::rules::{BudgetRules, Scale, Tier};
use crate::figures::Exact;

/// Why there is no rating.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RatingError {
    /// The rules weigh nothing for this tier.
    #[error("the rules rate no member of this tier")]
    Tier,
    /// A score is missing.
    #[error("the score `{0}` is missing")]
    Missing(Slug),
    /// A score that the rules do not weigh.
    #[error("the rules weigh no score `{0}` for this tier")]
    Unknown(Slug),
    /// Beyond the scale.
    #[error("the score `{0}` is from 0 to 100")]
    Scale(Slug),
}

/// Points of a figure on its scale, 0 to 100, and the variance that its noise gives them: none where
/// the figure lies more than two standard deviations beyond an end.
pub(super) fn points(scale: &Scale, value: &RBig, variance: RBig) -> (RBig, RBig) {
    let length = &scale.best.0 - &scale.worst.0;
    let part = (value - &scale.worst.0) / &length;
    let variance = variance / (&length * &length);
    let inside = part.clone().clamp(RBig::ZERO, RBig::ONE);
    let beyond = &part - &inside;
    let hundred = RBig::from(100);
    let moved = if &beyond * &beyond > &variance * RBig::from(4) {
        RBig::ZERO
    } else {
        variance * &hundred * &hundred
    };
    (inside * hundred, moved)
}

/// The rating from 0 to 100: Σ weight · score.
pub fn rating(
    rules: &BudgetRules,
    tier: Tier,
    scores: &BTreeMap<Slug, Exact>,
) -> Result<Exact, RatingError> {
    let weights = rules.capability.get(&tier).ok_or(RatingError::Tier)?;
    if let Some(name) = scores.keys().find(|name| !weights.contains_key(*name)) {
        return Err(RatingError::Unknown(name.clone()));
    }
    let mut sum = RBig::ZERO;
    for (name, weight) in weights {
        let score = scores
            .get(name)
            .ok_or_else(|| RatingError::Missing(name.clone()))?;
        if score.0 < RBig::ZERO || score.0 > RBig::from(100) {
            return Err(RatingError::Scale(name.clone()));
        }
        sum += &weight.0 * &score.0;
    }
    Ok(Exact(sum))
}
