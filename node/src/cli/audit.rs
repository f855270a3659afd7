//! The month's close and the hospital's side of an insurer's audit: `close`, `audit`.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use proofs::book;
use proofs::note::{Key, Kind};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::PublicKey;
use schemas::time::Month;

use super::Node;
use crate::audit::{self, Served};
use crate::commit::{self, Closed, Request};
use crate::config::keys::Keys;
use crate::ingest::settlements::SettlementMapping;
use crate::link::Sent;
use crate::store::dictionaries;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Close a month: commit to its settlement list before anything is computed from it.
    ///
    /// Example: consilium-node --data ./node1 close 2025-03 --settlements 2025-03.csv
    /// --mapping settlements.toml
    Close(CloseArgs),
    /// The hospital's side of an insurer's audit.
    #[command(subcommand)]
    Audit(AuditCommand),
}

#[derive(Debug, Args)]
pub(super) struct CloseArgs {
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

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Print the key of the settlement log, for payers and witnesses.
    ///
    /// Example: consilium-node --data ./node1 audit key
    Key,
    /// Let a payer audit its own settlements: its message key.
    ///
    /// Example: consilium-node --data ./node1 audit payer i01 KEY
    Payer {
        /// The payer, as the settlement mapping names it.
        payer: Slug,
        /// Its public message key, 64 hexadecimal digits.
        key: Digest,
    },
    /// Write the book of a payer's month: sealed leaves, header, checkpoint, proof.
    ///
    /// Example: consilium-node --data ./node1 audit book i01 2025-03 --out ./book
    Book {
        /// The payer.
        payer: Slug,
        /// The month.
        month: Month,
        /// Where to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Send a payer's book of a month to the coordinator, for the payer to fetch.
    ///
    /// Example: consilium-node --data ./node1 audit publish i01 2025-03
    Publish {
        /// The payer.
        payer: Slug,
        /// The month.
        month: Month,
    },
    /// Agree to one request that opens leaves; `run` prints its digest while it waits.
    ///
    /// Example: consilium-node --data ./node1 audit approve DIGEST --officer li-hua
    Approve {
        /// Digest of the request.
        request: Digest,
        /// Who agrees.
        #[arg(long)]
        officer: Slug,
    },
    /// Answer the requests in a folder; replies get the same names in another.
    ///
    /// Example: consilium-node --data ./node1 audit serve-batch in out --officer li-hua
    ServeBatch {
        /// Folder of requests.
        requests: PathBuf,
        /// Folder of replies.
        replies: PathBuf,
        /// Agree to leaves without a claim being opened; without it such requests wait.
        #[arg(long)]
        officer: Option<Slug>,
    },
    /// End a month's audit for good: its key is destroyed.
    ///
    /// Example: consilium-node --data ./node1 audit end 2025-03
    End {
        /// The month.
        month: Month,
    },
}

fn nonce(text: &str) -> Result<(Slug, Digest), String> {
    let (payer, digest) = text.split_once('=').ok_or("PAYER=HEX")?;
    let payer = payer.parse().map_err(|_| "the payer is no name")?;
    let digest = digest.parse().map_err(|_| "64 hexadecimal digits")?;
    Ok((payer, digest))
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    match command {
        Command::Close(args) => close(&node, &args, out).await,
        Command::Audit(AuditCommand::Key) => {
            let dictionary = dictionaries::latest(&node.state).await?;
            let alliance = dictionary.context("no dictionary is accepted")?.alliance;
            let origin = book::origin(&alliance, &node.config.hospital);
            let public = Keys::open(&node.config.data)?.message_key()?.public();
            writeln!(out, "{}", Key::new(&origin, Kind::Text, public)?)?;
            Ok(())
        }
        Command::Audit(AuditCommand::Payer { payer, key }) => {
            let key = PublicKey::from_bytes(*key.as_bytes());
            audit::register(&node.state, &payer, &key, node.clock.now()).await?;
            writeln!(out, "{payer} may audit its own settlements")?;
            Ok(())
        }
        Command::Audit(AuditCommand::Book {
            payer,
            month,
            out: path,
        }) => {
            let book = audit::book(&node.state, &node.config.data, &payer, month).await?;
            let book = book.with_context(|| format!("{month} is not closed for {payer}"))?;
            std::fs::write(&path, book)
                .with_context(|| format!("`{}` could not be written", path.display()))?;
            Ok(())
        }
        Command::Audit(AuditCommand::Publish { payer, month }) => {
            let book = audit::book(&node.state, &node.config.data, &payer, month).await?;
            let book = book.with_context(|| format!("{month} is not closed for {payer}"))?;
            match super::link::open(&node)?
                .publish(&payer, month, book)
                .await?
            {
                Sent::Acknowledged => writeln!(out, "published {month} for {payer}")?,
                Sent::Refused(status) => bail!("the coordinator answered {status}"),
            }
            Ok(())
        }
        Command::Audit(AuditCommand::Approve { request, officer }) => {
            audit::approve(&node.state, &request, officer.as_str(), node.clock.now()).await?;
            writeln!(out, "{officer} agreed to {}", request.short())?;
            Ok(())
        }
        Command::Audit(AuditCommand::ServeBatch {
            requests,
            replies,
            officer,
        }) => {
            let officer = officer.as_ref().map(Slug::as_str);
            serve(&node, &requests, &replies, officer, out).await
        }
        Command::Audit(AuditCommand::End { month }) => {
            audit::end(&node.state, &node.config.data, month, node.clock.now()).await?;
            writeln!(out, "the audit of {month} has ended; its key is destroyed")?;
            Ok(())
        }
    }
}

async fn close(node: &Node, args: &CloseArgs, out: &mut dyn Write) -> anyhow::Result<()> {
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

async fn serve(
    node: &Node,
    requests: &Path,
    replies: &Path,
    officer: Option<&str>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(requests)
        .with_context(|| format!("`{}` could not be read", requests.display()))?;
    let mut names: Vec<_> = entries
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<Result<_, _>>()?;
    names.sort();
    std::fs::create_dir_all(replies)?;
    let bar = bar()?;
    bar.set_length(u64::try_from(names.len()).unwrap_or(0));
    let (mut answered, mut waiting) = (0, 0);
    for name in names {
        bar.inc(1);
        let reply = replies.join(&name);
        if reply.exists() || !name.to_string_lossy().ends_with(".json") {
            continue;
        }
        let bytes = std::fs::read(requests.join(&name))?;
        let now = node.clock.now();
        let served = audit::serve(&node.state, &node.config, now, officer, &bytes).await;
        match served.with_context(|| format!("`{}`", name.to_string_lossy()))? {
            Served::Reply(bytes) => {
                let passing = replies.join(format!(".{}", name.to_string_lossy()));
                std::fs::write(&passing, bytes)?;
                std::fs::rename(&passing, &reply)?;
                answered += 1;
            }
            Served::Waits(_) => waiting += 1,
        }
    }
    bar.finish_and_clear();
    writeln!(out, "{answered} requests answered")?;
    if waiting > 0 {
        bail!("{waiting} requests open leaves and wait for an officer: give --officer NAME");
    }
    Ok(())
}

/// A progress bar on a terminal, nothing elsewhere.
fn bar() -> anyhow::Result<ProgressBar> {
    if !std::io::stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len}  {eta} left")?;
    Ok(ProgressBar::new(0).with_style(style))
}
