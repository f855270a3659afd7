//! Means of hospitals × groups, each shrunk toward what its peers lead to expect: the level of the
//! hospital in its other groups times the level of the group at the other hospitals. Neither is
//! computed from the cell itself, so the noise of a cell does not confirm itself.
//!
//! Means are multiples of the group's reference, which is public, so that 1 is a first guess for
//! every group; how far groups lie from it is estimated too ([`among_groups`]) and decides how much
//! the guess weighs beside the other hospitals. Levels are means weighted by inverse variances,
//! noise and spread together (DerSimonian and Laird 1986), found by a few rounds of alternation.

use super::shrink::{Seen, Shrunken, between, shrink};

/// A shown cell as it came out of the noise.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Mean {
    /// Number of stays, above zero.
    pub count: f64,
    /// Sum in thousandths of the reference.
    pub sum: f64,
}

/// Variances of the noise of every cell of a table.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Noise {
    /// Of a count.
    pub count: f64,
    /// Of a sum in thousandths of the reference.
    pub sum: f64,
}

impl Noise {
    /// Relative variance of the mean of so many stays of which `expected` is expected.
    fn of_mean(&self, count: f64, expected: f64) -> f64 {
        let size = 1000.0 * expected * count;
        let of_count = 1e6 * expected * expected * self.count;
        (self.sum + of_count) / (size * size)
    }
}

/// Shrunken means in multiples of the reference, row by row; nothing where a cell was not shown or
/// has no peers, and the raw mean stands alone.
#[derive(Clone, PartialEq, Debug)]
pub struct Fitted {
    /// The relative spread τ² around what is expected; `None` where too few have peers.
    pub spread: Option<f64>,
    /// The cells.
    pub cells: Vec<Vec<Option<Shrunken>>>,
}

/// Rounds of alternation; the levels move by less than the noise after three.
const ROUNDS: u32 = 8;
/// Other hospitals that a cell needs to have peers, as a figure across hospitals does (three in
/// all), and other groups of its hospital.
const PEERS: [u32; 2] = [2, 3];
/// Relative spread (τ = 20 %) from which the first round weighs.
const FIRST: f64 = 0.04;

/// One mean a group, all of one source (an alliance, or a single hospital): shrunk toward the level
/// of the other groups.
pub fn among_groups(means: &[Option<Mean>], noise: &Noise) -> Fitted {
    fit(&[means.to_vec()], noise, 0.0, 0)
}

/// One row a hospital, one column a group. `groups` are the groups' means over all hospitals, with
/// the noise of those: how far they lie from the reference tells how much the reference tells.
pub fn among_peers(table: &[Vec<Option<Mean>>], noise: &Noise, groups: &Fitted) -> Fitted {
    let reference = groups.spread.unwrap_or(f64::INFINITY);
    fit(table, noise, reference, PEERS[0])
}

/// A weighted sum, its weight, and from how many it is.
#[derive(Clone, Copy, Default)]
struct Level {
    top: f64,
    weight: f64,
    count: u32,
}

impl Level {
    fn add(&mut self, value: f64, weight: f64) {
        self.top += weight * value;
        self.weight += weight;
        self.count = self.count.saturating_add(1);
    }

    /// Without one of its values, if `peers` others are left.
    fn without(self, value: f64, weight: f64, peers: u32) -> Option<Self> {
        let left = Self {
            top: self.top - weight * value,
            weight: self.weight - weight,
            count: self.count.checked_sub(1)?,
        };
        (left.count >= peers).then_some(left)
    }

    /// The mean and its variance, with a first guess of 1 of this variance.
    fn beside_one(self, variance: f64) -> Option<(f64, f64)> {
        if variance <= 0.0 {
            return Some((1.0, 0.0));
        }
        let weight = self.weight + 1.0 / variance;
        let mean = (self.top + 1.0 / variance) / weight;
        (weight > 0.0 && mean > 0.0).then_some((mean, 1.0 / weight))
    }
}

