//! The inner loops for tables whose cells follow from the case group alone. A stored batch is
//! ordered by group, so its rows come in runs that fall in one cell each: sums stay in registers,
//! and a histogram adds to one short row of bins.

use super::ScanError;
use super::fill::index;
use super::kernel::{Lanes, Worker};
use super::program::{Operation, Place, Program};
use super::rows::Rows;
use super::select::part;

/// Rows a run must have on average; else scattered additions are the faster way.
const LENGTH: usize = 8;

/// Rows of a chunk, one behind the other, of the same case group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    group: u16,
    /// Within the chunk.
    start: usize,
    end: usize,
}

/// Whether a table is to be filled run by run, in whole or but for blocks that need cell numbers.
pub(super) fn serve(program: &Program, table: usize, place: &Place, rows: &Rows) -> bool {
    let ready = |at: &usize| {
        let spec = program.scaled.get(*at);
        spec.is_some_and(|spec| spec.ready && rows.ready.scaled.contains_key(&spec.field))
    };
    let binned = |at: &usize| {
        let spec = program.scaled.get(*at);
        spec.is_some_and(|spec| spec.ready && rows.ready.bins.contains_key(&spec.field))
    };
    let mut fills = program.fills.iter().filter(|fill| fill.table == table);
    place.keys.is_empty()
        && rows.ready.runs.len() * LENGTH <= rows.len()
        && fills.all(|fill| match &fill.operation {
            Operation::Sum(at) | Operation::Squares(at) => ready(at),
            Operation::Histogram(at) => binned(at),
            _ => true,
        })
}

impl Worker {
    /// Finds the runs of a chunk.
    pub(super) fn find_runs(&mut self, rows: &Rows, start: usize, end: usize) {
        self.runs.clear();
        let mut first = start;
        let before = rows.ready.runs.partition_point(|run| index(*run) <= start);
        for run_end in rows.ready.runs.iter().skip(before) {
            let run_end = index(*run_end).min(end);
            self.runs.extend(rows.group.get(first).map(|group| Run {
                group: *group,
                start: first - start,
                end: run_end - start,
            }));
            first = run_end;
            if first == end {
                break;
            }
        }
    }

    /// Adds the runs of the chunk to the lanes and histograms of a table.
    pub(super) fn add_runs(
        &mut self,
        program: &Program,
        (table, place): (usize, &Place),
        rows: &Rows,
        month: usize,
        (start, end): (usize, usize),
    ) -> Result<(), ScanError> {
        let base = place.month * u32::try_from(month).map_err(|_| ScanError::Layout)?;
        let Self {
            blocks,
            lanes,
            passes,
            runs,
            counts,
            ..
        } = self;
        let cell_of = |run: &Run| {
            let of_group = place.groups.get(usize::from(run.group)).copied();
            index(of_group.map_or(place.none, |cell| base.wrapping_add(cell)))
        };
        for lanes in lanes.iter_mut().filter(|lanes| lanes.table == table) {
            let Lanes { fills, sums, .. } = lanes;
            for (lane, position) in fills.iter().enumerate() {
                let operation = program.fills.get(*position).map(|fill| &fill.operation);
                let column = match operation {
                    Some(Operation::Sum(of) | Operation::Squares(of)) => {
                        let spec = program.scaled.get(*of).ok_or(ScanError::Layout)?;
                        let column = rows.ready.scaled.get(&spec.field);
                        let column = column.ok_or(ScanError::Layout)?;
                        // A ready field's cap is below 65,535.
                        let most = u16::try_from(spec.most).unwrap_or(u16::MAX);
                        Some((part(column, start, end)?, most))
                    }
                    _ => None,
                };
                for run in runs.iter() {
                    let passes = part(passes, run.start, run.end)?;
                    let sum = match (operation, column) {
                        (Some(Operation::Squares(_)), Some((column, most))) => {
                            squares(part(column, run.start, run.end)?, passes, most)
                        }
                        (_, Some((column, most))) => {
                            total(part(column, run.start, run.end)?, passes, most)
                        }
                        (_, None) => count(passes),
                    };
                    let cell = sums.get_mut(cell_of(run));
                    if let Some(cell) = cell.and_then(|lanes| lanes.get_mut(lane)) {
                        *cell = cell.wrapping_add(sum);
                    }
                }
            }
        }
        for (fill, block) in program.fills.iter().zip(blocks.iter_mut()) {
            let (Operation::Histogram(of), Some(block), true) =
                (&fill.operation, block, fill.table == table)
            else {
                continue;
            };
            let spec = program.scaled.get(*of).ok_or(ScanError::Layout)?;
            let column = rows.ready.bins.get(&spec.field).ok_or(ScanError::Layout)?;
            let column = part(column, start, end)?;
            for run in runs.iter() {
                let first = cell_of(run).saturating_mul(fill.width);
                if let Some(cell) = block.get_mut(first..first.saturating_add(fill.width)) {
                    let bins = part(column, run.start, run.end)?;
                    counts.add(cell, bins, part(passes, run.start, run.end)?);
                }
            }
        }
        Ok(())
    }
}

