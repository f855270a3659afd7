//! `insurer`: who may audit through this coordinator.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use schemas::id::Slug;

use super::Office;
use super::administrator::Acting;
use crate::audit::Admission;
use crate::relay;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Admits an insurer: signs the request that `audit identity` made.
    Admit {
        /// The insurer: the payer's name in hospitals' settlement mappings.
        insurer: Slug,
        /// Its signing request.
        #[arg(long)]
        request: PathBuf,
        /// Where to write what the insurer needs.
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        by: Acting,
    },
    /// Removes an insurer: its certificate is refused from its next request on.
    Remove {
        /// The insurer.
        insurer: Slug,
        #[command(flatten)]
        by: Acting,
    },
}

pub(super) async fn run(
    office: &Office,
    data: &Path,
    command: &Command,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let now = office.clock.now();
    match command {
        Command::Admit {
            insurer,
            request,
            out: path,
            by,
        } => {
            let request = std::fs::read_to_string(request)
                .with_context(|| format!("`{}` could not be read", request.display()))?;
            let authority = &office.authority;
            let by = by.proven(office, data).await?;
            let pem = relay::admit(&office.state, authority, insurer, &request, (by, now)).await?;
            let admission = Admission {
                certificate: pem,
                ca: authority.ca_pem().to_owned(),
                url: office.config.node_url.clone(),
            };
            std::fs::write(path, serde_json::to_vec_pretty(&admission)?)
                .with_context(|| format!("`{}` could not be written", path.display()))?;
            writeln!(out, "{insurer} may audit through this coordinator")?;
        }
        Command::Remove { insurer, by } => {
            let by = by.proven(office, data).await?;
            relay::remove(&office.state, insurer, (by, now)).await?;
            writeln!(out, "{insurer} is removed")?;
        }
    }
    Ok(())
}
