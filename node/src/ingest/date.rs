//! Calendar dates from bytes. A date lives only while its row is checked.

use schemas::time::{Month, Timestamp};
use serde::Deserialize;

/// How a source writes dates.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub enum DateFormat {
    /// `2025-03-31`; a time after a space or `T` is ignored.
    #[serde(rename = "YYYY-MM-DD")]
    Dashes,
    /// `2025/03/31`; a time after a space or `T` is ignored.
    #[serde(rename = "YYYY/MM/DD")]
    Slashes,
    /// `20250331`.
    #[serde(rename = "YYYYMMDD")]
    Digits,
}

/// A day between 1800-01-01 and 2199-12-31. It does not print itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl std::fmt::Debug for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Date(…)")
    }
}

impl Date {
    /// A date that exists.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let last = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        let exists = (1800..=2199).contains(&year) && (1..=last).contains(&day);
        exists.then_some(Self { year, month, day })
    }

    /// Reads a date.
    pub fn parse(text: &[u8], format: DateFormat) -> Option<Self> {
        let mark = match format {
            DateFormat::Dashes => b'-',
            DateFormat::Slashes => b'/',
            DateFormat::Digits => {
                let [y1, y2, y3, y4, m1, m2, d1, d2] = text else {
                    return None;
                };
                return Self::from_digits([y1, y2, y3, y4], [m1, m2], [d1, d2]);
            }
        };
        let (date, time) = text.split_at_checked(10)?;
        if !matches!(time.first(), None | Some(b' ' | b'T')) {
            return None;
        }
        let [y1, y2, y3, y4, first, m1, m2, second, d1, d2] = date else {
            return None;
        };
        if *first != mark || *second != mark {
            return None;
        }
        Self::from_digits([y1, y2, y3, y4], [m1, m2], [d1, d2])
    }

    fn from_digits(year: [&u8; 4], month: [&u8; 2], day: [&u8; 2]) -> Option<Self> {
        let month = u8::try_from(number(&month)?).ok()?;
        let day = u8::try_from(number(&day)?).ok()?;
        Self::new(number(&year)?, month, day)
    }

    /// The settlement month; `None` before 1900.
    pub fn month(self) -> Option<Month> {
        Month::new(self.year, self.month).ok()
    }

    /// Days since a fixed day (civil-to-days of H. Hinnant, for years from 1800).
    pub fn days(self) -> u32 {
        let (year, month) = (u32::from(self.year), u32::from(self.month));
        let (year, month) = if month > 2 {
            (year, month - 3)
        } else {
            (year - 1, month + 9)
        };
        let in_year = (153 * month + 2) / 5 + u32::from(self.day);
        year * 365 + year / 4 - year / 100 + year / 400 + in_year
    }

    /// Whole years from this day (of birth) to a later one.
    pub fn years_until(self, later: Self) -> Option<u16> {
        let before_birthday = (later.month, later.day) < (self.month, self.day);
        later
            .year
            .checked_sub(self.year)?
            .checked_sub(u16::from(before_birthday))
    }
}

fn number(digits: &[&u8]) -> Option<u16> {
    digits.iter().try_fold(0_u16, |value, digit| match digit {
        b'0'..=b'9' => Some(value * 10 + u16::from(**digit - b'0')),
        _ => None,
    })
}

/// The month of a moment (UTC), of 1970-01 at the earliest; the last month of all beyond 2199.
pub fn month_of(moment: Timestamp) -> Option<Month> {
    let days = moment.0.div_euclid(86_400);
    let mut month = Month::new(1970, 1).ok()?;
    while let Some(next) = month.next() {
        if days_since_1970(next)? > days {
            break;
        }
        month = next;
    }
    Some(month)
}

/// Whole days from a month's end to a moment; 0 while the month lasts.
pub fn days_after(month: Month, moment: Timestamp) -> Option<u64> {
    let end = month.next().and_then(days_since_1970)?;
    Some(u64::try_from(moment.0.div_euclid(86_400) - end).unwrap_or(0))
}

fn days_since_1970(month: Month) -> Option<i64> {
    let first = Date::new(month.year().0, month.number(), 1)?.days();
    let epoch = Date::new(1970, 1, 1)?.days();
    Some(i64::from(first) - i64::from(epoch))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn date(text: &str) -> Option<Date> {
        Date::parse(text.as_bytes(), DateFormat::Dashes)
    }

    #[test]
    fn only_dates_that_exist() {
        assert!(date("2024-02-29").is_some() && date("2025-03-31 12:00:00").is_some());
        for bad in [
            "2025-02-29",
            "2025-13-01",
            "2025-00-01",
            "2025-01-00",
            "2025-01-32",
            "2025/01/01",
            "2025-1-01",
            "1700-01-01",
            "2200-01-01",
            "",
            "2025-01-01x",
            "20250101",
            "２025-01-01",
        ] {
            assert!(date(bad).is_none(), "{bad}");
        }
        assert!(Date::parse(b"2025/01/31", DateFormat::Slashes).is_some());
        assert!(Date::parse(b"20250131", DateFormat::Digits).is_some());
    }

    #[test]
    fn days_ages_and_months() {
        let days = |a: &str, b: &str| date(b).unwrap().days() - date(a).unwrap().days();
        assert_eq!(days("2024-12-31", "2025-01-01"), 1);
        assert_eq!(days("2024-02-28", "2024-03-01"), 2);
        assert_eq!(
            days("2000-01-01", "2400-01-01".replace("2400", "2100").as_str()),
            36_525
        );
        let age = |a: &str, b: &str| date(a).unwrap().years_until(date(b).unwrap());
        assert_eq!(age("1950-06-15", "2025-06-14"), Some(74));
        assert_eq!(age("1950-06-15", "2025-06-15"), Some(75));
        assert_eq!(age("2025-06-15", "2025-06-14"), None);
        let moment = Timestamp(1_735_689_600); // 2025-01-01T00:00:00Z
        assert_eq!(month_of(moment).unwrap().to_string(), "2025-01");
        assert_eq!(
            month_of(Timestamp(1_735_689_599)).unwrap().to_string(),
            "2024-12"
        );
        assert_eq!(days_after("2024-11".parse().unwrap(), moment), Some(31));
        assert_eq!(days_after("2025-01".parse().unwrap(), moment), Some(0));
    }

    proptest! {
        /// Any bytes are a date or none, never a panic.
        #[test]
        fn any_bytes(text in proptest::collection::vec(any::<u8>(), 0..24)) {
            for format in [DateFormat::Dashes, DateFormat::Slashes, DateFormat::Digits] {
                let _date = Date::parse(&text, format);
            }
        }
    }
}
