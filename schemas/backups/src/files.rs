//! Files of a backup: copied with their digests, checked, and put into a new folder.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use ring::digest::{Context, SHA256};
use schemas::digest::Digest;

use super::BackupError;
use super::list::{File, LIST, List};

/// Bytes that are read at once.
const CHUNK: usize = 1 << 16;

/// Regular files below a folder, by their paths below it, in order. Links and other kinds of files are
/// passed over, and so is what `skip` says of a path.
pub fn walk(folder: &Path, skip: &dyn Fn(&Path) -> bool) -> Result<Vec<PathBuf>, BackupError> {
    let (mut found, mut open) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(below) = open.pop() {
        let place = folder.join(&below);
        for entry in fs::read_dir(&place).map_err(BackupError::io(&place))? {
            let entry = entry.map_err(BackupError::io(&place))?;
            let path = below.join(entry.file_name());
            let kind = entry.file_type().map_err(BackupError::io(&place))?;
            if skip(&path) {
                continue;
            }
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Begins a backup: a new folder that only its owner enters; one that is there has to be empty.
pub fn begin(folder: &Path) -> Result<(), BackupError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(BackupError::io(folder))?;
    let mut there = fs::read_dir(folder).map_err(BackupError::io(folder))?;
    if there.next().is_some() {
        return Err(BackupError::Taken(folder.display().to_string()));
    }
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(folder, private).map_err(BackupError::io(folder))
}

/// Copies a file durably into a new one of mode 0600; its size and digest.
pub fn copy(from: &Path, to: &Path) -> Result<File, BackupError> {
    if let Some(parent) = to.parent() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(parent);
        made.map_err(BackupError::io(parent))?;
    }
    let new = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to);
    let mut new = new.map_err(BackupError::io(to))?;
    let file = read(from, |part| {
        new.write_all(part).map_err(BackupError::io(to))
    })?;
    new.sync_all().map_err(BackupError::io(to))?;
    Ok(file)
}

fn read(
    from: &Path,
    mut each: impl FnMut(&[u8]) -> Result<(), BackupError>,
) -> Result<File, BackupError> {
    let mut file = fs::File::open(from).map_err(BackupError::io(from))?;
    let (mut digest, mut bytes, mut buffer) = (Context::new(&SHA256), 0_u64, vec![0; CHUNK]);
    loop {
        let count = file.read(&mut buffer).map_err(BackupError::io(from))?;
        let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else {
            break;
        };
        digest.update(part);
        bytes = bytes.saturating_add(u64::try_from(count).unwrap_or(0));
        each(part)?;
    }
    let mut own = [0; 32];
    own.copy_from_slice(digest.finish().as_ref());
    Ok(File {
        bytes,
        digest: Digest::from_bytes(own),
    })
}

pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let new = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let mut new = new.map_err(BackupError::io(path))?;
    new.write_all(bytes).map_err(BackupError::io(path))?;
    new.sync_all().map_err(BackupError::io(path))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let folder = fs::File::open(folder).and_then(|folder| folder.sync_all());
    folder.map_err(BackupError::io(path))
}

/// Whether every file of the list is there with its digest, and nothing else is.
pub fn check(folder: &Path, list: &List) -> Result<(), BackupError> {
    let mut wanted = BTreeSet::from([PathBuf::from(LIST)]);
    for (name, file) in &list.files {
        let path = plain(name)?;
        let bad = |fault| BackupError::File {
            path: name.clone(),
            fault,
        };
        let kind = fs::symlink_metadata(folder.join(&path)).map_err(|_| bad("is missing"))?;
        if !kind.is_file() {
            return Err(bad("is no file"));
        }
        if read(&folder.join(&path), |_| Ok(()))? != *file {
            return Err(bad("is damaged or was changed"));
        }
        wanted.insert(path);
    }
    let mut others = walk(folder, &|_| false)?.into_iter();
    match others.find(|path| !wanted.contains(path)) {
        Some(path) => Err(BackupError::File {
            path: path.display().to_string(),
            fault: "does not stand in its list",
        }),
        None => Ok(()),
    }
}

/// Puts the files of a checked backup into a new or empty folder; each is checked once more on its way.
pub fn put(folder: &Path, list: &List, to: &Path) -> Result<(), BackupError> {
    begin(to)?;
    for (name, file) in &list.files {
        let path = plain(name)?;
        if copy(&folder.join(&path), &to.join(&path))? != *file {
            return Err(BackupError::File {
                path: name.clone(),
                fault: "is damaged or was changed",
            });
        }
    }
    Ok(())
}

