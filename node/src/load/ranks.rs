//! Ranks by which a contribution bound is a filter. They follow from one patient's own rows and
//! the node's key, so removing another patient changes none of them.

use std::collections::{BTreeMap, BTreeSet};

use schemas::time::Month;

use crate::store::columns::Ranks;

/// What the ranks of a new row follow from; all that a load keeps of a row in memory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct RankRow {
    /// Pseudonym.
    pub patient: [u8; 16],
    /// Keyed id of the stay: also the order of the patient's rows.
    pub stay: [u8; 16],
    /// Place in the month's file.
    pub position: u32,
    /// Month.
    pub month: Month,
    /// Case group.
    pub group: u16,
}

/// A row of the same data year in another current load; it keeps its ranks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct HeldRow {
    pub patient: [u8; 16],
    pub month: Month,
    pub group: u16,
    pub ranks: (u8, u8, u8),
}

/// Numbers that are taken, 0 to 255.
#[derive(Clone, Copy, Default)]
struct Taken([u64; 4]);

impl Taken {
    fn take(&mut self, number: u8) {
        if let Some(word) = self.0.get_mut(usize::from(number / 64)) {
            *word |= 1 << (number % 64);
        }
    }

    /// Takes the lowest free number; 255 when there is none.
    fn lowest(&mut self) -> u8 {
        let free = (0_u8..255).find(|number| {
            let word = self.0.get(usize::from(number / 64)).copied().unwrap_or(0);
            word & (1 << (number % 64)) == 0
        });
        let number = free.unwrap_or(u8::MAX);
        self.take(number);
        number
    }
}

/// Ranks of one patient-year so far.
#[derive(Default)]
struct Patient {
    groups: BTreeMap<u16, (u8, Taken)>,
    group_ranks: Taken,
    months: BTreeSet<Month>,
    month_ranks: Taken,
}

impl Patient {
    fn hold(&mut self, row: &HeldRow) {
        let (group, stay, series) = row.ranks;
        let (lowest, stays) = self
            .groups
            .entry(row.group)
            .or_insert((group, Taken::default()));
        *lowest = (*lowest).min(group);
        stays.take(stay);
        self.group_ranks.take(group);
        if series != u8::MAX {
            self.months.insert(row.month);
            self.month_ranks.take(series);
        }
    }

    fn rank(&mut self, row: &RankRow) -> Ranks {
        let group_ranks = &mut self.group_ranks;
        let (group, stays) = self
            .groups
            .entry(row.group)
            .or_insert_with(|| (group_ranks.lowest(), Taken::default()));
        let chosen = self.months.insert(row.month);
        Ranks {
            group: *group,
            stay: stays.lowest(),
            series: if chosen {
                self.month_ranks.lowest()
            } else {
                u8::MAX
            },
        }
    }
}

