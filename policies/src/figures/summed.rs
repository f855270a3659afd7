//! The figures of a pooled round, from its verified totals: the alliance as if it were one hospital
//! that answered with less noise.
//!
//! The sums do not say what a single hospital put in. So the rule that three hospitals reach the
//! display threshold by themselves cannot be asked; in its place stands the round's own: at least
//! `n_min` hospitals, three or more, are in every number. The threshold is asked of the sum.

use pooled::published::Verified;
use pooled::total::Totals;
use schemas::answer::Answer;
use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::loss::Rho;
use serde::{Deserialize, Serialize};

use super::benchmark::{Benchmark, BenchmarkError, Inputs, Kind, PooledRound, of_sum};
use super::decimal::fixed;
use crate::plan::{Layout, Sigma, pooled_charge};
use crate::rules::Privacy;

/// Figures of a pooled round as they are written to files.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pooled {
    /// Form of the file: 2.
    pub version: u32,
    /// The round.
    pub about: PooledRound,
    /// The figures. `hospitals` and the hospitals of each row are empty, the alliance's own cells
    /// hold the sums; the noise of a block is that of the sum.
    pub figures: Benchmark,
}

/// Computes the figures of a verified round. `layout` is its question's, compiled anew by whoever
/// asks.
pub fn pooled(
    layout: &Layout,
    dictionary: &Dictionary,
    rules: &Privacy,
    verified: &Verified,
) -> Result<Pooled, BenchmarkError> {
    let (wide, sum) = sums(layout, dictionary, verified)?;
    let mut figures = alone(of_sum(&wide, dictionary, rules, sum)?)?;
    let about = about(layout, verified)?;
    figures.inputs = inputs(layout, &figures.inputs, verified)?;
    figures.least_hospitals = about.least;
    let (charge, _) = charges(layout, verified)?;
    figures.spent.charge = charge.to_string();
    figures.spent.charge_nano = charge;
    Ok(Pooled {
        version: 2,
        about,
        figures,
    })
}

/// The sums as one answer in the alliance's name, and the layout with the noise that they carry.
pub(super) fn sums(
    layout: &Layout,
    dictionary: &Dictionary,
    verified: &Verified,
) -> Result<(Layout, Answer), BenchmarkError> {
    let manifest = verified.round.manifest();
    let mechanism = layout.digest().map_err(|_| BenchmarkError::Digest)?;
    if manifest.layout != mechanism || manifest.question != layout.question {
        return Err(BenchmarkError::OtherQuestion(manifest.round.clone()));
    }
    let wide = realised(layout, &verified.totals);
    let blocks = verified.totals.blocks.iter();
    let sum = Answer {
        question: wide.question,
        hospital: dictionary.alliance.clone(),
        snapshots: Vec::new(),
        mechanism: wide.digest().map_err(|_| BenchmarkError::Digest)?,
        policy: Digest::ZERO,
        blocks: blocks.map(|block| Some(block.whole())).collect(),
    };
    Ok((wide, sum))
}

/// What the figures of a round cite: its own layout and uploads.
pub(super) fn inputs(
    layout: &Layout,
    cited: &Inputs,
    verified: &Verified,
) -> Result<Inputs, BenchmarkError> {
    let uploads = verified.certified.survivors().uploads.iter();
    Ok(Inputs {
        mechanism: layout.digest().map_err(|_| BenchmarkError::Digest)?,
        answers: uploads
            .map(|one| (one.hospital.clone(), one.upload))
            .collect(),
        ..cited.clone()
    })
}

/// What an upload costs, and what it costs if the whole committee colludes.
pub(super) fn charges(layout: &Layout, verified: &Verified) -> Result<(Rho, Rho), BenchmarkError> {
    let manifest = verified.round.manifest();
    pooled_charge(layout, (manifest.n_min, manifest.t))
        .map_err(|_| BenchmarkError::OtherQuestion(manifest.round.clone()))
}

/// The facts of a verified round.
pub(super) fn about(layout: &Layout, verified: &Verified) -> Result<PooledRound, BenchmarkError> {
    let manifest = verified.round.manifest();
    let shape = verified.round.shape();
    let honest = f64::from(manifest.n_min.saturating_sub(manifest.t));
    let set = verified.certified.survivors().hospitals();
    let (hospitals, missing) = manifest
        .roster
        .iter()
        .cloned()
        .partition(|hospital| set.contains(hospital));
    Ok(PooledRound {
        round: manifest.round.clone(),
        manifest: *verified.round.hash(),
        survivors: *verified.certified.digest(),
        hospitals,
        missing,
        least: manifest.n_min,
        colluding: manifest.t,
        committee: [shape.m(), shape.f()],
        integrity: verified.totals.integrity,
        worst: charges(layout, verified)?.1.to_string(),
        gain: fixed(libm::sqrt(honest), 2).unwrap_or_default(),
    })
}

