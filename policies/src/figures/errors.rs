//! Errors that may be one: figures of one hospital out of one benchmark come from the same noised
//! counts, so that their errors may move together. Standard deviations of one source are added as they
//! are, which is never too little whatever they have in common; different sources' errors are drawn
//! independently, and their variances are added. Floats: they only make intervals.

use std::collections::BTreeMap;

use schemas::digest::Digest;

/// Whose error it is: of a member's place in the list and the answers that its figure comes from.
pub(crate) type Origin = (usize, Digest);

/// Standard deviation of a sum of errors, each given as its own standard deviation (of either sign)
/// and where it comes from; one without origin is independent of all others.
pub(crate) fn together(errors: impl IntoIterator<Item = (Option<Origin>, f64)>) -> f64 {
    let mut variance = 0.0;
    let mut shared: BTreeMap<Origin, f64> = BTreeMap::new();
    for (origin, error) in errors {
        match origin {
            Some(origin) => *shared.entry(origin).or_default() += error.abs(),
            None => variance += error * error,
        }
    }
    variance += shared.values().map(|sd| sd * sd).sum::<f64>();
    variance.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_one_source_are_added_as_they_are() {
        let one = Some((0, Digest::ZERO));
        let other = Some((1, Digest::ZERO));
        let close = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-12);
        close(together([(None, 3.0), (None, -4.0)]), 5.0);
        close(together([(one, 3.0), (one, -4.0)]), 7.0);
        close(together([(one, 3.0), (other, -4.0)]), 5.0);
        close(together([(one, 1.0), (one, 2.0), (None, 4.0)]), 5.0);
        close(together([]), 0.0);
    }
}
