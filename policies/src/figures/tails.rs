//! Tails of the discrete Gaussian, for intervals of whole numbers.

use crate::disclosure::Z95;

/// Below this scale counts use the exact tails of the discrete Gaussian, above it the normal's.
const EXACT_BELOW: f64 = 20.0;
/// What a 95 % interval may miss.
pub(super) const MISS: f64 = 0.05;

/// Upper tails of a discrete Gaussian: exact for small scales, of the normal for large ones.
pub(super) struct Tails {
    sigma: f64,
    /// P(X ≥ k) for k = 0, 1, …; empty for large scales.
    table: Vec<f64>,
}

impl Tails {
    pub(super) fn new(sigma: f64) -> Self {
        let mut table = Vec::new();
        if sigma < EXACT_BELOW {
            let mut k = 0.0_f64;
            // Beyond 12 σ less than 1e-31 is left.
            while k <= 12.0 * sigma + 2.0 {
                table.push(libm::exp(-(k * k) / (2.0 * sigma * sigma)));
                k += 1.0;
            }
            let mut above = 0.0;
            for weight in table.iter_mut().rev() {
                above += *weight;
                *weight = above;
            }
            let (first, second) = (table.first().copied(), table.get(1).copied());
            let all = first.unwrap_or(1.0) + second.unwrap_or(0.0);
            for tail in &mut table {
                *tail /= all;
            }
        }
        Self { sigma, table }
    }

    /// P(X ≥ k) for a whole number k.
    pub(super) fn at_least(&self, k: f64) -> f64 {
        if self.table.is_empty() {
            let scaled = (k - 0.5) / (self.sigma * std::f64::consts::SQRT_2);
            return 0.5 * libm::erfc(scaled);
        }
        let tail = |k: f64| {
            let mut at = 0.0;
            // A linear search would do; the table is short, and no float becomes an index.
            let place = self.table.iter().position(|_| {
                let here = at >= k;
                at += 1.0;
                here
            });
            place
                .and_then(|place| self.table.get(place))
                .copied()
                .unwrap_or(0.0)
        };
        if k > 0.0 {
            tail(k)
        } else {
            1.0 - tail(1.0 - k)
        }
    }

    /// Least whole q with P(|X| ≤ q) ≥ 95 %; 1.96 σ for large scales.
    pub(super) fn reach(&self) -> f64 {
        if self.table.is_empty() {
            return Z95 * self.sigma;
        }
        let mut q = 0.0;
        for above in self.table.iter().skip(1) {
            if 2.0 * above <= MISS {
                break;
            }
            q += 1.0;
        }
        q
    }
}
