//! One report of an attributed and a pooled round: of each hospital what it told by itself, of the
//! alliance beside that what only sums tell. Each figure says how it was obtained.
//!
//! A pooled question that stands beside attributed ones does not count stays (`plan::apart`): the
//! counts of its sums are those of the hospitals in it, added up. They decide what is shown, by the
//! rule of figures across hospitals: three that reach the threshold by themselves.

use std::collections::BTreeMap;

use pooled::published::Verified;
use schemas::answer::Answer;
use schemas::dictionary::Dictionary;
use schemas::id::Slug;
use schemas::outcome::Outcome;
use schemas::question::Measure;

use super::benchmark::{
    Asked, Benchmark, BenchmarkError, Beside, Cell, Figure, Kind, Replies, Reply, Way, benchmark,
    of_sum,
};
use super::summed::{about, alone, charges, inputs, sums};
use crate::plan::{BlockLayout, Layout, Sigma};
use crate::rules::Privacy;

/// Computes the attributed benchmark with the pooled round's figures in the alliance's cells.
/// Layouts are compiled anew by whoever asks. The order of `replies` does not matter.
pub fn together(
    (layout, replies): (&Layout, &Replies),
    (of_pooled, verified): (&Layout, &Verified),
    dictionary: &Dictionary,
    rules: &Privacy,
) -> Result<Benchmark, BenchmarkError> {
    agree(layout, of_pooled)?;
    let mut found = benchmark(layout, dictionary, rules, replies)?;
    let about = about(of_pooled, verified)?;
    let counted: Vec<Reply> = about
        .hospitals
        .iter()
        .map(|id| {
            let reply = replies
                .iter()
                .find(|(name, said)| name == id && said.is_ok());
            reply
                .cloned()
                .ok_or_else(|| BenchmarkError::NoAnswer(id.clone()))
        })
        .collect::<Result<_, _>>()?;
    let answers: Vec<&Answer> = counted
        .iter()
        .filter_map(|(_, said)| said.as_ref().ok())
        .collect();
    let (wide, sum) = sums(of_pooled, dictionary, verified)?;
    let own_blocks = wide.blocks.len();
    let (wide, sum) = with_counts(wide, sum, layout, &answers)?;
    let mut summed = alone(of_sum(&wide, dictionary, rules, sum)?)?;
    // Whether three of the hospitals in the sum reach the threshold.
    let known = benchmark(layout, dictionary, rules, &counted)?;
    let cited = inputs(of_pooled, &summed.inputs, verified)?;
    let mut spent = summed.spent.clone();
    spent.blocks.truncate(own_blocks);
    spent.charge_nano = charges(of_pooled, verified)?.0;
    spent.charge = spent.charge_nano.to_string();
    found.obtained(Way::Attributed);
    summed.obtained(Way::Pooled);
    merge(&mut found, summed, &known)?;
    let digest = |id: &Slug| Some((id.clone(), *found.inputs.answers.get(id)?));
    let counted: BTreeMap<_, _> = about.hospitals.iter().filter_map(digest).collect();
    found.pooled = Some(Beside {
        round: about,
        spent,
        inputs: cited,
        counted,
    });
    Ok(found)
}

/// Both ask about the same stays.
fn agree(one: &Layout, other: &Layout) -> Result<(), BenchmarkError> {
    let same = [
        (one.dictionary == other.dictionary, "their dictionaries"),
        (one.period == other.period, "their months"),
        (one.filter == other.filter, "their filters"),
        (one.bound == other.bound, "how much of one patient counts"),
    ];
    match same.into_iter().find(|(holds, _)| !holds) {
        Some((_, what)) => Err(BenchmarkError::Differ(what)),
        None => Ok(()),
    }
}

