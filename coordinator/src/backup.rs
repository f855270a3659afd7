//! Backups of a coordinator, taken while it runs, and put back into a new folder.
//!
//! A coordinator that was put back knows less than its members: what they sent since is asked for again, and
//! they refuse to cosign a log that is shorter than the one they saw. Its log says that it was put back.

use std::path::{Path, PathBuf};

use backups::{BackupError, List};
use schemas::time::Timestamp;

use crate::authority::{Authority, AuthorityError};
use crate::config::{Config, ConfigError};
use crate::log::{self, FsckError};
use crate::store::state::{State, StateError, append};
use crate::store::versions;

/// The program that the lists of these backups name.
const PROGRAM: &str = "consilium-coordinator";
/// The state in the data folder.
const STATE: &str = "state.sqlite";

/// Whether the keys come along: the issuing CA's and the alliance's. Whoever has them admits members and
/// speaks as the alliance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeysToo {
    /// They are kept elsewhere.
    LeftOut,
    /// They come along.
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
    /// Settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Keys.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The state is not sound.
    #[error("the state is not sound, so no backup is made of it: {0}")]
    Unsound(#[source] FsckError),
    /// What was put back is not sound.
    #[error("what was put back is not sound: {0}; use another backup")]
    PutBack(#[source] FsckError),
}

impl From<sqlx::Error> for KeepError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}

/// Takes a backup of a sound coordinator into a new or empty folder. The state is one picture, whatever
/// comes in meanwhile.
pub async fn back_up(
    (state, authority, config): (&State, &Authority, &Config),
    (data, to): (&Path, &Path),
    keys: KeysToo,
    at: Timestamp,
) -> Result<List, KeepError> {
    let key = authority.signer().public();
    let sound = log::fsck(state, &key).await.map_err(KeepError::Unsound)?;
    let mut list = List::new(PROGRAM, versions::BUILD, &config.alliance, at);
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
    let skip = |path: &Path| own == Some(path) || left_out(path, keys);
    for path in backups::walk(data, &skip)? {
        list.add(data, &path, to)?;
    }
    list.write(to)?;
    Ok(list)
}

/// What no backup holds: the live state, which is copied as a picture; locks and halves; keys, as chosen.
/// A certificate with its key in one file counts as a key.
fn left_out(path: &Path, keys: KeysToo) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    let public = path == Path::new("ca.pem");
    (path.parent() == Some(Path::new("")) && name.starts_with(STATE))
        || ends(&[".lock", ".new", ".tmp"])
        || (keys == KeysToo::LeftOut && !public && ends(&[".pem", ".pk8", ".key"]))
}

/// What was put back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PutBack {
    /// The list of the backup.
    pub list: List,
    /// Where the folder that was there stands now.
    pub aside: Option<PathBuf>,
    /// Files of keys that are still missing.
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
    if settings.alliance != list.of {
        let (of, own) = (list.of.to_string(), settings.alliance.to_string());
        return Err(BackupError::Other(of, own).into());
    }
    let aside = if replace {
        backups::aside(data, STATE)?
    } else {
        None
    };
    backups::put(from, &list, data)?;
    let state = State::open(data).await?;
    let needed = ["alliance.pk8", "issuing.pem"].into_iter();
    let missing: Vec<&str> = needed.filter(|name| !data.join(name).exists()).collect();
    if missing.is_empty() {
        let key = Authority::open(data, &settings.alliance)?.signer().public();
        log::fsck(&state, &key).await.map_err(KeepError::PutBack)?;
    }
    let mut change = state.begin().await?;
    let detail = [
        ("entries", list.entries.to_string()),
        ("head", list.head.to_string()),
    ];
    append(&mut change, at, "restore", list.digest(), &detail).await?;
    change.commit().await?;
    Ok(PutBack {
        list,
        aside,
        missing,
    })
}
