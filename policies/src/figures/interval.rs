//! 95 % intervals from noise of known scale. They say what the noise hides about the data that was
//! asked; what chance hides about the hospital (sampling) is another interval beside it.

use super::tails::{MISS, Tails};
use crate::disclosure::Z95;

/// An interval, both ends included.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bounds {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Bounds {
    /// The part at or above `least`, for amounts that cannot be lower.
    #[must_use]
    pub fn at_least(self, least: f64) -> Self {
        Self {
            low: self.low.max(least),
            high: self.high.max(least),
        }
    }

    /// The part at or below `most`.
    #[must_use]
    pub fn at_most(self, most: f64) -> Self {
        Self {
            low: self.low.min(most),
            high: self.high.min(most),
        }
    }

    /// The part between `least` and `most`; `None` where no part of it is, because noise moved the
    /// whole interval to where no true value can lie.
    #[must_use]
    pub fn inside(self, least: f64, most: f64) -> Option<Self> {
        let possible = self.high >= least && self.low <= most;
        possible.then(|| self.at_least(least).at_most(most))
    }

    /// Both ends multiplied by a factor above zero.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self {
            low: self.low * factor,
            high: self.high * factor,
        }
    }

    /// Whether a value lies inside.
    pub fn holds(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// A number and the variance of its noise.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Estimate {
    /// The released number.
    pub value: f64,
    /// Variance of its noise.
    pub variance: f64,
}

impl Estimate {
    /// Nothing yet.
    pub const ZERO: Self = Self {
        value: 0.0,
        variance: 0.0,
    };
}

/// value ± 1.96 σ, for sums.
pub fn around(value: f64, sigma: f64) -> Bounds {
    Bounds {
        low: value - Z95 * sigma,
        high: value + Z95 * sigma,
    }
}

/// A whole number with discrete Gaussian noise: value ± q with the least q that holds 95 %.
pub fn whole(value: f64, sigma: f64) -> Bounds {
    let reach = Tails::new(sigma).reach();
    Bounds {
        low: value - reach,
        high: value + reach,
    }
}

/// The count of a cell that is shown because its noisy count reached `threshold`. Among shown
/// cells a noisy count just above the threshold is more often too high than too low; the lower
/// end gives room for that, so that 95 % holds among the cells that readers see. With `Y` the noisy
/// count, a true count n is kept unless Y lies in the tails of Y given Y ≥ threshold.
pub fn shown_count(value: f64, sigma: f64, threshold: f64) -> Bounds {
    let tails = Tails::new(sigma);
    let reach = tails.reach();
    let plain = Bounds {
        low: value - reach,
        high: value + reach,
    };
    // Far above the threshold the condition changes nothing.
    if value < threshold || value > threshold + 12.0 * sigma + 2.0 {
        return plain.at_least(0.0);
    }
    let refused = |n: f64| {
        let shown = tails.at_least(threshold - n);
        let above = tails.at_least(value - n);
        // The part of the 5 % that is spent where Y is far below n.
        let low = (shown - tails.at_least(-reach)).max(0.0);
        let spent = if n - reach > threshold { low } else { 0.0 };
        above <= MISS * shown - spent
    };
    let (mut low, mut high) = ((threshold - 9.0 * sigma).floor().max(0.0), value);
    if refused(low) {
        // Invariant: `low` is refused, `high` is kept.
        while high - low > 1.0 {
            let middle = low.midpoint(high).floor();
            if refused(middle) {
                low = middle;
            } else {
                high = middle;
            }
        }
        low = high;
    } else {
        low = 0.0;
    }
    Bounds {
        low,
        high: plain.high,
    }
}

/// `top / bottom` by Fieller (1954): all ratios θ for which top − θ·bottom is no further from zero
/// than its noise allows. `None` where the bottom's interval reaches zero, when the ratios are
/// unbounded: such a ratio is not releasable.
pub fn ratio(top: Estimate, bottom: Estimate, covariance: f64) -> Option<Bounds> {
    ratio_at(Z95, top, bottom, covariance)
}

