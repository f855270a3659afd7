//! The days of a year, and enough before it for admissions.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::Error;
use super::chance::rising;

/// Days before the year that an admission may fall on.
const BEFORE: i32 = 120;

/// A year's days, written out once.
#[derive(Debug)]
pub(super) struct Dates {
    year: u16,
    texts: Vec<[u8; 10]>,
    months: Vec<u8>,
    /// Running totals of how many patients leave on each day of the year.
    leaving: Vec<u32>,
}

impl Dates {
    pub(super) fn new(year: u16) -> Result<Self, Error> {
        let bad = Error::Setting("the year is from 1971 to 2199");
        if !(1971..=2199).contains(&year) {
            return Err(bad);
        }
        let first = i16::try_from(year)
            .ok()
            .and_then(|year| Date::new(year, 1, 1).ok())
            .ok_or(bad)?;
        let days = i32::from(first.days_in_year());
        let mut dates = Self {
            year,
            texts: Vec::new(),
            months: Vec::new(),
            leaving: Vec::new(),
        };
        let mut weights = Vec::new();
        for offset in -BEFORE..days {
            let Ok(date) = first.checked_add(offset.days()) else {
                continue;
            };
            let mut text = *b"0000-00-00";
            text.iter_mut()
                .zip(date.to_string().bytes())
                .for_each(|(to, from)| *to = from);
            dates.texts.push(text);
            if offset >= 0 {
                dates.months.push(u8::try_from(date.month()).unwrap_or(1));
                // Fewer leave at weekends, most on Fridays.
                weights.push(match date.weekday().to_monday_zero_offset() {
                    0..=3 => 15,
                    4 => 18,
                    5 => 12,
                    _ => 9,
                });
            }
        }
        dates.leaving = rising(weights);
        Ok(dates)
    }

    pub(super) fn year(&self) -> u16 {
        self.year
    }

    /// Number of days in the year.
    pub(super) fn days(&self) -> i32 {
        i32::try_from(self.months.len()).unwrap_or(365)
    }

    /// Running totals of leaving patients by day.
    pub(super) fn leaving(&self) -> &[u32] {
        &self.leaving
    }

    /// Month of a day of the year, from 0.
    pub(super) fn month(&self, day: i32) -> usize {
        let place = usize::try_from(day).unwrap_or(0);
        self.months
            .get(place)
            .map_or(0, |month| usize::from(*month).saturating_sub(1))
    }

    /// A day as `YYYY-MM-DD`; day 0 is 1 January, days before are negative.
    pub(super) fn text(&self, day: i32) -> &[u8] {
        let place = usize::try_from(day + BEFORE).unwrap_or(0);
        self.texts.get(place).map_or(b"", |text| text.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_and_leap_years_known() {
        let dates = Dates::new(2024).unwrap();
        assert_eq!(dates.days(), 366);
        assert_eq!(dates.text(59), b"2024-02-29");
        assert_eq!(dates.text(-1), b"2023-12-31");
        assert_eq!(dates.month(60), 2);
        assert!(Dates::new(1900).is_err());
    }
}
