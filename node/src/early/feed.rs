//! Postings from a file that grows (CSV, UTF-8, a header, one posting a line): whole lines as they come. A
//! line that does not fit is passed over, named by number and column, so that one wrong line silences nobody.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use policies::early::Posting;
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::shown;

use crate::ingest::date::{Date, DateFormat};
use crate::ingest::identifiers;

/// The columns of a feed, in any order.
const COLUMNS: [&str; 8] = [
    "case",
    "case_group",
    "department",
    "admitted",
    "day",
    "category",
    "amount",
    "status",
];
/// Most bytes read at once; a line is no longer.
const CHUNK: u64 = 1024 * 1024;
/// Longest number or code in characters.
const CODE: usize = 64;

/// Why a feed is not read on.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The file.
    #[error("the feed could not be read")]
    File(#[from] std::io::Error),
    /// The header.
    #[error("the feed's columns are {}, in any order", COLUMNS.join(","))]
    Header,
    /// Cut or exchanged.
    #[error("the feed was cut or exchanged while it was read; begin again with the same command")]
    Replaced,
    /// Not text.
    #[error("the feed has a line of more than 1 MiB, or is not UTF-8, after line {0}")]
    Line(u64),
}

/// A line that was passed over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Its number; the header is line 1.
    pub line: u64,
    /// What is wrong, without the value.
    pub what: String,
}

/// What came.
#[derive(Clone, Default, Debug)]
pub struct Batch {
    /// Postings with their lines.
    pub postings: Vec<(u64, Posting)>,
    /// Lines that do not fit.
    pub faults: Vec<Fault>,
    /// Whether more waits already.
    pub more: bool,
}

/// A feed being read.
#[derive(Debug)]
pub struct Feed {
    path: PathBuf,
    file: File,
    identity: (u64, u64),
    at: u64,
    lines: u64,
    places: Option<[usize; 8]>,
}

impl Feed {
    /// Opens a feed at its beginning.
    pub fn open(path: &Path) -> Result<Self, FeedError> {
        let file = File::open(path)?;
        let found = file.metadata()?;
        Ok(Self {
            path: path.to_owned(),
            identity: (found.dev(), found.ino()),
            file,
            at: 0,
            lines: 0,
            places: None,
        })
    }

    /// The whole lines that came since; a line without an end waits.
    pub fn read(&mut self) -> Result<Batch, FeedError> {
        let found = std::fs::metadata(&self.path)?;
        if (found.dev(), found.ino()) != self.identity || found.len() < self.at {
            return Err(FeedError::Replaced);
        }
        if found.len() == self.at {
            return Ok(Batch::default());
        }
        self.file.seek(SeekFrom::Start(self.at))?;
        let mut bytes = Vec::new();
        let read = (&self.file).take(CHUNK).read_to_end(&mut bytes)?;
        let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else {
            return if u64::try_from(read).unwrap_or(CHUNK) >= CHUNK {
                Err(FeedError::Line(self.lines))
            } else {
                Ok(Batch::default())
            };
        };
        bytes.truncate(end.saturating_add(1));
        let text = std::str::from_utf8(&bytes).map_err(|_| FeedError::Line(self.lines))?;
        let mut batch = self.parse(text)?;
        let taken = u64::try_from(bytes.len()).unwrap_or(CHUNK);
        self.at = self.at.saturating_add(taken);
        batch.more = found.len() > self.at;
        Ok(batch)
    }

    fn parse(&mut self, text: &str) -> Result<Batch, FeedError> {
        let mut batch = Batch::default();
        for line in text.trim_start_matches('\u{feff}').lines() {
            self.lines = self.lines.saturating_add(1);
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .trim(csv::Trim::All)
                .from_reader(line.as_bytes());
            let mut record = StringRecord::new();
            let read = reader.read_record(&mut record);
            let Some(places) = self.places else {
                self.places = Some(header(&record).ok_or(FeedError::Header)?);
                continue;
            };
            if line.trim().is_empty() {
                continue;
            }
            let taken = match read {
                Ok(true) => posting(&record, places),
                _ => Err("the line is no CSV"),
            };
            match taken {
                Ok(posting) => batch.postings.push((self.lines, posting)),
                Err(what) => batch.faults.push(Fault {
                    line: self.lines,
                    what: what.to_owned(),
                }),
            }
        }
        Ok(batch)
    }
}

fn header(record: &StringRecord) -> Option<[usize; 8]> {
    let mut places = [0; 8];
    for (place, name) in places.iter_mut().zip(COLUMNS) {
        *place = record.iter().position(|column| column == name)?;
    }
    (record.len() == COLUMNS.len()).then_some(places)
}

fn posting(record: &StringRecord, places: [usize; 8]) -> Result<Posting, &'static str> {
    if record.len() != COLUMNS.len() {
        return Err("the number of fields is not that of the header");
    }
    let [
        case,
        group,
        department,
        admitted,
        day,
        category,
        amount,
        status,
    ] = places.map(|place| record.get(place).unwrap_or_default());
    let code = |text: &str| text.chars().count() <= CODE && shown::is_plain(text);
    if case.is_empty() || !code(case) {
        return Err("`case` is missing or refused");
    }
    // The number of the case is kept as a keyed hash only.
    let person = |text: &str| identifiers::count(text.as_bytes()) > 0;
    if !code(group) || !code(department) || person(group) || person(department) {
        return Err("`case_group` or `department` is refused");
    }
    let date = |text: &str| Date::parse(text.as_bytes(), DateFormat::Dashes);
    let admitted = date(admitted).ok_or("`admitted` is no date as 2026-03-31")?;
    let on = date(day).ok_or("`day` is no date as 2026-03-31")?;
    let month = on.month().ok_or("`day` is before 1900")?;
    let category: Slug = category
        .parse()
        .map_err(|_| "`category` is no plain name")?;
    let amount: Fen = amount
        .parse()
        .map_err(|_| "`amount` is no amount in yuan")?;
    let closed = match status {
        "closed" => true,
        "open" | "" => false,
        _ => return Err("`status` is open or closed"),
    };
    Ok(Posting {
        case: case.to_owned(),
        group: group.to_owned(),
        department: department.to_owned(),
        admitted: admitted.days(),
        day: on.days(),
        month,
        date: day.chars().take(10).collect(),
        category,
        amount,
        closed,
    })
}
