//! The inner loops. A block of rows is sieved into a selection vector once; then every table gets
//! its cell numbers and every block its additions, from small buffers that stay in the cache.
//! Sums cannot overflow: the plan refused every layout whose cells could reach 2^62 with
//! `max_rows` rows, and `run` refused more rows.

use std::sync::atomic::{AtomicUsize, Ordering};

use policies::plan::Bound;

use super::ScanError;
use super::program::{Fill, Operation, Place, Program, Scaled, Sieve};
use super::rows::{Codes, Rows};

/// Rows sieved at a time: the buffers of one chunk fit in the first-level cache.
const CHUNK: usize = 2048;

type Blocks = Vec<Option<Vec<i64>>>;

pub(super) fn run(program: &Program, rows: &[Rows], threads: usize) -> Result<Blocks, ScanError> {
    let missing = missing_fields(program, rows);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut worker = Worker::new(program, &missing);
        while let Some(batch) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
            worker.batch(program, batch)?;
        }
        Ok(worker.blocks)
    };
    let parts: Vec<Result<Blocks, ScanError>> = std::thread::scope(|scope| {
        let handles: Vec<_> = (1..threads.min(rows.len()).max(1))
            .map(|_| scope.spawn(work))
            .collect();
        let own = work();
        let others = handles
            .into_iter()
            .map(|h| h.join().unwrap_or(Err(ScanError::Worker)));
        std::iter::once(own).chain(others).collect()
    });
    let mut total: Option<Blocks> = None;
    for part in parts {
        let part = part?;
        total = Some(match total {
            None => part,
            Some(sum) => sum.into_iter().zip(part).map(|(a, b)| add(a, b)).collect(),
        });
    }
    total.ok_or(ScanError::Worker)
}

fn add(a: Option<Vec<i64>>, b: Option<Vec<i64>>) -> Option<Vec<i64>> {
    let (mut a, b) = a.zip(b)?;
    a.iter_mut().zip(b).for_each(|(sum, more)| *sum += more);
    Some(a)
}

/// Which blocks have no data because a stored month lacks their field.
fn missing_fields(program: &Program, rows: &[Rows]) -> Vec<bool> {
    let lacks =
        |field: &schemas::id::Slug| rows.iter().any(|batch| !batch.fields.contains_key(field));
    let lacks_scaled = |at: &usize| program.scaled.get(*at).is_none_or(|s| lacks(&s.field));
    let missing = |fill: &Fill| match &fill.operation {
        Operation::Count | Operation::CountWhere(_) => false,
        Operation::Sum(at) | Operation::Squares(at) | Operation::Histogram(at) => lacks_scaled(at),
        Operation::Structure { whole, items } => lacks_scaled(whole) || items.iter().any(lacks),
    };
    program.fills.iter().map(missing).collect()
}

/// One thread's accumulators and buffers.
struct Worker {
    blocks: Blocks,
    selected: Vec<u32>,
    groups: Vec<u16>,
    cells: Vec<u32>,
    /// By scaled field: raw and clamped values of the selected rows.
    values: Vec<(Vec<u32>, Vec<u32>)>,
}

impl Worker {
    fn new(program: &Program, missing: &[bool]) -> Self {
        let block = |(fill, missing): (&Fill, &bool)| (!missing).then(|| vec![0; fill.numbers]);
        Self {
            blocks: program.fills.iter().zip(missing).map(block).collect(),
            selected: Vec::with_capacity(CHUNK),
            groups: Vec::with_capacity(CHUNK),
            cells: Vec::with_capacity(CHUNK),
            values: vec![
                (Vec::with_capacity(CHUNK), Vec::with_capacity(CHUNK));
                program.scaled.len()
            ],
        }
    }

    fn batch(&mut self, program: &Program, rows: &Rows) -> Result<(), ScanError> {
        if !program.period.contains(rows.month) {
            return Ok(());
        }
        let month = usize::from(rows.month.index() - program.period.from.index());
        if !program.sieve.months.get(month).copied().unwrap_or(false) {
            return Ok(());
        }
        for start in (0..rows.len()).step_by(CHUNK) {
            let end = (start + CHUNK).min(rows.len());
            self.select(program, rows, start, end)?;
            self.scale(program, rows);
            let mut placed = usize::MAX;
            for (position, fill) in program.fills.iter().enumerate() {
                if placed != fill.table {
                    let place = program.places.get(fill.table).ok_or(ScanError::Layout)?;
                    self.place(place, rows, month)?;
                    placed = fill.table;
                }
                self.fill(program, position, fill, rows, month)?;
            }
        }
        Ok(())
    }

    /// Selects the rows that count.
    fn select(
        &mut self,
        program: &Program,
        rows: &Rows,
        start: usize,
        end: usize,
    ) -> Result<(), ScanError> {
        let first = u32::try_from(start).map_err(|_| ScanError::TooManyRows)?;
        self.selected.clear();
        let slice = |column: &'_ [u8]| column.get(start..end).map(<[u8]>::to_vec);
        match program.bound {
            Bound::Year { groups, stays } => {
                let a = rows.group_rank.get(start..end).ok_or(ScanError::Layout)?;
                let b = rows.stay_rank.get(start..end).ok_or(ScanError::Layout)?;
                let pass = a.iter().zip(b).map(|(a, b)| (*a < groups) & (*b < stays));
                self.selected.extend(
                    (first..)
                        .zip(pass)
                        .filter(|(_, pass)| *pass)
                        .map(|(at, _)| at),
                );
            }
            Bound::Series { months } => {
                let ranks = slice(&rows.series_rank).ok_or(ScanError::Layout)?;
                let pass = (first..).zip(ranks).filter(|(_, rank)| *rank < months);
                self.selected.extend(pass.map(|(at, _)| at));
            }
        }
        sift(&mut self.selected, &program.sieve, rows)?;
        self.groups.clear();
        self.groups
            .extend(self.selected.iter().map(|at| at16(&rows.group, *at)));
        Ok(())
    }