/// The layout with the noise that the totals really carry: of every survivor's share, and of
/// rounding them from the round's grid to whole numbers.
fn realised(layout: &Layout, totals: &Totals) -> Layout {
    const UNIT: u128 = 1024;
    let mut wide = layout.clone();
    for (block, total) in wide.blocks.iter_mut().zip(&totals.blocks) {
        // A number rounded to whole ones is off by an even twelfth of one squared.
        let rounding = if total.scale > 0 { UNIT * UNIT / 12 } else { 0 };
        let variance = total.variance.saturating_add(rounding);
        let root = variance.isqrt();
        let up = u128::from(root.saturating_mul(root) < variance);
        let sigma = u64::try_from(root.saturating_add(up)).unwrap_or(u64::MAX);
        block.sigma = Sigma(sigma);
    }
    wide
}

/// Puts the one answerer in the alliance's place.
pub(super) fn alone(mut found: Benchmark) -> Result<Benchmark, BenchmarkError> {
    let own = found.hospitals.pop().ok_or(BenchmarkError::Digest)?;
    found.total = own.totals;
    found.asked.retain(|asked| {
        !matches!(
            asked.figure,
            Kind::CostIndexAlliance
                | Kind::CostObservedExpected
                | Kind::TimeIndexAlliance
                | Kind::TimeObservedExpected
        )
    });
    for row in found.splits.iter_mut().flat_map(|split| &mut split.rows) {
        row.hospitals.clear();
    }
    Ok(found)
}

#[cfg(test)]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "small numbers of a test"
)]
mod tests {
    use schemas::id::Slug;
    use schemas::question::{Block, Measure, Table};
    use schemas::time::{DataYear, Period};

    use super::*;
    use crate::figures::benchmark::{Figure, benchmark};
    use crate::figures::improve::Method;
    use crate::figures::simulation::Source;
    use crate::plan::compile;
    use crate::rules::DEFAULT;
    use crate::template;

    const GROUPS: usize = 12;

    fn dictionary() -> Dictionary {
        let mut table: toml::Table = include_str!("../../dictionaries/chs.toml").parse().unwrap();
        let group = |code: &str| {
            format!(
                "[[groups]]\ncode = \"{code}\"\nname = {{ zh = \"甲\", en = \"a\" }}\nmdc = \"other\"\n\
                 weight_micro = 1000000\nreferences = {{ cost = 100000, charge = 1, stay = 1 }}\n"
            )
        };
        let mut codes: Vec<String> = (1..GROUPS).map(|at| format!("a{at:02}")).collect();
        codes.push("other".to_owned());
        let groups: String = codes.iter().map(|code| group(code)).collect();
        table.extend(groups.parse::<toml::Table>().unwrap());
        table.insert("alliance".to_owned(), "a".into());
        table.insert("version".to_owned(), 1.into());
        let edges = [0, 250, 500, 750, 1000, 1250, 1500, 2000, 2500, 3000, 4000];
        let edges = edges.map(toml::Value::from).to_vec();
        table.insert("bin_edges".to_owned(), toml::Value::Array(edges));
        table.try_into().unwrap()
    }

    /// `yearly-pooled`, and the alliance as a whole beside its case groups.
    fn layout(dictionary: &Dictionary, rules: &Privacy) -> Layout {
        let shipped = template::shipped();
        let pooled = shipped
            .iter()
            .find(|t| t.id.as_str() == "yearly-pooled")
            .unwrap();
        let period = Period::year(DataYear(2025)).unwrap();
        let draft = pooled.draft(dictionary, rules.digest().unwrap(), period);
        let mut question = draft.unwrap().question;
        let field: Slug = "cost".parse().unwrap();
        let blocks = [Measure::Count, Measure::Relative { field }].map(|measure| Block {
            measure,
            rho: "0.02".parse().unwrap(),
        });
        question.tables.push(Table {
            by: Vec::new(),
            blocks: blocks.to_vec(),
        });
        compile(&question.canonical(), dictionary, rules).unwrap()
    }

