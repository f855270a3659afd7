//! A view of the hospital's own database, read as rows of text over PostgreSQL's or MySQL's wire: one
//! consistent, read-only picture a load, rows streamed in bounded memory. A load after the first reads the
//! months whole in which rows are new, because a month is what the store replaces.

mod address;
mod error;
mod found;
mod name;
mod plan;
mod session;
mod wire;
mod worker;

pub use address::Address;
pub(crate) use address::{is_near, read as read_secret};
pub use error::SqlError;
pub(crate) use session::Session;
pub(crate) use wire::Wire;

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, Sender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use csv::ByteRecord;
use schemas::time::Month;

use self::found::{Found, Marked};
use self::name::Name;
use self::plan::Settled;
use self::wire::Kind;
use self::worker::{Ask, Batch};
use super::IngestError;
use super::columns;
use super::mapping::Mapping;
use super::row::Row;
use crate::store::marks::Mark;

/// Batches that wait between the two threads.
const WAITING: usize = 2;

/// An open view. Clones share one connection and one picture; it is closed with the last of them.
#[derive(Clone)]
pub struct View(Arc<Inner>);

struct Inner {
    asks: Sender<Ask>,
    named: String,
    header: Vec<String>,
    settled: Option<Settled>,
    picture: Mutex<Picture>,
    /// Columns of types that are not read; drafts only.
    unread: Vec<String>,
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "View({} columns)", self.0.header.len())
    }
}

/// What one picture of a view holds beyond what was read before.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// How far it goes; `None` where the view has no row.
    pub mark: Option<Mark>,
    /// The months in which rows are new.
    pub months: BTreeSet<Month>,
    /// Whether only these months are read, and not the whole view.
    pub is_part: bool,
    /// Whether any row is new, one without a readable date too.
    pub has_new: bool,
}

impl View {
    /// Opens the view of a mapping.
    pub fn open(
        address: &Address,
        mapping: &Mapping,
        only: &[(String, String)],
    ) -> Result<Self, IngestError> {
        let source = mapping
            .source
            .as_ref()
            .ok_or_else(|| IngestError::rule("source", "names a view"))?;
        let wanted = columns::named(mapping, only, None);
        let found = Found::look(address, &source.view)?;
        let header = found.header(|name| wanted.contains(name))?;
        let marked = Marked::new(&found, source)?;
        let settled = found.settled(mapping, &header)?;
        found.start(header, Vec::new(), Some(marked), settled)
    }

    /// Opens a view to draft a mapping for it: all columns that can be read.
    pub fn draft(address: &Address, view: &str) -> Result<Self, IngestError> {
        let found = Found::look(address, view)?;
        let header = found.columns.iter().filter(|column| {
            column.kind.is_some_and(|kind| kind != Kind::Moment) && Name::new(&column.name).is_ok()
        });
        let header: Vec<String> = header.map(|column| column.name.clone()).collect();
        let unread = found.columns.iter().map(|column| column.name.clone());
        let unread = unread.filter(|name| !header.contains(name)).collect();
        found.start(header, unread, None, None)
    }

    /// The view's name, as the mapping writes it.
    pub fn name(&self) -> &str {
        &self.0.named
    }

    /// The columns that are read.
    pub fn header(&self) -> &[String] {
        &self.0.header
    }

    /// Columns that cannot be read, for a draft.
    pub fn unread(&self) -> &[String] {
        &self.0.unread
    }

    /// Begins a new picture: what is new in it since the last mark. Without a mark all of it is.
    pub fn begin(&self, last: Option<Mark>) -> Result<Picture, IngestError> {
        let (tell, told) = sync_channel(1);
        self.ask(Ask::Begin { last, tell })?;
        let picture = told.recv().map_err(|_| SqlError::Stopped)??;
        *self.picture() = picture.clone();
        Ok(picture)
    }

    /// The months of the picture.
    pub fn months(&self) -> BTreeSet<Month> {
        self.picture().months.clone()
    }

    /// Reads these months too.
    pub fn widen(&self, months: &BTreeSet<Month>) {
        self.picture().months.extend(months);
    }

    /// Leaves these months out again.
    pub fn narrow(&self, months: &BTreeSet<Month>) {
        self.picture()
            .months
            .retain(|month| !months.contains(month));
    }

    /// The rows of the picture that was begun last; `most` of them at the most.
    pub fn rows(&self, most: Option<u64>) -> Result<Rows, IngestError> {
        let (tell, told) = sync_channel(WAITING);
        let picture = self.picture().clone();
        let months = picture.is_part.then_some(picture.months);
        self.ask(Ask::Rows {
            months: months.clone(),
            most,
            tell,
        })?;
        Ok(Rows {
            told,
            batch: Vec::new().into_iter(),
            months: months.zip(self.0.settled.clone()),
            read: 0,
        })
    }

    fn ask(&self, ask: Ask) -> Result<(), SqlError> {
        self.0.asks.send(ask).map_err(|_| SqlError::Stopped)
    }

    fn picture(&self) -> std::sync::MutexGuard<'_, Picture> {
        self.0
            .picture
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rows of a view on their way.
pub struct Rows {
    told: Receiver<Batch>,
    batch: std::vec::IntoIter<ByteRecord>,
    /// Rows of other months are passed over; those whose month cannot be read are not.
    months: Option<(BTreeSet<Month>, Settled)>,
    read: u64,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rows({} read)", self.read)
    }
}

impl Rows {
    /// Reads the next row; `false` at the end. Its number is its place in the order of the view.
    pub(super) fn read(&mut self, row: &mut Row) -> Result<bool, IngestError> {
        loop {
            let Some(record) = self.batch.next() else {
                let batch = self.told.recv().map_err(|_| SqlError::Stopped)??;
                if batch.is_empty() {
                    return Ok(false);
                }
                self.batch = batch.into_iter();
                continue;
            };
            self.read += 1;
            row.number = self.read;
            row.record = record;
            let wanted = self.months.as_ref().is_none_or(|(months, settled)| {
                let month = settled.month(row.value(settled.place));
                month.is_none_or(|month| months.contains(&month))
            });
            if wanted {
                return Ok(true);
            }
        }
    }

    /// Rows read so far.
    pub(super) fn position(&self) -> u64 {
        self.read
    }
}
