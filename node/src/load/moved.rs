//! Stays of a view that moved to another data year. Their ids are keyed by year, so that the duplicate
//! check of a year does not see them: here a row's id under the keys of the other years is looked for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use schemas::time::{DataYear, Month};

use super::LoadError;
use super::held::Held;
use super::ranks::RankRow;
use crate::config::ConfigError;
use crate::deidentify::{Deidentified, KeyRing, StayIds};
use crate::ingest::bound::Bound;
use crate::ingest::row::Row;
use crate::store::columns::MonthColumns;

/// The ids that the rows of a pass would have in other data years.
#[derive(Default)]
pub(super) struct Elsewhere {
    years: BTreeMap<DataYear, StayIds>,
    found: BTreeMap<DataYear, BTreeSet<[u8; 16]>>,
}

impl std::fmt::Debug for Elsewhere {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Elsewhere({} years)", self.years.len())
    }
}

/// Stays of the store, by month, that a row of another year may have been.
pub(super) type Suspects = BTreeMap<Month, BTreeSet<[u8; 16]>>;

impl Elsewhere {
    /// Looks under the keys of these years.
    pub(super) fn new(ring: &KeyRing, years: &BTreeSet<DataYear>) -> Result<Self, ConfigError> {
        let mut all = BTreeMap::new();
        for year in years {
            all.insert(*year, StayIds::new(ring.key(*year)?));
        }
        Ok(Self {
            years: all,
            found: BTreeMap::new(),
        })
    }

    /// Notes a row's ids in the years that it is not of.
    pub(super) fn note(&mut self, bound: &Bound, row: &Row, clean: &Deidentified<'_>) {
        let (Some(patient), Some(settlement)) = (bound.patient, bound.settlement) else {
            return;
        };
        let own = clean.month.year();
        for (year, ids) in self.years.iter_mut().filter(|(year, _)| **year != own) {
            let id = ids.of(row.value(patient), row.value(settlement));
            self.found.entry(*year).or_default().insert(id);
        }
    }

    /// The stays of the store that these rows may have been: in current months of their dataset that were
    /// not read.
    pub(super) fn suspects(
        &self,
        data: &Path,
        held: &Held,
        read: &BTreeSet<Month>,
    ) -> Result<Suspects, LoadError> {
        let mut suspects = Suspects::new();
        let current = held.own().filter(|of| of.is_current());
        for of in current.filter(|of| !read.contains(&of.month)) {
            let Some(wanted) = self.found.get(&of.month.year()) else {
                continue;
            };
            let columns = MonthColumns::open(&data.join(&of.folder), of.month)?;
            for batch in columns.batches() {
                let (own, _) = batch.stay().as_chunks::<16>();
                let there = own.iter().filter(|stay| wanted.contains(*stay));
                let mut there = there.copied().peekable();
                if there.peek().is_some() {
                    suspects.entry(of.month).or_default().extend(there);
                }
            }
        }
        Ok(suspects)
    }
}

/// The months of which every suspected stay still stands where it stood: a number that is used again in
/// another year, and no move.
pub(super) fn unmoved(suspects: &Suspects, ranks: &[RankRow]) -> BTreeSet<Month> {
    let mut standing: BTreeSet<(Month, [u8; 16])> = BTreeSet::new();
    let read = ranks.iter().filter(|row| suspects.contains_key(&row.month));
    standing.extend(read.map(|row| (row.month, row.stay)));
    let still = suspects.iter().filter(|(month, stays)| {
        stays
            .iter()
            .all(|stay| standing.contains(&(**month, *stay)))
    });
    still.map(|(month, _)| *month).collect()
}
