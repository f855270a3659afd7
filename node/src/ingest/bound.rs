//! A mapping bound to a dictionary and a file's header: every name resolved once, to a position.

use std::collections::BTreeSet;

use schemas::dictionary::Unit;
use schemas::time::{DataYear, Month};

use super::IngestError;
use super::amount::SourceUnit;
use super::codes::Codes;
use super::costed::{BoundCosting, Costed};
use super::crosswalk::{Crosswalks, Walk};
use super::date::DateFormat;
use super::encoding::Encoding;
use super::mapping::Mapping;
use super::row::Row;
use crate::store::columns::Shape;

/// Oldest age that has a band of its own; older people count as this old.
pub const MOST_AGE: usize = 130;

/// A mapping by positions.
#[derive(Debug)]
pub struct Bound {
    /// How the file writes characters.
    pub encoding: Encoding,
    /// Number of columns in the header.
    pub width: usize,
    /// Rows with another value in this column are passed over.
    pub only: Vec<(usize, Vec<u8>)>,
    /// Column of the department and those of a pilot: rows of others are passed over.
    pub pilot: Option<(usize, BTreeSet<Vec<u8>>)>,
    /// Column of the patient's number; `None`: every row is its own patient.
    pub patient: Option<usize>,
    /// Column of the settlement number.
    pub settlement: Option<usize>,
    /// When the stay was settled.
    pub when: When,
    /// Oldest year of settlement that is believed.
    pub oldest: DataYear,
    /// Column of the admission date.
    pub admission: Option<usize>,
    /// Column of the birth date.
    pub birth: Option<usize>,
    /// Column of the age in years.
    pub age: Option<usize>,
    /// How dates are written.
    pub format: DateFormat,
    /// Columns whose values, joined, are the case group.
    pub group: Vec<usize>,
    /// What stands between them.
    pub group_join: Vec<u8>,
    /// Source code → index of the group.
    pub groups: Codes,
    /// Stored dimensions in dictionary order.
    pub dimensions: Vec<BoundDimension>,
    /// Fields that the source has, in dictionary order.
    pub fields: Vec<BoundField>,
    /// How costed fields follow; `None` where none does.
    pub costing: Option<BoundCosting>,
    /// Every column that is read, with the name of what it holds.
    pub read: Vec<(usize, String)>,
    /// Sums that must hold within a row.
    pub totals: Vec<Total>,
    /// The columns that the file will have.
    pub shape: Shape,
    /// What the officer should know about this mapping.
    pub notes: Vec<String>,
}

/// When the stay was settled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// In the month of the date in this column.
    Discharge(usize),
    /// In December of the year in this column.
    Year(usize),
}

/// A stored dimension.
#[derive(Debug)]
pub struct BoundDimension {
    /// Its name.
    pub name: String,
    /// Where a row's key comes from.
    pub source: DimensionSource,
    /// Index of the key `other`.
    pub other: u16,
}

/// Where a row's key comes from.
#[derive(Debug)]
pub enum DimensionSource {
    /// The source does not have it: always `other`.
    Missing,
    /// Always the same key.
    Constant(u16),
    /// From a column.
    Coded {
        /// The column.
        column: usize,
        /// Source value → key.
        codes: Codes,
        /// The crosswalk that the value goes through first.
        walk: Option<Walk>,
    },
    /// From the age: key by whole years.
    Age(Vec<u16>),
    /// From the length of stay: key by begun days.
    Days {
        /// Position of the field in [`Bound::fields`].
        field: usize,
        /// Key by days, 0 to the most that a stay has.
        bands: Vec<u16>,
    },
    /// How near an amount came to its group's reference.
    Level(Level),
}

/// Lines of a group's reference that an amount reaches or passes.
#[derive(Debug)]
pub struct Level {
    /// Position of the field in [`Bound::fields`].
    pub field: usize,
    /// By group: its reference; `None` where the group is not listed.
    pub references: Vec<Option<u64>>,
    /// Percent from which on each key after the first counts.
    pub from: Vec<u32>,
    /// Percent beyond which the last one counts.
    pub beyond: u32,
}

impl Level {
    /// The key of an amount: how many lines it reached. It follows from the row itself and the
    /// dictionary alone. `None` where the group is not listed.
    pub fn key(&self, group: u16, amount: u32) -> Option<u16> {
        let reference = (*self.references.get(usize::from(group))?)?;
        let (of, hundred) = (u128::from(reference), u128::from(amount) * 100);
        let reached = self
            .from
            .iter()
            .filter(|line| hundred >= u128::from(**line) * of);
        let passed = usize::from(hundred > u128::from(self.beyond) * of);
        u16::try_from(reached.count() + passed).ok()
    }
}

/// A field that the source has.
#[derive(Debug)]
pub struct BoundField {
    /// Its name.
    pub name: String,
    /// Greatest value.
    pub most: u64,
    /// The unit in which it is stored.
    pub unit: Unit,
    /// What it is of the stay's cost by rates; then it has no column.
    pub costed: Option<Costed>,
    /// Column and unit; `None` for a length of stay that follows from the dates.
    pub column: Option<(usize, SourceUnit)>,
    /// Whether it must be the days between the dates.
    pub from_dates: bool,
}

/// Parts that add up to a whole, as positions in [`Bound::fields`].
#[derive(Debug)]
pub struct Total {
    /// The whole.
    pub whole: usize,
    /// The parts that the source has.
    pub parts: Vec<usize>,
    /// Whether these are all parts; otherwise they may only not exceed the whole.
    pub complete: bool,
}

impl Bound {
    /// Gives the approved crosswalks to a mapping that names some.
    pub fn crossed_by(
        mut self,
        mapping: &Mapping,
        crosswalks: &Crosswalks,
    ) -> Result<Self, IngestError> {
        for (id, source) in &mapping.dimensions {
            let place = format!("dimensions.{id}");
            let named = (source.crosswalk.as_ref(), source.split);
            let found = crosswalks.walk(&place, named)?;
            if found.is_some() && source.column.is_none() {
                return Err(IngestError::rule(place, "a crosswalk goes with a column"));
            }
            let mut dimensions = self.dimensions.iter_mut();
            let own = dimensions.find(|dimension| dimension.name == id.as_str());
            if let Some(DimensionSource::Coded { walk, .. }) = own.map(|own| &mut own.source) {
                *walk = found;
            }
        }
        if let (Some(costing), Some(source)) = (&mut self.costing, &mapping.costing) {
            let named = (source.crosswalk.as_ref(), source.split);
            costing.walk = crosswalks.walk("costing", named)?;
        }
        Ok(self)
    }

    /// Refuses a mapping whose oldest year lies behind the last month that is believed: it would
    /// believe nothing.
    pub fn believes_until(self, last: Month) -> Result<Self, IngestError> {
        if self.oldest <= last.year() {
            return Ok(self);
        }
        Err(IngestError::rule(
            "time.oldest_year",
            "is not after the current year",
        ))
    }

    /// Whether the row filter passes over a row. What is broken and does not say whose it is, is not
    /// passed over.
    pub fn passes_over(&self, row: &Row) -> bool {
        let silent = |column: usize| row.broken().is_some() && row.value(column).is_empty();
        if let Some((column, departments)) = &self.pilot
            && !departments.contains(row.value(*column))
            && !silent(*column)
        {
            return true;
        }
        self.only
            .iter()
            .any(|(column, value)| row.value(*column) != value && !silent(*column))
    }
}
