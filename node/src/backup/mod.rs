//! Backups of a node, taken while it runs, and put back into a new folder.
//!
//! What was charged after a backup is not in it: a state that was put back says so in its log, and answers
//! nothing until an officer acknowledged it ([`acknowledge`]). Where the coordinator has seen more of the
//! log, that is a rollback besides, and its gap is burned (`log burn`).

mod restored;

pub use restored::{Waiting, acknowledge, waiting};

use std::path::{Path, PathBuf};

use backups::{BackupError, List};
use schemas::seal::SealError;
use schemas::time::Timestamp;

use crate::config::keys::Keys;
use crate::config::{Config, ConfigError, INCOMING};
use crate::load::{LoadError, Lock};
use crate::log::{self, FsckError};
use crate::store::columns;
use crate::store::state::{State, StateError};
use crate::store::{loads, versions};

/// The program that the lists of these backups name.
const PROGRAM: &str = "consilium-node";
/// The state in the data folder.
const STATE: &str = "state.sqlite";
/// The folder of keys below the data folder.
const KEYS: &str = "keys";

/// Whether the keys come along. Whoever has them and the data recognises patients known by id, and
/// speaks as the hospital.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeysToo {
    /// They are kept elsewhere.
    LeftOut,
    /// All but those of committee seats, which are destroyed month by month.
    Included,
}

/// Why there is no backup, or nothing was put back.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The files.
    #[error(transparent)]
    Files(#[from] BackupError),
    /// The state.
    #[error(transparent)]
    State(#[from] StateError),
    /// Settings or keys.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A load, release or discard is under way, or a month's files cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The state is not sound.
    #[error("the state is not sound, so no backup is made of it: {0}")]
    Unsound(#[source] FsckError),
    /// What was put back is not sound.
    #[error("what was put back is not sound: {0}; use another backup")]
    PutBack(#[source] FsckError),
    /// A month's files are not those that were loaded.
    #[error(
        "the column files of {0} are not those that were loaded: put them back from an earlier backup"
    )]
    Columns(schemas::time::Month),
    /// Column files.
    #[error(transparent)]
    Read(#[from] columns::ColumnsError),
    /// A statement about a restore.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Nothing waits.
    #[error("nothing was put back that waits for an officer")]
    Nothing,
}

impl From<sqlx::Error> for KeepError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}

/// Takes a backup of a sound node into a new or empty folder; loads, releases and discards wait for
/// nothing, they are refused meanwhile. The state is one picture, whatever is answered meanwhile.
pub async fn back_up(
    (state, config): (&State, &Config),
    to: &Path,
    keys: KeysToo,
    at: Timestamp,
) -> Result<List, KeepError> {
    let data = &config.data;
    let _lock = Lock::take(data)?;
    let key = Keys::open(data)?.message_key()?.public();
    let sound = log::fsck(state, &key).await.map_err(KeepError::Unsound)?;
    sound_columns(state, data).await?;
    let mut list = List::new(PROGRAM, versions::BUILD, &config.hospital, at);
    (list.entries, list.head) = (sound.entries, sound.head);
    list.keys = keys == KeysToo::Included;
    backups::begin(to)?;
    let picture = to.join(STATE).display().to_string();
    sqlx::query("vacuum into $1")
        .bind(picture)
        .execute(state.pool())
        .await?;
    list.added(Path::new(STATE), to)?;
    let own = to.canonicalize().unwrap_or_else(|_| to.to_owned());
    let own = own
        .strip_prefix(data.canonicalize().unwrap_or_default())
        .ok();
    let skip = |path: &Path| own == Some(path) || left_out(path, keys) || secret(config, path);
    for path in backups::walk(data, &skip)? {
        list.add(data, &path, to)?;
    }
    list.write(to)?;
    Ok(list)
}

/// What no backup holds: the live state, which is copied as a picture; locks and halves; keys, as chosen.
fn left_out(path: &Path, keys: KeysToo) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let below_keys = path.starts_with(KEYS);
    // Rows as they came name patients.
    let raw = path.starts_with(INCOMING);
    let half = [".lock", ".new", ".tmp"]
        .iter()
        .any(|end| name.ends_with(end));
    (path.parent() == Some(Path::new("")) && name.starts_with(STATE))
        || raw
        || half
        || name.starts_with(".staging-")
        || (below_keys && (keys == KeysToo::LeftOut || name.starts_with("seat-")))
}

