//! Splits of money by exact weights that add up to the fen (rule R2, largest remainder, Hamilton).

use std::cmp::Reverse;

use dashu::integer::IBig;
use dashu::rational::RBig;
use schemas::money::Fen;

use super::exact::sum;

/// Why an amount cannot be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApportionError {
    /// Below zero.
    #[error("an amount below zero is not split")]
    Amount,
    /// A weight below zero.
    #[error("a weight is below zero")]
    Weight,
    /// No weight above zero.
    #[error("a split needs a weight above zero")]
    NoWeight,
    /// Beyond 64 bits of fen.
    #[error("the amount is out of range")]
    OutOfRange,
}

/// Splits `amount` by `weights`: every exact share is floored, then the missing fen go one each in
/// order of larger remainder, larger weight, earlier position. A zero weight gets zero; the parts
/// add up to the amount.
pub fn apportion(amount: Fen, weights: &[RBig]) -> Result<Vec<Fen>, ApportionError> {
    if amount < Fen(0) {
        return Err(ApportionError::Amount);
    }
    if weights.iter().any(|weight| *weight < RBig::ZERO) {
        return Err(ApportionError::Weight);
    }
    let whole = sum(weights);
    if whole == RBig::ZERO {
        return Err(ApportionError::NoWeight);
    }
    let mut left = IBig::from(amount.0);
    let mut floors = Vec::with_capacity(weights.len());
    let mut order = Vec::with_capacity(weights.len());
    for (position, weight) in weights.iter().enumerate() {
        let share = RBig::from(amount.0) * weight / &whole;
        let (floor, remainder) = share.split_at_point();
        left -= &floor;
        floors.push(floor);
        if *weight > RBig::ZERO {
            order.push((Reverse(remainder), Reverse(weight), position));
        }
    }
    order.sort();
    for (_, _, position) in order {
        if left == IBig::ZERO {
            break;
        }
        if let Some(part) = floors.get_mut(position) {
            *part += IBig::ONE;
            left -= IBig::ONE;
        }
    }
    let fen = |part: &IBig| i64::try_from(part).map(Fen);
    let parts = floors
        .iter()
        .map(|part| fen(part).map_err(|_| ApportionError::OutOfRange));
    parts.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::figures::Exact;

    fn split(amount: i64, weights: &[&str]) -> Vec<i64> {
        let weights: Vec<RBig> = weights
            .iter()
            .map(|text| text.parse::<Exact>().unwrap().0)
            .collect();
        let parts = apportion(Fen(amount), &weights).unwrap();
        parts.into_iter().map(|part| part.0).collect()
    }

    /// Oracle O14.
    #[test]
    fn o14_largest_remainders() {
        assert_eq!(split(100, &["1", "1", "1"]), [34, 33, 33]);
        assert_eq!(
            split(1_000_001, &["2", "3", "5"]),
            [200_000, 300_000, 500_001]
        );
        assert_eq!(split(10, &["0", "1", "3"]), [0, 2, 8]);
        assert_eq!(split(101, &["1", "3", "1", "3"]), [13, 38, 12, 38]);
        assert_eq!(split(7, &["0.333", "0.333", "0.334"]), [2, 2, 3]);
        assert_eq!(split(0, &["1/3", "1"]), [0, 0]);
    }

    #[test]
    fn what_cannot_be_split_is_refused() {
        let one = [RBig::ONE];
        assert_eq!(apportion(Fen(-1), &one), Err(ApportionError::Amount));
        assert_eq!(apportion(Fen(1), &[]), Err(ApportionError::NoWeight));
        assert_eq!(
            apportion(Fen(1), &[RBig::ZERO]),
            Err(ApportionError::NoWeight)
        );
        assert_eq!(
            apportion(Fen(1), &[-RBig::ONE]),
            Err(ApportionError::Weight)
        );
    }

    proptest! {
        #[test]
        fn parts_add_up_within_a_fen_of_their_share(
            amount in 0_i64..i64::MAX,
            weights in prop::collection::vec(0_u64..1_000_000, 1..40),
        ) {
            prop_assume!(weights.iter().any(|weight| *weight > 0));
            let exact: Vec<RBig> = weights.iter().map(|weight| RBig::from(*weight)).collect();
            let parts = apportion(Fen(amount), &exact).unwrap();
            let whole: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
            prop_assert_eq!(parts.iter().map(|part| i128::from(part.0)).sum::<i128>(), i128::from(amount));
            for (part, weight) in parts.iter().zip(&weights) {
                let share = i128::from(amount) * i128::from(*weight);
                let distance = (i128::from(part.0) * whole - share).abs();
                prop_assert!(distance < whole && (*weight > 0 || part.0 == 0));
            }
            // The same weights, scaled, are the same split; whole numbers agree with `Fen::split`.
            let scaled: Vec<RBig> = exact.iter().map(|weight| weight / RBig::from(7)).collect();
            prop_assert_eq!(&apportion(Fen(amount), &scaled).unwrap(), &parts);
            prop_assert_eq!(Fen(amount).split(&weights).unwrap(), parts);
        }
    }
}
