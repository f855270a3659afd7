//! Who stays when: each patient's stays of the year, with repeats, readmissions and deaths.

use super::chance::Chance;
use super::dates::Dates;
use super::groups::CaseGroup;
use super::hospital::Hospital;
use super::person::Person;
use super::spread::Spread;

/// Longest stay, in days.
const LONGEST: u64 = 100;

/// How a stay stands to the patient's earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Readmission {
    None,
    Within15,
    Within30,
}

/// How a stay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disposition {
    Home,
    Transfer,
    Left,
    Died,
}

/// One stay, small enough to keep ten million.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stay {
    pub(super) patient: u32,
    /// Day of the year, from 0.
    pub(super) discharge: u16,
    /// How long it was for its group, as a standard deviate in thousandths.
    pub(super) deviate: i16,
    /// Position in the table of groups.
    pub(super) group: u8,
    /// 0 for the patient's first stay of the year.
    pub(super) nth: u8,
    pub(super) readmission: Readmission,
    pub(super) disposition: Disposition,
}

/// What a hospital's stays are drawn from.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) seed: u64,
    pub(super) hospital: &'a Hospital,
    pub(super) groups: &'a [CaseGroup],
    /// Running totals of the groups by month.
    pub(super) mix: Vec<Vec<u32>>,
    pub(super) dates: &'a Dates,
    pub(super) spread: &'a Spread,
}

