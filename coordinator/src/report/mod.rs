//! The benchmark as files that people and programs read: canonical JSON, CSV for spreadsheets and
//! one HTML page with its charts inside. Everything stands in the [`Benchmark`]; nothing is
//! computed here but places on paper.

mod words;
mod sorted;
pub(crate) mod columns;
mod sheet;
mod guide;
mod draw;
mod chart;
mod page;
mod split;
mod summed;
mod signals;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use policies::figures::Benchmark;
use serde::Serialize;

pub use signals::write as write_signals;
pub use summed::write as write_pooled;

/// Why a report is not written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file cannot be written.
    #[error("cannot write {0}: {1}")]
    File(PathBuf, #[source] io::Error),
    /// The benchmark has no JSON or CSV form.
    #[error("the benchmark cannot be written as {0}")]
    Form(&'static str),
}

/// Writes `benchmark.json`, `hospitals.csv`, one `by-DIMENSION.csv` for each split, `columns.csv`,
/// which says what their columns mean, and `report.html` into `out_dir`, which is made if need be. The same benchmark gives the same
/// bytes. Returns the paths written.
pub fn write(out_dir: &Path, benchmark: &Benchmark) -> Result<Vec<PathBuf>, ReportError> {
    fs::create_dir_all(out_dir).map_err(|error| ReportError::File(out_dir.to_owned(), error))?;
    let path = out_dir.join("benchmark.json");
    sorted::benchmark(&path, benchmark)?;
    let mut paths = vec![path];
    // One file at a time: those of many hospitals are large.
    let mut put = |name: String, bytes: Vec<u8>| {
        paths.extend(write_all(out_dir, [(name, bytes)])?);
        Ok(())
    };
    put("hospitals.csv".to_owned(), sheet::hospitals(benchmark)?)?;
    for split in &benchmark.splits {
        let name = format!("by-{}.csv", split.dimension);
        put(name, sheet::split(benchmark, split)?)?;
    }
    put("columns.csv".to_owned(), guide::guide(benchmark)?)?;
    put("report.html".to_owned(), page::render(benchmark)?)?;
    Ok(paths)
}

/// Writes files into a folder, which is made if need be.
fn write_all(
    out_dir: &Path,
    files: impl IntoIterator<Item = (String, Vec<u8>)>,
) -> Result<Vec<PathBuf>, ReportError> {
    fs::create_dir_all(out_dir).map_err(|error| ReportError::File(out_dir.to_owned(), error))?;
    let mut paths = Vec::new();
    for (name, bytes) in files {
        let path = out_dir.join(name);
        fs::write(&path, bytes).map_err(|error| ReportError::File(path.clone(), error))?;
        paths.push(path);
    }
    Ok(paths)
}

/// Keys sorted, no white space: the form of all canonical bytes, of any length.
fn canonical(value: &impl Serialize) -> Result<Vec<u8>, ReportError> {
    sorted::sorted(value).map_err(|_| ReportError::Form("JSON"))
}