/// Moves a folder that holds anything aside, under a name that is free beside it; `file` in it tells whether
/// a service still works there.
pub fn aside(folder: &Path, file: &str) -> Result<Option<PathBuf>, BackupError> {
    let holds = fs::read_dir(folder).is_ok_and(|mut there| there.next().is_some());
    if !holds {
        return Ok(None);
    }
    if let Some(id) = super::user(&folder.join(file)) {
        return Err(BackupError::Used(id, folder.display().to_string()));
    }
    let place = fs::canonicalize(folder).map_err(BackupError::io(folder))?;
    let name = place
        .file_name()
        .ok_or(BackupError::Name)?
        .to_string_lossy();
    let mut names =
        (1..10_000_u32).map(|n| place.with_file_name(format!("{name}.before-restore-{n}")));
    let free = names.find(|path| !path.exists()).ok_or(BackupError::Name)?;
    fs::rename(&place, &free).map_err(BackupError::io(folder))?;
    Ok(Some(free))
}

/// A path below a folder, of plain parts alone.
fn plain(name: &str) -> Result<PathBuf, BackupError> {
    let path = PathBuf::from(name);
    let parts = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if name.is_empty() || !parts {
        return Err(BackupError::Name);
    }
    Ok(path)
}

impl List {
    /// Copies a file of the data folder into the backup and lists it.
    pub fn add(&mut self, data: &Path, path: &Path, folder: &Path) -> Result<(), BackupError> {
        let file = copy(&data.join(path), &folder.join(path))?;
        let name = path.to_str().ok_or(BackupError::Name)?;
        self.files.insert(name.to_owned(), file);
        Ok(())
    }

    /// Lists a file that was written into the backup's folder by other means.
    pub fn added(&mut self, path: &Path, folder: &Path) -> Result<(), BackupError> {
        let place = folder.join(path);
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(&place, private).map_err(BackupError::io(&place))?;
        let written = fs::File::open(&place).and_then(|file| file.sync_all());
        written.map_err(BackupError::io(&place))?;
        let name = path.to_str().ok_or(BackupError::Name)?;
        self.files
            .insert(name.to_owned(), read(&place, |_| Ok(()))?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use schemas::time::Timestamp;

    use super::*;

    #[test]
    fn what_was_changed_in_a_backup_is_found_and_nothing_is_overwritten() {
        let place = tempfile::tempdir().unwrap();
        let (data, kept, back) = ("data", "kept", "back");
        let [data, kept, back] = [data, kept, back].map(|name| place.path().join(name));
        fs::create_dir_all(data.join("sub")).unwrap();
        fs::write(data.join("a"), "one").unwrap();
        fs::write(data.join("sub/b"), vec![7; 3 * CHUNK + 1]).unwrap();
        std::os::unix::fs::symlink("a", data.join("link")).unwrap();
        let mut list = List::new("p", "1", &"h1".parse().unwrap(), Timestamp(1));
        begin(&kept).unwrap();
        let found = walk(&data, &|_| false).unwrap();
        assert_eq!(found, [PathBuf::from("a"), PathBuf::from("sub/b")]);
        for path in &found {
            list.add(&data, path, &kept).unwrap();
        }
        assert!(List::read(&kept, "p").is_err());
        list.write(&kept).unwrap();
        assert_eq!(List::read(&kept, "p").unwrap(), list);
        assert!(matches!(
            List::read(&kept, "q"),
            Err(BackupError::Other(..))
        ));
        check(&kept, &list).unwrap();
        put(&kept, &list, &back).unwrap();
        assert_eq!(fs::read(back.join("a")).unwrap(), b"one");
        assert!(matches!(
            put(&kept, &list, &back),
            Err(BackupError::Taken(_))
        ));
        assert!(matches!(begin(&kept), Err(BackupError::Taken(_))));
        // One bit, one byte more, one file more, one less.
        fs::write(kept.join("a"), "onf").unwrap();
        assert!(matches!(check(&kept, &list), Err(BackupError::File { .. })));
        fs::write(kept.join("a"), "one1").unwrap();
        assert!(check(&kept, &list).is_err());
        fs::write(kept.join("a"), "one").unwrap();
        fs::write(kept.join("c"), "").unwrap();
        assert!(check(&kept, &list).is_err());
        fs::remove_file(kept.join("c")).unwrap();
        check(&kept, &list).unwrap();
        fs::remove_file(kept.join("a")).unwrap();
        assert!(check(&kept, &list).is_err());
        std::os::unix::fs::symlink("sub/b", kept.join("a")).unwrap();
        assert!(check(&kept, &list).is_err());
    }

    #[test]
    fn a_list_leads_nowhere_else() {
        for name in ["../a", "/etc/a", "", "a/../../b", "./a"] {
            assert!(plain(name).is_err(), "{name}");
        }
        assert!(plain("a/b").is_ok());
    }
}
