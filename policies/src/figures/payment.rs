//! What a case group is paid: weight × rate.
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic)]

use schemas::money::{Fen, MoneyError, half_up};

/// The payment standard: relative weight (millionths) × rate (money per weight of one), rounded
/// once, half up, to whole fen (rule R5).
pub fn standard(weight_micro: u64, rate: Fen) -> Result<Fen, MoneyError> {
    let product = i128::from(weight_micro).checked_mul(i128::from(rate.0));
    let fen = product.and_then(|product| half_up(product, 1_000_000));
    fen.and_then(|fen| i64::try_from(fen).ok())
        .map(Fen)
        .ok_or(MoneyError::OutOfRange)
}

/// What is left of the standard after the actual cost; negative where a stay cost more.
pub fn margin(standard: Fen, actual: Fen) -> Result<Fen, MoneyError> {
    let fen = standard.0.checked_sub(actual.0);
    fen.map(Fen).ok_or(MoneyError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Oracle O5.
    #[test]
    fn o5_standards_and_margins() {
        for (weight, actual, expected, left) in [
            (1_234_500, 1_350_000, 1_512_596, 162_596),
            (382_500, 520_000, 468_666, -51_334),
            (3_787_700, 4_700_000, 4_640_955, -59_045),
        ] {
            let paid = standard(weight, Fen(1_225_270)).unwrap();
            assert_eq!(paid, Fen(expected));
            assert_eq!(margin(paid, Fen(actual)), Ok(Fen(left)));
        }
        assert_eq!(
            standard(u64::MAX, Fen(i64::MAX)),
            Err(MoneyError::OutOfRange)
        );
    }
}
