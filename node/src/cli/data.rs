//! Loading, checking, releasing.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use schemas::dictionary::Dictionary;
use schemas::question::Dataset;
use schemas::shown;
use schemas::time::Month;

use super::bar::Bar;
use super::file::FileArgs;
use super::{Node, next, show};
use crate::access;
use crate::ingest::date::month_of;
use crate::ingest::draft;
use crate::ingest::origin::Origin;
use crate::ingest::sql::{Address, View};
use crate::load::{self, LoadError, Summary, trial};
use crate::quality::{self, Gate};
use crate::release::{self, MonthState, SignOff};
use crate::store::{columns, dictionaries};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Load a file: check, de-identify, write columns and reports. Its months wait for release.
    ///
    /// Example: consilium-node --data ./node1 load 2025-03.csv --mapping consilium-csv.toml
    Load(FileArgs),
    /// Check a file as `load` would and keep nothing.
    ///
    /// Exit code 1 where no row would be kept, or where a month would have grade D and so could
    /// not be released without `--accept-grade-d`.
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
    /// Draft a mapping from a file's header and its first rows, on standard output: what each guess
    /// rests on, and the columns that no guess fits.
    ///
    /// Example: consilium-node --data ./node1 map init 2025-03.csv > my.toml
    Init {
        /// CSV, settlement lists (`.ndjson`), either packed (`.gz`), Parquet (`.parquet`), or a folder
        /// of FHIR R4 resources.
        #[arg(required_unless_present = "view")]
        file: Option<PathBuf>,
        /// A view of the hospital's own database instead: `view` or `schema.view`.
        #[arg(long, conflicts_with = "file")]
        view: Option<String>,
        /// A file of mode 0600 that holds the URL of the database; without it the URL stands in
        /// CONSILIUM_DATABASE_URL.
        #[arg(long, value_name = "FILE", requires = "view")]
        database: Option<PathBuf>,
    },
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    match command {
        Command::Load(args) => load_file(&node, &args, out).await,
        Command::Check(args) => check_file(&node, &args, out).await,
        Command::Map(MapCommand::Test(args)) => {
            let request = args.request(&node).await?;
            let dictionary = dictionary(&node).await?;
            let month = month_of(node.clock.now()).context("the clock is out of range")?;
            let trial = trial::run(&dictionary, month, &request, 100_000)?;
            show::trial(&trial, args.json, out)?;
            if trial.rows.is_empty() {
                bail!("no row passed the checks; the rules above say why");
            }
            args.step("check", &node, out)
        }
        Command::Map(MapCommand::Init {
            file,
            view,
            database,
        }) => {
            let from = match (file, view) {
                (_, Some(view)) => {
                    let address = Address::find(database.as_deref())?;
                    Origin::View(View::draft(&address, &view)?)
                }
                (Some(file), None) => Origin::File(file),
                (None, None) => bail!("name a file or a view"),
            };
            let text = draft::draft(&dictionary(&node).await?, &from)?;
            out.write_all(text.as_bytes())?;
            Ok(())
        }
        Command::Months { json } => {
            let months = release::months(&node.state).await?;
            show::months(&months, json, out)?;
            let waits = months.iter().any(|month| month.release.is_none());
            if waits && !json {
                next::step(out, &node.given, "release all --officer NAME")?;
            }
            Ok(())
        }
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
                gate: gate(&node).await?,
                at: node.clock.now(),
            };
            let rules = &node.config.stewardship;
            let data = &node.config.data;
            let released = release::release_under(&node.state, data, month, &by, rules).await?;
            show_released(&node, &released, json, out)
        }
        Command::Discard { load } => {
            let at = node.clock.now();
            release::discard(&node.state, &node.config.data, &load, at).await?;
            let gone = load::forget(&node.state, &node.config).await?;
            writeln!(out, "discarded load {}", shown::line(&load))?;
            left(gone, out)?;
            next::step(out, &node.given, "load FILE --mapping MAPPING")?;
            Ok(())
        }
    }
}

