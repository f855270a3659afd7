//! Coverage: over many draws of noise, how often the true value of what a shown figure declares
//! lies in its 95 % noise interval, by measure and size band (true number of stays).
//!
//! Required where a measure has at least 2,000 intervals in a band: 93 to 97 % for counts, sums and
//! means in bands from 11 stays on, whose noise has σ ≥ 5; at least 93 % for percentiles, shares,
//! ratios, dispersion and cells below 11 stays. With a true coverage of 95 %, 2,000 intervals miss
//! 93 % with probability 2e-5, 4,000 with 3e-9; below 4,000 the bar is lowered by so much that a
//! false alarm stays below 1e-6 (4.8 standard errors). Intervals of counts end at whole numbers and
//! hold up to 96.5 %, so that the upper bar moves by as much for them.

mod tally;

use node::noise::{Gaussian, Source as _};
use policies::figures::benchmark::{Benchmark, Cell, Totals};
use policies::figures::{Replies, benchmark};
use policies::plan::Layout;
use policies::rules::Privacy;
use schemas::answer::Answer;
use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::question::Measure;
use tests::fixture::long;

use crate::simulated;
use tally::Tally;

/// A hospital: its exact cells, and the uncapped costs of its stays by case group, in fen.
pub(crate) struct Held {
    pub(crate) id: Slug,
    pub(crate) exact: Vec<Vec<i64>>,
    pub(crate) costs: Vec<Vec<f64>>,
}

/// An alliance whose truth is known.
pub(crate) struct World {
    pub(crate) dictionary: Dictionary,
    pub(crate) layout: Layout,
    pub(crate) rules: Privacy,
    pub(crate) hospitals: Vec<Held>,
}

/// True values of the declared estimands of a cell.
struct Truth {
    stays: f64,
    total_cost: f64,
    mean_stay: f64,
    deviation: f64,
    variation: f64,
    percentiles: [Option<f64>; 4],
    capped: f64,
    above: f64,
}

fn band(stays: f64) -> &'static str {
    match stays {
        n if n < 11.0 => "n < 11",
        n if n < 30.0 => "n 11-29",
        n if n < 100.0 => "n 30-99",
        n if n < 300.0 => "n 100-299",
        _ => "n 300+",
    }
}

fn field(name: &str) -> Slug {
    simulated::slug(name)
}

fn sum(name: &str) -> Measure {
    Measure::Sum { field: field(name) }
}

impl World {
    fn groups(&self) -> usize {
        self.dictionary.groups.len()
    }

    /// The exact numbers of a cell, over hospitals; of centred blocks what they were before.
    fn numbers(&self, who: &[usize], by: &[&str], measure: &Measure, cell: usize) -> Vec<f64> {
        let said = self.said(who, by, measure, cell);
        let table = self.layout.table_by(by).unwrap();
        let centre =
            f64::from(self.layout.blocks[self.layout.find(table, measure).unwrap()].centre);
        if centre == 0.0 {
            return said;
        }
        let stays = self.said(who, by, &Measure::Count, cell)[0];
        match measure {
            // Σ v² = Σ (v − c)² + 2c·Σ (v − c) + c²·N
            Measure::Squares { field } => {
                let first = self.said(who, by, &sum(field.as_str()), cell)[0];
                vec![said[0] + 2.0 * centre * first + centre * centre * stays]
            }
            _ => vec![said[0] + centre * stays],
        }
    }

    /// The exact numbers of a cell as they are asked, over hospitals.
    fn said(&self, who: &[usize], by: &[&str], measure: &Measure, cell: usize) -> Vec<f64> {
        let table = self.layout.table_by(by).unwrap();
        let block = self.layout.find(table, measure).unwrap();
        let width = self.layout.blocks[block].width as usize;
        let of = |number: usize| {
            let each = who
                .iter()
                .map(|at| self.hospitals[*at].exact[block][cell * width + number]);
            each.sum::<i64>() as f64
        };
        (0..width).map(of).collect()
    }

    fn by_group(&self, who: &[usize], measure: &Measure, group: usize) -> f64 {
        self.numbers(who, &["case_group"], measure, group)[0]
    }

