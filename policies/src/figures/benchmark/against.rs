//! A hospital against the alliance: indices over the case groups whose alliance figure is shown.

use dashu::rational::RBig;
use schemas::answer::Answer;
use schemas::id::Slug;
use schemas::outcome::Outcome;
use schemas::question::Measure;

use super::cell::{figure, shown, sum_of};
use super::scope::{Context, Scope, cells};
use super::types::Figure;
use crate::disclosure::Z95;
use crate::figures::decimal::{float, half_up};
use crate::figures::indices::{self, Pair, Total};
use crate::figures::interval;

/// The alliance's mean of a field in each case group that is shown and not mostly noise.
///
/// Groups are chosen by the alliance's figures, and all cells of a chosen group count, those that
/// are hidden for a hospital too: choosing a hospital's cells by their own noisy counts would
/// count noise that is more often up than down.
#[derive(Debug)]
pub(super) struct Yardstick {
    hospitals: f64,
    who: Vec<Slug>,
    count_block: usize,
    sum_block: usize,
    sigma_count: f64,
    sigma_sum: f64,
    /// What each stay counts less in the sums, with which they are rebuilt.
    centre: u32,
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    cell: usize,
    reference: u64,
    total: Total,
}

/// A hospital's numbers in one group beside the alliance's, as floats.
struct Line {
    count: f64,
    sum: f64,
    all_count: f64,
    all_sum: f64,
    reference: f64,
}

impl Yardstick {
    /// The yardstick of a field; `None` where it was not asked by case group, or too few hospitals
    /// have it.
    pub(super) fn new<'a>(
        context: &'a Context<'a>,
        who: &[&'a Answer],
        field: Option<&Slug>,
    ) -> Option<Self> {
        let field = field?;
        let table = context.layout.table_by(&["case_group"])?;
        let measures = [Measure::Count, sum_of(field)];
        let block = |measure: &Measure| {
            let position = context.layout.find(table, measure)?;
            Some((
                position,
                context.layout.blocks.get(position)?.sigma.as_f64(),
            ))
        };
        let (count_block, sigma_count) = block(&Measure::Count)?;
        let (sum_block, sigma_sum) = block(&sum_of(field))?;
        let scope = Scope {
            context,
            who: who.to_vec(),
            table,
            cells: Vec::new(),
            across: true,
        };
        let scope = scope.having(&measures)?;
        let clear = |value: f64, sigma: f64| value > 5.0 * sigma;
        let group = |cell: usize| {
            let mut one = scope.clone();
            one.cells = vec![cell];
            let one = shown(&one, &measures).ok()?;
            let (count, sum) = (one.count()?, one.plain(&sum_of(field), |_| 1)?.sum);
            let known = clear(count.float(), count.sigma()) && clear(sum.float(), sum.sigma());
            known.then(|| Group {
                cell,
                reference: one.reference(cell, field).unwrap_or(0),
                total: Total {
                    sum: RBig::from(sum.value),
                    n: RBig::from(count.value),
                },
            })
        };
        Some(Self {
            hospitals: f64::from(u32::try_from(scope.who.len()).ok()?),
            who: scope.who.iter().map(|a| a.hospital.clone()).collect(),
            count_block,
            sum_block,
            sigma_count,
            sigma_sum,
            centre: scope.centre(&sum_of(field))?,
            groups: (0..cells(context.layout, table))
                .filter_map(group)
                .collect(),
        })
    }

    /// The hospital's index, or with `ratio_of_sums` its observed over expected.
    pub(super) fn index(&self, own: &Answer, ratio_of_sums: bool) -> Outcome<Figure> {
        if !self.who.contains(&own.hospital) {
            return Outcome::NoData;
        }
        self.computed(own, ratio_of_sums)
            .unwrap_or(Outcome::Suppressed)
    }

