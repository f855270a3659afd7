//! Own exact figures held against the alliance's benchmark: the gap in money by case group and by cost
//! category, with the interval that the benchmark's noise leaves, and what it would save to come down to the
//! alliance's median.

use std::collections::BTreeMap;

use policies::figures::Benchmark;
use policies::figures::benchmark::{Figure, Split};
use schemas::dictionary::Dictionary;
use schemas::money::Fen;
use schemas::outcome::Outcome;

use super::own::Own;

/// A figure of the benchmark in fen (of a part in thousandths), with the ends of its noise interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Told {
    pub(super) value: i128,
    pub(super) low: i128,
    pub(super) high: Option<i128>,
}

/// One case group of both.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Group {
    /// Index into the dictionary's groups.
    pub(super) place: usize,
    pub(super) own: Own,
    /// The alliance's capped mean, where it is shown.
    pub(super) mean: Option<Told>,
    /// The alliance's median, where it is shown.
    pub(super) median: Option<Told>,
    /// The alliance's parts of the cost in thousandths, where all are shown.
    pub(super) parts: Option<Vec<Told>>,
}

/// An amount and the ends of its interval, in fen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Gap {
    pub(super) value: i128,
    /// No lower end where the benchmark's figure has no upper one.
    pub(super) low: Option<i128>,
    pub(super) high: i128,
}

/// A share of one in thousandths.
fn permille(text: &str) -> Option<i128> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let three: String = decimals.chars().chain("000".chars()).take(3).collect();
    format!("{whole}{three}").parse().ok()
}

fn fen(text: &str) -> Option<i128> {
    text.parse::<Fen>().ok().map(|fen| i128::from(fen.0))
}

fn told(outcome: &Outcome<Figure>) -> Option<Told> {
    let figure = outcome.value()?;
    Some(Told {
        value: fen(&figure.value)?,
        low: fen(&figure.noise.low)?,
        high: figure.noise.high.as_deref().and_then(fen),
    })
}

fn share(outcome: &Outcome<Figure>) -> Option<Told> {
    let figure = outcome.value()?;
    Some(Told {
        value: permille(&figure.value)?,
        low: permille(&figure.noise.low)?,
        high: figure.noise.high.as_deref().and_then(permille),
    })
}

/// Every case group in which the hospital has stays, the table by case group of the benchmark beside it.
pub(super) fn groups(
    own: BTreeMap<usize, Own>,
    dictionary: &Dictionary,
    benchmark: &Benchmark,
) -> Vec<Group> {
    let by_group = |split: &&Split| split.dimension.as_str() == "case_group";
    let split = benchmark.splits.iter().find(by_group);
    let cells: BTreeMap<&str, _> = split
        .iter()
        .flat_map(|split| &split.rows)
        .map(|row| (row.code.as_str(), &row.alliance))
        .collect();
    let in_money = split.is_some_and(|split| split.in_money);
    own.into_iter()
        .filter_map(|(place, own)| {
            let code = dictionary.groups.get(place)?.code.as_str();
            let cell = cells.get(code);
            let parts = cell.map(|cell| {
                let shares = cell.structure.iter();
                shares.map(share).collect::<Option<Vec<Told>>>()
            });
            Some(Group {
                place,
                mean: cell.and_then(|cell| told(&cell.mean_cost)),
                median: cell
                    .filter(|_| in_money)
                    .and_then(|cell| told(&cell.percentiles.p50)),
                parts: parts.flatten().filter(|parts| !parts.is_empty()),
                own,
            })
        })
        .collect()
}

impl Group {
    /// What its stays cost more than they would at the alliance's mean.
    pub(super) fn gap(&self) -> Option<Gap> {
        let mean = self.mean?;
        let (capped, stays) = (self.own.capped, self.own.stays);
        let above = |mean: i128| capped.checked_sub(stays.checked_mul(mean)?);
        Some(Gap {
            value: above(mean.value)?,
            low: mean.high.and_then(above),
            high: above(mean.low)?,
        })
    }