    /// A case group, or with `None` all stays.
    fn truth(&self, who: &[usize], group: Option<usize>) -> Truth {
        let groups = group.map_or(0..self.groups(), |group| group..group + 1);
        let reference = |group: usize| self.dictionary.groups[group].references;
        let total = |measure: &Measure, weight: &dyn Fn(usize) -> f64| -> f64 {
            let groups = groups.clone();
            groups
                .map(|group| self.by_group(who, measure, group) * weight(group))
                .sum()
        };
        let stays = total(&Measure::Count, &|_| 1.0);
        let total_cost = total(&sum("cost"), &|group| reference(group).cost as f64 * 1e-5);
        let days = total(&sum("los"), &|group| reference(group).stay as f64 * 1e-6);
        let cost = Measure::Squares {
            field: field("cost"),
        };
        let (first, second) = (total(&sum("cost"), &|_| 1.0), total(&cost, &|_| 1.0));
        let variance = second / stays - (first / stays).powi(2);
        let deviation = variance.max(0.0).sqrt();
        let unit = group.map_or(f64::NAN, |group| reference(group).cost as f64 * 1e-5);
        let mut costs: Vec<f64> = Vec::new();
        for at in who {
            for group in groups.clone() {
                let factor = match unit {
                    unit if unit.is_nan() => 1.0 / reference(group).cost as f64,
                    _ => 0.01,
                };
                costs.extend(
                    self.hospitals[*at].costs[group]
                        .iter()
                        .map(|cost| cost * factor),
                );
            }
        }
        costs.sort_by(f64::total_cmp);
        let rank = |percent: usize| {
            costs
                .get((costs.len() * percent).div_ceil(100).max(1) - 1)
                .copied()
        };
        let bins: Vec<f64> = {
            let histogram = Measure::Histogram {
                field: field("cost"),
            };
            let each = groups
                .clone()
                .map(|g| self.numbers(who, &["case_group"], &histogram, g));
            each.reduce(|a, b| a.iter().zip(&b).map(|(a, b)| a + b).collect())
                .unwrap()
        };
        let edges = &self.dictionary.bin_edges;
        let cap = self.dictionary.cap * 1000;
        let over = edges.iter().zip(&bins).filter(|(edge, _)| **edge >= cap);
        let capped: f64 = over.map(|(_, count)| count).sum();
        let middle = |bin: usize| match edges.get(bin + 1) {
            Some(end) => (f64::from(edges[bin]) * f64::from(*end)).sqrt(),
            None => f64::from(edges[bin]),
        };
        let over = (0..edges.len()).filter(|bin| edges[*bin] >= cap);
        let above: f64 = over
            .map(|bin| bins[bin] * (middle(bin) - f64::from(cap)) / 1000.0)
            .sum();
        Truth {
            stays,
            total_cost,
            mean_stay: days / stays,
            deviation: deviation * unit,
            variation: deviation / (first / stays),
            percentiles: [25, 50, 75, 90].map(rank),
            capped: capped / stays,
            above: above / stays,
        }
    }

    /// True indices of a hospital against the alliance over the chosen groups, and ratios of sums.
    fn against(&self, own: usize, name: &str, chosen: &[usize]) -> (f64, f64) {
        let everyone: Vec<usize> = (0..self.hospitals.len()).collect();
        let (mut top, mut stays, mut observed, mut expected) = (0.0, 0.0, 0.0, 0.0);
        for group in chosen {
            let of = |who: &[usize], measure: &Measure| self.by_group(who, measure, *group);
            let (n, s) = (of(&[own], &Measure::Count), of(&[own], &sum(name)));
            let mean = of(&everyone, &sum(name)) / of(&everyone, &Measure::Count);
            let references = self.dictionary.groups[*group].references;
            let weight = if name == "cost" {
                references.cost
            } else {
                references.stay
            } as f64;
            top += s / mean;
            stays += n;
            observed += s * weight;
            expected += n * mean * weight;
        }
        (top / stays, observed / expected)
    }

