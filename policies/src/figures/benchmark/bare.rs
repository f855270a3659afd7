//! A benchmark without the rows of its splits, which are nearly all of it.

use super::types::{Benchmark, Split};

impl Benchmark {
    /// All of it but the rows of its splits.
    #[must_use]
    pub fn without_rows(&self) -> Self {
        let split = |split: &Split| Split {
            dimension: split.dimension.clone(),
            in_money: split.in_money,
            asked: split.asked.clone(),
            rows: Vec::new(),
        };
        Self {
            version: self.version,
            dataset: self.dataset,
            alliance: self.alliance.clone(),
            currency: self.currency.clone(),
            scheme: self.scheme.clone(),
            period: self.period,
            cap: self.cap,
            threshold: self.threshold,
            least_hospitals: self.least_hospitals,
            inputs: self.inputs.clone(),
            spent: self.spent.clone(),
            cost: self.cost.clone(),
            stay: self.stay.clone(),
            score: self.score.clone(),
            items: self.items.clone(),
            asked: self.asked.clone(),
            total: self.total.clone(),
            hospitals: self.hospitals.clone(),
            splits: self.splits.iter().map(split).collect(),
            pooled: self.pooled.clone(),
        }
    }
}
