//! The benchmark: released answers of one question → figures by case group and hospital.

mod types;
mod figure;
mod way;
mod asked;
mod scope;
mod cell;
mod capped;
mod structure;
mod against;
mod improved;
mod totals;
mod rank;
mod parallel;
mod bare;

pub use asked::{Asked, Kind};
pub use types::{
    Benchmark, BlockNoise, Cell, Data, Figure, Hospital, Improved, Indices, Inputs, Interval, Item,
    Percentiles, Rank, Row, Spent, Split, Totals,
};
pub use way::{Beside, PooledRound, Way};

use std::collections::BTreeMap;

use schemas::answer::{Answer, Grade, Span};
use schemas::canonical;
use schemas::dictionary::{Dictionary, Field, KeySource, Label, Reference};
use schemas::id::Slug;
use schemas::outcome::{Outcome, Reason};
use schemas::question::{Dataset, Measure};
use schemas::seal::Message;
use schemas::time::Month;

use crate::plan::{Axis, Bound, Layout};
use crate::rules::Privacy;
use against::Yardstick;
use parallel::on_all_cores;
use scope::{Context, Scope};

/// What each hospital of the round said.
pub type Replies = [Reply];
/// A hospital and what it said.
pub type Reply = (Slug, Result<Answer, Reason>);

/// Why no benchmark is computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BenchmarkError {
    /// The layout was compiled under another dictionary.
    #[error("the layout cites another dictionary")]
    OtherDictionary,
    /// An answer to another question or by another mechanism, or in another hospital's name.
    #[error("the answer of `{0}` is not to this question, mechanism and hospital")]
    OtherQuestion(Slug),
    /// An answer whose blocks have other sizes than the layout's.
    #[error("the answer of `{0}` has not the layout's shape")]
    Shape(Slug),
    /// The same hospital twice.
    #[error("`{0}` is listed twice")]
    Twice(Slug),
    /// A value without canonical bytes.
    #[error("an input has no digest")]
    Digest,
    /// An attributed and a pooled round that do not stand together.
    #[error(
        "the attributed and the pooled round do not agree in {0}; name two rounds about the same"
    )]
    Differ(&'static str),
    /// A hospital of the sum whose number of stays is not known.
    #[error(
        "`{0}` is in the pooled sum and gave no attributed answer, from which its number of stays \
         would come; ask it again in an attributed round"
    )]
    NoAnswer(Slug),
}

/// Computes the benchmark. The order of `replies` does not matter; signatures were verified
/// before.
pub fn benchmark(
    layout: &Layout,
    dictionary: &Dictionary,
    rules: &Privacy,
    replies: &Replies,
) -> Result<Benchmark, BenchmarkError> {
    compute(layout, dictionary, rules, replies, false)
}

/// The same where the one answer is a sum over hospitals: its figures stand in the hospital's place.
pub(super) fn of_sum(
    layout: &Layout,
    dictionary: &Dictionary,
    rules: &Privacy,
    sum: Answer,
) -> Result<Benchmark, BenchmarkError> {
    let reply = (sum.hospital.clone(), Ok(sum));
    compute(layout, dictionary, rules, &[reply], true)
}