    /// The groups of an alliance yardstick: shown, and at five standard deviations of the noise.
    fn chosen(&self, replies: &Replies, found: &Benchmark, name: &str) -> Vec<usize> {
        let table = self.layout.table_by(&["case_group"]).unwrap();
        let clear = |measure: &Measure, group: usize| {
            let block = self.layout.find(table, measure).unwrap();
            let counted = self.layout.find(table, &Measure::Count).unwrap();
            let less = self.layout.blocks[block].centre;
            let answers = replies
                .iter()
                .map(|reply| &reply.1.as_ref().unwrap().blocks);
            let number = |of: &Vec<Option<Vec<i64>>>, at: usize| of[at].as_ref().unwrap()[group];
            let all: i64 = answers
                .map(|of| number(of, block) + i64::from(less) * number(of, counted))
                .sum();
            let square = |at: usize| self.layout.blocks[at].sigma.as_f64().powi(2);
            let one = square(block) + f64::from(less).powi(2) * square(counted);
            all as f64 > 5.0 * (one * replies.len() as f64).sqrt()
        };
        let rows = &found.splits[0].rows;
        let shown = |group: &usize| {
            let cell = &rows[*group].alliance;
            let mean = if name == "cost" {
                &cell.mean_cost
            } else {
                &cell.mean_stay
            };
            mean.value().is_some() && clear(&Measure::Count, *group) && clear(&sum(name), *group)
        };
        (0..self.groups()).filter(shown).collect()
    }

    /// The benchmark of these answers, hospital by hospital in this world's order.
    pub(crate) fn benchmark(
        &self,
        blocks: Vec<Vec<Option<Vec<i64>>>>,
    ) -> (
        Vec<(Slug, Result<Answer, schemas::outcome::Reason>)>,
        Benchmark,
    ) {
        let answer = |(held, blocks): (&Held, Vec<Option<Vec<i64>>>)| {
            let answer = Answer {
                question: self.layout.question,
                hospital: held.id.clone(),
                snapshots: Vec::new(),
                mechanism: self.layout.digest().unwrap(),
                policy: Digest::ZERO,
                blocks,
            };
            (held.id.clone(), Ok(answer))
        };
        let replies: Vec<_> = self.hospitals.iter().zip(blocks).map(answer).collect();
        let found = benchmark(&self.layout, &self.dictionary, &self.rules, &replies).unwrap();
        (replies, found)
    }

    /// So many draws of noise; `draw` gives the noisy blocks of a hospital.
    pub(crate) fn cover(&self, runs: u32, draw: impl Fn(usize) -> Vec<Option<Vec<i64>>>) -> Tally {
        let everyone: Vec<usize> = (0..self.hospitals.len()).collect();
        let truths = |who: &[usize]| -> Vec<Truth> {
            (0..self.groups())
                .map(|group| self.truth(who, Some(group)))
                .collect()
        };
        let alliance = (self.truth(&everyone, None), truths(&everyone));
        let each: Vec<_> = everyone
            .iter()
            .map(|at| (self.truth(&[*at], None), truths(&[*at])))
            .collect();
        let mut tally = Tally::default();
        for _ in 0..runs {
            let (replies, found) = self.benchmark(everyone.iter().map(|at| draw(*at)).collect());
            for (group, row) in found.splits[0].rows.iter().enumerate() {
                note_cell(&mut tally, "alliance", &row.alliance, &alliance.1[group]);
                for (cell, (_, truths)) in row.hospitals.iter().zip(&each) {
                    note_cell(&mut tally, band(truths[group].stays), cell, &truths[group]);
                }
            }
            note_cell(&mut tally, "alliance", &found.total.all, &alliance.0);
            let chosen = ["cost", "los"].map(|name| self.chosen(&replies, &found, name));
            for (at, (hospital, (truth, _))) in found.hospitals.iter().zip(&each).enumerate() {
                note_cell(&mut tally, "hospital", &hospital.totals.all, truth);
                self.note_totals(&mut tally, at, &hospital.totals, &chosen);
            }
        }
        tally
    }

