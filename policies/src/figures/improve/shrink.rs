//! Empirical Bayes: each noised mean is moved toward what its peers lead to expect, by as much as
//! noise makes it worth less than they are.
//!
//! The normal–normal model (Efron and Morris 1975; Morris 1983; with covariates Fay and Herriot
//! 1979): a released mean y is the true θ plus noise of known variance v; θ lies around what is
//! expected of it, m, with variance A = s·τ² + d. τ² is the spread between true means and what is
//! expected of them, s a known factor of the unit, d the doubt about m itself, which was estimated
//! from other noised numbers. Given τ², the posterior of θ is normal with mean m + (1 − B)·(y − m)
//! and variance (1 − B)·v, B = v / (A + v). τ² is estimated from all units together; so that an
//! estimate of zero does not make every unit equal and every interval too short, B is averaged over
//! the likelihood of τ² with a flat prior on τ² (Morris 1983, section 4), on a fixed grid.
//!
//! One spread for all units is a model: some kinds of units, large ones say, lie further from what is
//! expected of them than others. With a true variance of k·A around m the mean squared error of the
//! posterior mean is B²·k·A + (1 − B)²·v = (1 − B)·v·(1 + (k − 1)·B). The variance that is given is
//! this one at k = 1.5; it is still below v for every B.
//!
//! A 95 % interval is posterior mean ± 1.96 standard deviations of that kind. It covers 95 % and more
//! on average over the units that were shrunk together, not for each: a unit that truly lies far from its peers is
//! covered less often, one close to them more often. Readers who ask about one unit that they have
//! reason to think special use the raw interval, which covers for each unit.

use crate::disclosure::Z95;
use crate::figures::interval::Bounds;

/// A noised mean and what is known of its peers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Seen {
    /// The mean as it came out of the noise.
    pub value: f64,
    /// Variance of its noise, above zero.
    pub variance: f64,
    /// What others lead to expect of it.
    pub expected: f64,
    /// Variance of that expectation as an estimate, beside the spread between units.
    pub doubt: f64,
    /// So many times the common spread this unit lies around what is expected of it.
    pub scale: f64,
}

/// A mean after shrinking.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Shrunken {
    /// The posterior mean.
    pub value: f64,
    /// Its variance, that of an estimated spread included, with room for units that lie further from
    /// what is expected than all do.
    pub variance: f64,
    /// Weight of what was expected, B: 0 leaves the raw value, 1 takes what was expected.
    pub weight: f64,
}

impl Shrunken {
    /// The 95 % interval; what it covers is said above.
    pub fn bounds(&self) -> Bounds {
        let half = Z95 * libm::sqrt(self.variance);
        Bounds {
            low: self.value - half,
            high: self.value + half,
        }
    }
}

/// k − 1. In public discharge data k is 1.1 to 1.3 for means of 100 to 300 stays and for those of 30 to
/// 100 in an alliance of twenty, so that intervals without room hold 93 %.
const ROOM: f64 = 0.5;
/// Fewer units than this say nothing of their spread: they are left raw.
const LEAST: usize = 4;
/// The grid of τ, relative to what is expected: from half a percent to ten times it, by factors of 1.15.
const FIRST: f64 = 0.005;
const MOST: f64 = 10.0;
const POINTS: f64 = 56.0;

/// What is known of the spread τ²: points of a grid and their probabilities.
#[derive(Clone, PartialEq, Debug)]
pub struct Spread(Vec<(f64, f64)>);

impl Spread {
    /// Its mean.
    pub fn mean(&self) -> f64 {
        self.0.iter().map(|(spread, part)| spread * part).sum()
    }
}

/// The spread between units by the likelihood of their residuals. What is expected of a unit must
/// not depend on its own noise. `None` for too few units, or where a noise is not above zero.
pub fn between(seen: &[Seen]) -> Option<Spread> {
    let usable = |one: &Seen| one.variance > 0.0 && (one.value - one.expected).is_finite();
    if seen.len() < LEAST || !seen.iter().all(usable) {
        return None;
    }
    let step = libm::log(MOST / FIRST) / (POINTS - 1.0);
    let (mut points, mut best, mut at) = (Vec::new(), f64::NEG_INFINITY, 0.0);
    while at < POINTS {
        let tau = FIRST * libm::exp(step * at);
        let spread = tau * tau;
        // On a grid of equal factors a flat prior on τ² weighs by τ².
        let likelihood: f64 = seen.iter().map(|one| one.log_likelihood(spread)).sum();
        let log = libm::log(spread) + likelihood;
        best = best.max(log);
        points.push((spread, log));
        at += 1.0;
    }
    for point in &mut points {
        point.1 = libm::exp(point.1 - best);
    }
    let sum: f64 = points.iter().map(|point| point.1).sum();
    for point in &mut points {
        point.1 /= sum;
    }
    sum.is_finite().then_some(Spread(points))
}

impl Seen {
    fn log_likelihood(&self, spread: f64) -> f64 {
        let variance = self.variance + self.doubt + self.scale * spread;
        let residual = self.value - self.expected;
        -0.5 * (libm::log(variance) + residual * residual / variance)
    }
}

