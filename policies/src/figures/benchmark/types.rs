//! The benchmark as it is written to files: every number a text of declared decimals, every figure
//! an outcome.

use std::collections::BTreeMap;

use schemas::answer::{Grade, Snapshot};
use schemas::dictionary::{Label, Scheme};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::loss::Rho;
use schemas::outcome::Outcome;
use schemas::question::Dataset;
use schemas::time::{Month, Period};
use serde::{Deserialize, Serialize};

use super::asked::Asked;
use super::way::{Beside, Way};
use crate::figures::improve::Method;

/// Two ends, both included.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: String,
    /// Upper end; nothing where it lies above the last edge of the bins.
    pub high: Option<String>,
}

/// A figure with its 95 % intervals, apart: what noise hides about the stays that were asked
/// about, and what chance hides about the hospital behind them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// The figure; for an open percentile a lower bound.
    pub value: String,
    /// The percentile lies above `value`, in the open top bin.
    pub above: bool,
    /// What came out of the noise, where `value` was moved from it to what can be: not below zero,
    /// not above what the cap leaves, and shares that add to one.
    pub noisy: Option<String>,
    /// 95 % noise interval.
    pub noise: Interval,
    /// 95 % sampling interval, where the spread of the stays is known.
    pub sampling: Option<Interval>,
    /// A second value of less error from the same noised numbers, where there is a way to one.
    pub improved: Option<Improved>,
    /// How it was obtained, in a report that holds both ways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
}

/// A more accurate value beside a raw one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Improved {
    /// How it was made, which says what its interval covers.
    pub method: Method,
    /// The value, in the unit of the raw one.
    pub value: String,
    /// Its 95 % interval. By [`Method::EmpiricalBayes`] 95 % hold on average over the cells that
    /// were shrunk together; by the other methods 95 % for each, as the raw noise interval does.
    pub interval: Interval,
}

/// Percentiles: in money where all stays of the cell are of one case group, otherwise in multiples
/// of each stay's own reference.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Percentiles {
    /// 25th.
    pub p25: Outcome<Figure>,
    /// Median.
    pub p50: Outcome<Figure>,
    /// 75th.
    pub p75: Outcome<Figure>,
    /// 90th.
    pub p90: Outcome<Figure>,
}

/// What is known of the stays in one cell.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Cell {
    /// Number of stays.
    pub stays: Outcome<Figure>,
    /// Capped cost of all stays, money.
    pub total_cost: Outcome<Figure>,
    /// Capped mean cost, money.
    pub mean_cost: Outcome<Figure>,
    /// Standard deviation of the capped cost, money.
    pub deviation: Outcome<Figure>,
    /// Coefficient of variation of the capped cost, 4 decimals.
    pub variation: Outcome<Figure>,
    /// Percentiles of the uncapped cost.
    pub percentiles: Percentiles,
    /// Share of stays at or above the cap, 4 decimals.
    pub capped_share: Outcome<Figure>,
    /// What the cap takes off the mean, in multiples of each stay's own reference, 4 decimals: the
    /// stays above the cap at the middle of their bins, those of the open top bin at its edge.
    pub above_cap: Outcome<Figure>,
    /// Mean capped length of stay, days with 2 decimals.
    pub mean_stay: Outcome<Figure>,
    /// Mean score, points with 2 decimals; left out where no score was asked about.
    #[serde(default = "no_data", skip_serializing_if = "is_no_data")]
    pub mean_score: Outcome<Figure>,
    /// Share of each cost item in [`Benchmark::items`] order, 3 decimals: where there are values,
    /// they add to one.
    pub structure: Vec<Outcome<Figure>>,
}

/// An index against each of the two yardsticks, 4 decimals. 1 is the yardstick's mean.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Indices {
    /// Mean of each stay's amount over its own group's reference.
    pub reference: Outcome<Figure>,
    /// Σ kᵢ·nᵢ / Σ nᵢ against the alliance's mean of each case group that is shown.
    pub alliance: Outcome<Figure>,
    /// Ratio of sums over the same groups.
    pub observed_expected: Outcome<Figure>,
}

/// A whole hospital, or the alliance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Totals {
    /// All stays together; percentiles in multiples of the reference.
    pub all: Cell,
    /// Case mix index, 4 decimals.
    pub cmi: Outcome<Figure>,
    /// 费用消耗指数.
    pub cost_index: Indices,
    /// 时间消耗指数.
    pub time_index: Indices,
}

/// Place by cost index against the reference, 1 the lowest, as far as the intervals tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rank {
    /// Best place that the intervals allow.
    pub first: u32,
    /// Last place that the intervals allow.
    pub last: u32,
    /// Hospitals compared.
    pub of: u32,
}

impl Rank {
    /// The place, or nothing where intervals overlap: not separable.
    pub fn place(&self) -> Option<u32> {
        (self.first == self.last).then_some(self.first)
    }
}

/// What an answer was computed on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Data {
    /// Worst grade of its months.
    pub grade: Option<Grade>,
    /// The last month that is in it.
    pub newest: Option<Month>,
    /// Months of the period that are not in it; none of a year that is in it as a whole.
    pub missing: Vec<Month>,
    /// Its months.
    pub snapshots: Vec<Snapshot>,
    /// Digest of the answer.
    pub answer: Digest,
}

/// One hospital of the round.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hospital {
    /// Its name.
    pub id: Slug,
    /// Its data, or why it is missing.
    pub data: Outcome<Data>,
    /// Its figures.
    pub totals: Totals,
    /// Its place by cost index.
    pub rank: Outcome<Rank>,
}

