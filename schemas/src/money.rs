//! Money: a whole number of fen (0.01 of the alliance's currency), never a float.
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic)]

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An amount in fen.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Fen(pub i64);

/// Why a text is not an amount, or a sum cannot be formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not digits with at most two decimals.
    #[error("an amount is digits with at most two decimals, without separators")]
    NotAnAmount,
    /// Beyond 64 bits of fen.
    #[error("the amount is out of range")]
    OutOfRange,
    /// A split without any weight above zero.
    #[error("a split needs a weight above zero")]
    NoWeight,
}

impl Fen {
    /// The sum, or an error where it leaves the range.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.0
            .checked_add(other.0)
            .map(Self)
            .ok_or(MoneyError::OutOfRange)
    }

    /// Splits this amount (zero or more) by `weights` so that the parts add up to it exactly:
    /// every exact share is floored, then the missing fen go one each in order of larger
    /// remainder, larger weight, earlier position (largest remainder, Hamilton). A zero weight
    /// gets zero.
    pub fn split(self, weights: &[u64]) -> Result<Vec<Self>, MoneyError> {
        let total = u128::try_from(self.0).map_err(|_| MoneyError::OutOfRange)?;
        let whole: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        if whole == 0 {
            return Err(MoneyError::NoWeight);
        }
        // total < 2^63 and weight < 2^64, so the product stays below 2^127.
        let mut floors = Vec::with_capacity(weights.len());
        let mut order = Vec::with_capacity(weights.len());
        let mut missing = total;
        for (position, weight) in weights.iter().enumerate() {
            let product = total
                .checked_mul(u128::from(*weight))
                .ok_or(MoneyError::OutOfRange)?;
            let (floor, remainder) = divided(product, whole).ok_or(MoneyError::NoWeight)?;
            missing = missing.checked_sub(floor).ok_or(MoneyError::OutOfRange)?;
            floors.push(floor);
            if *weight > 0 {
                order.push((
                    std::cmp::Reverse(remainder),
                    std::cmp::Reverse(*weight),
                    position,
                ));
            }
        }
        // Fewer are missing than there are remainders; those before the cut get one each.
        let missing = usize::try_from(missing).map_err(|_| MoneyError::OutOfRange)?;
        if missing < order.len() {
            order.select_nth_unstable(missing);
        }
        for (_, _, position) in order.into_iter().take(missing) {
            if let Some(part) = floors.get_mut(position) {
                *part = part.saturating_add(1);
            }
        }
        let parts = floors.into_iter().map(i64::try_from);
        parts
            .map(|part| part.map(Self).map_err(|_| MoneyError::OutOfRange))
            .collect()
    }
}

/// Quotient and remainder. Most amounts fit 64 bits, which processors divide by far faster.
fn divided(top: u128, bottom: u128) -> Option<(u128, u128)> {
    match (u64::try_from(top), u64::try_from(bottom)) {
        (Ok(top), Ok(bottom)) => {
            let floor = top.checked_div(bottom)?;
            let rest = top.checked_rem(bottom)?;
            Some((u128::from(floor), u128::from(rest)))
        }
        _ => Some((top.checked_div(bottom)?, top.checked_rem(bottom)?)),
    }
}

/// Rounds `numerator / denominator` half up, away from zero below zero (rule R1).
/// `None` for a zero denominator or beyond 128 bits.
pub fn half_up(numerator: i128, denominator: i128) -> Option<i128> {
    if denominator == 0 {
        return None;
    }
    let negative = (numerator < 0) != (denominator < 0);
    let (top, bottom) = (numerator.unsigned_abs(), denominator.unsigned_abs());
    let doubled = top.checked_mul(2)?.checked_add(bottom)?;
    let rounded = i128::try_from(doubled.checked_div(bottom.checked_mul(2)?)?).ok()?;
    if negative {
        rounded.checked_neg()
    } else {
        Some(rounded)
    }
}

impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        write!(
            f,
            "{sign}{}.{:02}",
            fen.wrapping_div(100),
            fen.wrapping_rem(100)
        )
    }
}

impl FromStr for Fen {
    type Err = MoneyError;

    /// Reads `1234`, `1234.5`, `-0.05`. Exact: more than two decimals are refused, unless zeros.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(decimals) || text.len() > 40 {
            return Err(MoneyError::NotAnAmount);
        }
        let (cents, beyond) = decimals.split_at_checked(2).unwrap_or((decimals, ""));
        if beyond.bytes().any(|b| b != b'0') {
            return Err(MoneyError::NotAnAmount);
        }
        let whole: i64 = whole.parse().map_err(|_| MoneyError::OutOfRange)?;
        let scale = if cents.len() == 1 { 10 } else { 1 };
        let cents: i64 = cents.parse().map_err(|_| MoneyError::NotAnAmount)?;
        let fen = whole
            .checked_mul(100)
            .and_then(|fen| fen.checked_add(cents.checked_mul(scale)?));
        let fen = fen.ok_or(MoneyError::OutOfRange)?;
        Ok(Self(if negative {
            fen.checked_neg().ok_or(MoneyError::OutOfRange)?
        } else {
            fen
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_exactly() {
        for (text, fen) in [
            ("0", 0),
            ("7067.10", 706_710),
            ("7067.1", 706_710),
            ("-0.05", -5),
            ("12.3400", 1234),
        ] {
            assert_eq!(text.parse(), Ok(Fen(fen)), "{text}");
        }
        for bad in [
            "", ".", "1.", ".5", "1,000", "1e3", "NaN", "0.001", "--1", "+1", "１", "1 ",
        ] {
            assert_eq!(bad.parse::<Fen>(), Err(MoneyError::NotAnAmount), "{bad}");
        }
        assert_eq!(
            "99999999999999999999".parse::<Fen>(),
            Err(MoneyError::OutOfRange)
        );
        assert_eq!(Fen(-706_710).to_string(), "-7067.10");
    }

    /// Oracle O14: largest remainder.
    #[test]
    fn splits_add_up_by_largest_remainder() {
        let cases: [(i64, &[u64], &[i64]); 5] = [
            (100, &[1, 1, 1], &[34, 33, 33]),
            (1_000_001, &[2, 3, 5], &[200_000, 300_000, 500_001]),
            (10, &[0, 1, 3], &[0, 2, 8]),
            (101, &[1, 3, 1, 3], &[13, 38, 12, 38]),
            (7, &[333, 333, 334], &[2, 2, 3]),
        ];
        for (total, weights, expected) in cases {
            let parts: Vec<i64> = Fen(total)
                .split(weights)
                .unwrap()
                .iter()
                .map(|p| p.0)
                .collect();
            assert_eq!(parts, expected);
        }
        assert_eq!(Fen(5).split(&[0, 0]), Err(MoneyError::NoWeight));
        assert_eq!(Fen(-5).split(&[1]), Err(MoneyError::OutOfRange));
    }

    #[test]
    fn half_goes_away_from_zero() {
        for (top, bottom, rounded) in [(1, 2, 1), (-1, 2, -1), (1, 3, 0), (5, 2, 3), (-5, 2, -3)] {
            assert_eq!(half_up(top, bottom), Some(rounded));
        }
        assert_eq!(half_up(1, 0), None);
    }
}