    /// Scales every field that some block needs.
    fn scale(&mut self, program: &Program, rows: &Rows) {
        for (Scaled { field, scales }, (raw, clamped)) in
            program.scaled.iter().zip(&mut self.values)
        {
            raw.clear();
            clamped.clear();
            let Some(values) = rows.fields.get(field) else {
                continue;
            };
            for (at, group) in self.selected.iter().zip(&self.groups) {
                let value = values.get(index(*at)).copied().unwrap_or(0);
                let Some(scale) = scales.get(usize::from(*group)) else {
                    continue;
                };
                let scaled = scale.apply(value);
                raw.push(scaled);
                clamped.push(scaled.min(scale.most));
            }
        }
    }

    /// Cell number of every selected row in a table.
    fn place(&mut self, place: &Place, rows: &Rows, month: usize) -> Result<(), ScanError> {
        let base = place.month * u32::try_from(month).map_err(|_| ScanError::Layout)?;
        self.cells.clear();
        let part = |group: &u16| place.groups.get(usize::from(*group)).copied().unwrap_or(0);
        self.cells
            .extend(self.groups.iter().map(|group| base + part(group)));
        for (dimension, stride) in &place.keys {
            let codes = rows
                .keys
                .get(dimension)
                .ok_or_else(|| ScanError::Column(dimension.clone()))?;
            for (cell, at) in self.cells.iter_mut().zip(&self.selected) {
                *cell += stride * u32::from(codes.at(*at));
            }
        }
        Ok(())
    }

    /// Adds the selected rows to one block.
    fn fill(
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
        let values = |at: &usize| self.values.get(*at).ok_or(ScanError::Layout);
        match &fill.operation {
            Operation::Count => self.cells.iter().for_each(|cell| bump(block, *cell, 1)),
            Operation::CountWhere(sieve) => {
                if !sieve.months.get(month).copied().unwrap_or(false) {
                    return Ok(());
                }
                for (cell, at) in self.cells.iter().zip(&self.selected) {
                    if passes(sieve, rows, *at)? {
                        bump(block, *cell, 1);
                    }
                }
            }
            Operation::Sum(at) => {
                let clamped = &values(at)?.1;
                self.cells
                    .iter()
                    .zip(clamped)
                    .for_each(|(cell, v)| bump(block, *cell, i64::from(*v)));
            }
            Operation::Squares(at) => {
                let clamped = &values(at)?.1;
                self.cells.iter().zip(clamped).for_each(|(cell, v)| {
                    bump(block, *cell, i64::from(*v).wrapping_mul(i64::from(*v)));
                });
            }
            Operation::Histogram(at) => {
                let raw = &values(at)?.0;
                let width = u32::try_from(fill.width).map_err(|_| ScanError::Layout)?;
                let last = program.bins.len().saturating_sub(1);
                for (cell, value) in self.cells.iter().zip(raw) {
                    let bin = program
                        .bins
                        .get(index(*value).min(last))
                        .copied()
                        .unwrap_or(0);
                    bump(block, cell * width + u32::from(bin), 1);
                }
            }
            Operation::Structure { whole, items } => {
                let clamped = &values(whole)?.1;
                structure(
                    block,
                    fill.width,
                    items,
                    rows,
                    (&self.cells, &self.selected, clamped),
                );
            }
        }
        Ok(())
    }
}

/// Adds every item's share of the clamped whole, floored: `floor(item · whole / Σ items)`.
fn structure(
    block: &mut [i64],
    width: usize,
    items: &[schemas::id::Slug],
    rows: &Rows,
    (cells, selected, clamped): (&[u32], &[u32], &[u32]),
) {
    let columns: Vec<_> = items
        .iter()
        .filter_map(|item| rows.fields.get(item))
        .collect();
    for ((cell, at), whole) in cells.iter().zip(selected).zip(clamped) {
        let item = |column: &&arrow_buffer::ScalarBuffer<u32>| {
            u64::from(column.get(index(*at)).copied().unwrap_or(0))
        };
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

/// Removes from the selection what the filter does not let through.
fn sift(selected: &mut Vec<u32>, sieve: &Sieve, rows: &Rows) -> Result<(), ScanError> {
    if sieve.groups.contains(&false) {
        selected.retain(|at| pass(&sieve.groups, usize::from(at16(&rows.group, *at))));
    }
    for (dimension, allowed) in &sieve.keys {
        let codes = rows
            .keys
            .get(dimension)
            .ok_or_else(|| ScanError::Column(dimension.clone()))?;
        selected.retain(|at| pass(allowed, usize::from(codes.at(*at))));
    }
    Ok(())
}

fn passes(sieve: &Sieve, rows: &Rows, at: u32) -> Result<bool, ScanError> {
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
fn bump(block: &mut [i64], at: u32, by: i64) {
    if let Some(cell) = block.get_mut(index(at)) {
        *cell = cell.wrapping_add(by);
    }
}

#[inline]
fn index(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

#[inline]
fn at16(column: &[u16], at: u32) -> u16 {
    column.get(index(at)).copied().unwrap_or(u16::MAX)
}

impl Codes {
    #[inline]
    fn at(&self, at: u32) -> u16 {
        match self {
            Self::Narrow(codes) => codes.get(index(at)).copied().map_or(u16::MAX, u16::from),
            Self::Wide(codes) => codes.get(index(at)).copied().unwrap_or(u16::MAX),
        }
    }
}
