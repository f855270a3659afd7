//! A month's ledgers as the step-down takes them, and its rules.

use std::collections::{BTreeMap, BTreeSet};

use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::time;
use serde::{Deserialize, Serialize};

use crate::figures::settings::{Faults, RulesError, distinct, read};

/// The rules as shipped.
pub const DEFAULT: &str = include_str!("../../rules/costing.toml");

/// Most departments of a hospital.
const DEPARTMENTS: usize = 5_000;
/// Most lines of a ledger of a month.
const LINES: usize = 2_000_000;

/// A department's class (科室类别). Costs flow down this list, never up, never within a class.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// 行政后勤类.
    Administrative,
    /// 医疗辅助类.
    Auxiliary,
    /// 医疗技术类.
    Technical,
    /// 临床服务类.
    Clinical,
}

/// By what a department's cost is handed on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Driver {
    /// Persons who work there.
    Headcount,
    /// Floor in square decimetres.
    Area,
    /// What it did for others (packs, settlements, machine hours).
    Workload,
    /// What others earned by it, in fen.
    Income,
}

/// A department.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Department {
    /// Its code.
    pub id: Slug,
    /// Its class.
    pub class: Class,
    /// Persons, in thousandths of a full one.
    #[serde(default)]
    pub headcount: u64,
    /// Floor in square decimetres.
    #[serde(default)]
    pub area: u64,
}

/// What a department itself cost.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Direct {
    /// Which.
    pub department: Slug,
    /// Cost item.
    pub item: Slug,
    /// How much; below zero for a correction.
    pub amount: Fen,
}

/// A cost of the whole house (公摊费用), handed to all departments before anything else.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shared {
    /// What it is.
    pub name: Slug,
    /// Cost item.
    pub item: Slug,
    /// How much.
    pub amount: Fen,
    /// By headcount or area.
    pub driver: Driver,
}

/// What one department did for another, or earned by its orders.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// Who did it.
    pub source: Slug,
    /// For whom.
    pub target: Slug,
    /// Workload or income.
    pub driver: Driver,
    /// How much of it.
    pub weight: u64,
}

/// All ledgers of a month.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledgers {
    /// Which.
    pub month: time::Month,
    /// The departments, each once. Their order decides who gets a last fen.
    pub departments: Vec<Department>,
    /// What they cost themselves.
    pub direct: Vec<Direct>,
    /// Costs of the whole house.
    #[serde(default)]
    pub shared: Vec<Shared>,
    /// What was done for others.
    #[serde(default)]
    pub uses: Vec<Use>,
}

/// How costs are handed on (`rules/costing.toml`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostRules {
    /// Rises with each change.
    pub version: u32,
    /// The first month that they hold for.
    pub effective: time::Month,
    /// The cost items.
    pub items: Vec<Slug>,
    /// The driver of each class that hands on.
    pub drivers: BTreeMap<Class, Driver>,
    /// Departments with another driver than their class's.
    #[serde(default)]
    pub departments: BTreeMap<Slug, Driver>,
}

/// Why a month is not closed. Names departments and items, never amounts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The rules hold from a later month on.
    #[error("the rules hold from {0} on")]
    Effective(time::Month),
    /// No clinical department.
    #[error("a month needs a clinical department: nothing could bear what the others cost")]
    NoClinical,
    /// Too large.
    #[error("a month has at most {DEPARTMENTS} departments and {LINES} lines a ledger")]
    TooLarge,
    /// A department twice.
    #[error("department `{0}` stands twice")]
    Twice(Slug),
    /// A department that the month does not have.
    #[error("department `{0}` is not in the month's list")]
    Unknown(Slug),
    /// A cost item that the rules do not have.
    #[error("the rules have no cost item `{0}`")]
    Item(Slug),
    /// A driver that says nothing here.
    #[error("`{0}` is shared by headcount or area")]
    Shared(Slug),
    /// A use that goes up, or within a class.
    #[error("`{0}` hands nothing to `{1}`: costs flow from class to class, downwards")]
    Upwards(Slug, Slug),
    /// A use by a driver that is a department's own.
    #[error("use of `{0}` is workload or income")]
    Use(Slug),
    /// The same use twice.
    #[error("the use of `{0}` by `{1}` stands twice")]
    UseTwice(Slug, Slug),
    /// Nothing to hand on by.
    #[error(
        "`{0}` has costs but nothing to hand them on by ({1:?}): give its uses, or another driver"
    )]
    NoDriver(Slug, Driver),
    /// Beyond 64 bits of fen.
    #[error("an amount of `{0}` is out of range")]
    OutOfRange(Slug),
    /// All costs together beyond 64 bits of fen.
    #[error("the costs of the month are out of range")]
    Total,
    /// No canonical bytes.
    #[error("the ledgers cannot be written canonically")]
    Canonical,
}

