//! Factors that a plan computes itself, so that everybody can compute them again: the capability rating
//! from its scores, and the demand that a member is there for. Exact, rounded once to nine decimals.

use std::collections::BTreeMap;

use dashu::base::SquareRoot as _;
use dashu::integer::UBig;
use dashu::rational::RBig;
use schemas::digest::Digest;
use schemas::id::Slug;

use super::check::measured;
use super::error::BudgetError;
use super::rating::{points, rating};
use super::rules::BudgetRules;
use super::split::{BudgetInput, Measured};
use crate::figures::Exact;
use crate::figures::decimal::float;
use crate::figures::exact::{round, sum};

/// The factor that is rated from `scores` (能力评级).
pub const RATED: &str = "capability-score";
/// The factor that follows from `demand` and from what members are there for (需求-资源匹配).
pub const DEMAND: &str = "service-demand";

/// Most service lines.
const MOST: usize = 200;

/// Noise that moves several members' values at once.
pub(super) struct Common {
    /// Of which factor.
    pub(super) factor: Slug,
    /// Standard deviation of what is noisy.
    pub(super) sd: f64,
    /// How much of it each member's value takes, in the order of the members.
    pub(super) takes: Vec<f64>,
}

/// Standard deviations that the noise of one value is made of, each with the benchmark that it is from.
pub(super) type Parts = Vec<(Option<Digest>, f64)>;

/// Noise beside what stands at the values themselves.
#[derive(Default)]
pub(super) struct Beside {
    /// What members share.
    pub(super) common: Vec<Common>,
    /// Ratings whose noise comes from several benchmarks, or from one and elsewhere, by the member's place.
    pub(super) ratings: BTreeMap<usize, Parts>,
}

/// The inputs with all factors, and the noise that no single value says.
pub(super) fn fill(
    rules: &BudgetRules,
    input: &BudgetInput,
) -> Result<(BudgetInput, Beside), BudgetError> {
    let mut filled = input.clone();
    let mut ratings = BTreeMap::new();
    let named = |name: &str| rules.factors.iter().find(|of| of.id.as_str() == name);
    let both = input.members.iter().zip(&mut filled.members);
    for (place, (member, full)) in both.enumerate() {
        if member.scores.is_empty() {
            continue;
        }
        let factor = named(RATED).ok_or_else(|| unknown(member, RATED))?;
        for (name, score) in &member.scores {
            measured(member, name, score)?;
        }
        let (rated, parts) = rated(rules, member)?;
        if parts.len() > 1 {
            ratings.insert(place, parts);
        }
        if full.factors.insert(factor.id.clone(), rated).is_some() {
            return Err(BudgetError::Both(member.id.clone(), factor.id.clone()));
        }
    }
    let common = demanded(rules, input, &mut filled)?;
    Ok((filled, Beside { common, ratings }))
}

fn unknown(member: &super::split::Member, name: &str) -> BudgetError {
    let name = name.parse().unwrap_or_else(|_| member.id.clone());
    BudgetError::Unknown(member.id.clone(), name)
}

/// Scores that have a scale are brought onto it first, noise and all.
fn rated(
    rules: &BudgetRules,
    member: &super::split::Member,
) -> Result<(Measured, Parts), BudgetError> {
    let failed = |error| BudgetError::Rating(member.id.clone(), error);
    let weights = rules.capability.get(&member.tier);
    let mut scores = BTreeMap::new();
    // What figures of one benchmark leave open is added as standard deviations, rounded up.
    let (mut variance, mut shared) = (RBig::ZERO, BTreeMap::new());
    for (name, score) in &member.scores {
        let noise = score
            .variance
            .as_ref()
            .map_or(RBig::ZERO, |of| of.0.clone());
        let (value, noise) = match rules.scales.get(name) {
            Some(scale) => points(scale, &score.value.0, noise),
            None => (score.value.0.clone(), noise),
        };
        let weight = weights.and_then(|weights| weights.get(name));
        let weight = weight.map_or(RBig::ZERO, |weight| weight.0.clone());
        let noise = &weight * &weight * noise;
        match score.source {
            Some(source) if noise > RBig::ZERO => {
                *shared.entry(source).or_insert(RBig::ZERO) += root_up(&noise)?;
            }
            _ => variance += noise,
        }
        scores.insert(name.clone(), Exact(value));
    }
    let value = rating(rules, member.tier, &scores).map_err(failed)?;
    let parts = shared.iter().map(|(source, sd)| (Some(*source), float(sd)));
    let mut parts: Parts = parts.collect();
    if variance > RBig::ZERO {
        parts.push((None, float(&variance).sqrt()));
    }
    // Of several benchmarks no single one is named; their parts stand beside it.
    let source = match parts.as_slice() {
        [(source, _)] => *source,
        _ => None,
    };
    variance += sum(shared.values().map(|sd| sd * sd));
    let rated = Measured {
        value: nine(&value.0)?,
        source,
        variance: (variance > RBig::ZERO)
            .then(|| nine(&variance))
            .transpose()?,
    };
    Ok((rated, parts))
}

