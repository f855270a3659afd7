//! How far a file or view is read.

use std::io::IsTerminal as _;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

use crate::ingest::origin::Origin;

/// Bytes of a file, or of the files in a folder.
fn size(path: &Path) -> u64 {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let files = entries.filter_map(|entry| entry.metadata().ok());
    if path.is_dir() {
        files.map(|about| about.len()).sum()
    } else {
        std::fs::metadata(path).map_or(0, |about| about.len())
    }
}

/// A progress bar on a terminal, nothing elsewhere.
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    pub(super) fn new(from: &Origin) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let (bar, template) = match from {
            Origin::File(path) => (
                ProgressBar::new(size(path)),
                "{bar:40} {percent:>3} %  {binary_bytes_per_sec}  {eta} left",
            ),
            Origin::View(_) => (
                ProgressBar::new_spinner(),
                "{spinner} {human_pos} rows  {per_sec}  {elapsed}",
            ),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(Some(bar))
    }

    /// Bytes of a file, rows of a view.
    pub(super) fn set(&self, read: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(read);
        }
    }

    pub(super) fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
