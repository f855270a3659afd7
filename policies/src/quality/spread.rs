//! Outliers by Tukey's outer fences: beyond a quartile by more than `times` the distance between the two.
//! Quartiles are linear (type 7 of Hyndman and Fan), in quarters of a unit, so that they stay whole.

/// First and third quartile of sorted values, times four; none without values.
pub(super) fn quartiles(sorted: &[u32]) -> Option<(i128, i128)> {
    let steps = sorted.len().checked_sub(1)?;
    let at = |quarter: usize| {
        let place = steps.checked_mul(quarter)?;
        let (whole, rest) = (place / 4, place % 4);
        let low = i128::from(*sorted.get(whole)?);
        let high = sorted.get(whole.saturating_add(1)).copied();
        let high = high.map_or(low, i128::from);
        let rest = i128::try_from(rest).ok()?;
        Some(4 * low + rest * (high - low))
    };
    Some((at(1)?, at(3)?))
}

/// Whether a value lies outside the fences, strictly; `times` is a fraction.
pub(super) fn outside(value: u32, (low, high): (i128, i128), times: (i128, i128)) -> bool {
    let value = 4 * i128::from(value);
    let (top, bottom) = times;
    let reach = top.saturating_mul(high - low);
    (value - high).saturating_mul(bottom) > reach || (low - value).saturating_mul(bottom) > reach
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_those_of_type_7() {
        assert_eq!(quartiles(&[]), None);
        assert_eq!(quartiles(&[7]), Some((28, 28)));
        // R: quantile(c(1, 2, 3, 4), c(.25, .75)) is 1.75, 3.25.
        assert_eq!(quartiles(&[1, 2, 3, 4]), Some((7, 13)));
        // numpy.percentile([10, 20, 40, 80, 160, 320], [25, 75]) is 25, 140.
        assert_eq!(quartiles(&[10, 20, 40, 80, 160, 320]), Some((100, 560)));
    }

    #[test]
    fn the_fence_itself_is_inside() {
        // Quartiles 10 and 20: fences −20 and 50.
        let quartiles = (40, 80);
        assert!(!outside(50, quartiles, (3, 1)));
        assert!(outside(51, quartiles, (3, 1)));
        assert!(!outside(0, quartiles, (3, 1)));
        // Quartiles 100 and 110: the lower fence of 3 × is 70, of 1.5 × it is 85.
        let high = (400, 440);
        assert!(!outside(70, high, (3, 1)) && outside(69, high, (3, 1)));
        assert!(!outside(85, high, (3, 2)) && outside(84, high, (3, 2)));
        // Where all are equal, any other value is far.
        assert!(outside(6, (20, 20), (3, 1)) && !outside(5, (20, 20), (3, 1)));
    }
}
