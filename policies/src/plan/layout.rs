//! The compiled question.

use schemas::canonical;
use schemas::dictionary::Reference;
use schemas::digest::Digest;
use schemas::loss::Rho;
use schemas::question::{Dataset, Measure};
use schemas::time::Period;
use serde::{Serialize, Serializer};

use super::axes::Axis;

/// Standard deviation of discrete Gaussian noise, in 1024ths of the block's unit. Exact as a
/// binary float, so the sampler draws at exactly this scale.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(transparent)]
pub struct Sigma(pub u64);

impl Sigma {
    /// As a float: exact below 2^53 / 1024.
    pub fn as_f64(self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "compile refuses scales of 2^53 and more"
        )]
        let scaled = self.0 as f64;
        scaled / 1024.0
    }
}

/// Which stays of one patient count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Stays with `group_rank < groups` and `stay_rank < stays` in the data year.
    Year {
        /// K.
        groups: u8,
        /// c.
        stays: u8,
    },
    /// Stays with `series_rank < months`: one a month, `months` a year.
    Series {
        /// M.
        months: u8,
    },
}

/// A table of cells: the product of its axes, last axis fastest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TableLayout {
    /// The axes, in the question's order.
    pub axes: Vec<Axis>,
    /// Number of cells.
    pub cells: u32,
    /// For money and stay measures: by field reference kind (cost, charge, stay), the reference of
    /// the cell in which each case group's stays fall, indexed by case group. It is the largest
    /// reference among the groups that share the cell, so that a scaled value never exceeds
    /// 1000 × cap.
    pub cell_references: [Vec<u64>; 3],
    /// The same of scores; empty, and no part of the digest, where the dataset has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub score_references: Vec<u64>,
}

impl TableLayout {
    /// By case group, the reference of a kind of the cell in which its stays fall.
    pub fn references(&self, kind: Reference) -> &[u64] {
        let [cost, charge, stay] = &self.cell_references;
        match kind {
            Reference::Cost => cost,
            Reference::Charge => charge,
            Reference::Stay => stay,
            Reference::Score => &self.score_references,
        }
    }
}

/// One block of the vector.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BlockLayout {
    /// Index of its table.
    pub table: u32,
    /// What it measures.
    pub measure: Measure,
    /// Numbers per cell: bins of a histogram, items of a structure, otherwise 1.
    pub width: u32,
    /// What each stay's value counts less in a centred sum, or before it is squared, in thousandths
    /// of the reference; 0 in plain blocks. The plain sum is the centred one + centre × the count of
    /// the same cells.
    pub centre: u32,
    /// Square of the L2 sensitivity in the block's unit: how far one patient can move the block.
    #[serde(serialize_with = "as_text")]
    pub l2_squared: u128,
    /// What it costs.
    pub rho: Rho,
    /// Its noise.
    pub sigma: Sigma,
}

/// A compiled question. Everything that decides the answer's distribution is in here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Layout {
    /// Digest of the question.
    pub question: Digest,
    /// What is asked about; part of the question's digest already.
    #[serde(skip)]
    pub dataset: Dataset,
    /// Digest of the dictionary.
    pub dictionary: Digest,
    /// The months asked about.
    pub period: Period,
    /// Which stays of a patient count.
    pub bound: Bound,
    /// Filter over the dictionary's dimensions: allowed key indexes.
    pub filter: Vec<KeySet>,
    /// Tables.
    pub tables: Vec<TableLayout>,
    /// Blocks in order: by table, then by measure.
    pub blocks: Vec<BlockLayout>,
    /// What each data year touched is charged: the blocks together, or M times that for a series.
    pub charge: Rho,
    /// Digest of the series, for one month of a series.
    pub series: Option<Digest>,
}

/// Allowed keys of one dimension.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct KeySet {
    /// The axis with all its keys.
    pub axis: Axis,
    /// For every key of the axis whether it is allowed.
    pub allowed: Vec<bool>,
}

impl Layout {
    /// The mechanism digest: equal for everyone who compiles the same question by the same rules.
    pub fn digest(&self) -> Result<Digest, canonical::Error> {
        canonical::digest("consilium-layout-v1", self)
    }

    /// Numbers in a block.
    pub fn numbers(&self, block: &BlockLayout) -> usize {
        let cells = usize::try_from(block.table)
            .ok()
            .and_then(|table| self.tables.get(table))
            .map_or(0, |table| table.cells);
        usize::try_from(cells)
            .unwrap_or(usize::MAX)
            .saturating_mul(usize::try_from(block.width).unwrap_or(usize::MAX))
    }

    /// The table of a block.
    pub fn table_of(&self, block: &BlockLayout) -> Option<&TableLayout> {
        self.tables.get(usize::try_from(block.table).ok()?)
    }

    /// Position of the block of a table with this measure.
    pub fn find(&self, table: usize, measure: &Measure) -> Option<usize> {
        let is = |b: &BlockLayout| usize::try_from(b.table) == Ok(table) && b.measure == *measure;
        self.blocks.iter().position(is)
    }

    /// Position of the table split by exactly these dimensions.
    pub fn table_by(&self, dimensions: &[&str]) -> Option<usize> {
        self.tables.iter().position(|table| {
            table
                .axes
                .iter()
                .map(|axis| axis.dimension.as_str())
                .eq(dimensions.iter().copied())
        })
    }
}

fn as_text<S: Serializer>(value: &u128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
