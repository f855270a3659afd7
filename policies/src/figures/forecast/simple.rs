//! Simple forecasts: the season before, the drift, the straight line. Each gives the value and the
//! variance of its error in units of one step's (Hyndman and Athanasopoulos 2021, §5.2, §5.5).

use super::holt_winters::count;

/// The value of the same month of the last season.
pub(super) fn seasonal_naive(y: &[f64], m: usize, h: usize) -> Option<(f64, f64)> {
    let back = m - (h.checked_sub(1)? % m);
    let value = y.get(y.len().checked_sub(back)?).copied()?;
    Some((value, count((h - 1) / m) + 1.0))
}

/// The last value, and on by the mean step.
pub(super) fn drift(y: &[f64], h: usize) -> Option<(f64, f64)> {
    let (first, last) = (y.first()?, y.last()?);
    let steps = count(y.len().checked_sub(1).filter(|n| *n > 0)?);
    let slope = (last - first) / steps;
    let h = count(h);
    Some((last + h * slope, h * (1.0 + h / steps)))
}

/// The line of least squares.
pub(super) fn linear(y: &[f64], h: usize) -> Option<(f64, f64)> {
    if y.len() < 3 {
        return None;
    }
    let n = count(y.len());
    let middle = (n - 1.0) / 2.0;
    let mean = y.iter().sum::<f64>() / n;
    let (mut across, mut along) = (0.0, 0.0);
    for (t, y) in y.iter().enumerate() {
        let t = count(t) - middle;
        across += t * (y - mean);
        along += t * t;
    }
    let at = n - 1.0 + count(h) - middle;
    Some((mean + across / along * at, 1.0 + 1.0 / n + at * at / along))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_continues_what_it_is_made_for() {
        let y = [1.0, 5.0, 3.0, 2.0, 6.0, 4.0];
        let naive: Vec<f64> = (1..=4)
            .map(|h| seasonal_naive(&y, 3, h).unwrap().0)
            .collect();
        assert_eq!(naive, [2.0, 6.0, 4.0, 2.0]);
        assert!((seasonal_naive(&y, 3, 4).unwrap().1 - 2.0).abs() < 1e-12);
        assert_eq!(seasonal_naive(&y[..2], 3, 1), None);
        let line: Vec<f64> = (0..9).map(|t| 7.0 + 2.0 * count(t)).collect();
        for h in 1..=5 {
            let expected = 7.0 + 2.0 * count(8 + h);
            assert!((drift(&line, h).unwrap().0 - expected).abs() < 1e-9);
            assert!((linear(&line, h).unwrap().0 - expected).abs() < 1e-9);
        }
        assert!(drift(&[1.0], 1).is_none() && linear(&[1.0, 2.0], 1).is_none());
    }
}
