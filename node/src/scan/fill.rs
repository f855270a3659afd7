//! The second half of the kernel: scaled values, cell numbers and additions for the rows that were
//! selected.

use arrow_buffer::ScalarBuffer;
use schemas::id::Slug;

use super::ScanError;
use super::kernel::Worker;
use super::program::{Fill, Operation, Place, Program};
use super::rows::Rows;
use super::select::{at16, index, passes};

impl Worker {
    /// Scales every field that some block needs: from the column scaled at opening where that
    /// holds enough, else from the stored amounts.
    pub(super) fn scale(&mut self, program: &Program, rows: &Rows) {
        let selected = self.selected.get(..self.count).unwrap_or_default();
        let groups = self.groups.get(..self.count).unwrap_or_default();
        for (spec, (raw, clamped)) in program.scaled.iter().zip(&mut self.values) {
            let ready = rows.scaled.get(&spec.field).filter(|_| spec.ready);
            if let Some(column) = ready {
                for (raw, at) in raw.iter_mut().zip(selected) {
                    *raw = u32::from(at16(column, *at));
                }
                for (clamped, raw) in clamped.iter_mut().zip(raw.iter()).take(self.count) {
                    *clamped = (*raw).min(spec.most);
                }
                continue;
            }
            let Some(values) = rows.fields.get(&spec.field) else {
                continue;
            };
            let out = raw.iter_mut().zip(clamped);
            for ((at, group), (raw, clamped)) in selected.iter().zip(groups).zip(out) {
                let value = values.get(index(*at)).copied().unwrap_or(0);
                let Some(scale) = spec.scales.get(usize::from(*group)) else {
                    continue;
                };
                *raw = scale.apply(value);
                *clamped = (*raw).min(scale.most);
            }
        }
    }

    /// Cell number of every selected row in a table.
    pub(super) fn place(
        &mut self,
        place: &Place,
        rows: &Rows,
        month: usize,
    ) -> Result<(), ScanError> {
        let base = place.month * u32::try_from(month).map_err(|_| ScanError::Layout)?;
        let groups = self.groups.iter().take(self.count);
        for (cell, group) in self.cells.iter_mut().zip(groups) {
            let part = place.groups.get(usize::from(*group)).copied().unwrap_or(0);
            *cell = base.wrapping_add(part);
        }
        let selected = self.selected.get(..self.count).unwrap_or_default();
        for (dimension, stride) in &place.keys {
            let codes = rows
                .keys
                .get(dimension)
                .ok_or_else(|| ScanError::Column(dimension.clone()))?;
            for (cell, at) in self.cells.iter_mut().zip(selected) {
                *cell = cell.wrapping_add(stride.wrapping_mul(u32::from(codes.at(*at))));
            }
        }
        Ok(())
    }

    /// Adds the selected rows to the lanes of a table.
    pub(super) fn add_lanes(&mut self, program: &Program, table: usize) -> Result<(), ScanError> {
        let cells = self.cells.get(..self.count).unwrap_or_default();
        for lanes in self.lanes.iter_mut().filter(|lanes| lanes.table == table) {
            for (lane, additions) in self.additions.iter_mut().enumerate() {
                let fill = lanes
                    .fills
                    .get(lane)
                    .and_then(|position| program.fills.get(*position));
                let values = |at: &usize| self.values.get(*at).ok_or(ScanError::Layout);
                match fill.map(|fill| &fill.operation) {
                    Some(Operation::Count) => additions.fill(1),
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
                            *to = i64::from(*v).wrapping_mul(i64::from(*v));
                        });
                    }
                    _ => additions.fill(0),
                }
            }
            let [a, b, c, d] = &self.additions;
            for ((((cell, a), b), c), d) in cells.iter().zip(a).zip(b).zip(c).zip(d) {
                if let Some([w, x, y, z]) = lanes.sums.get_mut(index(*cell)) {
                    *w = w.wrapping_add(*a);
                    *x = x.wrapping_add(*b);
                    *y = y.wrapping_add(*c);
                    *z = z.wrapping_add(*d);
                }
            }
        }
        Ok(())
    }

    /// Adds the selected rows to a block that is not kept in lanes.
    pub(super) fn fill(
        &mut self,
        program: &Program,
        position: usize,
        fill: &Fill,
        rows: &Rows,
        month: usize,
    ) -> Result<(), ScanError> {
        let Some(Some(block)) = self.blocks.get_mut(position) else {
            return Ok(());
        };
        let cells = self.cells.get(..self.count).unwrap_or_default();
        let selected = self.selected.get(..self.count).unwrap_or_default();
        let values = |at: &usize| self.values.get(*at).ok_or(ScanError::Layout);
        match &fill.operation {
            Operation::Count | Operation::Sum(_) | Operation::Squares(_) => {}
            Operation::CountWhere(sieve) => {
                if !sieve.months.get(month).copied().unwrap_or(false) {
                    return Ok(());
                }
                for (cell, at) in cells.iter().zip(selected) {
                    if passes(sieve, rows, *at)? {
                        bump(block, *cell, 1);
                    }
                }
            }
            Operation::Histogram(at) => {
                let raw = &values(at)?.0;
                let width = u32::try_from(fill.width).map_err(|_| ScanError::Layout)?;
                let last = program.bins.len().saturating_sub(1);
                for (cell, value) in cells.iter().zip(raw) {
                    let bin = program
                        .bins
                        .get(index(*value).min(last))
                        .copied()
                        .unwrap_or(0);
                    bump(
                        block,
                        cell.wrapping_mul(width).wrapping_add(u32::from(bin)),
                        1,
                    );
                }
            }
            Operation::Structure { whole, items } => {
                let clamped = &values(whole)?.1;
                structure(block, fill.width, items, rows, (cells, selected, clamped));
            }
        }
        Ok(())
    }
}

/// Adds every item's share of the clamped whole, floored: `floor(item · whole / Σ items)`.
fn structure(
    block: &mut [i64],
    width: usize,
    items: &[Slug],
    rows: &Rows,
    (cells, selected, clamped): (&[u32], &[u32], &[u32]),
) {
    let columns: Vec<_> = items
        .iter()
        .filter_map(|item| rows.fields.get(item))
        .collect();
    for ((cell, at), whole) in cells.iter().zip(selected).zip(clamped) {
        let item =
            |column: &&ScalarBuffer<u32>| u64::from(column.get(index(*at)).copied().unwrap_or(0));
        let total: u64 = columns.iter().map(item).sum();
        let first = index(*cell) * width;
        let Some(targets) = block.get_mut(first..first + width) else {
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
