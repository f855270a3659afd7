//! FHIR R4 resources as a source: a folder of NDJSON files by type, as bulk export writes them, plain or
//! packed. Every inpatient encounter becomes one row, joined with its patient, conditions, procedures,
//! claims and benefits, so that a mapping reads it like a line of a CSV file. What would make a join
//! doubtful refuses the folder; what belongs to one stay breaks its row only.

mod bills;
mod files;
mod ids;
mod join;
mod money;
mod parts;
mod resource;
mod stay;

use std::path::Path;
use std::sync::Arc;

use self::files::File;
use self::join::{Joined, Loose};
use self::stay::Stay;
use super::IngestError;
use super::row::Row;

pub(super) use self::files::digest;

/// What a folder of FHIR resources must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FhirRule {
    /// It has encounters.
    #[error("the folder has no such file: encounters are what stays are made of")]
    NoEncounters,
    /// Its files are named by type and number.
    #[error(
        "a file of this type is named otherwise than by the type and numbers, as in \
         `Encounter.000.ndjson.gz`; rename it"
    )]
    Name,
    /// A line is no longer than 4 MiB.
    #[error("the line is longer than 4 MiB; one resource stands on each line")]
    Length,
    /// Nesting ends.
    #[error("the resource nests deeper than 64 brackets; no R4 resource does")]
    Depth,
    /// A line is a resource.
    #[error("the line is no FHIR R4 resource of the file's type; export the folder again")]
    Resource,
    /// An id is one.
    #[error("the resource has no id of 1 to 64 letters, digits, `-` and `.`; export it again")]
    Id,
    /// An id stands once.
    #[error("the id of this resource stood before; keep the newest version only")]
    Twice,
    /// What is held of a resource is short.
    #[error("a code, date or plan name is longer than 256 bytes or not on one line")]
    Text,
    /// All amounts are of one currency.
    #[error("the amount is in another currency than those before; load one currency at a time")]
    Currency,
    /// The folder can be joined in memory.
    #[error("the folder has more than 5,000,000 resources of a type; load it year by year")]
    Count,
    /// The stays can be joined in memory.
    #[error("the folder has more than 1,000,000 inpatient encounters; load it year by year")]
    Stays,
}

/// The columns, the same for every folder.
pub(super) fn header() -> Vec<String> {
    let columns = Stay::default().columns("");
    columns.map(|(name, _)| name.to_owned()).to_vec()
}

/// A folder being read. It is joined when its first row is asked for.
pub(super) struct Folder {
    files: Vec<File>,
    stays: std::vec::IntoIter<Stay>,
    loose: std::vec::IntoIter<Loose>,
    currency: String,
    digest: Option<blake3::Hash>,
    position: u64,
}

impl Folder {
    /// Finds the files of a folder.
    pub(super) fn open(path: &Path) -> Result<Self, IngestError> {
        Ok(Self {
            files: files::list(path)?,
            stays: Vec::new().into_iter(),
            loose: Vec::new().into_iter(),
            currency: String::new(),
            digest: None,
            position: 0,
        })
    }

    /// Reads the next stay, and after the last the lines that belong to none; `false` at the end.
    pub(super) fn read(&mut self, row: &mut Row) -> Result<bool, IngestError> {
        if self.digest.is_none() {
            let joined = Joined::read(&self.files)?;
            self.stays = joined.stays.into_iter();
            self.loose = joined.loose.into_iter();
            self.currency = joined.currency;
            self.position = joined.position;
            self.digest = Some(joined.digest);
        }
        let (stay, place, broken) = if let Some(mut stay) = self.stays.next() {
            let own = stay.place;
            let (place, broken) = match stay.broken.take() {
                Some((broken, place)) => (place, Some(broken)),
                None => (own, None),
            };
            (stay, place, broken)
        } else if let Some(loose) = self.loose.next() {
            let stay = Stay::of_hospital(loose.hospital);
            (stay, loose.place, Some(loose.broken))
        } else {
            return Ok(false);
        };
        let name = self.files.get(place.file).map(|file| &file.name);
        row.place = name.map(|name| (Arc::clone(name), place.line));
        row.broken = broken;
        row.record.clear();
        for (_, value) in stay.columns(&self.currency) {
            row.record.push_field(value.as_bytes());
        }
        Ok(true)
    }

    /// Bytes of the files read so far.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// One digest of the files; `None` before the first row is read.
    pub(super) fn digest(&self) -> Option<blake3::Hash> {
        self.digest
    }
}

#[cfg(test)]
mod test;
