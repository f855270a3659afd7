//! What cases of a group are expected to cost and to last: the hospital's payment standards, else the
//! dictionary's references, and the alliance's published benchmark.

use std::collections::BTreeMap;

use dashu::rational::RBig;
use schemas::dictionary::Dictionary;
use schemas::money::{Fen, half_up};

use crate::figures::Exact;
use crate::figures::benchmark::{Benchmark, Figure};
use crate::figures::exact::round;
use schemas::outcome::Outcome;

/// What is expected of a case of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expected {
    /// The payment standard, above zero.
    pub standard: Fen,
    /// Length of an ordinary stay, in thousandths of a day, above zero.
    pub stay: u64,
    /// The alliance's mean cost, where it was published.
    pub mean: Option<Fen>,
    /// The alliance's mean stay, likewise.
    pub mean_stay: Option<u64>,
}

/// By case group: standards where the hospital names them, else the dictionary's references; the
/// benchmark's means of the alliance where it shows them.
pub fn expected(
    dictionary: &Dictionary,
    standards: &BTreeMap<String, Fen>,
    benchmark: Option<&Benchmark>,
) -> BTreeMap<String, Expected> {
    let mut groups: BTreeMap<String, Expected> = BTreeMap::new();
    let listed = dictionary
        .groups
        .split_last()
        .map_or(&[][..], |(_, all)| all);
    for group in listed {
        let reference = Fen(i64::try_from(group.references.cost).unwrap_or(i64::MAX));
        let standard = standards.get(&group.code).copied().unwrap_or(reference);
        groups.insert(
            group.code.clone(),
            Expected {
                standard,
                stay: group.references.stay.max(1),
                mean: None,
                mean_stay: None,
            },
        );
    }
    let splits = benchmark
        .map(|one| one.splits.as_slice())
        .unwrap_or_default();
    let split = splits
        .iter()
        .find(|one| one.dimension.as_str() == "case_group");
    for row in split.map(|one| one.rows.as_slice()).unwrap_or_default() {
        if let Some(group) = groups.get_mut(&row.code) {
            group.mean = number(&row.alliance.mean_cost, 100).map(Fen);
            let stay = number(&row.alliance.mean_stay, 1000);
            group.mean_stay = stay.and_then(|stay| u64::try_from(stay).ok());
        }
    }
    groups
}

/// A shown figure above zero in parts of one.
fn number(of: &Outcome<Figure>, parts: u32) -> Option<i64> {
    let value: Exact = of.value()?.value.parse().ok()?;
    let fen = round(&(value.0 * RBig::from(parts)))?;
    (fen.0 > 0).then_some(fen.0)
}

impl Expected {
    /// What a case will have cost at discharge: what it has cost, and for the days that an ordinary stay
    /// still has, the cost of an ordinary day, rounded once. `days` are begun days. By the alliance's means
    /// where both are known, else by standard and reference.
    pub fn at_discharge(&self, incurred: Fen, days: u32) -> Option<Fen> {
        let (cost, stay) = match (self.mean, self.mean_stay) {
            (Some(mean), Some(stay)) if stay > 0 => (mean, stay),
            _ => (self.standard, self.stay),
        };
        let left = stay.saturating_sub(u64::from(days).saturating_mul(1000));
        let more = half_up(
            i128::from(cost.0).checked_mul(i128::from(left))?,
            i128::from(stay),
        )?;
        let all = i128::from(incurred.0).checked_add(more)?;
        Some(Fen(i64::try_from(all).ok()?))
    }

    /// Begun days beyond an ordinary stay; none within it.
    pub(super) fn longer(&self, days: u32) -> Option<i64> {
        let stay = self.mean_stay.unwrap_or(self.stay);
        let beyond = u64::from(days).saturating_mul(1000).saturating_sub(stay);
        let days = i64::try_from(beyond.div_ceil(1000)).ok()?;
        (days > 0).then_some(days)
    }
}
