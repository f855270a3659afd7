//! The inner loops. A block of rows is sieved into a selection vector once; then every table gets
//! its cell numbers and every block its additions, from small buffers that stay in the cache.
//! Sums cannot overflow: the plan refused every layout whose cells could reach 2^62 with
//! `max_rows` rows, and `run` refused more rows.

use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_buffer::ScalarBuffer;
use policies::plan::Bound;

use super::ScanError;
use super::program::{Fill, Operation, Place, Program, Sieve};
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
        Ok(worker.finish())
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

/// Running sums of up to four blocks of one table, side by side for every cell, so that a row
/// touches one cache line.
struct Lanes {
    table: usize,
    /// Block and operation of each lane.
    fills: Vec<usize>,
    sums: Vec<[i64; LANES]>,
}

const LANES: usize = 4;

/// One thread's accumulators and buffers.
struct Worker {
    /// Blocks that are not kept in lanes.
    blocks: Blocks,
    lanes: Vec<Lanes>,
    selected: Vec<u32>,
    groups: Vec<u16>,
    cells: Vec<u32>,
    /// By scaled field: raw and clamped values of the selected rows.
    values: Vec<(Vec<u32>, Vec<u32>)>,
    /// By lane: what each selected row adds.
    additions: [Vec<i64>; LANES],
    /// Number of selected rows.
    count: usize,
}

impl Worker {
    fn new(program: &Program, missing: &[bool]) -> Self {
        let block = |(fill, missing): (&Fill, &bool)| (!missing).then(|| vec![0; fill.numbers]);
        let mut lanes: Vec<Lanes> = Vec::new();
        for (position, (fill, missing)) in program.fills.iter().zip(missing).enumerate() {
            let adds = matches!(
                fill.operation,
                Operation::Count | Operation::Sum(_) | Operation::Squares(_)
            );
            if !adds || *missing {
                continue;
            }
            let open = lanes
                .iter_mut()
                .find(|l| l.table == fill.table && l.fills.len() < LANES);
            match open {
                Some(found) => found.fills.push(position),
                None => lanes.push(Lanes {
                    table: fill.table,
                    fills: vec![position],
                    sums: vec![[0; LANES]; fill.numbers],
                }),
            }
        }
        Self {
            blocks: program.fills.iter().zip(missing).map(block).collect(),
            lanes,
            selected: vec![0; CHUNK],
            groups: vec![0; CHUNK],
            cells: vec![0; CHUNK],
            values: vec![(vec![0; CHUNK], vec![0; CHUNK]); program.scaled.len()],
            additions: std::array::from_fn(|_| vec![0; CHUNK]),
            count: 0,
        }
    }

    /// The blocks, lanes unpacked.
    fn finish(mut self) -> Blocks {
        for lanes in &self.lanes {
            for (lane, position) in lanes.fills.iter().enumerate() {
                if let Some(Some(block)) = self.blocks.get_mut(*position) {
                    let sums = lanes
                        .sums
                        .iter()
                        .map(|sums| sums.get(lane).copied().unwrap_or(0));
                    block
                        .iter_mut()
                        .zip(sums)
                        .for_each(|(cell, sum)| *cell = sum);
                }
            }
        }
        self.blocks
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
            for (table, place) in program.places.iter().enumerate() {
                self.place(place, rows, month)?;
                self.add_lanes(program, table)?;
                for (position, fill) in program.fills.iter().enumerate() {
                    if fill.table == table {
                        self.fill(program, position, fill, rows, month)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Selects the rows that count, without branching on them.
    fn select(
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
                    take(at, (*a < groups) & (*b < stays));
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

    /// Scales every field that some block needs: from the column scaled at opening where that
    /// holds enough, else from the stored amounts.
    fn scale(&mut self, program: &Program, rows: &Rows) {
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
    fn place(&mut self, place: &Place, rows: &Rows, month: usize) -> Result<(), ScanError> {
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
    fn add_lanes(&mut self, program: &Program, table: usize) -> Result<(), ScanError> {
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
    items: &[schemas::id::Slug],
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