/// Rows that count.
fn count(passes: &[u8]) -> i64 {
    let passes = passes.iter().map(|pass| u32::from(*pass));
    i64::from(passes.fold(0, u32::wrapping_add))
}

/// Sum of the clamped values of rows that count. A run has at most 65,536 rows, so 32 bits hold it.
fn total(values: &[u16], passes: &[u8], most: u16) -> i64 {
    let values = values.iter().zip(passes).map(|(value, pass)| {
        let value = (*value).min(most).wrapping_mul(u16::from(*pass));
        u32::from(value)
    });
    i64::from(values.fold(0, u32::wrapping_add))
}

/// Sum of their squares, below 2^48.
fn squares(values: &[u16], passes: &[u8], most: u16) -> i64 {
    let squares = values.iter().zip(passes).map(|(value, pass)| {
        let value = u32::from((*value).min(most).wrapping_mul(u16::from(*pass)));
        u64::from(value.wrapping_mul(value))
    });
    i64::try_from(squares.fold(0, u64::wrapping_add)).unwrap_or(i64::MAX)
}

/// Counts by bin of one run. Neighbouring rows go to different copies: adding twice to one place
/// would wait for the first addition to reach memory.
pub(super) struct Bins([[u32; 256]; COPIES]);

const COPIES: usize = 4;

impl Bins {
    pub(super) fn new() -> Self {
        Self([[0; 256]; COPIES])
    }

    /// Adds one to the bin of every row that counts.
    fn add(&mut self, cell: &mut [i64], bins: &[u8], passes: &[u8]) {
        let add = |copy: &mut [u32; 256], bin: u8, pass: u8| {
            if let Some(number) = copy.get_mut(usize::from(bin)) {
                *number = number.wrapping_add(u32::from(pass));
            }
        };
        let [a, b, c, d] = &mut self.0;
        let (bins, bins_rest) = bins.as_chunks::<COPIES>();
        let (passes, passes_rest) = passes.as_chunks::<COPIES>();
        for (bins, passes) in bins.iter().zip(passes) {
            add(a, bins[0], passes[0]);
            add(b, bins[1], passes[1]);
            add(c, bins[2], passes[2]);
            add(d, bins[3], passes[3]);
        }
        for (bin, pass) in bins_rest.iter().zip(passes_rest) {
            add(a, *bin, *pass);
        }
        let copies = a.iter_mut().zip(b).zip(c).zip(d);
        for (number, (((a, b), c), d)) in cell.iter_mut().zip(copies) {
            let sum = a.wrapping_add(*b).wrapping_add(*c).wrapping_add(*d);
            *number = number.wrapping_add(i64::from(sum));
            (*a, *b, *c, *d) = (0, 0, 0, 0);
        }
    }
}
