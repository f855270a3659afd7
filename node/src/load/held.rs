//! What the current months of the store hold of the data years of a new file: stays, for the
//! duplicate check, and ranks, which they keep.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::question::Dataset;
use schemas::time::{DataYear, Month};

use super::LoadError;
use super::ranks::HeldRow;
use crate::store::columns::MonthColumns;
use crate::store::loads::LoadedMonth;

/// Current months of the store, and the dictionaries that coded them.
#[derive(Debug)]
pub(super) struct Held {
    /// Of all datasets: what counts as a patient is one thing over all.
    pub months: Vec<LoadedMonth>,
    /// That of the new file.
    pub dataset: Dataset,
    pub dictionaries: BTreeMap<Digest, Dictionary>,
}

impl Held {
    /// The months of the new file's dataset.
    pub(super) fn own(&self) -> impl Iterator<Item = &LoadedMonth> {
        let own = |held: &&LoadedMonth| held.dataset == self.dataset;
        self.months.iter().filter(own)
    }

    /// Current months of the given years that a file with `months` does not replace.
    fn beside<'a>(
        &'a self,
        months: &'a BTreeSet<Month>,
    ) -> impl Iterator<Item = &'a LoadedMonth> + 'a {
        let years: BTreeSet<DataYear> = months.iter().map(|month| month.year()).collect();
        self.own().filter(move |held| {
            held.is_current() && years.contains(&held.month.year()) && !months.contains(&held.month)
        })
    }

    /// Ids of the stays beside a file.
    pub(super) fn stays(
        &self,
        data: &Path,
        months: &BTreeSet<Month>,
        mut each: impl FnMut([u8; 16]),
    ) -> Result<(), LoadError> {
        for held in self.beside(months) {
            let columns = MonthColumns::open(&data.join(&held.folder), held.month)?;
            for batch in columns.batches() {
                let (stays, _) = batch.stay().as_chunks::<16>();
                for stay in stays {
                    each(*stay);
                }
            }
        }
        Ok(())
    }

    /// The months beside a file that hold one of these stays.
    pub(super) fn months_of(
        &self,
        data: &Path,
        months: &BTreeSet<Month>,
        stays: &BTreeSet<[u8; 16]>,
    ) -> Result<BTreeSet<Month>, LoadError> {
        let mut found = BTreeSet::new();
        for held in self.beside(months) {
            let columns = MonthColumns::open(&data.join(&held.folder), held.month)?;
            let holds = columns.batches().iter().any(|batch| {
                let (own, _) = batch.stay().as_chunks::<16>();
                own.iter().any(|stay| stays.contains(stay))
            });
            if holds {
                found.insert(held.month);
            }
        }
        Ok(found)
    }

    /// Ranks of all rows of the file's data years, in every version that is stored: a restated
    /// month was released, and a staged one may be. Their groups are in the codes of `dictionary`.
    pub(super) fn ranks(
        &self,
        data: &Path,
        months: &BTreeSet<Month>,
        dictionary: &Dictionary,
    ) -> Result<Vec<HeldRow>, LoadError> {
        let years: BTreeSet<DataYear> = months.iter().map(|month| month.year()).collect();
        let mut rows = Vec::new();
        for held in self.own().filter(|held| years.contains(&held.month.year())) {
            let old = self.dictionaries.get(&held.dictionary);
            let translated = old.map(|old| translate(old, dictionary));
            let translated = translated.ok_or(LoadError::NoDictionary)?;
            let columns = MonthColumns::open(&data.join(&held.folder), held.month)?;
            for batch in columns.batches() {
                let (patients, _) = batch.patient().as_chunks::<16>();
                let groups = batch.case_group().iter().zip(batch.series_rank());
                let ranks = batch.group_rank().iter().zip(batch.stay_rank());
                for ((patient, (group, series)), (group_rank, stay)) in
                    patients.iter().zip(groups).zip(ranks)
                {
                    let group = translated.get(usize::from(*group)).copied();
                    rows.push(HeldRow {
                        patient: *patient,
                        month: held.month,
                        group: group.unwrap_or(u16::MAX),
                        ranks: (*group_rank, *stay, *series),
                    });
                }
            }
        }
        Ok(rows)
    }
}

/// New index of every old group; the new `other` for those that are gone.
fn translate(old: &Dictionary, new: &Dictionary) -> Vec<u16> {
    let codes: BTreeMap<&str, u16> = new
        .groups
        .iter()
        .map(|group| group.code.as_str())
        .zip(0..)
        .collect();
    let other = codes
        .get(schemas::dictionary::OTHER)
        .copied()
        .unwrap_or(u16::MAX);
    let index = |code: &str| codes.get(code).copied().unwrap_or(other);
    old.groups.iter().map(|group| index(&group.code)).collect()
}
