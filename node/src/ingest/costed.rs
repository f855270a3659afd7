//! Fields whose value follows from the rates of an earlier closed month instead of a column: which rates
//! there are (`RateBook`), and a mapping's `[costing]` bound to columns and fields.

use std::collections::BTreeMap;

use policies::costing::{Method, RateTable, Rates};
use schemas::dictionary::Unit;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Month;

use super::IngestError;
use super::amount::SourceUnit;
use super::bound::{Bound, BoundField};
use super::columns::Columns;
use super::crosswalk::Walk;
use super::mapping::{CostingMapping, Mapping};
use crate::store::month_rates::RatesUsed;

/// What `costing` of a field says where it is the sum of all items.
pub const ALL: &str = "all";

/// The rates that stays may be costed by, in the order in which they were signed for.
#[derive(Clone, Default, Debug)]
pub struct RateBook(Vec<Entry>);

#[derive(Clone, Debug)]
struct Entry {
    from: Month,
    digest: Digest,
    table: RateTable,
}

impl RateBook {
    /// Adds rates that cost stays from a month on. Rates of that month or of a later one are refused: the stays
    /// would be part of what they are costed by.
    pub fn add(&mut self, from: Month, table: RateTable) -> Result<(), IngestError> {
        let period = table.period;
        if period >= from {
            return Err(IngestError::LateRates { period, from });
        }
        let digest = table.digest();
        let digest = digest.map_err(|_| IngestError::rule("costing", "has rates to be read"))?;
        self.0.push(Entry {
            from,
            digest,
            table,
        });
        Ok(())
    }

    /// The digests of all rates, each with the month from which it holds.
    pub fn digests(&self) -> impl Iterator<Item = (Month, Digest)> + '_ {
        self.0.iter().map(|entry| (entry.from, entry.digest))
    }
}

/// What a costed field is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Costed {
    /// The sum of all items.
    All,
    /// One item.
    Item(Slug),
}

/// A mapping's `[costing]` by positions.
#[derive(Debug)]
pub struct BoundCosting {
    /// Column of the department, as the closes name it.
    pub department: usize,
    /// Cost items that the stay bears itself: column and unit.
    pub own: Vec<(Slug, usize, SourceUnit)>,
    /// The crosswalk that the department goes through first.
    pub walk: Option<Walk>,
    days: Option<usize>,
    charges: Option<usize>,
    fields: Vec<(usize, Costed)>,
    /// By month from which they hold, the later signed one last.
    tables: Vec<BoundRates>,
}

/// Rates by positions.
#[derive(Debug)]
pub struct BoundRates {
    from: Month,
    /// Which they are.
    pub used: RatesUsed,
    /// By the department's code.
    pub departments: BTreeMap<Box<[u8]>, Rates>,
    /// Position in [`Bound::fields`] of what is spread over: days, or charges.
    pub weight: usize,
    /// Place among the items of each of [`BoundCosting::own`]; `None` where the rates hold all of it.
    pub own: Vec<Option<usize>>,
    /// Number of items.
    pub items: usize,
    /// Field positions with the place of their item; `None` is the sum of all.
    pub fields: Vec<(usize, Option<usize>)>,
}

impl BoundCosting {
    /// The rates that cost a month's stays: of those that hold by then the ones that hold from the latest
    /// month on, and of these the last that were signed for.
    pub fn rates(&self, month: Month) -> Option<&BoundRates> {
        let mut held = self.tables.iter().rev();
        held.find(|rates| rates.from <= month && rates.used.period < month)
    }
}

