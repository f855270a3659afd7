//! One pass over a file: read, check, de-identify, hand to the writer. Memory holds the rows that
//! fill at present and what ranks follow from, 40 bytes a row, and 17 for the duplicate check.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use schemas::dictionary::Dictionary;
use schemas::time::Month;

use super::kept::{Finished, Kept, Stays};
use super::moved::Elsewhere;
use super::patients;
use super::ranks::RankRow;
use super::tally::Tally;
use super::{LoadError, PatientCounts};
use crate::check::Checker;
use crate::check::quarantine::Quarantine;
use crate::check::rules::{Fault, Rule};
use crate::deidentify::{Deidentifier, KeyRing, Refusal};
use crate::ingest::amount;
use crate::ingest::bound::{Bound, When};
use crate::ingest::date::Date;
use crate::ingest::origin::Origin;
use crate::ingest::row::Row;
use crate::store::columns::{ColumnsError, MonthWriter, Rows, Shape, data_file};

/// Rows between two reports of progress.
const REPORT_EVERY: u64 = 8192;

/// What a pass needs.
pub(super) struct Pass<'a> {
    pub origin: &'a Origin,
    pub bound: &'a Bound,
    pub dictionary: &'a Dictionary,
    pub last_month: Month,
    /// Stands for the file where every row is its own patient.
    pub file: &'a [u8],
    /// Where to write; nowhere for a dry run.
    pub folder: Option<&'a Path>,
    pub progress: &'a dyn Fn(u64),
}

/// What a pass found.
#[derive(Debug)]
pub(super) struct Passed {
    pub tally: Tally,
    pub ranks: Vec<RankRow>,
    /// Stays of duplicates.
    pub again: Vec<[u8; 16]>,
    /// What the rows would be in other data years.
    pub elsewhere: Elsewhere,
    /// By data year.
    pub patients: Vec<PatientCounts>,
    /// Digests of the data files.
    pub digests: BTreeMap<Month, String>,
    /// BLAKE3 of the bytes that were read.
    pub file_digest: String,
    pub used_keys: Vec<(u16, String)>,
}

impl Pass<'_> {
    /// Reads the whole file. `stays` are those that the store has already; `elsewhere` notes what the rows
    /// would be in other data years.
    pub(super) fn run(
        &self,
        ring: KeyRing,
        stays: Stays,
        elsewhere: Elsewhere,
    ) -> Result<Passed, LoadError> {
        let before = (stays, elsewhere);
        let Some(folder) = self.folder else {
            return self.read(ring, before, None, None);
        };
        let quarantine = Quarantine::create(folder)?;
        let shape = &self.bound.shape;
        thread::scope(|scope| {
            let (send, receive) = sync_channel(4);
            let writer = scope.spawn(move || write(&receive, folder, shape));
            let passed = self.read(ring, before, Some(send), Some(quarantine));
            // The reader has let go of the channel: the writer ends.
            let written = writer.join().map_err(|_| LoadError::Writer)?;
            match (passed, written) {
                (_, Err(error)) => Err(error.into()),
                (Err(error), Ok(_)) => Err(error),
                (Ok(passed), Ok(digests)) => Ok(Passed { digests, ..passed }),
            }
        })
    }

    fn read(
        &self,
        ring: KeyRing,
        (stays, elsewhere): (Stays, Elsewhere),
        send: Option<SyncSender<(Month, Rows)>>,
        mut quarantine: Option<Quarantine>,
    ) -> Result<Passed, LoadError> {
        let mut source = self.origin.open(self.bound.encoding)?;
        let mut line = Line {
            checker: Checker::new(self.bound, self.dictionary, self.last_month),
            deidentifier: Deidentifier::new(self.bound, ring),
            kept: Kept::new(self.bound, stays, send),
            tally: Tally::default(),
            bound: self.bound,
            elsewhere,
        };
        let mut row = Row::new();
        while source.read(&mut row)? {
            if row.number().is_multiple_of(REPORT_EVERY) {
                (self.progress)(source.position());
            }
            if self.bound.passes_over(&row) {
                line.tally.passed_over += 1;
            } else if let Err(fault) = line.take(&row, self.file)? {
                line.tally.refuse(&fault);
                if let Some(quarantine) = &mut quarantine {
                    quarantine.add(&row.place(), &fault)?;
                }
            }
        }
        (self.progress)(source.position());
        if let Some(quarantine) = quarantine {
            quarantine.finish()?;
        }
        line.tally.unknown_groups = line.checker.unknown_groups();
        line.tally.unlisted = line.deidentifier.unlisted().to_vec();
        let Finished { mut ranks, again } = line.kept.finish()?;
        Ok(Passed {
            tally: line.tally,
            patients: patients::count(&mut ranks),
            ranks,
            again,
            elsewhere: line.elsewhere,
            digests: BTreeMap::new(),
            file_digest: source.digest(),
            used_keys: line.deidentifier.used_keys(),
        })
    }
}

/// The stages that a row goes through.
struct Line<'a> {
    checker: Checker<'a>,
    deidentifier: Deidentifier<'a>,
    kept: Kept<'a>,
    tally: Tally,
    bound: &'a Bound,
    elsewhere: Elsewhere,
}

impl Line<'_> {
    /// Keeps a row, or gives the rule it breaks.
    fn take(&mut self, row: &Row, file: &[u8]) -> Result<Result<(), Fault>, LoadError> {
        let checked = match self.checker.check(row) {
            Ok(checked) => checked,
            Err(fault) => return Ok(Err(fault)),
        };
        let clean = match self.deidentifier.apply(&checked, file) {
            Ok(clean) => clean,
            Err(Refusal::Row(fault)) => return Ok(Err(fault)),
            Err(Refusal::Key(error)) => return Err(error.into()),
        };
        if !self.kept.keep(&clean)? {
            let fault = Fault::new(Rule::Duplicate, "settlement").in_month(clean.month);
            return Ok(Err(fault));
        }
        self.elsewhere.note(self.bound, row, &clean);
        self.tally.keep(clean.month, clean.complete);
        Ok(Ok(()))
    }
}

/// The writer's thread: every month has one open file.
fn write(
    receive: &Receiver<(Month, Rows)>,
    folder: &Path,
    shape: &Shape,
) -> Result<BTreeMap<Month, String>, ColumnsError> {
    let mut files: BTreeMap<Month, MonthWriter> = BTreeMap::new();
    for (month, rows) in receive {
        let file = match files.entry(month) {
            Entry::Occupied(file) => file.into_mut(),
            Entry::Vacant(place) => {
                place.insert(MonthWriter::create(data_file(folder, month), shape)?)
            }
        };
        file.write(rows)?;
    }
    files
        .into_iter()
        .map(|(month, file)| Ok((month, file.finish()?)))
        .collect()
}

/// The months that a file touches, read from its time column alone.
pub(super) fn months_in(origin: &Origin, bound: &Bound) -> Result<BTreeSet<Month>, LoadError> {
    if let Some(view) = origin.view() {
        return Ok(view.months());
    }
    let mut source = origin.open(bound.encoding)?;
    let mut row = Row::new();
    let mut months = BTreeSet::new();
    while source.read(&mut row)? {
        if bound.passes_over(&row) {
            continue;
        }
        months.extend(match bound.when {
            When::Discharge(column) => {
                Date::parse(row.value(column), bound.format).and_then(Date::month)
            }
            When::Year(column) => {
                let year = amount::whole(row.value(column)).ok();
                let year = year.and_then(|year| u16::try_from(year).ok());
                year.and_then(|year| Month::new(year, 12).ok())
            }
        });
    }
    Ok(months)
}
