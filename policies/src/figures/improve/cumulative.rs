//! Percentiles from noisy bins and the number of stays, which was released apart with far less
//! noise than the sum of the bins carries.
//!
//! The bins are made to add up to the number of stays by least squares (what is missing is spread
//! evenly, as all bins have the same noise), which ties the noise of the cumulative counts down at
//! both ends like a bridge: at the edge above k of B bins its variance falls from k·σ² to
//! k·(B − k)/B·σ². Then the cumulative counts are made monotone between zero and the number of stays
//! by isotonic regression (Barlow et al. 1972), weighted by these variances.

use super::consistent::{number, weighted_mean};
use crate::disclosure::Z95;
use crate::figures::interval::Bounds;
use crate::figures::percentile::{self, Bins, Quantile};

/// The p-quantile, 0 < p < 1, of bins whose number of stays has noise of variance `variance`.
/// `None` (suppressed) under the same rule as [`percentile::quantile`]. Ends of the interval are
/// edges of bins; it covers at least 95 %, as that of the raw quantile does.
pub fn anchored(bins: &Bins, variance: f64, p: f64) -> Option<Quantile> {
    let count = number(bins.counts.len()).filter(|_| bins.edges.len() == bins.counts.len())?;
    if count < 2.0 || bins.stays < percentile::least(p, bins.sigma) {
        return None;
    }
    let square = bins.sigma * bins.sigma;
    let sum: f64 = bins.counts.iter().sum();
    let (stays, doubt) = weighted_mean([(bins.stays, variance), (sum, square * count)]);
    if stays < 1.0 {
        return None;
    }
    // Cumulative counts and their variances around k/B of the stays, without the top bin's.
    let (mut below, mut running) = (0.0, 0.0);
    let mut edges = Vec::with_capacity(bins.counts.len());
    for value in &bins.counts {
        below += 1.0;
        running += value + (stays - sum) / count;
        edges.push((below, running, square * below * (count - below) / count));
    }
    edges.pop();
    let values: Vec<f64> = edges.iter().map(|edge| edge.1).collect();
    let weights: Vec<f64> = edges
        .iter()
        .map(|e| 1.0 / e.2.max(f64::MIN_POSITIVE))
        .collect();
    let mut fitted = isotonic(&values, &weights);
    for value in &mut fitted {
        *value = value.clamp(0.0, stays);
    }
    fitted.push(stays);
    let (value, open) = percentile::invert(&fitted, &bins.edges, p * stays)?;
    // C_k − p·N = (C_k − k/B·N) + (k/B − p)·N, two independent terms.
    let score = |(below, running, bridge): &(f64, f64, f64)| {
        let slope = below / count - p;
        let scale = libm::sqrt(bridge + slope * slope * doubt).max(f64::MIN_POSITIVE);
        (running - p * stays) / scale
    };
    let scores: Vec<f64> = edges.iter().map(score).chain([f64::INFINITY]).collect();
    let (low, high) = percentile::within(&scores, &bins.edges)?;
    let half = Z95 * libm::sqrt(p * (1.0 - p) / stays);
    let ends = [p - half, p + half]
        .map(|q| percentile::invert(&fitted, &bins.edges, q.clamp(0.0, 1.0) * stays));
    let sampling = match ends {
        [Some((low, _)), Some((high, false))] => Some(Bounds { low, high }),
        _ => None,
    };
    Some(Quantile {
        value,
        open,
        low: low.min(value),
        high: high.filter(|_| !open).map(|high| high.max(value)),
        sampling,
    })
}