/// Binds `[costing]` without rates.
pub(super) fn bind(
    mapping: &Mapping,
    fields: &[BoundField],
    columns: Columns<'_>,
) -> Result<Option<BoundCosting>, IngestError> {
    let costed = fields.iter().enumerate();
    let costed: Vec<(usize, Costed)> = costed
        .filter_map(|(place, field)| Some((place, field.costed.clone()?)))
        .collect();
    let Some(costing) = &mapping.costing else {
        if costed.is_empty() {
            return Ok(None);
        }
        return Err(IngestError::rule("costing", "says how fields are costed"));
    };
    if costed.is_empty() {
        return Err(IngestError::rule(
            "costing",
            "goes with a field that is costed",
        ));
    }
    let own = costing.own.iter().map(|(item, of)| {
        if !of.unit.is_money() {
            return Err(IngestError::rule(format!("costing.own.{item}"), "is money"));
        }
        Ok((item.clone(), columns.find(&of.column)?, of.unit))
    });
    Ok(Some(BoundCosting {
        department: columns.find(&costing.department)?,
        own: own.collect::<Result<_, IngestError>>()?,
        walk: None,
        days: weight(
            costing.days.as_deref(),
            ("costing.days", Unit::MilliDay),
            fields,
        )?,
        charges: weight(
            costing.charges.as_deref(),
            ("costing.charges", Unit::Fen),
            fields,
        )?,
        fields: costed,
        tables: Vec::new(),
    }))
}

fn weight(
    name: Option<&str>,
    (place, unit): (&'static str, Unit),
    fields: &[BoundField],
) -> Result<Option<usize>, IngestError> {
    let Some(name) = name else { return Ok(None) };
    let mut of = fields.iter();
    let found =
        of.position(|field| field.name == name && field.costed.is_none() && field.unit == unit);
    match found {
        Some(found) => Ok(Some(found)),
        None => Err(IngestError::rule(
            place,
            "names a mapped field of its kind that is not costed itself",
        )),
    }
}

/// The columns that `[costing]` reads.
pub(super) fn named(costing: &CostingMapping) -> impl Iterator<Item = &str> {
    let own = costing.own.values().map(|of| of.column.as_str());
    own.chain([costing.department.as_str()])
}

impl Bound {
    /// Gives the rates to a mapping that has costed fields. Without rates such a mapping loads nothing.
    pub fn costed_by(mut self, book: &RateBook) -> Result<Self, IngestError> {
        let Some(costing) = &mut self.costing else {
            return Ok(self);
        };
        if book.0.is_empty() {
            return Err(IngestError::NoRates);
        }
        let mut tables = Vec::with_capacity(book.0.len());
        for entry in &book.0 {
            tables.push(bound(costing, entry)?);
        }
        // Stable: of one month the later signed one stays last.
        tables.sort_by_key(|rates| rates.from);
        costing.tables = tables;
        Ok(self)
    }
}

fn bound(costing: &BoundCosting, entry: &Entry) -> Result<BoundRates, IngestError> {
    let table = &entry.table;
    let missing = |what| IngestError::RatesMapping {
        period: table.period,
        method: table.method,
        what,
    };
    let weight = match table.method {
        Method::TopDown => costing
            .days
            .ok_or_else(|| missing("costing.days".to_owned())),
        Method::CostToCharge => {
            let charges = costing.charges;
            charges.ok_or_else(|| missing("costing.charges".to_owned()))
        }
    }?;
    let borne = |item: &Slug| costing.own.iter().any(|(own, ..)| own == item);
    if let Some(item) = table.own.iter().find(|item| !borne(item)) {
        return Err(missing(format!("costing.own.{item}")));
    }
    let own = costing.own.iter().map(|(item, ..)| {
        let spread = !table.own.contains(item);
        if spread { None } else { table.place(item) }
    });
    let mut fields = Vec::with_capacity(costing.fields.len());
    for (place, costed) in &costing.fields {
        let item = match costed {
            Costed::All => None,
            Costed::Item(item) => {
                let known = table.place(item);
                Some(known.ok_or_else(|| missing(format!("no cost item `{item}`")))?)
            }
        };
        fields.push((*place, item));
    }
    Ok(BoundRates {
        from: entry.from,
        used: RatesUsed {
            period: table.period,
            method: table.method,
            digest: entry.digest,
        },
        departments: table
            .departments
            .iter()
            .map(|(id, rates)| (id.as_str().as_bytes().into(), rates.clone()))
            .collect(),
        weight,
        own: own.collect(),
        items: table.items.len(),
        fields,
    })
}
