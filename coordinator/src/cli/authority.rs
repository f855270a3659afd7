//! `authority`: the issuing CA.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::authority::{Authority, Root};
use crate::clock::Clock;
use crate::config::Config;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Makes a new issuing CA from the root.
    ///
    /// Needed before the present one ends (five years), or when its key may be in other hands. Bring
    /// the root's medium, run this, take it away again and restart the coordinator. Members go on
    /// with their certificates until they renew.
    ///
    /// Example: consilium-coordinator --data /srv/consilium authority reissue --root /media/root
    Reissue {
        /// The root's folder.
        #[arg(long)]
        root: PathBuf,
    },
}

pub(super) fn run(data: &Path, command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    let Command::Reissue { root } = command;
    let config = Config::read(data)?;
    let root = Root::open(root)?;
    Authority::reissue(data, &config.alliance, &root, Clock::System.now())?;
    writeln!(out, "a new issuing CA is in place; restart the coordinator")?;
    Ok(())
}
