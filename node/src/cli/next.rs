//! The step that follows a command, printed so that it can be pasted.

use std::io::{Result, Write};
use std::path::{Path, PathBuf};

use schemas::shown::line;

/// Prints the next command for the same data folder, as the user named it.
pub(super) fn step(out: &mut dyn Write, data: &Path, rest: &str) -> Result<()> {
    writeln!(out, "next: consilium-node --data {} {rest}", path(data))
}

/// A path as a shell reads it, on one line.
pub(super) fn path(path: &Path) -> String {
    let text = tidy(path).display().to_string();
    let text = line(&text);
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%~".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The same path without `.` in its middle.
pub(super) fn tidy(path: &Path) -> PathBuf {
    path.components().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_can_be_pasted() {
        for (data, expected) in [
            ("./node", "./node"),
            ("./node/./a", "./node/a"),
            ("/srv/my node", "'/srv/my node'"),
            ("it's", r"'it'\''s'"),
        ] {
            let mut out = Vec::new();
            step(&mut out, Path::new(data), "months").unwrap();
            let text = String::from_utf8(out).unwrap();
            assert_eq!(
                text,
                format!("next: consilium-node --data {expected} months\n")
            );
        }
    }
}
