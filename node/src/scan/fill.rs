//! The second half of the kernel: scaled values, cell numbers and additions. Rows that do not
//! count go to a cell of their own behind the last one, which is dropped at the end.

use schemas::id::Slug;

use super::ScanError;
use super::kernel::{Lanes, Worker};
use super::program::{Fill, Operation, Place, Program};
use super::ready::bin_of;
use super::rows::{Codes, Rows};
use super::select::{codes, part, sift};

impl Worker {
    /// Scales every field that some block needs: from the column scaled at opening where that
    /// holds enough, else from the stored amounts.
    pub(super) fn scale(
        &mut self,
        program: &Program,
        rows: &Rows,
        start: usize,
        end: usize,
    ) -> Result<(), ScanError> {
        for (spec, (raw, clamped)) in program.scaled.iter().zip(&mut self.values) {
            let out = raw.iter_mut().zip(clamped);
            if let Some(column) = rows.ready.scaled.get(&spec.field).filter(|_| spec.ready) {
                for (value, (raw, clamped)) in part(column, start, end)?.iter().zip(out) {
                    *raw = u32::from(*value);
                    *clamped = (*raw).min(spec.most);
                }
                continue;
            }
            let Some(values) = rows.fields.get(&spec.field) else {
                continue;
            };
            let groups = part(&rows.group, start, end)?;
            let stays = part(values, start, end)?.iter().zip(groups);
            for ((value, group), (raw, clamped)) in stays.zip(out) {
                let Some(scale) = spec.scales.get(usize::from(*group)) else {
                    continue;
                };
                *raw = scale.apply(*value);
                *clamped = (*raw).min(scale.most);
            }
        }
        Ok(())
    }

    /// Cell number of every row of the chunk in a table; `none` for rows that do not count.
    pub(super) fn place(
        &mut self,
        place: &Place,
        rows: &Rows,
        month: usize,
        (start, end): (usize, usize),
    ) -> Result<(), ScanError> {
        let base = place.month * u32::try_from(month).map_err(|_| ScanError::Layout)?;
        let groups = part(&rows.group, start, end)?;
        for (cell, group) in self.cells.iter_mut().zip(groups) {
            let of_group = place.groups.get(usize::from(*group)).copied();
            *cell = base.wrapping_add(of_group.unwrap_or(place.none));
        }
        for (dimension, stride) in &place.keys {
            let add = |(cell, code): (&mut u32, u32)| {
                *cell = cell.wrapping_add(stride.wrapping_mul(code));
            };
            match codes(rows, dimension)? {
                Codes::Narrow(codes) => {
                    let codes = part(codes, start, end)?.iter().map(|code| u32::from(*code));
                    self.cells.iter_mut().zip(codes).for_each(add);
                }
                Codes::Wide(codes) => {
                    let codes = part(codes, start, end)?.iter().map(|code| u32::from(*code));
                    self.cells.iter_mut().zip(codes).for_each(add);
                }
            }
        }
        for (cell, pass) in self.cells.iter_mut().zip(&self.passes) {
            *cell = if *pass == 1 {
                (*cell).min(place.none)
            } else {
                place.none
            };
        }
        Ok(())
    }

    /// Adds the rows of the chunk to the lanes of a table.
    pub(super) fn add_lanes(
        &mut self,
        program: &Program,
        table: usize,
        count: usize,
    ) -> Result<(), ScanError> {
        let cells = self.cells.get(..count).unwrap_or_default();
        for lanes in self.lanes.iter_mut().filter(|lanes| lanes.table == table) {
            let Lanes {
                fills,
                additions,
                sums,
                ..
            } = lanes;
            for (position, additions) in fills.iter().zip(additions.iter_mut()) {
                let values = |at: &usize| self.values.get(*at).ok_or(ScanError::Layout);
                match program.fills.get(*position).map(|fill| &fill.operation) {
                    Some(Operation::Sum(at)) => {
                        let clamped = values(at)?.1.iter();
                        additions
                            .iter_mut()
                            .zip(clamped)
                            .for_each(|(to, v)| *to = i64::from(*v));
                    }
                    Some(Operation::Squares(at)) => {
                        let clamped = values(at)?.1.iter();
                        additions.iter_mut().zip(clamped).for_each(|(to, v)| {
                            *to = i64::try_from(u64::from(*v).wrapping_mul(u64::from(*v)))
                                .unwrap_or(i64::MAX);
                        });
                    }
                    // A lane of counts adds one for ever.
                    _ => {}
                }
            }
            let [a, b, c, d] = &*additions;
            for ((((cell, a), b), c), d) in cells.iter().zip(a).zip(b).zip(c).zip(d) {
                if let Some([w, x, y, z]) = sums.get_mut(index(*cell)) {
                    *w = w.wrapping_add(*a);
                    *x = x.wrapping_add(*b);
                    *y = y.wrapping_add(*c);
                    *z = z.wrapping_add(*d);
                }
            }
        }
        Ok(())
    }

