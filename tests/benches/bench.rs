//! The bench binary: on generated stays it prints load speed, the scan of the benchmark question
//! at 1 and 2 threads against the time to read the bytes, noise, ledger and signature; then it
//! runs the peers (`peers.py`) on the same column files and prints the ratios.
//!
//! `bench FOLDER [--rows N] [--python PYTHON]`; the folder is made and kept, so that a second run
//! skips the loading.
//!
//! `bench pooled [--large]` prints what a pooled round costs instead, `bench year` what the yearly
//! computation of a large alliance does, `bench costing` what the step-down of a large hospital does, `bench
//! warn` how fast early warning is, `bench nodes [N]` what N waiting and answering members cost a coordinator.

mod costing;
mod merged;
mod nodes;
mod rounds;
mod warn;
mod whole;
mod year;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use node::answer::App;
use node::clock::Clock;
use node::config::Config;
use node::ledger::{self, Identity};
use node::scan::Rows;
use node::store::state::State;
use policies::plan::{Layout, compile};
use schemas::id::Slug;
use schemas::question::{
    Block, Bounds, Dataset, Filter, Measure, Purpose, Question, Release, Table,
};
use schemas::time::{Month, Period};

const RUNS: usize = 9;
const HOSPITAL: &str = "bench";

struct Settings {
    folder: PathBuf,
    rows: u64,
    python: Option<String>,
}

fn settings() -> anyhow::Result<Settings> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(
        arguments
            .next()
            .context("bench FOLDER [--rows N] [--python P]")?,
    );
    let mut settings = Settings {
        folder,
        rows: 10_000_000,
        python: None,
    };
    while let Some(argument) = arguments.next() {
        let value = arguments.next().context("an option needs a value")?;
        match argument.as_str() {
            "--rows" => settings.rows = value.parse()?,
            "--python" => settings.python = Some(value),
            other => bail!("unknown option {other}"),
        }
    }
    Ok(settings)
}

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "pooled") {
        rounds::run(words.iter().any(|word| word == "--large"));
        return Ok(());
    }
    if words.first().is_some_and(|word| word == "costing") {
        return costing::run();
    }
    if words.first().is_some_and(|word| word == "warn") {
        return warn::run();
    }
    if words.first().is_some_and(|word| word == "year") {
        return year::run();
    }
    if words.first().is_some_and(|word| word == "merged") {
        return merged::run(&words);
    }
    let bin = std::env::current_exe()?
        .parent()
        .context("a folder")?
        .to_owned();
    if words.first().is_some_and(|word| word == "nodes") {
        return nodes::run(&words, &bin);
    }
    let settings = settings()?;
    prepare(&settings, &bin)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let app = runtime.block_on(open(&settings.folder.join("node")))?;
    let question = question(&app)?;
    let layout = compile(&question, &app.dictionary, &app.policy)?;
    let released = runtime.block_on(node::snapshot::released(
        &app.state,
        &app.data,
        &layout.period,
    ))?;
    let opening = Instant::now();
    let rows = app.cache.rows(&released, &app.dictionary)?;
    println!(
        "open and check {} months: {:.0} ms",
        released.months.len(),
        millis(opening)
    );
    let digest = scans(&app, &layout, &rows)?;
    let data = settings.folder.join("node");
    runtime.block_on(release(&data, &app, &layout, &rows))?;
    let (cold, warm) = runtime.block_on(whole::one(&data, &question))?;
    let (first, last) = runtime.block_on(whole::many(&data, &question))?;
    let ours = serde_json::json!({
        "rows": settings.rows, "cold_ms": cold, "warm_ms": warm, "first_ms": first, "last_ms": last,
    });
    std::fs::write(settings.folder.join("ours.json"), ours.to_string())?;
    peers(&settings, &layout, &digest)
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// Runs a command and gives the seconds it took.
fn timed(command: &mut Command) -> anyhow::Result<f64> {
    let start = Instant::now();
    let output = command.output()?;
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{command:?}: {error}");
    Ok(start.elapsed().as_secs_f64())
}

