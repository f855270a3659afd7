//! The figures of one cell.

use dashu::integer::IBig;
use dashu::rational::RBig;
use schemas::outcome::Outcome;
use schemas::question::Measure;

use super::capped::{above_cap, capped_share};
use super::scope::{Amount, Scope, per_money};
use super::structure::structure;
use super::types::{Cell, Figure, Improved, Interval, Percentiles};
use crate::disclosure::Status;
use crate::figures::decimal::{fixed, float, fraction, half_up};
use crate::figures::dispersion::{self, Dispersion, Moments};
use crate::figures::improve::{self, Method};
use crate::figures::interval::{self, Bounds, Estimate};
use crate::figures::noisy::Noisy;
use crate::figures::percentile::{self, Bins, Quantile};
use crate::figures::total;

/// Why there is no figure where hospitals answered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Why {
    NoData,
    Suppressed,
}

impl Why {
    pub(super) fn outcome(self) -> Outcome<Figure> {
        match self {
            Self::NoData => Outcome::NoData,
            Self::Suppressed => Outcome::Suppressed,
        }
    }
}

/// All figures of a scope. `unit` turns percentiles, which are multiples of the reference, into
/// money where the scope is a single case group.
pub(super) fn cell(scope: &Scope<'_>, unit: Option<u64>) -> Cell {
    let items = item_count(scope);
    if scope.who.is_empty() || scope.count().is_none() {
        return Cell::without(&Outcome::NoData, items);
    }
    let spread = spread(scope);
    Cell {
        stays: stays(scope),
        total_cost: total_cost(scope),
        mean_cost: mean_cost(scope, spread.as_ref()),
        deviation: deviation(scope, spread.as_ref()),
        variation: variation(scope, spread.as_ref()),
        percentiles: percentiles(scope, unit),
        capped_share: capped_share(scope),
        above_cap: above_cap(scope),
        mean_stay: mean_stay(scope),
        mean_score: mean_score(scope),
        structure: structure(scope, items),
    }
}

pub(super) fn item_count(scope: &Scope<'_>) -> usize {
    let cost = scope.context.cost.as_ref();
    cost.map_or(0, |cost| scope.context.dictionary.items_of(cost).count())
}

/// A figure and its intervals with so many decimals; suppressed where one is not finite.
pub(super) fn figure(
    value: String,
    noise: Option<Bounds>,
    sampling: Option<Bounds>,
    places: u32,
) -> Outcome<Figure> {
    let noise = noise.and_then(|bounds| written(bounds, places));
    match noise {
        Some(noise) => Outcome::Value(Figure {
            value,
            above: false,
            noisy: None,
            noise,
            sampling: sampling.and_then(|bounds| written(bounds, places)),
            improved: None,
            way: None,
        }),
        None => Outcome::Suppressed,
    }
}

pub(super) fn written(bounds: Bounds, places: u32) -> Option<Interval> {
    Some(Interval {
        low: fixed(bounds.low, places)?,
        high: Some(fixed(bounds.high, places)?),
    })
}

pub(super) fn estimate(noisy: &Noisy, factor: f64) -> Estimate {
    Estimate {
        value: noisy.float() * factor,
        variance: noisy.variance * factor * factor,
    }
}

/// `top / stays / unit` with so many decimals, exact, and its Fieller interval, both put between 0
/// and `most`. A sum that noise pushed below zero is shown as zero: to hide it would select by the
/// noise. Only where the whole interval lies outside there is no reliable value.
pub(super) fn quotient(
    scope: &Scope<'_>,
    top: &Amount,
    unit: &IBig,
    places: u32,
    most: &RBig,
    sampling: impl Fn(f64) -> Option<Bounds>,
) -> Outcome<Figure> {
    let Some(bottom) = scope.count() else {
        return Outcome::NoData;
    };
    let Some(noisy) = fraction(top.sum.value.clone(), &bottom.value * unit) else {
        return Outcome::Suppressed;
    };
    let per = 1.0 / unit.to_f64().value();
    let (top, shared) = (estimate(&top.sum, per), top.shared * per);
    let threshold = if scope.across {
        f64::NEG_INFINITY
    } else {
        f64::from(scope.context.display.threshold)
    };
    let highest = float(most);
    let possible = |bounds: Bounds| bounds.inside(0.0, highest);
    let pair = (top, estimate(&bottom, 1.0));
    let noise = interval::shown_ratio(pair, shared, threshold, highest);
    let value = noisy.clone().clamp(RBig::ZERO, most.clone());
    let sampling = sampling(float(&value)).and_then(possible);
    let found = figure(
        half_up(&value, places),
        noise.and_then(possible),
        sampling,
        places,
    );
    found.map(|figure| figure.beside(half_up(&noisy, places)))
}