/// One key of a split: a case group or a major diagnostic category.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Row {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Label,
    /// All hospitals that answered.
    pub alliance: Cell,
    /// Each hospital in [`Benchmark::hospitals`] order.
    pub hospitals: Vec<Cell>,
}

/// A table by one dimension.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Split {
    /// The dimension.
    pub dimension: Slug,
    /// Percentiles are money (`true`) or multiples of the reference.
    pub in_money: bool,
    /// What its cells can give.
    pub asked: Vec<Asked>,
    /// Its keys in the dictionary's order.
    pub rows: Vec<Row>,
}

/// A field of the dictionary.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Item {
    /// The field.
    pub id: Slug,
    /// Its name.
    pub label: Label,
}

/// Noise of one block.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BlockNoise {
    /// Dimensions of its table, joined by ` × `; empty for the hospital.
    pub table: String,
    /// Kind of measure and its field.
    pub measure: String,
    /// Its price, in ρ.
    pub rho: String,
    /// Standard deviation of the noise of each number, in the block's unit, 2 decimals.
    pub sigma: String,
}

/// What the answers cost.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Spent {
    /// ρ charged to each patient-year at each hospital that answered.
    pub charge: String,
    /// The most that all questions about one data year may cost, by the alliance's rules.
    pub allowance: String,
    /// Whole billionths of [`Spent::charge`].
    pub charge_nano: Rho,
    /// Most case groups of one patient that count; for a series nothing.
    pub groups: Option<u8>,
    /// Most stays of one patient in a group that count; for a series most months.
    pub stays: u8,
    /// By block.
    pub blocks: Vec<BlockNoise>,
}

/// What the benchmark was computed from (rule CALC-1).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Inputs {
    /// The question.
    pub question: Digest,
    /// The compiled layout.
    pub mechanism: Digest,
    /// The dictionary.
    pub dictionary: Digest,
    /// The privacy rules whose display rule was used.
    pub rules: Digest,
    /// The answers.
    pub answers: BTreeMap<Slug, Digest>,
}

/// The benchmark of one round.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Benchmark {
    /// Form of the file: 1.
    pub version: u32,
    /// What was asked about; left out for stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<Dataset>,
    /// The alliance.
    pub alliance: Slug,
    /// ISO 4217 code.
    pub currency: String,
    /// The grouper.
    pub scheme: Scheme,
    /// The months.
    pub period: Period,
    /// A stay counts up to so many times its group's reference.
    pub cap: u32,
    /// Least noisy count of a shown cell.
    pub threshold: u32,
    /// Least number of such hospitals in a figure across hospitals.
    pub least_hospitals: u32,
    /// What it was computed from.
    pub inputs: Inputs,
    /// What it cost.
    pub spent: Spent,
    /// The field that costs are about.
    pub cost: Option<Item>,
    /// The field that lengths of stay are about.
    pub stay: Option<Item>,
    /// The field that scores are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Item>,
    /// The cost items of the structure.
    pub items: Vec<Item>,
    /// What totals can give.
    pub asked: Vec<Asked>,
    /// The alliance.
    pub total: Totals,
    /// The hospitals, by name.
    pub hospitals: Vec<Hospital>,
    /// The tables by one dimension.
    pub splits: Vec<Split>,
    /// The pooled round whose figures stand among these, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooled: Option<Beside>,
}

impl Percentiles {
    /// From the 25th to the 90th.
    pub fn all(&self) -> [&Outcome<Figure>; 4] {
        [&self.p25, &self.p50, &self.p75, &self.p90]
    }
}

impl Cell {
    /// A cell without any figure.
    pub(super) fn without(outcome: &Outcome<Figure>, items: usize) -> Self {
        let same = || outcome.clone();
        Self {
            stays: same(),
            total_cost: same(),
            mean_cost: same(),
            deviation: same(),
            variation: same(),
            percentiles: Percentiles {
                p25: same(),
                p50: same(),
                p75: same(),
                p90: same(),
            },
            capped_share: same(),
            above_cap: same(),
            mean_stay: same(),
            mean_score: same(),
            structure: std::iter::repeat_n(same(), items).collect(),
        }
    }
}

impl Cell {
    /// This cell, and from `other` what this one has no data for.
    pub(in crate::figures) fn or(self, other: Self) -> Self {
        let percentiles = Percentiles {
            p25: either(self.percentiles.p25, other.percentiles.p25),
            p50: either(self.percentiles.p50, other.percentiles.p50),
            p75: either(self.percentiles.p75, other.percentiles.p75),
            p90: either(self.percentiles.p90, other.percentiles.p90),
        };
        let pairs = self.structure.into_iter().zip(other.structure);
        Self {
            stays: either(self.stays, other.stays),
            total_cost: either(self.total_cost, other.total_cost),
            mean_cost: either(self.mean_cost, other.mean_cost),
            deviation: either(self.deviation, other.deviation),
            variation: either(self.variation, other.variation),
            percentiles,
            capped_share: either(self.capped_share, other.capped_share),
            above_cap: either(self.above_cap, other.above_cap),
            mean_stay: either(self.mean_stay, other.mean_stay),
            mean_score: either(self.mean_score, other.mean_score),
            structure: pairs.map(|(own, other)| either(own, other)).collect(),
        }
    }
}

fn no_data() -> Outcome<Figure> {
    Outcome::NoData
}

fn is_no_data(outcome: &Outcome<Figure>) -> bool {
    *outcome == Outcome::NoData
}

/// The first unless it has no data.
pub(super) fn either(first: Outcome<Figure>, second: Outcome<Figure>) -> Outcome<Figure> {
    if first == Outcome::NoData {
        second
    } else {
        first
    }
}