/// Shrinks a unit. That τ² is not known for sure is in the variance: the posterior means at each
/// τ² differ.
pub fn shrink(one: &Seen, spread: &Spread) -> Shrunken {
    let residual = one.value - one.expected;
    let (mut weight, mut square, mut within) = (0.0, 0.0, 0.0);
    for (spread, part) in &spread.0 {
        let around = one.scale * spread + one.doubt;
        let of_expected = one.variance / (around + one.variance);
        weight += part * of_expected;
        square += part * of_expected * of_expected;
        within += part * (1.0 - of_expected) * (1.0 + ROOM * of_expected) * one.variance;
    }
    let of_spread = (square - weight * weight).max(0.0) * residual * residual;
    Shrunken {
        value: one.expected + (1.0 - weight) * residual,
        variance: within + of_spread,
        weight,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::simulation::Source;

    /// 400 tables of so many units, of spread τ around what is expected of them and with noise of
    /// different variances: mean squared error of raw and shrunken values, and coverage.
    fn simulate(units: u32, spread: f64, doubt: f64, seed: u64) -> [f64; 3] {
        let mut source = Source::new(seed);
        let (mut raw, mut better, mut held, mut count) = (0.0, 0.0, 0_u32, 0_u32);
        for _ in 0..400 {
            let mut truths = Vec::new();
            let mut seen = Vec::new();
            for unit in 0..units {
                let scale = [0.05, 0.1, 0.2, 0.4][unit as usize % 4];
                let truth = 1.0 + spread * source.normal();
                truths.push(truth);
                seen.push(Seen {
                    value: truth + scale * source.normal(),
                    variance: scale * scale,
                    expected: 1.0 + libm::sqrt(doubt) * source.normal(),
                    doubt,
                    scale: 1.0,
                });
            }
            let spread = between(&seen).unwrap();
            for (one, truth) in seen.iter().zip(truths) {
                let found = shrink(one, &spread);
                raw += (one.value - truth) * (one.value - truth);
                better += (found.value - truth) * (found.value - truth);
                held += u32::from(found.bounds().holds(truth));
                count += 1;
            }
        }
        let count = f64::from(count);
        [raw / count, better / count, f64::from(held) / count]
    }

    /// With noise up to 0.4 and a spread of 0.15 the mean squared error falls to less than a third;
    /// with a spread far above the noise it stays what it was. Intervals hold 95 % on average.
    #[test]
    fn the_error_falls_and_intervals_hold_on_average() {
        for (units, spread, doubt, factor) in [
            (40, 0.15, 0.0, 0.30),
            (40, 0.15, 0.005, 0.35),
            (200, 0.05, 0.001, 0.12),
            (200, 0.0, 0.001, 0.05),
            (40, 3.0, 0.0, 1.01),
            (8, 0.15, 0.005, 0.45),
        ] {
            let [raw, better, covered] = simulate(units, spread, doubt, 61);
            println!("{units} units, spread {spread}: {raw:.4} {better:.4} {covered:.4}");
            assert!(better < factor * raw, "{units} {spread}: {better} of {raw}");
            // Few units estimate their spread badly: then a little less is asked of the coverage.
            let least = if units < 40 { 0.92 } else { 0.935 };
            assert!(covered >= least, "{units} {spread}: {covered}");
        }
    }

    #[test]
    fn the_spread_is_found() {
        let mut source = Source::new(62);
        let (mut sum, runs) = (0.0, 200);
        for _ in 0..runs {
            let of = |_| {
                let variance = 0.01 + 0.05 * source.uniform();
                Seen {
                    value: 0.2 * source.normal() + libm::sqrt(variance) * source.normal(),
                    variance,
                    expected: 0.0,
                    doubt: 0.0,
                    scale: 1.0,
                }
            };
            let seen: Vec<Seen> = (0..100).map(of).collect();
            sum += between(&seen).unwrap().mean() / f64::from(runs);
        }
        assert!((sum - 0.04).abs() < 0.004, "{sum}");
    }

    #[test]
    fn too_few_units_or_no_noise_give_no_spread() {
        let one = Seen {
            value: 1.0,
            variance: 0.1,
            expected: 1.2,
            doubt: 0.0,
            scale: 1.0,
        };
        assert_eq!(between(&[one; 3]), None);
        assert!(
            between(&[one; 4]).unwrap().mean() > 0.0,
            "four equal ones prove nothing"
        );
        let exact = Seen {
            variance: 0.0,
            ..one
        };
        assert_eq!(between(&[exact; 9]), None);
    }

    #[test]
    fn what_nobody_doubts_is_taken_and_what_is_doubted_is_left() {
        let one = Seen {
            value: 1.5,
            variance: 0.1,
            expected: 1.0,
            doubt: 0.0,
            scale: 1.0,
        };
        let known = |spread| Spread(vec![(spread, 1.0)]);
        let taken = shrink(&one, &known(0.0));
        assert!((taken.value - 1.0).abs() < 1e-12 && taken.weight > 0.999);
        let left = shrink(&one, &known(1e9));
        assert!((left.value - 1.5).abs() < 1e-6 && (left.variance - 0.1).abs() < 1e-6);
    }
}