fn stays(scope: &Scope<'_>) -> Outcome<Figure> {
    let (Some(count), Status::Shown | Status::CountOnly) = (scope.count(), scope.status()) else {
        return Outcome::Suppressed;
    };
    let (value, sigma) = (count.float(), count.sigma());
    let bounds = if scope.across {
        interval::whole(value, sigma).at_least(0.0)
    } else {
        let threshold = f64::from(scope.context.display.threshold);
        interval::shown_count(value, sigma, threshold)
    };
    figure(count.value.to_string(), Some(bounds), None, 0)
}

/// The scope of hospitals that have these measures, if figures from it are shown.
pub(super) fn shown<'a>(scope: &Scope<'a>, measures: &[Measure]) -> Result<Scope<'a>, Why> {
    let scope = scope.having(measures).ok_or(Why::NoData)?;
    match scope.status() {
        Status::Shown => Ok(scope),
        Status::CountOnly | Status::Hidden => Err(Why::Suppressed),
    }
}

/// The figure or, in its place, why there is none.
pub(super) fn settle(found: Result<Outcome<Figure>, Why>) -> Outcome<Figure> {
    found.unwrap_or_else(Why::outcome)
}

pub(super) fn sum_of(field: &schemas::id::Slug) -> Measure {
    Measure::Sum {
        field: field.clone(),
    }
}

fn total_cost(scope: &Scope<'_>) -> Outcome<Figure> {
    let made = || {
        let cost = scope.context.cost.as_ref().ok_or(Why::NoData)?;
        let scope = shown(scope, &[Measure::Count, sum_of(cost)])?;
        let Amount { sum, shared } = scope.amount(cost).ok_or(Why::NoData)?;
        let noisy = fraction(sum.value.clone(), per_money()).ok_or(Why::Suppressed)?;
        let money = estimate(&sum, 1e-5);
        // Across hospitals the count that decides is theirs together; pooled, it is the only one.
        let count = estimate(&scope.count().ok_or(Why::NoData)?, 1.0);
        let threshold = f64::from(scope.context.display.threshold);
        let bounds = total::shown(money, count, shared * 1e-5, threshold);
        let bounds = bounds.inside(0.0, f64::INFINITY);
        let value = noisy.clone().max(RBig::ZERO);
        let found = figure(half_up(&value, 2), bounds, None, 2);
        Ok(found.map(|figure| figure.beside(half_up(&noisy, 2))))
    };
    settle(made())
}

fn mean_cost(scope: &Scope<'_>, spread: Option<&Dispersion>) -> Outcome<Figure> {
    let made = || {
        let cost = scope.context.cost.as_ref().ok_or(Why::NoData)?;
        let scope = shown(scope, &[Measure::Count, sum_of(cost)])?;
        let sum = scope.amount(cost).ok_or(Why::NoData)?;
        let count = scope.count().ok_or(Why::NoData)?;
        let sampling = |mean: f64| {
            let money = spread?.deviation * money_unit(&scope)?;
            dispersion::sampling(mean, money, count.float())
        };
        let most = RBig::from(scope.most(cost)) / RBig::from(100_u8);
        Ok(quotient(&scope, &sum, &per_money(), 2, &most, sampling))
    };
    settle(made())
}

/// Money per thousandth of the cell's reference; for a scope of one cell.
fn money_unit(scope: &Scope<'_>) -> Option<f64> {
    let [cell] = scope.cells.as_slice() else {
        return None;
    };
    let reference = scope.reference(*cell, scope.context.cost.as_ref()?)?;
    Some(IBig::from(reference).to_f64().value() * 1e-5)
}

/// Dispersion in thousandths of the cell's reference; for a scope of one cell.
fn spread(scope: &Scope<'_>) -> Option<Dispersion> {
    let cost = scope.context.cost.as_ref()?;
    let squares = Measure::Squares {
        field: cost.clone(),
    };
    let scope = shown(scope, &[Measure::Count, sum_of(cost), squares.clone()]).ok()?;
    money_unit(&scope)?;
    let centre = scope.centre(&squares)?;
    if scope.centre(&sum_of(cost))? != centre {
        return None;
    }
    dispersion::dispersion(&Moments {
        centre: f64::from(centre),
        count: estimate(&scope.count()?, 1.0),
        sum: estimate(&scope.sum(&sum_of(cost), |_| 1)?, 1.0),
        squares: estimate(&scope.sum(&squares, |_| 1)?, 1.0),
    })
}

/// Why there is no dispersion: nobody has the squares, or they are hidden.
fn no_spread(scope: &Scope<'_>) -> Outcome<Figure> {
    let asked = scope.context.cost.as_ref().is_some_and(|cost| {
        let squares = Measure::Squares {
            field: cost.clone(),
        };
        scope.cells.len() == 1 && scope.having(&[sum_of(cost), squares]).is_some()
    });
    if asked {
        Outcome::Suppressed
    } else {
        Outcome::NoData
    }
}

