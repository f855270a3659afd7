//! The first half of the kernel: which rows of a chunk count.

use policies::plan::Bound;

use super::ScanError;
use super::kernel::Worker;
use super::program::{Program, Sieve};
use super::rows::{Codes, Rows};

impl Worker {
    /// Marks the rows of a chunk that count. Nothing here branches on a row, so the time does not
    /// depend on which rows pass.
    pub(super) fn select(
        &mut self,
        program: &Program,
        rows: &Rows,
        start: usize,
        end: usize,
    ) -> Result<(), ScanError> {
        let passes = self
            .passes
            .get_mut(..end - start)
            .ok_or(ScanError::Layout)?;
        match program.bound {
            Bound::Year { groups, stays } => {
                let group_ranks = part(&rows.group_rank, start, end)?;
                let ranks = group_ranks.iter().zip(part(&rows.stay_rank, start, end)?);
                for (pass, (group, stay)) in passes.iter_mut().zip(ranks) {
                    *pass = u8::from(*group < groups) & u8::from(*stay < stays);
                }
            }
            Bound::Series { months } => {
                let ranks = part(&rows.series_rank, start, end)?;
                for (pass, rank) in passes.iter_mut().zip(ranks) {
                    *pass = u8::from(*rank < months);
                }
            }
        }
        sift(passes, &program.sieve, rows, start, end)
    }
}

/// Unmarks what a filter does not let through.
pub(super) fn sift(
    passes: &mut [u8],
    sieve: &Sieve,
    rows: &Rows,
    start: usize,
    end: usize,
) -> Result<(), ScanError> {
    if sieve.groups.contains(&false) {
        let groups = part(&rows.group, start, end)?;
        for (pass, group) in passes.iter_mut().zip(groups) {
            *pass &= u8::from(allows(&sieve.groups, usize::from(*group)));
        }
    }
    for (dimension, allowed) in &sieve.keys {
        let keep = |(pass, code): (&mut u8, usize)| *pass &= u8::from(allows(allowed, code));
        match codes(rows, dimension)? {
            Codes::Narrow(codes) => {
                let codes = part(codes, start, end)?
                    .iter()
                    .map(|code| usize::from(*code));
                passes.iter_mut().zip(codes).for_each(keep);
            }
            Codes::Wide(codes) => {
                let codes = part(codes, start, end)?
                    .iter()
                    .map(|code| usize::from(*code));
                passes.iter_mut().zip(codes).for_each(keep);
            }
        }
    }
    Ok(())
}

/// The stored codes of a dimension.
pub(super) fn codes<'a>(
    rows: &'a Rows,
    dimension: &schemas::id::Slug,
) -> Result<&'a Codes, ScanError> {
    rows.keys
        .get(dimension)
        .ok_or_else(|| ScanError::Column(dimension.clone()))
}

/// The rows of a chunk in a column.
pub(super) fn part<T>(column: &[T], start: usize, end: usize) -> Result<&[T], ScanError> {
    column.get(start..end).ok_or(ScanError::Layout)
}

fn allows(allowed: &[bool], code: usize) -> bool {
    allowed.get(code).copied().unwrap_or(false)
}
