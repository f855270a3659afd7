//! What a question would cost and how accurate its answer would be, before anything is asked.

use schemas::loss::Rho;
use schemas::question::Measure;
use serde::Serialize;

use super::layout::{BlockLayout, Layout};

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
}

/// Cell sizes for which the expected error is stated.
const SIZES: [u32; 5] = [30, 100, 300, 1000, 3000];

/// Explains a layout.
pub fn explain(layout: &Layout) -> Explained {
    let blocks: Vec<ExplainedBlock> = layout
        .blocks
        .iter()
        .map(|block| explain_block(layout, block))
        .collect();
    Explained {
        charge: layout.charge,
        numbers: blocks.iter().map(|block| block.numbers).sum(),
        blocks,
    }
}

fn explain_block(layout: &Layout, block: &BlockLayout) -> ExplainedBlock {
    let by = layout.table_of(block).map(|table| {
        table
            .axes
            .iter()
            .map(|axis| axis.dimension.to_string())
            .collect()
    });
    let sigma = block.sigma.as_f64();
    let count = layout
        .blocks
        .iter()
        .find(|other| other.table == block.table && other.measure == Measure::Count);
    let means = match (&block.measure, count) {
        (Measure::Sum { .. } | Measure::Relative { .. }, Some(count)) => {
            let of_mean = (sigma * sigma + 1e6 * count.sigma.as_f64().powi(2)).sqrt();
            let percent = |n: u32| 196.0 * of_mean / (1000.0 * f64::from(n));
            SIZES
                .iter()
                .map(|n| (*n, format!("{:.1}", percent(*n))))
                .collect()
        }
        _ => Vec::new(),
    };
    ExplainedBlock {
        by: by.unwrap_or_default(),
        measure: block.measure.clone(),
        numbers: layout.numbers(block),
        rho: block.rho,
        sigma: format!("{sigma:.2}"),
        error: format!("{:.1}", 1.96 * sigma),
        mean_error_percent: means,
    }
}