impl CostRules {
    /// Reads and checks rules.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        read(text, Self::check)
    }

    /// Digest of the rules, as a closed month cites it.
    pub fn digest(&self) -> Result<Digest, canonical::Error> {
        canonical::digest("consilium-costing-rules-v1", self)
    }

    fn check(&self, faults: &mut Faults) {
        let items = !self.items.is_empty() && self.items.len() <= 64;
        faults.check(items, "`items` has 1 to 64 cost items");
        faults.check(distinct(self.items.iter()), "a cost item stands twice");
        for class in [Class::Administrative, Class::Auxiliary, Class::Technical] {
            let known = self.drivers.contains_key(&class);
            faults.check(known, &format!("`drivers` has one for {class:?}"));
        }
        let clinical = self.drivers.contains_key(&Class::Clinical);
        faults.check(!clinical, "clinical departments hand on nothing");
    }

    /// By what a department hands on.
    pub(super) fn driver(&self, of: &Department) -> Option<Driver> {
        let own = self.departments.get(&of.id);
        own.or_else(|| self.drivers.get(&of.class)).copied()
    }
}

impl Ledgers {
    /// What has to hold before anything is handed on.
    pub(super) fn check(&self, rules: &CostRules) -> Result<(), LedgerError> {
        if rules.effective > self.month {
            return Err(LedgerError::Effective(rules.effective));
        }
        let lines = [self.direct.len(), self.shared.len(), self.uses.len()];
        if self.departments.len() > DEPARTMENTS || lines.iter().any(|lines| *lines > LINES) {
            return Err(LedgerError::TooLarge);
        }
        let mut known = BTreeMap::new();
        for one in &self.departments {
            if known.insert(&one.id, one.class).is_some() {
                return Err(LedgerError::Twice(one.id.clone()));
            }
        }
        if !known.values().any(|class| *class == Class::Clinical) {
            return Err(LedgerError::NoClinical);
        }
        let of = |id: &Slug| {
            known
                .get(id)
                .ok_or_else(|| LedgerError::Unknown(id.clone()))
        };
        let items: BTreeSet<&Slug> = rules.items.iter().collect();
        for line in &self.direct {
            of(&line.department)?;
            if !items.contains(&line.item) {
                return Err(LedgerError::Item(line.item.clone()));
            }
        }
        for line in &self.shared {
            if !items.contains(&line.item) {
                return Err(LedgerError::Item(line.item.clone()));
            }
            if !matches!(line.driver, Driver::Headcount | Driver::Area) {
                return Err(LedgerError::Shared(line.name.clone()));
            }
        }
        let mut uses = BTreeSet::new();
        for one in &self.uses {
            let (source, target) = (&one.source, &one.target);
            if of(source)? >= of(target)? {
                return Err(LedgerError::Upwards(source.clone(), target.clone()));
            }
            if !matches!(one.driver, Driver::Workload | Driver::Income) {
                return Err(LedgerError::Use(source.clone()));
            }
            if !uses.insert((source, target, one.driver)) {
                return Err(LedgerError::UseTwice(source.clone(), target.clone()));
            }
        }
        Ok(())
    }
}
