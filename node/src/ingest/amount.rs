//! Exact numbers from bytes: money to fen, days to thousandths of a day, scores to hundredths of a point.
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic)]

use serde::Deserialize;

/// The unit in which a source column is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceUnit {
    /// Yuan with up to two decimals.
    Yuan,
    /// Dollars with up to two decimals.
    Dollar,
    /// Whole fen.
    Fen,
    /// Whole cents.
    Cent,
    /// Whole days.
    Day,
    /// Points of a score with up to two decimals.
    Point,
}

impl SourceUnit {
    /// Whether it is money.
    pub fn is_money(self) -> bool {
        match self {
            Self::Yuan | Self::Dollar | Self::Fen | Self::Cent => true,
            Self::Day | Self::Point => false,
        }
    }
}

/// Why a text is not an amount.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotAnAmount {
    /// Not plain digits (with decimals where the unit has them).
    Shape,
    /// Below zero.
    Negative,
    /// Beyond 64 bits.
    TooLarge,
}

/// Reads an amount as fen, thousandths of a day or hundredths of a point. Exact: more decimals than the unit has are
/// refused unless they are zeros.
pub fn parse(text: &[u8], unit: SourceUnit) -> Result<u64, NotAnAmount> {
    match unit {
        SourceUnit::Yuan | SourceUnit::Dollar | SourceUnit::Point => hundredths(text),
        SourceUnit::Fen | SourceUnit::Cent => whole(text),
        SourceUnit::Day => whole(text)?.checked_mul(1000).ok_or(NotAnAmount::TooLarge),
    }
}

/// Reads a whole number, zero or more.
pub fn whole(text: &[u8]) -> Result<u64, NotAnAmount> {
    if let Some(rest) = text.strip_prefix(b"-") {
        return Err(negative(rest));
    }
    digits(text, 0)
}

fn hundredths(text: &[u8]) -> Result<u64, NotAnAmount> {
    if let Some(rest) = text.strip_prefix(b"-") {
        return Err(negative(rest));
    }
    let Some(point) = text.iter().position(|byte| *byte == b'.') else {
        return digits(text, 0)?
            .checked_mul(100)
            .ok_or(NotAnAmount::TooLarge);
    };
    let (before, after) = text.split_at_checked(point).ok_or(NotAnAmount::Shape)?;
    let after = after.get(1..).unwrap_or_default();
    if after.is_empty() {
        return Err(NotAnAmount::Shape);
    }
    let (kept, beyond) = after.split_at_checked(2).unwrap_or((after, &[]));
    if beyond.iter().any(|byte| *byte != b'0') {
        return Err(NotAnAmount::Shape);
    }
    let value = digits(kept, digits(before, 0)?)?;
    if kept.len() == 1 {
        value.checked_mul(10).ok_or(NotAnAmount::TooLarge)
    } else {
        Ok(value)
    }
}

/// Continues `start` by decimal digits; at least one.
fn digits(text: &[u8], start: u64) -> Result<u64, NotAnAmount> {
    if text.is_empty() || text.len() > 40 {
        return Err(NotAnAmount::Shape);
    }
    let mut value = start;
    let mut fits = true;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(NotAnAmount::Shape);
        }
        let (ten, over) = value.overflowing_mul(10);
        let (sum, beyond) = ten.overflowing_add(u64::from(digit));
        fits &= !over && !beyond;
        value = sum;
    }
    if fits {
        Ok(value)
    } else {
        Err(NotAnAmount::TooLarge)
    }
}

fn negative(rest: &[u8]) -> NotAnAmount {
    let number = rest
        .iter()
        .all(|byte| byte.is_ascii_digit() || *byte == b'.');
    if number && !rest.is_empty() {
        NotAnAmount::Negative
    } else {
        NotAnAmount::Shape
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use schemas::money::{Fen, MoneyError};

    use super::*;

    #[test]
    fn only_plain_exact_amounts() {
        for (text, unit, value) in [
            ("7067.10", SourceUnit::Dollar, 706_710),
            ("7067.1", SourceUnit::Yuan, 706_710),
            ("12.3400", SourceUnit::Yuan, 1234),
            ("0", SourceUnit::Yuan, 0),
            ("706710", SourceUnit::Fen, 706_710),
            ("3", SourceUnit::Day, 3000),
            ("87.5", SourceUnit::Point, 8750),
        ] {
            assert_eq!(parse(text.as_bytes(), unit), Ok(value), "{text}");
        }
        for (text, fault) in [
            ("", NotAnAmount::Shape),
            ("NaN", NotAnAmount::Shape),
            ("1e3", NotAnAmount::Shape),
            ("inf", NotAnAmount::Shape),
            ("1,000", NotAnAmount::Shape),
            ("0.001", NotAnAmount::Shape),
            ("1.", NotAnAmount::Shape),
            (".5", NotAnAmount::Shape),
            ("-", NotAnAmount::Shape),
            ("-1", NotAnAmount::Negative),
            ("-0.05", NotAnAmount::Negative),
            ("99999999999999999999", NotAnAmount::TooLarge),
        ] {
            assert_eq!(
                parse(text.as_bytes(), SourceUnit::Yuan),
                Err(fault),
                "{text}"
            );
        }
    }

    proptest! {
        /// Agrees with the slow, general reader of amounts on every text.
        #[test]
        fn agrees_with_fen(text in "-?[0-9]{0,22}(\\.[0-9]{0,4})?|\\PC{0,6}") {
            let expected = match text.parse::<Fen>() {
                Ok(Fen(fen)) => u64::try_from(fen).ok().filter(|_| !text.starts_with('-')),
                Err(MoneyError::OutOfRange) => return Ok(()),
                Err(_) => None,
            };
            prop_assert_eq!(parse(text.as_bytes(), SourceUnit::Yuan).ok(), expected);
        }
    }
}
