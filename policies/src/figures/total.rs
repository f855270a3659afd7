//! The interval of a total that was rebuilt from a centred sum and the noisy count by which its cell is
//! shown.

use super::interval::{Bounds, Estimate, around, shown_count};
use crate::disclosure::Z95;

/// A sum that shares noise with the count of a cell, which is shown because its noisy count reached
/// `threshold` and its own interval does not reach zero. What the count brings into the sum has the
/// count's interval among shown cells ([`super::interval::shown_count`]), the rest its plain one. Within two standard
/// deviations of the threshold the two add up below, as the count is then mostly too high; further
/// away they are independent and add up as squares.
pub(super) fn shown(sum: Estimate, count: Estimate, covariance: f64, threshold: f64) -> Bounds {
    let plain = around(sum.value, libm::sqrt(sum.variance));
    if !(covariance > 0.0 && count.variance > 0.0) {
        return plain;
    }
    let sigma = libm::sqrt(count.variance);
    let threshold = threshold.max((Z95 * sigma).floor() + 1.0);
    let per_stay = covariance / count.variance;
    let rest = Z95 * libm::sqrt((sum.variance - per_stay * covariance).max(0.0));
    let low = shown_count(count.value, sigma, threshold).low;
    let reach = per_stay * (count.value - low);
    let reach = if count.value <= threshold + 2.0 * sigma {
        rest + reach
    } else {
        libm::hypot(rest, reach.max(per_stay * Z95 * sigma))
    };
    Bounds {
        low: sum.value - reach,
        high: plain.high,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Totals rebuilt from centred sums, among shown cells of few stays, by the prices of the shipped
    /// templates: groups a patient falls in, ρ of count and cost. No draws: the share is summed over the
    /// noisy counts, so that the test cannot fail by chance.
    #[test]
    fn shown_totals_cover_although_they_were_chosen() {
        let centre = 1500.0;
        for (groups, of_count, of_cost) in [
            (3.0, 0.04, 0.11),
            (3.0, 0.05, 0.07),
            (1.0, 0.006, 0.006),
            (1.0, 0.008, 0.010),
        ] {
            let sigma = libm::sqrt(groups / (2.0 * of_count));
            let of_sum = centre * libm::sqrt(groups / (2.0 * of_cost));
            let below = |x: f64| 0.5 * libm::erfc(-x / of_sum / std::f64::consts::SQRT_2);
            for n in 3_u8..=30 {
                let n = f64::from(n);
                let (mut held, mut plainly, mut all) = (0.0, 0.0, 0.0);
                let mut noisy = 11.0_f64.max((Z95 * sigma).floor() + 1.0);
                while noisy < n + 14.0 * sigma {
                    let (off, variance) = (noisy - n, sigma * sigma);
                    let weight = libm::exp(-off * off / (2.0 * variance));
                    let top = Estimate {
                        value: centre * off,
                        variance: of_sum * of_sum + centre * centre * variance,
                    };
                    let count = Estimate {
                        value: noisy,
                        variance,
                    };
                    // The sum's own noise is what is left: the true total is put at zero.
                    let share = |bounds: Bounds| below(-bounds.low) - below(-bounds.high);
                    let shared = centre * variance;
                    held += weight * share(shown(top, count, shared, 11.0));
                    plainly += weight * share(around(top.value, libm::sqrt(top.variance)));
                    all += weight;
                    noisy += 1.0;
                }
                let (held, plainly) = (held / all, plainly / all);
                assert!((0.93..=0.995).contains(&held), "{sigma} {n}: {held}");
                // What the room below is for.
                assert!(n > 3.0 || plainly < 0.8, "{sigma} {n}: {plainly}");
            }
        }
    }
}