fn compute(
    layout: &Layout,
    dictionary: &Dictionary,
    rules: &Privacy,
    replies: &Replies,
    of_sum: bool,
) -> Result<Benchmark, BenchmarkError> {
    let inputs = inputs(layout, dictionary, rules, replies)?;
    let of_dataset = dictionary.of(layout.dataset);
    let dictionary = &*of_dataset.ok_or(BenchmarkError::OtherDictionary)?;
    let mut sorted: Vec<&Reply> = replies.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    let first = |kind| asked(layout, dictionary, kind);
    // Where only charges were asked about, they stand in for costs, by their own name.
    let (cost, stay, score) = (
        first(Reference::Cost).or_else(|| first(Reference::Charge)),
        first(Reference::Stay),
        first(Reference::Score),
    );
    let context = Context {
        layout,
        dictionary,
        display: &rules.display,
        cost: cost.map(|field| field.id.clone()),
        stay: stay.map(|field| field.id.clone()),
        score: score.map(|field| field.id.clone()),
    };
    let answers: Vec<&Answer> = sorted
        .iter()
        .filter_map(|(_, said)| said.as_ref().ok())
        .collect();
    let yardstick = |field: Option<&Slug>| Yardstick::new(&context, &answers, field);
    let (by_cost, by_stay) = (
        yardstick(context.cost.as_ref()),
        yardstick(context.stay.as_ref()),
    );
    let hospital = |(id, said): &Reply| {
        let (data, totals) = match said {
            Ok(answer) => (
                Outcome::Value(data(layout, answer, &inputs)),
                totals::totals(
                    &context,
                    &[answer],
                    false,
                    [by_cost.as_ref(), by_stay.as_ref()],
                ),
            ),
            Err(why) => (
                Outcome::from(*why),
                totals::missing(&context, &Outcome::from(*why)),
            ),
        };
        Hospital {
            id: id.clone(),
            data,
            totals,
            rank: Outcome::NoData,
        }
    };
    let mut hospitals: Vec<Hospital> = sorted.iter().map(|reply| hospital(reply)).collect();
    rank::place(&mut hospitals);
    let tables = layout.tables.iter().enumerate();
    let splits = tables.filter_map(|(table, of)| match of.axes.as_slice() {
        [axis] => Some(split(&context, &sorted, (table, axis), of_sum)),
        _ => None,
    });
    let items = cost.map(|cost| dictionary.items_of(&cost.id).map(item).collect());
    Ok(Benchmark {
        version: 1,
        dataset: Some(layout.dataset).filter(|of| *of != Dataset::Stays),
        alliance: dictionary.alliance.clone(),
        currency: dictionary.currency.clone(),
        scheme: dictionary.scheme.clone(),
        period: layout.period,
        cap: dictionary.cap,
        threshold: rules.display.threshold,
        least_hospitals: rules.display.hospitals,
        cost: cost.map(item),
        stay: stay.map(item),
        score: score.map(item),
        items: items.unwrap_or_default(),
        spent: spent(layout, rules),
        asked: asked::of_totals(&context),
        total: totals::totals(&context, &answers, true, [None, None]),
        splits: splits.collect(),
        hospitals,
        inputs,
        pooled: None,
    })
}

/// The first whole field of a kind that the question asks about.
fn asked<'a>(layout: &Layout, dictionary: &'a Dictionary, kind: Reference) -> Option<&'a Field> {
    let asked = |field: &Field| {
        let mut blocks = layout.blocks.iter();
        blocks.any(|block| of_field(&block.measure, &field.id))
    };
    let mut fields = dictionary.fields.iter();
    fields.find(|field| field.part_of.is_none() && field.reference == kind && asked(field))
}

/// Checks what the answers cite and how they are shaped, and collects the digests.
pub(super) fn inputs(
    layout: &Layout,
    dictionary: &Dictionary,
    rules: &Privacy,
    replies: &Replies,
) -> Result<Inputs, BenchmarkError> {
    let cited = dictionary.digest().map_err(|_| BenchmarkError::Digest)?;
    if cited != layout.dictionary {
        return Err(BenchmarkError::OtherDictionary);
    }
    let mechanism = layout.digest().map_err(|_| BenchmarkError::Digest)?;
    let mut seen = std::collections::BTreeSet::new();
    let mut answers = BTreeMap::new();
    for (id, said) in replies {
        if !seen.insert(id) {
            return Err(BenchmarkError::Twice(id.clone()));
        }
        let Ok(answer) = said else { continue };
        let ours = answer.question == layout.question
            && answer.mechanism == mechanism
            && answer.hospital == *id;
        if !ours {
            return Err(BenchmarkError::OtherQuestion(id.clone()));
        }
        let fits = answer.blocks.len() == layout.blocks.len()
            && layout
                .blocks
                .iter()
                .zip(&answer.blocks)
                .all(|(block, numbers)| {
                    numbers
                        .as_ref()
                        .is_none_or(|numbers| numbers.len() == layout.numbers(block))
                });
        if !fits {
            return Err(BenchmarkError::Shape(id.clone()));
        }
        let digest = canonical::digest(Answer::TAG, answer);
        answers.insert(id.clone(), digest.map_err(|_| BenchmarkError::Digest)?);
    }
    Ok(Inputs {
        question: layout.question,
        mechanism,
        dictionary: cited,
        rules: rules.digest().map_err(|_| BenchmarkError::Digest)?,
        answers,
    })
}

fn data(layout: &Layout, answer: &Answer, inputs: &Inputs) -> Data {
    let mut snapshots = answer.snapshots.clone();
    snapshots.sort_by_key(|snapshot| (snapshot.month, snapshot.release));
    let has = |month: Month| {
        snapshots.iter().any(|snapshot| match snapshot.span {
            Span::Month => snapshot.month == month,
            Span::Year => snapshot.month.year() == month.year(),
        })
    };
    let mut missing = layout.period.months();
    missing.retain(|month| !has(*month));
    let grade: Option<Grade> = snapshots.iter().map(|snapshot| snapshot.grade).max();
    let known = inputs.answers.get(&answer.hospital).copied();
    Data {
        grade,
        newest: snapshots.last().map(|snapshot| snapshot.month),
        missing,
        snapshots,
        answer: known.unwrap_or(schemas::digest::Digest::ZERO),
    }
}

