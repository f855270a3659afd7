//! The command line: one file a group of commands. The arithmetic is elsewhere.

mod ask;
mod data;
mod link;
mod officer;
mod policy;
mod setup;
mod steward;
mod synth;
mod table;

use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};

use crate::clock::Clock;
use crate::config::Config;
use crate::store::state::State;

/// A hospital's node: loads and de-identifies its own data and answers questions about it.
#[derive(Debug, Parser)]
#[command(name = "consilium-node", version)]
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
    Link(link::Command),
    /// The persons who decide at this hospital.
    #[command(subcommand)]
    Officer(officer::Command),
    /// The limits that this node works under, and their signatures.
    #[command(subcommand)]
    Policy(policy::Command),
    /// The steward's decisions.
    #[command(subcommand)]
    Steward(steward::Command),
    Synth(synth::SynthArgs),
}

/// What most commands work with.
struct Node {
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
            bail!("the data folder is open to other accounts; run `chmod 700` on it first");
        }
        let state = State::open(&config.data).await?;
        Ok(Self {
            config,
            state,
            clock: Clock::System,
        })
    }
}

/// Runs the command of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = std::io::stdout().lock();
    let done = tokio::runtime::Runtime::new()
        .context("the runtime could not be started")
        .and_then(|runtime| runtime.block_on(run(cli, &mut out)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut err = std::io::stderr().lock();
            // Nothing is left to do if even the error cannot be shown.
            drop(writeln!(err, "consilium-node: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli, out: &mut dyn Write) -> anyhow::Result<()> {
    match cli.command {
        Command::Setup(command) => setup::run(command, &cli.data, out).await,
        Command::Data(command) => data::run(command, &cli.data, out).await,
        Command::Ask(command) => ask::run(command, &cli.data, out).await,
        Command::Link(command) => link::run(command, &cli.data, out).await,
        Command::Officer(command) => officer::run(command, &cli.data, out).await,
        Command::Policy(command) => policy::run(&command, &cli.data, out).await,
        Command::Steward(command) => steward::run(command, &cli.data, out).await,
        Command::Synth(args) => synth::run(&args, out),
    }
}

#[cfg(test)]
mod test;
