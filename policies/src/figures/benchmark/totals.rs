//! The figures of a whole hospital or of the alliance.

use dashu::integer::IBig;
use dashu::rational::RBig;
use schemas::answer::Answer;
use schemas::id::Slug;
use schemas::outcome::Outcome;
use schemas::question::Measure;

use super::against::Yardstick;
use super::cell::{Why, cell, estimate, figure, item_count, quotient, settle, shown, sum_of};
use super::improved;
use super::scope::{Context, Scope, cells};
use super::types::{Cell, Figure, Indices, Totals, either};
use crate::disclosure::Z95;
use crate::figures::decimal::{float, half_up};
use crate::figures::indices;
use crate::figures::interval::{self, Bounds, Estimate};

/// Totals over these hospitals; with yardsticks for a single one.
pub(super) fn totals<'a>(
    context: &'a Context<'a>,
    who: &[&'a Answer],
    across: bool,
    yardsticks: [Option<&Yardstick>; 2],
) -> Totals {
    let by = |dimensions: &[&str]| {
        let table = context.layout.table_by(dimensions)?;
        Some(Scope {
            context,
            who: who.to_vec(),
            table,
            cells: (0..cells(context.layout, table)).collect(),
            across,
        })
    };
    let (whole, groups) = (by(&[]), by(&["case_group"]));
    // Whatever the hospital's own cell does not say is summed over the finer table.
    let found = [whole.clone(), groups.clone(), by(&["mdc"])]
        .into_iter()
        .flatten();
    let mut all = found
        .map(|scope| cell(&scope, None))
        .reduce(Cell::or)
        .unwrap_or_else(|| Cell::without(&Outcome::NoData, 0));
    if let Outcome::Value(stays) = &mut all.stays {
        stays.improved = improved::stays(whole.as_ref(), groups.as_ref());
    }
    let [cost, stay] = yardsticks;
    let own = who.first().copied().filter(|_| !across);
    let index = |field: Option<&Slug>, yardstick: Option<&Yardstick>| {
        let against = |ratio_of_sums: bool| match (yardstick, own) {
            (Some(yardstick), Some(own)) => yardstick.index(own, ratio_of_sums),
            _ => Outcome::NoData,
        };
        Indices {
            reference: reference_index(whole.as_ref(), groups.as_ref(), field),
            alliance: against(false),
            observed_expected: against(true),
        }
    };
    Totals {
        all,
        cmi: groups.as_ref().map_or(Outcome::NoData, case_mix),
        cost_index: index(context.cost.as_ref(), cost),
        time_index: index(context.stay.as_ref(), stay),
    }
}

/// Mean over the stays of amount / own reference.
fn reference_index(
    whole: Option<&Scope<'_>>,
    groups: Option<&Scope<'_>>,
    field: Option<&Slug>,
) -> Outcome<Figure> {
    let Some(field) = field else {
        return Outcome::NoData;
    };
    let relative = Measure::Relative {
        field: field.clone(),
    };
    let thousand = IBig::from(1000_u32);
    let by = |scope: Option<&Scope<'_>>, measure: &Measure| {
        let made = || {
            let scope = shown(
                scope.ok_or(Why::NoData)?,
                &[Measure::Count, measure.clone()],
            )?;
            let sum = scope.plain(measure, |_| 1).ok_or(Why::NoData)?;
            let most = RBig::from(scope.context.dictionary.cap);
            let sampling = |index| sampling(groups?, field, index);
            Ok(quotient(&scope, &sum, &thousand, 4, &most, sampling))
        };
        settle(made())
    };
    // By case group a sum is in thousandths of the stay's own reference already.
    let of_whole = by(whole, &relative).map(|figure| Figure {
        improved: improved::index(whole, groups, field),
        ..figure
    });
    let first = either(of_whole, by(groups, &relative));
    either(first, by(groups, &sum_of(field)))
}

/// Sampling interval of an index against the reference, from the squares by case group, which are
/// in the same unit.
fn sampling(groups: &Scope<'_>, field: &Slug, index: f64) -> Option<Bounds> {
    let squares = Measure::Squares {
        field: field.clone(),
    };
    let scope = shown(groups, &[Measure::Count, squares.clone()]).ok()?;
    let (second, n) = (scope.sum(&squares, |_| 1)?, scope.count()?.float());
    let off = index - f64::from(scope.centre(&squares)?) / 1000.0;
    let variance = second.float() / n / 1e6 - off * off;
    // A spread that the noise alone could make is not shown.
    if variance <= Z95 * second.sigma() / n / 1e6 {
        return None;
    }
    Some(interval::around(index, libm::sqrt(variance / n)))
}

/// Case mix index over the scope's case groups, hidden ones included: their noise has mean zero.
fn case_mix(scope: &Scope<'_>) -> Outcome<Figure> {
    let made = || {
        let scope = shown(scope, &[Measure::Count])?;
        let mut lines = Vec::with_capacity(scope.cells.len());
        let (mut weighted, mut squared, mut count, mut covariance) =
            (Estimate::ZERO, 0.0, Estimate::ZERO, 0.0);
        for cell in &scope.cells {
            let group = scope.context.dictionary.groups.get(*cell);
            let micro = group.ok_or(Why::NoData)?.weight_micro;
            let mut one = scope.clone();
            one.cells = vec![*cell];
            let n = one.count().ok_or(Why::NoData)?;
            let weight = RBig::from(micro) / RBig::from(1_000_000_u32);
            let (w, noisy) = (float(&weight), estimate(&n, 1.0));
            weighted.value += w * noisy.value;
            weighted.variance += w * w * noisy.variance;
            squared += w * w * noisy.value;
            count.value += noisy.value;
            count.variance += noisy.variance;
            covariance += w * noisy.variance;
            lines.push((weight, RBig::from(n.value)));
        }
        let value = indices::cmi(lines.iter().map(|(weight, n)| (weight, n)));
        let value = value
            .filter(|cmi| *cmi >= RBig::ZERO)
            .ok_or(Why::Suppressed)?;
        let cmi = float(&value);
        let noise = interval::ratio(weighted, count, covariance);
        let spread = squared / count.value - cmi * cmi;
        let sampling = (spread > 0.0)
            .then(|| interval::around(cmi, libm::sqrt(spread / count.value)).at_least(0.0));
        let noise = noise.map(|bounds| bounds.at_least(0.0));
        Ok(figure(half_up(&value, 4), noise, sampling, 4))
    };
    settle(made())
}

/// Totals of a hospital that is not there.
pub(super) fn missing(context: &Context<'_>, outcome: &Outcome<Figure>) -> Totals {
    Totals::without(outcome, items(context))
}

/// How many cost items the structure has.
pub(super) fn items(context: &Context<'_>) -> usize {
    item_count(&Scope {
        context,
        who: Vec::new(),
        table: 0,
        cells: Vec::new(),
        across: false,
    })
}

impl Totals {
    /// Totals without any figure.
    pub(super) fn without(outcome: &Outcome<Figure>, items: usize) -> Self {
        let indices = Indices {
            reference: outcome.clone(),
            alliance: outcome.clone(),
            observed_expected: outcome.clone(),
        };
        Self {
            all: Cell::without(outcome, items),
            cmi: outcome.clone(),
            cost_index: indices.clone(),
            time_index: indices,
        }
    }
}
