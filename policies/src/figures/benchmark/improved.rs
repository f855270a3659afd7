//! Improved figures beside the raw ones, from the same answers. The raw figure and its interval
//! stay as they are; what is suppressed has no improved figure either.

use dashu::integer::IBig;
use schemas::answer::Answer;
use schemas::id::Slug;
use schemas::outcome::Outcome;
use schemas::question::Measure;

use super::Reply;
use super::cell::{estimate, sum_of, written};
use super::scope::{Context, Scope};
use super::types::{Cell, Figure, Improved, Row};
use crate::disclosure::Z95;
use crate::figures::decimal::fixed;
use crate::figures::improve::{self, Mean, Method, Noise, Part, Shrunken, Table};
use crate::figures::interval::{self, Bounds, Estimate};
use crate::figures::noisy::Noisy;

/// Which mean of a cell.
type Of = fn(&mut Cell) -> &mut Outcome<Figure>;

/// Shrinks the mean costs and lengths of stay of a split toward what their peers lead to expect.
pub(super) fn means(context: &Context<'_>, sorted: &[&Reply], table: usize, rows: &mut [Row]) {
    let of_cost: (_, f64, Of) = (&context.cost, 100.0, |cell| &mut cell.mean_cost);
    let of_stay: (_, f64, Of) = (&context.stay, 1000.0, |cell| &mut cell.mean_stay);
    for (field, unit, of) in [of_cost, of_stay] {
        if let Some(field) = field {
            let found = shrunken(context, sorted, table, rows, field, of);
            if let Some((alliance, hospitals)) = found {
                let scale = |row: usize| Scale::new(context, table, row, field, unit);
                place(rows, &alliance, &hospitals, scale, of);
            }
        }
    }
}

/// The alliance's and the hospitals' shrunken means, in multiples of each cell's reference. Only
/// shown cells take part: those whose raw figure stands.
fn shrunken(
    context: &Context<'_>,
    sorted: &[&Reply],
    table: usize,
    rows: &mut [Row],
    field: &Slug,
    of: Of,
) -> Option<(improve::Fitted, improve::Fitted)> {
    let count = context.layout.find(table, &Measure::Count)?;
    let sum = context.layout.find(table, &sum_of(field))?;
    let sigma = |block: usize| Some(context.layout.blocks.get(block)?.sigma.as_f64());
    let (of_count, of_sum) = (sigma(count)?, sigma(sum)?);
    let less = f64::from(context.layout.blocks.get(sum)?.centre);
    let noise = Noise {
        count: of_count * of_count,
        sum: of_sum * of_sum,
        centre: less / 1000.0,
    };
    let number = |answer: &Answer, block: usize, cell: usize| {
        let number = answer.blocks.get(block)?.as_ref()?.get(cell)?;
        Some(IBig::from(*number).to_f64().value())
    };
    let seen = |answer: &Answer, cell: usize| {
        let stays = number(answer, count, cell)?;
        Some(Mean {
            count: stays,
            sum: number(answer, sum, cell)? + less * stays,
        })
    };
    let (mut means, mut having) = (Vec::new(), 0.0);
    let mut together = vec![
        Mean {
            count: 0.0,
            sum: 0.0
        };
        rows.len()
    ];
    for (place, (_, said)) in sorted.iter().enumerate() {
        let mut line = Vec::with_capacity(rows.len());
        let mut has = false;
        for ((at, row), all) in rows.iter_mut().enumerate().zip(&mut together) {
            let mean = said.as_ref().ok().and_then(|answer| seen(answer, at));
            if let Some(mean) = mean {
                has = true;
                all.count += mean.count;
                all.sum += mean.sum;
            }
            let cell = row.hospitals.get_mut(place)?;
            line.push(mean.filter(|_| of(cell).value().is_some()));
        }
        having += if has { 1.0 } else { 0.0 };
        means.push(line);
    }
    let of_alliance = Noise {
        count: noise.count * having,
        sum: noise.sum * having,
        ..noise
    };
    let all = rows.iter_mut().zip(together);
    let all: Vec<Option<Mean>> = all
        .map(|(row, mean)| of(&mut row.alliance).value().map(|_| mean))
        .collect();
    let groups = improve::among_groups(&all, &of_alliance);
    let hospitals = improve::among_peers(&means, &noise, &groups);
    Some((groups, hospitals))
}

/// From multiples of a cell's reference to what is shown.
struct Scale {
    unit: f64,
    most: f64,
}

impl Scale {
    fn new(
        context: &Context<'_>,
        table: usize,
        row: usize,
        field: &Slug,
        per: f64,
    ) -> Option<Self> {
        let scope = Scope {
            context,
            who: Vec::new(),
            table,
            cells: vec![row],
            across: false,
        };
        let reference = scope.reference(row, field)?;
        Some(Self {
            unit: IBig::from(reference).to_f64().value() / per,
            most: f64::from(context.dictionary.cap),
        })
    }

