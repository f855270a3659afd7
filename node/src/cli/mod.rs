//! The node's commands.

pub mod synth;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Consilium's node: a hospital's own part of the alliance.
#[derive(Debug, Parser)]
#[command(name = "consilium-node", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Synth(synth::SynthArgs),
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = std::io::stdout().lock();
    let done = match &cli.command {
        Command::Synth(args) => synth::run(args, &mut out),
    };
    match done.and_then(|()| Ok(out.flush()?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do where even this cannot be written.
            writeln!(std::io::stderr(), "error: {error:#}").unwrap_or_default();
            ExitCode::FAILURE
        }
    }
}