/// The table split by one dimension.
fn split(
    context: &Context<'_>,
    sorted: &[&Reply],
    (table, axis): (usize, &Axis),
    of_sum: bool,
) -> Split {
    let by_group = axis.source == KeySource::CaseGroup;
    let items = totals::items(context);
    let scope = |who: Vec<_>, cell: usize, across: bool| Scope {
        context,
        who,
        table,
        cells: vec![cell],
        across,
    };
    let row = |(cell, code): (usize, &String)| {
        let group = context.dictionary.groups.get(cell).filter(|_| by_group);
        let unit = group.zip(context.cost.as_ref()).and_then(|(group, cost)| {
            let field = context.dictionary.field(cost.as_str())?;
            Some(group.reference(field.reference))
        });
        let answered = sorted.iter().filter_map(|(_, said)| said.as_ref().ok());
        let hospitals = sorted.iter().map(|(_, said)| match said {
            Ok(answer) => cell::cell(&scope(vec![answer], cell, false), unit),
            Err(why) => Cell::without(&Outcome::from(*why), items),
        });
        Row {
            code: code.clone(),
            name: group.map_or_else(|| name(context.dictionary, axis, code), |g| g.name.clone()),
            alliance: cell::cell(&scope(answered.collect(), cell, true), unit),
            hospitals: hospitals.collect(),
        }
    };
    let keys: Vec<(usize, &String)> = axis.keys.iter().enumerate().collect();
    let mut rows = on_all_cores(&keys, row);
    if of_sum {
        // A sum over hospitals is the alliance: its peers are its other groups.
        for row in &mut rows {
            row.hospitals
                .iter()
                .for_each(|sum| row.alliance = sum.clone());
        }
    }
    improved::means(context, sorted, table, &mut rows);
    Split {
        dimension: axis.dimension.clone(),
        in_money: by_group,
        asked: asked::of_split(context, table),
        rows,
    }
}

/// The name of a key, or its code where the dictionary gives none.
fn name(dictionary: &Dictionary, axis: &Axis, code: &str) -> Label {
    let dimension = dictionary.dimension(axis.dimension.as_str());
    let key = dimension.and_then(|d| d.keys.iter().find(|key| key.code == code));
    key.map_or_else(
        || Label {
            zh: code.to_owned(),
            en: code.to_owned(),
        },
        |key| key.label.clone(),
    )
}

fn spent(layout: &Layout, rules: &Privacy) -> Spent {
    let block = |block: &crate::plan::BlockLayout| BlockNoise {
        table: layout.table_of(block).map_or_else(String::new, |table| {
            let names: Vec<&str> = table.axes.iter().map(|a| a.dimension.as_str()).collect();
            names.join(" × ")
        }),
        measure: measure_name(block),
        rho: block.rho.to_string(),
        sigma: super::decimal::fixed(block.sigma.as_f64(), 2).unwrap_or_default(),
    };
    let (groups, stays) = match layout.bound {
        Bound::Year { groups, stays } => (Some(groups), stays),
        Bound::Series { months } => (None, months),
    };
    Spent {
        charge: layout.charge.to_string(),
        allowance: rules.allowance.total.to_string(),
        charge_nano: layout.charge,
        groups,
        stays,
        blocks: layout.blocks.iter().map(block).collect(),
    }
}

/// The measure in one word; of a centred block with what each stay counts less, in thousandths of
/// the reference.
fn measure_name(block: &crate::plan::BlockLayout) -> String {
    let less = match block.centre {
        0 => String::new(),
        centre => format!(" - {centre}"),
    };
    match &block.measure {
        Measure::Count => "count".to_owned(),
        Measure::CountWhere { .. } => "count_where".to_owned(),
        Measure::Sum { field } => format!("sum({field}{less})"),
        Measure::Relative { field } => format!("relative({field}{less})"),
        Measure::Squares { field } => format!("squares({field}{less})"),
        Measure::Histogram { field } => format!("histogram({field})"),
        Measure::Structure { field } => format!("structure({field})"),
    }
}

fn of_field(measure: &Measure, id: &Slug) -> bool {
    match measure {
        Measure::Count | Measure::CountWhere { .. } => false,
        Measure::Sum { field }
        | Measure::Relative { field }
        | Measure::Squares { field }
        | Measure::Histogram { field }
        | Measure::Structure { field } => field == id,
    }
}

fn item(field: &Field) -> Item {
    Item {
        id: field.id.clone(),
        label: field.label.clone(),
    }
}
