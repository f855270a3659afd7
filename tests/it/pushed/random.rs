//! Random questions over a dictionary: all measures, filters, tables and bounds that compile.

use schemas::dictionary::{Dictionary, KeySource};
use schemas::id::Slug;
use schemas::question::{
    Block, Bounds, Dataset, Filter, Measure, Question, Release, Series, Table,
};
use schemas::time::{Month, Period};
use tests::fixture::{rho, rules};

/// Numbers that follow from a seed.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// From 0 to below `most`.
    pub(super) fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % most.max(1)
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

fn keys(dictionary: &Dictionary, id: &Slug, period: &Period) -> Vec<String> {
    let dimension = dictionary.dimension(id.as_str()).unwrap();
    let months = || period.months().iter().map(ToString::to_string).collect();
    dictionary.keys(dimension).unwrap_or_else(months)
}

fn filter(chance: &mut Chance, dictionary: &Dictionary, period: &Period, most: usize) -> Filter {
    let mut filter = Filter::new();
    for _ in 0..chance.below(most + 1) {
        let dimension = chance.one(&dictionary.dimensions);
        let all = keys(dictionary, &dimension.id, period);
        let share = 1 + chance.below(4);
        let mut some: Vec<String> = all
            .iter()
            .filter(|_| chance.below(4) < share)
            .cloned()
            .collect();
        if some.is_empty() {
            some.push(chance.one(&all).clone());
        }
        filter.insert(dimension.id.clone(), some);
    }
    filter
}

fn table(chance: &mut Chance, dictionary: &Dictionary, period: &Period) -> Table {
    let mut by: Vec<Slug> = Vec::new();
    for _ in 0..chance.below(4) {
        let id = &chance.one(&dictionary.dimensions).id;
        if !by.contains(id) {
            by.push(id.clone());
        }
    }
    let parts: Vec<&Slug> = dictionary
        .fields
        .iter()
        .filter_map(|f| f.part_of.as_ref())
        .collect();
    let mut measures = vec![Measure::Count];
    for _ in 0..=chance.below(4) {
        let field = chance.one(&dictionary.fields).id.clone();
        let measure = match chance.below(6) {
            0 => Measure::CountWhere {
                filter: filter(chance, dictionary, period, 2),
            },
            1 => Measure::Relative { field },
            2 => {
                measures.push(Measure::Sum {
                    field: field.clone(),
                });
                Measure::Squares { field }
            }
            3 => Measure::Histogram { field },
            4 if !parts.is_empty() => Measure::Structure {
                field: (*chance.one(&parts)).clone(),
            },
            _ => Measure::Sum { field },
        };
        measures.push(measure);
    }
    let mut blocks: Vec<Block> = Vec::new();
    for measure in measures {
        if !blocks.iter().any(|block| block.measure == measure) {
            blocks.push(Block {
                measure,
                rho: rho("0.001"),
            });
        }
    }
    Table { by, blocks }
}

/// A question that may or may not compile.
pub(super) fn question(chance: &mut Chance, dictionary: &Dictionary) -> Question {
    let first = u8::try_from(1 + chance.below(12)).unwrap();
    let last = u8::try_from(usize::from(first) + chance.below(13 - usize::from(first))).unwrap();
    let is_series = chance.below(5) == 0;
    let month = |number| Month::new(2025, number).unwrap();
    let period = Period {
        from: month(first),
        to: month(if is_series { first } else { last }),
    };
    let tables = (0..=chance.below(2))
        .map(|_| table(chance, dictionary, &period))
        .collect();
    Question {
        dataset: Dataset::Stays,
        dictionary: dictionary.digest().unwrap(),
        rules: rules().digest().unwrap(),
        period,
        filter: filter(chance, dictionary, &period, 2),
        tables,
        bounds: Bounds {
            groups: u8::try_from(1 + chance.below(3)).unwrap(),
            stays: 1,
        },
        series: is_series.then_some(Series { months: 3 }),
        release: Release::Attributed,
        centred: false,
    }
    .canonical()
}

/// Whether a dimension is stored, so that filters on it are columns of the engine.
pub(super) fn is_column(source: &KeySource) -> bool {
    !matches!(
        source,
        KeySource::CaseGroup | KeySource::Mdc | KeySource::Month
    )
}
