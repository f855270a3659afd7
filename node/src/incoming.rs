//! The folder `incoming` below the data folder: files that wait to be tried or loaded on a page. Rows lie there
//! as they came, so it is closed to all other accounts or not used, nothing in it is followed elsewhere, and
//! what is no longer needed is taken away.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::config::INCOMING as FOLDER;

/// How names begin of what is still being written.
const COMING: &str = ".coming-";
/// Most entries that are looked at.
const ENTRIES: usize = 10_000;
/// Most files that lie there before another one is brought on a page.
const FILES: usize = 20;
/// Most bytes that lie there in all: 8 GiB.
const BYTES: u64 = 8 * 1024 * 1024 * 1024;
/// A file that lies longer was forgotten: 7 days.
const LONG: Duration = Duration::from_hours(7 * 24);

/// Why the folder is not used.
#[derive(Debug, thiserror::Error)]
pub enum IncomingError {
    /// It is a link, belongs to another account, or other accounts enter it.
    #[error("`incoming` is no folder of this account's own that is closed to all others")]
    Open,
    /// It cannot be looked at.
    #[error("`incoming`: {0}")]
    Io(#[from] Error),
}

/// The folder, once it was found closed.
#[derive(Clone, Debug)]
pub struct Incoming {
    path: PathBuf,
}

/// A file that lies there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Lying {
    /// Its name.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// When it was written last.
    pub since: SystemTime,
}

impl Lying {
    /// Whether it is a mapping: it says how rows are read and holds none.
    pub fn is_mapping(&self) -> bool {
        is_mapping(&self.name)
    }
}

/// Whether a name is a mapping's.
pub fn is_mapping(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|end| end == "toml")
}

impl Incoming {
    /// The folder below the data folder; nothing where there is none.
    pub fn of(data: &Path) -> Result<Option<Self>, IncomingError> {
        let path = data.join(FOLDER);
        let found = match std::fs::symlink_metadata(&path) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let own = found.uid() == rustix::process::geteuid().as_raw();
        if found.is_dir() && own && found.mode().trailing_zeros() >= 6 {
            Ok(Some(Self { path }))
        } else {
            Err(IncomingError::Open)
        }
    }

    /// The folder; made where there is none.
    pub fn make(data: &Path) -> Result<Self, IncomingError> {
        match DirBuilder::new().mode(0o700).create(data.join(FOLDER)) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error.into()),
            _ => {}
        }
        Self::of(data)?.ok_or(IncomingError::Open)
    }

    /// Every regular file, by name. A link could lead anywhere and is none.
    fn all(&self) -> Vec<Lying> {
        let found = std::fs::read_dir(&self.path).into_iter().flatten();
        let files = found.flatten().take(ENTRIES).filter_map(|entry| {
            // Of the entry itself, never of what a link leads to.
            let found = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            Some(Lying {
                name: entry.file_name().into_string().ok()?,
                bytes: found.len(),
                since: found.modified().ok()?,
            })
        });
        let mut files: Vec<Lying> = files.collect();
        files.sort();
        files
    }

    /// The files that can be tried, loaded and taken away; what is still coming is none.
    pub fn files(&self) -> Vec<Lying> {
        let mut files = self.all();
        files.retain(|one| !one.name.starts_with('.') && one.name.chars().count() <= 100);
        files
    }

    /// Where a file of [`Self::files`] lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Opens a file of [`Self::files`]; what became a link or anything but a file meanwhile is not opened.
    pub fn open(&self, name: &str) -> std::io::Result<File> {
        let mut options = OpenOptions::new();
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        let flags = flags.bits().cast_signed();
        let file = options
            .read(true)
            .custom_flags(flags)
            .open(self.path(name))?;
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(Error::from(ErrorKind::InvalidInput))
        }
    }

    /// Takes a file of [`Self::files`] away.
    pub fn remove(&self, name: &str) -> std::io::Result<()> {
        std::fs::remove_file(self.path(name))
    }

    /// Removes what a node that died was writing.
    pub fn sweep(&self) {
        for one in self.all() {
            if one.name.starts_with(COMING) {
                // What cannot be removed now is tried again before the next file comes.
                drop(self.remove(&one.name));
            }
        }
    }

    /// How many bytes may still come; nothing where too much lies there already.
    pub fn room(&self) -> Option<u64> {
        let all = self.all();
        let bytes = all
            .iter()
            .fold(0, |sum: u64, one| sum.saturating_add(one.bytes));
        let left = BYTES.checked_sub(bytes).filter(|left| *left > 0);
        left.filter(|_| all.len() < FILES)
    }

    /// How many files with rows were forgotten.
    pub fn forgotten(&self, now: SystemTime) -> usize {
        let old = |one: &&Lying| {
            let age = now.duration_since(one.since);
            !one.is_mapping() && age.is_ok_and(|age| age > LONG)
        };
        self.all().iter().filter(old).count()
    }

    /// Begins a file, readable by this account alone.
    pub fn begin(&self) -> std::io::Result<Writing> {
        let path = self.path.join(format!("{COMING}{}", letters()?));
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Writing {
            path,
            file,
            kept: false,
        })
    }
}