impl Source<'_> {
    /// All stays of the year in order of settlement.
    pub(super) fn stays(&self) -> Vec<Stay> {
        let wanted = usize::try_from(self.hospital.stays).unwrap_or(0);
        let mut stays = Vec::with_capacity(wanted + 16);
        let mut patient = 0;
        while stays.len() < wanted {
            self.stays_of(patient, &mut stays);
            patient += 1;
        }
        stays.truncate(wanted);
        stays.sort_unstable_by_key(|stay| (stay.discharge, stay.patient, stay.nth));
        stays
    }

    /// The patient, the day that the first stay ends, its group, and the stream to go on with.
    pub(super) fn patient(&self, patient: u32) -> (Person, i32, u8, Chance) {
        let place = [
            self.seed,
            self.hospital.number.into(),
            2,
            u64::from(patient),
        ];
        let mut chance = Chance::of(&place);
        let day = i32::try_from(chance.pick(self.dates.leaving())).unwrap_or(0);
        let group = self.draw_group(&mut chance, day);
        let (mut female, mut age) = (chance.below(2) == 0, 0);
        let year = u32::from(self.dates.year());
        if let Some(group) = self.group(group) {
            female |= group.sex == super::groups::Sex::Female;
            age = chance.between(group.from_age, group.to_age);
        }
        let born = if age == 0 {
            // A newborn comes within three weeks of birth.
            read_date(self.dates.text(day - 20))
        } else {
            // Not so late in the year before that a stay over new year begins before birth.
            let latest = if age == 1 { 6 } else { 12 };
            (year - age, chance.between(1, latest), chance.between(1, 28))
        };
        let person = Person::new(&mut chance, female, born);
        (person, day, group, chance)
    }

    fn stays_of(&self, patient: u32, stays: &mut Vec<Stay>) {
        let (person, mut day, mut group, mut chance) = self.patient(patient);
        let age = u32::from(self.dates.year()) - person.born.0;
        let single = self.group(group).is_none_or(CaseGroup::once);
        let most = match chance.below(100) {
            _ if single => 1,
            0..76 => 1,
            76..90 => 2,
            90..96 => 3,
            _ => chance.between(4, 12),
        };
        // Half of the patients' further stays lie before the one drawn, half after, so that the
        // year's end is no busier than its beginning.
        let back = chance.below(2) == 0;
        let from = stays.len();
        let mut deviate = self.spread.normal(&mut chance);
        for further in (0..most).rev() {
            let Ok(discharge) = u16::try_from(day) else {
                break;
            };
            stays.push(Stay {
                patient,
                discharge,
                deviate,
                group,
                nth: 0,
                readmission: Readmission::None,
                disposition: Disposition::Home,
            });
            if further == 0 {
                break;
            }
            let this = self.days(group, deviate);
            let gap = match chance.below(100) {
                0..14 => chance.between(2, 15),
                14..27 => chance.between(16, 30),
                _ => chance.between(31, 200),
            };
            if chance.below(100) >= 60 {
                let other = self.draw_group(&mut chance, day);
                let fits = |group: &CaseGroup| group.fits(person.female, age) && !group.once();
                if self.group(other).is_some_and(fits) {
                    group = other;
                }
            }
            deviate = self.spread.normal(&mut chance);
            let gap = i32::try_from(gap).unwrap_or(31);
            if back {
                day -= gap + this;
            } else {
                day += gap + self.days(group, deviate);
            }
            if !(0..self.dates.days()).contains(&day) {
                break;
            }
        }
        if back {
            stays.get_mut(from..).unwrap_or(&mut []).reverse();
        }
        self.finish(&mut chance, from, stays);
    }

    /// Numbers a patient's stays, which begin at `from` and stand in order, and says how each
    /// stands to those before and how it ended. Nothing follows a death.
    fn finish(&self, chance: &mut Chance, from: usize, stays: &mut Vec<Stay>) {
        for place in from..stays.len() {
            let (before, rest) = stays.split_at_mut(place);
            let earlier = before.get(from..).unwrap_or(&[]);
            let Some(stay) = rest.first_mut() else {
                return;
            };
            let admission = i32::from(stay.discharge) - self.days(stay.group, stay.deviate);
            stay.nth = u8::try_from(earlier.len()).unwrap_or(u8::MAX);
            stay.readmission = self.readmission(earlier, stay.group, admission);
            stay.disposition = end(
                chance,
                self.group(stay.group).map_or(0, |facts| facts.deaths),
            );
            if stay.disposition == Disposition::Died {
                stays.truncate(place + 1);
                return;
            }
        }
    }

    /// Days between admission and discharge, at least one.
    pub(super) fn days(&self, group: u8, deviate: i16) -> i32 {
        let Some(facts) = self.group(group) else {
            return 1;
        };
        let median = facts.los_milli * u64::from(self.hospital.pace_permille) / 1000;
        let milli = self
            .spread
            .lognormal(median, facts.sigma() * 3 / 4, deviate);
        i32::try_from(((milli + 500) / 1000).clamp(1, LONGEST)).unwrap_or(1)
    }

    /// Admitted how soon after an earlier discharge here with the same group or major category.
    fn readmission(&self, earlier: &[Stay], group: u8, admission: i32) -> Readmission {
        let category = |group: u8| {
            self.group(group)
                .and_then(|facts| facts.code.bytes().next())
        };
        let since = earlier
            .iter()
            .filter(|stay| category(stay.group) == category(group))
            .map(|stay| admission - i32::from(stay.discharge))
            .min();
        match since {
            Some(..=15) => Readmission::Within15,
            Some(16..=30) => Readmission::Within30,
            _ => Readmission::None,
        }
    }

    pub(super) fn group(&self, group: u8) -> Option<&CaseGroup> {
        self.groups.get(usize::from(group))
    }

    fn draw_group(&self, chance: &mut Chance, day: i32) -> u8 {
        let month = self.mix.get(self.dates.month(day));
        let place = month.map_or(0, |mix| chance.pick(mix));
        u8::try_from(place).unwrap_or(0)
    }
}

fn end(chance: &mut Chance, deaths: u32) -> Disposition {
    if chance.happens(deaths * 100) {
        return Disposition::Died;
    }
    match chance.below(1000) {
        0..955 => Disposition::Home,
        955..980 => Disposition::Transfer,
        _ => Disposition::Left,
    }
}

fn read_date(text: &[u8]) -> (u32, u32, u32) {
    let digits = |from: usize, to: usize| {
        let digits = text.get(from..to).unwrap_or(&[]);
        let values = digits
            .iter()
            .map(|digit| u32::from(digit.wrapping_sub(b'0')));
        values.fold(0, |value, digit| value * 10 + digit)
    };
    (digits(0, 4), digits(5, 7), digits(8, 10))
}