/// Makes, loads and releases the stays with the binaries beside this one.
fn prepare(settings: &Settings, bin: &Path) -> anyhow::Result<()> {
    let (folder, rows) = (&settings.folder, settings.rows);
    let data = folder.join("node");
    if data.join("state.sqlite").exists() {
        println!(
            "using the stays loaded in {} (of an earlier build? remove the folder)",
            folder.display()
        );
        return Ok(());
    }
    std::fs::create_dir_all(folder)?;
    let node = || {
        let mut command = Command::new(bin.join("consilium-node"));
        command.arg("--data").arg(&data);
        command
    };
    let files = folder.join("files");
    let rows_text = rows.to_string();
    let seconds = timed(
        Command::new(bin.join("consilium-node"))
            .args(["synth", "--seed", "11", "--rows", &rows_text])
            .args(["--hospital", HOSPITAL, "--year", "2025", "--out"])
            .arg(&files),
    )?;
    println!("generated {rows} stays in {seconds:.1} s");
    let dictionary = folder.join("dictionary.json");
    let mut build = Command::new(bin.join("consilium-coordinator"));
    build
        .arg("--data")
        .arg(folder.join("none"))
        .args(["dictionary", "build", "--plan", "chs"]);
    build
        .args(["--alliance", "bench", "--table"])
        .arg(files.join("groups.csv"));
    timed(build.arg("--out").arg(&dictionary))?;
    // A bench of ten million stays needs a dictionary that allows so many.
    let mut tree: serde_json::Value = serde_json::from_slice(&std::fs::read(&dictionary)?)?;
    tree["max_rows"] = serde_json::json!(100_000_000);
    std::fs::write(&dictionary, serde_json::to_vec(&tree)?)?;
    timed(node().args(["init", "--hospital", HOSPITAL]))?;
    timed(
        node()
            .args(["dictionary", "accept", "--unsigned-for-trial"])
            .arg(&dictionary),
    )?;
    for (name, role) in [("first", "steward"), ("second", "security_officer")] {
        timed(node().args(["officer", "add", name, "--role", role]))?;
    }
    for name in ["first", "second"] {
        timed(node().args(["policy", "approve", "--as", name]))?;
    }
    let mapping =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/mappings/consilium-csv.toml");
    let file = files.join(format!("{HOSPITAL}.csv"));
    let seconds = timed(
        node()
            .args(["load", "--history"])
            .arg(&file)
            .arg("--mapping")
            .arg(&mapping),
    )?;
    println!("load: {seconds:.1} s, {:.0} rows/s", rows as f64 / seconds);
    if let Some(python) = &settings.python {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/duckdb_csv.py");
        let mut duckdb = Command::new(python);
        let output = duckdb.arg(script).arg(&file).arg(folder).output()?;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let other: f64 = told.split(' ').next().unwrap_or_default().parse()?;
        println!(
            "the same file by DuckDB, CSV to Parquet: {other:.1} s; ours is {:.2} times as fast",
            other / seconds
        );
    }
    timed(node().args(["release", "all", "--officer", "bench"]))?;
    std::fs::remove_file(file)?;
    Ok(())
}

async fn open(data: &Path) -> anyhow::Result<Arc<App>> {
    let config = Config::read(data)?;
    let state = State::open(&config.data).await?;
    Ok(Arc::new(App::open(&config, state, Clock::System).await?))
}

