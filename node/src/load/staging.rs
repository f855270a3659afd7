//! A load's folder: written under a staging name, renamed when it is whole, removed when its load
//! died.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom as _, SystemRandom};

use super::LoadError;
use crate::store::columns;

/// Holds off other loads, releases and discards of the same data folder while it lives.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held open for its lock")] File);

impl Lock {
    /// Takes the lock, or says that another command has it.
    pub fn take(data: &Path) -> Result<Self, LoadError> {
        let file = File::create(data.join("load.lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(LoadError::Busy),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

/// A folder being filled. Dropped before it is settled, it is removed.
#[derive(Debug)]
pub(super) struct Staging {
    pub id: String,
    pub folder: PathBuf,
    settled: bool,
}

impl Staging {
    /// Makes a new folder under a random name.
    pub(super) fn create(data: &Path) -> Result<Self, LoadError> {
        let parent = columns::folder(data);
        fs::create_dir_all(&parent)?;
        let id = name()?;
        let folder = parent.join(format!(".staging-{id}"));
        fs::create_dir(&folder)?;
        Ok(Self {
            id,
            folder,
            settled: false,
        })
    }

    /// The final folder, below the data folder.
    pub(super) fn final_name(&self) -> PathBuf {
        PathBuf::from("columns").join(&self.id)
    }

    /// Writes a small file and brings it to the disk.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create_new(self.folder.join(name))?;
        io::Write::write_all(&mut file, bytes)?;
        file.sync_all()
    }

    /// Gives the folder its final name, durably.
    pub(super) fn settle(mut self, data: &Path) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()?;
        fs::rename(&self.folder, data.join(self.final_name()))?;
        self.settled = true;
        File::open(columns::folder(data))?.sync_all()
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.settled {
            // What cannot be removed now is removed when the next load starts.
            drop(fs::remove_dir_all(&self.folder));
        }
    }
}

/// Removes folders of loads that never came to be registered.
pub(super) fn sweep(data: &Path, registered: &BTreeSet<String>) -> io::Result<()> {
    let parent = columns::folder(data);
    if !parent.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !registered.contains(&name) && entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Twelve random letters: no digits, so that no name looks like a number.
fn name() -> Result<String, LoadError> {
    let mut bytes = [0; 12];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| LoadError::Random)?;
    Ok(bytes
        .iter()
        .map(|byte| char::from(b'a' + byte % 26))
        .collect())
}
