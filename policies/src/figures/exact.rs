//! Exact numbers of rules, tables and facts: decimals or fractions as text, never floats.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use dashu::base::UnsignedAbs;
use dashu::integer::{IBig, UBig};
use dashu::rational::RBig;
use schemas::money::Fen;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest text of a number.
const LONGEST: usize = 48;

/// A number as it was written: `0.35`, `-0.03`, `1/20`, `52000`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Exact(pub RBig);

impl Exact {
    /// Whether the number has at most nine decimals. Many unlike denominators would make sums of fractions
    /// endless.
    pub(super) fn fits_nine_decimals(&self) -> bool {
        let scaled = &self.0 * RBig::from(1_000_000_000_u64);
        scaled.is_int()
    }
}

/// The text is no exact number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a number is written in quotes: digits, with a decimal point or as a fraction such as 1/20"
)]
pub struct NotExact;

impl FromStr for Exact {
    type Err = NotExact;

    fn from_str(text: &str) -> Result<Self, NotExact> {
        if text.len() > LONGEST {
            return Err(NotExact);
        }
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (top, bottom) = if let Some((top, bottom)) = rest.split_once('/') {
            (digits(top)?, digits(bottom)?)
        } else {
            let (whole, decimals) = rest.split_once('.').unwrap_or((rest, "0"));
            let bottom = UBig::from(10_u8).pow(decimals.len());
            (digits(whole)? * &bottom + digits(decimals)?, bottom)
        };
        if bottom == UBig::ZERO {
            return Err(NotExact);
        }
        let value = RBig::from_parts(IBig::from(top), bottom);
        Ok(Self(if negative { -value } else { value }))
    }
}

fn digits(text: &str) -> Result<UBig, NotExact> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotExact);
    }
    UBig::from_str(text).map_err(|_| NotExact)
}

/// Decimal where its digits end, else a fraction; the same number has the same text.
impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (top, bottom) = (self.0.numerator(), self.0.denominator());
        let places = (0..=LONGEST).find(|places| {
            let scale = UBig::from(10_u8).pow(*places);
            scale % bottom == UBig::ZERO
        });
        let decimal = places.and_then(|places| u32::try_from(places).ok());
        let decimal = decimal.map(|places| super::half_up(&self.0, places));
        // What is written can be read.
        match decimal.filter(|text| text.len() <= LONGEST) {
            Some(text) => f.write_str(&text),
            None => write!(f, "{top}/{bottom}"),
        }
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl From<Fen> for Exact {
    fn from(fen: Fen) -> Self {
        Self(RBig::from(fen.0))
    }
}

/// An amount rounded half up, away from zero below zero (rule R1). `None` beyond 64 bits.
pub fn round(value: &RBig) -> Option<Fen> {
    let (top, bottom) = (value.numerator(), value.denominator());
    let doubled = top.unsigned_abs() * UBig::from(2_u8) + bottom;
    let whole = doubled / (bottom * UBig::from(2_u8));
    let fen = i64::try_from(&whole).ok()?;
    let negative = *value < RBig::ZERO;
    Some(Fen(if negative { fen.checked_neg()? } else { fen }))
}

/// The sum of exact numbers.
pub fn sum(values: impl IntoIterator<Item: Borrow<RBig>>) -> RBig {
    let values = values.into_iter();
    values.fold(RBig::ZERO, |sum, value| sum + value.borrow())
}

/// The sum of amounts; `None` beyond 64 bits.
pub fn total(amounts: impl IntoIterator<Item = Fen>) -> Option<Fen> {
    let mut sum = Fen(0);
    for amount in amounts {
        sum = sum.checked_add(amount).ok()?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Exact {
        text.parse().unwrap()
    }

    #[test]
    fn one_number_has_one_text() {
        for (text, shown) in [
            ("0.35", "0.35"),
            ("0.350", "0.35"),
            ("-0.03", "-0.03"),
            ("1/20", "0.05"),
            ("2/6", "1/3"),
            ("52000", "52000"),
            ("-0", "0"),
            ("-7/3", "-7/3"),
            ("1/140737488355328", "1/140737488355328"),
        ] {
            assert_eq!(exact(text).to_string(), shown);
            assert_eq!(exact(shown), exact(text));
        }
        for wrong in [
            "", "-", ".5", "5.", "1e5", "+1", "1/0", "0x1", " 1", "1,5", "--1", "1/-2", "NaN", "１",
        ] {
            assert!(wrong.parse::<Exact>().is_err(), "{wrong}");
        }
        assert!("9".repeat(49).parse::<Exact>().is_err());
    }

    #[test]
    fn halves_go_away_from_zero() {
        for (text, fen) in [
            ("0.5", 1),
            ("-0.5", -1),
            ("0.4999", 0),
            ("-1.5", -2),
            ("7", 7),
        ] {
            assert_eq!(round(&exact(text).0), Some(Fen(fen)), "{text}");
        }
        assert_eq!(round(&exact(&"9".repeat(40)).0), None);
    }
}
