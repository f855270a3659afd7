//! The month's close and the hospital's side of an insurer's audit: `close`, `audit`.

mod close;
mod desk;

use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use proofs::book;
use proofs::note::{Key, Kind};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::PublicKey;
use schemas::time::Month;

use super::Node;
use super::officer::As;
use crate::audit;
use crate::config::keys::Keys;
use crate::link::Sent;
use crate::store::dictionaries;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Close a month: commit to its settlement list before anything is computed from it.
    ///
    /// Example: consilium-node --data ./node1 close 2025-03 --settlements 2025-03.csv
    /// --mapping settlements.toml
    Close(close::CloseArgs),
    /// The hospital's side of an insurer's audit.
    #[command(subcommand)]
    Audit(AuditCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Print the key of the settlement log, for payers and witnesses.
    ///
    /// Example: consilium-node --data ./node1 audit key
    Key,
    /// Let a payer audit its own settlements: its message key. With `--remove` nothing that it
    /// signs is answered any more.
    ///
    /// Example: consilium-node --data ./node1 audit payer i01 KEY --as li-hua
    Payer {
        /// The payer, as the settlement mapping names it.
        payer: Slug,
        /// Its public message key, 64 hexadecimal digits.
        #[arg(required_unless_present = "remove")]
        key: Option<Digest>,
        /// Forget its key.
        #[arg(long, conflicts_with = "key")]
        remove: bool,
        #[command(flatten)]
        by: As,
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
    /// The openings of leaves that payers asked for, and who signed for them.
    ///
    /// Example: consilium-node --data ./node1 audit list
    List {
        /// For machines.
        #[arg(long)]
        json: bool,
    },
    /// Sign for one request that opens leaves to its payer; it takes two officers.
    ///
    /// Example: consilium-node --data ./node1 audit approve DIGEST --as li-hua
    Approve {
        /// Digest of the request, as `audit list` shows it.
        request: Digest,
        #[command(flatten)]
        by: As,
    },
    /// Refuse a request that opens leaves, for good. The payer is told that it was refused, not why.
    ///
    /// Example: consilium-node --data ./node1 audit refuse DIGEST --as li-hua --reason "too many"
    Refuse {
        /// Digest of the request, as `audit list` shows it.
        request: Digest,
        #[command(flatten)]
        by: As,
        /// For this hospital; it stays out of the log.
        #[arg(long)]
        reason: String,
    },
    /// Answer the requests in a folder; replies get the same names in another. Requests that open
    /// leaves are listed for the officers and answered once two have signed.
    ///
    /// Example: consilium-node --data ./node1 audit serve-batch in out
    ServeBatch {
        /// Folder of requests.
        requests: PathBuf,
        /// Folder of replies.
        replies: PathBuf,
    },
    /// End a month's audit for good: its key is destroyed.
    ///
    /// Example: consilium-node --data ./node1 audit end 2025-03 --as li-hua
    End {
        /// The month.
        month: Month,
        #[command(flatten)]
        by: As,
    },
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    match command {
        Command::Close(args) => close::run(&node, &args, out).await,
        Command::Audit(AuditCommand::Key) => {
            let dictionary = dictionaries::latest(&node.state).await?;
            let alliance = dictionary.context("no dictionary is accepted")?.alliance;
            let origin = book::origin(&alliance, &node.config.hospital);
            let public = Keys::open(&node.config.data)?.message_key()?.public();
            writeln!(out, "{}", Key::new(&origin, Kind::Text, public)?)?;
            Ok(())
        }
        Command::Audit(AuditCommand::Payer { payer, key, by, .. }) => {
            desk::proven(&node, &by).await?;
            let now = node.clock.now();
            if let Some(key) = key {
                let key = PublicKey::from_bytes(*key.as_bytes());
                if let Some(before) = audit::register(&node.state, &payer, &key, now).await? {
                    let before = before.fingerprint();
                    writeln!(
                        out,
                        "replaces the key {}, which asks nothing more",
                        before.short()
                    )?;
                }
                writeln!(out, "{payer} may audit its own settlements")?;
            } else if audit::unregister(&node.state, &payer, now).await? {
                writeln!(out, "{payer} may audit nothing any more")?;
            } else {
                bail!("no payer `{payer}` is registered");
            }
            Ok(())
        }
        Command::Audit(AuditCommand::Book {
            payer,
            month,
            out: path,
        }) => {
            let book = book(&node, &payer, month, out).await?;
            std::fs::write(&path, book)
                .with_context(|| format!("`{}` could not be written", path.display()))?;
            Ok(())
        }
        Command::Audit(AuditCommand::Publish { payer, month }) => {
            let book = book(&node, &payer, month, out).await?;
            match super::link::open(&node)?
                .publish(&payer, month, book)
                .await?
            {
                Sent::Acknowledged => writeln!(out, "published {month} for {payer}")?,
                Sent::Refused(status) => bail!("the coordinator answered {status}"),
            }
            Ok(())
        }
        Command::Audit(AuditCommand::List { json }) => desk::list(&node, json, out).await,
        Command::Audit(AuditCommand::Approve { request, by }) => {
            desk::approve(&node, &request, &by, out).await
        }
        Command::Audit(AuditCommand::Refuse {
            request,
            by,
            reason,
        }) => desk::refuse(&node, &request, (&by, &reason), out).await,
        Command::Audit(AuditCommand::ServeBatch { requests, replies }) => {
            desk::serve(&node, &requests, &replies, out).await
        }
        Command::Audit(AuditCommand::End { month, by }) => {
            desk::proven(&node, &by).await?;
            audit::end(&node.state, &node.config.data, month, node.clock.now()).await?;
            writeln!(out, "the audit of {month} has ended; its key is destroyed")?;
            Ok(())
        }
    }
}

/// The book of a payer's month as bytes; says whether it shows witnesses.
async fn book(
    node: &Node,
    payer: &Slug,
    month: Month,
    out: &mut dyn Write,
) -> anyhow::Result<Vec<u8>> {
    let book = audit::book(&node.state, &node.config, payer, month).await?;
    let book = book.with_context(|| format!("{month} is not closed for {payer}"))?;
    if book.place.receipt.is_none() {
        writeln!(
            out,
            "NOT WITNESSED: two other organisations have not cosigned this close yet; keep the node \
             running, then give out the book again"
        )?;
    }
    Ok(book.to_bytes()?)
}

/// A progress bar on a terminal, nothing elsewhere.
fn bar() -> anyhow::Result<ProgressBar> {
    if !std::io::stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len}  {eta} left")?;
    Ok(ProgressBar::new(0).with_style(style))
}