/// The non-decreasing sequence nearest to `values` in weighted squares (pool adjacent violators).
fn isotonic(values: &[f64], weights: &[f64]) -> Vec<f64> {
    // Runs of (mean, weight, length).
    let mut runs: Vec<(f64, f64, usize)> = Vec::with_capacity(values.len());
    for (value, weight) in values.iter().zip(weights) {
        let mut run = (*value, *weight, 1_usize);
        while let Some(before) = runs.pop_if(|before| before.0 >= run.0) {
            let weight = before.1 + run.1;
            let mean = (before.0 * before.1 + run.0 * run.1) / weight;
            run = (mean, weight, before.2.saturating_add(run.2));
        }
        runs.push(run);
    }
    let spread = runs
        .iter()
        .map(|(mean, _, length)| std::iter::repeat_n(*mean, *length));
    spread.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::simulation::Source;

    /// 32 log-spaced bins and their counts of a lognormal amount, and the amounts.
    fn truth(n: usize, seed: u64) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let mut source = Source::new(seed);
        let mut amounts: Vec<f64> = (0..n)
            .map(|_| 900.0 * libm::exp(0.6 * source.normal()))
            .collect();
        amounts.sort_by(f64::total_cmp);
        // From a fifteenth to twenty times the reference, as the dictionary's bins.
        let edge = |k: u32| match k {
            0 => 0.0,
            k => (68.0 * libm::exp(libm::log(20_000.0 / 68.0) * f64::from(k - 1) / 30.0)).round(),
        };
        let edges: Vec<f64> = (0..32).map(edge).collect();
        let place = |k: usize, edge: f64| match k {
            32 => n,
            _ => amounts.partition_point(|amount| *amount < edge),
        };
        let counts = (0..32).map(|k| {
            let end = edges.get(k + 1).copied().unwrap_or(f64::INFINITY);
            let inside = place(k + 1, end) - place(k, edges[k]);
            f64::from(u32::try_from(inside).unwrap())
        });
        let counts: Vec<f64> = counts.collect();
        (amounts, edges, counts)
    }

    fn median(mut errors: Vec<f64>) -> f64 {
        errors.sort_by(f64::total_cmp);
        errors[errors.len() / 2]
    }

    /// Median errors of the present and of the anchored percentiles, and their coverage, side by
    /// side over 2,000 draws each, at the noise of the yearly benchmark and others.
    #[test]
    fn anchored_percentiles_err_less_and_their_intervals_hold() {
        let mut total = [0.0; 2];
        for (n, sigma, of_count, seed) in [
            (300, 5.0, 5.5, 81),
            (700, 6.0, 5.5, 82),
            (2000, 15.0, 13.4, 83),
            (9000, 15.0, 15.0, 84),
        ] {
            let (amounts, edges, counts) = truth(n, seed);
            let (mut source, mut noise) = (Source::new(seed), Source::table(sigma));
            let stays: f64 = counts.iter().sum();
            let mut errors = vec![[Vec::new(), Vec::new()]; 4];
            let mut held = [[0_u32; 3]; 4];
            let percents = [25_usize, 50, 75, 90];
            for _ in 0..2000 {
                let bins = Bins {
                    edges: edges.clone(),
                    counts: counts.iter().map(|c| c + noise.draw(&mut source)).collect(),
                    sigma,
                    stays: stays + of_count * source.normal(),
                };
                for ((percent, errors), held) in percents.iter().zip(&mut errors).zip(&mut held) {
                    let p = f64::from(u32::try_from(*percent).unwrap()) / 100.0;
                    let target = amounts[(amounts.len() * percent).div_ceil(100) - 1];
                    let found = [
                        percentile::quantile(&bins, p),
                        anchored(&bins, of_count * of_count, p),
                    ];
                    let [Some(old), Some(new)] = found else {
                        continue;
                    };
                    held[2] += 1;
                    for (way, found) in [old, new].iter().enumerate() {
                        errors[way].push((found.value / target - 1.0).abs());
                        let inside =
                            found.low <= target && found.high.is_none_or(|high| target <= high);
                        held[way] += u32::from(inside);
                    }
                }
            }
            for ((percent, errors), held) in percents.iter().zip(errors).zip(held) {
                if held[2] < 1000 {
                    continue;
                }
                let errors = errors.map(median);
                let covered = f64::from(held[1]) / f64::from(held[2]);
                println!(
                    "N {n}, σ {sigma}, P{percent}: median error {:.2} % → {:.2} %, covered {:.3} → \
                     {covered:.3}",
                    100.0 * errors[0],
                    100.0 * errors[1],
                    f64::from(held[0]) / f64::from(held[2])
                );
                assert!(
                    errors[1] <= 1.03 * errors[0],
                    "P{percent} at N {n}: {errors:?}"
                );
                assert!(covered >= 0.93, "P{percent} at N {n}: {covered}");
                total[0] += errors[0];
                total[1] += errors[1];
            }
        }
        println!("sum of median errors: {:.4} → {:.4}", total[0], total[1]);
        assert!(total[1] < 0.93 * total[0], "{total:?}");
    }

    #[test]
    fn without_noise_nothing_moves() {
        let (amounts, edges, counts) = truth(20_000, 85);
        let bins = Bins {
            edges,
            counts,
            sigma: 1e-6,
            stays: 20_000.0,
        };
        for percent in [25, 50, 75, 90] {
            let p = f64::from(u32::try_from(percent).unwrap()) / 100.0;
            let (old, new) = (percentile::quantile(&bins, p), anchored(&bins, 1e-12, p));
            let (old, new) = (old.unwrap(), new.unwrap());
            assert!((old.value - new.value).abs() < 1e-6, "{old:?} {new:?}");
            let exact = amounts[amounts.len() * percent / 100 - 1];
            assert!(new.low <= exact && new.high.unwrap() >= exact);
        }
    }

    #[test]
    fn suppressed_where_the_raw_one_is() {
        let bins = Bins {
            edges: vec![0.0, 1000.0, 3000.0],
            counts: vec![100.0, 100.0, 800.0],
            sigma: 20.0,
            stays: 1000.0,
        };
        assert!(anchored(&bins, 4.0, 0.5).is_some());
        assert_eq!(anchored(&bins, 4.0, 0.9), None);
        let open = Bins {
            sigma: 1.0,
            ..bins.clone()
        };
        let found = anchored(&open, 4.0, 0.9).unwrap();
        assert!(found.open && found.high.is_none());
        let odd = Bins {
            edges: vec![0.0],
            ..bins
        };
        assert_eq!(anchored(&odd, 4.0, 0.5), None);
    }

    #[test]
    fn weights_decide_where_a_pool_settles() {
        assert_eq!(
            isotonic(&[1.0, 4.0, 1.0], &[1.0, 1.0, 2.0]),
            [1.0, 2.0, 2.0]
        );
        assert_eq!(isotonic(&[], &[]), Vec::<f64>::new());
    }
}
