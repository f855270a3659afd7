//! Verifying a publication.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use pooled::published::{Files, PublishedError, named_key, outcome};
use schemas::id::Slug;
use schemas::seal::PublicKey;
use schemas::time::Timestamp;

use crate::cli::Office;
use crate::clock::Clock;
use crate::pooled as rounds;

/// Where a key comes from that proves something.
const KEY_FROM: &str = "Take the fingerprint from the alliance by another way than the folder: \
                        `consilium-coordinator init` printed it, and it says it to whoever asks";

/// Whether a file is inside a folder, by whatever name.
fn lies_in(file: &Path, folder: &Path) -> bool {
    match (file.canonicalize(), folder.canonicalize()) {
        (Ok(file), Ok(folder)) => file.starts_with(folder),
        _ => false,
    }
}

/// A folder, by the alliance's key alone: nothing of a coordinator is opened.
pub(super) fn by_key(folder: &Path, key: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let files = rounds::read_folder(folder)?;
    let file = Path::new(key);
    if file.exists() && lies_in(file, folder) {
        bail!(
            "`{key}` lies in the folder that it is to prove: whoever made the folder made this key too. \
             {KEY_FROM}"
        );
    }
    let key = if file.is_file() {
        std::fs::read_to_string(file).with_context(|| format!("`{key}` could not be read"))?
    } else {
        key.to_owned()
    };
    let key = named_key(&files, &key).map_err(|error| match error {
        PublishedError::Key | PublishedError::OtherKey(_) => {
            anyhow!("--key: {error}. Nothing was verified. {KEY_FROM}")
        }
        error => failed(&error),
    })?;
    check(&files, &key, Clock::System.now(), out)
}

/// A round of this coordinator, or a folder, by its own key.
pub(super) async fn own(office: &Office, round: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let (key, now) = (office.authority.signer().public(), office.clock.now());
    check(&files(office, round).await?, &key, now, out)
}

async fn files(office: &Office, round: &str) -> anyhow::Result<Files> {
    let folder = PathBuf::from(round);
    if folder.is_dir() {
        return Ok(rounds::read_folder(&folder)?);
    }
    let Ok(id) = round.parse::<Slug>() else {
        bail!(
            "`{round}` is neither a round nor a folder: `pooled rounds` lists the rounds, and `pooled \
             publish ROUND --out DIR` writes a folder"
        );
    };
    let held = rounds::find(&office.state, &office.authority, &id).await?;
    Ok(rounds::files(&office.state, &held).await?)
}

fn check(
    files: &Files,
    key: &PublicKey,
    now: Timestamp,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let outcome = outcome(files, key, now).map_err(|error| failed(&error))?;
    for line in outcome.lines() {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "by the key with the fingerprint {}", key.fingerprint())?;
    writeln!(out, "{}", outcome.conclusion())?;
    Ok(())
}

fn failed(error: &PublishedError) -> anyhow::Error {
    let part = error.part();
    anyhow!("{part} does not hold: {error}; {}", part.advice())
}
