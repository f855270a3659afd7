//! The inner loops. A block of rows is sieved into a selection vector once; then every table gets
//! its cell numbers and every block its additions, from small buffers that stay in the cache.
//! Sums cannot overflow: the plan refused every layout whose cells could reach 2^62 with
//! `max_rows` rows, and `run` refused more rows.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::ScanError;
use super::program::{Fill, Operation, Program};
use super::rows::Rows;

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
pub(super) struct Lanes {
    pub(super) table: usize,
    /// Block and operation of each lane.
    pub(super) fills: Vec<usize>,
    pub(super) sums: Vec<[i64; LANES]>,
}

pub(super) const LANES: usize = 4;

/// One thread's accumulators and buffers.
pub(super) struct Worker {
    /// Blocks that are not kept in lanes.
    pub(super) blocks: Blocks,
    pub(super) lanes: Vec<Lanes>,
    pub(super) selected: Vec<u32>,
    pub(super) groups: Vec<u16>,
    pub(super) cells: Vec<u32>,
    /// By scaled field: raw and clamped values of the selected rows.
    pub(super) values: Vec<(Vec<u32>, Vec<u32>)>,
    /// By lane: what each selected row adds.
    pub(super) additions: [Vec<i64>; LANES],
    /// Number of selected rows.
    pub(super) count: usize,
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
}
