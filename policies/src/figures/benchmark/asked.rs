//! Which figures a question can give: what was not asked for is not in a table, what was asked for
//! and is not there has its reason.

use schemas::id::Slug;
use schemas::outcome::Outcome;
use schemas::question::Measure;
use serde::{Deserialize, Serialize};

use super::cell::sum_of;
use super::scope::{Context, cells};
use super::types::{Cell, Figure, Totals};
use super::way::Way;
use crate::figures::improve::Method;

/// A figure of a cell, or of a whole hospital, in the order in which tables show them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// [`Cell::stays`].
    Stays,
    /// [`Cell::total_cost`].
    TotalCost,
    /// [`Cell::mean_cost`].
    MeanCost,
    /// [`Cell::deviation`].
    Deviation,
    /// [`Cell::variation`].
    Variation,
    /// 25th percentile.
    P25,
    /// Median.
    P50,
    /// 75th percentile.
    P75,
    /// 90th percentile.
    P90,
    /// [`Cell::capped_share`].
    CappedShare,
    /// [`Cell::above_cap`].
    AboveCap,
    /// [`Cell::mean_stay`].
    MeanStay,
    /// [`Cell::mean_score`].
    MeanScore,
    /// [`Cell::structure`].
    Structure,
    /// [`Totals::cmi`].
    Cmi,
    /// [`Totals::cost_index`] against the reference.
    CostIndexReference,
    /// [`Totals::cost_index`] against the alliance; of hospitals only.
    CostIndexAlliance,
    /// [`Totals::cost_index`] as ratio of sums; of hospitals only.
    CostObservedExpected,
    /// [`Totals::time_index`] against the reference.
    TimeIndexReference,
    /// [`Totals::time_index`] against the alliance; of hospitals only.
    TimeIndexAlliance,
    /// [`Totals::time_index`] as ratio of sums; of hospitals only.
    TimeObservedExpected,
}

/// A figure that the question can give.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Asked {
    /// The figure.
    pub figure: Kind,
    /// Whether it can have a sampling interval.
    pub sampling: bool,
    /// How an improved value can stand beside it.
    pub improved: Option<Method>,
    /// How it was obtained, in a report that holds both ways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
}

impl Cell {
    /// The figure of a kind; `None` for the structure and for what only [`Totals`] have.
    pub fn figure(&self, kind: Kind) -> Option<&Outcome<Figure>> {
        Some(match kind {
            Kind::Stays => &self.stays,
            Kind::TotalCost => &self.total_cost,
            Kind::MeanCost => &self.mean_cost,
            Kind::Deviation => &self.deviation,
            Kind::Variation => &self.variation,
            Kind::P25 => &self.percentiles.p25,
            Kind::P50 => &self.percentiles.p50,
            Kind::P75 => &self.percentiles.p75,
            Kind::P90 => &self.percentiles.p90,
            Kind::CappedShare => &self.capped_share,
            Kind::AboveCap => &self.above_cap,
            Kind::MeanStay => &self.mean_stay,
            Kind::MeanScore => &self.mean_score,
            Kind::Structure
            | Kind::Cmi
            | Kind::CostIndexReference
            | Kind::CostIndexAlliance
            | Kind::CostObservedExpected
            | Kind::TimeIndexReference
            | Kind::TimeIndexAlliance
            | Kind::TimeObservedExpected => return None,
        })
    }
}

impl Totals {
    /// The figure of a kind; `None` for the structure.
    pub fn figure(&self, kind: Kind) -> Option<&Outcome<Figure>> {
        match kind {
            Kind::Cmi => Some(&self.cmi),
            Kind::CostIndexReference => Some(&self.cost_index.reference),
            Kind::CostIndexAlliance => Some(&self.cost_index.alliance),
            Kind::CostObservedExpected => Some(&self.cost_index.observed_expected),
            Kind::TimeIndexReference => Some(&self.time_index.reference),
            Kind::TimeIndexAlliance => Some(&self.time_index.alliance),
            Kind::TimeObservedExpected => Some(&self.time_index.observed_expected),
            of_cell => self.all.figure(of_cell),
        }
    }
}

