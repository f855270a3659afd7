//! Cost structure: the share of each cost item.

use dashu::integer::IBig;
use schemas::outcome::Outcome;
use schemas::question::Measure;

use super::cell::{Why, estimate, shown};
use super::scope::Scope;
use super::types::{Figure, Interval};
use crate::disclosure::Z95;
use crate::figures::decimal::fixed;
use crate::figures::interval::{self, Bounds, Estimate};
use crate::figures::noisy::Noisy;
use crate::figures::shares::per_mille;

/// The items' shares. Shown ones add to one: items that noise pushed below zero count as zero, the
/// rest is rounded to thousandths by largest remainders. What came out of the noise stands beside.
pub(super) fn structure(scope: &Scope<'_>, items: usize) -> Vec<Outcome<Figure>> {
    match shares(scope) {
        Ok(shares) => shares.into_iter().map(Outcome::Value).collect(),
        Err(why) => std::iter::repeat_n(why.outcome(), items).collect(),
    }
}

fn shares(scope: &Scope<'_>) -> Result<Vec<Figure>, Why> {
    let cost = scope.context.cost.as_ref().ok_or(Why::NoData)?;
    let measure = Measure::Structure {
        field: cost.clone(),
    };
    let scope = shown(scope, &[Measure::Count, measure.clone()])?;
    let weight = |cell| scope.reference(cell, cost).unwrap_or(0);
    let parts = scope.sums(&measure, weight).ok_or(Why::NoData)?;
    let whole = Estimate {
        value: parts.iter().map(Noisy::float).sum(),
        variance: parts.iter().map(|part| part.variance).sum(),
    };
    let values: Vec<IBig> = parts.iter().map(|part| part.value.clone()).collect();
    let shown = per_mille(&values).ok_or(Why::Suppressed)?;
    let figures = parts.iter().zip(shown).map(|(part, share)| {
        let noise = interval::ratio(estimate(part, 1.0), whole, part.variance)?;
        let noisy = fixed(part.float() / whole.value, 4)?;
        one(f64::from(share) / 1000.0, noise).map(|figure| figure.beside(noisy))
    });
    // The whole decides for all items at once: all are shown or none.
    figures.collect::<Option<_>>().ok_or(Why::Suppressed)
}

/// A share in thousandths with its noise interval, whose ends are rounded outwards. The interval is
/// widened to hold the share where the rule moved it out, and moves with the share where no part of
/// it was possible.
fn one(share: f64, noise: Bounds) -> Option<Figure> {
    let half = (noise.high - noise.low) / 2.0;
    let moved = || {
        interval::around(share, half / Z95)
            .at_least(0.0)
            .at_most(1.0)
    };
    let noise = noise.inside(0.0, 1.0).unwrap_or_else(moved);
    let outwards = |end: f64, round: fn(f64) -> f64| round(end * 1000.0) / 1000.0;
    let (low, high) = (
        outwards(noise.low, libm::floor),
        outwards(noise.high, libm::ceil),
    );
    Some(Figure {
        value: fixed(share, 3)?,
        above: false,
        noisy: None,
        noise: Interval {
            low: fixed(low.min(share), 3)?,
            high: Some(fixed(high.max(share), 3)?),
        },
        sampling: None,
        improved: None,
        way: None,
    })
}