/// A file that is being written; removed unless it was kept.
#[derive(Debug)]
pub struct Writing {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl Writing {
    /// The file, to be written to.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Keeps the file under a name that nothing bears yet: six random letters behind `before`.
    pub fn keep(mut self, before: &str, end: &str) -> std::io::Result<String> {
        self.file.sync_all()?;
        let name = format!("{before}-{}.{end}", letters()?);
        std::fs::rename(&self.path, self.path.with_file_name(&name))?;
        self.kept = true;
        Ok(name)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed now is removed before the next file comes.
            drop(std::fs::remove_file(&self.path));
        }
    }
}

/// Six random letters.
fn letters() -> std::io::Result<String> {
    let mut bytes = [0; 6];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Error::other("no random numbers"))?;
    Ok(bytes
        .iter()
        .map(|byte| char::from(b'a' + byte % 26))
        .collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn names(incoming: &Incoming) -> Vec<String> {
        incoming.files().into_iter().map(|one| one.name).collect()
    }

    #[test]
    fn a_folder_that_is_not_closed_is_not_used() {
        let data = tempfile::tempdir().unwrap();
        assert!(Incoming::of(data.path()).unwrap().is_none());
        Incoming::make(data.path()).unwrap();
        let path = data.path().join(FOLDER);
        for open in [0o750, 0o701, 0o777] {
            mode(&path, open);
            let found = (Incoming::of(data.path()), Incoming::make(data.path()));
            assert!(
                matches!(found, (Err(IncomingError::Open), Err(IncomingError::Open))),
                "{open:o}"
            );
        }
        mode(&path, 0o700);
        assert!(Incoming::of(data.path()).unwrap().is_some());
        let elsewhere = data.path().join("elsewhere");
        std::fs::rename(&path, &elsewhere).unwrap();
        symlink(&elsewhere, &path).unwrap();
        assert!(matches!(
            Incoming::of(data.path()),
            Err(IncomingError::Open)
        ));
    }

    #[test]
    fn only_files_are_listed_and_opened() {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("secret"), "x").unwrap();
        let incoming = Incoming::make(data.path()).unwrap();
        std::fs::write(incoming.path("a.csv"), "x").unwrap();
        std::fs::create_dir(incoming.path("b.csv")).unwrap();
        symlink(data.path().join("secret"), incoming.path("c.csv")).unwrap();
        assert_eq!(names(&incoming), ["a.csv"]);
        assert!(incoming.open("a.csv").is_ok());
        assert!(incoming.open("b.csv").is_err() && incoming.open("c.csv").is_err());
    }

    #[test]
    fn what_was_not_kept_is_gone() {
        let data = tempfile::tempdir().unwrap();
        let incoming = Incoming::make(data.path()).unwrap();
        drop(incoming.begin().unwrap());
        assert_eq!(incoming.all(), []);
        std::fs::write(incoming.path(".coming-dead"), "x").unwrap();
        let kept = incoming.begin().unwrap().keep("20250101", "csv").unwrap();
        assert_eq!(names(&incoming), [kept]);
        incoming.sweep();
        assert_eq!(incoming.all().len(), 1);
    }

    #[test]
    fn no_more_comes_where_much_lies() {
        let data = tempfile::tempdir().unwrap();
        let incoming = Incoming::make(data.path()).unwrap();
        assert_eq!(incoming.room(), Some(BYTES));
        let large = File::create(incoming.path("a.csv")).unwrap();
        // Without content: it takes no room on the disk.
        large.set_len(BYTES - 1).unwrap();
        assert_eq!(incoming.room(), Some(1));
        large.set_len(BYTES).unwrap();
        assert_eq!(incoming.room(), None);
        large.set_len(0).unwrap();
        for n in 1..FILES {
            assert!(incoming.room().is_some());
            std::fs::write(incoming.path(&format!("{n}.csv")), "").unwrap();
        }
        assert_eq!(incoming.room(), None);
    }

    #[test]
    fn files_are_forgotten_after_a_week_and_mappings_never() {
        let data = tempfile::tempdir().unwrap();
        let incoming = Incoming::make(data.path()).unwrap();
        for name in ["a.csv", "b.toml", ".coming-dead"] {
            std::fs::write(incoming.path(name), "x").unwrap();
        }
        // The moment that the file system gave.
        let now = std::fs::metadata(incoming.path("a.csv")).unwrap();
        let now = now.modified().unwrap();
        assert_eq!(incoming.forgotten(now + LONG - Duration::from_mins(1)), 0);
        assert_eq!(incoming.forgotten(now + LONG + Duration::from_mins(1)), 2);
    }
}
