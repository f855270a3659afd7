//! Appraisal (考核评价): indicators as scores, weighed as the year's stage weighs them, with what
//! patients and others say of a member; its grade, and what follows from it.

mod rules;
#[cfg(test)]
mod test;

pub use rules::{
    About, AppraisalRules, Aspect, DEFAULT, Grade, Indicator, Shortcoming, Shortcomings, Source,
};

use std::collections::BTreeMap;

use dashu::rational::RBig;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::money::Fen;
use serde::{Deserialize, Serialize};

use crate::figures::budget::Measured;
use crate::figures::decimal::{fixed, float};
use crate::figures::errors::together;
use crate::figures::exact::{round, sum};
use crate::figures::{Exact, half_up};

/// Half width of a 95 % interval in standard deviations.
const Z95: f64 = 1.959_963_984_540_054;

/// What is known of a member.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appraised {
    /// The member.
    pub id: Slug,
    /// Its value of each indicator that the stage weighs, with the noise of released ones.
    pub values: BTreeMap<Slug, Measured>,
    /// Scores from 0 to 100 by the other sources.
    pub scores: BTreeMap<Source, Exact>,
    /// What it left undone the year before: how many of each kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shortcomings: BTreeMap<Shortcoming, u32>,
}

/// A member's appraisal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appraisal {
    /// The member.
    pub id: Slug,
    /// Digest of the rules.
    pub rules: Digest,
    /// Digest of the inputs of all members.
    pub inputs: Digest,
    /// The stage.
    pub stage: Slug,
    /// Score and points of each indicator, four decimals.
    pub indicators: BTreeMap<Slug, (String, String)>,
    /// All points of the indicators, four decimals.
    pub points: String,
    /// Points taken for shortcomings of the year before, two decimals; none where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub less: Option<String>,
    /// The whole, two decimals.
    pub composite: String,
    /// Ends of the 95 % interval that the noise of the inputs leaves of it, two decimals, outwards; none
    /// where all are exact.
    pub interval: Option<(String, String)>,
    /// Whether the whole interval is of this grade: noise does not decide it.
    pub settled: bool,
    /// The grade.
    pub grade: Slug,
    /// What the insurer's payment is multiplied by.
    pub payment: Exact,
    /// Days in which a plan for improvement is due, if one is.
    pub improve_days: Option<u32>,
}

/// Why there is no appraisal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppraisalError {
    /// No such stage.
    #[error("the rules have no stage `{0}`")]
    Stage(Slug),
    /// A value is missing.
    #[error("member `{0}` has no value for indicator `{1}`")]
    Missing(Slug, Slug),
    /// A value that the rules do not name.
    #[error("member `{0}` has a value for `{1}`, which the rules do not name")]
    Unknown(Slug, Slug),
    /// A value or variance that no sum of fractions is made from.
    #[error("member `{0}`: `{1}` has more than nine decimals, or a variance below zero")]
    Number(Slug, Slug),
    /// A score is missing, beyond the scale, or of another source.
    #[error(
        "member `{0}` needs a score from 0 to 100, of nine decimals at most, by each source that the rules weigh, and \
         by no other"
    )]
    Score(Slug),
    /// The rules have no digest.
    #[error("the rules cannot be written canonically")]
    Canonical,
}

