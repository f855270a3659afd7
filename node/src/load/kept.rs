//! Rows that passed, on their way to the writer: each stay once, full batches by month, and what
//! ranks follow from.

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
    months: BTreeMap<Month, (Rows, u32)>,
    ranks: Vec<RankRow>,
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
        }
    }

    /// Keeps a row; `false` if its stay is there already.
    pub(super) fn keep(&mut self, row: &Deidentified<'_>) -> Result<bool, LoadError> {
        if self
            .stays
            .as_mut()
            .is_some_and(|stays| !stays.insert(row.stay))
        {
            return Ok(false);
        }
        let month = self.months.entry(row.month);
        let (rows, next) = month.or_insert_with(|| (Rows::new(self.shape), 0));
        self.ranks.push(RankRow {
            patient: row.patient,
            stay: row.stay,
            position: *next,
            month: row.month,
            group: row.group,
        });
        *next = next.checked_add(1).ok_or(LoadError::TooManyRows)?;
        let Some(send) = &self.send else {
            return Ok(true); // A dry run writes nothing.
        };
        rows.push(&row.patient, &row.stay, row.group, row.keys, row.amounts);
        if rows.is_full() {
            let full = std::mem::replace(rows, Rows::new(self.shape));
            send.send((row.month, full))
                .map_err(|_| LoadError::Writer)?;
        }
        Ok(true)
    }

    /// Hands over the last batches and lets go of the channel.
    pub(super) fn finish(self) -> Result<Vec<RankRow>, LoadError> {
        if let Some(send) = self.send {
            for (month, (rows, _)) in self.months {
                if !rows.is_empty() {
                    send.send((month, rows)).map_err(|_| LoadError::Writer)?;
                }
            }
        }
        Ok(self.ranks)
    }
}
