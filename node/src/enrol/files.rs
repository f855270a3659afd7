//! What joining leaves in the data folder.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use schemas::enrolment::JoinReply;
use schemas::seal::PublicKey;

/// Key and certificate in one file, so that a renewal replaces both or none.
const IDENTITY: &str = "keys/tls.pem";
const CA: &str = "ca.pem";
const ALLIANCE_KEY: &str = "alliance.key";
const URL: &str = "coordinator.url";

/// The files of an enrolled node below its data folder.
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
}

/// What they hold.
pub struct Enrolled {
    /// The node's TLS key and its certificate in PEM.
    pub identity: String,
    /// The alliance's root in PEM.
    pub ca: String,
    /// The key that signs dictionaries and rounds.
    pub alliance_key: PublicKey,
    /// Where the coordinator is.
    pub url: String,
}

impl std::fmt::Debug for Enrolled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Enrolled(at {})", self.url)
    }
}

/// A file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// It cannot be read or written.
    #[error("`{name}` could not be read or written; has this node joined?")]
    Io {
        /// Which file.
        name: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// What it holds is refused.
    #[error("`{name}`: {rule}")]
    Content {
        /// Which file.
        name: &'static str,
        /// What must hold.
        rule: &'static str,
    },
}

impl Files {
    /// Below a data folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// A file that says that the node has joined. It is written last: where it stands, everything
    /// stands.
    pub fn present(&self) -> Option<String> {
        let path = self.folder.join(IDENTITY);
        path.exists().then(|| path.display().to_string())
    }

    pub(super) fn write(&self, key: &str, reply: &JoinReply) -> Result<(), FilesError> {
        let refused = |_| FilesError::Content {
            name: ALLIANCE_KEY,
            rule: "a key has no text form",
        };
        let alliance_key = serde_json::to_value(reply.alliance_key).map_err(refused)?;
        let alliance_key = alliance_key.as_str().unwrap_or_default();
        // Another alliance's key is never replaced in silence.
        let path = self.folder.join(ALLIANCE_KEY);
        if path.exists() && self.read(ALLIANCE_KEY)?.trim() != alliance_key {
            return Err(FilesError::Content {
                name: ALLIANCE_KEY,
                rule: "another alliance's key is kept here",
            });
        }
        self.put(CA, &reply.ca)?;
        self.put(ALLIANCE_KEY, &format!("{alliance_key}\n"))?;
        self.put(URL, &format!("{}\n", reply.url))?;
        self.renew(key, &reply.certificate)
    }

    /// Replaces key and certificate.
    pub fn renew(&self, key: &str, certificate: &str) -> Result<(), FilesError> {
        self.put(IDENTITY, &format!("{key}{certificate}"))
    }

    /// Reads what joining left; refuses a key that others can read.
    pub fn open(&self) -> Result<Enrolled, FilesError> {
        let io = |source| FilesError::Io {
            name: IDENTITY,
            source,
        };
        let mode = fs::metadata(self.folder.join(IDENTITY)).map_err(io)?.mode();
        if mode & 0o077 != 0 {
            return Err(FilesError::Content {
                name: IDENTITY,
                rule: "only its owner may read it (mode 0600)",
            });
        }
        let alliance_key = self.read(ALLIANCE_KEY)?.trim().to_owned();
        Ok(Enrolled {
            identity: self.read(IDENTITY)?,
            ca: self.read(CA)?,
            alliance_key: serde_json::from_value(serde_json::Value::String(alliance_key)).map_err(
                |_| FilesError::Content {
                    name: ALLIANCE_KEY,
                    rule: "a key is 64 hexadecimal digits",
                },
            )?,
            url: self.read(URL)?.trim().to_owned(),
        })
    }

    fn read(&self, name: &'static str) -> Result<String, FilesError> {
        fs::read_to_string(self.folder.join(name)).map_err(|source| FilesError::Io { name, source })
    }

    /// Writes a private file whole or not at all.
    fn put(&self, name: &'static str, text: &str) -> Result<(), FilesError> {
        let io = |source| FilesError::Io { name, source };
        let path = self.folder.join(name);
        if let Some(parent) = path.parent() {
            let mut builder = fs::DirBuilder::new();
            builder
                .recursive(true)
                .mode(0o700)
                .create(parent)
                .map_err(io)?;
        }
        let fresh = path.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)
            .map_err(io)?;
        file.write_all(text.as_bytes()).map_err(io)?;
        file.sync_all().map_err(io)?;
        fs::rename(&fresh, &path).map_err(io)
    }
}
