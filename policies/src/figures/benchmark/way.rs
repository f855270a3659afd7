//! The two ways to a figure, and the pooled round of a report that holds both.

use std::collections::BTreeMap;

use schemas::digest::Digest;
use schemas::id::Slug;
use serde::{Deserialize, Serialize};

use schemas::outcome::Outcome;

use super::types::{Benchmark, Cell, Figure, Inputs, Spent, Totals};

/// How a figure was obtained.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// From each hospital's own noised answer, added up where it is about several.
    Attributed,
    /// From the noised sum over hospitals, of which alone anything became known.
    Pooled,
}

impl Way {
    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attributed => "attributed",
            Self::Pooled => "pooled",
        }
    }
}

/// What a pooled round is, and what its sums are worth.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PooledRound {
    /// The round.
    pub round: Slug,
    /// H(M).
    pub manifest: Digest,
    /// h_U.
    pub survivors: Digest,
    /// The hospitals in every number.
    pub hospitals: Vec<Slug>,
    /// Those that were asked and are not in it.
    pub missing: Vec<Slug>,
    /// Fewer hospitals and there would be no numbers.
    pub least: u32,
    /// Hospitals that may collude.
    pub colluding: u32,
    /// Members of the committee, and how many of them may collude.
    pub committee: [u8; 2],
    /// Whether no single committee member could have falsified the sums.
    pub integrity: bool,
    /// What a patient-year loses if the whole committee colludes, in ρ.
    pub worst: String,
    /// How many times wider the noise of summed attributed answers would be: √(n_min − t), 2
    /// decimals.
    pub gain: String,
}

/// A pooled round beside an attributed one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Beside {
    /// The round.
    pub round: PooledRound,
    /// What it cost; the noise of a block is that of the sum.
    pub spent: Spent,
    /// The question and what it was compiled to; of each hospital in the sum its upload.
    pub inputs: Inputs,
    /// Of each hospital in the sum the answer that its number of stays comes from.
    pub counted: BTreeMap<Slug, Digest>,
}

impl Cell {
    /// All its figures.
    pub(in crate::figures) fn each_mut(&mut self) -> impl Iterator<Item = &mut Outcome<Figure>> {
        let Self {
            stays,
            total_cost,
            mean_cost,
            deviation,
            variation,
            percentiles,
            capped_share,
            above_cap,
            mean_stay,
            mean_score,
            structure,
        } = self;
        let plain = [stays, total_cost, mean_cost, deviation, variation];
        let further = [capped_share, above_cap, mean_stay, mean_score];
        let percentiles = [
            &mut percentiles.p25,
            &mut percentiles.p50,
            &mut percentiles.p75,
            &mut percentiles.p90,
        ];
        let all = plain.into_iter().chain(percentiles).chain(further);
        all.chain(structure)
    }
}

impl Totals {
    fn each_mut(&mut self) -> impl Iterator<Item = &mut Outcome<Figure>> {
        let indices = [&mut self.cost_index, &mut self.time_index];
        let indices = indices.into_iter().flat_map(|index| {
            [
                &mut index.reference,
                &mut index.alliance,
                &mut index.observed_expected,
            ]
        });
        let own = std::iter::once(&mut self.cmi).chain(indices);
        self.all.each_mut().chain(own)
    }
}

impl Benchmark {
    /// Says of every figure, and of everything that was asked for, how it was obtained.
    pub(in crate::figures) fn obtained(&mut self, way: Way) {
        let hospitals = self.hospitals.iter_mut().map(|one| &mut one.totals);
        let totals = std::iter::once(&mut self.total).chain(hospitals);
        let rows = self.splits.iter_mut().flat_map(|split| &mut split.rows);
        let cells =
            rows.flat_map(|row| std::iter::once(&mut row.alliance).chain(&mut row.hospitals));
        let figures = totals
            .flat_map(Totals::each_mut)
            .chain(cells.flat_map(Cell::each_mut));
        for outcome in figures {
            if let Outcome::Value(figure) = outcome {
                figure.way = Some(way);
            }
        }
        let asked = self.splits.iter_mut().flat_map(|split| &mut split.asked);
        for asked in self.asked.iter_mut().chain(asked) {
            asked.way = Some(way);
        }
    }
}
