//! Months, years of data, moments.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A calendar month from 1900-01 to 2199-12, written `2025-03`. The finest time that a de-identified row
/// holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(u16); // Months since 1900-01.

const FIRST_YEAR: u16 = 1900;
const LAST_YEAR: u16 = 2199;

/// A calendar year of data: the year of the settlement month. An allowance belongs to one.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct DataYear(pub u16);

/// Whole seconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema, Default,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// The text is not a month between 1900-01 and 2199-12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a month is written YYYY-MM, from 1900-01 to 2199-12")]
pub struct NotAMonth;

impl Month {
    /// 1900-01.
    pub const FIRST: Self = Self(0);
    /// 2199-12.
    pub const LAST: Self = Self((LAST_YEAR - FIRST_YEAR) * 12 + 11);

    /// A month from a year (1900–2199) and a month number (1–12).
    pub fn new(year: u16, month: u8) -> Result<Self, NotAMonth> {
        if (FIRST_YEAR..=LAST_YEAR).contains(&year) && (1..=12).contains(&month) {
            Ok(Self((year - FIRST_YEAR) * 12 + u16::from(month) - 1))
        } else {
            Err(NotAMonth)
        }
    }

    /// The year of data.
    pub fn year(self) -> DataYear {
        DataYear(FIRST_YEAR + self.0 / 12)
    }

    /// 1 to 12.
    pub fn number(self) -> u8 {
        u8::try_from(self.0 % 12).unwrap_or(0) + 1
    }

    /// Months since 1900-01. It orders months and tells how far they lie apart; what is stored or sent is
    /// the text.
    pub fn index(self) -> u16 {
        self.0
    }

    /// Whether its last day was over at a moment, by UTC.
    pub fn is_over(self, at: Timestamp) -> bool {
        let moment = jiff::Timestamp::from_second(at.0);
        moment.is_ok_and(|moment| {
            let day = moment.to_zoned(jiff::tz::TimeZone::UTC).date();
            let own = (i32::from(self.year().0), i32::from(self.number()));
            own < (i32::from(day.year()), i32::from(day.month()))
        })
    }

    /// The month after this one; `None` after 2199-12.
    pub fn next(self) -> Option<Self> {
        (self.0 < (LAST_YEAR - FIRST_YEAR) * 12 + 11).then(|| Self(self.0 + 1))
    }
}

/// RFC 3339 in UTC; seconds where no calendar has the moment.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(at) => at.fmt(f),
            Err(_) => self.0.fmt(f),
        }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year().0, self.number())
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for DataYear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

impl FromStr for Month {
    type Err = NotAMonth;

    fn from_str(text: &str) -> Result<Self, NotAMonth> {
        let (year, month) = text.split_once('-').ok_or(NotAMonth)?;
        let digits =
            |part: &str, n: usize| part.len() == n && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return Err(NotAMonth);
        }
        Self::new(
            year.parse().map_err(|_| NotAMonth)?,
            month.parse().map_err(|_| NotAMonth)?,
        )
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Month {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Month".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"})
    }
}

/// An unbroken run of months, both ends included, at most 36.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// First month.
    pub from: Month,
    /// Last month.
    pub to: Month,
}

impl Period {
    /// Most months in one period.
    pub const MAX_MONTHS: u16 = 36;

    /// The twelve months of a year.
    pub fn year(year: DataYear) -> Result<Self, NotAMonth> {
        Ok(Self {
            from: Month::new(year.0, 1)?,
            to: Month::new(year.0, 12)?,
        })
    }

    /// Whether the ends stand in order and no more than [`Self::MAX_MONTHS`] lie between them.
    pub fn is_sound(&self) -> bool {
        self.from <= self.to && self.to.0 - self.from.0 < Self::MAX_MONTHS
    }

    /// Whether the month lies inside.
    pub fn contains(&self, month: Month) -> bool {
        self.from <= month && month <= self.to
    }

    /// The months, in order; none for an unsound period.
    pub fn months(&self) -> Vec<Month> {
        if !self.is_sound() {
            return Vec::new();
        }
        (self.from.0..=self.to.0).map(Month).collect()
    }

