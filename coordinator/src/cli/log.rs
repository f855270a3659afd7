//! `log show` and `log verify`.

use std::io::Write;

use schemas::entry::verify_chain;

use super::Office;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// All entries, one JSON object a line.
    Show,
    /// Checks that the entries form one chain from the beginning.
    Verify,
}

pub(super) async fn run(
    office: &Office,
    command: &Command,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let entries = office.state.log().await?;
    match command {
        Command::Show => {
            for entry in &entries {
                serde_json::to_writer(&mut *out, entry)?;
                writeln!(out)?;
            }
        }
        Command::Verify => {
            let head = verify_chain(&entries)?;
            writeln!(out, "{} entries, head {head}", entries.len())?;
        }
    }
    Ok(())
}
