//! The inner loops. The rows of a chunk that count are marked once; then every table gets its cell
//! numbers and every block its additions, from small buffers that stay in the cache.
//! Sums cannot overflow: the plan refused every layout whose cells could reach 2^62 with
//! `max_rows` rows, and `run` refused more rows.

use std::sync::atomic::{AtomicUsize, Ordering};

use schemas::id::Slug;

use super::ScanError;
use super::program::{Fill, Operation, Place, Program};
use super::rows::Rows;
use super::runs::{self, Bins, Run};

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
        Ok(worker.finish(program))
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
    missing(program, |field| {
        rows.iter().any(|batch| !batch.fields.contains_key(field))
    })
}

/// The same, where `lacks` says whether a month lacks a field.
pub(super) fn missing(program: &Program, lacks: impl Fn(&Slug) -> bool) -> Vec<bool> {
    let lacks_scaled = |at: &usize| program.scaled.get(*at).is_none_or(|s| lacks(&s.field));
    let missing = |fill: &Fill| match &fill.operation {
        Operation::Count | Operation::CountWhere(_) => false,
        Operation::Sum(at) | Operation::Squares(at) | Operation::Histogram(at) => lacks_scaled(at),
        Operation::Structure { whole, items } => lacks_scaled(whole) || items.iter().any(&lacks),
    };
    program.fills.iter().map(missing).collect()
}

/// Running sums of up to four blocks of one table, side by side for every cell, so that a row
/// touches one cache line.
pub(super) struct Lanes {
    pub(super) table: usize,
    /// Block of each lane.
    pub(super) fills: Vec<usize>,
    pub(super) sums: Vec<[i64; LANES]>,
    /// By lane: what each row of the chunk adds. Ones for a lane of counts, zeros for an empty one.
    pub(super) additions: [Vec<i64>; LANES],
}

const LANES: usize = 4;

/// One thread's accumulators and buffers. Every block has one cell more than the layout: the one
/// for rows that do not count.
pub(super) struct Worker {
    /// Blocks that are not kept in lanes.
    pub(super) blocks: Blocks,
    pub(super) lanes: Vec<Lanes>,
    /// By row of the chunk: 1 where it counts.
    pub(super) passes: Vec<u8>,
    /// By row of the chunk: its cell in the table at hand.
    pub(super) cells: Vec<u32>,
    /// By scaled field: raw and clamped values of the chunk's rows.
    pub(super) values: Vec<(Vec<u32>, Vec<u32>)>,
    /// The chunk's runs of rows of one case group.
    pub(super) runs: Vec<Run>,
    /// Counts by bin of the run at hand.
    pub(super) counts: Bins,
}

impl Worker {
    fn new(program: &Program, missing: &[bool]) -> Self {
        let spare = |fill: &Fill| fill.numbers + fill.width;
        let block = |(fill, missing): (&Fill, &bool)| (!missing).then(|| vec![0; spare(fill)]);
        let mut lanes: Vec<Lanes> = Vec::new();
        for (position, (fill, missing)) in program.fills.iter().zip(missing).enumerate() {
            let ones = matches!(fill.operation, Operation::Count);
            let adds = ones || matches!(fill.operation, Operation::Sum(_) | Operation::Squares(_));
            if !adds || *missing {
                continue;
            }
            let full = |lanes: &Lanes| lanes.fills.len() == LANES;
            if !lanes
                .last()
                .is_some_and(|last| last.table == fill.table && !full(last))
            {
                lanes.push(Lanes {
                    table: fill.table,
                    fills: Vec::with_capacity(LANES),
                    sums: vec![[0; LANES]; spare(fill)],
                    additions: std::array::from_fn(|_| vec![0; CHUNK]),
                });
            }
            if let Some(open) = lanes.last_mut() {
                if let Some(additions) = open.additions.get_mut(open.fills.len()) {
                    additions.fill(i64::from(ones));
                }
                open.fills.push(position);
            }
        }
        Self {
            blocks: program.fills.iter().zip(missing).map(block).collect(),
            lanes,
            passes: vec![0; CHUNK],
            cells: vec![0; CHUNK],
            values: vec![(vec![0; CHUNK], vec![0; CHUNK]); program.scaled.len()],
            runs: Vec::new(),
            counts: Bins::new(),
        }
    }

    /// The blocks: lanes unpacked, the spare cell dropped.
    fn finish(mut self, program: &Program) -> Blocks {
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
        for (block, fill) in self.blocks.iter_mut().zip(&program.fills) {
            if let Some(cells) = block {
                cells.truncate(fill.numbers);
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
        let places = program.places.iter().enumerate();
        let serve = |(table, place): (usize, &Place)| runs::serve(program, table, place, rows);
        let by_runs: Vec<bool> = places.clone().map(serve).collect();
        let by_runs = |table: usize| by_runs.get(table).copied().unwrap_or(false);
        // What is left for the way row by row.
        let rest = |fill: &Fill| !(by_runs(fill.table) && fill.by_runs());
        let any_rest = program.fills.iter().any(rest);
        for start in (0..rows.len()).step_by(CHUNK) {
            let end = (start + CHUNK).min(rows.len());
            self.select(program, rows, start, end)?;
            self.find_runs(rows, start, end);
            if any_rest {
                self.scale(program, rows, start, end)?;
            }
            for (table, place) in places.clone() {
                if by_runs(table) {
                    self.add_runs(program, (table, place), rows, month, (start, end))?;
                }
                let of_table = |fill: &Fill| fill.table == table && rest(fill);
                if program.fills.iter().any(of_table) {
                    self.place(place, rows, month, (start, end))?;
                }
                if !by_runs(table) {
                    self.add_lanes(program, table, end - start)?;
                }
                let fills = program.fills.iter().enumerate();
                for (position, fill) in fills.filter(|(_, fill)| of_table(fill)) {
                    self.fill(program, (position, fill), rows, month, (start, end))?;
                }
            }
        }
        Ok(())
    }
}