/// By case group: count, capped sum, sum of squares, length of stay, 32-bin histogram; half a year.
fn question(app: &App) -> anyhow::Result<Question> {
    let slug = |text: &str| text.parse::<Slug>().map_err(anyhow::Error::from);
    let cost = slug("cost")?;
    let measures = [
        Measure::Count,
        Measure::Sum {
            field: cost.clone(),
        },
        Measure::Squares {
            field: cost.clone(),
        },
        Measure::Sum {
            field: slug("los")?,
        },
        Measure::Histogram { field: cost },
    ];
    let rho = "0.008".parse()?;
    let question = Question {
        dataset: Dataset::Stays,
        dictionary: app.dictionary.digest()?,
        rules: app.floors.digest()?,
        period: Period {
            from: Month::new(2025, 1)?,
            to: Month::new(2025, 6)?,
        },
        filter: Filter::new(),
        tables: vec![Table {
            by: vec![slug("case_group")?],
            blocks: measures
                .into_iter()
                .map(|measure| Block { measure, rho })
                .collect(),
        }],
        bounds: Bounds {
            groups: 3,
            stays: 1,
        },
        series: None,
        release: Release::Attributed,
        centred: false,
    };
    Ok(question.canonical())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Times the scan and gives the digest of its result, as `peers.py` computes it.
fn scans(app: &App, layout: &Layout, rows: &[Rows]) -> anyhow::Result<String> {
    let count: usize = rows.iter().map(Rows::len).sum();
    // What the scan reads: two ranks, two scaled columns, the bins of one.
    let read = || {
        let narrow = |column: &[u8]| column.iter().fold(0_u8, |sum, v| sum.wrapping_add(*v));
        let wide = |column: &[u16]| column.iter().fold(0_u16, |sum, v| sum.wrapping_add(*v));
        for rows in rows {
            std::hint::black_box(narrow(&rows.group_rank));
            std::hint::black_box(narrow(&rows.stay_rank));
            std::hint::black_box(rows.ready.bins.get("cost").map(|column| narrow(column)));
            for field in ["cost", "los"] {
                std::hint::black_box(rows.ready.scaled.get(field).map(|column| wide(column)));
            }
        }
    };
    let reading = median(
        (0..RUNS)
            .map(|_| {
                let start = Instant::now();
                read();
                millis(start)
            })
            .collect(),
    );
    println!(
        "{count} stays in the half-year; reading the {} MB it touches once: {reading:.2} ms at 1 thread",
        count * 7 / 1_000_000
    );
    let mut digest = String::new();
    for threads in [1, 2] {
        let mut times = Vec::new();
        for _ in 0..RUNS {
            let start = Instant::now();
            let exact = node::scan::run(layout, &app.dictionary, rows, threads)?;
            times.push(millis(start));
            digest = digest_of(layout, &exact.into_blocks())?;
        }
        let time = median(times);
        let share = reading / if threads == 1 { 1.0 } else { 2.0 };
        println!(
            "scan, {threads} thread(s): {time:.1} ms ({:.1} x reading)",
            time / share
        );
    }
    Ok(digest)
}

fn digest_of(layout: &Layout, blocks: &[Option<Vec<i64>>]) -> anyhow::Result<String> {
    let cells = layout.tables.first().map_or(0, |table| table.cells);
    let find = |measure: &Measure| {
        layout
            .find(0, measure)
            .and_then(|at| blocks.get(at))
            .cloned()
            .flatten()
            .unwrap_or_default()
    };
    let (cost, los): (Slug, Slug) = ("cost".parse()?, "los".parse()?);
    let parts = [
        find(&Measure::Count),
        find(&Measure::Sum {
            field: cost.clone(),
        }),
        find(&Measure::Squares {
            field: cost.clone(),
        }),
        find(&Measure::Sum { field: los }),
    ];
    let bins = find(&Measure::Histogram {
        field: cost.clone(),
    });
    let width = bins.len() / usize::try_from(cells).unwrap_or(1).max(1);
    let mut text = String::new();
    for cell in 0..usize::try_from(cells).unwrap_or(0) {
        let mut line = vec![cell.to_string()];
        line.extend(
            parts
                .iter()
                .map(|part| part.get(cell).copied().unwrap_or(0).to_string()),
        );
        let own = bins.iter().skip(cell * width).take(width);
        line.extend(own.map(ToString::to_string));
        text.push_str(&line.join(","));
        text.push('\n');
    }
    Ok(sha256(text.as_bytes()))
}

fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Noise, signature and ledger for 30,000 cells.
async fn release(data: &Path, app: &App, layout: &Layout, rows: &[Rows]) -> anyhow::Result<()> {
    let mut wide = layout.clone();
    let exact = node::scan::run(layout, &app.dictionary, rows, app.threads)?;
    let mut cells: usize = exact.into_blocks().iter().flatten().map(Vec::len).sum();
    // Repeat the histogram until the vector has 30,000 numbers.
    let histogram = layout.blocks.last().context("a block")?;
    while cells < 30_000 {
        wide.blocks.push(histogram.clone());
        cells += layout.numbers(histogram);
    }
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let exact = node::scan::run(&wide, &app.dictionary, rows, app.threads)?;
        let start = Instant::now();
        let noisy = node::noise::add(&wide, exact, app.noise.as_ref(), app.threads)?;
        let drawn = millis(start);
        // A copy of the node's state, with its officers and policy: each run is charged as the first.
        let folder = tempfile::tempdir()?;
        for name in ["state.sqlite", "state.sqlite-wal"] {
            let from = data.join(name);
            if from.exists() {
                std::fs::copy(from, folder.path().join(name))?;
            }
        }
        let state = State::open(folder.path()).await?;
        let identity = Identity::new(wide.clone(), Vec::new())?;
        let before = Instant::now();
        let payer = app.payer(Purpose::Benchmark);
        ledger::charge(&state, &identity, noisy, payer, |_| {}).await?;
        times.push((drawn, millis(before)));
    }
    let part = |at: fn(&(f64, f64)) -> f64| median(times.iter().map(at).collect());
    let (noise, commit) = (part(|t| t.0), part(|t| t.1));
    let all = noise + commit;
    println!(
        "{cells} numbers, {} threads: noise {noise:.1} ms, seal and ledger {commit:.1} ms, together {all:.1} ms",
        app.threads
    );
    Ok(())
}

fn peers(settings: &Settings, layout: &Layout, ours: &str) -> anyhow::Result<()> {
    let Some(python) = &settings.python else {
        println!("peers did not run: give --python with duckdb, polars and pyarrow installed");
        return Ok(());
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers.py");
    let output = Command::new(python)
        .arg(script)
        .arg("--data")
        .arg(settings.folder.join("node"))
        .arg("--dictionary")
        .arg(settings.folder.join("dictionary.json"))
        .arg("--work")
        .arg(settings.folder.join("peers"))
        .args([
            "--from",
            &layout.period.from.to_string(),
            "--to",
            &layout.period.to.to_string(),
        ])
        .output()?;
    ensure!(
        output.status.success(),
        "peers.py: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout)?;
    std::fs::write(settings.folder.join("raw.json"), &text)?;
    println!(
        "our result's digest: {ours}; equal to the peers': {}",
        text.contains(ours)
    );
    ensure!(text.contains(ours), "the peers have another result");
    Ok(())
}