/// What the cells of a table can give; `single` where each figure is of one cell.
pub(super) fn of_table(context: &Context<'_>, table: usize, single: bool) -> Vec<Asked> {
    let has = |measure: Measure| context.layout.find(table, &measure).is_some();
    if !has(Measure::Count) {
        return Vec::new();
    }
    let mut asked = Vec::new();
    let mut add = |figure, sampling| asked.push(one(figure, sampling));
    add(Kind::Stays, false);
    if let Some(field) = &context.cost {
        let sum = has(sum_of(field));
        let field = || field.clone();
        let spread = single && sum && has(Measure::Squares { field: field() });
        if sum {
            add(Kind::TotalCost, false);
            add(Kind::MeanCost, spread);
        }
        if spread {
            add(Kind::Deviation, false);
            add(Kind::Variation, false);
        }
        if has(Measure::Histogram { field: field() }) {
            for percentile in [Kind::P25, Kind::P50, Kind::P75, Kind::P90] {
                add(percentile, true);
            }
            let cap = u64::from(context.dictionary.cap).saturating_mul(1000);
            let last = context.dictionary.bin_edges.last();
            if last.is_some_and(|last| u64::from(*last) >= cap) {
                add(Kind::CappedShare, true);
                add(Kind::AboveCap, false);
            }
        }
    }
    if context.stay.as_ref().is_some_and(|stay| has(sum_of(stay))) {
        add(Kind::MeanStay, false);
    }
    if context
        .score
        .as_ref()
        .is_some_and(|score| has(sum_of(score)))
    {
        add(Kind::MeanScore, false);
    }
    if let Some(field) = context.cost.clone()
        && context.dictionary.items_of(&field).next().is_some()
        && has(Measure::Structure { field })
    {
        add(Kind::Structure, false);
    }
    asked
}

/// What the tables together say of a whole hospital.
pub(super) fn of_totals(context: &Context<'_>) -> Vec<Asked> {
    let by = |dimensions: &[&str]| context.layout.table_by(dimensions);
    let (whole, groups) = (by(&[]), by(&["case_group"]));
    let mut asked: Vec<Asked> = Vec::new();
    for table in [whole, groups, by(&["mdc"])].into_iter().flatten() {
        for more in of_table(context, table, cells(context.layout, table) == 1) {
            match asked.iter_mut().find(|known| known.figure == more.figure) {
                Some(known) => known.sampling |= more.sampling,
                None => asked.push(more),
            }
        }
    }
    let has = |table: Option<usize>, measure: Measure| {
        table.is_some_and(|table| {
            let found = |measure| context.layout.find(table, measure).is_some();
            found(&Measure::Count) && found(&measure)
        })
    };
    let mut add = |figure, sampling| asked.push(one(figure, sampling));
    if has(groups, Measure::Count) {
        add(Kind::Cmi, true);
    }
    let indices = [
        (
            &context.cost,
            Kind::CostIndexReference,
            [Kind::CostIndexAlliance, Kind::CostObservedExpected],
        ),
        (
            &context.stay,
            Kind::TimeIndexReference,
            [Kind::TimeIndexAlliance, Kind::TimeObservedExpected],
        ),
    ];
    for (field, reference, against) in indices {
        let Some(field) = field else { continue };
        let own = || field.clone();
        let sum = has(groups, sum_of(field));
        let relative = |table| has(table, Measure::Relative { field: own() });
        if sum || relative(whole) || relative(groups) {
            add(reference, has(groups, Measure::Squares { field: own() }));
        }
        if sum {
            for kind in against {
                add(kind, false);
            }
        }
    }
    agreeing(
        &mut asked,
        context,
        has(whole, Measure::Count) && has(groups, Measure::Count),
    );
    asked.sort_by_key(|asked| asked.figure);
    asked
}

fn one(figure: Kind, sampling: bool) -> Asked {
    let improved = match figure {
        Kind::P25 | Kind::P50 | Kind::P75 | Kind::P90 => Some(Method::AnchoredCumulative),
        _ => None,
    };
    Asked {
        figure,
        sampling,
        improved,
        way: None,
    }
}

/// Totals that were released as a whole and by case group: by `both`, the counts.
fn agreeing(asked: &mut [Asked], context: &Context<'_>, both: bool) {
    let twice = |field: &Option<Slug>| {
        let Some(field) = field else { return false };
        let relative = Measure::Relative {
            field: field.clone(),
        };
        let has = |by: &[&str], measure: &Measure| {
            let table = context.layout.table_by(by);
            table.is_some_and(|table| context.layout.find(table, measure).is_some())
        };
        has(&[], &relative) && has(&["case_group"], &sum_of(field))
    };
    for one in asked.iter_mut().filter(|_| both) {
        let agrees = match one.figure {
            Kind::Stays => true,
            Kind::CostIndexReference => twice(&context.cost),
            Kind::TimeIndexReference => twice(&context.stay),
            _ => false,
        };
        if agrees {
            one.improved = Some(Method::LeastSquares);
        }
    }
}

/// What the cells of a split can give: as [`of_table`], and means that peers improve.
pub(super) fn of_split(context: &Context<'_>, table: usize) -> Vec<Asked> {
    let mut asked = of_table(context, table, true);
    for one in &mut asked {
        if matches!(one.figure, Kind::MeanCost | Kind::MeanStay) {
            one.improved = Some(Method::EmpiricalBayes);
        }
    }
    asked
}
