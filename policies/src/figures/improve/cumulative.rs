//! Percentiles from noisy bins and the number of stays, which was released apart with far less
//! noise than the sum of the bins carries.
//!
//! Cumulative counts rise from zero to the number of stays. The nearest such sequence is taken, in
//! the metric of the noise: cumulative counts of one histogram share noise, and isotonic regression
//! that treats them as independent (Barlow et al. 1972) leaves much of it in. The noise of the bins
//! is independent and of one variance, so in its own metric isotonic regression of the cumulative
//! counts is plain least squares of the bins under two conditions, none below zero and all together
//! the number of stays: the projection onto a simplex (Held, Wolfe and Crowder 1974), which takes one
//! level off all bins and then cuts at zero. The level is what sets this apart from clamping bins,
//! which adds the noise of every empty bin to the total.

use super::consistent::{number, weighted_mean};
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
    let mut below = 0.0;
    let mut fitted: Vec<f64> = projected(&bins.counts, stays)
        .into_iter()
        .map(|count| {
            below += count;
            below
        })
        .collect();
    // Without what rounding left of it.
    *fitted.last_mut()? = stays;
    let (value, open) = percentile::invert(&fitted, &bins.edges, p * stays)?;
    // C_k − p·N = (C_k − k/B·N) + (k/B − p)·N, two independent terms.
    let score = |(below, running, bridge): &(f64, f64, f64)| {
        let slope = below / count - p;
        let scale = libm::sqrt(bridge + slope * slope * doubt).max(f64::MIN_POSITIVE);
        (running - p * stays) / scale
    };
    let scores: Vec<f64> = edges.iter().map(score).chain([f64::INFINITY]).collect();
    let (low, high) = percentile::within(&scores, &bins.edges)?;
    let sampling = percentile::sampling(&fitted, &bins.edges, p, (stays, stays));
    Some(Quantile {
        value,
        open,
        low: low.min(value),
        high: high.filter(|_| !open).map(|high| high.max(value)),
        sampling,
    })
}

/// The nearest numbers in squares that are not below zero and add up to `total`, above zero.
fn projected(values: &[f64], total: f64) -> Vec<f64> {
    let mut falling = values.to_vec();
    falling.sort_by(|a, b| b.total_cmp(a));
    let (mut sum, mut count, mut level) = (0.0, 0.0, 0.0);
    for value in falling {
        sum += value;
        count += 1.0;
        let next = (sum - total) / count;
        if value <= next {
            break;
        }
        level = next;
    }
    values
        .iter()
        .map(|value| (value - level).max(0.0))
        .collect()
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

    /// Median errors of the raw and of the anchored percentiles, and their coverage, side by
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
                    errors[1] <= 1.1 * errors[0],
                    "P{percent} at N {n}: {errors:?}"
                );
                assert!(covered >= 0.93, "P{percent} at N {n}: {covered}");
                total[0] += errors[0];
                total[1] += errors[1];
            }
        }
        println!("sum of median errors: {:.4} → {:.4}", total[0], total[1]);
        assert!(total[1] < 0.92 * total[0], "{total:?}");
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
    fn what_is_possible_already_stays() {
        assert_eq!(projected(&[3.0, 0.0, 2.0], 5.0), [3.0, 0.0, 2.0]);
        // A level of 1 off all: 4, 1, 0, which add up to 5.
        assert_eq!(projected(&[5.0, 2.0, -4.0], 5.0), [4.0, 1.0, 0.0]);
        assert_eq!(projected(&[1.0, 1.0], 4.0), [2.0, 2.0]);
        assert_eq!(projected(&[], 4.0), Vec::<f64>::new());
    }
}