/// Ranks of all new rows, by month in the order of their files.
pub(super) fn assign(
    mut rows: Vec<RankRow>,
    mut held: Vec<HeldRow>,
) -> BTreeMap<Month, Vec<Ranks>> {
    rows.sort_unstable();
    held.sort_unstable();
    let mut lengths: BTreeMap<Month, usize> = BTreeMap::new();
    for row in &rows {
        *lengths.entry(row.month).or_default() += 1;
    }
    let mut months: BTreeMap<Month, Vec<Ranks>> = lengths
        .into_iter()
        .map(|(month, length)| (month, vec![Ranks::default(); length]))
        .collect();
    let mut held = held.iter().peekable();
    for own in rows.chunk_by(|a, b| a.patient == b.patient) {
        let Some(patient) = own.first().map(|row| row.patient) else {
            continue;
        };
        while held.next_if(|row| row.patient < patient).is_some() {}
        let earlier = held.peek().is_some_and(|row| row.patient == patient);
        if own.len() == 1 && !earlier {
            continue; // All its ranks are 0 already.
        }
        let mut ranks = Patient::default();
        while let Some(row) = held.next_if(|row| row.patient == patient) {
            ranks.hold(row);
        }
        for row in own {
            let rank = ranks.rank(row);
            let month = months.get_mut(&row.month);
            let place = usize::try_from(row.position).ok();
            if let Some(slot) = month
                .zip(place)
                .and_then(|(month, place)| month.get_mut(place))
            {
                *slot = rank;
            }
        }
    }
    months
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn month(number: u8) -> Month {
        Month::new(2025, number).unwrap()
    }

    /// Rows with positions as a load gives them.
    fn placed(rows: &[(u8, u8, u8, u16)]) -> Vec<RankRow> {
        let mut next: BTreeMap<Month, u32> = BTreeMap::new();
        let place = |(patient, stay, m, group): &(u8, u8, u8, u16)| {
            let month = month(*m);
            let position = next.entry(month).or_default();
            *position += 1;
            let stay = *blake3::hash(&[*patient, *stay]).as_bytes();
            RankRow {
                patient: [*patient; 16],
                stay: stay[..16].try_into().unwrap(),
                position: *position - 1,
                month,
                group: *group,
            }
        };
        rows.iter().map(place).collect()
    }

    fn by_stay(rows: &[RankRow], held: &[HeldRow]) -> BTreeMap<[u8; 16], Ranks> {
        let ranks = assign(rows.to_vec(), held.to_vec());
        let at = |row: &RankRow| ranks[&row.month][usize::try_from(row.position).unwrap()];
        rows.iter().map(|row| (row.stay, at(row))).collect()
    }

    fn check_bounds(rows: &[(u16, Month, Ranks)]) {
        let mut pairs = BTreeSet::new();
        let mut groups: BTreeMap<u8, u16> = BTreeMap::new();
        let mut series = BTreeSet::new();
        let mut months = BTreeSet::new();
        for (group, month, ranks) in rows {
            assert!(
                pairs.insert((ranks.group, ranks.stay)),
                "a pair of ranks stands once"
            );
            assert_eq!(*groups.entry(ranks.group).or_insert(*group), *group);
            if ranks.series != u8::MAX {
                assert!(series.insert(ranks.series) && months.insert(*month));
            }
        }
    }

    proptest! {
        /// For any rows: within a patient no two rows share (group rank, stay rank), one group
        /// rank means one group, one series rank means one month; ranks begin at 0; and another
        /// patient's rows change none of them.
        #[test]
        fn bounds_hold_and_patients_are_apart(
            drawn in proptest::collection::btree_set((0_u8..4, any::<u8>()), 0..40),
            marks in proptest::collection::vec((1_u8..=12, 0_u16..5), 40),
        ) {
            let rows: Vec<(u8, u8, u8, u16)> = drawn.iter().zip(&marks)
                .map(|((patient, stay), (m, group))| (*patient, *stay, *m, *group)).collect();
            let rows = placed(&rows);
            let all = by_stay(&rows, &[]);
            for patient in 0..4_u8 {
                let own: Vec<RankRow> =
                    rows.iter().filter(|row| row.patient == [patient; 16]).copied().collect();
                let shown: Vec<(u16, Month, Ranks)> =
                    own.iter().map(|row| (row.group, row.month, all[&row.stay])).collect();
                check_bounds(&shown);
                if !own.is_empty() {
                    prop_assert!(shown.iter().any(|(_, _, ranks)| ranks.group == 0));
                    prop_assert!(shown.iter().any(|(_, _, ranks)| ranks.series == 0));
                }
                // Without the others: same ranks (positions differ, ranks do not).
                let mut alone = own.clone();
                let mut next: BTreeMap<Month, u32> = BTreeMap::new();
                for row in &mut alone {
                    let position = next.entry(row.month).or_default();
                    row.position = *position;
                    *position += 1;
                }
                let alone = by_stay(&alone, &[]);
                for row in &own {
                    prop_assert_eq!(alone[&row.stay], all[&row.stay]);
                }
            }
        }

        /// A second load takes only free ranks, so the bounds hold over both together.
        #[test]
        fn later_loads_take_free_ranks(
            stays in proptest::collection::btree_set(any::<u8>(), 0..60),
            marks in proptest::collection::vec(0_u16..5, 60),
        ) {
            let row = |(stay, group): (&u8, &u16)| (1, *stay, 1 + stay % 12, *group);
            let rows: Vec<_> = stays.iter().zip(&marks).map(row).collect();
            let (first, second): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.2 <= 6);
            let (first, second) = (placed(&first), placed(&second));
            let ranks = by_stay(&first, &[]);
            let held: Vec<HeldRow> = first.iter().map(|row| {
                let own = ranks[&row.stay];
                HeldRow {
                    patient: row.patient,
                    month: row.month,
                    group: row.group,
                    ranks: (own.group, own.stay, own.series),
                }
            }).collect();
            let later = by_stay(&second, &held);
            let mut all: Vec<_> =
                first.iter().map(|row| (row.group, row.month, ranks[&row.stay])).collect();
            all.extend(second.iter().map(|row| (row.group, row.month, later[&row.stay])));
            check_bounds(&all);
        }
    }

    #[test]
    fn numbers_end_at_255() {
        let mut taken = Taken::default();
        for expected in 0..=255 {
            assert_eq!(taken.lowest(), expected);
        }
        assert_eq!(taken.lowest(), 255);
    }
}
