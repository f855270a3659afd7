//! The command line: one file for each group of commands.

mod account;
mod administrator;
mod audit;
mod audit_pages;
mod authority;
mod backup;
mod benchmark;
mod dictionary;
mod doctor;
mod init;
mod insurer;
mod log;
mod member;
mod pooled;
mod round;
mod run;
mod signals;
mod template;
mod year;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use schemas::panics;
use schemas::shown::{self, Screen};

use crate::authority::Authority;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::state::State;
use crate::telemetry;

/// The coordinator of a hospital alliance: members, dictionary, rounds and benchmarks.
#[derive(Debug, Parser)]
#[command(name = "consilium-coordinator", version)]
struct Cli {
    /// Data folder.
    #[arg(long, global = true, default_value = ".")]
    data: PathBuf,
    /// Log as JSON, one object a line.
    #[arg(long, global = true)]
    log_json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a new alliance: its root, its issuing CA, its message key and its settings.
    Init(init::Args),
    /// Makes a new issuing CA from the offline root.
    #[command(subcommand)]
    Authority(authority::Command),
    /// Prints a one-time join code for a hospital.
    Invite(member::Args),
    /// Lists the members; `members approve` lets one take part.
    Members(member::ListArgs),
    /// Shuts a member out.
    Revoke(member::RevokeArgs),
    /// The persons who decide in the alliance.
    #[command(subcommand)]
    Administrator(administrator::Command),
    /// Who may sign in to the pages.
    #[command(subcommand)]
    Account(account::Command),
    /// The alliance's policy and its signatures.
    #[command(subcommand)]
    Policy(administrator::PolicyCommand),
    /// Builds, publishes and shows the alliance's dictionary.
    #[command(subcommand)]
    Dictionary(dictionary::Command),
    /// Lists and shows question templates.
    #[command(subcommand)]
    Template(template::Command),
    /// Opens, follows and ends rounds.
    #[command(subcommand)]
    Round(round::Command),
    /// Pooled rounds: only sums over hospitals become known.
    #[command(subcommand)]
    Pooled(pooled::Command),
    /// Writes the benchmark of a closed round.
    Benchmark(benchmark::Args),
    /// Writes the signals of a closed round for the insurer.
    Signals(signals::Args),
    /// The alliance's budget year: target, applications, plan, execution, bonus, appraisal.
    #[command(subcommand)]
    Year(year::Command),
    /// Insurers that may audit through this coordinator.
    #[command(subcommand)]
    Insurer(insurer::Command),
    /// An insurer's audit of a hospital's month, on the insurer's own machine.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Shows, publishes and verifies logs.
    #[command(subcommand)]
    Log(log::Command),
    /// Looks at this installation: what is wrong, and what to do about each thing.
    Doctor(doctor::Args),
    /// Copies state, keys as chosen and settings into a new folder, while the coordinator runs.
    Backup(backup::BackupArgs),
    /// Puts a backup back into a data folder.
    Restore(backup::RestoreArgs),
    /// Serves nodes until it is told to stop.
    Run(run::Args),
}

/// Reads the command line, runs one command and says how it went: 0 done, 1 refused or failed,
/// 2 a command line that cannot be read.
pub fn main() -> ExitCode {
    panics::tell_places_alone();
    let mut words = std::env::args_os();
    if words.any(|word| !shown::is_plain(&word.to_string_lossy())) {
        let told =
            "the command line holds line ends or control characters: rename the file or retype";
        drop(writeln!(std::io::stderr(), "error: {told}"));
        return ExitCode::from(2);
    }
    let cli = Cli::parse();
    telemetry::start(cli.log_json);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let mut out = Screen::new(std::io::stdout().lock());
    match runtime.block_on(run_command(cli, &mut out)) {
        Ok(code) => code,
        // Whoever read the output has seen enough (`| head`).
        Err(error) if broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let plain = cause
            .downcast_ref::<std::io::Error>()
            .map(std::io::Error::kind);
        let json = cause.downcast_ref::<serde_json::Error>();
        let kind = plain.or_else(|| json.and_then(serde_json::Error::io_error_kind));
        kind == Some(std::io::ErrorKind::BrokenPipe)
    })
}

#[expect(
    clippy::print_stderr,
    reason = "a command's refusal goes to standard error"
)]
fn failed(error: &anyhow::Error) -> ExitCode {
    let told = format!("{error:#}");
    eprintln!("error: {}", shown::line(&told));
    ExitCode::FAILURE
}

async fn run_command(cli: Cli, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let data = &cli.data;
    match cli.command {
        Command::Init(args) => init::run(data, &args, out)?,
        Command::Invite(args) => {
            member::invite(&Office::open(data).await?, data, &args, out).await?;
        }
        Command::Authority(command) => authority::run(data, &command, out)?,
        Command::Members(args) => {
            member::members(&Office::open(data).await?, data, &args, out).await?;
        }
        Command::Revoke(args) => {
            member::revoke(&Office::open(data).await?, data, &args, out).await?;
        }
        Command::Dictionary(command) => dictionary::run(data, command, out).await?,
        Command::Template(command) => template::run(data, &command, out)?,
        Command::Round(command) => {
            let office = Office::open(data).await?;
            if matches!(command, round::Command::Open(_)) {
                administrator::check(&office, data).await?;
            }
            return round::run(&office, command, out).await;
        }
        Command::Pooled(command) => {
            Box::pin(pooled::run(data, command, out)).await?;
        }
        Command::Benchmark(args) => benchmark::run(&Office::open(data).await?, &args, out).await?,
        Command::Year(command) => Box::pin(year::run(data, command, out)).await?,
        Command::Signals(args) => signals::run(&Office::open(data).await?, &args, out).await?,
        Command::Insurer(command) => {
            insurer::run(&Office::open(data).await?, data, &command, out).await?;
        }
        Command::Audit(command) => audit::run(&command, out).await?,
        Command::Log(command) => log::run(data, &command, out).await?,
        Command::Administrator(command) => {
            administrator::run(&Office::open(data).await?, data, command, out).await?;
        }
        Command::Account(command) => {
            account::run(&Office::open(data).await?, data, &command, out).await?;
        }
        Command::Policy(command) => {
            administrator::policy(&Office::open(data).await?, data, &command, out).await?;
        }
        Command::Doctor(args) => {
            if !doctor::run(data, &args, out).await? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Backup(args) => {
            backup::back_up(&Office::open(data).await?, data, &args, out).await?;
        }
        Command::Restore(args) => backup::restore(data, &args, out).await?,
        Command::Run(args) => {
            let office = Office::open(data).await?;
            administrator::check(&office, data).await?;
            run::run(office, &args, out).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// An opened data folder: what every command but `init` works with.
#[derive(Debug)]
struct Office {
    config: Config,
    state: State,
    authority: Authority,
    clock: Clock,
}

impl Office {
    async fn open(data: &Path) -> anyhow::Result<Self> {
        let config = Config::read(data)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            if std::fs::metadata(data)?.mode() & 0o077 != 0 {
                let data = data.display();
                anyhow::bail!("others can enter `{data}`; first: chmod 700 {data}");
            }
        }
        let authority = Authority::open(data, &config.alliance)?;
        let state = State::open(data)
            .await
            .with_context(|| format!("`{}`", data.display()))?;
        Ok(Self {
            config,
            state,
            authority,
            clock: Clock::System,
        })
    }
}

/// A value as JSON for machines, one line at the end.
fn write_json<T: serde::Serialize>(out: &mut dyn Write, value: &T) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)?;
    Ok(())
}
