//! A file that grows by whole lines.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::SinkError;

/// Largest file that is read again.
const LONGEST: u64 = 64 * 1024 * 1024;

/// A file of warnings, one JSON object a line. It may name cases: only its owner reads it.
#[derive(Debug)]
pub struct Lines(PathBuf);

impl Lines {
    /// The file at a path; it is made by the first warning.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// What the file holds; nothing where there is none. A last line without an end is what a killed
    /// process left: it does not count.
    pub fn read<T: DeserializeOwned>(&self) -> Result<Vec<T>, SinkError> {
        let text = match std::fs::metadata(&self.0) {
            Ok(found) if found.len() > LONGEST => return Err(SinkError::Long),
            Ok(_) => std::fs::read_to_string(&self.0)?,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error.into()),
        };
        let mut held = Vec::new();
        for (place, line) in text.split_inclusive('\n').enumerate() {
            if let Some(line) = line.strip_suffix('\n') {
                let one = serde_json::from_str(line);
                held.push(one.map_err(|_| SinkError::Line(place.saturating_add(1)))?);
            }
        }
        Ok(held)
    }

    /// Appends warnings after the last whole line, durably.
    pub fn append<T: Serialize>(&self, news: &[T]) -> Result<(), SinkError> {
        let mut text = String::new();
        for one in news {
            text.push_str(&serde_json::to_string(one).map_err(std::io::Error::from)?);
            text.push('\n');
        }
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .mode(0o600)
            .open(&self.0)?;
        let length = file.metadata()?.len();
        let whole = whole(&mut file, length)?;
        if whole < length {
            file.set_len(whole)?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(())
    }
}

/// How many bytes the whole lines have; looked for from the end, as the file may be long.
fn whole(file: &mut std::fs::File, length: u64) -> Result<u64, std::io::Error> {
    const BLOCK: u64 = 4096;
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        let mut block = Vec::new();
        (&mut *file).take(end - start).read_to_end(&mut block)?;
        if let Some(at) = block.iter().rposition(|byte| *byte == b'\n') {
            let at = u64::try_from(at).unwrap_or(0);
            return Ok(start + at + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_survives_a_half_line_and_is_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("warnings.jsonl");
        let file = Lines::at(&path);
        // One of them is longer than the blocks that the end is looked for in.
        let all = ["x".repeat(9_000), "second".to_owned()];
        assert!(file.read::<String>().unwrap().is_empty());
        file.append(&all[..1]).unwrap();
        assert_eq!(file.read::<String>().unwrap(), all[..1]);
        file.append(&all[1..]).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let bytes = std::fs::read(&path).unwrap();
        // Cut anywhere, its end included, the last one does not count and is written again.
        for left in 1..=8 {
            std::fs::write(&path, &bytes[..bytes.len() - left]).unwrap();
            assert_eq!(file.read::<String>().unwrap(), all[..1]);
            file.append(&all[1..]).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
        }
        std::fs::write(&path, &bytes[..8_999]).unwrap();
        file.append(&all).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        std::fs::write(&path, "other\n").unwrap();
        assert!(matches!(file.read::<String>(), Err(SinkError::Line(1))));
    }
}