    fn computed(&self, own: &Answer, ratio_of_sums: bool) -> Option<Outcome<Figure>> {
        let number =
            |block: usize, cell: usize| own.blocks.get(block)?.as_ref()?.get(cell).copied();
        let (mut pairs, mut lines) = (Vec::new(), Vec::new());
        for group in &self.groups {
            let count = RBig::from(number(self.count_block, group.cell)?);
            let sum = RBig::from(number(self.sum_block, group.cell)?);
            let sum = sum + &count * RBig::from(self.centre);
            // Sums are in thousandths of the group's reference; a ratio of sums weighs by money.
            let unit = RBig::from(if ratio_of_sums { group.reference } else { 1 });
            lines.push(Line {
                count: float(&count),
                sum: float(&sum),
                all_count: float(&group.total.n),
                all_sum: float(&group.total.sum),
                reference: float(&unit),
            });
            pairs.push(Pair {
                own: Total {
                    sum: sum * &unit,
                    n: count,
                },
                benchmark: Total {
                    sum: &group.total.sum * &unit,
                    n: group.total.n.clone(),
                },
            });
        }
        let (value, sigma) = if ratio_of_sums {
            let value = indices::observed_expected(&pairs)?;
            let sigma = self.sigma_of_sums(&lines, float(&value))?;
            (value, sigma)
        } else {
            let value = indices::consumption(&pairs)?;
            let sigma = self.sigma_of_means(&lines, float(&value))?;
            (value, sigma)
        };
        if value < RBig::ZERO || !sigma.is_finite() {
            return None;
        }
        let bounds = interval::around(float(&value), sigma).at_least(0.0);
        Some(figure(half_up(&value, 4), Some(bounds), None, 4))
    }

    /// Delta method for Σ Sᵢ·(Nᴬᵢ/Sᴬᵢ) / Σ Nᵢ, where the alliance's sums contain the hospital's, and
    /// rebuilt sums centre × the counts.
    fn sigma_of_means(&self, lines: &[Line], index: f64) -> Option<f64> {
        let bottom: f64 = lines.iter().map(|line| line.count).sum();
        let terms = f64::from(u32::try_from(lines.len()).ok()?);
        if bottom <= Z95 * self.sigma_count * libm::sqrt(terms) {
            return None;
        }
        let (others, centre) = (self.hospitals - 1.0, f64::from(self.centre));
        let variance: f64 = lines
            .iter()
            .map(|line| {
                let inverse = line.all_count / line.all_sum;
                let part = line.sum / line.all_sum;
                // Slopes along the hospital's own sum and another's, then their counts.
                let of_sums = [inverse * (1.0 - part), -inverse * part];
                let of_counts = [
                    part - index + centre * of_sums[0],
                    part + centre * of_sums[1],
                ];
                let sums = square(of_sums[0]) + others * square(of_sums[1]);
                let counts = square(of_counts[0]) + others * square(of_counts[1]);
                square(self.sigma_sum) * sums + square(self.sigma_count) * counts
            })
            .sum();
        Some(libm::sqrt(variance) / bottom)
    }

    /// Delta method for Σ Sᵢ·rᵢ / Σ Nᵢ·rᵢ·(Sᴬᵢ/Nᴬᵢ).
    fn sigma_of_sums(&self, lines: &[Line], index: f64) -> Option<f64> {
        let (others, centre) = (self.hospitals - 1.0, f64::from(self.centre));
        let (mut expected, mut variance, mut noise) = (0.0, 0.0, 0.0);
        for line in lines {
            let price = line.reference * line.all_sum / line.all_count;
            let part = line.count / line.all_count;
            expected += line.count * price;
            noise += square(self.sigma_count * price);
            // As above, each times what is expected.
            let of_sums = [
                line.reference * (1.0 - index * part),
                -line.reference * index * part,
            ];
            let of_counts = [
                centre * of_sums[0] - index * price * (1.0 - part),
                centre * of_sums[1] + index * price * part,
            ];
            let sums = square(of_sums[0]) + others * square(of_sums[1]);
            let counts = square(of_counts[0]) + others * square(of_counts[1]);
            variance += square(self.sigma_sum) * sums + square(self.sigma_count) * counts;
        }
        (expected > Z95 * libm::sqrt(noise)).then(|| libm::sqrt(variance) / expected)
    }
}

fn square(value: f64) -> f64 {
    value * value
}
