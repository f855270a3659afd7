//! The list of a backup: `backup.json`, written last, so that a folder without it is none.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::BackupError;
use super::files::write_new;

/// Name of the list in the folder of the backup.
pub const LIST: &str = "backup.json";
/// The form that is written.
const FORM: u32 = 1;

/// What a backup holds, and of whom.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Form of this list, from 1.
    pub form: u32,
    /// The binary.
    pub program: String,
    /// Its build.
    pub build: String,
    /// The hospital, or the alliance.
    pub of: Slug,
    /// When it was made.
    pub at: Timestamp,
    /// Entries of the log that its state holds.
    pub entries: u64,
    /// Digest of the last of them.
    pub head: Digest,
    /// Whether the keys are in it.
    pub keys: bool,
    /// Its files, by path below the folder.
    pub files: BTreeMap<String, File>,
}

/// One file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

impl List {
    /// A list of no files yet.
    pub fn new(program: &str, build: &str, of: &Slug, at: Timestamp) -> Self {
        Self {
            form: FORM,
            program: program.to_owned(),
            build: build.to_owned(),
            of: of.clone(),
            at,
            entries: 0,
            head: Digest::ZERO,
            keys: false,
            files: BTreeMap::new(),
        }
    }

    /// Finishes the backup.
    pub fn write(&self, folder: &Path) -> Result<(), BackupError> {
        let path = folder.join(LIST);
        let text = serde_json::to_vec_pretty(self).map_err(std::io::Error::from);
        write_new(&path, &text.map_err(BackupError::io(&path))?)
    }

    /// Reads the list of a backup of this binary.
    pub fn read(folder: &Path, program: &str) -> Result<Self, BackupError> {
        let none = || BackupError::NoList(folder.display().to_string());
        let text = fs::read(folder.join(LIST)).map_err(|_| none())?;
        let list: Self = canonical::read(&text).map_err(|_| none())?;
        if list.form != FORM {
            return Err(BackupError::Form(list.form));
        }
        if list.program != program {
            return Err(BackupError::Other(list.program, program.to_owned()));
        }
        Ok(list)
    }

    /// The digest by which a log names the backup.
    pub fn digest(&self) -> Digest {
        // A list of plain texts and numbers has a canonical form.
        canonical::digest("consilium-backup-v1", self).unwrap_or(Digest::ZERO)
    }
}
