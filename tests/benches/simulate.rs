//! `simulate`: runs seeds of the whole-alliance simulation.
//!
//! `simulate --seeds 0..10000 --operations 300` prints seeds done, operations by kind, and of the
//! first broken rule its shortened trace. `--bug NAME` plants a bug, `--bugs` looks for all of them,
//! `--trace SEED` prints one run, `--case LINE` one line of the corpus.

use std::collections::BTreeMap;
use std::ops::Range;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tests::simulation::{Bug, Case, Kind, Made, Outcome, drawn, play, shrink};
use tokio::runtime::{Builder, Runtime};

struct Args {
    seeds: Range<u64>,
    operations: usize,
    bug: Option<Bug>,
    bugs: bool,
    trace: Option<u64>,
    case: Option<Case>,
    threads: usize,
}

fn args() -> Result<Args, String> {
    let mut args = Args {
        seeds: 0..100,
        operations: 300,
        bug: None,
        bugs: false,
        trace: None,
        case: None,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("`{word}` needs a value"));
        let number = |text: String| text.parse::<u64>().map_err(|error| error.to_string());
        match word.as_str() {
            "--seeds" => {
                let text = value()?;
                let (from, to) = text.split_once("..").ok_or("seeds are FROM..TO")?;
                args.seeds = number(from.to_owned())?..number(to.to_owned())?;
            }
            "--operations" => args.operations = usize::try_from(number(value()?)?).unwrap_or(300),
            "--threads" => args.threads = usize::try_from(number(value()?)?).unwrap_or(1).max(1),
            "--bug" => {
                let name = value()?;
                args.bug = Some(Bug::read(&name).ok_or(format!("`{name}` is no bug"))?);
            }
            "--bugs" => args.bugs = true,
            "--case" => args.case = Some(value()?.parse()?),
            "--trace" => args.trace = Some(number(value()?)?),
            other => return Err(format!("`{other}` is not known")),
        }
    }
    Ok(args)
}

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// The first seed that breaks a rule, and how many were played.
fn search(made: &Arc<Made>, args: &Args, bug: Option<Bug>, totals: &Mutex<Totals>) -> Option<u64> {
    let next = AtomicU64::new(args.seeds.start);
    let broken = AtomicU64::new(u64::MAX);
    std::thread::scope(|scope| {
        for _ in 0..args.threads {
            scope.spawn(|| {
                let runtime = runtime();
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= args.seeds.end || broken.load(Ordering::SeqCst) < seed {
                        return;
                    }
                    let operations = drawn(seed, args.operations);
                    let outcome = runtime.block_on(play(made, &operations, bug));
                    if outcome.broken.is_some() {
                        broken.fetch_min(seed, Ordering::SeqCst);
                    }
                    let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
                    totals.add(&outcome);
                    if bug.is_none() && totals.seeds.is_multiple_of(500) {
                        println!(
                            "{} seeds, {:.0} s",
                            totals.seeds,
                            totals.since.elapsed().as_secs_f64()
                        );
                    }
                }
            });
        }
    });
    let found = broken.load(Ordering::SeqCst);
    (found != u64::MAX).then_some(found)
}

struct Totals {
    seeds: u64,
    done: BTreeMap<Kind, (u64, u64)>,
    took: BTreeMap<Kind, Duration>,
    answers: u64,
    since: Instant,
}

impl Totals {
    fn new() -> Self {
        Self {
            seeds: 0,
            done: BTreeMap::new(),
            took: BTreeMap::new(),
            answers: 0,
            since: Instant::now(),
        }
    }

    fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.answers += outcome.answers;
        for (kind, took) in &outcome.took {
            *self.took.entry(*kind).or_default() += *took;
        }
        for (kind, (did, not)) in &outcome.done {
            let counts = self.done.entry(*kind).or_default();
            counts.0 += did;
            counts.1 += not;
        }
    }

    fn print(&self) {
        println!(
            "{:<14} {:>10} {:>10} {:>9}",
            "operation", "done", "nothing", "ms each"
        );
        for (kind, (did, not)) in &self.done {
            let took = self
                .took
                .get(kind)
                .copied()
                .unwrap_or_default()
                .as_secs_f64()
                * 1000.0;
            #[expect(clippy::cast_precision_loss, reason = "a count of operations")]
            let each = took / (did + not).max(1) as f64;
            println!("{:<14} {did:>10} {not:>10} {each:>9.2}", kind.as_str());
        }
        let operations: u64 = self.done.values().map(|(did, not)| did + not).sum();
        println!(
            "{} seeds, {operations} operations, {} answers left, {:.0} s",
            self.seeds,
            self.answers,
            self.since.elapsed().as_secs_f64()
        );
    }
}

/// Prints the shortened run of a seed.
fn show(runtime: &Runtime, made: &Arc<Made>, (seed, args): (u64, &Args), bug: Option<Bug>) {
    let operations = drawn(seed, args.operations);
    let (short, what) = runtime.block_on(shrink(made, &operations, bug));
    println!("seed {seed}: {what}");
    let outcome = runtime.block_on(play(made, &short, bug));
    for line in &outcome.trace {
        println!("  {line}");
    }
    let name = format!("seed-{seed}");
    let case = Case {
        name,
        bug,
        operations: short,
    };
    println!("{case}");
}

fn main() -> ExitCode {
    let args = match args() {
        Ok(args) => args,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let runtime = runtime();
    let made = runtime.block_on(Made::new());
    if let Some(case) = &args.case {
        let outcome = runtime.block_on(play(&made, &case.operations, case.bug));
        for line in &outcome.trace {
            println!("{line}");
        }
        println!("{:?}", outcome.broken);
        return ExitCode::from(u8::from(outcome.broken.is_some() != case.bug.is_some()));
    }
    if let Some(seed) = args.trace {
        let outcome = runtime.block_on(play(&made, &drawn(seed, args.operations), args.bug));
        for line in &outcome.trace {
            println!("{line}");
        }
        println!("{:?}\ntrace {}", outcome.broken, outcome.digest());
        return ExitCode::SUCCESS;
    }
    let planted: Vec<Option<Bug>> = if args.bugs {
        Bug::ALL.iter().copied().map(Some).collect()
    } else {
        vec![args.bug]
    };
    let mut failed = false;
    for bug in planted {
        let totals = Mutex::new(Totals::new());
        let found = search(&made, &args, bug, &totals);
        match (bug, found) {
            (Some(bug), Some(seed)) => println!("{:<22} found at seed {seed}", bug.as_str()),
            (Some(bug), None) => println!("{:<22} NOT FOUND", bug.as_str()),
            (None, _) => totals
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner)
                .print(),
        }
        if let Some(seed) = found.filter(|_| !args.bugs) {
            show(&runtime, &made, (seed, &args), bug);
        }
        failed |= found.is_some() != bug.is_some();
    }
    ExitCode::from(u8::from(failed))
}
