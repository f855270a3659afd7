//! What a question would cost and how accurate its answer would be, before anything is asked.

use schemas::loss::Rho;
use schemas::question::Measure;
use serde::Serialize;

use super::layout::{BlockLayout, Layout};
use super::sensitivity::least_sigma;
use super::split::{Weighted, least_error};
use super::spread;

/// A plan in numbers for people. Errors are half-widths of 95 % intervals caused by the noise
/// alone, as decimal texts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Explained {
    /// What each data year touched pays.
    pub charge: Rho,
    /// Numbers in the vector.
    pub numbers: usize,
    /// Block by block.
    pub blocks: Vec<ExplainedBlock>,
}

/// One block.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ExplainedBlock {
    /// The dimensions of its table; empty for the hospital as a whole.
    pub by: Vec<String>,
    /// What it measures.
    pub measure: Measure,
    /// What each stay's value counts less in a centred sum, in thousandths of the reference; 0 in
    /// plain blocks.
    pub centre: u32,
    /// Numbers in the block.
    pub numbers: usize,
    /// What it costs.
    pub rho: Rho,
    /// Standard deviation of the noise on each number, in stays or thousandths of the reference.
    pub sigma: String,
    /// Expected error of one number.
    pub error: String,
    /// For a sum beside a count: expected relative error (percent) of the mean of a cell with so
    /// many stays that cost about their reference.
    pub mean_error_percent: Vec<(u32, String)>,
    /// The same of the improved mean, shrunk toward peers that lead to expect the truth to within
    /// 15 % (one standard deviation); empty for the hospital as a whole.
    pub shrunken_error_percent: Vec<(u32, String)>,
    /// For a count or sum whose truth is released once more, as a whole and by case group: expected
    /// error of the number that both agree on by weighted least squares.
    pub agreed_error: Option<String>,
    /// For a histogram: expected error (percentage points of a cell's stays) of where its 75th
    /// percentile lies, by the cell's stays, from the fewest on for which it is shown.
    pub rank_error_points: Vec<(u32, String)>,
    /// The same improved by the number of stays, which is counted apart; empty where nothing tells it.
    pub improved_rank_points: Vec<(u32, String)>,
    /// For a structure: expected error (percentage points) of one item's share, by the cell's stays.
    pub share_error_points: Vec<(u32, String)>,
    /// For a count and the sums beside it: this block's part in the split of their price that makes
    /// the error of the means least, and that error.
    pub least: Option<Least>,
}

/// What the split of least error gives a block.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Least {
    /// Its price.
    pub rho: Rho,
    /// As [`ExplainedBlock::mean_error_percent`], raw.
    pub mean_error_percent: Vec<(u32, String)>,
}

/// Cell sizes for which the expected error is stated.
const SIZES: [u32; 5] = [30, 100, 300, 1000, 3000];

/// Relative standard deviation between the mean of a cell and what its peers lead to expect, for
/// the expected error after shrinking. In public discharge data of New York State it is 10 to 16 %
/// for means of 30 to 300 stays; an alliance's own is estimated from its answers.
const APART: f64 = 0.15;

/// Explains a layout.
pub fn explain(layout: &Layout) -> Explained {
    explain_beside(layout, None)
}

/// Explains a layout whose numbers of stays another one tells where it does not itself.
pub(super) fn explain_beside(layout: &Layout, told: Option<&Layout>) -> Explained {
    let blocks: Vec<ExplainedBlock> = layout
        .blocks
        .iter()
        .map(|block| explain_block(layout, told, block))
        .collect();
    Explained {
        charge: layout.charge,
        numbers: blocks.iter().map(|block| block.numbers).sum(),
        blocks,
    }
}

fn explain_block(layout: &Layout, told: Option<&Layout>, block: &BlockLayout) -> ExplainedBlock {
    let by = layout.table_of(block).map(|table| {
        table
            .axes
            .iter()
            .map(|axis| axis.dimension.to_string())
            .collect()
    });
    let by: Vec<String> = by.unwrap_or_default();
    let sigma = block.sigma.as_f64();
    let count = layout
        .blocks
        .iter()
        .find(|other| other.table == block.table && other.measure == Measure::Count);
    let means = count.filter(|_| is_sum(&block.measure)).map(|count| {
        let relative = relative(block.centre, sigma, count.sigma.as_f64());
        let shrunken = |n: u32| {
            let variance = relative(n) * relative(n);
            (variance * APART * APART / (variance + APART * APART)).sqrt()
        };
        let shrunken = if by.is_empty() {
            Vec::new()
        } else {
            percents(shrunken)
        };
        (percents(&relative), shrunken)
    });
    let (means, shrunken) = means.unwrap_or_default();
    let of_count = count.map(|count| count.sigma.as_f64());
    let of_count = of_count.or_else(|| told_count(told?, &by));
    let ranks = spread::ranks(layout, block, of_count.map(|sigma| sigma * sigma));
    let (ranks, improved_ranks) = ranks.map_or_else(Default::default, |r| (r.raw, r.improved));
    ExplainedBlock {
        by,
        measure: block.measure.clone(),
        centre: block.centre,
        numbers: layout.numbers(block),
        rho: block.rho,
        sigma: format!("{sigma:.2}"),
        error: format!("{:.1}", 1.96 * sigma),
        mean_error_percent: means,
        shrunken_error_percent: shrunken,
        agreed_error: agreed(layout, block).map(|sigma| format!("{:.1}", 1.96 * sigma)),
        rank_error_points: ranks,
        improved_rank_points: improved_ranks,
        share_error_points: spread::shares(layout, block),
        least: least(layout, block),
    }
}

