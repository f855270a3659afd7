//! Early warning: rows a second of a feed that lies there, and the time from a row's writing to its warning
//! in the hospital's file while 1,000 rows a second come.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use node::clock::Clock;
use node::early::{Desk, Sinks};
use node::store::state::State;
use policies::early::{Alert, DEFAULT, EarlyRules, Expected, Watcher};
use policies::figures::alerts::{self, AlertRules};
use schemas::money::Fen;
use tokio::runtime::Runtime;

const HEADER: &str = "case,case_group,department,admitted,day,category,amount,status\n";
const GROUPS: u64 = 600;
/// Rows a second, and for how many seconds.
const RATE: u64 = 1_000;
const SECONDS: u64 = 30;
/// Rows that lie there already.
const ROWS: u64 = 500_000;
/// Between two looks of `warn watch`.
const EVERY: Duration = Duration::from_millis(200);
/// Each so many rows a case is beyond its standard.
const RED: u64 = 20;

fn watcher() -> anyhow::Result<Watcher> {
    let expected: BTreeMap<String, Expected> = (0..GROUPS)
        .map(|n| {
            let one = Expected {
                standard: Fen(800_000),
                stay: 7_000,
                mean: Some(Fen(760_000)),
                mean_stay: Some(6_800),
            };
            (format!("G{n:03}"), one)
        })
        .collect();
    let rules = EarlyRules::parse(DEFAULT)?;
    Ok(Watcher::new(
        AlertRules::parse(alerts::DEFAULT)?,
        rules,
        expected,
    )?)
}

/// A row of a feed: most are small, each `RED`th is a case of its own that is red at once; days go on.
fn row(n: u64, text: &mut String) -> std::fmt::Result {
    let (group, day) = (n % GROUPS, 1 + n / 20_000 % 28);
    let (case, fen) = if n.is_multiple_of(RED) {
        (format!("r{n}"), 900_000 + n % 1_000)
    } else {
        (format!("c{}", n % (100 * GROUPS)), 1_000 + n % 9_000)
    };
    let closed = if n.is_multiple_of(97) {
        "closed"
    } else {
        "open"
    };
    writeln!(
        text,
        "{case},G{group:03},d{:02},2026-01-01,2026-01-{day:02},drugs,{}.{:02},{closed}",
        group % 40,
        fen / 100,
        fen % 100
    )
}

async fn desk(folder: &Path, feed: &Path, name: &str) -> anyhow::Result<Desk> {
    let data = folder.join(name);
    std::fs::create_dir(&data)?;
    let state = State::open(&data).await?;
    let alerts = folder.join(format!("{name}.jsonl"));
    let sinks = Sinks::new(&data, Some(&alerts), None)?;
    Ok(Desk::open((&state, &data, Clock::System), feed, watcher()?, sinks).await?)
}

pub(super) fn run() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(at_rest(folder.path()))?;
    live(folder.path(), &runtime)
}

async fn at_rest(folder: &Path) -> anyhow::Result<()> {
    let feed = folder.join("rest.csv");
    let mut text = HEADER.to_owned();
    for n in 0..ROWS {
        row(n, &mut text)?;
    }
    std::fs::write(&feed, text)?;
    let mut desk = desk(folder, &feed, "rest").await?;
    let start = Instant::now();
    let (mut rows, mut told) = (0, 0);
    loop {
        let turn = desk.turn().await?;
        rows += turn.rows;
        told += turn.told.len();
        ensure!(turn.faults.is_empty(), "a row was passed over");
        if !turn.more {
            break;
        }
    }
    let time = start.elapsed();
    ensure!(rows == ROWS, "{rows} rows of {ROWS}");
    let a_second = u128::from(rows) * 1_000 / time.as_millis().max(1);
    println!(
        "warn        {time:>10.3?}  {rows} rows that lie there, {told} warnings: {a_second} rows/s"
    );
    Ok(())
}

fn live(folder: &Path, runtime: &Runtime) -> anyhow::Result<()> {
    let feed = folder.join("live.csv");
    std::fs::write(&feed, HEADER)?;
    let written: Mutex<BTreeMap<String, Instant>> = Mutex::new(BTreeMap::new());
    let mut desk = runtime.block_on(desk(folder, &feed, "live"))?;
    let (mut worst, mut sum, mut count, mut rows) = (Duration::ZERO, Duration::ZERO, 0_u32, 0);
    let all = RATE * SECONDS;
    let expected = u32::try_from(all / RED)?;
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| write(&feed, &written));
        let watched = runtime.block_on(async {
            // A minute more than the writer takes, and no longer.
            let end = Instant::now() + Duration::from_secs(SECONDS + 60);
            while rows < all && Instant::now() < end {
                let turn = desk.turn().await?;
                let now = Instant::now();
                rows += turn.rows;
                for late in lateness(&written, &turn.told, now)? {
                    (worst, sum, count) = (worst.max(late), sum + late, count + 1);
                }
                if !turn.more {
                    tokio::time::sleep(EVERY).await;
                }
            }
            anyhow::Ok(())
        });
        let wrote = writer
            .join()
            .map_err(|_| anyhow::anyhow!("the writer failed"))?;
        watched.and(wrote)
    })?;
    ensure!(
        rows == all && count >= expected,
        "{rows} rows, {count} of {expected} warnings"
    );
    println!(
        "warn live   {worst:>10.3?}  worst from row to file, mean {:.3?}: {rows} rows at {RATE}/s, {count} warnings, a look \
         every {EVERY:?}",
        sum / count.max(1)
    );
    Ok(())
}

/// How late the warnings of red cases are.
fn lateness(
    written: &Mutex<BTreeMap<String, Instant>>,
    told: &[Alert],
    now: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let written = written.lock().ok().context("the writer failed")?;
    let at = |alert: &Alert| written.get(alert.case.as_ref()?).copied();
    let red = told.iter().filter(|alert| alert.level.is_some());
    let late = red.filter_map(at).map(|at| now.duration_since(at));
    Ok(late.collect())
}

/// Writes the rows, ten every ten milliseconds, and when each red one was written.
fn write(feed: &PathBuf, written: &Mutex<BTreeMap<String, Instant>>) -> anyhow::Result<()> {
    let mut file: File = OpenOptions::new().append(true).open(feed)?;
    let start = Instant::now();
    for part in 0..RATE * SECONDS / 10 {
        let due = Duration::from_millis(part * 10_000 / RATE);
        std::thread::sleep(due.saturating_sub(start.elapsed()));
        let mut text = String::new();
        for n in part * 10..part * 10 + 10 {
            row(n, &mut text)?;
            if n.is_multiple_of(RED) {
                let mut written = written.lock().ok().context("the watch failed")?;
                written.insert(format!("r{n}"), Instant::now());
            }
        }
        file.write_all(text.as_bytes())?;
    }
    Ok(())
}