/// Adds the number of stays to each table of the sums that lacks it: the hospitals' own, added up.
fn with_counts(
    mut wide: Layout,
    mut sum: Answer,
    layout: &Layout,
    answers: &[&Answer],
) -> Result<(Layout, Answer), BenchmarkError> {
    let hospitals = u128::try_from(answers.len()).map_err(|_| BenchmarkError::Digest)?;
    for table in 0..wide.tables.len() {
        if wide.find(table, &Measure::Count).is_some() {
            continue;
        }
        let differ = || BenchmarkError::Differ("the dimensions by which stays are counted");
        let axes = wide.tables.get(table).map(|of| &of.axes);
        let counted = layout.tables.iter().position(|of| Some(&of.axes) == axes);
        let place = counted.and_then(|counted| layout.find(counted, &Measure::Count));
        let place = place.ok_or_else(differ)?;
        let block = layout.blocks.get(place).ok_or_else(differ)?;
        let mut total = vec![0_i64; layout.numbers(block)];
        for answer in answers {
            let counts = answer.blocks.get(place).and_then(Option::as_ref);
            let counts = counts.filter(|counts| counts.len() == total.len());
            let missing = || BenchmarkError::NoAnswer(answer.hospital.clone());
            for (sum, count) in total.iter_mut().zip(counts.ok_or_else(missing)?) {
                *sum = sum.saturating_add(*count);
            }
        }
        let variance = u128::from(block.sigma.0)
            .saturating_pow(2)
            .saturating_mul(hospitals);
        let root = variance.isqrt();
        let up = u128::from(root.saturating_mul(root) < variance);
        wide.blocks.push(BlockLayout {
            table: u32::try_from(table).map_err(|_| BenchmarkError::Digest)?,
            sigma: Sigma(u64::try_from(root.saturating_add(up)).unwrap_or(u64::MAX)),
            ..block.clone()
        });
        sum.blocks.push(Some(total));
    }
    sum.mechanism = wide.digest().map_err(|_| BenchmarkError::Digest)?;
    Ok((wide, sum))
}

/// Puts what only the sums tell into the alliance's cells; `known` are the attributed figures of
/// the hospitals in the sums.
fn merge(
    found: &mut Benchmark,
    summed: Benchmark,
    known: &Benchmark,
) -> Result<(), BenchmarkError> {
    fields(found, &summed)?;
    let hide = |mut cell: Cell, stays: &Outcome<Figure>| {
        if stays.value().is_none() {
            let figures = cell.each_mut().filter(|figure| figure.value().is_some());
            figures.for_each(|figure| *figure = Outcome::Suppressed);
        }
        cell
    };
    further(&mut found.asked, &summed.asked);
    let whole = hide(summed.total.all, &known.total.all.stays);
    found.total.all = found.total.all.clone().or(whole);
    for split in summed.splits {
        let same = |other: &&super::benchmark::Split| other.dimension == split.dimension;
        let known = known.splits.iter().find(same);
        let place = found
            .splits
            .iter_mut()
            .find(|own| own.dimension == split.dimension);
        let (Some(own), Some(known)) = (place, known) else {
            return Err(BenchmarkError::Differ("the dimensions of their tables"));
        };
        further(&mut own.asked, &split.asked);
        for ((row, sum), known) in own.rows.iter_mut().zip(split.rows).zip(&known.rows) {
            let sum = hide(sum.alliance, &known.alliance.stays);
            row.alliance = row.alliance.clone().or(sum);
        }
    }
    Ok(())
}

/// Both are about the same field of costs; its items stand in every cell's structure.
fn fields(found: &mut Benchmark, summed: &Benchmark) -> Result<(), BenchmarkError> {
    if found.cost.is_some() && summed.cost.is_some() && found.cost != summed.cost {
        return Err(BenchmarkError::Differ("the field of their costs"));
    }
    if found.cost.is_none() {
        found.cost.clone_from(&summed.cost);
        found.items.clone_from(&summed.items);
    }
    let items = found.items.len();
    let hospitals = found.hospitals.iter_mut().map(|one| &mut one.totals.all);
    let rows = found.splits.iter_mut().flat_map(|split| &mut split.rows);
    let cells = rows.flat_map(|row| std::iter::once(&mut row.alliance).chain(&mut row.hospitals));
    let all = std::iter::once(&mut found.total.all)
        .chain(hospitals)
        .chain(cells);
    all.for_each(|cell| cell.structure.resize(items, Outcome::NoData));
    Ok(())
}

/// What the sums add to what was asked. Stays, and what follows from them, were counted attributed.
fn further(asked: &mut Vec<Asked>, summed: &[Asked]) {
    for one in summed {
        let counted = matches!(one.figure, Kind::Stays | Kind::Cmi);
        if !counted && !asked.iter().any(|own| own.figure == one.figure) {
            asked.push(*one);
        }
    }
    asked.sort_by_key(|one| one.figure);
}
