//! The first half of the kernel: which rows of a chunk count.

use policies::plan::Bound;

use super::ScanError;
use super::kernel::Worker;
use super::program::{Program, Sieve};
use super::rows::{Codes, Rows};

impl Worker {
    /// Selects the rows that count, without branching on them.
    pub(super) fn select(
        &mut self,
        program: &Program,
        rows: &Rows,
        start: usize,
        end: usize,
    ) -> Result<(), ScanError> {
        let first = u32::try_from(start).map_err(|_| ScanError::TooManyRows)?;
        let mut count = 0_usize;
        let mut take = |at: u32, pass: bool| {
            if let Some(slot) = self.selected.get_mut(count) {
                *slot = first.wrapping_add(at);
            }
            count = count.wrapping_add(usize::from(pass));
        };
        match program.bound {
            Bound::Year { groups, stays } => {
                let ranks = part(&rows.group_rank, start, end)?;
                let ranks = ranks.iter().zip(part(&rows.stay_rank, start, end)?);
                for (at, (a, b)) in (0_u32..u32::MAX).zip(ranks) {
                    take(at, *a < groups && *b < stays);
                }
            }
            Bound::Series { months } => {
                for (at, rank) in (0_u32..u32::MAX).zip(part(&rows.series_rank, start, end)?) {
                    take(at, *rank < months);
                }
            }
        }
        self.count = sift(&mut self.selected, count, &program.sieve, rows)?;
        let picked = self.selected.iter().take(self.count);
        for (group, at) in self.groups.iter_mut().zip(picked) {
            *group = at16(&rows.group, *at);
        }
        Ok(())
    }
}

/// Removes from the first `count` selected rows what the filter does not let through; gives how
/// many remain.
fn sift(
    selected: &mut [u32],
    count: usize,
    sieve: &Sieve,
    rows: &Rows,
) -> Result<usize, ScanError> {
    let mut count = count;
    if sieve.groups.contains(&false) {
        count = keep(selected, count, |at| {
            pass(&sieve.groups, usize::from(at16(&rows.group, at)))
        });
    }
    for (dimension, allowed) in &sieve.keys {
        let codes = rows
            .keys
            .get(dimension)
            .ok_or_else(|| ScanError::Column(dimension.clone()))?;
        count = keep(selected, count, |at| {
            pass(allowed, usize::from(codes.at(at)))
        });
    }
    Ok(count)
}

fn part(column: &[u8], start: usize, end: usize) -> Result<&[u8], ScanError> {
    column.get(start..end).ok_or(ScanError::Layout)
}

fn keep(selected: &mut [u32], count: usize, passes: impl Fn(u32) -> bool) -> usize {
    let mut kept = 0;
    for position in 0..count {
        let Some(at) = selected.get(position).copied() else {
            break;
        };
        if let Some(slot) = selected.get_mut(kept) {
            *slot = at;
        }
        kept = kept.wrapping_add(usize::from(passes(at)));
    }
    kept
}

pub(super) fn passes(sieve: &Sieve, rows: &Rows, at: u32) -> Result<bool, ScanError> {
    let mut all = pass(&sieve.groups, usize::from(at16(&rows.group, at)));
    for (dimension, allowed) in &sieve.keys {
        let codes = rows
            .keys
            .get(dimension)
            .ok_or_else(|| ScanError::Column(dimension.clone()))?;
        all &= pass(allowed, usize::from(codes.at(at)));
    }
    Ok(all)
}

fn pass(allowed: &[bool], code: usize) -> bool {
    allowed.get(code).copied().unwrap_or(false)
}

#[inline]
pub(super) fn index(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

#[inline]
pub(super) fn at16(column: &[u16], at: u32) -> u16 {
    column.get(index(at)).copied().unwrap_or(u16::MAX)
}

impl Codes {
    #[inline]
    pub(super) fn at(&self, at: u32) -> u16 {
        match self {
            Self::Narrow(codes) => codes.get(index(at)).copied().map_or(u16::MAX, u16::from),
            Self::Wide(codes) => codes.get(index(at)).copied().unwrap_or(u16::MAX),
        }
    }
}
