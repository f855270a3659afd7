//! Sums over closed cases.

use std::collections::BTreeMap;

use schemas::id::Slug;
use schemas::money::{Fen, half_up};

/// Closed cases together.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Stat {
    pub(super) cases: i128,
    pub(super) cost: i128,
    pub(super) days: i128,
    pub(super) categories: BTreeMap<Slug, i128>,
}

impl Stat {
    /// Adds (`sign` 1) or takes off (−1) one or more cases.
    pub(super) fn add(&mut self, other: &Self, sign: i128) {
        self.cases = self.cases.saturating_add(sign.saturating_mul(other.cases));
        self.cost = self.cost.saturating_add(sign.saturating_mul(other.cost));
        self.days = self.days.saturating_add(sign.saturating_mul(other.days));
        for (category, amount) in &other.categories {
            let held = self.categories.entry(category.clone()).or_default();
            *held = held.saturating_add(sign.saturating_mul(*amount));
        }
    }

    /// Mean cost, rounded half up; none without cases.
    pub(super) fn mean(&self) -> Option<Fen> {
        if self.cases <= 0 {
            return None;
        }
        let mean = half_up(self.cost, self.cases)?;
        Some(Fen(i64::try_from(mean).ok()?))
    }
}
