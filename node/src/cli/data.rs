//! Loading, checking, releasing.

use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use schemas::dictionary::Dictionary;
use schemas::time::Month;
use serde::Serialize;

use super::Node;
use crate::ingest::date::month_of;
use crate::ingest::mapping::Mapping;
use crate::load::{self, Request, Summary, trial};
use crate::release::{self, MonthState, SignOff};
use crate::store::dictionaries;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Load a file: check, de-identify, write columns and reports. Its months wait for release.
    ///
    /// Example: consilium-node --data ./node1 load 2025-03.csv --mapping consilium-csv.toml
    Load(FileArgs),
    /// Check a file as `load` would and keep nothing.
    ///
    /// Example: consilium-node --data ./node1 check 2025-03.csv --mapping consilium-csv.toml
    Check(FileArgs),
    /// Mapping files.
    #[command(subcommand)]
    Map(MapCommand),
    /// List the months with their state.
    ///
    /// Example: consilium-node --data ./node1 months
    Months {
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
    /// Release a month (or all that wait) to questions: the data officer's sign-off.
    ///
    /// Example: consilium-node --data ./node1 release 2025-03 --officer "Li Hua"
    Release {
        /// The month, YYYY-MM, or `all`.
        month: String,
        /// Who signs off.
        #[arg(long)]
        officer: String,
        /// Release in spite of grade D.
        #[arg(long)]
        accept_grade_d: bool,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
    /// Remove a load that was not released.
    ///
    /// Example: consilium-node --data ./node1 discard kqzvbnwtyuio
    Discard {
        /// Name of the load, as `months` shows it.
        load: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum MapCommand {
    /// Try a mapping: ten rows as they would be kept, coverage, codes without a key.
    ///
    /// Example: consilium-node --data ./node1 map test 2025-03.csv --mapping my.toml
    Test(FileArgs),
}

#[derive(Debug, Args)]
pub(super) struct FileArgs {
    /// The CSV file (UTF-8, with a header).
    file: PathBuf,
    /// The mapping file.
    #[arg(long)]
    mapping: PathBuf,
    /// Only rows with this value in this column; may be given again.
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = filter)]
    only: Vec<(String, String)>,
    /// History brought in when the node starts: it is not judged late.
    #[arg(long)]
    history: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

fn filter(text: &str) -> Result<(String, String), String> {
    let (column, value) = text.split_once('=').ok_or("a filter is COLUMN=VALUE")?;
    Ok((column.to_owned(), value.to_owned()))
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    match command {
        Command::Load(args) => {
            let request = args.request()?;
            let bar = Bar::new(&request.file);
            let now = node.clock.now();
            let progress = |bytes| bar.set(bytes);
            let done = load::load(&node.state, &node.config, now, &request, &progress).await;
            bar.end();
            show_summary(&done?, args.json, out)
        }
        Command::Check(args) => {
            let request = args.request()?;
            let dictionary = dictionary(&node).await?;
            let bar = Bar::new(&request.file);
            let days = node.config.quality.timely_days;
            let progress = |bytes| bar.set(bytes);
            let done = load::check(&dictionary, node.clock.now(), days, &request, &progress);
            bar.end();
            show_summary(&done?, args.json, out)
        }
        Command::Map(MapCommand::Test(args)) => {
            let request = args.request()?;
            let dictionary = dictionary(&node).await?;
            let month = month_of(node.clock.now()).context("the clock is out of range")?;
            show_trial(
                &trial::run(&dictionary, month, &request, 100_000)?,
                args.json,
                out,
            )
        }
        Command::Months { json } => show_months(&release::months(&node.state).await?, json, out),
        Command::Release {
            month,
            officer,
            accept_grade_d,
            json,
        } => {
            let month = match month.as_str() {
                "all" => None,
                text => Some(text.parse::<Month>()?),
            };
            let by = SignOff {
                officer: &officer,
                accept_grade_d,
                at: node.clock.now(),
            };
            let released = release::release(&node.state, &node.config.data, month, &by).await?;
            show_months(&released, json, out)
        }
        Command::Discard { load } => {
            let at = node.clock.now();
            release::discard(&node.state, &node.config.data, &load, at).await?;
            writeln!(out, "discarded load {load}")?;
            Ok(())
        }
    }
}

async fn dictionary(node: &Node) -> anyhow::Result<Dictionary> {
    let dictionary = dictionaries::latest(&node.state).await?;
    Ok(dictionary.ok_or(load::LoadError::NoDictionary)?)
}

impl FileArgs {
    fn request(&self) -> anyhow::Result<Request> {
        let text = std::fs::read_to_string(&self.mapping)
            .with_context(|| format!("`{}` could not be read", self.mapping.display()))?;
        let mapping = Mapping::parse(&text)
            .with_context(|| format!("`{}` is refused", self.mapping.display()))?;
        Ok(Request {
            file: self.file.clone(),
            mapping,
            only: self.only.clone(),
            history: self.history,
        })
    }
}

/// A progress bar on a terminal, nothing elsewhere.
struct Bar(Option<ProgressBar>);

impl Bar {
    fn new(file: &Path) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new(std::fs::metadata(file).map_or(0, |about| about.len()));
        let template = "{bar:40} {percent:>3} %  {binary_bytes_per_sec}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(Some(bar))
    }

    fn set(&self, bytes: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(bytes);
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

fn show_json<T: Serialize>(value: &T, out: &mut dyn Write) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)?;
    Ok(())
}

fn show_summary(summary: &Summary, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if json {
        return show_json(summary, out);
    }
    match &summary.load {
        Some(load) => writeln!(out, "load {load}: its months wait for release")?,
        None => writeln!(out, "checked; nothing was kept")?,
    }
    let (kept, refused) = (summary.kept, summary.refused);
    writeln!(
        out,
        "rows: {kept} kept, {refused} in quarantine, {} passed over",
        summary.passed_over
    )?;
    for (rule, rows) in &summary.rules {
        writeln!(out, "  {rows:>9}  {rule}")?;
    }
    if summary.unknown_groups > 0 {
        writeln!(
            out,
            "case groups not in the dictionary: {} rows",
            summary.unknown_groups
        )?;
    }
    for (dimension, (unlisted, missing)) in &summary.unlisted {
        writeln!(
            out,
            "{dimension}: {unlisted} rows with an unlisted value, {missing} without one"
        )?;
    }
    for note in &summary.notes {
        writeln!(out, "note: {note}")?;
    }
    writeln!(
        out,
        "month    rows      accuracy  complete  consistent  timely  grade"
    )?;
    for q in &summary.quality {
        writeln!(
            out,
            "{}  {:>8}  {:>8}  {:>8}  {:>10}  {:>6}  {:>5?}",
            q.month, q.kept, q.accuracy, q.completeness, q.consistency, q.timeliness, q.grade
        )?;
    }
    if summary.load.is_some() {
        writeln!(
            out,
            "identifiers found in what was written: {}",
            summary.findings
        )?;
    }
    Ok(())
}

fn show_trial(trial: &trial::Trial, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if json {
        return show_json(trial, out);
    }
    writeln!(out, "{} rows read", trial.read)?;
    for (rule, rows) in &trial.rules {
        writeln!(out, "  {rows:>9}  {rule}")?;
    }
    for (dimension, share) in &trial.coverage_permille {
        writeln!(
            out,
            "{dimension:<12} {:>3}.{} % listed",
            share / 10,
            share % 10
        )?;
    }
    for (dimension, codes) in &trial.unlisted {
        for (code, rows) in codes {
            writeln!(
                out,
                "not in the dictionary: {dimension} `{code}` ({rows} rows)"
            )?;
        }
    }
    for note in &trial.notes {
        writeln!(out, "note: {note}")?;
    }
    for row in &trial.rows {
        let values: Vec<String> = row
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        writeln!(out, "{}", values.join(" "))?;
    }
    Ok(())
}

fn show_months(months: &[MonthState], json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if json {
        return show_json(&months, out);
    }
    writeln!(out, "month    state     release  grade  rows      load")?;
    for m in months {
        let release = m
            .release
            .map_or_else(|| "-".to_owned(), |release| release.to_string());
        writeln!(
            out,
            "{}  {:<8}  {:>7}  {:>5?}  {:>8}  {}",
            m.month, m.state, release, m.grade, m.rows, m.load
        )?;
    }
    Ok(())
}
