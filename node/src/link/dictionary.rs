//! Dictionaries that the alliance offers. Fetching one changes nothing; accepting it is the
//! officer's act.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use schemas::dictionary::Dictionary;
use schemas::seal::Sealed;

use super::client::{Link, LinkError};

/// Where the offered dictionary lies, as signed.
pub fn offered(folder: &Path) -> PathBuf {
    folder.join("dictionary").join("offered.json")
}

/// Fetches the latest dictionary, checks that the alliance signed it, and keeps it as offered.
pub async fn fetch(link: &Link, folder: &Path) -> Result<Dictionary, FetchError> {
    let sealed = link.dictionary().await?;
    let dictionary = sealed.open(link.alliance_key()).map_err(LinkError::from)?;
    dictionary.check()?;
    keep(folder, &sealed)?;
    Ok(dictionary)
}

/// Why no dictionary was fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It did not come or is not the alliance's.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// It breaks a rule.
    #[error(transparent)]
    Dictionary(#[from] schemas::dictionary::DictionaryError),
    /// It could not be kept.
    #[error("the offered dictionary could not be kept")]
    File(#[from] io::Error),
}

fn keep(folder: &Path, sealed: &Sealed<Dictionary>) -> Result<(), FetchError> {
    let path = offered(folder);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let fresh = path.with_extension("new");
    fs::write(&fresh, serde_json::to_vec(sealed).map_err(io::Error::from)?)?;
    fs::rename(&fresh, &path)?;
    Ok(())
}