/// Alternates levels and spread. Groups lie around their reference by `reference`, zero to take it
/// as it is; a cell needs `peers` other rows.
fn fit(table: &[Vec<Option<Mean>>], noise: &Noise, reference: f64, peers: u32) -> Fitted {
    let columns = table.iter().map(Vec::len).max().unwrap_or(0);
    let mut by_row = vec![1.0; table.len()];
    let mut by_column = vec![1.0; columns];
    let mut spread = FIRST;
    let mut fitted = Fitted {
        spread: None,
        cells: Vec::new(),
    };
    for _ in 0..ROUNDS {
        // A cell's mean and its weight, by what is expected of it so far.
        let weighed = |row: f64, column: f64, mean: &Option<Mean>| {
            let mean = mean.as_ref()?;
            let variance = noise.of_mean(mean.count, row * column);
            let weight = 1.0 / (variance + spread);
            (weight > 0.0 && weight.is_finite())
                .then_some((mean.sum / (1000.0 * mean.count), weight))
        };
        let rows = table.iter().zip(&by_row);
        let cells: Vec<Vec<Option<(f64, f64)>>> = rows
            .map(|(means, row)| {
                let pairs = means.iter().zip(&by_column);
                pairs
                    .map(|(mean, column)| weighed(*row, *column, mean))
                    .collect()
            })
            .collect();
        let mut of_columns = vec![Level::default(); columns];
        for (row, level) in cells.iter().zip(&by_row) {
            for (cell, of_column) in row.iter().zip(&mut of_columns) {
                if let Some((value, weight)) = cell {
                    of_column.add(value / level, *weight);
                }
            }
        }
        let level = |of: &Level| of.beside_one(reference).map_or(1.0, |found| found.0);
        by_column = of_columns.iter().map(level).collect();
        let mut of_rows = vec![Level::default(); cells.len()];
        for (row, of_row) in cells.iter().zip(&mut of_rows) {
            for (cell, level) in row.iter().zip(&by_column) {
                if let Some((value, weight)) = cell {
                    of_row.add(value / level, *weight);
                }
            }
        }
        // What the others lead to expect of each cell, relative to which it is seen.
        let mut seen: Vec<Vec<Option<(Seen, f64)>>> = Vec::with_capacity(cells.len());
        for (place, (row, of_row)) in cells.iter().zip(&of_rows).enumerate() {
            let before = by_row.get(place).copied().unwrap_or(1.0);
            let around = row.iter().zip(of_columns.iter().zip(&by_column));
            let counts = table.get(place).into_iter().flatten();
            let expected = around
                .zip(counts)
                .map(|((cell, (of_column, level)), mean)| {
                    let ((value, weight), mean) = ((*cell)?, mean.as_ref()?);
                    let group = of_column.without(value / before, weight, peers)?;
                    let group = group.beside_one(reference)?;
                    let own = of_row.without(value / level, weight, PEERS[1])?;
                    let own = (own.top / own.weight, 1.0 / own.weight);
                    let expected = own.0 * group.0;
                    (own.0 > 0.0 && expected.is_finite()).then_some((
                        Seen {
                            value: value / expected,
                            variance: noise.of_mean(mean.count, expected),
                            expected: 1.0,
                            doubt: group.1 + own.1,
                        },
                        expected,
                    ))
                });
            seen.push(expected.collect());
        }
        let all: Vec<Seen> = seen.iter().flatten().flatten().map(|one| one.0).collect();
        fitted = shrunken(&seen, between(&all), all.len());
        spread = fitted.spread.unwrap_or(FIRST);
        let mean = |of: &Level| of.top / of.weight;
        by_row = of_rows
            .iter()
            .map(|of| if of.top > 0.0 { mean(of) } else { 1.0 })
            .collect();
    }
    fitted
}

