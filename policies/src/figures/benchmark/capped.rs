//! Stays at or above the cap, from the bins.

use schemas::outcome::Outcome;

use super::cell::{Why, bins, figure, settle};
use super::scope::Scope;
use super::types::Figure;
use crate::figures::decimal::fixed;
use crate::figures::interval::{self, Estimate};

/// The bins from the cap on, each times `weight` of its edge and the next.
fn over_cap(
    scope: &Scope<'_>,
    weight: impl Fn(f64, Option<f64>) -> f64,
) -> Result<(Estimate, Estimate), Why> {
    let (bins, stays) = bins(scope)?;
    let cap = f64::from(scope.context.dictionary.cap) * 1000.0;
    if bins.edges.last().is_none_or(|last| *last < cap) {
        return Err(Why::NoData);
    }
    let ends = bins.edges.iter().skip(1).copied().map(Some).chain([None]);
    let mut top = Estimate::ZERO;
    for ((edge, end), count) in bins.edges.iter().zip(ends).zip(&bins.counts) {
        if *edge >= cap {
            let weight = weight(*edge, end);
            top.value += weight * count;
            top.variance += weight * weight * bins.sigma * bins.sigma;
        }
    }
    Ok((top, stays))
}

/// Share of stays at or above the cap: the bins from the cap on over the number of stays. A share
/// that noise pushed out of what can be has no reliable value, and no sampling interval either.
pub(super) fn capped_share(scope: &Scope<'_>) -> Outcome<Figure> {
    let made = || {
        let (top, stays) = over_cap(scope, |_, _| 1.0)?;
        let share = top.value / stays.value;
        if !(share > 0.0 && share < 1.0) {
            return Err(Why::Suppressed);
        }
        let noise = interval::ratio(top, stays, 0.0);
        let sigma = libm::sqrt(share * (1.0 - share) / stays.value);
        let sampling = interval::around(share, sigma).inside(0.0, 1.0);
        let noise = noise.and_then(|bounds| bounds.inside(0.0, 1.0));
        let value = fixed(share, 4).ok_or(Why::Suppressed)?;
        Ok(figure(value, noise, sampling, 4))
    };
    settle(made())
}

/// What the cap takes off the mean of amount / reference: the bins above it by how far their
/// (geometric) middle lies above it, over the number of stays.
pub(super) fn above_cap(scope: &Scope<'_>) -> Outcome<Figure> {
    let made = || {
        let cap = f64::from(scope.context.dictionary.cap) * 1000.0;
        let above = |edge: f64, end: Option<f64>| {
            let middle = end.map_or(edge, |end| libm::sqrt(edge * end));
            (middle - cap) / 1000.0
        };
        // Where noise pushed the share of such stays out of what can be, what is above is noise alone.
        let (count, all) = over_cap(scope, |_, _| 1.0)?;
        let share = count.value / all.value;
        if !(share > 0.0 && share < 1.0) {
            return Err(Why::Suppressed);
        }
        let (top, stays) = over_cap(scope, above)?;
        let noise = interval::ratio(top, stays, 0.0);
        let noise = noise.and_then(|bounds| bounds.inside(0.0, f64::INFINITY));
        let noisy = fixed(top.value / stays.value, 4).ok_or(Why::Suppressed)?;
        let value = fixed((top.value / stays.value).max(0.0), 4).ok_or(Why::Suppressed)?;
        Ok(figure(value, noise, None, 4).map(|figure| figure.beside(noisy)))
    };
    settle(made())
}
