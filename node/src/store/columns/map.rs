//! Memory mapping, the one unsafe call of the node.

use std::fs::File;
use std::io;
use std::path::Path;

use bytes::Bytes;
use memmap2::Mmap;

/// Maps a finished column file into memory. An empty file gives empty bytes.
#[expect(
    unsafe_code,
    reason = "a mapped file must not change while mapped: column files are written once under a \
              staging name, renamed, and never opened for writing again; the folder belongs to \
              the node alone"
)]
pub fn map(path: &Path) -> io::Result<Bytes> {
    let file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: see the reason above; a truncation by another program would end this process with a
    // signal, it could not forge a value.
    let mapping = unsafe { Mmap::map(&file) }?;
    Ok(Bytes::from_owner(mapping))
}
