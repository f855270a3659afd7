//! Makes plausible alliances: one settlement file a hospital, and the table from which a
//! dictionary's groups are built. The same settings give the same bytes on every machine.
//!
//! Nothing here comes from a patient. Case-group codes and weights are public facts; identifiers
//! look real (a resident number has a valid check character) and belong to nobody.

mod chance;
mod spread;
mod dates;
mod groups;
mod hospital;
mod person;
mod calendar;
mod row;
mod beside;
mod contacts;
mod visits;
mod defect;
mod file;

use std::path::{Path, PathBuf};

pub use file::Written;
pub use groups::{CaseGroup, groups, groups_csv};
pub use hospital::{Hospital, Tier, alliance};
pub use row::HEADER;
use schemas::question::Dataset;

/// Why no data were made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is out of range; the text says which rule it breaks.
    #[error("{0}")]
    Setting(&'static str),
    /// A file cannot be written.
    #[error("cannot write {path}", path = path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The built-in table of case groups is unsound.
    #[error("the built-in table of case groups is unsound")]
    Table,
}

/// What to make.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Everything follows from this number.
    pub seed: u64,
    /// Year of settlement, 1971 to 2199.
    pub year: u16,
    /// Rows with a defect, in a million.
    pub defects_ppm: u32,
    /// Whether identifiers also stand where they do not belong, in six rows a hospital.
    pub planted: bool,
}

/// Writes an alliance of `count` hospitals (1 to 99) into `folder`: a file for each, `groups.csv`
/// (the table of its dictionary's groups), `alliance.json` (the hospitals), `defects.csv` (what
/// was spoilt) and `planted.txt` (identifiers to search for). `stays` is the number of a tertiary
/// hospital, at most 50 million.
pub fn write_alliance(
    folder: &Path,
    settings: &Settings,
    count: u32,
    stays: u32,
) -> Result<Vec<Written>, Error> {
    if !(1..=99).contains(&count) {
        return Err(Error::Setting("an alliance has 1 to 99 hospitals"));
    }
    file::write(folder, settings, &alliance(settings.seed, count, stays)?)
}

/// Writes one tertiary hospital's file of `stays` rows (duplicates come on top) and the same side
/// files.
pub fn write_hospital(
    folder: &Path,
    settings: &Settings,
    name: &str,
    stays: u32,
) -> Result<Vec<Written>, Error> {
    let only = hospital::hospital(settings.seed, 1, name, Tier::Tertiary, stays)?;
    file::write(folder, settings, &[only])
}

/// Writes `rows` rows of another dataset about a hospital's own patients beside its stays, as
/// `NAME-DATASET.csv`, and gives the file's name. The same settings give the same bytes; those of the
/// stays do not depend on it.
pub fn write_beside(
    folder: &Path,
    settings: &Settings,
    hospital: &Hospital,
    (dataset, rows): (Dataset, u32),
) -> Result<String, Error> {
    file::write_beside(folder, settings, hospital, (dataset, rows))
}

#[cfg(test)]
mod tests;
