//! Question + dictionary + rules → layout.

use schemas::dictionary::{Dictionary, KeySource, Reference};
use schemas::loss::Rho;
use schemas::question::{Block, Dataset, Measure, Question, Release, Table};

use super::Refusal;
use super::axes::{self, Axis};
use super::layout::{BlockLayout, Bound, Layout, TableLayout};
use super::sensitivity;
use crate::rules::Privacy;

/// Compiles a question, or says which rule refuses it. Pure: the answer depends on public values
/// only.
pub fn compile(
    question: &Question,
    dictionary: &Dictionary,
    rules: &Privacy,
) -> Result<Layout, Refusal> {
    let cited = dictionary.digest().map_err(|_| Refusal::OtherDictionary)?;
    if question.dictionary != cited {
        return Err(Refusal::OtherDictionary);
    }
    let of = question.dataset;
    let dictionary = &*dictionary.of(of).ok_or(Refusal::NoDataset(of.as_str()))?;
    if of != Dataset::Stays && question.release == Release::Pooled {
        return Err(Refusal::NotAllowed("a pooled sum over this dataset"));
    }
    if !question.period.is_sound() {
        return Err(Refusal::Period);
    }
    if !rules.allow.releases.contains(&question.release) {
        return Err(Refusal::NotAllowed("this way of release"));
    }
    if question.clone().canonical() != *question {
        return Err(Refusal::NotCanonical);
    }
    let bound = bound(question, rules)?;
    let filter = axes::key_sets(&question.filter, dictionary, rules, &question.period)?;
    let in_scope = axes::groups_in_scope(&filter, dictionary);
    if !(1..=8).contains(&question.tables.len()) {
        return Err(Refusal::Shape("tables", "from one to eight"));
    }
    let mut tables: Vec<TableLayout> = Vec::with_capacity(question.tables.len());
    let mut blocks = Vec::new();
    let context = Context {
        question,
        dictionary,
        rules,
        bound,
        in_scope: &in_scope,
    };
    for table in &question.tables {
        let (layout, of_table) = context.table(table, tables.len())?;
        if tables.iter().any(|other| other.axes == layout.axes) {
            return Err(Refusal::NotCanonical);
        }
        tables.push(layout);
        blocks.extend(of_table);
    }
    let layout = Layout {
        question: question.digest().map_err(|_| Refusal::NotCanonical)?,
        dataset: of,
        dictionary: cited,
        period: question.period,
        bound,
        filter,
        charge: charge(question, bound, rules)?,
        tables,
        blocks,
        series: match question.series {
            Some(_) => Some(question.series_digest().map_err(|_| Refusal::Series)?),
            None => None,
        },
    };
    let numbers = layout.blocks.iter().map(|block| layout.numbers(block));
    let total = numbers.fold(0_usize, usize::saturating_add);
    if u32::try_from(total).map_or(true, |total| total > rules.size.cells) {
        return Err(Refusal::Cells(rules.size.cells));
    }
    Ok(layout)
}

/// What every table of a question is compiled with.
struct Context<'a> {
    question: &'a Question,
    dictionary: &'a Dictionary,
    rules: &'a Privacy,
    bound: Bound,
    in_scope: &'a [bool],
}

impl Context<'_> {
    fn table(
        &self,
        table: &Table,
        position: usize,
    ) -> Result<(TableLayout, Vec<BlockLayout>), Refusal> {
        if table.by.len() > usize::from(self.rules.size.dimensions) {
            return Err(Refusal::Shape(
                "by",
                "more dimensions than the policy allows",
            ));
        }
        if !(1..=32).contains(&table.blocks.len()) {
            return Err(Refusal::Shape("blocks", "from one to thirty-two a table"));
        }
        let period = &self.question.period;
        let resolve = |id| axes::axis(id, self.dictionary, self.rules, period);
        let axes: Vec<Axis> = table.by.iter().map(resolve).collect::<Result<_, _>>()?;
        let cells = axes.iter().try_fold(1_u32, |cells, axis| {
            cells.checked_mul(u32::try_from(axis.keys.len()).ok()?)
        });
        let cells = cells.ok_or(Refusal::Cells(self.rules.size.cells))?;
        let index = u32::try_from(position).map_err(|_| Refusal::Range)?;
        let by_group = axes.iter().any(|axis| axis.source == KeySource::CaseGroup);
        let mut blocks = Vec::with_capacity(table.blocks.len());
        for (at, block) in table.blocks.iter().enumerate() {
            if table
                .blocks
                .iter()
                .skip(at + 1)
                .any(|other| other.measure == block.measure)
            {
                return Err(Refusal::NotCanonical);
            }
            blocks.push(self.block((block, table), index, by_group)?);
        }
        let kinds = [Reference::Cost, Reference::Charge, Reference::Stay];
        let of = |kind| cell_references(&axes, kind, self.dictionary, self.in_scope);
        let mut fields = self.dictionary.fields.iter();
        let scored = fields.any(|field| field.reference == Reference::Score);
        let score_references = if scored {
            of(Reference::Score)
        } else {
            Vec::new()
        };
        let cell_references = kinds.map(of);
        Ok((
            TableLayout {
                axes,
                cells,
                cell_references,
                score_references,
            },
            blocks,
        ))
    }

    fn block(
        &self,
        (block, beside): (&Block, &Table),
        table: u32,
        by_group: bool,
    ) -> Result<BlockLayout, Refusal> {
        check_measure(&block.measure, self.dictionary, self.rules, self.question)?;
        let cap = self.dictionary.cap;
        let centre = sensitivity::centre(self.question, beside, &block.measure, cap)
            .ok_or(Refusal::Range)?;
        let most =
            |centre| sensitivity::per_stay(&block.measure, cap, centre).ok_or(Refusal::Range);
        let per_stay = most(centre)?;
        let l2_squared =
            sensitivity::l2_squared(self.bound, by_group, per_stay).ok_or(Refusal::Range)?;
        let sigma = sensitivity::least_sigma(l2_squared, block.rho)?;
        // A centred block is scanned as a plain one.
        if !sensitivity::in_range(most(0)?, self.dictionary.max_rows, sigma) {
            return Err(Refusal::Range);
        }
        let width = width(&block.measure, self.dictionary);
        let (measure, rho) = (block.measure.clone(), block.rho);
        Ok(BlockLayout {
            table,
            measure,
            width,
            centre,
            l2_squared,
            rho,
            sigma,
        })
    }
}

