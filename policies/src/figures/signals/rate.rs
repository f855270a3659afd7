//! One hospital's rate in one cell, from its noised numbers, with the variance of noise and chance.

use schemas::answer::Answer;
use schemas::dictionary::{KeySource, Reference};
use schemas::id::Slug;
use schemas::question::Measure;

use super::Source;
use crate::figures::interval::Estimate;
use crate::figures::noisy::Noisy;
use crate::plan::Bound;

/// The cell of the table without dimensions.
pub(super) const WHOLE: Cell = Cell {
    category: false,
    place: 0,
};

/// What is counted, over all stays of the cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    ShortStays,
    Readmissions,
    Severity,
    Deaths,
    Outliers,
    Costs,
}

impl What {
    /// The dimension whose keys the question counts; which keys, the template says.
    fn dimension(self) -> Option<&'static str> {
        match self {
            Self::ShortStays => Some("stay_band"),
            Self::Readmissions => Some("readmission"),
            Self::Severity => Some("severity"),
            Self::Deaths => Some("disposition"),
            Self::Outliers | Self::Costs => None,
        }
    }
}

/// A cell of the whole hospital, or of a table by major diagnostic category.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Cell {
    category: bool,
    place: usize,
}

/// A rate and the variance of its noise and chance.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Rate {
    pub(super) value: f64,
    pub(super) variance: f64,
}

impl Rate {
    /// The change since an earlier one. Patients in both periods make the true variance smaller.
    pub(super) fn since(&self, before: &Self) -> Self {
        Self {
            value: self.value - before.value,
            variance: self.variance + before.variance,
        }
    }

    /// The same with the other sign.
    pub(super) fn turned(&self) -> Self {
        Self {
            value: -self.value,
            variance: self.variance,
        }
    }
}

/// The cells in which the question counts something, with the category's code.
pub(super) fn cells<'a>(source: &Source<'a>, what: What) -> Vec<(Cell, Option<&'a str>)> {
    let mut cells = Vec::new();
    for (position, table) in source.layout.tables.iter().enumerate() {
        let asked = find(source, position, what).is_some();
        match table.axes.as_slice() {
            [] if asked => cells.push((WHOLE, None)),
            [axis] if asked && axis.source == KeySource::Mdc => {
                for (place, key) in axis.keys.iter().enumerate() {
                    let cell = Cell {
                        category: true,
                        place,
                    };
                    cells.push((cell, Some(key.as_str())));
                }
            }
            _ => {}
        }
    }
    cells
}

/// The block that counts it in a table.
fn find(source: &Source<'_>, table: usize, what: What) -> Option<usize> {
    let fits = |measure: &Measure| match (what, measure) {
        (What::Outliers, Measure::Histogram { field })
        | (What::Costs, Measure::Relative { field }) => {
            let field = source.dictionary.field(field.as_str());
            field.is_some_and(|field| field.reference == Reference::Cost && field.part_of.is_none())
        }
        (_, Measure::CountWhere { filter }) => {
            let mut names = filter.keys().map(Slug::as_str);
            what.dimension().is_some() && names.next() == what.dimension() && names.next().is_none()
        }
        _ => false,
    };
    let blocks = source.layout.blocks.iter();
    let mut found = blocks
        .enumerate()
        .filter(|(_, block)| usize::try_from(block.table) == Ok(table) && fits(&block.measure));
    found.next().map(|(position, _)| position)
}

/// The sum of some numbers of a block in a cell.
fn number(
    source: &Source<'_>,
    answer: &Answer,
    block: usize,
    cell: usize,
    which: impl Fn(usize) -> bool,
) -> Option<Estimate> {
    let layout = source.layout.blocks.get(block)?;
    let width = usize::try_from(layout.width).ok()?;
    let numbers = answer.blocks.get(block)?.as_ref()?;
    let start = cell.checked_mul(width)?;
    let row = numbers.get(start..start.checked_add(width)?)?;
    let sigma = layout.sigma.as_f64();
    let mut sum = Noisy::zero();
    for (_, one) in row.iter().enumerate().filter(|(place, _)| which(*place)) {
        sum.add(*one, sigma, 1);
    }
    Some(Estimate {
        value: sum.float(),
        variance: sum.variance,
    })
}

/// The rate of a hospital. `None` where it did not answer, its source lacks the column, its noised
/// number of stays is below the insurer's threshold, or noise exceeds the number of stays.
pub(super) fn rate(
    source: &Source<'_>,
    hospital: &Slug,
    what: What,
    cell: Cell,
    threshold: u32,
) -> Option<Rate> {
    let answer = source.replies.iter().find(|(id, _)| id == hospital)?;
    let answer = answer.1.as_ref().ok()?;
    let tables = &source.layout.tables;
    let table = tables
        .iter()
        .position(|table| match table.axes.as_slice() {
            [] => !cell.category,
            [axis] => cell.category && axis.source == KeySource::Mdc,
            _ => false,
        })?;
    let count = source.layout.find(table, &Measure::Count)?;
    let stays = number(source, answer, count, cell.place, |_| true)?;
    if stays.value < f64::from(threshold) || stays.value * stays.value < 16.0 * stays.variance {
        return None;
    }
    let cap = f64::from(source.dictionary.cap);
    let edges = &source.dictionary.bin_edges;
    let over = |bin: usize| {
        edges
            .get(bin)
            .is_some_and(|edge| f64::from(*edge) >= cap * 1000.0)
    };
    let block = find(source, table, what)?;
    let less = f64::from(source.layout.blocks.get(block)?.centre) / 1000.0;
    let (unit, chance) = match what {
        What::Outliers => (number(source, answer, block, cell.place, over)?, None),
        What::Costs => {
            let sum = number(source, answer, block, cell.place, |_| true)?;
            let thousandth = Estimate {
                value: sum.value / 1000.0,
                variance: sum.variance / 1_000_000.0,
            };
            // Popoviciu: a value from 0 to the cap has a variance of at most cap² / 4.
            (thousandth, Some(cap * cap / 4.0))
        }
        _ => (number(source, answer, block, cell.place, |_| true)?, None),
    };
    let n = stays.value;
    // A centred sum is rebuilt with the number of stays, whose noise then weighs by how far the rate
    // lies from the centre.
    let off = unit.value / n;
    let value = less + off;
    let share = value.clamp(0.0, 1.0);
    // At least that of one stay in the cell, so that a rate of none is not taken for certain.
    let chance = chance.unwrap_or_else(|| (share * (1.0 - share)).max(1.0 / n));
    // Stays of one patient go together: at most so many count.
    let together = match source.layout.bound {
        Bound::Year { groups, stays } => f64::from(groups) * f64::from(stays),
        Bound::Series { months } => f64::from(months),
    };
    let noise = (unit.variance + off * off * stays.variance) / (n * n);
    Some(Rate {
        value,
        variance: noise + together * chance / n,
    })
}
