//! A layout turned into lookup tables over stored codes.

use policies::plan::{Axis, Bound, Layout, TableLayout};
use schemas::dictionary::{Dictionary, KeySource};
use schemas::id::Slug;
use schemas::question::{Filter, Measure};

use super::ScanError;
use super::ready::{Ready, bins};
use super::scale::Scale;

/// Which rows pass a filter.
#[derive(Debug)]
pub(super) struct Sieve {
    /// By case group: allowed by the filters on case group and MDC.
    pub(super) groups: Vec<bool>,
    /// By stored dimension and key.
    pub(super) keys: Vec<(Slug, Vec<bool>)>,
    /// By month of the period.
    pub(super) months: Vec<bool>,
}

/// Where the rows of a table go.
#[derive(Debug)]
pub(super) struct Place {
    /// By case group: the part of the cell number that follows from it.
    pub(super) groups: Vec<u32>,
    /// Stored dimensions and their strides.
    pub(super) keys: Vec<(Slug, u32)>,
    /// The same dimensions and how many keys they have.
    pub(super) lengths: Vec<(Slug, usize)>,
    /// Stride of the month, 0 where it is no axis.
    pub(super) month: u32,
    /// The cell behind the last one: for rows that do not count.
    pub(super) none: u32,
}

/// A field scaled in one way; `raw` values serve histograms, clamped ones the sums.
#[derive(Debug)]
pub(super) struct Scaled {
    pub(super) field: Slug,
    /// By case group.
    pub(super) scales: Vec<Scale>,
    /// Whether the column scaled at opening serves: measured against the groups' own references,
    /// and neither the cap nor the last bin edge is beyond its range.
    pub(super) ready: bool,
    /// The cap in thousandths of the own reference.
    pub(super) most: u32,
}

/// What is added to a block for a row.
#[derive(Debug)]
pub(super) enum Operation {
    Count,
    CountWhere(Sieve),
    /// Adds the clamped value of a scaled field.
    Sum(usize),
    /// Adds its square.
    Squares(usize),
    /// Adds one to the bin of the raw value.
    Histogram(usize),
    /// Adds the items, scaled to the clamped whole.
    Structure {
        whole: usize,
        items: Vec<Slug>,
    },
}

/// One block to fill.
#[derive(Debug)]
pub(super) struct Fill {
    pub(super) table: usize,
    pub(super) operation: Operation,
    pub(super) width: usize,
    pub(super) numbers: usize,
}

impl Fill {
    /// Whether it can be filled run by run.
    pub(super) fn by_runs(&self) -> bool {
        !matches!(
            self.operation,
            Operation::CountWhere(_) | Operation::Structure { .. }
        )
    }
}

/// Everything that the kernel needs, resolved once.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) bound: Bound,
    pub(super) sieve: Sieve,
    pub(super) places: Vec<Place>,
    pub(super) scaled: Vec<Scaled>,
    pub(super) fills: Vec<Fill>,
    /// Bin by raw value; values beyond the last edge fall in the last bin.
    pub(super) bins: Vec<u8>,
    /// Where bins begin.
    pub(super) edges: Vec<u32>,
    pub(super) period: schemas::time::Period,
}

impl Program {
    pub(super) fn new(layout: &Layout, dictionary: &Dictionary) -> Result<Self, ScanError> {
        let sets = layout
            .filter
            .iter()
            .map(|set| (&set.axis, set.allowed.as_slice()));
        let sieve = Sieve::new(sets, dictionary, layout);
        let places = layout
            .tables
            .iter()
            .map(|table| Place::new(table, dictionary))
            .collect();
        let mut scaled: Vec<Scaled> = Vec::new();
        let mut references: Vec<(Slug, Vec<u64>)> = Vec::new();
        let mut fills = Vec::with_capacity(layout.blocks.len());
        for block in &layout.blocks {
            let table = usize::try_from(block.table).map_err(|_| ScanError::Layout)?;
            let table_layout = layout.table_of(block).ok_or(ScanError::Layout)?;
            let mut by = |field: &Slug, own: bool| -> Result<usize, ScanError> {
                let kind = dictionary
                    .field(field.as_str())
                    .ok_or(ScanError::Layout)?
                    .reference;
                let against = if own {
                    dictionary
                        .groups
                        .iter()
                        .map(|group| group.reference(kind))
                        .collect()
                } else {
                    table_layout.references(kind).to_vec()
                };
                let wanted = (field.clone(), against);
                if let Some(found) = references.iter().position(|known| *known == wanted) {
                    return Ok(found);
                }
                let pairs = wanted.1.iter().zip(&dictionary.groups);
                let scales = pairs
                    .map(|(reference, group)| {
                        Scale::new(*reference, group.reference(kind), dictionary.cap)
                    })
                    .collect();
                let own = dictionary.groups.iter().map(|group| group.reference(kind));
                let ready = own.eq(wanted.1.iter().copied()) && Ready::can_scale(dictionary);
                let most = dictionary.cap.saturating_mul(1000);
                scaled.push(Scaled {
                    field: field.clone(),
                    scales,
                    ready,
                    most,
                });
                references.push(wanted);
                Ok(scaled.len() - 1)
            };
            let operation = match &block.measure {
                Measure::Count => Operation::Count,
                Measure::CountWhere { filter } => {
                    Operation::CountWhere(Sieve::of_filter(filter, dictionary, layout)?)
                }
                Measure::Sum { field } => Operation::Sum(by(field, false)?),
                Measure::Relative { field } => Operation::Sum(by(field, true)?),
                Measure::Squares { field } => Operation::Squares(by(field, false)?),
                Measure::Histogram { field } => Operation::Histogram(by(field, true)?),
                Measure::Structure { field } => Operation::Structure {
                    whole: by(field, false)?,
                    items: dictionary
                        .items_of(field)
                        .map(|item| item.id.clone())
                        .collect(),
                },
            };
            let width = usize::try_from(block.width).map_err(|_| ScanError::Layout)?;
            fills.push(Fill {
                table,
                operation,
                width,
                numbers: layout.numbers(block),
            });
        }
        let bins = bins(&dictionary.bin_edges);
        Ok(Self {
            bound: layout.bound,
            sieve,
            places,
            scaled,
            fills,
            bins,
            edges: dictionary.bin_edges.clone(),
            period: layout.period,
        })
    }
}