/// Σ demand of a service line · the member's part of all that are there for it.
fn demanded(
    rules: &BudgetRules,
    input: &BudgetInput,
    filled: &mut BudgetInput,
) -> Result<Vec<Common>, BudgetError> {
    let serving = input.members.iter().find(|one| !one.serves.is_empty());
    if input.demand.is_empty() && serving.is_none() {
        return Ok(Vec::new());
    }
    let mut factors = rules.factors.iter();
    let Some(factor) = factors.find(|of| of.id.as_str() == DEMAND) else {
        return Err(BudgetError::NoDemand);
    };
    if input.demand.len() > MOST {
        return Err(BudgetError::Lines);
    }
    for member in &input.members {
        for (line, part) in &member.serves {
            if !input.demand.contains_key(line) {
                return Err(BudgetError::Unknown(member.id.clone(), line.clone()));
            }
            if part.0 < RBig::ZERO || part.0 > RBig::ONE || !part.fits_nine_decimals() {
                return Err(BudgetError::Serves(member.id.clone(), line.clone()));
            }
        }
    }
    let mut values = vec![RBig::ZERO; input.members.len()];
    let mut common = Vec::new();
    for (line, demand) in &input.demand {
        let sound = demand.value.0 >= RBig::ZERO
            && demand.value.fits_nine_decimals()
            && demand
                .variance
                .as_ref()
                .is_none_or(|of| of.0 >= RBig::ZERO && of.fits_nine_decimals());
        if !sound {
            return Err(BudgetError::Demand(line.clone()));
        }
        let serves = input.members.iter().map(|one| one.serves.get(line));
        let serves: Vec<RBig> = serves
            .map(|part| part.map_or(RBig::ZERO, |part| part.0.clone()))
            .collect();
        let whole = sum(&serves);
        if whole == RBig::ZERO {
            return Err(BudgetError::Unserved(line.clone()));
        }
        let parts: Vec<RBig> = serves.into_iter().map(|part| part / &whole).collect();
        for (value, part) in values.iter_mut().zip(&parts) {
            *value += &demand.value.0 * part;
        }
        let variance = demand.variance.as_ref().map_or(0.0, |of| float(&of.0));
        if variance > 0.0 {
            common.push(Common {
                factor: factor.id.clone(),
                sd: variance.sqrt(),
                takes: parts.iter().map(float).collect(),
            });
        }
    }
    for (member, value) in filled.members.iter_mut().zip(&values) {
        let value = Measured {
            value: nine(value)?,
            variance: None,
            source: None,
        };
        if member.factors.insert(factor.id.clone(), value).is_some() {
            return Err(BudgetError::Both(member.id.clone(), factor.id.clone()));
        }
    }
    Ok(common)
}

/// The square root, up to the next billionth: not below it.
fn root_up(variance: &RBig) -> Result<RBig, BudgetError> {
    let billion = RBig::from(1_000_000_000_u64);
    let scaled = (variance * &billion * &billion).ceil();
    let root = UBig::try_from(scaled).map_err(|_| BudgetError::OutOfRange)?;
    let floor = root.sqrt();
    let up = if &floor * &floor == root {
        floor
    } else {
        floor + UBig::ONE
    };
    Ok(RBig::from(up) / billion)
}

/// Nine decimals, half away from zero.
fn nine(value: &RBig) -> Result<Exact, BudgetError> {
    let billion = RBig::from(1_000_000_000_u64);
    let whole = round(&(value * &billion)).ok_or(BudgetError::OutOfRange)?;
    Ok(Exact(RBig::from(whole.0) / billion))
}
