//! Files that only their owner may read.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

/// Writes a new file with mode 0600 and brings it to disk, whole or not at all; an existing one is
/// refused, so that no key is ever overwritten.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    File::open(folder)?.sync_all()
}

/// Replaces a file by one of mode 0600, whole or not at all.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    if fresh.exists() {
        std::fs::remove_file(&fresh)?;
    }
    write_new(&fresh, bytes)?;
    std::fs::rename(&fresh, path)
}

/// Reads a file, unless others than its owner could read it too.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata()?.permissions());
        if mode & 0o077 != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "a private file is readable by others; set its mode to 0600",
            ));
        }
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}
