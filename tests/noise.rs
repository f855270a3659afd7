//! Noise that a test scripts. The node's binary has no way to any of these.

use node::noise::{Gaussian, NoiseError, Source};
use policies::plan::{BlockLayout, Sigma};

/// No noise at all.
#[derive(Debug)]
pub struct Zero;

impl Source for Zero {
    fn add(&self, exact: &[i64], _: &BlockLayout) -> Result<Vec<i64>, NoiseError> {
        Ok(exact.to_vec())
    }
}

/// The same number on every cell.
#[derive(Debug)]
pub struct Shift(pub i64);

impl Source for Shift {
    fn add(&self, exact: &[i64], _: &BlockLayout) -> Result<Vec<i64>, NoiseError> {
        Ok(exact.iter().map(|cell| cell + self.0).collect())
    }
}

/// A mutant: half the noise that the plan asks for. The audit must catch it.
#[derive(Debug)]
pub struct Half;

impl Source for Half {
    fn add(&self, exact: &[i64], block: &BlockLayout) -> Result<Vec<i64>, NoiseError> {
        let mut weaker = block.clone();
        weaker.sigma = Sigma(block.sigma.0 / 2);
        weaker.l2_squared = block.l2_squared / 5;
        Gaussian.add(exact, &weaker)
    }
}
