//! Sums of FHIR decimals in hundredths, exact: a decimal is read from its digits and is never a float.
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic)]

use schemas::money::Fen;

use crate::ingest::amount::{self, NotAnAmount, SourceUnit};

/// Most digits after the hundredths: what a float leaves behind.
const MOST_BEYOND: usize = 40;

/// One decimal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Decimal {
    /// Rounded half up to hundredths (rule R1).
    rounded: i64,
    /// Whether it was whole hundredths.
    exact: bool,
}

impl Decimal {
    /// Reads plain digits with any number of decimals; no sign, no exponent.
    pub(super) fn parse(text: &str) -> Result<Self, NotAnAmount> {
        let cut = text
            .find('.')
            .map_or(text.len(), |point| point.saturating_add(3).min(text.len()));
        let (head, beyond) = text.split_at_checked(cut).ok_or(NotAnAmount::Shape)?;
        let floor = amount::parse(head.as_bytes(), SourceUnit::Yuan)?;
        if beyond.len() > MOST_BEYOND || !beyond.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotAnAmount::Shape);
        }
        let up = u64::from(beyond.bytes().next().is_some_and(|digit| digit >= b'5'));
        let rounded = floor
            .checked_add(up)
            .and_then(|sum| i64::try_from(sum).ok());
        Ok(Self {
            rounded: rounded.ok_or(NotAnAmount::TooLarge)?,
            exact: beyond.bytes().all(|digit| digit == b'0'),
        })
    }
}

/// A sum of decimals, and how many there were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    /// How many.
    pub(super) count: u32,
    /// Rounded each; `None` beyond 64 bits.
    rounded: Option<i64>,
    /// The first that was not whole hundredths.
    odd: Option<Box<str>>,
}

impl Sum {
    /// Adds a decimal, as it stands.
    pub(super) fn add(&mut self, text: &str) -> Result<(), NotAnAmount> {
        let decimal = Decimal::parse(text)?;
        let before = if self.count == 0 {
            Some(0)
        } else {
            self.rounded
        };
        self.rounded = before.and_then(|sum| sum.checked_add(decimal.rounded));
        self.count = self.count.saturating_add(1);
        if !decimal.exact && self.odd.is_none() {
            self.odd = Some(text.into());
        }
        Ok(())
    }

    /// The sum with two decimals; where a part has more, that part as it stands, which no field takes.
    pub(super) fn exact(&self) -> String {
        let odd = self.odd.as_deref().map(str::to_owned);
        odd.unwrap_or_else(|| self.rounded())
    }

    /// The sum of the parts rounded half up; empty where there is none.
    pub(super) fn rounded(&self) -> String {
        self.fen().map_or_else(String::new, |fen| fen.to_string())
    }

    /// The same as an amount.
    pub(super) fn fen(&self) -> Option<Fen> {
        self.rounded.map(Fen)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(parts: &[&str]) -> Sum {
        let mut sum = Sum::default();
        for part in parts {
            sum.add(part).unwrap();
        }
        sum
    }

    #[test]
    fn decimals_are_summed_by_their_digits() {
        let whole = sum(&["125", "13533.08", "0.1", "7.500"]);
        assert_eq!((whole.exact(), whole.count), ("13665.68".to_owned(), 4));
        let odd = sum(&["11429.472000000002", "10766.464", "0.005"]);
        assert_eq!(odd.rounded(), "22195.94");
        assert_eq!(odd.exact(), "11429.472000000002");
        assert_eq!(Sum::default().exact(), "");
        for (text, fault) in [
            ("-0.001", NotAnAmount::Negative),
            ("-5", NotAnAmount::Negative),
            ("1e3", NotAnAmount::Shape),
            ("1.00e2", NotAnAmount::Shape),
            ("\"5\"", NotAnAmount::Shape),
            ("null", NotAnAmount::Shape),
            ("5.", NotAnAmount::Shape),
            ("92233720368547758.08", NotAnAmount::TooLarge),
        ] {
            assert_eq!(Decimal::parse(text), Err(fault), "{text}");
        }
        let most = sum(&["92233720368547758.07", "0.01"]);
        assert_eq!(most.rounded(), "");
    }

    proptest! {
        /// Half up by digits is half up by whole numbers.
        #[test]
        fn rounding_is_half_up(whole in 0_u32.., beyond in 0_u32..100_000) {
            let text = format!("{whole}.{beyond:05}");
            let scaled: i128 = text.replace('.', "").parse().unwrap();
            let expected = schemas::money::half_up(scaled, 1000);
            let found = Decimal::parse(&text).unwrap();
            prop_assert_eq!(Some(i128::from(found.rounded)), expected);
            prop_assert_eq!(found.exact, beyond.is_multiple_of(1000));
        }
    }
}
