//! The step-down (三级四类分摊): shared costs to all, then administration, auxiliaries and technical
//! departments, class by class and item by item (分项结转), to the clinical ones. Each source is split
//! by largest remainder, so that every fen arrives.

use std::collections::BTreeMap;

use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::time;
use serde::{Deserialize, Serialize};

use super::ledger::{Class, CostRules, Department, Driver, LedgerError, Ledgers};

/// What a department handed to another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// 0 shared costs, 1 administration, 2 auxiliaries, 3 technical departments.
    pub level: u8,
    /// From whom; of level 0 the name of the shared cost.
    pub from: Slug,
    /// To whom.
    pub to: Slug,
    /// How much of each cost item, in their order.
    pub amounts: Vec<Fen>,
}

/// A closed month.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// Which.
    pub month: time::Month,
    /// Digest of the rules.
    pub rules: Digest,
    /// Digest of the ledgers.
    pub ledgers: Digest,
    /// The cost items.
    pub items: Vec<Slug>,
    /// Full cost of each clinical department by item; zero is left out.
    pub full: BTreeMap<Slug, BTreeMap<Slug, Fen>>,
    /// All that was handed on, in order.
    pub transfers: Vec<Transfer>,
    /// All costs of the month: direct and shared. The full costs add up to it.
    pub total: Fen,
}

impl Closed {
    /// Full cost of a clinical department, all items; `None` where it has none or it leaves 64 bits.
    pub fn of(&self, department: &Slug) -> Option<Fen> {
        let items = self.full.get(department)?;
        let mut items = items.values();
        items.try_fold(Fen(0), |sum, fen| sum.checked_add(*fen).ok())
    }
}

/// Closes a month.
pub fn close(rules: &CostRules, ledgers: &Ledgers) -> Result<Closed, LedgerError> {
    ledgers.check(rules)?;
    let mut desk = Desk::new(rules, ledgers)?;
    desk.share(ledgers)?;
    let total = desk.total()?;
    let levels = [Class::Administrative, Class::Auxiliary, Class::Technical];
    for (level, class) in (1_u8..).zip(levels) {
        desk.hand_on(rules, level, class)?;
    }
    let mut full = BTreeMap::new();
    for (place, of) in ledgers.departments.iter().enumerate() {
        let items = rules.items.iter().zip(desk.row(place));
        let items: BTreeMap<Slug, Fen> = items
            .filter(|(_, fen)| **fen != Fen(0))
            .map(|(item, fen)| (item.clone(), *fen))
            .collect();
        if of.class == Class::Clinical {
            full.insert(of.id.clone(), items);
        }
    }
    Ok(Closed {
        month: ledgers.month,
        rules: rules.digest().map_err(|_| LedgerError::Canonical)?,
        ledgers: canonical::digest("consilium-cost-ledgers-v1", ledgers)
            .map_err(|_| LedgerError::Canonical)?,
        items: rules.items.clone(),
        full,
        transfers: desk.transfers,
        total,
    })
}

/// What every department holds by item while costs are handed on.
struct Desk<'a> {
    items: &'a [Slug],
    departments: &'a [Department],
    places: BTreeMap<&'a Slug, usize>,
    /// Uses of each source: driver, then target's place and weight.
    uses: BTreeMap<(usize, Driver), Vec<(usize, u64)>>,
    held: Vec<Fen>,
    transfers: Vec<Transfer>,
}

impl<'a> Desk<'a> {
    fn new(rules: &'a CostRules, ledgers: &'a Ledgers) -> Result<Self, LedgerError> {
        let departments = &ledgers.departments;
        let places: BTreeMap<&Slug, usize> =
            departments.iter().map(|one| &one.id).zip(0..).collect();
        let at = |id: &Slug| places.get(id).copied().unwrap_or(usize::MAX);
        let mut uses: BTreeMap<(usize, Driver), Vec<(usize, u64)>> = BTreeMap::new();
        for one in &ledgers.uses {
            let of = uses.entry((at(&one.source), one.driver)).or_default();
            of.push((at(&one.target), one.weight));
        }
        for targets in uses.values_mut() {
            targets.sort_unstable();
        }
        let mut desk = Self {
            items: &rules.items,
            departments,
            places,
            uses,
            held: vec![Fen(0); departments.len().saturating_mul(rules.items.len())],
            transfers: Vec::new(),
        };
        for line in &ledgers.direct {
            let place = desk.places.get(&line.department).copied();
            desk.add(place.unwrap_or(usize::MAX), &line.item, line.amount)?;
        }
        Ok(desk)
    }

    fn row(&self, place: usize) -> &[Fen] {
        let from = place.saturating_mul(self.items.len());
        let to = from.saturating_add(self.items.len());
        self.held.get(from..to).unwrap_or_default()
    }