fn deviation(scope: &Scope<'_>, spread: Option<&Dispersion>) -> Outcome<Figure> {
    let (Some(spread), Some(unit)) = (spread, money_unit(scope)) else {
        return no_spread(scope);
    };
    let value = fixed(spread.deviation * unit, 2);
    match value {
        Some(value) => figure(value, Some(spread.deviation_bounds.times(unit)), None, 2),
        None => Outcome::Suppressed,
    }
}

fn variation(scope: &Scope<'_>, spread: Option<&Dispersion>) -> Outcome<Figure> {
    let Some(spread) = spread else {
        return no_spread(scope);
    };
    match fixed(spread.variation, 4) {
        Some(value) => figure(value, Some(spread.variation_bounds), None, 4),
        None => Outcome::Suppressed,
    }
}

fn mean_stay(scope: &Scope<'_>) -> Outcome<Figure> {
    mean(scope, scope.context.stay.as_ref(), 1000)
}

fn mean_score(scope: &Scope<'_>) -> Outcome<Figure> {
    mean(scope, scope.context.score.as_ref(), 100)
}

/// Capped mean of a field of which so many stored units are one, with 2 decimals.
fn mean(scope: &Scope<'_>, field: Option<&schemas::id::Slug>, units: u16) -> Outcome<Figure> {
    let made = || {
        let field = field.ok_or(Why::NoData)?;
        let scope = shown(scope, &[Measure::Count, sum_of(field)])?;
        let sum = scope.amount(field).ok_or(Why::NoData)?;
        // Sums are in thousandths of the stored unit.
        let one = IBig::from(units) * IBig::from(1000_u16);
        let most = RBig::from(scope.most(field)) / RBig::from(units);
        Ok(quotient(&scope, &sum, &one, 2, &most, |_| None))
    };
    settle(made())
}

/// The histogram of a scope, and its number of stays, which carries far less noise than the sum of
/// the bins does.
pub(super) fn bins(scope: &Scope<'_>) -> Result<(Bins, Estimate), Why> {
    let cost = scope.context.cost.as_ref().ok_or(Why::NoData)?;
    let measure = Measure::Histogram {
        field: cost.clone(),
    };
    let scope = shown(scope, &[Measure::Count, measure.clone()])?;
    let sums = scope.sums(&measure, |_| 1).ok_or(Why::NoData)?;
    let sigma = sums.first().map_or(0.0, Noisy::sigma);
    let stays = estimate(&scope.count().ok_or(Why::NoData)?, 1.0);
    let edges = scope.context.dictionary.bin_edges.iter();
    let bins = Bins {
        edges: edges.map(|edge| f64::from(*edge)).collect(),
        counts: sums.iter().map(Noisy::float).collect(),
        sigma,
        stays: stays.value,
    };
    Ok((bins, stays))
}

fn percentiles(scope: &Scope<'_>, unit: Option<u64>) -> Percentiles {
    let bins = bins(scope);
    // Edges are thousandths of the reference: × reference / 1000 fen, or / 1000.
    let (factor, places) = match unit {
        Some(reference) => (IBig::from(reference).to_f64().value() * 1e-5, 2),
        None => (1e-3, 4),
    };
    let at = |p: f64| match &bins {
        Err(why) => why.outcome(),
        Ok((bins, stays)) => percentile::quantile(bins, p)
            .and_then(|found| quantile(&found, factor, places))
            .map(|figure| Figure {
                improved: anchored(bins, stays, p, (factor, places)),
                ..figure
            })
            .map_or(Outcome::Suppressed, Outcome::Value),
    };
    Percentiles {
        p25: at(0.25),
        p50: at(0.5),
        p75: at(0.75),
        p90: at(0.9),
    }
}

/// Nothing in the open top bin, where there is only a bound.
fn anchored(
    bins: &Bins,
    stays: &Estimate,
    p: f64,
    (factor, places): (f64, u32),
) -> Option<Improved> {
    let found = improve::anchored(bins, stays.variance, p).filter(|found| !found.open)?;
    let figure = quantile(&found, factor, places)?;
    Some(Improved {
        method: Method::AnchoredCumulative,
        value: figure.value,
        interval: figure.noise,
    })
}

fn quantile(found: &Quantile, factor: f64, places: u32) -> Option<Figure> {
    let high = match found.high {
        Some(high) => Some(fixed(high * factor, places)?),
        None => None,
    };
    Some(Figure {
        value: fixed(found.value * factor, places)?,
        above: found.open,
        noisy: None,
        noise: Interval {
            low: fixed(found.low * factor, places)?,
            high,
        },
        sampling: found
            .sampling
            .and_then(|bounds| written(bounds.times(factor), places)),
        improved: None,
        way: None,
    })
}
