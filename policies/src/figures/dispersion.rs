//! Variance, standard deviation and coefficient of variation of a clamped amount from its noisy
//! count, sum and sum of squares (delta method).

use super::interval::{Bounds, Estimate};
use crate::disclosure::Z95;

/// What was released about an amount in one cell, each stay's less `centre`; the three noises are
/// independent. A spread does not know what was taken off, but its noise does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Moments {
    /// Number of stays.
    pub count: Estimate,
    /// Sum of the amount.
    pub sum: Estimate,
    /// Sum of its squares.
    pub squares: Estimate,
    /// What was taken off each amount, zero for plain sums.
    pub centre: f64,
}

/// Spread of the stays in a cell around their mean.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Dispersion {
    /// Standard deviation, in the unit of the amount.
    pub deviation: f64,
    /// Its noise interval.
    pub deviation_bounds: Bounds,
    /// Coefficient of variation, deviation / mean.
    pub variation: f64,
    /// Its noise interval.
    pub variation_bounds: Bounds,
}

/// The dispersion, or `None` where noise hides it: where its variance is uncertain by more than a
/// quarter of the squared mean, or noise pushed it to zero or below, from where no deviation follows.
///
/// Leaving those out makes the rest too high more often, not its intervals worse: with noise σ and
/// a true variance of t·σ, Φ(t) of them are shown and at most 2.5 % are too high; too low are those
/// with t above 1.96 only. Of what is shown at least 95 % hold, at t = 0 exactly.
pub fn dispersion(moments: &Moments) -> Option<Dispersion> {
    let Moments {
        count,
        sum,
        squares,
        centre,
    } = *moments;
    if count.value <= Z95 * libm::sqrt(count.variance) {
        return None;
    }
    let n = count.value;
    // First and second moment around the centre.
    let (first, second) = (sum.value / n, squares.value / n);
    let mean = centre + first;
    // Slopes along squares, sum and count: of the mean, and of the variance.
    let of_mean = [0.0, 1.0 / n, -first / n];
    let slopes = [
        1.0 / n,
        -2.0 * first / n,
        (2.0 * first * first - second) / n,
    ];
    let sigma_of = |slopes: [f64; 3]| {
        let noises = [squares.variance, sum.variance, count.variance];
        let parts = slopes.into_iter().zip(noises);
        libm::sqrt(parts.map(|(slope, noise)| slope * slope * noise).sum())
    };
    if mean <= Z95 * sigma_of(of_mean) {
        return None;
    }
    let variance = second - first * first;
    let sigma = sigma_of(slopes);
    if !(sigma.is_finite() && sigma <= mean * mean / 4.0 && variance > 0.0) {
        return None;
    }
    // The squared coefficient of variation, variance / mean².
    let ratio = variance / (mean * mean);
    let pairs = slopes.into_iter().zip(of_mean);
    let mut relative = pairs
        .map(|(of_variance, of_mean)| of_variance / (mean * mean) - 2.0 * ratio * of_mean / mean);
    let mut next = || relative.next().unwrap_or(0.0);
    let ratio_sigma = sigma_of([next(), next(), next()]);
    let root = |square: f64| libm::sqrt(square.max(0.0));
    Some(Dispersion {
        deviation: root(variance),
        deviation_bounds: Bounds {
            low: root(variance - Z95 * sigma),
            high: root(variance + Z95 * sigma),
        },
        variation: root(ratio),
        variation_bounds: Bounds {
            low: root(ratio - Z95 * ratio_sigma),
            high: root(ratio + Z95 * ratio_sigma),
        },
    })
}

/// The sampling interval of a mean: ± 1.96 deviation / √n.
pub fn sampling(mean: f64, deviation: f64, n: f64) -> Option<Bounds> {
    let half = Z95 * deviation / libm::sqrt(n);
    half.is_finite().then_some(Bounds {
        low: mean - half,
        high: mean + half,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::simulation::Source;

    #[test]
    fn deviation_and_variation_cover() {
        let mut source = Source::new(21);
        // n, mean, coefficient of variation, σ of count, sum, squares
        for (n, mean, cv, scales, centre) in [
            (900.0, 1000.0, 0.6, [6.0, 2e4, 7e7], 0.0),
            (5000.0, 900.0, 0.4, [9.0, 5e4, 2e8], 0.0),
            (400.0, 1000.0, 0.8, [5.0, 1.2e4, 4e7], 0.0),
            (900.0, 1000.0, 0.6, [6.0, 1e4, 1.8e7], 1500.0),
            (400.0, 1000.0, 0.8, [5.0, 6e3, 1e7], 1500.0),
            (300.0, 1900.0, 0.3, [5.0, 6e3, 1e7], 1500.0),
        ] {
            let second = mean * mean * (1.0 + cv * cv);
            let (mut shown, mut sd_held, mut cv_held) = (0_u32, 0_u32, 0_u32);
            for _ in 0..20_000 {
                let mut noisy = |value: f64, sigma: f64| Estimate {
                    value: value + sigma * source.normal(),
                    variance: sigma * sigma,
                };
                let moments = Moments {
                    count: noisy(n, scales[0]),
                    sum: noisy(n * (mean - centre), scales[1]),
                    squares: noisy(
                        n * (second - 2.0 * centre * mean + centre * centre),
                        scales[2],
                    ),
                    centre,
                };
                if let Some(found) = dispersion(&moments) {
                    shown += 1;
                    sd_held += u32::from(found.deviation_bounds.holds(mean * cv));
                    cv_held += u32::from(found.variation_bounds.holds(cv));
                }
            }
            assert!(shown > 15_000, "{n}: {shown}");
            for held in [sd_held, cv_held] {
                let share = f64::from(held) / f64::from(shown);
                assert!(share >= 0.93, "{n}: {share}");
            }
        }
    }

    /// Stays of nearly one cost: half of the noisy variances are below zero. The others' intervals
    /// hold, and no deviation of zero is shown.
    #[test]
    fn a_variance_below_zero_gives_no_deviation() {
        let mut source = Source::new(22);
        let (n, mean, cv) = (900.0, 1000.0, 0.02);
        let (mut shown, mut held) = (0_u32, 0_u32);
        for _ in 0..20_000 {
            let mut noisy = |value: f64, sigma: f64| Estimate {
                value: value + sigma * source.normal(),
                variance: sigma * sigma,
            };
            let moments = Moments {
                count: noisy(n, 5.0),
                sum: noisy(n * mean, 1e4),
                squares: noisy(n * mean * mean * (1.0 + cv * cv), 4e7),
                centre: 0.0,
            };
            if let Some(found) = dispersion(&moments) {
                assert!(found.deviation > 0.0 && found.variation > 0.0);
                shown += 1;
                held += u32::from(found.deviation_bounds.holds(mean * cv));
            }
        }
        assert!((8000..13_000).contains(&shown), "{shown}");
        assert!(
            f64::from(held) / f64::from(shown) >= 0.93,
            "{held} of {shown}"
        );
    }

    #[test]
    fn hidden_by_noise() {
        let moments = Moments {
            count: Estimate {
                value: 50.0,
                variance: 25.0,
            },
            sum: Estimate {
                value: 5e4,
                variance: 1e8,
            },
            squares: Estimate {
                value: 6e7,
                variance: 49e14,
            },
            centre: 0.0,
        };
        assert_eq!(dispersion(&moments), None);
    }
}
