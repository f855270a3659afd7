//! `crosswalk`: tables from the codes of one system to those of another.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Subcommand;
use schemas::id::Slug;
use schemas::shown::line;
use web::download::harmless;

use super::officer::As;
use super::{Node, next};
use crate::access;
use crate::crosswalks;
use crate::ingest::crosswalk::Crosswalk;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a table (CSV) as a drafted version: `source,target`, and where they say anything `ratio` (a decimal or
    /// `1/3`), `from` and `to` (months). It counts from an officer's approval on.
    ///
    /// Example: consilium-node --data ./node1 crosswalk add departments ./departments.csv
    Add {
        /// What mappings and commands call it.
        name: Slug,
        /// The table.
        file: PathBuf,
    },
    /// Approve the newest version.
    ///
    /// Example: consilium-node --data ./node1 crosswalk approve departments --as li-hua
    Approve {
        /// The crosswalk.
        name: Slug,
        #[command(flatten)]
        by: As,
    },
    /// List all versions: drafted or approved, lines, by whom.
    ///
    /// Example: consilium-node --data ./node1 crosswalk list
    List,
    /// Show the newest version as CSV, shares as whole parts.
    ///
    /// Example: consilium-node --data ./node1 crosswalk show departments
    Show {
        /// The crosswalk.
        name: Slug,
    },
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    let hospital = &node.config.hospital;
    let register = access::officers(node.state.pool(), hospital).await?;
    let now = node.clock.now();
    match command {
        Command::Add { name, file } => {
            let crosswalk = Crosswalk::read(name, &file)?;
            let added = crosswalks::add(&node.state, &register, &crosswalk, now).await?;
            let (name, lines) = (&crosswalk.name, crosswalk.links.len());
            writeln!(
                out,
                "{name}: version {} drafted, {lines} lines",
                added.number
            )?;
            next::step(
                out,
                &node.given,
                &format!("crosswalk approve {name} --as NAME"),
            )?;
            Ok(())
        }
        Command::Approve { name, by } => {
            let key = by.signer(&node.config.data)?;
            let (whose, who) = ((hospital, &register), (&by.name, &key));
            let of = crosswalks::approve(&node.state, whose, &name, who, now).await?;
            writeln!(out, "{name}: version {} approved by {}", of.number, by.name)?;
            Ok(())
        }
        Command::List => {
            let all = crosswalks::list(&node.state, &register).await?;
            ensure!(
                !all.is_empty(),
                "no crosswalk was added; see `crosswalk add --help`"
            );
            for one in &all {
                let state = one.approved_by.as_ref().map_or_else(
                    || "drafted".to_owned(),
                    |officer| format!("approved by {officer}"),
                );
                let (name, lines) = (&one.crosswalk.name, one.crosswalk.links.len());
                let splits = if one.crosswalk.splits() {
                    ", one to many"
                } else {
                    ""
                };
                writeln!(
                    out,
                    "{name}  version {}  {state}  {lines} lines{splits}  {}",
                    one.number,
                    one.digest.short()
                )?;
            }
            Ok(())
        }
        Command::Show { name } => {
            let all = crosswalks::list(&node.state, &register).await?;
            let of = all.iter().rfind(|one| one.crosswalk.name == name);
            let of = of.with_context(|| format!("there is no crosswalk `{name}`"))?;
            let mut table = csv::Writer::from_writer(out);
            table.write_record(["source", "target", "share", "from", "to"])?;
            for link in &of.crosswalk.links {
                let month = |of: Option<_>| {
                    of.map_or_else(String::new, |m: schemas::time::Month| m.to_string())
                };
                let (from, to) = (month(link.from), month(link.to));
                // A spreadsheet would take some codes for formulas.
                let code = |of: &str| harmless(&line(of));
                table.write_record([
                    code(&link.source),
                    code(&link.target),
                    link.share.to_string(),
                    from,
                    to,
                ])?;
            }
            table.flush()?;
            Ok(())
        }
    }
}