    /// Adds the rows of the chunk to a block that is not kept in lanes.
    pub(super) fn fill(
        &mut self,
        program: &Program,
        (position, fill): (usize, &Fill),
        rows: &Rows,
        month: usize,
        (start, end): (usize, usize),
    ) -> Result<(), ScanError> {
        let Some(Some(block)) = self.blocks.get_mut(position) else {
            return Ok(());
        };
        let cells = self.cells.get(..end - start).unwrap_or_default();
        let values = |at: &usize| self.values.get(*at).ok_or(ScanError::Layout);
        match &fill.operation {
            Operation::Count | Operation::Sum(_) | Operation::Squares(_) => {}
            Operation::CountWhere(sieve) => {
                if !sieve.months.get(month).copied().unwrap_or(false) {
                    return Ok(());
                }
                let mut passes = self.passes.get(..end - start).unwrap_or_default().to_vec();
                sift(&mut passes, sieve, rows, start, end)?;
                for (cell, pass) in cells.iter().zip(passes) {
                    bump(block, *cell, i64::from(pass));
                }
            }
            Operation::Histogram(at) => {
                let width = u32::try_from(fill.width).map_err(|_| ScanError::Layout)?;
                histogram(
                    block,
                    width,
                    &program.bins,
                    cells.iter().zip(&values(at)?.0),
                );
            }
            Operation::Structure { whole, items } => {
                let clamped = &values(whole)?.1;
                structure(block, fill.width, items, rows, (cells, clamped, start));
            }
        }
        Ok(())
    }
}

/// Adds one to the bin of every row.
fn histogram<'a>(
    block: &mut [i64],
    width: u32,
    bins: &[u8],
    rows: impl Iterator<Item = (&'a u32, &'a u32)>,
) {
    for (cell, value) in rows {
        let bin = bin_of(bins, *value);
        bump(
            block,
            cell.wrapping_mul(width).wrapping_add(u32::from(bin)),
            1,
        );
    }
}

/// Adds every item's share of the clamped whole, floored: `floor(item · whole / Σ items)`.
fn structure(
    block: &mut [i64],
    width: usize,
    items: &[Slug],
    rows: &Rows,
    (cells, clamped, start): (&[u32], &[u32], usize),
) {
    let columns: Vec<&[u32]> = items
        .iter()
        .filter_map(|item| rows.fields.get(item)?.get(start..))
        .collect();
    for (row, (cell, whole)) in cells.iter().zip(clamped).enumerate() {
        let item = |column: &&[u32]| u64::from(column.get(row).copied().unwrap_or(0));
        let total: u64 = columns.iter().map(item).sum();
        let first = index(*cell).saturating_mul(width);
        let Some(targets) = block.get_mut(first..first.saturating_add(width)) else {
            continue;
        };
        for (target, column) in targets.iter_mut().zip(&columns) {
            // item < 2^32 and whole ≤ 10^9 < 2^30: the product stays below 2^62.
            let share = (item(column) * u64::from(*whole))
                .checked_div(total)
                .unwrap_or(0);
            *target = target.wrapping_add(i64::try_from(share).unwrap_or(0));
        }
    }
}

#[inline]
fn bump(block: &mut [i64], at: u32, by: i64) {
    if let Some(cell) = block.get_mut(index(at)) {
        *cell = cell.wrapping_add(by);
    }
}

#[inline]
pub(super) fn index(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}
