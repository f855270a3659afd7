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

/// A row of the same data year in an earlier load, current, staged or restated; it keeps its
/// ranks.
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

/// Ranks of one patient-year so far. A rank that was dealt once belongs to its group, its month or
/// its stay's month for good, in restated and staged months too: whichever versions of the months
/// are current, and whichever were ever released, no rank stands for two of them.
#[derive(Default)]
struct Patient {
    groups: BTreeMap<u16, Group>,
    group_ranks: Taken,
    /// Rank of every month that has one.
    months: BTreeMap<Month, u8>,
    month_ranks: Taken,
    /// Months for which this load has chosen a stay.
    chosen: BTreeSet<Month>,
}

/// One case group of a patient-year.
#[derive(Default)]
struct Group {
    rank: u8,
    /// The month that each stay rank belongs to.
    stays: BTreeMap<u8, Month>,
    /// Stay ranks that this load has dealt.
    dealt: Taken,
}

impl Group {
    /// The lowest stay rank that belongs to the month, or to none, and is not dealt yet.
    fn stay(&mut self, month: Month) -> u8 {
        let mut free = self.dealt;
        for (rank, owner) in &self.stays {
            if *owner != month {
                free.take(*rank);
            }
        }
        let rank = free.lowest();
        self.dealt.take(rank);
        self.stays.entry(rank).or_insert(month);
        rank
    }
}

impl Patient {
    fn hold(&mut self, row: &HeldRow) {
        let (rank, stay, series) = row.ranks;
        let new = || Group {
            rank,
            ..Group::default()
        };
        let group = self.groups.entry(row.group).or_insert_with(new);
        group.rank = group.rank.min(rank);
        group.stays.entry(stay).or_insert(row.month);
        self.group_ranks.take(rank);
        if series != u8::MAX {
            let known = self.months.entry(row.month).or_insert(series);
            *known = (*known).min(series);
            self.month_ranks.take(series);
        }
    }

    fn rank(&mut self, row: &RankRow) -> Ranks {
        let group_ranks = &mut self.group_ranks;
        let new = || Group {
            rank: group_ranks.lowest(),
            ..Group::default()
        };
        let group = self.groups.entry(row.group).or_insert_with(new);
        let month_ranks = &mut self.month_ranks;
        let series = if self.chosen.insert(row.month) {
            *self
                .months
                .entry(row.month)
                .or_insert_with(|| month_ranks.lowest())
        } else {
            u8::MAX
        };
        Ranks {
            group: group.rank,
            stay: group.stay(row.month),
            series,
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

    type Version = Vec<(RankRow, Ranks)>;

    /// Loads one after the other, each beside all earlier ones.
    fn versions(loads: &[Vec<(u8, u8, u16)>]) -> Vec<Version> {
        let mut held: Vec<HeldRow> = Vec::new();
        let mut versions = Vec::new();
        for (number, load) in (0_u8..).zip(loads) {
            let row = |(at, (stay, m, group)): (usize, &(u8, u8, u16))| {
                let id = stay.wrapping_mul(7).wrapping_add(number);
                (1, id ^ u8::try_from(at).unwrap(), *m, *group)
            };
            let rows = placed(&load.iter().enumerate().map(row).collect::<Vec<_>>());
            let ranks = assign(rows.clone(), held.clone());
            let at = |row: &RankRow| ranks[&row.month][usize::try_from(row.position).unwrap()];
            let version: Version = rows.iter().map(|row| (*row, at(row))).collect();
            held.extend(version.iter().map(|(row, own)| HeldRow {
                patient: row.patient,
                month: row.month,
                group: row.group,
                ranks: (own.group, own.stay, own.series),
            }));
            versions.push(version);
        }
        versions
    }

    proptest! {
        /// Months loaded again in any mixture, and released or not: over all versions together a
        /// group rank means one group, a stay rank one month of its group, a series rank one
        /// month. So any choice of one version a month keeps K, c and M, and of a year's series no
        /// more than M months ever count a patient.
        #[test]
        fn ranks_belong_to_their_month_for_good(
            loads in proptest::collection::vec(
                proptest::collection::vec((any::<u8>(), 1_u8..=6, 0_u16..6), 1..14), 1..5),
        ) {
            let mut groups: BTreeMap<u8, u16> = BTreeMap::new();
            let mut stays: BTreeMap<(u16, u8), Month> = BTreeMap::new();
            let mut series: BTreeMap<u8, Month> = BTreeMap::new();
            for version in versions(&loads) {
                let mut once = BTreeSet::new();
                let mut months = BTreeSet::new();
                for (row, ranks) in version {
                    prop_assert_eq!(*groups.entry(ranks.group).or_insert(row.group), row.group);
                    let owner = *stays.entry((row.group, ranks.stay)).or_insert(row.month);
                    prop_assert_eq!(owner, row.month);
                    prop_assert!(once.insert((row.group, ranks.stay)));
                    if ranks.series != u8::MAX {
                        prop_assert!(months.insert(row.month));
                        let owner = *series.entry(ranks.series).or_insert(row.month);
                        prop_assert_eq!(owner, row.month);
                    }
                }
            }
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
