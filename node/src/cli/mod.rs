//! The command line: one file a group of commands. The arithmetic is elsewhere.

mod account;
mod accounts;
mod agreement;
mod ask;
mod audit;
mod backup;
mod bar;
mod burn;
mod columns;
mod cost;
mod cost_rates;
mod crosswalk;
mod data;
mod dataset;
mod doctor;
mod file;
mod link;
mod log;
mod next;
mod officer;
mod pages;
mod pipe;
mod policy;
mod pooled;
mod quality;
mod quality_tables;
mod setup;
mod show;
mod steward;
mod sum;
mod synth;
mod table;
mod warn;
mod year;

use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use schemas::panics;
use schemas::shown::{self, Screen};

use crate::clock::Clock;
use crate::config::Config;
use crate::retention;
use crate::store::state::State;

/// A hospital's node: loads and de-identifies its own data and answers questions about it.
#[derive(Debug, Parser)]
#[command(
    name = "consilium-node",
    version,
    after_help = "Exit codes:\n  0  done; `check` and `ask --dry-run`: it would be done\n  1  refused \
                  or failed, standard error says why; `check`: no row kept, or a month of grade D; \
                  \n     `ask --dry-run`: it would be refused\n  2  the command line cannot be read"
)]
struct Cli {
    /// The data folder, with node.toml inside.
    #[arg(long, global = true, default_value = ".", value_name = "DIR")]
    data: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Setup(setup::Command),
    #[command(flatten)]
    Data(data::Command),
    #[command(flatten)]
    Ask(ask::Command),
    #[command(flatten)]
    Account(account::Command),
    #[command(flatten)]
    Audit(audit::Command),
    #[command(flatten)]
    Link(link::Command),
    #[command(flatten)]
    Backup(backup::Command),
    /// The log: show, publish, verify, check, burn.
    #[command(subcommand)]
    Log(log::Command),
    /// Who may sign in to this node's pages.
    #[command(subcommand, name = "account")]
    Accounts(accounts::Command),
    /// The hospital's own pages, for browsers of this machine, until SIGTERM or Ctrl-C.
    ///
    /// Example: consilium-node --data ./node1 pages
    Pages(pages::Args),
    /// The persons who decide at this hospital.
    #[command(subcommand)]
    Officer(officer::Command),
    /// The limits that this node works under, and their signatures.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Where months stand, step by step, and what is no longer kept.
    #[command(subcommand)]
    Dataset(dataset::Command),
    /// Columns in an engine that the hospital has.
    #[command(subcommand)]
    Columns(columns::Command),
    /// Data-use agreements.
    #[command(subcommand)]
    Agreement(agreement::Command),
    /// The monthly close of this hospital's costs, and what cases cost.
    #[command(subcommand)]
    Cost(cost::Command),
    /// Tables from the codes of one system to those of another.
    #[command(subcommand)]
    Crosswalk(crosswalk::Command),
    /// What is wrong with a month's data, by department, and the grade before its release.
    #[command(subcommand)]
    Quality(quality::Command),
    /// Early warning of cases that cost more than they are paid for; nothing of it leaves.
    #[command(subcommand)]
    Warn(warn::Command),
    /// What this hospital says in the alliance's budget year.
    #[command(subcommand)]
    Year(year::Command),
    /// Check a year's published file and show this hospital's score and payments.
    ///
    /// Example: consilium-node --data ./node1 verify-score ./year.json
    VerifyScore {
        /// The published file.
        receipt: PathBuf,
        /// The coordinator's published log: without it nothing says that nothing was left out.
        #[arg(long, value_name = "FOLDER")]
        log: Option<PathBuf>,
    },
    /// Look at this installation: what is wrong, and what to do about each thing. Nothing sensitive is
    /// shown; the output may be sent to whoever helps.
    ///
    /// Example: consilium-node --data ./node1 doctor
    Doctor {
        /// For machines.
        #[arg(long)]
        json: bool,
    },
    /// Pooled rounds: the alliance's sums, never this hospital's numbers.
    #[command(subcommand)]
    Pooled(pooled::Command),
    /// The steward's decisions.
    #[command(subcommand)]
    Steward(steward::Command),
    Synth(synth::SynthArgs),
}

