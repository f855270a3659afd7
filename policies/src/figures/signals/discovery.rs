//! Which of many p-values are discoveries (Benjamini and Hochberg 1995, Journal of the Royal
//! Statistical Society B 57, 289–300).

/// P(Z ≥ z) of the standard normal.
pub(super) fn upper_tail(z: f64) -> f64 {
    0.5 * libm::erfc(z / std::f64::consts::SQRT_2)
}

/// The largest p-value that is a discovery at false-discovery rate `q`: the largest p₍ᵢ₎ ≤ q·i/m.
/// Below zero where none is.
pub(super) fn threshold(p: &[f64], q: f64) -> f64 {
    let mut sorted = p.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "numbers of tests are small")]
    let share = |place: usize| (place.saturating_add(1)) as f64 / p.len() as f64;
    let found = sorted
        .iter()
        .enumerate()
        .rev()
        .find(|(place, p)| **p <= q * share(*place));
    found.map_or(-1.0, |(_, p)| *p)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of the paper, section 4.1: 15 p-values of which four are rejected at 0.05.
    #[test]
    fn the_papers_example() {
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
            0.5719, 0.6528, 0.7590, 1.000,
        ];
        let most = threshold(&p, 0.05);
        assert_eq!(p.iter().filter(|p| **p <= most).count(), 4);
        assert!(threshold(&[0.2, 0.9], 0.05) < 0.0);
        assert!(threshold(&[], 0.05) < 0.0);
    }

    #[test]
    fn tails_of_the_normal() {
        for (z, p) in [(0.0, 0.5), (1.644_853_627, 0.05), (3.090_232_306, 0.001)] {
            assert!((upper_tail(z) - p).abs() < 1e-9);
        }
    }
}