    /// The years of data touched, in order.
    pub fn years(&self) -> Vec<DataYear> {
        let mut years: Vec<DataYear> = self.months().iter().map(|month| month.year()).collect();
        years.dedup();
        years
    }
}

/// The text is not a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a period is a year, a month, or months from first to last: 2025, 2025-03 or \
     2025-01..2025-06; at most 36 months"
)]
pub struct NotAPeriod;

impl FromStr for Period {
    type Err = NotAPeriod;

    /// Reads `2025`, `2025-03` or `2025-01..2025-06`.
    fn from_str(text: &str) -> Result<Self, NotAPeriod> {
        let month = |text: &str| text.parse::<Month>().map_err(|_| NotAPeriod);
        let period = match text.split_once("..") {
            Some((from, to)) => Self {
                from: month(from)?,
                to: month(to)?,
            },
            None if text.contains('-') => Self {
                from: month(text)?,
                to: month(text)?,
            },
            None => Self {
                from: month(&format!("{text}-01"))?,
                to: month(&format!("{text}-12"))?,
            },
        };
        if period.is_sound() {
            Ok(period)
        } else {
            Err(NotAPeriod)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_shown_in_utc() {
        assert_eq!(Timestamp(1_768_435_200).to_string(), "2026-01-15T00:00:00Z");
        assert_eq!(Timestamp(i64::MAX).to_string(), i64::MAX.to_string());
    }

    #[test]
    fn months_read_and_write() {
        let month: Month = "2025-03".parse().unwrap();
        assert_eq!(
            (month.year().0, month.number(), month.to_string().as_str()),
            (2025, 3, "2025-03")
        );
        for bad in [
            "2025-3", "2025-13", "2025-00", "1899-12", "2200-01", "25-03", "2025/03", "+025-03", "",
        ] {
            assert_eq!(bad.parse::<Month>(), Err(NotAMonth), "{bad}");
        }
        let first: Month = "1900-01".parse().unwrap();
        assert_eq!((first.index(), first.year()), (0, DataYear(1900)));
        let last: Month = "2199-12".parse().unwrap();
        assert_eq!((last.number(), last.next()), (12, None));
        let all = std::iter::successors(Some(first), |month| month.next());
        assert_eq!(all.count(), 3600);
        let before: Month = "1969-12".parse().unwrap();
        assert_eq!(before.next().unwrap().to_string(), "1970-01");
    }

    #[test]
    fn a_month_is_over_once_the_next_one_begins() {
        let december: Month = "2025-12".parse().unwrap();
        // 2026-01-01T00:00:00Z.
        let new_year = 1_767_225_600;
        assert!(!december.is_over(Timestamp(new_year - 1)));
        assert!(december.is_over(Timestamp(new_year)));
        assert!(!december.is_over(Timestamp(0)) && !december.is_over(Timestamp(i64::MAX)));
    }

    #[test]
    fn a_period_over_new_year_touches_two_years() {
        let period = Period {
            from: "2024-11".parse().unwrap(),
            to: "2025-02".parse().unwrap(),
        };
        assert_eq!(period.months().len(), 4);
        assert_eq!(period.years(), [DataYear(2024), DataYear(2025)]);
        let turned = Period {
            from: period.to,
            to: period.from,
        };
        assert!(!turned.is_sound() && turned.months().is_empty());
    }

    #[test]
    fn periods_read_in_three_forms() {
        for (text, months) in [("2025", 12), ("2025-03", 1), ("2024-11..2025-02", 4)] {
            assert_eq!(
                text.parse::<Period>().unwrap().months().len(),
                months,
                "{text}"
            );
        }
        for bad in [
            "",
            "25",
            "2025-13",
            "2025-01..",
            "2025-01-02",
            "x",
            "2025-02..2025-01",
        ] {
            let error = bad.parse::<Period>().unwrap_err().to_string();
            assert!(error.contains("2025-01..2025-06"), "{bad}");
        }
    }
}
