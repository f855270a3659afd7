//! Verifying a published round from its files alone.

use std::path::Path;

use pooled::published::{Files, Outcome, Part, PublishedError, named_key, outcome};
use schemas::canonical;
use schemas::seal::PublicKey;
use schemas::time::Timestamp;

/// Why a publication is not verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// Not a folder.
    #[error("`{0}` is no folder: name the one that holds the files of the publication")]
    NoFolder(String),
    /// A file could not be read.
    #[error("`{0}` could not be read")]
    File(String, #[source] std::io::Error),
    /// A file is longer than any message.
    #[error("`{0}` is longer than any file of a publication")]
    Long(String),
    /// What the files say.
    #[error(transparent)]
    Published(#[from] PublishedError),
}

impl VerifyError {
    /// The part that does not hold.
    pub fn part(&self) -> Part {
        match self {
            Self::NoFolder(_) | Self::File(..) | Self::Long(_) => Part::Files,
            Self::Published(error) => error.part(),
        }
    }
}

/// Reads a folder and verifies it by the alliance's key.
pub fn verify(folder: &Path, key: &PublicKey, now: Timestamp) -> Result<Outcome, VerifyError> {
    Ok(outcome(&read(folder)?, key, now)?)
}

/// The same by a key that is named, by itself or by its fingerprint. Gives the key too.
pub fn verify_named(
    folder: &Path,
    named: &str,
    now: Timestamp,
) -> Result<(PublicKey, Outcome), VerifyError> {
    let files = read(folder)?;
    let key = named_key(&files, named)?;
    let outcome = outcome(&files, &key, now)?;
    Ok((key, outcome))
}

fn read(folder: &Path) -> Result<Files, VerifyError> {
    let failed = |path: &Path| {
        let name = path.display().to_string();
        move |error| VerifyError::File(name, error)
    };
    if !folder.is_dir() {
        return Err(VerifyError::NoFolder(folder.display().to_string()));
    }
    let mut files = Files::new();
    for entry in std::fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let about = std::fs::metadata(&path).map_err(failed(&path))?;
        if about.is_dir() {
            return Err(PublishedError::Stray(name).into());
        }
        let length = about.len();
        if usize::try_from(length).map_or(true, |length| length > canonical::MAX_BYTES) {
            return Err(VerifyError::Long(name));
        }
        files.insert(name, std::fs::read(&path).map_err(failed(&path))?);
    }
    Ok(files)
}