fn bound(question: &Question, rules: &Privacy) -> Result<Bound, Refusal> {
    if let Some(series) = question.series {
        let one_month = question.period.from == question.period.to;
        if !one_month || !(1..=rules.contribution.series_months).contains(&series.months) {
            return Err(Refusal::Series);
        }
        return Ok(Bound::Series {
            months: series.months,
        });
    }
    let (groups, stays) = (question.bounds.groups, question.bounds.stays);
    let allowed = (1..=rules.contribution.groups).contains(&groups)
        && (1..=rules.contribution.stays).contains(&stays);
    if allowed {
        Ok(Bound::Year { groups, stays })
    } else {
        Err(Refusal::Bounds)
    }
}

/// What each data year is charged. A patient weighs in at most M of a series' twelve months, so
/// M times one month pays for all of them.
fn charge(question: &Question, bound: Bound, rules: &Privacy) -> Result<Rho, Refusal> {
    let one = question.rho().map_err(|_| Refusal::Price)?;
    let charge = match bound {
        Bound::Year { .. } => one,
        Bound::Series { months } => one
            .checked_mul(u64::from(months))
            .map_err(|_| Refusal::Price)?,
    };
    if charge > rules.allowance.total {
        Err(Refusal::Price)
    } else {
        Ok(charge)
    }
}

fn check_measure(
    measure: &Measure,
    dictionary: &Dictionary,
    rules: &Privacy,
    question: &Question,
) -> Result<(), Refusal> {
    match measure {
        Measure::Count => Ok(()),
        Measure::CountWhere { filter } => {
            if filter.is_empty() {
                return Err(Refusal::Shape("filter", "names at least one dimension"));
            }
            axes::key_sets(filter, dictionary, rules, &question.period).map(|_| ())
        }
        Measure::Sum { field }
        | Measure::Relative { field }
        | Measure::Squares { field }
        | Measure::Histogram { field } => match dictionary.field(field.as_str()) {
            Some(_) => Ok(()),
            None => Err(Refusal::UnknownField(field.clone())),
        },
        Measure::Structure { field } => match dictionary.items_of(field).next() {
            Some(_) => Ok(()),
            None => Err(Refusal::UnknownField(field.clone())),
        },
    }
}

/// Numbers per cell.
fn width(measure: &Measure, dictionary: &Dictionary) -> u32 {
    let width = match measure {
        Measure::Histogram { .. } => dictionary.bin_edges.len(),
        Measure::Structure { field } => dictionary.items_of(field).count(),
        Measure::Count
        | Measure::CountWhere { .. }
        | Measure::Sum { .. }
        | Measure::Relative { .. }
        | Measure::Squares { .. } => 1,
    };
    u32::try_from(width).unwrap_or(u32::MAX)
}

/// For every case group the reference of the cell its stays fall in: the largest among the groups
/// in scope that share the cell.
fn cell_references(
    axes: &[Axis],
    kind: Reference,
    dictionary: &Dictionary,
    in_scope: &[bool],
) -> Vec<u64> {
    let has = |source: &KeySource| axes.iter().any(|axis| axis.source == *source);
    let (by_group, by_mdc) = (has(&KeySource::CaseGroup), has(&KeySource::Mdc));
    let groups = &dictionary.groups;
    let mdc = |at: usize| groups.get(at).map(|group| &group.mdc);
    let shares_cell = |a: usize, b: usize| {
        if by_group {
            a == b
        } else {
            !by_mdc || mdc(a) == mdc(b)
        }
    };
    (0..groups.len())
        .map(|own| {
            let neighbours = groups.iter().enumerate().filter(|(other, _)| {
                shares_cell(own, *other) && in_scope.get(*other).copied().unwrap_or(false)
            });
            let own_reference = groups.get(own).map_or(1, |group| group.reference(kind));
            // A group out of scope has no stays here; its own reference stands for it.
            neighbours
                .map(|(_, group)| group.reference(kind))
                .max()
                .unwrap_or(own_reference)
        })
        .collect()
}
