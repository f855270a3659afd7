//! Whether a process works on a file: a state that is put back under a running service is lost.

use std::fs;
use std::path::Path;

/// A process other than this one that has a file open, as far as this account may see (Linux).
pub fn user(file: &Path) -> Option<u32> {
    let file = fs::canonicalize(file).ok()?;
    let own = std::process::id();
    let processes = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    let mut ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.find(|id| {
        let open = fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten();
        let mut open = open.filter_map(Result::ok);
        *id != own && open.any(|entry| fs::read_link(entry.path()).is_ok_and(|to| to == file))
    })
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    #[test]
    fn a_process_that_has_the_file_open_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        std::fs::write(&path, "").unwrap();
        assert_eq!(super::user(&path), None);
        let file = std::fs::File::open(&path).unwrap();
        let mut child = Command::new("sleep");
        let mut child = child.arg("30").stdin(Stdio::from(file)).spawn().unwrap();
        assert_eq!(super::user(&path), Some(child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
