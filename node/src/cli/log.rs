//! `log`: show, publish, verify, check; what a rollback lost is burned in [`super::burn`].

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use proofs::history::{self, Published, QUORUM, Receipt, Shown};
use schemas::canonical;
use schemas::entry::Entry;
use schemas::id::Slug;
use schemas::seal::Signer;
use schemas::shown::line;

use super::officer::As;
use super::{Node, burn};
use crate::config::keys::Keys;
use crate::log::{self, Keeper};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// All entries, oldest first.
    ///
    /// Example: consilium-node --data ./node1 log show
    Show,
    /// Write entries, checkpoints and keys into a folder, for others to verify.
    ///
    /// Example: consilium-node --data ./node1 log export ./published
    Export {
        /// The folder; it is made if it is missing.
        folder: PathBuf,
    },
    /// Verify a published log of anybody from its files alone.
    ///
    /// One line when it is sound; else the first bad entry, or the checkpoints between which
    /// history was changed. Compare the keys in the file `keys` with those that the organisations
    /// gave you.
    ///
    /// Example: consilium-node log verify ./published --seen kept-in-march.note
    Verify {
        /// The folder that `log export` wrote.
        folder: PathBuf,
        /// A checkpoint of this log that you kept yourself, beside those in the folder's `seen`.
        #[arg(long, value_name = "NOTE")]
        seen: Vec<PathBuf>,
        /// A receipt of `log prove`, to be checked with the keys of the folder.
        #[arg(long, value_name = "FILE")]
        receipt: Option<PathBuf>,
    },
    /// Write the proof that an entry stands in the log at a witnessed checkpoint.
    ///
    /// Example: consilium-node --data ./node1 log prove 12 receipt.json
    Prove {
        /// The entry's number.
        sequence: u64,
        /// Where the proof goes.
        file: PathBuf,
    },
    /// Check the live state file: chain, tree, answers, charges, ledger, replies.
    ///
    /// Example: consilium-node --data ./node1 log fsck
    Fsck,
    /// After `restore`: say that nothing was charged that this state does not know, and answer again.
    ///
    /// The coordinator is asked first. Where it has seen more of the log, only `log burn` helps.
    ///
    /// Example: consilium-node --data ./node1 log restored --as li-hua --yes
    Restored {
        #[command(flatten)]
        by: As,
        /// Say it; without this it is shown what that means.
        #[arg(long)]
        yes: bool,
    },
    /// After an old backup was put back: count what was spent since as spent, and answer again.
    ///
    /// With the published entries up to the lost checkpoint every lost charge is charged again,
    /// exactly. Without them the whole allowance of all loaded years of data counts as spent; load
    /// every year of data first. What it costs and what becomes impossible is shown; only with --yes
    /// is anything done, and it is never taken back.
    ///
    /// Example: consilium-node --data ./node1 log burn --as li-hua --entries entries.jsonl --yes
    Burn {
        #[command(flatten)]
        by: As,
        /// `entries.jsonl` of a `log export`, or the lines of the gap.
        #[arg(long, value_name = "FILE")]
        entries: Option<PathBuf>,
        /// Burn; without this the preview alone is shown.
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    if let Command::Verify {
        folder,
        seen,
        receipt,
    } = command
    {
        return match receipt {
            Some(file) => check(&folder, &file, out),
            None => verify(&folder, &seen, out).map(drop),
        };
    }
    let node = Node::open(data).await?;
    let signer = Keys::open(&node.config.data)?.message_key()?;
    match command {
        Command::Show => show(&node, out).await,
        Command::Export { folder } => {
            let keeper = keeper(&node, &signer).await?;
            let (entries, notes) = log::export(&keeper, &folder).await?;
            let folder = folder.display();
            writeln!(out, "{entries} entries and {notes} checkpoints in {folder}")?;
            match keeper.witnessed(QUORUM).await? {
                Some(newest) => writeln!(out, "witnessed up to {}", newest.checkpoint.size)?,
                None => writeln!(out, "no checkpoint is witnessed yet")?,
            }
            Ok(())
        }
        Command::Prove { sequence, file } => {
            let keeper = keeper(&node, &signer).await?;
            let receipt = log::prove(&keeper, sequence).await?;
            let receipt = receipt.context("not witnessed yet: keep the node running")?;
            std::fs::write(&file, canonical::to_bytes(&receipt)?)
                .with_context(|| format!("`{}` could not be written", file.display()))?;
            writeln!(out, "entry {sequence} is proven in {}", file.display())?;
            Ok(())
        }
        Command::Fsck => {
            let found = log::fsck(&node.state, &signer.public()).await?;
            let (entries, answers, head) = (found.entries, found.answers, found.head);
            writeln!(
                out,
                "sound: {entries} entries, {answers} answers, head {head}"
            )?;
            Ok(())
        }
        Command::Restored { by, yes } => super::backup::restored(&node, (&by, yes), out).await,
        Command::Burn { by, entries, yes } => {
            let order = burn::Order {
                by: &by,
                entries: entries.as_deref(),
                yes,
            };
            burn::run(&node, &order, out).await
        }
        Command::Verify { .. } => Ok(()),
    }
}