impl Sieve {
    fn of_filter(
        filter: &Filter,
        dictionary: &Dictionary,
        layout: &Layout,
    ) -> Result<Self, ScanError> {
        let mut owned = Vec::with_capacity(filter.len());
        for (id, allowed) in filter {
            let dimension = dictionary.dimension(id.as_str()).ok_or(ScanError::Layout)?;
            let months = || {
                layout
                    .period
                    .months()
                    .iter()
                    .map(ToString::to_string)
                    .collect()
            };
            let keys = dictionary.keys(dimension).unwrap_or_else(months);
            let passes: Vec<bool> = keys.iter().map(|key| allowed.contains(key)).collect();
            let source = dimension.source.clone();
            owned.push((
                Axis {
                    dimension: id.clone(),
                    source,
                    keys,
                },
                passes,
            ));
        }
        let sets = owned
            .iter()
            .map(|(axis, allowed)| (axis, allowed.as_slice()));
        Ok(Self::new(sets, dictionary, layout))
    }

    fn new<'a>(
        sets: impl Iterator<Item = (&'a Axis, &'a [bool])>,
        dictionary: &Dictionary,
        layout: &Layout,
    ) -> Self {
        let mut groups = vec![true; dictionary.groups.len()];
        let mut months = vec![true; layout.period.months().len()];
        let mut keys = Vec::new();
        for (axis, allowed) in sets {
            let passes = |code: usize| allowed.get(code).copied().unwrap_or(false);
            match axis.source {
                KeySource::CaseGroup => {
                    groups
                        .iter_mut()
                        .enumerate()
                        .for_each(|(group, ok)| *ok &= passes(group));
                }
                KeySource::Mdc => {
                    let codes = mdc_codes(dictionary);
                    groups
                        .iter_mut()
                        .zip(codes)
                        .for_each(|(ok, mdc)| *ok &= passes(mdc));
                }
                KeySource::Month => {
                    months
                        .iter_mut()
                        .enumerate()
                        .for_each(|(month, ok)| *ok &= passes(month));
                }
                KeySource::Exact
                | KeySource::Prefix { .. }
                | KeySource::Bands
                | KeySource::Level { .. } => {
                    keys.push((axis.dimension.clone(), allowed.to_vec()));
                }
            }
        }
        Self {
            groups,
            keys,
            months,
        }
    }
}

/// By case group: the position of its MDC among the sorted MDCs.
fn mdc_codes(dictionary: &Dictionary) -> Vec<usize> {
    let mdcs = dictionary.mdcs();
    let code = |mdc: &str| mdcs.binary_search(&mdc).unwrap_or(usize::MAX);
    dictionary
        .groups
        .iter()
        .map(|group| code(&group.mdc))
        .collect()
}

impl Place {
    fn new(table: &TableLayout, dictionary: &Dictionary) -> Self {
        let mut groups = vec![0_u32; dictionary.groups.len()];
        let (mut keys, mut lengths) = (Vec::new(), Vec::new());
        let mut month = 0;
        // Last axis fastest. Cells number at most 100,000, so strides fit.
        let mut stride = 1_u32;
        for axis in table.axes.iter().rev() {
            let times = |code: usize| {
                u32::try_from(code)
                    .unwrap_or(u32::MAX)
                    .saturating_mul(stride)
            };
            match axis.source {
                KeySource::CaseGroup => {
                    groups
                        .iter_mut()
                        .enumerate()
                        .for_each(|(group, at)| *at += times(group));
                }
                KeySource::Mdc => {
                    let codes = mdc_codes(dictionary);
                    groups
                        .iter_mut()
                        .zip(codes)
                        .for_each(|(at, mdc)| *at += times(mdc));
                }
                KeySource::Month => month = stride,
                KeySource::Exact
                | KeySource::Prefix { .. }
                | KeySource::Bands
                | KeySource::Level { .. } => {
                    keys.push((axis.dimension.clone(), stride));
                    lengths.push((axis.dimension.clone(), axis.keys.len()));
                }
            }
            stride = times(axis.keys.len());
        }
        Self {
            groups,
            keys,
            lengths,
            month,
            none: table.cells,
        }
    }
}
