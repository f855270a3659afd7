//! Small tables of the hospital's own (CSV, UTF-8, a header), read whole and line by line. An error names
//! file, line and column, never a value.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;

use dashu::rational::RBig;
use policies::figures::Exact;

use super::identifiers;

/// Largest table in bytes.
const LONGEST: u64 = 256 * 1024 * 1024;

/// Why a table is refused.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A file that cannot be read.
    #[error("`{0}` could not be read")]
    File(String, #[source] std::io::Error),
    /// A file that is too large.
    #[error("`{0}` is larger than {1} bytes")]
    Large(String, u64),
    /// A header.
    #[error("`{file}`: the columns are {wanted}")]
    Header {
        /// The file.
        file: String,
        /// What stands there.
        wanted: String,
    },
    /// A line.
    #[error("`{file}`, line {line}: {what}")]
    Line {
        /// The file.
        file: String,
        /// The line, the header is 1.
        line: usize,
        /// What is missing or refused.
        what: String,
    },
}

/// A line of a table.
#[derive(Debug)]
pub struct Line<'a> {
    file: &'a str,
    number: usize,
    fields: BTreeMap<&'a str, &'a str>,
}

impl<'a> Line<'a> {
    /// The refusal of this line.
    pub fn wrong(&self, what: &str) -> TableError {
        TableError::Line {
            file: self.file.to_owned(),
            line: self.number,
            what: what.to_owned(),
        }
    }

    /// The line, the header is 1.
    pub fn number(&self) -> usize {
        self.number
    }

    /// A field that is not empty.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        let text = self.fields.get(name).copied();
        text.filter(|text| !text.is_empty())
    }

    /// A field that has to be there and to be read.
    pub fn need<T: FromStr>(&self, name: &str) -> Result<T, TableError> {
        let text = self.text(name);
        let value = text.and_then(|text| text.parse().ok());
        value.ok_or_else(|| self.wrong(&format!("`{name}` is missing or refused")))
    }

    /// A code that is kept: it has to be there and to be read, and is no number of a person.
    pub fn code<T: FromStr>(&self, name: &str) -> Result<T, TableError> {
        if self.holds_person(name) {
            return Err(self.wrong(&format!("`{name}` is shaped like the number of a person")));
        }
        self.need(name)
    }

    /// Whether a field holds something shaped like a person's number.
    pub fn holds_person(&self, name: &str) -> bool {
        let text = self.text(name).unwrap_or_default();
        identifiers::count(text.as_bytes()) > 0
    }

    /// A number of so many decimals as whole parts; zero where the field is empty.
    pub fn parts(&self, name: &str, of_one: u64) -> Result<u64, TableError> {
        if self.text(name).is_none() {
            return Ok(0);
        }
        let number: Exact = self.need(name)?;
        let scaled = number.0 * RBig::from(of_one);
        let whole = scaled.is_int().then(|| scaled.numerator().clone());
        let whole = whole.and_then(|whole| u64::try_from(whole).ok());
        whole
            .ok_or_else(|| self.wrong(&format!("`{name}` is zero or more, in parts of 1/{of_one}")))
    }

    /// One of the listed words; each value has several.
    pub fn one_of<T: Copy>(&self, name: &str, words: &[(&[&str], T)]) -> Result<T, TableError> {
        let text = self.text(name).unwrap_or_default();
        let found = words.iter().find(|(names, _)| names.contains(&text));
        found.map(|(_, one)| *one).ok_or_else(|| {
            let known = words.iter().filter_map(|(names, _)| names.first().copied());
            let known: Vec<&str> = known.collect();
            self.wrong(&format!("`{name}` is one of {}", known.join(", ")))
        })
    }

    /// The names of the columns.
    pub fn names(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.fields.keys().copied()
    }
}

/// Reads a table line by line. Its columns are the wanted ones, of which the first has to be there, and
/// those that `may` knows.
pub fn each(
    path: &Path,
    (wanted, may): (&[&str], &dyn Fn(&str) -> bool),
    mut of: impl FnMut(&Line<'_>) -> Result<(), TableError>,
) -> Result<(), TableError> {
    let file = path.display().to_string();
    let unread = |error| TableError::File(file.clone(), error);
    if std::fs::metadata(path).map_err(unread)?.len() > LONGEST {
        return Err(TableError::Large(file, LONGEST));
    }
    let text = std::fs::read_to_string(path).map_err(unread)?;
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let header = || TableError::Header {
        file: file.clone(),
        wanted: wanted.join(","),
    };
    let head = reader.headers().map_err(|_| header())?.clone();
    let names: BTreeSet<&str> = head.iter().collect();
    let known = |name: &&str| wanted.contains(name) || may(name);
    let missing = wanted.first().is_some_and(|first| !names.contains(first));
    if names.len() != head.len() || missing || !head.iter().all(|name| known(&name)) {
        return Err(header());
    }
    for (place, record) in reader.records().enumerate() {
        let number = place.saturating_add(2);
        let record = record.map_err(|_| TableError::Line {
            file: file.clone(),
            line: number,
            what: "the number of fields is not that of the header".to_owned(),
        })?;
        of(&Line {
            file: &file,
            number,
            fields: head.iter().zip(record.iter()).collect(),
        })?;
    }
    Ok(())
}