async fn keeper<'a>(node: &'a Node, signer: &'a Signer) -> anyhow::Result<Keeper<'a>> {
    let keeper = Keeper::open(&node.state, signer, &node.config.hospital).await?;
    keeper.context("no dictionary was accepted yet, so the log has no name; nothing was done")
}

async fn show(node: &Node, out: &mut dyn Write) -> anyhow::Result<()> {
    for entry in &node.state.log().await? {
        let detail: Vec<String> = entry
            .detail
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        writeln!(
            out,
            "{:>6} {} {:<12} {} {}",
            entry.sequence,
            entry.at,
            entry.kind,
            entry.subject.short(),
            line(&detail.join(" "))
        )?;
    }
    Ok(())
}

pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("`{}` could not be read", path.display()))
}

fn read_keys(folder: &Path) -> anyhow::Result<String> {
    String::from_utf8(read(&folder.join("keys"))?).context("`keys` is not text")
}

fn check(folder: &Path, file: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let receipt: Receipt = canonical::read(&read(file)?).context("the file is no receipt")?;
    let keys = history::Keys::parse(&read_keys(folder)?)?;
    let found = receipt.verify(&keys, QUORUM)?;
    let (sequence, size) = (receipt.entry.sequence, found.checkpoint.size);
    let by: Vec<&str> = found.witnesses.keys().map(Slug::as_str).collect();
    let by = by.join(", ");
    writeln!(
        out,
        "sound: entry {sequence} stands in the log of {size} that {by} witnessed"
    )?;
    Ok(())
}

/// The entries of a published log that was verified.
pub(super) fn entries(folder: &Path) -> anyhow::Result<Vec<Entry>> {
    let bytes = read(&folder.join("entries.jsonl"))?;
    let lines = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let all: Result<Vec<Entry>, _> = lines.map(canonical::from_bytes).collect();
    all.context("the entries could not be read")
}

/// Verifies a published log; gives the number of entries that others have witnessed.
pub(super) fn verify(folder: &Path, seen: &[PathBuf], out: &mut dyn Write) -> anyhow::Result<u64> {
    let mut files: Vec<(bool, PathBuf)> = seen.iter().map(|path| (true, path.clone())).collect();
    for (others, place) in [(false, "checkpoints"), (true, "seen")] {
        // A log may have no checkpoint yet.
        for entry in std::fs::read_dir(folder.join(place)).into_iter().flatten() {
            files.push((others, entry?.path()));
        }
    }
    files.sort();
    let mut notes = Vec::with_capacity(files.len());
    for (others, path) in files {
        notes.push(Shown {
            name: path.display().to_string(),
            own: !others,
            bytes: read(&path)?,
        });
    }
    let (keys, entries) = (read_keys(folder)?, read(&folder.join("entries.jsonl"))?);
    let found = history::verify(&Published {
        entries: &entries,
        notes: &notes,
        keys: &keys,
    })?;
    let witnessed = match &found.witnessed {
        Some((size, by)) => {
            let by: Vec<&str> = by.iter().map(Slug::as_str).collect();
            format!("witnessed up to entry {size} by {}", by.join(", "))
        }
        None => "NOT WITNESSED: no checkpoint has two cosignatures of others".to_owned(),
    };
    let (entries, head) = (found.entries, found.head);
    writeln!(out, "sound: {entries} entries, head {head}, {witnessed}")?;
    Ok(found.witnessed.map_or(0, |(size, _)| size))
}