    fn slot(&mut self, place: usize, item: &Slug) -> Option<&mut Fen> {
        let column = self.items.iter().position(|one| one == item)?;
        let from = place.checked_mul(self.items.len())?;
        self.held.get_mut(from.checked_add(column)?)
    }

    fn add(&mut self, place: usize, item: &Slug, amount: Fen) -> Result<(), LedgerError> {
        let department = self.departments.get(place);
        let id = department.map_or_else(|| item.clone(), |one| one.id.clone());
        let slot = self.slot(place, item);
        let sum = slot.and_then(|slot| {
            *slot = slot.checked_add(amount).ok()?;
            Some(())
        });
        sum.ok_or(LedgerError::OutOfRange(id))
    }

    fn total(&self) -> Result<Fen, LedgerError> {
        let mut all = self.held.iter();
        let sum = all.try_fold(Fen(0), |sum, fen| sum.checked_add(*fen).ok());
        sum.ok_or(LedgerError::Total)
    }

    /// Weights of a department's own facts.
    fn facts(&self, driver: Driver, of: impl Fn(&Department) -> bool) -> Vec<(usize, u64)> {
        let fact = |one: &Department| match driver {
            Driver::Area => one.area,
            _ => one.headcount,
        };
        let all = self.departments.iter().enumerate();
        all.filter(|(_, one)| of(one))
            .map(|(place, one)| (place, fact(one)))
            .collect()
    }

    /// Shared costs to all departments.
    fn share(&mut self, ledgers: &Ledgers) -> Result<(), LedgerError> {
        for line in &ledgers.shared {
            let targets = self.facts(line.driver, |_| true);
            let amounts = self.items.iter();
            let amounts = amounts.map(|item| {
                let own = *item == line.item;
                if own { line.amount } else { Fen(0) }
            });
            let amounts: Vec<Fen> = amounts.collect();
            self.give(0, (&line.name, &amounts), line.driver, &targets)?;
        }
        Ok(())
    }

    /// One class to all below it.
    fn hand_on(&mut self, rules: &CostRules, level: u8, class: Class) -> Result<(), LedgerError> {
        for (place, of) in self.departments.iter().enumerate() {
            if of.class != class || self.row(place).iter().all(|fen| *fen == Fen(0)) {
                continue;
            }
            let driver = rules.driver(of).unwrap_or(Driver::Headcount);
            let targets = match driver {
                Driver::Headcount | Driver::Area => self.facts(driver, |one| one.class > class),
                by => self.uses.get(&(place, by)).cloned().unwrap_or_default(),
            };
            let amounts: Vec<Fen> = self.row(place).to_vec();
            self.give(level, (&of.id, &amounts), driver, &targets)?;
            let items = self.items;
            for item in items {
                if let Some(slot) = self.slot(place, item) {
                    *slot = Fen(0);
                }
            }
        }
        Ok(())
    }

    /// Splits amounts of all items by the same weights.
    fn give(
        &mut self,
        level: u8,
        (from, amounts): (&Slug, &[Fen]),
        driver: Driver,
        targets: &[(usize, u64)],
    ) -> Result<(), LedgerError> {
        if amounts.iter().all(|amount| *amount == Fen(0)) {
            return Ok(());
        }
        if targets.iter().all(|(_, weight)| *weight == 0) {
            return Err(LedgerError::NoDriver(from.clone(), driver));
        }
        let lost = || LedgerError::OutOfRange(from.clone());
        let weights: Vec<u64> = targets.iter().map(|(_, weight)| *weight).collect();
        let mut parts = Vec::with_capacity(amounts.len());
        for amount in amounts {
            // A correction below zero is handed on like a cost, with its sign.
            let size = Fen(amount.0.checked_abs().ok_or_else(lost)?);
            let mut split = size.split(&weights).map_err(|_| lost())?;
            if *amount < Fen(0) {
                for part in &mut split {
                    *part = Fen(-part.0);
                }
            }
            parts.push(split.into_iter());
        }
        for (place, _) in targets {
            let amounts = parts
                .iter_mut()
                .map(|parts| parts.next().unwrap_or_default());
            let amounts: Vec<Fen> = amounts.collect();
            if amounts.iter().all(|part| *part == Fen(0)) {
                continue;
            }
            let to = self.departments.get(*place).ok_or_else(lost)?;
            let start = place.saturating_mul(self.items.len());
            for (slot, part) in self.held.iter_mut().skip(start).zip(&amounts) {
                *slot = slot
                    .checked_add(*part)
                    .map_err(|_| LedgerError::OutOfRange(to.id.clone()))?;
            }
            self.transfers.push(Transfer {
                level,
                from: from.clone(),
                to: to.id.clone(),
                amounts,
            });
        }
        Ok(())
    }
}
