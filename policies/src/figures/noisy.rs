//! A whole number that carries noise of known variance.

use dashu::integer::IBig;

/// A released number, or a weighted sum of such, and the variance of its noise.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Noisy {
    /// The number, exact.
    pub(super) value: IBig,
    /// Variance of its noise.
    pub(super) variance: f64,
}

impl Noisy {
    /// Nothing yet.
    pub(super) fn zero() -> Self {
        Self {
            value: IBig::ZERO,
            variance: 0.0,
        }
    }

    /// Adds `weight` times a number with noise of standard deviation `sigma`, independent of
    /// what is here.
    pub(super) fn add(&mut self, number: i64, sigma: f64, weight: u64) {
        self.value += IBig::from(number) * IBig::from(weight);
        let weighted = sigma * IBig::from(weight).to_f64().value();
        self.variance += weighted * weighted;
    }

    /// As a float.
    pub(super) fn float(&self) -> f64 {
        self.value.to_f64().value()
    }

    /// Standard deviation of the noise.
    pub(super) fn sigma(&self) -> f64 {
        libm::sqrt(self.variance)
    }
}
