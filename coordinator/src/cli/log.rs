//! `log`: show, publish, verify, check.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use proofs::history::{self, Published, QUORUM, Shown};

use super::Office;
use crate::log;
use schemas::canonical;
use schemas::entry::Entry;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// All entries, one JSON object a line.
    Show,
    /// Writes entries, checkpoints and keys into a folder, for others to verify.
    Export {
        /// The folder; it is made if it is missing.
        folder: PathBuf,
    },
    /// Verifies a published log of anybody from its files alone.
    ///
    /// One line when it is sound; else the first bad entry, or the checkpoints between which
    /// history was changed. Compare the keys of the file `keys` with those that the organisations
    /// gave you.
    Verify {
        /// The folder that `log export` wrote.
        folder: PathBuf,
        /// A checkpoint of this log that you kept yourself, beside those in the folder's `seen`.
        #[arg(long, value_name = "NOTE")]
        seen: Vec<PathBuf>,
    },
    /// Checks the live state file: chain, tree, replies, rounds, dictionaries.
    Fsck,
}

pub(super) async fn run(data: &Path, command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    if let Command::Verify { folder, seen } = command {
        return verify(folder, seen, out).map(drop);
    }
    let office = &Office::open(data).await?;
    match command {
        Command::Show => {
            for entry in &office.state.log().await? {
                serde_json::to_writer(&mut *out, entry)?;
                writeln!(out)?;
            }
        }
        Command::Export { folder } => {
            let (entries, notes) = log::export(&office.state, &office.authority, folder).await?;
            let folder = folder.display();
            writeln!(out, "{entries} entries and {notes} checkpoints in {folder}")?;
            let witnessed = log::witnessed(&office.state, &office.authority, QUORUM).await?;
            if let Some(newest) = witnessed {
                writeln!(out, "witnessed up to entry {}", newest.checkpoint.size)?;
            }
        }
        Command::Fsck => {
            let key = office.authority.signer().public();
            let found = log::fsck(&office.state, &key).await?;
            writeln!(
                out,
                "sound: {} entries, {} replies, head {}",
                found.entries, found.replies, found.head
            )?;
        }
        Command::Verify { .. } => {}
    }
    Ok(())
}

/// The entries of a published log that was verified.
pub(super) fn entries(folder: &Path) -> anyhow::Result<Vec<Entry>> {
    let bytes =
        std::fs::read(folder.join("entries.jsonl")).context("`entries.jsonl` could not be read")?;
    let lines = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let all: Result<Vec<Entry>, _> = lines.map(canonical::from_bytes).collect();
    all.context("the entries could not be read")
}

/// Verifies a published log; gives the number of entries that others have witnessed.
pub(super) fn verify(folder: &Path, seen: &[PathBuf], out: &mut dyn Write) -> anyhow::Result<u64> {
    let read = |path: &Path| {
        std::fs::read(path).with_context(|| format!("`{}` could not be read", path.display()))
    };
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
    let keys = String::from_utf8(read(&folder.join("keys"))?).context("`keys` is not text")?;
    let entries = read(&folder.join("entries.jsonl"))?;
    let found = history::verify(&Published {
        entries: &entries,
        notes: &notes,
        keys: &keys,
    })?;
    let witnessed = match &found.witnessed {
        Some((size, by)) => {
            let by: Vec<&str> = by.iter().map(schemas::id::Slug::as_str).collect();
            format!("witnessed up to entry {size} by {}", by.join(", "))
        }
        None => "NOT WITNESSED: no checkpoint has two cosignatures of others".to_owned(),
    };
    writeln!(
        out,
        "sound: {} entries, head {}, {witnessed}",
        found.entries, found.head
    )?;
    Ok(found.witnessed.map_or(0, |(size, _)| size))
}
