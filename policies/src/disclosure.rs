//! Whether a figure is shown. The decision is a function of the noisy count, its noise and the
//! policy; an exact count is not an input of anything here (rule DP-3).

use crate::rules::Display;

/// Distance in standard deviations of a two-sided 95 % interval.
pub const Z95: f64 = 1.959_963_984_540_054;

/// What may be shown of a cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Its count and what follows from it.
    Shown,
    /// Its count only: the count's interval reaches zero, so nothing may be divided by it.
    CountOnly,
    /// Nothing.
    Hidden,
}

/// The status of one hospital's cell with this noisy count, whose noise has standard deviation
/// `sigma`.
pub fn status(noisy: f64, sigma: f64, display: &Display) -> Status {
    if noisy < f64::from(display.threshold) {
        Status::Hidden
    } else if noisy <= Z95 * sigma {
        Status::CountOnly
    } else {
        Status::Shown
    }
}

/// The status of a figure across hospitals: enough of them reach the threshold by themselves, and
/// the sum carries what is divided by it. The sum holds the noisy counts of all that answered, the
/// hidden ones too, so that showing or hiding a part does not move the whole.
pub fn status_across(parts: &[f64], sigma_of_sum: f64, display: &Display) -> Status {
    let reach = |part: &&f64| **part >= f64::from(display.threshold);
    let enough = u32::try_from(parts.iter().filter(reach).count())
        .is_ok_and(|reaching| reaching >= display.hospitals);
    let sum: f64 = parts.iter().sum();
    if enough {
        status(sum, sigma_of_sum, display)
    } else {
        Status::Hidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISPLAY: Display = Display {
        threshold: 11,
        insurer_threshold: 30,
        hospitals: 3,
    };

    #[test]
    fn nothing_below_the_threshold_can_be_told_apart() {
        for noisy in [-1e18, -5.0, 0.0, 1.0, 10.0] {
            assert_eq!(status(noisy, 3.0, &DISPLAY), Status::Hidden);
        }
        assert_eq!(status(11.0, 3.0, &DISPLAY), Status::Shown);
        assert_eq!(status(11.0, 6.0, &DISPLAY), Status::CountOnly);
    }

    #[test]
    fn a_figure_across_hospitals_needs_three_that_reach_the_threshold() {
        let across = |parts: &[f64]| status_across(parts, 5.0, &DISPLAY);
        assert_eq!(across(&[500.0, 400.0, 10.0, 3.0]), Status::Hidden);
        assert_eq!(across(&[500.0, 400.0, 11.0]), Status::Shown);
        assert_eq!(across(&[11.0, 11.0, 11.0, -40.0]), Status::Hidden);
        assert_eq!(across(&[]), Status::Hidden);
    }
}
