//! Backups of a data folder: plain files beside a list of their digests. Node and coordinator write and
//! put them back the same way; what belongs into one is theirs to say. And the versions of the state that
//! is kept there.

mod files;
mod list;
mod process;
pub mod versions;

pub use files::{aside, begin, check, copy, put, walk};
pub use list::{File, LIST, List};
pub use process::user;

use std::path::Path;

/// Why nothing was written or put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or folder.
    #[error("`{path}` could not be read or written")]
    Io {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Something is there already.
    #[error("`{0}` is there and not empty: name a new folder; nothing is overwritten")]
    Taken(String),
    /// No list in the folder.
    #[error("`{0}` holds no finished backup (no `backup.json` that can be read)")]
    NoList(String),
    /// A list of a later form.
    #[error(
        "the backup is of form {0}, which this build does not know: use the build that wrote it"
    )]
    Form(u32),
    /// Of the other binary, or another organisation.
    #[error("the backup is of `{0}`, not of `{1}`")]
    Other(String, String),
    /// A file that is not what was written.
    #[error("`{path}` of the backup {fault}: nothing of it is put back; take another backup")]
    File {
        /// Its name in the backup.
        path: String,
        /// What is wrong.
        fault: &'static str,
    },
    /// A name that is no plain path below a folder.
    #[error("the backup names a file outside of its folder: nothing of it is put back")]
    Name,
    /// A process still works on the folder.
    #[error("process {0} works on `{1}`: stop the service first")]
    Used(u32, String),
}

impl BackupError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        |source| Self::Io {
            path: path.display().to_string(),
            source,
        }
    }
}