/// The ratio to the count of a cell that is shown because its noisy count reached `threshold`, and
/// that lies between zero and `most`. Within two standard deviations of the threshold the count is
/// more often too high than too low, and the ratio too low, or too high where what it shares with the
/// count weighs more than the ratio itself; there the end on the other side leaves out 1.25 % before
/// that choice instead of 2.5 %, or is the most or least possible where that leaves it unbounded.
pub fn shown_ratio(
    (top, bottom): (Estimate, Estimate),
    covariance: f64,
    threshold: f64,
    most: f64,
) -> Option<Bounds> {
    let mut bounds = ratio(top, bottom, covariance)?;
    if bottom.value <= threshold + 2.0 * libm::sqrt(bottom.variance) {
        let wide = ratio_at(2.241_402_727_604_945, top, bottom, covariance);
        if covariance <= top.value / bottom.value * bottom.variance {
            bounds.high = wide.map_or(most, |wide| wide.high);
        } else {
            bounds.low = wide.map_or(0.0, |wide| wide.low);
        }
    }
    Some(bounds)
}

fn ratio_at(z: f64, top: Estimate, bottom: Estimate, covariance: f64) -> Option<Bounds> {
    let (d, zz) = (bottom.value, z * z);
    let square = d * d;
    let reach = zz * bottom.variance / square;
    if !(d > 0.0 && reach < 1.0) {
        return None;
    }
    let theta = top.value / d;
    let middle = theta - zz * covariance / square;
    let spread = top.variance - 2.0 * theta * covariance
        + theta * theta * bottom.variance
        + zz * (covariance * covariance - top.variance * bottom.variance) / square;
    let half = z * libm::sqrt(spread.max(0.0)) / d;
    let bounds = Bounds {
        low: (middle - half) / (1.0 - reach),
        high: (middle + half) / (1.0 - reach),
    };
    (bounds.low.is_finite() && bounds.high.is_finite()).then_some(bounds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::simulation::Source;

    /// Runs `trial` 40,000 times from a fixed seed. With coverage c the share differs from c by
    /// more than 0.6 points with probability below 1e-6 (normal, c ≥ 0.93: 4.9 standard errors of
    /// 0.128 points); the seed is fixed, so that the test gives one result for ever.
    fn coverage(seed: u64, mut trial: impl FnMut(&mut Source) -> Option<bool>) -> f64 {
        let mut source = Source::new(seed);
        let (mut held, mut shown) = (0_u32, 0_u32);
        while shown < 40_000 {
            if let Some(inside) = trial(&mut source) {
                shown += 1;
                held += u32::from(inside);
            }
        }
        f64::from(held) / f64::from(shown)
    }

    fn two_sided(share: f64, what: &str) {
        assert!((0.93..=0.97).contains(&share), "{what}: {share}");
    }

    #[test]
    fn counts_and_sums_cover() {
        for sigma in [5.0, 5.36, 8.3, 19.9, 20.1, 60.0] {
            let mut noise = Source::table(sigma);
            let share = coverage(11, |source| {
                Some(whole(40.0 + noise.draw(source), sigma).holds(40.0))
            });
            two_sided(share, "count");
        }
        for sigma in [0.3, 1.0, 2.5] {
            let mut noise = Source::table(sigma);
            let share = coverage(12, |source| {
                Some(whole(40.0 + noise.draw(source), sigma).holds(40.0))
            });
            assert!(share >= 0.93, "{sigma}: {share}");
        }
        let mut noise = Source::table(3000.0);
        let share = coverage(13, |source| {
            Some(around(5e5 + noise.draw(source), 3000.0).holds(5e5))
        });
        two_sided(share, "sum");
    }

    /// Among the cells that are shown, whatever their true count.
    #[test]
    fn shown_counts_cover_although_they_were_chosen() {
        for sigma in [5.0, 8.7, 25.0] {
            let mut noise = Source::table(sigma);
            for truth in [0.0, 4.0, 10.0, 14.0, 22.0, 40.0, 90.0] {
                let share = coverage(14, |source| {
                    let noisy = truth + noise.draw(source);
                    (noisy >= 11.0).then(|| shown_count(noisy, sigma, 11.0).holds(truth))
                });
                assert!(share >= 0.93, "σ {sigma}, n {truth}: {share}");
                if truth > 0.0 {
                    assert!(share <= 0.97, "σ {sigma}, n {truth}: {share}");
                }
            }
        }
    }

    #[test]
    fn means_cover_by_fieller() {
        for (n, mean, sigma_n, sigma_sum) in [
            (60.0, 950.0, 6.0, 18_000.0),
            (150.0, 1010.0, 8.0, 30_000.0),
            (3000.0, 880.0, 12.0, 50_000.0),
        ] {
            let (mut top, mut bottom) = (Source::table(sigma_sum), Source::table(sigma_n));
            let share = coverage(15, |source| {
                let sum = Estimate {
                    value: n * mean + top.draw(source),
                    variance: sigma_sum * sigma_sum,
                };
                let count = Estimate {
                    value: n + bottom.draw(source),
                    variance: sigma_n * sigma_n,
                };
                Some(ratio(sum, count, 0.0)?.holds(mean))
            });
            two_sided(share, "mean");
        }
    }

    /// A centred sum and a count give the interval of their ratio, moved by the centre; among shown
    /// cells of few stays, whatever their true count, it holds too.
    #[test]
    fn means_of_rebuilt_sums_cover() {
        let (of_count, of_sum, centre) = (6.0, 6000.0, 1500.0);
        let mut counts = Source::table(of_count);
        for mean in [600.0, 1000.0, 1500.0, 2400.0] {
            for least in [8.0, 40.0, 200.0] {
                let share = coverage(17, |source| {
                    let n = (least * (1.0 + 2.0 * source.uniform())).floor();
                    let stays = n + counts.draw(source);
                    let less = n * (mean - centre) + of_sum * source.normal();
                    let one = |value: f64, variance: f64| Estimate { value, variance };
                    let bottom = one(stays, of_count * of_count);
                    let centred = one(less, of_sum * of_sum);
                    let rebuilt = one(
                        less + centre * stays,
                        of_sum * of_sum + centre * centre * bottom.variance,
                    );
                    let shared = centre * bottom.variance;
                    let moved = ratio(centred, bottom, 0.0);
                    let found = ratio(rebuilt, bottom, shared);
                    if let (Some(moved), Some(found)) = (moved, found) {
                        assert!((moved.low + centre - found.low).abs() < 1e-6);
                        assert!((moved.high + centre - found.high).abs() < 1e-6);
                    }
                    let shown = stays >= 11.0 && stays > 1.96 * of_count;
                    let bounds = shown_ratio((rebuilt, bottom), shared, 11.0, 3000.0)?;
                    shown.then(|| bounds.holds(mean))
                });
                assert!((0.93..=0.99).contains(&share), "{mean} {least}: {share}");
            }
        }
    }

    /// A share whose numerator is part of its denominator.
    #[test]
    fn shares_cover_by_fieller() {
        let sigma = 7.0;
        let mut noise = Source::table(sigma);
        let truth = [30.0, 200.0, 70.0];
        let share = coverage(16, |source| {
            let drawn = truth.map(|bin| bin + noise.draw(source));
            let top = Estimate {
                value: drawn[0],
                variance: sigma * sigma,
            };
            let bottom = Estimate {
                value: drawn.iter().sum(),
                variance: 3.0 * sigma * sigma,
            };
            Some(ratio(top, bottom, sigma * sigma)?.holds(0.1))
        });
        assert!(share >= 0.93, "{share}");
    }

    #[test]
    fn a_count_that_may_be_zero_divides_nothing() {
        let top = Estimate {
            value: 1e4,
            variance: 1.0,
        };
        for count in [-20.0, 0.0, 11.0] {
            let bottom = Estimate {
                value: count,
                variance: 36.0,
            };
            assert_eq!(ratio(top, bottom, 0.0), None);
        }
    }

    #[test]
    fn only_the_possible_part_is_left() {
        let bounds = |low, high| Bounds { low, high };
        assert_eq!(bounds(-2.0, 5.0).inside(0.0, 3.0), Some(bounds(0.0, 3.0)));
        assert_eq!(bounds(1.0, 2.0).inside(0.0, 3.0), Some(bounds(1.0, 2.0)));
        assert_eq!(bounds(-2.0, -1.0).inside(0.0, 3.0), None);
        assert_eq!(bounds(4.0, 5.0).inside(0.0, 3.0), None);
    }

    #[test]
    fn without_noise_the_interval_is_a_point() {
        let exact = |value| Estimate {
            value,
            variance: 0.0,
        };
        assert_eq!(
            ratio(exact(30.0), exact(10.0), 0.0),
            Some(Bounds {
                low: 3.0,
                high: 3.0
            })
        );
    }
}
