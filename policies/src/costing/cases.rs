//! What a case cost by three methods, side by side: from the unit's cost down, from what was done up, and
//! by each unit's ratio of cost to charges. None is the truth; each says which it is.

use std::collections::BTreeMap;

use dashu::rational::RBig;
use schemas::id::Slug;
use schemas::money::Fen;
use serde::{Deserialize, Serialize};

use crate::figures::exact::{round, total};
use crate::figures::half_up;

/// A case.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The case group.
    pub group: String,
    /// Bed days, or another weight of the care it took.
    pub weight: u64,
    /// Drugs and consumables charged by the piece, at cost.
    pub direct: Fen,
    /// What was charged, by unit.
    #[serde(default)]
    pub charges: BTreeMap<Slug, Fen>,
    /// How often each service item was done.
    #[serde(default)]
    pub items: BTreeMap<Slug, u64>,
}

/// A unit whose cost is known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Which.
    pub id: Slug,
    /// Its full cost.
    pub cost: Fen,
}

/// A unit's cost for each fen that it charged.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// The unit.
    pub unit: Slug,
    /// All that it charged.
    pub charged: Fen,
    /// Cost / charges, four decimals.
    pub of_charges: String,
}

/// A case group's cost.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupCost {
    /// Cases.
    pub cases: u64,
    /// All of them.
    pub total: Fen,
    /// Of a case, rounded half up.
    pub unit: Fen,
}

/// Why no case has a cost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// More was charged by the piece than the unit cost.
    #[error("drugs and consumables of its cases are more than the unit's cost")]
    Below,
    /// Nothing to share by.
    #[error("no case has days or another weight to share the unit's cost by")]
    NoWeight,
    /// A unit that nobody was charged by.
    #[error("nothing was charged by the unit `{0}`, so its cost has no case")]
    Uncharged(Slug),
    /// A unit whose cost is not known.
    #[error("the cost of the unit `{0}` is not known")]
    Unit(Slug),
    /// A unit twice.
    #[error("the unit `{0}` stands twice")]
    Twice(Slug),
    /// A service item whose cost is not known.
    #[error("the cost of the service item `{0}` is not known")]
    Item(Slug),
    /// A charge below zero.
    #[error(
        "a charge of the unit `{0}` is below zero: pair corrections with what they correct first"
    )]
    Charge(Slug),
    /// Beyond 64 bits of fen.
    #[error("an amount is out of range")]
    OutOfRange,
}

/// Top-down (自上而下法): what the unit cost beyond drugs and consumables is shared by days.
pub fn top_down(unit: Fen, cases: &[Case]) -> Result<Vec<Fen>, CaseError> {
    let direct = total(cases.iter().map(|case| case.direct)).ok_or(CaseError::OutOfRange)?;
    let rest = unit.0.checked_sub(direct.0).ok_or(CaseError::OutOfRange)?;
    if rest < 0 {
        return Err(CaseError::Below);
    }
    let weights: Vec<u64> = cases.iter().map(|case| case.weight).collect();
    if weights.iter().all(|weight| *weight == 0) {
        return Err(CaseError::NoWeight);
    }
    let parts = Fen(rest)
        .split(&weights)
        .map_err(|_| CaseError::OutOfRange)?;
    cases
        .iter()
        .zip(parts)
        .map(|(case, part)| add(case.direct, part))
        .collect()
}

/// Bottom-up (自下而上法): Σ times done · cost of the service item, and drugs and consumables.
pub fn bottom_up(items: &BTreeMap<Slug, Fen>, cases: &[Case]) -> Result<Vec<Fen>, CaseError> {
    let cost = |case: &Case| {
        let mut sum = case.direct;
        for (item, times) in &case.items {
            let unit = items
                .get(item)
                .ok_or_else(|| CaseError::Item(item.clone()))?;
            let part = i64::try_from(*times).ok();
            let part = part.and_then(|times| unit.0.checked_mul(times));
            sum = add(sum, Fen(part.ok_or(CaseError::OutOfRange)?))?;
        }
        Ok(sum)
    };
    cases.iter().map(cost).collect()
}

/// By each unit's ratio of cost to charges (成本收入比法): a unit's cost is shared by what it charged, so
/// that all of it arrives.
pub fn cost_to_charge(units: &[Unit], cases: &[Case]) -> Result<(Vec<Ratio>, Vec<Fen>), CaseError> {
    let mut costs = vec![Fen(0); cases.len()];
    let mut ratios: Vec<Ratio> = Vec::with_capacity(units.len());
    for case in cases {
        let mut charges = case.charges.iter();
        if let Some((unit, _)) = charges.find(|(unit, _)| !units.iter().any(|of| of.id == **unit)) {
            return Err(CaseError::Unit(unit.clone()));
        }
    }
    for unit in units {
        let id = || unit.id.clone();
        if ratios.iter().any(|known| known.unit == unit.id) {
            return Err(CaseError::Twice(id()));
        }
        let charge = |case: &Case| case.charges.get(&unit.id).copied().unwrap_or_default();
        let charged = cases.iter().map(charge);
        let weights: Result<Vec<u64>, _> = charged.map(|fen| u64::try_from(fen.0)).collect();
        let weights = weights.map_err(|_| CaseError::Charge(id()))?;
        let whole = total(cases.iter().map(charge)).ok_or(CaseError::OutOfRange)?;
        if whole == Fen(0) {
            if unit.cost == Fen(0) {
                continue;
            }
            return Err(CaseError::Uncharged(id()));
        }
        let parts = unit
            .cost
            .split(&weights)
            .map_err(|_| CaseError::OutOfRange)?;
        for (cost, part) in costs.iter_mut().zip(parts) {
            *cost = add(*cost, part)?;
        }
        ratios.push(Ratio {
            unit: id(),
            charged: whole,
            of_charges: half_up(&(RBig::from(unit.cost.0) / RBig::from(whole.0)), 4),
        });
    }
    Ok((ratios, costs))
}

/// Costs of cases by case group.
pub fn by_group(cases: &[Case], costs: &[Fen]) -> Result<BTreeMap<String, GroupCost>, CaseError> {
    let mut groups: BTreeMap<String, GroupCost> = BTreeMap::new();
    for (case, cost) in cases.iter().zip(costs) {
        let empty = GroupCost {
            cases: 0,
            total: Fen(0),
            unit: Fen(0),
        };
        let group = groups.entry(case.group.clone()).or_insert(empty);
        group.cases = group.cases.saturating_add(1);
        group.total = add(group.total, *cost)?;
    }
    for group in groups.values_mut() {
        let unit = RBig::from(group.total.0) / RBig::from(group.cases);
        group.unit = round(&unit).ok_or(CaseError::OutOfRange)?;
    }
    Ok(groups)
}

fn add(one: Fen, other: Fen) -> Result<Fen, CaseError> {
    one.checked_add(other).map_err(|_| CaseError::OutOfRange)
}