/// Whether a file holds an engine's password, wherever it lies; what is below the keys goes with them.
fn secret(config: &Config, path: &Path) -> bool {
    let url = config.columns.as_ref().map(|columns| &columns.url_file);
    !path.starts_with(KEYS) && url.is_some_and(|url| *url == config.data.join(path))
}

/// Whether every stored month's files are those that its load wrote.
pub async fn sound_columns(state: &State, data: &Path) -> Result<(), KeepError> {
    for month in loads::months(state.pool()).await? {
        let folder = data.join(&month.folder);
        let files = [
            (columns::data_file(&folder, month.month), &month.data_digest),
            (
                columns::ranks_file(&folder, month.month),
                &month.ranks_digest,
            ),
        ];
        for (file, digest) in files {
            if columns::digest(&file)? != *digest {
                return Err(KeepError::Columns(month.month));
            }
        }
    }
    Ok(())
}

/// What was put back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PutBack {
    /// The list of the backup.
    pub list: List,
    /// Where the folder that was there stands now.
    pub aside: Option<PathBuf>,
    /// Files of keys that the node cannot work without and that are still missing.
    pub missing: Vec<&'static str>,
}

/// Puts a backup back into a data folder. A folder that holds anything is moved aside, and only where
/// that is asked for; a service that still works on it is a refusal.
pub async fn restore(
    from: &Path,
    data: &Path,
    replace: bool,
    at: Timestamp,
) -> Result<PutBack, KeepError> {
    // The working folder itself may be moved aside.
    let data = &std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    let list = List::read(from, PROGRAM)?;
    backups::check(from, &list)?;
    let settings = Config::read(from)?;
    if settings.hospital != list.of {
        let (of, own) = (list.of.to_string(), settings.hospital.to_string());
        return Err(BackupError::Other(of, own).into());
    }
    let aside = if replace {
        backups::aside(data, STATE)?
    } else {
        None
    };
    backups::put(from, &list, data)?;
    let state = State::open(data).await?;
    let missing = missing(data);
    if missing.is_empty() {
        let key = Keys::open(data)?.message_key()?.public();
        log::fsck(&state, &key).await.map_err(KeepError::PutBack)?;
    }
    restored::mark(&state, &list, at).await?;
    Ok(PutBack {
        list,
        aside,
        missing,
    })
}

fn missing(data: &Path) -> Vec<&'static str> {
    let needed = ["keys/message.pk8", "keys/tls.pem"];
    let here = |name: &&str| !data.join(name).exists();
    let joined = data.join("coordinator.url").exists();
    let needed = needed
        .into_iter()
        .filter(|name| joined || *name != "keys/tls.pem");
    needed.filter(here).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_as_they_came_and_an_engines_password_stay_out() {
        let text =
            "hospital = \"h\"\n[columns]\nengine = \"postgresql\"\nurl_file = \"engine.url\"";
        let mut config = Config::parse(text).unwrap();
        config.data = "/srv/h".into();
        for (url, path, out) in [
            ("/srv/h/engine.url", "engine.url", true),
            ("/srv/h/engine.url", "node.toml", false),
            ("/srv/h/keys/engine.url", "keys/engine.url", false),
            ("/etc/engine.url", "engine.url", false),
        ] {
            config.columns.as_mut().unwrap().url_file = url.into();
            assert_eq!(secret(&config, Path::new(path)), out, "{url} {path}");
        }
        for path in ["incoming/a.csv", "incoming/.coming-abcdef", "state.sqlite"] {
            assert!(left_out(Path::new(path), KeysToo::Included), "{path}");
        }
        assert!(!left_out(
            Path::new("columns/a/2025-01.arrow"),
            KeysToo::Included
        ));
    }
}
