//! `agreement`: the register of data-use agreements.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::shown::line;
use schemas::time::Timestamp;

use super::officer::As;
use super::{Node, show};
use crate::access;
use crate::lifecycle::{self, Agreement, Held};

/// Longest document, in bytes.
const LONGEST: u64 = 256 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add an agreement. Its document stays where it is; its SHA-256 is kept.
    ///
    /// Example: consilium-node --data ./node1 agreement add river-2026 --party river --purpose "cost benchmark"
    /// --from 2026-01-01 --to 2026-12-31 --document ./river-2026.pdf --as li-hua
    Add {
        /// Its name, unique for ever.
        id: Slug,
        /// Who is bound beside this hospital; several times for several.
        #[arg(long = "party", required = true)]
        parties: Vec<Slug>,
        /// What for.
        #[arg(long)]
        purpose: String,
        /// What of.
        #[arg(long = "dataset", default_value = "stays")]
        datasets: Vec<Slug>,
        /// First day, YYYY-MM-DD (UTC).
        #[arg(long)]
        from: String,
        /// Last day.
        #[arg(long)]
        to: String,
        /// The signed document.
        #[arg(long, value_name = "FILE")]
        document: PathBuf,
        #[command(flatten)]
        by: As,
    },
    /// End an agreement before its last day.
    ///
    /// Example: consilium-node --data ./node1 agreement end river-2026 --as li-hua
    End {
        /// Its name.
        id: Slug,
        #[command(flatten)]
        by: As,
    },
    /// All agreements.
    ///
    /// Example: consilium-node --data ./node1 agreement list
    List {
        /// For machines.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(command: Command, at: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(at).await?;
    let officers = access::officers(node.state.pool(), &node.config.hospital).await?;
    let now = node.clock.now();
    match command {
        Command::Add {
            id,
            parties,
            purpose,
            datasets,
            from,
            to,
            document,
            by,
        } => {
            let agreement = Agreement {
                id,
                parties,
                purpose,
                datasets,
                from,
                to,
                document: digest(&document)?,
            };
            let key = by.signer(&node.config.data)?;
            let deciding = by.deciding(&officers, &key, now);
            lifecycle::add(&node.state, &deciding, &agreement).await?;
            Ok(writeln!(out, "{}: added", agreement.id)?)
        }
        Command::End { id, by } => {
            let key = by.signer(&node.config.data)?;
            let deciding = by.deciding(&officers, &key, now);
            lifecycle::end(&node.state, &deciding, &id).await?;
            Ok(writeln!(out, "{id}: ended")?)
        }
        Command::List { json } => {
            let all = lifecycle::list(&node.state).await?;
            if json {
                return show::json_of(&all, out);
            }
            for held in &all {
                one(held, now, out)?;
            }
            Ok(())
        }
    }
}

/// An agreement in one line.
pub(super) fn one(held: &Held, now: Timestamp, out: &mut dyn Write) -> std::io::Result<()> {
    let of = &held.agreement;
    let parties: Vec<&str> = of.parties.iter().map(Slug::as_str).collect();
    let state = match (held.in_force(now), held.ended) {
        (true, _) => "in force",
        (false, Some(_)) => "ended",
        (false, None) => "not today",
    };
    writeln!(
        out,
        "agreement  {:<24} {state:<9}  {} to {}  with {}: {}",
        of.id.as_str(),
        of.from,
        of.to,
        parties.join(", "),
        line(&of.purpose)
    )
}

fn digest(path: &Path) -> anyhow::Result<Digest> {
    let length = std::fs::metadata(path).map(|found| found.len());
    let length = length.with_context(|| format!("`{}` could not be read", path.display()))?;
    anyhow::ensure!(length <= LONGEST, "the document is larger than 256 MiB");
    let bytes = std::fs::read(path).context("the document could not be read")?;
    let sum = ring::digest::digest(&ring::digest::SHA256, &bytes);
    let sum: Result<[u8; 32], _> = sum.as_ref().try_into();
    Ok(Digest::from_bytes(
        sum.context("the digest could not be taken")?,
    ))
}