/// Says where the engine still has rows of what went.
pub(super) fn left(gone: bool, out: &mut dyn Write) -> std::io::Result<()> {
    if gone {
        return Ok(());
    }
    writeln!(
        out,
        "the engine still has its rows, as another command holds the data folder; `columns send` deletes them"
    )
}

/// What a release is held to: the grade of the settings, and finance's keys.
pub(super) async fn gate(node: &Node) -> anyhow::Result<Option<Gate>> {
    let Some(least) = node.config.quality.least_grade else {
        return Ok(None);
    };
    let register = access::officers(node.state.pool(), &node.config.hospital).await?;
    let finance = quality::finance_persons(&node.state, &register).await?;
    Ok(Some(Gate { least, finance }))
}

async fn load_file(node: &Node, args: &FileArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let request = args.request(node).await?;
    let bar = Bar::new(&request.from);
    let now = node.clock.now();
    let progress = |bytes| bar.set(bytes);
    let done = load::load(&node.state, &node.config, now, &request, &progress).await;
    bar.end();
    if let Err(current @ LoadError::Current { .. }) = &done {
        // For a load that is run every night this is a good end.
        if args.json {
            writeln!(out, "null")?;
        } else {
            writeln!(out, "{current}")?;
        }
        return Ok(());
    }
    let summary = done?;
    warn(&summary)?;
    show::summary(&summary, args.json, out)?;
    if args.json {
        return Ok(());
    }
    if let Some(load) = &summary.load {
        show::paths(&columns::folder(&node.config.data).join(load), out)?;
    }
    let months: Vec<String> = summary
        .quality
        .iter()
        .map(|q| q.month.to_string())
        .collect();
    let month = match months.as_slice() {
        [one] => one.as_str(),
        _ => "all",
    };
    next::step(out, &node.given, &format!("release {month} --officer NAME"))?;
    Ok(())
}

async fn check_file(node: &Node, args: &FileArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let request = args.request(node).await?;
    let dictionary = dictionary(node).await?;
    load::begin(&node.state, &node.config, &request).await?;
    let bar = Bar::new(&request.from);
    let days = node.config.quality.timely_days;
    let progress = |bytes| bar.set(bytes);
    let done = load::check(&dictionary, node.clock.now(), days, &request, &progress);
    bar.end();
    let summary = done?;
    warn(&summary)?;
    show::summary(&summary, args.json, out)?;
    summary.loadable()?;
    let poor: Vec<String> = summary.poor().iter().map(ToString::to_string).collect();
    if !poor.is_empty() {
        bail!(
            "grade D: {}; such a month is released with --accept-grade-d only",
            poor.join(", ")
        );
    }
    args.step("load", node, out)
}

/// What is doubtful goes to standard error, where nobody pipes it away.
fn warn(summary: &Summary) -> std::io::Result<()> {
    let mut err = std::io::stderr().lock();
    summary
        .warnings
        .iter()
        .try_for_each(|warning| writeln!(err, "warning: {}", shown::line(warning)))
}

fn show_released(
    node: &Node,
    released: &[MonthState],
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    show::months(released, json, out)?;
    if json {
        return Ok(());
    }
    let mut loads: Vec<&str> = released.iter().map(|month| month.load.as_str()).collect();
    loads.sort_unstable();
    loads.dedup();
    for load in loads {
        let folder = columns::folder(&node.config.data).join(load);
        // The months are released already: a report that is gone is no failure of this command.
        for report in load::reports(&folder).unwrap_or_default() {
            if released
                .iter()
                .any(|m| m.load == load && m.month == report.month)
            {
                show::report(&report, out)?;
            }
        }
        show::paths(&folder, out)?;
    }
    let stays = |month: &&MonthState| month.dataset == Dataset::Stays;
    if let Some(last) = released.iter().rfind(stays) {
        let ask = format!(
            "ask yearly-benchmark --period {} --dry-run",
            last.month.year()
        );
        next::step(out, &node.given, &ask)?;
    }
    Ok(())
}

async fn dictionary(node: &Node) -> anyhow::Result<Dictionary> {
    let dictionary = dictionaries::latest(&node.state).await?;
    Ok(dictionary.ok_or(LoadError::NoDictionary)?)
}
