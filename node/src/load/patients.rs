//! How many stays patients have in a file: what shows that `patient` is mapped to another column.
//! A wrong column loads without an error, and then the bounds of privacy bound something else.

use std::collections::BTreeMap;

use schemas::time::DataYear;
use serde::Serialize;

use super::ranks::RankRow;

/// A stay a day of a leap year.
const MOST_STAYS: u64 = 366;
/// Mean stays of a patient in a year; hospitals have between one and two.
const MOST_MEAN: u64 = 10;
/// So many stays of a real hospital include somebody's second one.
const ENOUGH: u64 = 1000;

/// Stays and patients of one data year of a file. Shown to the hospital only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct PatientCounts {
    /// The data year.
    pub year: DataYear,
    /// Distinct patients.
    pub patients: u64,
    /// Stays kept.
    pub stays: u64,
    /// Most stays of one patient.
    pub most: u64,
}

impl PatientCounts {
    /// Why these numbers are not those of patients; `None` where they may be.
    pub fn doubt(&self) -> Option<String> {
        let year = self.year;
        let found = if self.most > MOST_STAYS {
            format!("one patient has more than {MOST_STAYS} stays in {year}")
        } else if self.stays > self.patients.saturating_mul(MOST_MEAN) {
            format!("a patient has more than {MOST_MEAN} stays in {year} on average")
        } else if self.stays >= ENOUGH && self.most == 1 {
            format!("no patient has a second stay in {year}")
        } else {
            return None;
        };
        Some(format!("{found}: is `patient` mapped to the right column?"))
    }
}

/// Counts by data year. Sorts the rows, as their ranks need it too. A pseudonym belongs to one
/// year, so each run of it is one patient of that year.
pub(super) fn count(rows: &mut [RankRow]) -> Vec<PatientCounts> {
    rows.sort_unstable();
    let mut years: BTreeMap<DataYear, PatientCounts> = BTreeMap::new();
    for own in rows.chunk_by(|a, b| a.patient == b.patient && a.month.year() == b.month.year()) {
        let Some(year) = own.first().map(|row| row.month.year()) else {
            continue;
        };
        let stays = u64::try_from(own.len()).unwrap_or(u64::MAX);
        let of = years.entry(year).or_insert(PatientCounts {
            year,
            patients: 0,
            stays: 0,
            most: 0,
        });
        of.patients += 1;
        of.stays += stays;
        of.most = of.most.max(stays);
    }
    years.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_patients_cannot_have_is_doubted() {
        let of = |patients, stays, most| PatientCounts {
            year: DataYear(2025),
            patients,
            stays,
            most,
        };
        for sound in [
            of(1, 1, 1),
            of(900, 1000, 3),
            of(999, 999, 1),
            of(5, 50, 366),
        ] {
            assert_eq!(sound.doubt(), None, "{sound:?}");
        }
        for (doubtful, word) in [
            (of(1000, 1400, 367), "one patient"),
            (of(2, 21, 12), "average"),
            (of(1000, 1000, 1), "second"),
        ] {
            let doubt = doubtful.doubt().unwrap();
            assert!(
                doubt.contains(word) && doubt.contains("right column"),
                "{doubt}"
            );
        }
    }
}
