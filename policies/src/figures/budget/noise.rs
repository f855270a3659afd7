//! What the noise of released answers does to a budget: intervals of amounts by the delta method,
//! and pairs of members whose order it does not settle. Floats; the amounts themselves are exact.

use dashu::rational::RBig;
use schemas::id::Slug;
use schemas::money::Fen;
use serde::{Deserialize, Serialize};

use super::bounds::{Pinned, Solved, Wanted};
use super::boxed::Boxed;
use super::derived::{Beside, RATED};
use super::revised::Frame;
use super::rules::BudgetRules;
use super::split::{BudgetInput, Measured, Shares};
use crate::figures::decimal::{fixed, float};
use crate::figures::errors::{Origin, together};

/// Half width of a 95 % interval in standard deviations.
const Z95: f64 = 1.959_963_984_540_054;

/// From which probability on a bound is taken to decide whatever the noise did.
const SURE: f64 = 0.975;

/// What noise does to one member's amount.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Noise {
    /// The amount without noise lies in here (95 %), ends included.
    Interval {
        /// Lower end.
        low: Fen,
        /// Upper end.
        high: Fen,
    },
    /// A bound decides, not the noisy share.
    Held {
        /// How probable it is that the bound would decide without noise too; four decimals.
        stays: String,
    },
}

impl Noise {
    /// The same of an amount that so much is added to.
    pub(super) fn above(self, more: Fen) -> Self {
        let with = |fen: Fen| Fen(fen.0.saturating_add(more.0));
        match self {
            Self::Interval { low, high } => Self::Interval {
                low: with(low),
                high: with(high),
            },
            held @ Self::Held { .. } => held,
        }
    }
}

/// What noise does to a plan.
pub(super) struct Effect {
    pub(super) members: Vec<Noise>,
    pub(super) not_separable: Vec<(Slug, Slug)>,
}

/// What each noisy value does to all shares: its derivatives times its standard deviation.
pub(super) struct Moves {
    pub(super) origin: Option<Origin>,
    pub(super) shares: Vec<f64>,
}

/// Derivatives of each member's amount by each noisy value, times that value's standard deviation.
struct Gradient<'a> {
    by_value: &'a [Moves],
    rows: Vec<Vec<f64>>,
}

impl Gradient<'_> {
    fn sd(&self, place: usize) -> f64 {
        let row = self.rows.get(place).map_or(&[][..], Vec::as_slice);
        self.together(row.iter().copied())
    }

    fn together(&self, parts: impl Iterator<Item = f64>) -> f64 {
        let origins = self.by_value.iter().map(|value| value.origin);
        together(origins.zip(parts))
    }

    /// Standard deviation of the difference of two amounts.
    fn apart(&self, one: usize, other: usize) -> f64 {
        let row = |place: usize| self.rows.get(place).map_or(&[][..], Vec::as_slice);
        let both = row(one).iter().zip(row(other));
        self.together(both.map(|(a, b)| a - b))
    }
}

/// The effect of all variances; `None` where there is none.
pub(super) fn of(
    rules: &BudgetRules,
    (input, beside): (&BudgetInput, &Beside),
    shares: &Shares,
    (wanted, solved): (&[Wanted], &[Solved]),
    frame: &Frame<'_>,
) -> Option<Effect> {
    let noisy = |member: &super::split::Member| member.factors.values().any(|one| one.sd() > 0.0);
    if beside.common.is_empty() && !input.members.iter().any(noisy) {
        return None;
    }
    let by_value = derivatives(rules, input, beside);
    let amount = |place: usize| solved.get(place).map_or(0.0, |one| float(&one.amount));
    let free = |place: usize| {
        solved
            .get(place)
            .is_some_and(|one| one.pinned == Pinned::Free)
    };
    let share: Vec<f64> = shares.share.iter().map(float).collect();
    let all = 0..input.members.len();
    let with_bounds = gradient(&by_value, &share, solved, free);
    let only = all.clone().filter(|place| free(*place)).count() == 1;
    let mut members = Vec::new();
    let mut ranges = Vec::new();
    for place in all.clone() {
        let (low, high) = wanted
            .get(place)
            .map_or((0.0, 0.0), |one| (float(&one.floor), float(&one.ceiling)));
        if free(place) {
            let reach = Z95 * with_bounds.sd(place);
            let ends = if only {
                // It gets what its neighbours' bounds leave: it moves as far as they may leave them.
                let money = all.clone().map(amount).sum();
                let ends = Boxed::new(&by_value, &share, wanted).amounts(place, money);
                ends.start.min(amount(place))..ends.end.max(amount(place))
            } else {
                amount(place) - reach..amount(place) + reach
            };
            let ends = ends.start.max(low)..ends.end.min(high);
            members.push(Noise::Interval {
                low: fen(ends.start.floor()),
                high: fen(ends.end.ceil()),
            });
            ranges.push(ends);
            continue;
        }
        // What the member would get if only it were not held.
        let alone = gradient(&by_value, &share, solved, |other| {
            other == place || free(other)
        });
        let would = would_get(&share, solved, place);
        let (bound, above) = match solved.get(place).map(|one| one.pinned) {
            Some(Pinned::Ceiling) => (high, true),
            _ => (low, false),
        };
        let sd = alone.sd(place);
        let distance = if above { would - bound } else { bound - would };
        let stays = if sd > 0.0 { normal(distance / sd) } else { 1.0 };
        // Where the bound may well not decide, the amount lies where the share would put it.
        ranges.push(if stays >= SURE {
            bound..bound
        } else {
            let ends = (would - Z95 * sd).clamp(low, high)..(would + Z95 * sd).clamp(low, high);
            ends.start.min(bound)..ends.end.max(bound)
        });
        members.push(Noise::Held {
            stays: fixed(stays, 4).unwrap_or_default(),
        });
    }
    // What members of a plan made again got before is part of their amounts, and exact.
    let gross: Vec<f64> = input
        .members
        .iter()
        .map(|member| float(&RBig::from(frame.before(&member.id).gross.0)))
        .collect();
    let kept = |place: usize| gross.get(place).copied().unwrap_or(0.0);
    let whole = |place: usize| amount(place) + kept(place);
    let mut order: Vec<usize> = all.collect();
    order.sort_by(|a, b| whole(*b).total_cmp(&whole(*a)));
    let mut not_separable = Vec::new();
    for pair in order.windows(2) {
        let [one, other] = pair else { continue };
        let settled = if free(*one) && free(*other) {
            whole(*one) - whole(*other) > Z95 * with_bounds.apart(*one, *other)
        } else {
            let ends = (ranges.get(*one), ranges.get(*other));
            let (up, down) = (kept(*one), kept(*other));
            matches!(ends, (Some(upper), Some(lower)) if upper.start + up > lower.end + down)
        };
        let ids = (input.members.get(*one), input.members.get(*other));
        if let (false, (Some(one), Some(other))) = (settled, ids) {
            not_separable.push((one.id.clone(), other.id.clone()));
        }
    }
    Some(Effect {
        members,
        not_separable,
    })
}

