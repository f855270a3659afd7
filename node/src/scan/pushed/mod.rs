//! The same scan in an engine that the hospital has: the engine computes exact partial sums by SQL, only
//! cells come back. Cap, scale and contribution bound stand in the SQL; cells are the dictionary's, so that
//! every one is in the answer and no code of a row ever becomes a key.

mod statement;

use std::time::Duration;

use policies::plan::Layout;
use schemas::dictionary::Dictionary;

use self::statement::{Fills, Statement};
use super::program::Program;
use super::{Exact, ScanError, centred, kernel};
use crate::engine::{Engine, EngineError, Held, Part, Session, counted, held};

type Blocks = Vec<Option<Vec<i64>>>;

/// How long an engine may take for a question.
const LONGEST: Duration = Duration::from_mins(15);

/// Runs a layout over parts that the engine holds. Blocks the thread.
pub fn run(
    layout: &Layout,
    dictionary: &Dictionary,
    parts: &[Part],
    engine: &Engine,
) -> Result<Exact, ScanError> {
    let of_dataset = dictionary.of(layout.dataset).ok_or(ScanError::Layout)?;
    let program = Program::new(layout, &of_dataset)?;
    let in_period = |part: &&Part| program.period.contains(part.month);
    let parts: Vec<Part> = parts.iter().filter(in_period).copied().collect();
    // A thread of its own: whoever asks may stand in a runtime or in none.
    let blocks = std::thread::scope(|scope| {
        let work = || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|_| ScanError::Worker)?;
            runtime.block_on(async {
                let asked = ask(&program, dictionary.max_rows, &parts, engine);
                let answered = tokio::time::timeout(LONGEST, asked).await;
                answered.unwrap_or_else(|_| Err(EngineError::Slow.into()))
            })
        };
        scope.spawn(work).join().map_err(|_| ScanError::Worker)?
    })?;
    let blocks = centred::centred(layout, &blocks).ok_or(ScanError::Layout)?;
    Ok(Exact {
        question: layout.question,
        blocks,
    })
}

async fn ask(
    program: &Program,
    max_rows: u64,
    parts: &[Part],
    engine: &Engine,
) -> Result<Blocks, ScanError> {
    let Some(first) = parts.first() else {
        return Ok(program
            .fills
            .iter()
            .map(|fill| Some(vec![0; fill.numbers]))
            .collect());
    };
    let mut session = Session::open(engine).await?;
    session.reads(LONGEST.as_secs()).await?;
    let before = held(&mut session, engine.dialect(), Some(parts)).await?;
    let mut total = 0_u64;
    for part in parts {
        let rows = before.get(&part.number).and_then(|held| held.rows);
        let month = part.month;
        let rows = rows.ok_or(EngineError::Missing { month })?;
        if rows != part.rows {
            return Err(EngineError::Rows { month }.into());
        }
        total = total.saturating_add(rows);
    }
    if total > max_rows {
        return Err(ScanError::TooManyRows);
    }
    counted(&mut session, engine.dialect(), parts).await?;
    let lacks = |field: &schemas::id::Slug| {
        let lacks = |held: &Held| held.rows != Some(0) && !held.fields.contains(field);
        before.values().any(lacks)
    };
    let missing = kernel::missing(program, lacks);
    let block =
        |(fill, missing): (&super::program::Fill, &bool)| (!missing).then(|| vec![0; fill.numbers]);
    let mut blocks: Blocks = program.fills.iter().zip(&missing).map(block).collect();
    let from = (first.dataset, parts);
    for Statement { sql, fills } in statement::all(program, &missing, engine.dialect(), from)? {
        session
            .each(sql, |row| put(&mut blocks, program, &fills, row))
            .await?;
    }
    counted(&mut session, engine.dialect(), parts).await?;
    // Marks change before rows do: with the same marks, this node's own commands changed no row meanwhile.
    if held(&mut session, engine.dialect(), Some(parts)).await? != before {
        return Err(EngineError::Changed.into());
    }
    Ok(blocks)
}

/// Puts one row of an answer into its cells; one that no cell of the dictionary is for is refused.
fn put(
    blocks: &mut Blocks,
    program: &Program,
    fills: &Fills,
    row: &[&str],
) -> Result<(), EngineError> {
    let odd = || EngineError::Answer;
    let (cell, values) = row.split_first().ok_or_else(odd)?;
    let cell: usize = cell.parse().map_err(|_| odd())?;
    let mut place = |block: usize, lane: usize, value: &str| {
        let width = program.fills.get(block).ok_or_else(odd)?.width;
        let value: i64 = value.parse().map_err(|_| odd())?;
        let at = cell
            .checked_mul(width)
            .and_then(|first| first.checked_add(lane));
        let cells = blocks
            .get_mut(block)
            .and_then(Option::as_mut)
            .ok_or_else(odd)?;
        let cell = at.and_then(|at| cells.get_mut(at)).filter(|_| lane < width);
        let cell = cell.ok_or_else(odd)?;
        *cell = cell
            .checked_add(value)
            .filter(|_| value >= 0)
            .ok_or_else(odd)?;
        Ok(())
    };
    match fills {
        Fills::Values(targets) => {
            if targets.len() != values.len() {
                return Err(odd());
            }
            for ((block, lane), value) in targets.iter().zip(values) {
                place(*block, *lane, value)?;
            }
            Ok(())
        }
        Fills::Bins(block) => {
            let [bin, value] = values else {
                return Err(odd());
            };
            let bin = bin.parse().map_err(|_| odd())?;
            place(*block, bin, value)
        }
    }
}
