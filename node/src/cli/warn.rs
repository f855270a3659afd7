//! `warn`: early warning of cases that cost more than they are paid for, inside this hospital.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use policies::early::{Alert, DEFAULT, EarlyRules, Kind, Watcher, expected};
use policies::figures::Benchmark;
use policies::figures::alerts::{self, AlertRules, Deviation};
use schemas::shown::line;

use super::{Node, next, show};
use crate::early::{self, Desk, EarlyError, Sinks, Turn};
use crate::store::dictionaries;

/// Longest benchmark or rules file that is read.
const LONGEST: u64 = 64 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Judge a feed of postings as far as it goes, and tell what is new.
    ///
    /// The feed is CSV with the columns case,case_group,department,admitted,day,category,amount,status:
    /// amounts in yuan, dates as 2026-03-31, status open or closed. Nothing of it leaves this hospital.
    ///
    /// Example: consilium-node --data ./node1 warn run postings.csv --alerts /var/lib/hospital/alerts.jsonl
    Run {
        #[command(flatten)]
        args: FeedArgs,
        /// Show the running cost of this case by day, too.
        #[arg(long, value_name = "NUMBER")]
        case: Option<String>,
    },
    /// Keep reading a feed that grows, until it is ended (Ctrl-C).
    ///
    /// Example: consilium-node --data ./node1 warn watch postings.csv --webhook http://127.0.0.1:9000/alerts
    Watch {
        #[command(flatten)]
        args: FeedArgs,
        /// Milliseconds between two looks, 10 to 60,000.
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(10..=60_000))]
        every_ms: u64,
    },
    /// List what was told, without the numbers of cases.
    ///
    /// Example: consilium-node --data ./node1 warn list
    List {
        /// For machines.
        #[arg(long)]
        json: bool,
    },
}

/// What is watched, against what, and who is told.
#[derive(Debug, Args)]
pub(super) struct FeedArgs {
    /// The feed.
    feed: PathBuf,
    /// Payment standards (CSV: `case_group,standard`); the dictionary's references where they are left out.
    #[arg(long, value_name = "FILE")]
    standards: Option<PathBuf>,
    /// The alliance's published benchmark (JSON), for its means by case group.
    #[arg(long, value_name = "FILE")]
    benchmark: Option<PathBuf>,
    /// A file that each warning is appended to once, one JSON object a line; outside the data folder.
    #[arg(long, value_name = "FILE")]
    alerts: Option<PathBuf>,
    /// The hospital's own address that is told them as a JSON list; `@FILE` where it is a secret.
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// The CA (PEM) that the address's certificate is from.
    #[arg(long, value_name = "FILE", requires = "webhook")]
    webhook_ca: Option<PathBuf>,
    /// Keep `warnings.html` in the data folder: what `warn list` shows as a page, without the numbers of cases.
    #[arg(long)]
    page: bool,
    /// Own rules of early warning (TOML).
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
}

fn bounded(path: &Path) -> anyhow::Result<String> {
    let named = || format!("`{}`", path.display());
    let length = std::fs::metadata(path).with_context(named)?.len();
    ensure!(
        length <= LONGEST,
        "`{}` is larger than 64 MiB",
        path.display()
    );
    std::fs::read_to_string(path).with_context(named)
}