    fn note_totals(&self, tally: &mut Tally, at: usize, totals: &Totals, chosen: &[Vec<usize>; 2]) {
        let who = [at];
        let weight = |group: usize| self.dictionary.groups[group].weight_micro as f64 / 1e6;
        let counts = (0..self.groups()).map(|group| self.by_group(&who, &Measure::Count, group));
        let weighted: f64 = counts
            .clone()
            .enumerate()
            .map(|(group, n)| n * weight(group))
            .sum();
        tally.note(
            "cmi",
            "hospital",
            &totals.cmi,
            weighted / counts.sum::<f64>(),
        );
        let names = [
            ("cost", "cost_index_ref", "cost_index_alliance", "cost_oe"),
            ("los", "time_index_ref", "time_index_alliance", "time_oe"),
        ];
        let indices = [&totals.cost_index, &totals.time_index];
        for (((name, reference, alliance, sums), said), chosen) in
            names.into_iter().zip(indices).zip(chosen)
        {
            let relative = Measure::Relative { field: field(name) };
            let whole = |measure: &Measure| self.numbers(&who, &[], measure, 0)[0];
            let index = whole(&relative) / whole(&Measure::Count) / 1000.0;
            tally.note(reference, "hospital", &said.reference, index);
            let (of_means, of_sums) = self.against(at, name, chosen);
            tally.note(alliance, "hospital", &said.alliance, of_means);
            tally.note(sums, "hospital", &said.observed_expected, of_sums);
        }
    }
}

fn note_cell(tally: &mut Tally, band: &'static str, cell: &Cell, truth: &Truth) {
    tally.note("stays", band, &cell.stays, truth.stays);
    // Means and shares of no stays are not defined.
    if truth.stays == 0.0 {
        return;
    }
    tally.note("total_cost", band, &cell.total_cost, truth.total_cost);
    tally.note(
        "mean_cost",
        band,
        &cell.mean_cost,
        truth.total_cost / truth.stays,
    );
    tally.note("mean_stay", band, &cell.mean_stay, truth.mean_stay);
    tally.note("deviation", band, &cell.deviation, truth.deviation);
    tally.note("variation", band, &cell.variation, truth.variation);
    tally.note("capped_share", band, &cell.capped_share, truth.capped);
    tally.note("above_cap", band, &cell.above_cap, truth.above);
    let names = ["p25", "p50", "p75", "p90"];
    for ((name, said), truth) in names
        .into_iter()
        .zip(cell.percentiles.all())
        .zip(truth.percentiles)
    {
        tally.note(name, band, said, truth.unwrap());
    }
}

/// Noise of the node's sampler on every block.
fn gaussian(layout: &Layout, exact: &[Vec<i64>]) -> Vec<Option<Vec<i64>>> {
    let pairs = layout.blocks.iter().zip(exact);
    pairs
        .map(|(block, cells)| Some(Gaussian.add(cells, block).unwrap()))
        .collect()
}

/// A made-up alliance, so that the check runs everywhere.
#[test]
fn intervals_cover_on_a_made_up_alliance() {
    let (dictionary, rules) = (simulated::dictionary(), simulated::rules());
    let layout = simulated::layout(&dictionary, &rules, false);
    let mut source = simulated::Source(2026);
    let made = [
        ("a", 6000, 1.1),
        ("b", 3000, 1.0),
        ("c", 2000, 0.9),
        ("d", 1100, 1.05),
    ];
    let hospitals = made.map(|(id, n, level)| {
        let stays = simulated::stays(&dictionary, n, level, &mut source);
        let of = |group: usize| stays.iter().filter(|s| s.0 == group).map(|s| s.1).collect();
        Held {
            id: simulated::slug(id),
            exact: simulated::exact(&layout, &dictionary, &stays),
            costs: (0..dictionary.groups.len()).map(of).collect(),
        }
    });
    let world = World {
        dictionary,
        layout,
        rules,
        hospitals: hospitals.into(),
    };
    let runs = if long() { 400 } else { 50 };
    let tally = world.cover(runs, |at| {
        gaussian(&world.layout, &world.hospitals[at].exact)
    });
    tally.judge(&format!("made-up alliance of four, {runs} runs"));
}
