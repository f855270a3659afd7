//! The released numbers behind one figure: which hospitals, which cells of which table.

use dashu::integer::IBig;
use schemas::answer::Answer;
use schemas::dictionary::{Dictionary, KeySource};
use schemas::id::Slug;
use schemas::question::Measure;

use crate::disclosure::{self, Status};
use crate::figures::noisy::Noisy;
use crate::plan::Layout;
use crate::rules::Display;

/// What all figures are computed from, and the fields they are about.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) layout: &'a Layout,
    pub(super) dictionary: &'a Dictionary,
    pub(super) display: &'a Display,
    /// The cost field that was asked about, if any.
    pub(super) cost: Option<Slug>,
    /// The length of stay that was asked about, if any.
    pub(super) stay: Option<Slug>,
    /// The score that was asked about, if any.
    pub(super) score: Option<Slug>,
}

/// Cells of one table, summed over hospitals.
#[derive(Clone, Debug)]
pub(super) struct Scope<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) who: Vec<&'a Answer>,
    pub(super) table: usize,
    pub(super) cells: Vec<usize>,
    /// A figure across hospitals.
    pub(super) across: bool,
}

/// A plain sum over a scope. Where the question asked it centred it was rebuilt with the number of
/// stays, whose noise is then in both.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Amount {
    /// The sum.
    pub(super) sum: Noisy,
    /// Covariance of its noise with that of the scope's number of stays.
    pub(super) shared: f64,
}

impl Scope<'_> {
    /// The same cells of those hospitals whose source has all these measures. `None` where the
    /// question did not ask for one of them or nobody has them.
    pub(super) fn having(&self, measures: &[Measure]) -> Option<Self> {
        let mut scope = self.clone();
        for measure in measures {
            let block = self.context.layout.find(self.table, measure)?;
            scope
                .who
                .retain(|answer| answer.blocks.get(block).is_some_and(Option::is_some));
        }
        (!scope.who.is_empty()).then_some(scope)
    }

    /// Sums each number of a block, as it was released, over the scope, each cell times its weight; as many as the
    /// block has numbers per cell. Hospitals in the scope all have the block, see [`Self::having`].
    pub(super) fn sums(
        &self,
        measure: &Measure,
        weight: impl Fn(usize) -> u64,
    ) -> Option<Vec<Noisy>> {
        let position = self.context.layout.find(self.table, measure)?;
        let block = self.context.layout.blocks.get(position)?;
        let width = usize::try_from(block.width).ok()?;
        let sigma = block.sigma.as_f64();
        let mut sums = vec![Noisy::zero(); width];
        for answer in &self.who {
            let numbers = answer.blocks.get(position)?.as_ref()?;
            for cell in &self.cells {
                let start = cell.checked_mul(width)?;
                let row = numbers.get(start..start.checked_add(width)?)?;
                for (sum, number) in sums.iter_mut().zip(row) {
                    sum.add(*number, sigma, weight(*cell));
                }
            }
        }
        Some(sums)
    }

    /// What each stay counts less in a block of this table: zero in plain ones.
    pub(super) fn centre(&self, measure: &Measure) -> Option<u32> {
        let position = self.context.layout.find(self.table, measure)?;
        Some(self.context.layout.blocks.get(position)?.centre)
    }

    /// The plain sum of a measure, each cell times its weight: of a centred block the sum + centre ×
    /// the number of stays, exact.
    pub(super) fn plain(&self, measure: &Measure, weight: impl Fn(usize) -> u64) -> Option<Amount> {
        let centre = self.centre(measure)?;
        let mut sum = self.sum(measure, &weight)?;
        if centre == 0 {
            return Some(Amount { sum, shared: 0.0 });
        }
        let stays = self.sum(&Measure::Count, &weight)?;
        let less = f64::from(centre);
        sum.value += stays.value * IBig::from(centre);
        sum.variance += less * less * stays.variance;
        let weights = self.cells.iter().map(|cell| IBig::from(weight(*cell)));
        let weights: f64 = weights.map(|weight| weight.to_f64().value()).sum();
        let mut one = self.clone();
        one.cells.truncate(1);
        let of_cell = one.count()?.variance;
        Some(Amount {
            sum,
            shared: less * weights * of_cell,
        })
    }

    /// The one number per cell of a block, as it was released, summed.
    pub(super) fn sum(&self, measure: &Measure, weight: impl Fn(usize) -> u64) -> Option<Noisy> {
        self.sums(measure, weight)?.into_iter().next()
    }

    /// The number of stays.
    pub(super) fn count(&self) -> Option<Noisy> {
        self.sum(&Measure::Count, |_| 1)
    }

    /// Whether figures of this scope are shown: by its noisy counts alone.
    pub(super) fn status(&self) -> Status {
        let Some(count) = self.count() else {
            return Status::Hidden;
        };
        let display = self.context.display;
        if !self.across {
            return disclosure::status(count.float(), count.sigma(), display);
        }
        let parts: Option<Vec<f64>> = self
            .who
            .iter()
            .map(|answer| {
                let mut own = self.clone();
                own.who = vec![*answer];
                own.count().map(|count| count.float())
            })
            .collect();
        disclosure::status_across(&parts.unwrap_or_default(), count.sigma(), display)
    }

    /// The reference in whose thousandths a cell of this table sums a field.
    pub(super) fn reference(&self, cell: usize, field: &Slug) -> Option<u64> {
        let dictionary = self.context.dictionary;
        let table = self.context.layout.tables.get(self.table)?;
        let kind = dictionary.field(field.as_str())?.reference;
        table.references(kind).get(self.group_of(cell)?).copied()
    }

    /// The greatest mean that the cap leaves a field in these cells, in its stored unit.
    pub(super) fn most(&self, field: &Slug) -> IBig {
        let cells = self.cells.iter();
        let reference = cells.filter_map(|cell| self.reference(*cell, field)).max();
        let cap = IBig::from(self.context.dictionary.cap);
        IBig::from(reference.unwrap_or(0)) * cap
    }

    /// A case group whose stays fall in the cell.
    fn group_of(&self, cell: usize) -> Option<usize> {
        let table = self.context.layout.tables.get(self.table)?;
        let [axis] = table.axes.as_slice() else {
            return table.axes.is_empty().then_some(0);
        };
        match axis.source {
            KeySource::CaseGroup => Some(cell),
            KeySource::Mdc => {
                let mdc = axis.keys.get(cell)?;
                let groups = &self.context.dictionary.groups;
                groups.iter().position(|group| group.mdc == *mdc)
            }
            KeySource::Month
            | KeySource::Exact
            | KeySource::Prefix { .. }
            | KeySource::Bands
            | KeySource::Level { .. } => Some(0),
        }
    }

    /// Sum of a field in thousandths of its stored unit (1/1000 fen, 1/1000 of a milli-day).
    pub(super) fn amount(&self, field: &Slug) -> Option<Amount> {
        let measure = Measure::Sum {
            field: field.clone(),
        };
        self.plain(&measure, |cell| self.reference(cell, field).unwrap_or(0))
    }
}

/// The number of cells in a table.
pub(super) fn cells(layout: &Layout, table: usize) -> usize {
    let cells = layout.tables.get(table).map_or(0, |table| table.cells);
    usize::try_from(cells).unwrap_or(0)
}

/// So many thousandths of a fen are one of the currency.
pub(super) fn per_money() -> IBig {
    IBig::from(100_000_u32)
}
