//! Rows on their way to the files: each stay once, in batches ordered by case group.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::mpsc::SyncSender;

use schemas::time::Month;

use super::LoadError;
use super::ranks::RankRow;
use crate::deidentify::Deidentified;
use crate::ingest::bound::Bound;
use crate::store::columns::{Rows, Shape};

/// Stay ids are keyed hashes already; their first bytes are the hash.
#[derive(Default)]
pub(super) struct Ready(u64);

impl Hasher for Ready {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _length: usize) {}
}

/// Ids of stays.
pub(super) type Stays = HashSet<[u8; 16], BuildHasherDefault<Ready>>;

/// Rows on their way to the files.
pub(super) struct Kept<'a> {
    shape: &'a Shape,
    send: Option<SyncSender<(Month, Rows)>>,
    /// Stays seen; `None` where every row is its own patient.
    stays: Option<Stays>,
    months: BTreeMap<Month, Filling>,
    ranks: Vec<RankRow>,
    /// Stays that were there already.
    again: Vec<[u8; 16]>,
}

/// What is known of the rows when all of them are on their way.
pub(super) struct Finished {
    pub ranks: Vec<RankRow>,
    /// Stays of the rows that were not kept because their stay was there already.
    pub again: Vec<[u8; 16]>,
}

/// The batch of a month that fills at present.
struct Filling {
    rows: Rows,
    /// Rows of the month in earlier batches.
    written: u32,
    /// By row of the batch: its index in `ranks`.
    ranks: Vec<usize>,
}

impl<'a> Kept<'a> {
    pub(super) fn new(
        bound: &'a Bound,
        stays: Stays,
        send: Option<SyncSender<(Month, Rows)>>,
    ) -> Self {
        Self {
            shape: &bound.shape,
            send,
            stays: bound.patient.is_some().then_some(stays),
            months: BTreeMap::new(),
            ranks: Vec::new(),
            again: Vec::new(),
        }
    }

    /// Keeps a row; `false` if its stay is there already.
    pub(super) fn keep(&mut self, row: &Deidentified<'_>) -> Result<bool, LoadError> {
        if self
            .stays
            .as_mut()
            .is_some_and(|stays| !stays.insert(row.stay))
        {
            self.again.push(row.stay);
            return Ok(false);
        }
        let index = self.ranks.len();
        self.ranks.push(RankRow {
            patient: row.patient,
            stay: row.stay,
            position: 0, // Set when the batch is ordered.
            month: row.month,
            group: row.group,
        });
        let Some(send) = &self.send else {
            return Ok(true); // A dry run writes nothing.
        };
        let filling = self.months.entry(row.month).or_insert_with(|| Filling {
            rows: Rows::new(self.shape),
            written: 0,
            ranks: Vec::new(),
        });
        filling
            .rows
            .push(&row.patient, &row.stay, row.group, row.keys, row.amounts);
        filling.ranks.push(index);
        if filling.rows.is_full() {
            let full = filling.take(self.shape, &mut self.ranks)?;
            send.send((row.month, full))
                .map_err(|_| LoadError::Writer)?;
        }
        Ok(true)
    }

    /// Hands over the last batches and lets go of the channel.
    pub(super) fn finish(mut self) -> Result<Finished, LoadError> {
        if let Some(send) = self.send {
            for (month, mut filling) in self.months {
                if !filling.rows.is_empty() {
                    let last = filling.take(self.shape, &mut self.ranks)?;
                    send.send((month, last)).map_err(|_| LoadError::Writer)?;
                }
            }
        }
        Ok(Finished {
            ranks: self.ranks,
            again: self.again,
        })
    }
}

impl Filling {
    /// Takes the batch, ordered, and tells every row of it its place in the month's file.
    fn take(&mut self, shape: &Shape, ranks: &mut [RankRow]) -> Result<Rows, LoadError> {
        let mut rows = std::mem::replace(&mut self.rows, Rows::new(shape));
        for place in rows.sort() {
            let row = self
                .ranks
                .get(place)
                .and_then(|index| ranks.get_mut(*index));
            if let Some(row) = row {
                row.position = self.written;
            }
            self.written = self.written.checked_add(1).ok_or(LoadError::TooManyRows)?;
        }
        self.ranks.clear();
        Ok(rows)
    }
}