/// The noise of the numbers of stays that another layout tells by the same dimensions.
fn told_count(told: &Layout, by: &[String]) -> Option<f64> {
    let names: Vec<&str> = by.iter().map(String::as_str).collect();
    let at = told.find(told.table_by(&names)?, &Measure::Count)?;
    Some(told.blocks.get(at)?.sigma.as_f64())
}

fn is_sum(measure: &Measure) -> bool {
    matches!(measure, Measure::Sum { .. } | Measure::Relative { .. })
}

/// Relative standard deviation of the mean of so many stays that cost about their reference, by
/// the noise of sum and count. That of the count moves the mean by how far it lies from the centre.
fn relative(centre: u32, of_sum: f64, of_count: f64) -> impl Fn(u32) -> f64 {
    let off = 1000.0 - f64::from(centre);
    let of_mean = (of_sum * of_sum + (off * of_count).powi(2)).sqrt();
    move |n| of_mean / (1000.0 * f64::from(n))
}

/// Half-widths of 95 % intervals in percent.
fn percents(relative: impl Fn(u32) -> f64) -> Vec<(u32, String)> {
    let percent = |n: u32| format!("{:.1}", 196.0 * relative(n));
    SIZES.iter().map(|n| (*n, percent(*n))).collect()
}

/// The scale of the noise that is left where a whole and its case groups tell the same truth.
fn agreed(layout: &Layout, block: &BlockLayout) -> Option<f64> {
    let (whole, groups) = (layout.table_by(&[])?, layout.table_by(&["case_group"])?);
    if usize::try_from(block.table) != Ok(whole) {
        return None;
    }
    let finer = match &block.measure {
        Measure::Count => Measure::Count,
        Measure::Relative { field } => Measure::Sum {
            field: field.clone(),
        },
        Measure::Sum { .. }
        | Measure::CountWhere { .. }
        | Measure::Squares { .. }
        | Measure::Histogram { .. }
        | Measure::Structure { .. } => return None,
    };
    let finer = layout.blocks.get(layout.find(groups, &finer)?)?;
    if finer.centre != block.centre {
        return None;
    }
    let cells = f64::from(layout.tables.get(groups)?.cells);
    let square = |block: &BlockLayout| block.sigma.as_f64().powi(2);
    Some((1.0 / (1.0 / square(block) + 1.0 / (cells * square(finer)))).sqrt())
}

/// The least-error split of what the count and the sums of a table cost together. A mean weighs
/// the noise of its sum once, in thousandths of the reference, and that of the count by the square
/// of how far 1000 lies from the sum's centre.
fn least(layout: &Layout, block: &BlockLayout) -> Option<Least> {
    let of_means = |other: &&BlockLayout| {
        let part = other.measure == Measure::Count || is_sum(&other.measure);
        part && other.table == block.table
    };
    let parts: Vec<&BlockLayout> = layout.blocks.iter().filter(of_means).collect();
    let of_count = parts.iter().position(|p| p.measure == Measure::Count)?;
    let place = parts.iter().position(|part| *part == block)?;
    let sums = parts.iter().filter(|part| is_sum(&part.measure));
    let off = |part: &&BlockLayout| u64::from(part.centre.abs_diff(1000)).checked_pow(2);
    let mut weights = sums.map(off);
    let of_counts = weights.try_fold(0_u64, |sum, one| sum.checked_add(one?))?;
    let weight = |part: &&BlockLayout| {
        // At a centre of 1000 the count's noise moves no such mean; it is bought all the same.
        let weight = if is_sum(&part.measure) {
            1
        } else {
            of_counts.max(1)
        };
        Some(Weighted {
            weight,
            l2_squared: part.l2_squared,
        })
    };
    let weighted: Vec<Weighted> = parts.iter().map(weight).collect::<Option<_>>()?;
    let total = Rho::sum(parts.iter().map(|part| part.rho)).ok()?;
    let shares = least_error(total, &weighted)?;
    let sigma = |at: usize| {
        let scale = least_sigma(parts.get(at)?.l2_squared, *shares.get(at)?).ok()?;
        Some(scale.as_f64())
    };
    let means = is_sum(&block.measure).then(|| {
        let relative = relative(block.centre, sigma(place)?, sigma(of_count)?);
        Some(percents(relative))
    });
    Some(Least {
        rho: *shares.get(place)?,
        mean_error_percent: means.flatten().unwrap_or_default(),
    })
}