/// Derivatives of all shares by each noisy value, times its standard deviation: one row a value.
fn derivatives(rules: &BudgetRules, input: &BudgetInput, beside: &Beside) -> Vec<Moves> {
    let mut rows = Vec::new();
    let by_factors = 1.0 - float(&rules.alpha.0);
    for factor in &rules.factors {
        let weight = by_factors * float(&factor.weight.0);
        let values: Vec<f64> = input
            .members
            .iter()
            .map(|member| float(&member.value(&factor.id)))
            .collect();
        let whole: f64 = values.iter().sum();
        for (place, member) in input.members.iter().enumerate() {
            let measured = member.factors.get(&factor.id);
            let sd = measured.map_or(0.0, Measured::sd);
            if sd <= 0.0 {
                continue;
            }
            let rating = beside.ratings.get(&place);
            let rating = rating.filter(|_| factor.id.as_str() == RATED);
            let whole_of = || vec![(measured.and_then(|one| one.source), sd)];
            for (source, sd) in rating.cloned().unwrap_or_else(whole_of) {
                let row = values.iter().enumerate().map(|(other, value)| {
                    let own = if other == place { 1.0 } else { 0.0 };
                    sd * weight * (own - value / whole) / whole
                });
                rows.push(Moves {
                    origin: source.map(|source| (place, source)),
                    shares: row.collect(),
                });
            }
        }
        for one in beside.common.iter().filter(|one| one.factor == factor.id) {
            let taken: f64 = one.takes.iter().sum();
            let both = one.takes.iter().zip(&values);
            let row =
                both.map(|(own, value)| one.sd * weight * (own - value / whole * taken) / whole);
            rows.push(Moves {
                origin: None,
                shares: row.collect(),
            });
        }
    }
    rows
}

/// Of amounts: members that no bound holds share what the others leave, by their shares.
fn gradient<'a>(
    by_value: &'a [Moves],
    share: &[f64],
    solved: &[Solved],
    free: impl Fn(usize) -> bool,
) -> Gradient<'a> {
    let left = left(solved, &free);
    let shares: f64 = share
        .iter()
        .enumerate()
        .filter(|(place, _)| free(*place))
        .map(|(_, s)| s)
        .sum();
    // What each value does to all free shares together.
    let moved = by_value.iter().map(|Moves { shares: row, .. }| {
        let row = row.iter().enumerate().filter(|(at, _)| free(*at));
        row.map(|(_, d)| d).sum()
    });
    let moved: Vec<f64> = moved.collect();
    let rows = share.iter().enumerate().map(|(place, own)| {
        if !free(place) || shares <= 0.0 {
            return vec![0.0; by_value.len()];
        }
        let by = by_value.iter().zip(&moved).map(|(value, together)| {
            let row = &value.shares;
            let change = row.get(place).copied().unwrap_or(0.0);
            left / shares * (change - own / shares * together)
        });
        by.collect()
    });
    Gradient {
        by_value,
        rows: rows.collect(),
    }
}

/// What free members share.
fn left(solved: &[Solved], free: &impl Fn(usize) -> bool) -> f64 {
    let amounts = solved.iter().enumerate().filter(|(place, _)| free(*place));
    amounts.map(|(_, one)| float(&one.amount)).sum()
}

/// What a held member would get if it shared with the free ones.
fn would_get(share: &[f64], solved: &[Solved], place: usize) -> f64 {
    let free = |other: usize| {
        other == place
            || solved
                .get(other)
                .is_some_and(|one| one.pinned == Pinned::Free)
    };
    let shares: f64 = share
        .iter()
        .enumerate()
        .filter(|(at, _)| free(*at))
        .map(|(_, s)| s)
        .sum();
    let own = share.get(place).copied().unwrap_or(0.0);
    if shares > 0.0 {
        left(solved, &free) * own / shares
    } else {
        0.0
    }
}

/// Distribution function of the standard normal distribution.
fn normal(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

/// Whole fen; amounts of a budget lie far inside 64 bits.
#[expect(
    clippy::cast_possible_truncation,
    reason = "saturates, and ends lie between the bounds"
)]
fn fen(value: f64) -> Fen {
    Fen(value as i64)
}