    /// What its stays would cost less if their mean came down to the alliance's median; zero where it lies
    /// below already.
    pub(super) fn saving(&self) -> Option<i128> {
        let median = self.median?;
        let at = self.own.stays.checked_mul(median.value)?;
        Some(self.own.cost.checked_sub(at)?.max(0))
    }

    /// Own mean cost in fen, rounded half up.
    pub(super) fn mean(&self, sum: i128) -> i128 {
        schemas::money::half_up(sum, self.own.stays.max(1)).unwrap_or_default()
    }
}

/// The sum of what there is; intervals add up end by end, which is wider than needed.
pub(super) fn sum(gaps: impl IntoIterator<Item = Gap>) -> Gap {
    let mut all = Gap {
        low: Some(0),
        ..Gap::default()
    };
    for gap in gaps {
        all.value = all.value.saturating_add(gap.value);
        all.high = all.high.saturating_add(gap.high);
        all.low = all.low.zip(gap.low).map(|(a, b)| a.saturating_add(b));
    }
    all
}

/// One cost category over all groups.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct ByItem {
    /// Own amount.
    pub(super) own: i128,
    /// What the same stays would cost by the alliance's means and parts.
    pub(super) expected: i128,
    /// The ends of its noise interval.
    pub(super) low: i128,
    pub(super) high: i128,
}

/// By cost category, over the groups of which means and parts are shown. Intervals add up end by end, which
/// is wider than needed; a part without an upper end has the whole.
pub(super) fn by_item(groups: &[Group], items: usize) -> Vec<ByItem> {
    let mut all = vec![ByItem::default(); items];
    for group in groups {
        let (Some(mean), Some(parts)) = (&group.mean, &group.parts) else {
            continue;
        };
        let stays = group.own.stays;
        let of = |mean: i128, part: i128| {
            let whole = stays.saturating_mul(mean).saturating_mul(part);
            schemas::money::half_up(whole, 1000).unwrap_or_default()
        };
        for ((sum, own), part) in all.iter_mut().zip(&group.own.items).zip(parts) {
            let high = mean.high.unwrap_or(mean.value);
            sum.own = sum.own.saturating_add(*own);
            sum.expected = sum.expected.saturating_add(of(mean.value, part.value));
            sum.low = sum.low.saturating_add(of(mean.low, part.low.max(0)));
            sum.high = sum.high.saturating_add(of(high, part.high.unwrap_or(1000)));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(stays: i128, cost: i128, mean: Option<i128>, median: Option<i128>) -> Group {
        let told = |value| Told {
            value,
            low: value - 10,
            high: Some(value + 20),
        };
        Group {
            place: 0,
            own: Own {
                stays,
                cost,
                capped: cost,
                items: vec![cost / 2, cost - cost / 2],
            },
            mean: mean.map(told),
            median: median.map(told),
            parts: mean.map(|_| vec![told(250), told(750)]),
        }
    }

    #[test]
    fn gaps_carry_the_benchmarks_interval_and_add_up() {
        let (one, two) = (
            group(10, 1_500, Some(100), Some(200)),
            group(2, 100, None, None),
        );
        let gap = one.gap().unwrap();
        assert_eq!((gap.value, gap.low, gap.high), (500, Some(300), 600));
        assert_eq!(
            (one.saving(), two.gap(), two.saving()),
            (Some(0), None, None)
        );
        assert_eq!(group(10, 1_500, None, Some(90)).saving(), Some(600));
        let all = sum([gap, gap]);
        assert_eq!((all.value, all.low, all.high), (1_000, Some(600), 1_200));
        let items = by_item(&[one, two], 2);
        let first = ByItem {
            own: 750,
            expected: 250,
            low: 216,
            high: 324,
        };
        assert_eq!(items.first(), Some(&first));
        assert_eq!(items.iter().map(|item| item.expected).sum::<i128>(), 1_000);
    }

    #[test]
    fn shares_and_money_are_read_as_the_benchmark_writes_them() {
        assert_eq!(permille("0.1234"), Some(123));
        assert_eq!((permille("1"), permille("x")), (Some(1000), None));
        assert_eq!(fen("16216.98"), Some(1_621_698));
    }
}
