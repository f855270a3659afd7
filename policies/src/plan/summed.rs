//! What a pooled question would cost and how accurate its sum would be, before a round is opened.

use schemas::dictionary::Dictionary;
use schemas::loss::Rho;
use schemas::question::{Measure, Question};
use serde::Serialize;

use super::explain::{Explained, explain_beside};
use super::layout::{Layout, Sigma};
use super::{Refusal, pooled_blocks, pooled_charge};

/// The hospitals of a round that is thought of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Thought {
    /// Hospitals in the sum: all that are asked.
    pub hospitals: u32,
    /// Fewest hospitals in the sum.
    pub n_min: u32,
    /// Hospitals that may collude.
    pub t: u32,
}

impl Thought {
    /// The least `n_min` that the floors allow for so many hospitals.
    pub fn least(hospitals: u32, t: u32) -> Self {
        let share = hospitals.saturating_mul(4).div_ceil(5);
        Self {
            hospitals,
            n_min: share.max(3).max(t.saturating_add(2)),
            t,
        }
    }
}

/// A pooled plan in numbers for people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ExplainedSum {
    /// Hospitals in the sum.
    pub hospitals: u32,
    /// Fewest hospitals in the sum.
    pub n_min: u32,
    /// Hospitals that may collude.
    pub t: u32,
    /// What an upload costs each data year.
    pub charge: Rho,
    /// The same if the whole committee colludes: the ledger's line `pooled-worst`.
    pub worst: Rho,
    /// The errors of the sum over all these hospitals.
    pub sum: Explained,
}

/// Explains a pooled question of a round. `beside` is the attributed question that tells the numbers
/// of stays that the sums do not, by the same dimensions: of each hospital, so that their noise adds up.
pub fn explain_sum(
    question: &Question,
    layout: &Layout,
    dictionary: &Dictionary,
    thought: Thought,
    beside: Option<&Layout>,
) -> Result<ExplainedSum, Refusal> {
    let thresholds = (thought.n_min, thought.t);
    let blocks = pooled_blocks(question, layout, dictionary, thresholds)?;
    let hospitals = u128::from(thought.hospitals);
    let mut wide = layout.clone();
    for (block, share) in wide.blocks.iter_mut().zip(&blocks) {
        let square = u128::from(share.sigma_share).saturating_pow(2);
        block.sigma = root(square.saturating_mul(hospitals));
    }
    // What hospitals tell one by one carries as many noises as there are hospitals.
    let counts = beside.map(|told| {
        let mut told = told.clone();
        for block in &mut told.blocks {
            let square = u128::from(block.sigma.0).saturating_pow(2);
            block.sigma = root(square.saturating_mul(hospitals));
        }
        told
    });
    let (charge, worst) = pooled_charge(layout, thresholds)?;
    let mut sum = explain_beside(&wide, counts.as_ref());
    for block in &mut sum.blocks {
        // A split of least error is of prices, which nobody shares.
        block.least = None;
    }
    Ok(ExplainedSum {
        hospitals: thought.hospitals,
        n_min: thought.n_min,
        t: thought.t,
        charge,
        worst,
        sum,
    })
}

fn root(square: u128) -> Sigma {
    let root = square.isqrt();
    let up = u128::from(root.saturating_mul(root) < square);
    Sigma(u64::try_from(root.saturating_add(up)).unwrap_or(u64::MAX))
}

/// Whether a layout tells the numbers of stays by all tables that another one has.
pub fn counts_by(told: &Layout, wanted: &Layout) -> bool {
    wanted.tables.iter().all(|table| {
        let names: Vec<&str> = table
            .axes
            .iter()
            .map(|axis| axis.dimension.as_str())
            .collect();
        told.table_by(&names)
            .is_some_and(|at| told.find(at, &Measure::Count).is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_the_least_that_the_floors_allow() {
        for (hospitals, t, expected) in [(3, 1, 3), (6, 1, 5), (10, 1, 8), (5, 3, 5), (12, 2, 10)] {
            assert_eq!(Thought::least(hospitals, t).n_min, expected);
        }
    }

    #[test]
    fn roots_are_rounded_up() {
        assert_eq!(root(0), Sigma(0));
        assert_eq!(root(16), Sigma(4));
        assert_eq!(root(17), Sigma(5));
    }
}