    /// Numbers of a sum over hospitals: each block's truth and its noise.
    fn drawn(layout: &Layout, stays: &[f64], means: &[f64], source: &mut Source) -> Vec<Vec<f64>> {
        let all: f64 = stays.iter().sum();
        let cost: f64 = stays
            .iter()
            .zip(means)
            .map(|(n, mean)| n * mean * 1000.0)
            .sum();
        let truth = |measure: &Measure, less: f64, whole: bool, width: usize| -> Vec<f64> {
            let each = |of: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
                stays
                    .iter()
                    .zip(means)
                    .map(|(n, mean)| of(*n, *mean))
                    .collect()
            };
            match measure {
                Measure::Count if whole => vec![all],
                Measure::Relative { .. } => vec![cost - less * all],
                Measure::Count => each(&|n, _| n),
                Measure::Sum { .. } => each(&|n, mean| n * (1000.0 * mean - less)),
                Measure::Squares { .. } => {
                    each(&|n, mean| n * (1.2e6 * mean * mean - 2000.0 * less * mean + less * less))
                }
                // Alike in all bins and items.
                _ => stays
                    .iter()
                    .flat_map(|n| vec![n / width as f64; width])
                    .collect(),
            }
        };
        let noised = |block: &crate::plan::BlockLayout| {
            let whole = layout.table_of(block).unwrap().axes.is_empty();
            let (less, width) = (
                f64::from(block.centre),
                usize::try_from(block.width).unwrap(),
            );
            let truth = truth(&block.measure, less, whole, width);
            assert_eq!(truth.len(), layout.numbers(block));
            let sigma = block.sigma.as_f64();
            truth
                .into_iter()
                .map(|value| (value + sigma * source.normal()).round())
                .collect()
        };
        layout.blocks.iter().map(noised).collect()
    }

    fn number(text: &str) -> f64 {
        text.parse().unwrap()
    }

    /// Improved values stand beside raw ones, the raw ones are what they were, and the improved ones
    /// err less: over 60 draws of the noise, in the mean of the squares.
    #[test]
    fn improved_totals_stand_beside_raw_ones_and_err_less() {
        let (dictionary, rules) = (dictionary(), Privacy::parse(DEFAULT).unwrap());
        let layout = layout(&dictionary, &rules);
        let mut source = Source::new(11);
        let stays: Vec<f64> = (0..GROUPS).map(|at| 60.0 + 7.5 * at as f64).collect();
        let means: Vec<f64> = (0..GROUPS).map(|at| 0.9 + 0.02 * at as f64).collect();
        let all: f64 = stays.iter().sum();
        let index = stays
            .iter()
            .zip(&means)
            .map(|(n, mean)| n * mean)
            .sum::<f64>()
            / all;
        let (mut of_means, mut of_stays, mut of_index) = ([0.0; 2], [0.0; 2], [0.0; 2]);
        let mut held = (0.0, 0.0);
        let square = |errors: &mut [f64; 2], figure: &Figure, truth: f64, by: Method| {
            let improved = figure.improved.as_ref().unwrap();
            assert_eq!(improved.method, by);
            for (error, value) in errors.iter_mut().zip([&figure.value, &improved.value]) {
                *error += (number(value) / truth - 1.0).powi(2);
            }
        };
        for _ in 0..60 {
            let blocks = drawn(&layout, &stays, &means, &mut source);
            let whole = |block: &Vec<f64>| Some(block.iter().map(|n| *n as i64).collect());
            let sum = Answer {
                question: layout.question,
                hospital: dictionary.alliance.clone(),
                snapshots: Vec::new(),
                mechanism: layout.digest().unwrap(),
                policy: Digest::ZERO,
                blocks: blocks.iter().map(whole).collect(),
            };
            let reply = (sum.hospital.clone(), Ok(sum.clone()));
            let raw = benchmark(&layout, &dictionary, &rules, &[reply]).unwrap();
            let found = alone(of_sum(&layout, &dictionary, &rules, sum).unwrap()).unwrap();
            let total = &found.total;
            square(
                &mut of_stays,
                total.all.stays.value().unwrap(),
                all,
                Method::LeastSquares,
            );
            let cost = total.cost_index.reference.value().unwrap();
            square(&mut of_index, cost, index, Method::LeastSquares);
            let median = total.all.percentiles.p50.value().unwrap();
            assert_eq!(
                median.improved.as_ref().unwrap().method,
                Method::AnchoredCumulative
            );
            let rows = found.splits[0].rows.iter().zip(&raw.splits[0].rows);
            for ((row, raw), mean) in rows.zip(&means) {
                let Some(figure) = row.alliance.mean_cost.value() else {
                    continue;
                };
                let before = raw.hospitals[0].mean_cost.value().unwrap();
                assert_eq!(
                    (&figure.value, &figure.noise),
                    (&before.value, &before.noise)
                );
                square(&mut of_means, figure, mean * 1000.0, Method::EmpiricalBayes);
                let interval = &figure.improved.as_ref().unwrap().interval;
                let high = number(interval.high.as_ref().unwrap());
                let holds = (number(&interval.low)..=high).contains(&(mean * 1000.0));
                held = (held.0 + f64::from(u8::from(holds)), held.1 + 1.0);
            }
        }
        for [raw, improved] in [of_means, of_stays, of_index] {
            assert!(improved < raw, "{improved} {raw}");
        }
        assert!(of_means[1] < 0.7 * of_means[0], "{of_means:?}");
        assert!(held.1 > 500.0 && held.0 / held.1 > 0.93, "{held:?}");
    }
}
