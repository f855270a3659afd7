//! Rates of a closed month: what a day, or a charged fen, of a clinical department cost by cost item. A
//! stay's cost by them depends on the stay and the table alone, so that no patient moves another one's.

use std::collections::{BTreeMap, BTreeSet};

use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::money::{Fen, half_up};
use schemas::time;
use serde::{Deserialize, Serialize};

use super::Closed;

/// How a stay comes by its cost.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// 自上而下法: what a department cost besides the items of its own cases, by days.
    TopDown,
    /// 成本收入比法: the same by what was charged besides those items.
    CostToCharge,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::TopDown, Self::CostToCharge];

    /// The tag that a cost is shown with.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TopDown => "top-down",
            Self::CostToCharge => "cost-to-charge",
        }
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|one| one.as_str() == text);
        found.ok_or_else(|| "a method is top-down or cost-to-charge".to_owned())
    }
}

/// What a clinical department did in the month.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// Which.
    pub department: Slug,
    /// Days of its cases; a begun day counts.
    pub days: u64,
    /// All that its cases were charged, in fen.
    pub charges: u64,
    /// Of the cost items that its cases bear themselves (drugs, consumables): how much, at cost.
    pub own: BTreeMap<Slug, Fen>,
}

/// Rates of a department.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// What the amounts are spread over: days, or charged fen. Above zero.
    pub over: u64,
    /// By cost item, in the table's order: what is spread. Zero or more.
    pub spread: Vec<Fen>,
}

/// The rates of a closed month by one method.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateTable {
    /// The month whose costs these are.
    pub period: time::Month,
    /// By which method.
    pub method: Method,
    /// Digest of the close that they follow from.
    pub closed: Digest,
    /// The cost items.
    pub items: Vec<Slug>,
    /// Of these the ones that a case bears itself.
    pub own: BTreeSet<Slug>,
    /// Departments that had days, or charges.
    pub departments: BTreeMap<Slug, Rates>,
}

/// Why there are no rates. Names departments and items, never amounts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// A department that is not clinical.
    #[error("volumes: `{0}` is no clinical department of the month")]
    Department(Slug),
    /// A department twice.
    #[error("volumes: `{0}` stands twice")]
    Twice(Slug),
    /// A cost item that the rules do not have.
    #[error("volumes: the rules have no cost item `{0}`")]
    Item(Slug),
    /// The cases bear more of an item than the department cost, or less than nothing.
    #[error("volumes: what the cases of `{0}` bear of `{1}` is below zero or above its full cost")]
    Beyond(Slug, Slug),
    /// The charges are less than what the cases bear themselves.
    #[error("volumes: the charges of `{0}` are less than what its cases bear themselves")]
    Charges(Slug),
    /// No department has what the method spreads over.
    #[error("volumes: no clinical department has what {0} spreads over")]
    Nothing(Method),
    /// Beyond 64 bits.
    #[error("volumes: an amount of `{0}` is out of range")]
    OutOfRange(Slug),
    /// No canonical bytes.
    #[error("the rates cannot be written canonically")]
    Canonical,
}

impl RateTable {
    /// The digest that officers sign.
    pub fn digest(&self) -> Result<Digest, canonical::Error> {
        canonical::digest("consilium-rate-table-v1", self)
    }

    /// The place of a cost item.
    pub fn place(&self, item: &Slug) -> Option<usize> {
        self.items.iter().position(|one| one == item)
    }
}

impl Rates {
    /// What a case costs by item: its own amounts (in the table's order), and of what is spread the part of
    /// `weight` / `scale` (days or charged fen), rounded half up. `None` beyond 64 bits.
    pub fn cost(&self, own: &[Fen], (weight, scale): (u64, u64), to: &mut Vec<Fen>) -> Option<()> {
        to.clear();
        let below = i128::from(self.over).checked_mul(i128::from(scale))?;
        for (place, spread) in self.spread.iter().enumerate() {
            let above = i128::from(spread.0).checked_mul(i128::from(weight))?;
            let part = i64::try_from(half_up(above, below)?).ok()?;
            let own = own.get(place).copied().unwrap_or_default();
            to.push(own.checked_add(Fen(part)).ok()?);
        }
        Some(())
    }
}

/// The rates of a closed month. Departments without a line, or without days or charges, have none.
pub fn rates(closed: &Closed, method: Method, volumes: &[Volume]) -> Result<RateTable, RateError> {
    let own: BTreeSet<Slug> = volumes
        .iter()
        .flat_map(|volume| volume.own.keys().cloned())
        .collect();
    if let Some(item) = own.iter().find(|item| !closed.items.contains(item)) {
        return Err(RateError::Item(item.clone()));
    }
    let mut seen = BTreeSet::new();
    let mut departments = BTreeMap::new();
    for volume in volumes {
        let id = &volume.department;
        let full = closed.full.get(id);
        let full = full.ok_or_else(|| RateError::Department(id.clone()))?;
        if !seen.insert(id) {
            return Err(RateError::Twice(id.clone()));
        }
        let over = over(method, volume)?;
        if over == 0 {
            continue;
        }
        let mut spread = Vec::with_capacity(closed.items.len());
        for item in &closed.items {
            let whole = full.get(item).copied().unwrap_or_default();
            let borne = volume.own.get(item).copied().unwrap_or_default();
            let beyond = || RateError::Beyond(id.clone(), item.clone());
            let rest = whole.0.checked_sub(borne.0).ok_or_else(beyond)?;
            if borne.0 < 0 || rest < 0 {
                return Err(beyond());
            }
            spread.push(Fen(rest));
        }
        departments.insert(id.clone(), Rates { over, spread });
    }
    if departments.is_empty() {
        return Err(RateError::Nothing(method));
    }
    Ok(RateTable {
        period: closed.month,
        method,
        closed: canonical::digest("consilium-cost-month-v1", closed)
            .map_err(|_| RateError::Canonical)?,
        items: closed.items.clone(),
        own,
        departments,
    })
}