    fn improved(&self, found: &Shrunken) -> Option<Improved> {
        let bounds = found.bounds().inside(0.0, self.most)?.times(self.unit);
        Some(Improved {
            method: Method::EmpiricalBayes,
            value: fixed(found.value.clamp(0.0, self.most) * self.unit, 2)?,
            interval: written(bounds, 2)?,
        })
    }
}

fn place(
    rows: &mut [Row],
    alliance: &improve::Fitted,
    hospitals: &improve::Fitted,
    scale: impl Fn(usize) -> Option<Scale>,
    of: Of,
) {
    let found =
        |fitted: &improve::Fitted, row: usize, at: usize| *fitted.cells.get(row)?.get(at)?;
    for (at, row) in rows.iter_mut().enumerate() {
        let Some(scale) = scale(at) else { continue };
        let put = |cell: &mut Cell, found: Option<Shrunken>| {
            if let Outcome::Value(figure) = of(cell) {
                figure.improved = found.and_then(|found| scale.improved(&found));
            }
        };
        put(&mut row.alliance, found(alliance, 0, at));
        for (place, cell) in row.hospitals.iter_mut().enumerate() {
            put(cell, found(hospitals, place, at));
        }
    }
}

/// What the hospital as a whole and the sum over its case groups agree on, by weighted least
/// squares; of centred sums, on the centred sum. Nothing where one of the two was not released by the
/// same hospitals, or they are centred differently.
pub(super) fn agreed(
    whole: Option<&Scope<'_>>,
    groups: Option<&Scope<'_>>,
    [of_whole, of_groups]: [&Measure; 2],
) -> Option<Estimate> {
    let measures = |measure: &Measure| [Measure::Count, measure.clone()];
    let whole = whole?.having(&measures(of_whole))?;
    let groups = groups?.having(&measures(of_groups))?;
    let who = |scope: &Scope<'_>| -> Vec<Slug> {
        scope
            .who
            .iter()
            .map(|answer| answer.hospital.clone())
            .collect()
    };
    let apart = whole.centre(of_whole) != groups.centre(of_groups);
    if apart || who(&whole) != who(&groups) {
        return None;
    }
    let total = whole.sum(of_whole, |_| 1)?;
    let mut one = groups.clone();
    let mut cell = |at: usize| {
        one.cells = vec![at];
        one.sum(of_groups, |_| 1)
    };
    let cells: Vec<Noisy> = groups
        .cells
        .iter()
        .map(|at| cell(*at))
        .collect::<Option<_>>()?;
    let found = improve::consistent(&Table {
        columns: 1,
        cells: Part {
            variance: cells.first()?.variance,
            values: cells.iter().map(Noisy::float).collect(),
        },
        rows: None,
        sums: None,
        total: Some(Part {
            values: vec![total.float()],
            variance: total.variance,
        }),
    })?;
    Some(Estimate {
        value: found.total.0,
        variance: found.total.1,
    })
}

/// The number of stays on which totals agree. Close to the threshold of display, where being shown
/// says something about the noise, the raw figure stands alone.
pub(super) fn stays(whole: Option<&Scope<'_>>, groups: Option<&Scope<'_>>) -> Option<Improved> {
    let found = agreed(whole, groups, [&Measure::Count, &Measure::Count])?;
    let scope = whole?;
    let raw = estimate(&scope.count()?, 1.0);
    let threshold = f64::from(scope.context.display.threshold);
    if raw.value <= threshold + 4.0 * libm::sqrt(raw.variance) {
        return None;
    }
    let bounds = interval::around(found.value, libm::sqrt(found.variance));
    improved(found.value.max(0.0), bounds.inside(0.0, f64::INFINITY)?, 1)
}

/// The index against the reference on which totals agree: amounts over stays, in thousandths.
pub(super) fn index(
    whole: Option<&Scope<'_>>,
    groups: Option<&Scope<'_>>,
    field: &Slug,
) -> Option<Improved> {
    let relative = Measure::Relative {
        field: field.clone(),
    };
    let top = agreed(whole, groups, [&relative, &sum_of(field)])?;
    let bottom = agreed(whole, groups, [&Measure::Count, &Measure::Count])?;
    if bottom.value <= Z95 * libm::sqrt(bottom.variance) {
        return None;
    }
    let whole = whole?;
    let most = f64::from(whole.context.dictionary.cap);
    let centre = f64::from(whole.centre(&relative)?) / 1000.0;
    // The plain sum, and the covariance that rebuilding it leaves with the count.
    let top = Estimate {
        value: top.value / 1000.0 + centre * bottom.value,
        variance: top.variance / 1e6 + centre * centre * bottom.variance,
    };
    let shared = centre * bottom.variance;
    let bounds = interval::ratio(top, bottom, shared)?.inside(0.0, most)?;
    improved((top.value / bottom.value).clamp(0.0, most), bounds, 4)
}

fn improved(value: f64, bounds: Bounds, places: u32) -> Option<Improved> {
    Some(Improved {
        method: Method::LeastSquares,
        value: fixed(value, places)?,
        interval: written(bounds, places)?,
    })
}
