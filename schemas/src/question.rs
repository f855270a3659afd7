//! A question: a closed, typed value. No SQL, no code, no text that is evaluated; whatever is
//! unknown is refused when it is read (rule ASK-1).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::dataset::Dataset;

use crate::canonical;
use crate::digest::Digest;
use crate::id::Slug;
use crate::loss::{NotALoss, Rho};
use crate::time::Period;

/// How the answer leaves the hospital.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Release {
    /// One hospital's noised answer, signed by its node.
    Attributed,
    /// Secure aggregation over several hospitals.
    Pooled,
}

/// The class of use, which decides the quota that pays.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Cost benchmarks.
    Benchmark,
    /// Budget and bonus.
    Budget,
    /// The insurer's audit.
    Audit,
    /// Free questions.
    Free,
}

/// Allowed keys by dimension: a stay counts when each named dimension holds one of its keys.
pub type Filter = BTreeMap<Slug, Vec<String>>;

/// A whole-number measure of the stays in a cell. Means, variances, shares, ratios and percentiles
/// are computed from these after noise.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Measure {
    /// Number of stays.
    Count,
    /// Number of stays that also pass a filter (the numerator of a share).
    CountWhere {
        /// The further filter.
        filter: Filter,
    },
    /// Sum of the clamped field in thousandths of the cell's reference.
    Sum {
        /// The field.
        field: Slug,
    },
    /// Sum of the clamped field in thousandths of each stay's own group reference: divided by
    /// the count, an index against the reference.
    Relative {
        /// The field.
        field: Slug,
    },
    /// Sum of the squares of [`Measure::Sum`]'s summands.
    Squares {
        /// The field.
        field: Slug,
    },
    /// Number of stays by bin of the unclamped field, in units of the group's reference.
    Histogram {
        /// The field.
        field: Slug,
    },
    /// The items of the field, each scaled to the clamped total.
    Structure {
        /// The whole field.
        field: Slug,
    },
}

/// A measure and what it may cost.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// What is measured.
    pub measure: Measure,
    /// Privacy loss of this block, above zero.
    pub rho: Rho,
}

/// One table of cells: the product of the dimensions' keys, for each block.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Dimensions, sorted by name, at most four. None: one cell for the hospital.
    pub by: Vec<Slug>,
    /// Blocks, sorted by measure, each measure once.
    pub blocks: Vec<Block>,
}

/// How much one patient may weigh in a data year.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// K: at most so many case groups of one patient count, 1 to 50.
    pub groups: u8,
    /// c: at most so many stays of one patient in one group count, 1 to 50.
    pub stays: u8,
}

/// A year's months asked for one reserved charge: of each patient at most one stay a month and at
/// most `months` months a year count, so the series costs `months` times one month.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// M, 1 to 12.
    pub months: u8,
}

/// A question. Its digest says what is asked and what it may cost, not who asks, why or when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What is asked about.
    pub dataset: Dataset,
    /// The dictionary that gives every name its meaning.
    pub dictionary: Digest,
    /// The alliance's rule version (digest of its floors) under which it was compiled.
    pub rules: Digest,
    /// The months asked about.
    pub period: Period,
    /// Which stays count.
    pub filter: Filter,
    /// The tables, at most eight.
    pub tables: Vec<Table>,
    /// How much one patient may weigh. Ignored where `series` stands, which is stricter.
    pub bounds: Bounds,
    /// Set for one month of a series.
    pub series: Option<Series>,
    /// How the answer leaves.
    pub release: Release,
    /// Whether sums and squares beside a count of the same cells are of each stay's value less half
    /// the cap: half the noise at the same price, and with the count the plain sum follows. Against
    /// whoever knows that a patient is in the data such a sum protects the value half as well, so
    /// that free questions ask plain ones.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub centred: bool,
}

impl Table {
    /// Whether sums of this table can be centred: where the same cells are counted.
    pub fn can_centre(&self) -> bool {
        let has = |fits: fn(&Measure) -> bool| self.blocks.iter().any(|b| fits(&b.measure));
        has(|measure| *measure == Measure::Count)
            && has(|measure| matches!(measure, Measure::Sum { .. } | Measure::Relative { .. }))
    }
}

impl Question {
    /// Domain tag of a question's digest.
    pub const TAG: &'static str = "consilium-question-v1";

    /// The digest of what is asked.
    pub fn digest(&self) -> Result<Digest, canonical::Error> {
        canonical::digest(Self::TAG, self)
    }

    /// For one month of a series: the digest of the series in its data year, equal for all its
    /// months.
    pub fn series_digest(&self) -> Result<Digest, canonical::Error> {
        let mut year = self.clone();
        year.period.from =
            crate::time::Month::new(self.period.from.year().0, 1).unwrap_or(self.period.from);
        year.period.to = year.period.from;
        canonical::digest("consilium-series-v1", &year)
    }

    /// The loss of all blocks together: what one answer costs outside a series.
    pub fn rho(&self) -> Result<Rho, NotALoss> {
        let blocks = self.tables.iter().flat_map(|table| &table.blocks);
        Rho::sum(blocks.map(|block| block.rho))
    }

    /// Puts names, keys and blocks into their one order, so that every spelling of a question has
    /// one digest. Doubled keys and dimensions fall together; doubled blocks are left for the plan
    /// to refuse.
    #[must_use]
    pub fn canonical(mut self) -> Self {
        sort_filter(&mut self.filter);
        for table in &mut self.tables {
            table.by.sort();
            table.by.dedup();
            for block in &mut table.blocks {
                if let Measure::CountWhere { filter } = &mut block.measure {
                    sort_filter(filter);
                }
            }
            table.blocks.sort_by(|a, b| a.measure.cmp(&b.measure));
        }
        self.tables.sort_by(|a, b| a.by.cmp(&b.by));
        // Where nothing can be centred the word changes nothing.
        self.centred &= self.tables.iter().any(Table::can_centre);
        self
    }
}

fn sort_filter(filter: &mut Filter) {
    for keys in filter.values_mut() {
        keys.sort();
        keys.dedup();
    }
}
