//! A folder's files as one archive (POSIX ustar): names, lengths and bytes, nothing of this machine, so that
//! the same files give the same bytes.

const BLOCK: usize = 512;

/// Writes a field, filled up with zeros. `None` where it does not fit.
fn put(head: &mut [u8; BLOCK], at: usize, text: &str, most: usize) -> Option<()> {
    let end = at.checked_add(text.len())?;
    if text.len() > most {
        return None;
    }
    head.get_mut(at..end)?.copy_from_slice(text.as_bytes());
    Some(())
}

fn head(name: &str, length: usize) -> Option<[u8; BLOCK]> {
    let mut head = [0; BLOCK];
    put(&mut head, 0, name, 100)?;
    put(&mut head, 100, "0000600", 7)?;
    put(&mut head, 108, "0000000", 7)?;
    put(&mut head, 116, "0000000", 7)?;
    put(&mut head, 124, &format!("{length:011o}"), 11)?;
    put(&mut head, 136, "00000000000", 11)?;
    put(&mut head, 148, "        ", 8)?;
    put(&mut head, 156, "0", 1)?;
    put(&mut head, 257, "ustar", 5)?;
    put(&mut head, 263, "00", 2)?;
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    put(&mut head, 148, &format!("{sum:06o}"), 6)?;
    *head.get_mut(154)? = 0;
    Some(head)
}

/// The archive of named files, below a folder `pack`. `None` where a name or a file is too long.
pub(super) fn archive(files: &[(String, Vec<u8>)]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for (name, bytes) in files {
        out.extend_from_slice(&head(&format!("pack/{name}"), bytes.len())?);
        out.extend_from_slice(bytes);
        let rest = bytes.len() % BLOCK;
        if rest > 0 {
            out.resize(out.len().checked_add(BLOCK.checked_sub(rest)?)?, 0);
        }
    }
    out.resize(out.len().checked_add(BLOCK.checked_mul(2)?)?, 0);
    Some(out)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Read back by the system's own `tar`.
    #[test]
    fn an_archive_is_read_back_by_tar() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            ("a.json".to_owned(), b"one".to_vec()),
            ("requests/0001.json".to_owned(), vec![7; 1024]),
            ("empty".to_owned(), Vec::new()),
        ];
        let path = folder.path().join("pack.tar");
        std::fs::write(&path, archive(&files).unwrap()).unwrap();
        let done = Command::new("tar")
            .args(["-x", "-f"])
            .arg(&path)
            .arg("-C")
            .arg(folder.path())
            .status()
            .unwrap();
        assert!(done.success());
        for (name, bytes) in &files {
            let found = std::fs::read(folder.path().join("pack").join(name)).unwrap();
            assert_eq!(found, *bytes, "{name}");
        }
        assert_eq!(archive(&[("x".repeat(96), Vec::new())]), None);
    }
}
