//! A private question from the policy's judgement to the signed answer in the durable ledger, and what past
//! questions add to the price of the next.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::ensure;
use node::answer::{App, Asked, By, reply};
use node::clock::Clock;
use node::config::Config;
use node::store::state::State;
use schemas::question::{Measure, Question};
use tempfile::TempDir;

use super::{median, millis};

/// How often the whole question is asked, each time with a state that never heard it.
const RUNS: usize = 7;
/// Questions after each other on one state.
const PAST: usize = 2_000;
/// How many of the first and of the last of them are averaged.
const SOME: usize = 200;

/// A node on a copy of the state, so that its answers cost the kept one nothing; columns are the kept ones.
async fn copy(data: &Path) -> anyhow::Result<(Arc<App>, TempDir)> {
    let folder = tempfile::tempdir_in(data.parent().unwrap_or(data))?;
    for name in ["state.sqlite", "state.sqlite-wal"] {
        let from = data.join(name);
        if from.exists() {
            std::fs::copy(from, folder.path().join(name))?;
        }
    }
    let state = State::open(folder.path()).await?;
    let config = Config::read(data)?;
    Ok((
        Arc::new(App::open(&config, state, Clock::System).await?),
        folder,
    ))
}

fn asked(question: &Question) -> Asked {
    Asked {
        question: question.clone(),
        template: None,
        by: By::Officer,
    }
}

/// Milliseconds of the question with columns not yet read, and with columns in memory (the median).
pub(super) async fn one(data: &Path, question: &Question) -> anyhow::Result<(f64, f64)> {
    let mut cold = Vec::new();
    let mut warm = Vec::new();
    for run in 0..RUNS {
        let (app, _folder) = copy(data).await?;
        if run > 0 {
            let released =
                node::snapshot::released(&app.state, &app.data, &question.period).await?;
            app.cache.rows(&released, &app.dictionary)?;
        }
        let start = Instant::now();
        let charged = reply(&app, &asked(question)).await?;
        let times = if run == 0 { &mut cold } else { &mut warm };
        times.push(millis(start));
        drop(charged);
    }
    let (first, each) = (median(cold), median(warm));
    println!(
        "one private question, judged, scanned, noised, charged, signed and durable: {first:.1} ms with columns read anew, {each:.1} ms with columns in memory"
    );
    Ok((first, each))
}

/// Many small questions after each other on one state: milliseconds of the first and of the last.
pub(super) async fn many(data: &Path, question: &Question) -> anyhow::Result<(f64, f64)> {
    let (app, _folder) = copy(data).await?;
    let mut small = question.clone();
    small.period.to = small.period.from;
    for table in &mut small.tables {
        table.blocks.retain(|block| block.measure == Measure::Count);
    }
    let mut times = Vec::with_capacity(PAST);
    let begun = Instant::now();
    for n in 0..PAST {
        // Each costs another price, so that none is the repetition of one before.
        for block in small.tables.iter_mut().flat_map(|table| &mut table.blocks) {
            block.rho = format!("0.0000{:05}", 10_000 + n).parse()?;
        }
        let start = Instant::now();
        reply(&app, &asked(&small)).await?;
        times.push(millis(start));
    }
    ensure!(times.len() == PAST, "a question was not asked");
    let seconds = begun.elapsed().as_secs_f64();
    let (first, last) = (
        median(times.iter().take(SOME).copied().collect()),
        median(times.iter().rev().take(SOME).copied().collect()),
    );
    println!(
        "{PAST} questions after each other: {:.0} charges a second, each durable; the first {SOME} took {first:.2} ms, the last {SOME} {last:.2} ms (medians)",
        PAST as f64 / seconds
    );
    Ok((first, last))
}