/// Back from multiples of what is expected to multiples of the reference.
fn shrunken(seen: &[Vec<Option<(Seen, f64)>>], spread: Option<f64>, units: usize) -> Fitted {
    let one = |cell: &Option<(Seen, f64)>| {
        let ((seen, expected), spread) = ((*cell)?, spread?);
        let found = shrink(&seen, spread, units);
        Some(Shrunken {
            value: found.value * expected,
            variance: found.variance * expected * expected,
            weight: found.weight,
        })
    };
    Fitted {
        spread,
        cells: seen
            .iter()
            .map(|row| row.iter().map(one).collect())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::simulation::Source;

    /// Six hospitals of different level and forty groups of different level and size: raw and
    /// shrunken mean squared error of relative means, coverage, and the spread found.
    fn simulate(seed: u64, between: f64, groups_apart: f64, cost: f64) -> [f64; 4] {
        let noise = Noise {
            count: 25.0 * cost,
            sum: 1e8 * cost,
        };
        let mut source = Source::new(seed);
        let (mut raw, mut better, mut held, mut count) = (0.0, 0.0, 0_u32, 0.0);
        let (mut spreads, runs) = (0.0, 60_u32);
        for _ in 0..runs {
            let levels: Vec<f64> = (0..6).map(|h| 0.7 + 0.12 * f64::from(h)).collect();
            let of_group: Vec<f64> = (0..40)
                .map(|_| 1.0 + groups_apart * source.normal())
                .collect();
            let mut truths = Vec::new();
            let mut table = Vec::new();
            let mut sums = vec![(0.0, 0.0); 40];
            for level in &levels {
                let (mut own, mut row) = (Vec::new(), Vec::new());
                for (group, sum) in of_group.iter().zip(&mut sums) {
                    let n = (20.0 + 400.0 * source.uniform() * source.uniform()).floor();
                    let truth = level * group * (1.0 + between * source.normal());
                    let mean = Mean {
                        count: n + libm::sqrt(noise.count) * source.normal(),
                        sum: 1000.0 * n * truth + libm::sqrt(noise.sum) * source.normal(),
                    };
                    sum.0 += mean.count;
                    sum.1 += mean.sum;
                    own.push(truth);
                    let shown = mean.count >= 11.0 && mean.count > 2.0 * libm::sqrt(noise.count);
                    row.push(shown.then_some(mean));
                }
                truths.push(own);
                table.push(row);
            }
            let alliance = |sum: &(f64, f64)| {
                Some(Mean {
                    count: sum.0,
                    sum: sum.1,
                })
            };
            let alliance: Vec<Option<Mean>> = sums.iter().map(alliance).collect();
            let of_alliance = Noise {
                count: 6.0 * noise.count,
                sum: 6.0 * noise.sum,
            };
            let groups = among_groups(&alliance, &of_alliance);
            let found = among_peers(&table, &noise, &groups);
            spreads += found.spread.unwrap() / f64::from(runs);
            for (row, (own, means)) in found.cells.iter().zip(truths.iter().zip(&table)) {
                for (cell, (truth, mean)) in row.iter().zip(own.iter().zip(means)) {
                    let (Some(cell), Some(mean)) = (cell, mean) else {
                        continue;
                    };
                    let released = mean.sum / mean.count / 1000.0;
                    raw += (released - truth) * (released - truth) / (truth * truth);
                    better += (cell.value - truth) * (cell.value - truth) / (truth * truth);
                    held += u32::from(cell.bounds().holds(*truth));
                    count += 1.0;
                }
            }
        }
        [
            raw / count,
            better / count,
            f64::from(held) / count,
            spreads,
        ]
    }

    #[test]
    fn peers_lower_the_error_and_intervals_hold_on_average() {
        for (seed, between, apart, cost, factor) in [
            (71, 0.10, 0.10, 1.0, 0.5),
            (72, 0.10, 0.10, 4.0, 0.25),
            (73, 0.02, 0.0, 1.0, 0.15),
            (74, 0.40, 0.30, 1.0, 1.0),
        ] {
            let [raw, better, covered, spread] = simulate(seed, between, apart, cost);
            println!(
                "spread {between}: error² {raw:.4} → {better:.4}, covered {covered:.4}, found {:.3}",
                spread.sqrt()
            );
            assert!(better < factor * raw, "{between}: {better} of {raw}");
            assert!(covered > 0.93, "{between}: {covered}");
            assert!((spread.sqrt() - between).abs() < 0.35 * between.max(0.05));
        }
    }

    /// Two hospitals, or a group at one hospital only, have no peers: nothing is said of them.
    #[test]
    fn without_peers_the_raw_mean_stands_alone() {
        let noise = Noise {
            count: 25.0,
            sum: 1e8,
        };
        let mean = |n: f64| {
            Some(Mean {
                count: n,
                sum: 1000.0 * n,
            })
        };
        let row: Vec<Option<Mean>> = (1..12).map(|k| mean(50.0 * f64::from(k))).collect();
        let groups = among_groups(&row, &noise);
        assert!(groups.cells[0].iter().all(Option::is_some));
        let two = among_peers(&[row.clone(), row.clone()], &noise, &groups);
        assert!(two.cells.iter().flatten().all(Option::is_none));
        assert_eq!(two.spread, None);
        let mut table = vec![row.clone(), row.clone(), row];
        table[1][4] = None;
        let three = among_peers(&table, &noise, &groups);
        assert!(three.cells[0][3].is_some() && three.cells[0][4].is_none());
        assert!(three.cells[1][4].is_none());
        let empty = among_peers(&[], &noise, &groups);
        assert!(empty.cells.is_empty());
    }
}
