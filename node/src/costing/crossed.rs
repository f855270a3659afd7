//! Ledgers whose departments are written in another system's codes: each line goes to the departments of the
//! close through an approved crosswalk, money and weights split by largest remainder so that all arrives.

use std::collections::{BTreeMap, BTreeSet};

use policies::costing::{Direct, Ledgers, Use, Volume};
use schemas::id::Slug;
use schemas::money::Fen;

use super::CostError;
use crate::ingest::crosswalk::Crosswalk;

/// Most codes that an error names.
const NAMED: usize = 20;

/// The ledgers and volumes with the departments of `departments.csv`. A code that the crosswalk does not
/// have in the month stands for itself where that table lists it; all others are refused together.
pub fn crossed(
    ledgers: Ledgers,
    volumes: &[Volume],
    crosswalk: &Crosswalk,
) -> Result<(Ledgers, Vec<Volume>), CostError> {
    let mut desk = Desk {
        known: ledgers
            .departments
            .iter()
            .map(|one| one.id.clone())
            .collect(),
        month: ledgers.month,
        crosswalk,
        missing: BTreeSet::new(),
    };
    let mut direct = Vec::with_capacity(ledgers.direct.len());
    for line in &ledgers.direct {
        for (department, amount) in desk.split(&line.department, line.amount)? {
            direct.push(Direct {
                department,
                item: line.item.clone(),
                amount,
            });
        }
    }
    let mut uses: BTreeMap<_, u64> = BTreeMap::new();
    for line in &ledgers.uses {
        for (source, of) in desk.parts(&line.source, line.weight)? {
            for (target, weight) in desk.parts(&line.target, of)? {
                let sum = uses
                    .entry((source.clone(), target, line.driver))
                    .or_default();
                let more = sum.checked_add(weight);
                *sum = more.ok_or_else(|| range(&line.source))?;
            }
        }
    }
    let volumes = desk.volumes(volumes)?;
    if !desk.missing.is_empty() {
        let named = desk.missing.iter().take(NAMED).map(Slug::to_string);
        return Err(CostError::Unmapped {
            crosswalk: crosswalk.name.clone(),
            count: desk.missing.len(),
            codes: named.collect::<Vec<_>>().join(", "),
        });
    }
    let use_of = |((source, target, driver), weight)| Use {
        source,
        target,
        driver,
        weight,
    };
    let ledgers = Ledgers {
        direct,
        uses: uses.into_iter().map(use_of).collect(),
        ..ledgers
    };
    Ok((ledgers, volumes))
}

struct Desk<'a> {
    known: BTreeSet<Slug>,
    month: schemas::time::Month,
    crosswalk: &'a Crosswalk,
    missing: BTreeSet<Slug>,
}

fn range(code: &Slug) -> CostError {
    policies::costing::LedgerError::OutOfRange(code.clone()).into()
}

impl Desk<'_> {
    /// An amount by departments of the close; nothing for a code that nobody knows.
    fn split(&mut self, code: &Slug, amount: Fen) -> Result<Vec<(Slug, Fen)>, CostError> {
        if self.crosswalk.of(code.as_str(), self.month).is_empty() {
            if self.known.contains(code) {
                return Ok(vec![(code.clone(), amount)]);
            }
            self.missing.insert(code.clone());
            return Ok(Vec::new());
        }
        let parts = self.crosswalk.split(code.as_str(), self.month, amount);
        let parts = parts.ok_or_else(|| range(code))?;
        let named = parts.into_iter().map(|(target, part)| {
            let target = target.parse();
            let target = target.map_err(|_| CostError::Target(self.crosswalk.name.clone()))?;
            Ok((target, part))
        });
        named.collect()
    }

    /// A weight, zero or more, by departments of the close.
    fn parts(&mut self, code: &Slug, weight: u64) -> Result<Vec<(Slug, u64)>, CostError> {
        let whole = i64::try_from(weight).map_err(|_| range(code))?;
        let parts = self.split(code, Fen(whole))?.into_iter();
        Ok(parts
            .map(|(target, part)| (target, part.0.unsigned_abs()))
            .collect())
    }

    /// Volumes by departments of the close, added up.
    fn volumes(&mut self, volumes: &[Volume]) -> Result<Vec<Volume>, CostError> {
        let mut found: BTreeMap<Slug, Volume> = BTreeMap::new();
        for volume in volumes {
            let code = &volume.department;
            let empty = |department: Slug| Volume {
                department,
                days: 0,
                charges: 0,
                own: BTreeMap::new(),
            };
            for (target, days) in self.parts(code, volume.days)? {
                let of = found.entry(target.clone()).or_insert_with(|| empty(target));
                of.days = of.days.checked_add(days).ok_or_else(|| range(code))?;
            }
            for (target, charges) in self.parts(code, volume.charges)? {
                let of = found.entry(target.clone()).or_insert_with(|| empty(target));
                let sum = of.charges.checked_add(charges);
                of.charges = sum.ok_or_else(|| range(code))?;
            }
            for (item, amount) in &volume.own {
                for (target, part) in self.split(code, *amount)? {
                    let of = found.entry(target.clone()).or_insert_with(|| empty(target));
                    let own = of.own.entry(item.clone()).or_default();
                    *own = own.checked_add(part).map_err(|_| range(code))?;
                }
            }
        }
        Ok(found.into_values().collect())
    }
}
