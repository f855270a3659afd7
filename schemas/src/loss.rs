//! Privacy loss: zero-concentrated differential privacy (Bun and Steinke 2016), counted in whole
//! billionths of ρ so that a ledger adds without rounding.
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic)]

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// ρ in billionths, at most 1,000. Written as a whole number of billionths; people may write a
/// decimal text such as `"0.05"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Rho(u64);

/// The text is not a loss, or the loss is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a privacy loss is a decimal from 0 to 1000 with at most nine decimals")]
pub struct NotALoss;

impl Rho {
    /// Nothing lost.
    pub const ZERO: Self = Self(0);
    const MOST: u64 = 1_000_000_000_000;

    /// From billionths of ρ.
    pub fn from_nano(nano: u64) -> Result<Self, NotALoss> {
        if nano <= Self::MOST {
            Ok(Self(nano))
        } else {
            Err(NotALoss)
        }
    }

    /// In billionths of ρ.
    pub fn nano(self) -> u64 {
        self.0
    }

    /// The sum, or an error beyond the range.
    pub fn checked_add(self, other: Self) -> Result<Self, NotALoss> {
        Self::from_nano(self.0.checked_add(other.0).ok_or(NotALoss)?)
    }

    /// What is left of this loss after another; zero where nothing is.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// So many times this loss.
    pub fn checked_mul(self, times: u64) -> Result<Self, NotALoss> {
        Self::from_nano(self.0.checked_mul(times).ok_or(NotALoss)?)
    }

    /// The sum of all, or an error beyond the range.
    pub fn sum(losses: impl IntoIterator<Item = Self>) -> Result<Self, NotALoss> {
        losses.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }
}

impl fmt::Display for Rho {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!(
            "{}.{:09}",
            self.0.wrapping_div(1_000_000_000),
            self.0.wrapping_rem(1_000_000_000)
        );
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl FromStr for Rho {
    type Err = NotALoss;

    fn from_str(text: &str) -> Result<Self, NotALoss> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        };
        if !digits(whole, 4) || !digits(decimals, 9) {
            return Err(NotALoss);
        }
        let whole: u64 = whole.parse().map_err(|_| NotALoss)?;
        let nano: u64 = format!("{decimals:0<9}").parse().map_err(|_| NotALoss)?;
        let total = whole
            .checked_mul(1_000_000_000)
            .and_then(|whole| whole.checked_add(nano));
        Self::from_nano(total.ok_or(NotALoss)?)
    }
}

impl Serialize for Rho {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for Rho {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Nano(u64),
            Decimal(String),
        }
        let loss = match Written::deserialize(deserializer)? {
            Written::Nano(nano) => Self::from_nano(nano),
            Written::Decimal(text) => text.parse(),
        };
        loss.map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Rho {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Rho".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"oneOf": [
            {"type": "integer", "minimum": 0, "maximum": Self::MOST},
            {"type": "string", "pattern": "^[0-9]{1,4}(\\.[0-9]{1,9})?$"},
        ]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_read_exactly() {
        for (text, nano) in [
            ("1", 1_000_000_000),
            ("0.05", 50_000_000),
            ("0.000000001", 1),
        ] {
            let loss: Rho = text.parse().unwrap();
            assert_eq!((loss.nano(), loss.to_string().as_str()), (nano, text));
        }
        for bad in ["", "-1", "0.0000000001", "1e-3", "1001", ".5", "1.", "NaN"] {
            assert_eq!(bad.parse::<Rho>(), Err(NotALoss), "{bad}");
        }
    }

    #[test]
    fn twenty_questions_at_a_twentieth_are_one() {
        let each: Rho = "0.05".parse().unwrap();
        assert_eq!(Rho::sum([each; 20]), "1".parse());
        assert_eq!(each.checked_mul(20), "1".parse());
        assert!(Rho::from_nano(u64::MAX).is_err());
        let one: Rho = "1".parse().unwrap();
        assert_eq!(one.saturating_sub(each).to_string(), "0.95");
        assert_eq!(each.saturating_sub(one), Rho::ZERO);
    }
}