/// Appraises a member: s = clamp((x − worst)/(best − worst), 0, 1) · 100 for each indicator. The
/// interval adds what each value's noise does to its score, by the scale's slope, never beyond the scale.
pub fn appraise(
    rules: &AppraisalRules,
    (stage, inputs): (&Slug, Digest),
    member: &Appraised,
) -> Result<Appraisal, AppraisalError> {
    let weights = rules
        .stages
        .get(stage)
        .ok_or_else(|| AppraisalError::Stage(stage.clone()))?;
    check(rules, member)?;
    let hundred = RBig::from(100);
    let mut indicators = BTreeMap::new();
    let mut points = RBig::ZERO;
    let mut errors = Vec::new();
    for indicator in &rules.indicators {
        let weight = weights.get(&indicator.id).copied().unwrap_or(0);
        let value = member.values.get(&indicator.id);
        let Some(value) = value else {
            if weight == 0 {
                continue;
            }
            return Err(AppraisalError::Missing(
                member.id.clone(),
                indicator.id.clone(),
            ));
        };
        let (worst, best) = (&indicator.worst.0, &indicator.best.0);
        let part = (&value.value.0 - worst) / (best - worst);
        let score = part.clone().clamp(RBig::ZERO, RBig::ONE) * &hundred;
        let own = &score * RBig::from(weight) / &hundred;
        indicators.insert(indicator.id.clone(), (half_up(&score, 4), half_up(&own, 4)));
        points += own;
        let error = noise(value, float(&(best - worst)), float(&part), weight);
        errors.push((value.source.map(|source| (0, source)), error));
    }
    let mut parts = Vec::new();
    for (source, share) in &rules.sources {
        let score = if *source == Source::Indicators {
            Some(&points)
        } else {
            member.scores.get(source).map(|score| &score.0)
        };
        let score = score.filter(|score| **score >= RBig::ZERO && **score <= hundred);
        let score = score.ok_or_else(|| AppraisalError::Score(member.id.clone()))?;
        parts.push(&share.0 * score);
    }
    let less = less(rules, member);
    let composite = (sum(parts) - &less).max(RBig::ZERO);
    let grade = graded(rules, &composite).ok_or(AppraisalError::Canonical)?;
    let share = rules.sources.get(&Source::Indicators);
    let reach = Z95 * together(errors) * share.map_or(0.0, |share| float(&share.0));
    let interval = (reach > 0.0).then(|| {
        let middle = float(&composite);
        // Half a hundredth for the rounding of the ends.
        let end = |value: f64| fixed(value.clamp(0.0, 100.0), 2).unwrap_or_default();
        (end(middle - reach - 0.005), end(middle + reach + 0.005))
    });
    let same = |end: &str| {
        let end = end.parse::<Exact>().ok();
        end.and_then(|end| graded(rules, &end.0).map(|of| of.id == grade.id)) == Some(true)
    };
    let settled = interval
        .as_ref()
        .is_none_or(|(low, high)| same(low) && same(high));
    Ok(Appraisal {
        id: member.id.clone(),
        rules: rules.digest().map_err(|_| AppraisalError::Canonical)?,
        inputs,
        stage: stage.clone(),
        indicators,
        points: half_up(&points, 4),
        less: (less > RBig::ZERO).then(|| half_up(&less, 2)),
        composite: half_up(&composite, 2),
        interval,
        settled,
        grade: grade.id.clone(),
        payment: grade.payment.clone(),
        improve_days: grade.improve_days,
    })
}

/// Names that the rules have, numbers that can be summed, variances of zero or more.
fn check(rules: &AppraisalRules, member: &Appraised) -> Result<(), AppraisalError> {
    for (name, one) in &member.values {
        if !rules.indicators.iter().any(|known| known.id == *name) {
            return Err(AppraisalError::Unknown(member.id.clone(), name.clone()));
        }
        let sound = |of: &Exact| of.0 >= RBig::ZERO && of.fits_nine_decimals();
        if !one.value.fits_nine_decimals() || !one.variance.as_ref().is_none_or(sound) {
            return Err(AppraisalError::Number(member.id.clone(), name.clone()));
        }
    }
    for (source, score) in &member.scores {
        if !rules.sources.contains_key(source) || !score.fits_nine_decimals() {
            return Err(AppraisalError::Score(member.id.clone()));
        }
    }
    Ok(())
}

/// What shortcomings of the year before take from the whole.
fn less(rules: &AppraisalRules, member: &Appraised) -> RBig {
    let Some(of) = &rules.shortcomings else {
        return RBig::ZERO;
    };
    let each = member.shortcomings.iter().map(|(kind, times)| {
        let points = of.points.get(kind);
        points.map_or(RBig::ZERO, |points| &points.0 * RBig::from(*times))
    });
    sum(each).min(of.most.0.clone())
}

/// The grade of a composite: the best whose limit it reaches.
fn graded<'a>(rules: &'a AppraisalRules, composite: &RBig) -> Option<&'a Grade> {
    let reached = rules.grades.iter().find(|grade| *composite >= grade.from.0);
    reached.or(rules.grades.last())
}

/// Standard deviation that a value's noise gives to the points. Beyond an end of the scale by more than the noise
/// reaches, it does nothing.
fn noise(value: &Measured, scale: f64, part: f64, weight: u32) -> f64 {
    let sd = value.sd() / scale.abs();
    if part < -Z95 * sd || part > 1.0 + Z95 * sd {
        return 0.0;
    }
    sd * f64::from(weight)
}

/// What the insurer pays after an appraisal, rounded once (rule R5). `None` beyond 64 bits.
pub fn payment(appraisal: &Appraisal, amount: Fen) -> Option<Fen> {
    round(&(RBig::from(amount.0) * &appraisal.payment.0))
}