/// What most commands work with.
struct Node {
    /// The data folder as the user named it.
    given: PathBuf,
    config: Config,
    state: State,
    clock: Clock,
}

impl Node {
    async fn open(folder: &Path) -> anyhow::Result<Self> {
        let config = Config::read(folder).with_context(|| {
            format!(
                "no node in `{}`; `consilium-node init` makes one",
                folder.display()
            )
        })?;
        let mode = std::fs::metadata(&config.data)?.permissions().mode();
        if mode & 0o077 != 0 {
            bail!(
                "the data folder is open to other accounts; first: chmod 700 {}",
                next::path(&config.data)
            );
        }
        let state = State::open(&config.data).await?;
        // What a crash left of retired months goes now.
        retention::finish(&state, &config.data).await?;
        Ok(Self {
            given: folder.to_owned(),
            config,
            state,
            clock: Clock::System,
        })
    }
}

/// Runs the command of this process.
pub fn main() -> ExitCode {
    panics::tell_places_alone();
    let mut words = std::env::args_os();
    if words.any(|word| !shown::is_plain(&word.to_string_lossy())) {
        let told =
            "the command line holds line ends or control characters: rename the file or retype";
        drop(writeln!(std::io::stderr(), "consilium-node: {told}"));
        return ExitCode::from(2);
    }
    let cli = Cli::parse();
    let mut out = pipe::Pipe::new(Screen::new(std::io::stdout().lock()));
    let done = tokio::runtime::Runtime::new()
        .context("the runtime could not be started")
        .and_then(|runtime| runtime.block_on(run(cli, &mut out)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut err = std::io::stderr().lock();
            // Nothing is left to do if even the error cannot be shown.
            let told = format!("{error:#}");
            drop(writeln!(err, "consilium-node: {}", shown::line(&told)));
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli, out: &mut dyn Write) -> anyhow::Result<()> {
    match cli.command {
        Command::Setup(command) => setup::run(command, &cli.data, out).await,
        Command::Data(command) => data::run(command, &cli.data, out).await,
        Command::Ask(command) => ask::run(command, &cli.data, out).await,
        Command::Account(command) => account::run(command, &cli.data, out).await,
        Command::Doctor { json } => doctor::run(&cli.data, json, out).await,
        Command::Backup(command) => backup::run(command, &cli.data, out).await,
        Command::Accounts(command) => accounts::run(command, &cli.data, out).await,
        Command::Pages(args) => pages::run(&args, &cli.data, out).await,
        Command::Log(command) => log::run(command, &cli.data, out).await,
        Command::Audit(command) => audit::run(command, &cli.data, out).await,
        Command::Link(command) => Box::pin(link::run(command, &cli.data, out)).await,
        Command::Officer(command) => officer::run(command, &cli.data, out).await,
        Command::Policy(command) => policy::run(&command, &cli.data, out).await,
        Command::Pooled(command) => pooled::run(command, &cli.data, out).await,
        Command::Steward(command) => steward::run(command, &cli.data, out).await,
        Command::Dataset(command) => Box::pin(dataset::run(command, &cli.data, out)).await,
        Command::Columns(command) => Box::pin(columns::run(command, &cli.data, out)).await,
        Command::Agreement(command) => agreement::run(command, &cli.data, out).await,
        Command::Crosswalk(command) => crosswalk::run(command, &cli.data, out).await,
        Command::Cost(command) => cost::run(command, &cli.data, out).await,
        Command::Quality(command) => quality::run(command, &cli.data, out).await,
        Command::Warn(command) => Box::pin(warn::run(command, &cli.data, out)).await,
        Command::Year(command) => year::run(command, &cli.data, out).await,
        Command::VerifyScore { receipt, log } => {
            year::score((&receipt, log.as_deref()), &cli.data, out).await
        }
        Command::Synth(args) => synth::run(&args, out),
    }
}

#[cfg(test)]
mod test;