fn over(method: Method, volume: &Volume) -> Result<u64, RateError> {
    let id = || volume.department.clone();
    match method {
        Method::TopDown => Ok(volume.days),
        Method::CostToCharge if volume.charges == 0 => Ok(0),
        Method::CostToCharge => {
            let mut own = volume.own.values().map(|fen| u64::try_from(fen.0));
            let own = own.try_fold(0_u64, |sum, fen| sum.checked_add(fen.ok()?));
            let own = own.ok_or_else(|| RateError::OutOfRange(id()))?;
            let rest = volume.charges.checked_sub(own);
            rest.ok_or_else(|| RateError::Charges(id()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::costing::{Class, CostRules, DEFAULT, Department, Direct, Ledgers, close};

    fn slug(text: &str) -> Slug {
        text.parse().unwrap()
    }

    fn closed() -> Closed {
        let ward = Department {
            id: slug("ward"),
            class: Class::Clinical,
            headcount: 0,
            area: 0,
        };
        let line = |item: &str, fen| Direct {
            department: slug("ward"),
            item: slug(item),
            amount: Fen(fen),
        };
        let ledgers = Ledgers {
            month: "2025-12".parse().unwrap(),
            departments: vec![ward],
            direct: vec![line("personnel", 1_000), line("drugs", 700)],
            shared: Vec::new(),
            uses: Vec::new(),
        };
        close(&CostRules::parse(DEFAULT).unwrap(), &ledgers).unwrap()
    }

    fn volume(days: u64, charges: u64, drugs: i64) -> Volume {
        Volume {
            department: slug("ward"),
            days,
            charges,
            own: BTreeMap::from([(slug("drugs"), Fen(drugs))]),
        }
    }

    /// By hand: 1,000 fen of staff over 7 days; 200 of drugs left over 7 days, 500 are the cases' own.
    #[test]
    fn a_case_costs_its_own_items_and_its_part_of_the_rest() {
        let table = rates(&closed(), Method::TopDown, &[volume(7, 0, 500)]).unwrap();
        let ward = &table.departments[&slug("ward")];
        let mut own = vec![Fen(0); table.items.len()];
        own[table.place(&slug("drugs")).unwrap()] = Fen(33);
        let mut cost = Vec::new();
        // 2.5 days in thousandths: 1000 · 2.5 / 7 = 357.14…, 200 · 2.5 / 7 = 71.43.
        ward.cost(&own, (2_500, 1_000), &mut cost).unwrap();
        let at = |item: &str| cost[table.place(&slug(item)).unwrap()];
        assert_eq!((at("personnel"), at("drugs")), (Fen(357), Fen(33 + 71)));
        assert_eq!(cost.iter().map(|fen| fen.0).sum::<i64>(), 357 + 104);
        let table = rates(&closed(), Method::CostToCharge, &[volume(7, 2_500, 500)]).unwrap();
        assert_eq!(table.departments[&slug("ward")].over, 2_000);
    }

    #[test]
    fn what_does_not_fit_the_close_is_refused() {
        let of = |method, volumes: &[Volume]| rates(&closed(), method, volumes).unwrap_err();
        let item = slug("drugs");
        let ward = slug("ward");
        assert_eq!(
            of(Method::TopDown, &[volume(7, 0, 701)]),
            RateError::Beyond(ward.clone(), item.clone())
        );
        assert_eq!(
            of(Method::TopDown, &[volume(7, 0, -1)]),
            RateError::Beyond(ward.clone(), item)
        );
        assert_eq!(
            of(Method::TopDown, &[volume(0, 9, 1)]),
            RateError::Nothing(Method::TopDown)
        );
        assert_eq!(
            of(Method::CostToCharge, &[volume(7, 3, 500)]),
            RateError::Charges(ward.clone())
        );
        let twice = [volume(7, 0, 5), volume(7, 0, 5)];
        assert_eq!(of(Method::TopDown, &twice), RateError::Twice(ward));
        let mut other = volume(7, 0, 5);
        other.department = slug("theatre");
        assert_eq!(
            of(Method::TopDown, &[other]),
            RateError::Department(slug("theatre"))
        );
        let mut other = volume(7, 0, 5);
        other.own.insert(slug("rent"), Fen(1));
        assert_eq!(of(Method::TopDown, &[other]), RateError::Item(slug("rent")));
    }
}