async fn desk(node: &Node, args: &FeedArgs) -> anyhow::Result<Desk> {
    let dictionary = dictionaries::latest(&node.state).await?;
    let dictionary =
        dictionary.context("no dictionary is accepted; `join` or `dictionary accept`")?;
    let standards = match &args.standards {
        Some(path) => early::standards(path, &dictionary)?,
        None => std::collections::BTreeMap::new(),
    };
    let benchmark = match &args.benchmark {
        Some(path) => {
            let read: Benchmark = serde_json::from_str(&bounded(path)?)
                .with_context(|| format!("`{}` is no benchmark", path.display()))?;
            ensure!(
                read.alliance == dictionary.alliance && read.currency == dictionary.currency,
                "`{}` is another alliance's benchmark",
                path.display()
            );
            Some(read)
        }
        None => None,
    };
    let rules = match &args.rules {
        Some(path) => EarlyRules::parse(&bounded(path)?)?,
        None => EarlyRules::parse(DEFAULT)?,
    };
    let expected = expected(&dictionary, &standards, benchmark.as_ref());
    let watcher = Watcher::new(AlertRules::parse(alerts::DEFAULT)?, rules, expected)?;
    let address = match args.webhook.as_deref() {
        Some(address) => Some(match address.strip_prefix('@') {
            Some(file) => bounded(Path::new(file))?,
            None => address.to_owned(),
        }),
        None => None,
    };
    let webhook = address
        .as_deref()
        .map(|address| (address, args.webhook_ca.as_deref()));
    let data = node.config.data.as_path();
    let sinks = Sinks::new(data, args.alerts.as_deref(), webhook)?;
    let place = (&node.state, data, node.clock);
    Ok(Desk::open(place, &args.feed, watcher, sinks).await?)
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    match command {
        Command::Run { args, case } => {
            let mut desk = desk(&node, &args).await?;
            let (mut rows, mut told, mut faults) = (0_u64, 0_usize, 0_usize);
            loop {
                let turn = desk.turn().await?;
                show_turn(&turn, out)?;
                rows = rows.saturating_add(turn.rows);
                told = told.saturating_add(turn.told.len());
                faults = faults.saturating_add(turn.faults.len());
                if !turn.more {
                    break;
                }
            }
            paged(&node, &args, true).await?;
            let (cases, without) = desk.watcher().cases();
            writeln!(
                out,
                "{rows} postings of {cases} cases, {told} new warnings; {faults} lines passed over, {without} \
                 cases of a group without a standard"
            )?;
            if let Some(case) = case {
                running(&desk, &case, out)?;
            }
            next::step(out, &node.given, "warn list")?;
            Ok(())
        }
        Command::Watch { args, every_ms } => {
            let mut desk = desk(&node, &args).await?;
            paged(&node, &args, true).await?;
            let ended = tokio::signal::ctrl_c();
            tokio::pin!(ended);
            loop {
                match desk.turn().await {
                    Ok(turn) => {
                        show_turn(&turn, out)?;
                        out.flush()?;
                        paged(&node, &args, !turn.told.is_empty()).await?;
                        if turn.more {
                            continue;
                        }
                    }
                    // What was not told waits; everything else ends the watch.
                    Err(EarlyError::Sink(error)) => {
                        writeln!(std::io::stderr(), "warning: {error}")?;
                    }
                    Err(error) => return Err(error.into()),
                }
                tokio::select! {
                    end = &mut ended => return Ok(end?),
                    () = tokio::time::sleep(Duration::from_millis(every_ms)) => {}
                }
            }
        }
        Command::List { json } => {
            let told = early::list(&node.state).await?;
            if json {
                return show::json_of(&told, out);
            }
            for one in &told {
                let subject: String = one.subject.chars().take(12).collect();
                alert(&one.alert, &subject, out)?;
            }
            Ok(())
        }
    }
}

/// Writes the page where it is asked for and something is new.
async fn paged(node: &Node, args: &FeedArgs, is_new: bool) -> anyhow::Result<()> {
    if args.page && is_new {
        early::write_page(&node.state, &node.config.data).await?;
    }
    Ok(())
}

fn show_turn(turn: &Turn, out: &mut dyn Write) -> anyhow::Result<()> {
    for one in &turn.told {
        alert(one, one.case.as_deref().unwrap_or_default(), out)?;
    }
    let mut err = std::io::stderr().lock();
    for fault in &turn.faults {
        writeln!(
            err,
            "warning: line {} is passed over: {}",
            fault.line, fault.what
        )?;
    }
    Ok(())
}

fn running(desk: &Desk, case: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let found = desk.watcher().running(case);
    let found = found.context("the feed has no case of that number")?;
    writeln!(out, "day  cost so far")?;
    for (day, cost) in &found.days {
        writeln!(out, "{day:>3}  {cost:>12}")?;
    }
    let what = if found.closed {
        "closed at"
    } else {
        "at discharge about"
    };
    if let Some(fen) = found.at_discharge {
        writeln!(out, "{what} {fen}")?;
    }
    if let Some(fen) = found.standard {
        writeln!(out, "standard {fen}")?;
    }
    Ok(())
}

fn alert(of: &Alert, whose: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let what = match of.kind {
        Kind::Incurred => "cost so far",
        Kind::Projected => "cost at discharge",
        Kind::Benchmark => "far above the alliance's mean",
        Kind::Day => "a day away from the past",
        Kind::Days => "days in a row away from the past",
        Kind::Month => "a month away from the past",
        Kind::Anomaly => "a month far above the past",
    };
    let level = of.level.map(|level| format!("{level:?} ").to_lowercase());
    let side = match of.side {
        Some(Deviation::High) => " (high)",
        Some(Deviation::Low) => " (low)",
        _ => "",
    };
    let day = of.day_of_stay.map(|day| format!(", day {day}"));
    let longer = of.longer.map(|days| format!(", {days:+} days"));
    let hints: Vec<String> = of
        .hints
        .iter()
        .map(|hint| format!("{} {}", hint.category, hint.more))
        .collect();
    let hints = if hints.is_empty() {
        String::new()
    } else {
        format!("; differs in {}", hints.join(", "))
    };
    writeln!(
        out,
        "{} {:<14} {} {:<10} {}{what}{side}: {} against {}{}{}{hints}",
        of.date.clone().unwrap_or_else(|| of.month.to_string()),
        line(whose),
        line(&of.group),
        line(&of.department),
        level.unwrap_or_default(),
        of.found,
        of.against,
        day.unwrap_or_default(),
        longer.unwrap_or_default(),
    )?;
    Ok(())
}
