//! `close`: a month's settlement list is committed to.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Month;

use super::{Node, bar};
use crate::commit::{self, Closed, Request};
use crate::ingest::settlements::SettlementMapping;

#[derive(Debug, Args)]
pub(in crate::cli) struct CloseArgs {
    /// The month, YYYY-MM.
    month: Month,
    /// The settlement list (CSV, UTF-8, with a header).
    #[arg(long)]
    settlements: PathBuf,
    /// Its mapping file.
    #[arg(long)]
    mapping: PathBuf,
    /// What a payer committed its sampling nonce to; may be given again.
    #[arg(long, value_name = "PAYER=HEX", value_parser = nonce)]
    nonce: Vec<(Slug, Digest)>,
    /// Close a closed month again with another list; both versions are kept.
    #[arg(long)]
    restate: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

fn nonce(text: &str) -> Result<(Slug, Digest), String> {
    let (payer, digest) = text.split_once('=').ok_or("PAYER=HEX")?;
    let payer = payer.parse().map_err(|_| "the payer is no name")?;
    let digest = digest.parse().map_err(|_| "64 hexadecimal digits")?;
    Ok((payer, digest))
}

pub(super) async fn run(node: &Node, args: &CloseArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(&args.mapping)
        .with_context(|| format!("`{}` could not be read", args.mapping.display()))?;
    let request = Request {
        month: args.month,
        file: args.settlements.clone(),
        mapping: SettlementMapping::parse(&text)
            .with_context(|| format!("`{}` is refused", args.mapping.display()))?,
        nonces: args.nonce.iter().cloned().collect::<BTreeMap<_, _>>(),
        restate: args.restate,
    };
    let bar = bar()?;
    let progress = |done: usize, most: usize| {
        bar.set_length(u64::try_from(most).unwrap_or(0));
        bar.set_position(u64::try_from(done).unwrap_or(0));
    };
    let now = node.clock.now();
    let closed = commit::close(&node.state, &node.config, now, &request, &progress).await;
    bar.finish_and_clear();
    show(&closed?, args.json, out)
}

fn show(closed: &Closed, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if json {
        serde_json::to_writer_pretty(&mut *out, closed)?;
        writeln!(out)?;
        return Ok(());
    }
    let (month, version) = (closed.month, closed.version);
    if closed.again {
        writeln!(
            out,
            "{month} was closed with this list already, version {version}"
        )?;
    } else {
        writeln!(out, "closed {month}, version {version}")?;
    }
    for (payer, settlements) in &closed.settlements {
        writeln!(out, "  {payer:<12} {settlements:>9} settlements")?;
    }
    if !closed.again {
        let refused = closed.refused.len();
        writeln!(
            out,
            "rows: {refused} refused, {} passed over",
            closed.passed_over
        )?;
        for row in closed.refused.iter().take(20) {
            writeln!(out, "  row {}: {}: {}", row.row, row.field, row.rule)?;
        }
        match &closed.compared {
            None => writeln!(
                out,
                "not compared with stored stays: the month is not loaded"
            )?,
            Some(compared) => {
                let (equal, differ) = (compared.equal, &compared.differ);
                let absent = &compared.not_stored;
                writeln!(
                    out,
                    "stored stays: {equal} equal, {} differ, {} not stored",
                    differ.len(),
                    absent.len()
                )?;
                for (what, rows) in [("differs", differ), ("not stored", absent)] {
                    for row in rows.iter().take(20) {
                        writeln!(out, "  row {row}: {what}")?;
                    }
                }
            }
        }
    }
    write!(out, "{}", closed.checkpoint)?;
    Ok(())
}
