//! Why a mean cost lies above another one: a hospital's own of a year before, or the alliance's. The
//! difference is split into case mix and what groups cost, the latter into length of stay and cost of a
//! day, and into cost items; all are identities, so that the parts add up.
//!
//! With p a group's share of the stays, c its mean cost, l its mean stay and s an item's share:
//! Δ = Σ(p₁ − p₀)·c₀ + Σ p₁·(c₁ − c₀), where c₁ − c₀ = (l₁ − l₀)·c₀/l₀ + l₁·(c₁/l₁ − c₀/l₀) = Σ(s₁c₁ − s₀c₀).
//! That says where the difference lies, not what caused it.

mod released;
#[cfg(test)]
mod test;

pub(super) use released::pairs;
pub use released::{Compared, NotComparable, compare, stays};

use dashu::rational::RBig;
use serde::{Deserialize, Serialize};

use super::decimal::float;
use crate::figures::exact::sum;
use crate::figures::half_up;

/// 97.5 % of a normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// A figure and the standard deviation of its noise.
#[derive(Clone, PartialEq, Debug)]
pub struct Known {
    /// The figure.
    pub value: RBig,
    /// Its noise.
    pub sd: f64,
}

/// One side's figures of a case group.
#[derive(Clone, PartialEq, Debug)]
pub struct Group {
    /// Stays, above 0.
    pub stays: Known,
    /// Mean cost in yuan, above 0.
    pub mean: Known,
    /// Mean stay in days, above 0.
    pub days: Option<Known>,
    /// Shares of the cost items, or none.
    pub items: Vec<Known>,
}

/// A part of the difference, in yuan a stay with two decimals, and its 95 % interval under the noise.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Effect {
    /// How much.
    pub value: String,
    /// Lower end.
    pub low: String,
    /// Upper end.
    pub high: String,
}

/// A difference and its parts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decomposition {
    /// Mean cost of the side that is compared with.
    pub before: String,
    /// Mean cost of the side that is explained.
    pub after: String,
    /// All of the difference.
    pub change: Effect,
    /// By other shares of the groups.
    pub mix: Effect,
    /// By other costs of the same groups.
    pub within: Effect,
    /// … of it by longer stays.
    pub stay: Effect,
    /// … of it by dearer days.
    pub daily: Effect,
    /// … of it in groups whose stays are not shown.
    pub stay_unknown: Effect,
    /// `within` by cost item, in the order of the shares.
    pub items: Vec<Effect>,
    /// `within` of groups whose items are not shown.
    pub items_unknown: Effect,
    /// Each group's part of mix and of `within`, in the order of the groups.
    pub groups: Vec<(Effect, Effect)>,
}

/// The same groups of two sides, with their shares of the stays.
struct Sides<'a> {
    groups: &'a [(Group, Group)],
    /// Stays of both sides.
    stays: (RBig, RBig),
    items: usize,
}

/// A value with the standard deviation of its noise.
type Value = (RBig, f64);

/// Splits the difference between two sides, `(before, after)` of each group. `None` where there is no
/// group, or one of a count, cost or stay of zero or less.
pub fn decompose(groups: &[(Group, Group)]) -> Option<Decomposition> {
    let sound = |group: &Group| {
        let positive = |known: &Known| known.value > RBig::ZERO;
        positive(&group.stays) && positive(&group.mean) && group.days.as_ref().is_none_or(positive)
    };
    if groups.is_empty() || !groups.iter().all(|(b, a)| sound(b) && sound(a)) {
        return None;
    }
    let of = |pick: fn(&(Group, Group)) -> &RBig| sum(groups.iter().map(pick));
    let items = groups.iter().map(|(b, a)| b.items.len().min(a.items.len()));
    let sides = Sides {
        groups,
        stays: (
            of(|both| &both.0.stays.value),
            of(|both| &both.1.stays.value),
        ),
        items: items.max().unwrap_or(0),
    };
    Some(sides.decompose())
}

impl Sides<'_> {
    fn decompose(&self) -> Decomposition {
        let all = |part: &dyn Fn(&Group, &Group) -> Value| self.weighted(part);
        let within = |b: &Group, a: &Group| minus(cost(a), cost(b));
        let zero = || (RBig::ZERO, 0.0);
        let (stay, daily) = (
            all(&|b, a| longer(b, a).unwrap_or_else(zero)),
            all(&|b, a| dearer(b, a).unwrap_or_else(zero)),
        );
        let stay_unknown = all(&|b, a| match longer(b, a) {
            Some(_) => zero(),
            None => within(b, a),
        });
        let itemised = |b: &Group, a: &Group| {
            b.items.len() == self.items && a.items.len() == self.items && self.items > 0
        };
        let item = |place: usize| {
            all(&|b, a| match (b.items.get(place), a.items.get(place)) {
                (Some(before), Some(after)) if itemised(b, a) => {
                    minus(part(a, after), part(b, before))
                }
                _ => zero(),
            })
        };
        let items: Vec<Value> = (0..self.items).map(item).collect();
        // What rounded shares leave is nobody's either.
        let named = sum(items.iter().map(|(value, _)| value));
        let unnamed = all(&|b, a| if itemised(b, a) { zero() } else { within(b, a) });
        let (mix, within) = (self.mix(), all(&within));
        let rest = (&within.0 - &named, unnamed.1);
        let mean = |pick: fn(&(Group, Group)) -> &Group, stays: &RBig| {
            let whole = self.groups.iter().map(pick);
            sum(whole.map(|group| &group.stays.value * &group.mean.value)) / stays
        };
        let (before, after) = (
            mean(|both| &both.0, &self.stays.0),
            mean(|both| &both.1, &self.stays.1),
        );
        // Costs of before are in both parts: their errors may add up.
        let change = (&after - &before, mix.1 + within.1);
        Decomposition {
            before: half_up(&before, 2),
            after: half_up(&after, 2),
            change: effect(&change),
            mix: effect(&mix),
            within: effect(&within),
            stay: effect(&stay),
            daily: effect(&daily),
            stay_unknown: effect(&stay_unknown),
            items: items.iter().map(effect).collect(),
            items_unknown: effect(&rest),
            groups: self.groups.iter().map(|both| self.of_group(both)).collect(),
        }
    }

    /// Σ p₁·v over the groups. A group's errors of p₁ and v may have anything in common: their standard
    /// deviations are added. Groups have noise of their own.
    fn weighted(&self, part: &dyn Fn(&Group, &Group) -> Value) -> Value {
        let parts: Vec<Value> = self.groups.iter().map(|(b, a)| part(b, a)).collect();
        let whole = &self.stays.1;
        let shares = self.groups.iter().map(|(_, a)| &a.stays.value / whole);
        let total = sum(shares.zip(&parts).map(|(share, (value, _))| share * value));
        let mut variance = 0.0;
        for ((_, after), (value, sd)) in self.groups.iter().zip(&parts) {
            let by_stays = float(&((value - &total) / whole)).abs() * after.stays.sd;
            let by_value = float(&(&after.stays.value / whole)) * sd;
            variance += (by_stays + by_value) * (by_stays + by_value);
        }
        (total, libm::sqrt(variance))
    }

    /// Σ (p₁ − p₀)·c₀.
    fn mix(&self) -> Value {
        let (before, after) = &self.stays;
        let mean = |pick: fn(&(Group, Group)) -> &Group, whole: &RBig| {
            let parts = self.groups.iter();
            sum(parts.map(|both| &pick(both).stays.value * &both.0.mean.value)) / whole
        };
        let (old, new) = (mean(|both| &both.0, before), mean(|both| &both.1, after));
        let mut variance = 0.0;
        for (b, a) in self.groups {
            let by_after = float(&((&b.mean.value - &new) / after)).abs() * a.stays.sd;
            let by_before = float(&((&b.mean.value - &old) / before)).abs() * b.stays.sd;
            let moved = &a.stays.value / after - &b.stays.value / before;
            let by_before = by_before + float(&moved).abs() * b.mean.sd;
            variance += by_after * by_after + by_before * by_before;
        }
        (new - old, libm::sqrt(variance))
    }

    /// A group's own part of mix (against the mean of all) and of `within`.
    fn of_group(&self, both: &(Group, Group)) -> (Effect, Effect) {
        let (b, a) = both;
        let (before, after) = &self.stays;
        let (mean, of_mean) = self.mean_before();
        let share = &a.stays.value / after;
        let moved = &share - &b.stays.value / before;
        let above = &b.mean.value - &mean;
        let of_share = self.share_sd(both, |both| &both.1, after);
        let of_moved = of_share + self.share_sd(both, |both| &both.0, before);
        // Whatever the errors have in common.
        let sd = float(&above).abs() * of_moved + float(&moved).abs() * (b.mean.sd + of_mean);
        let mix = (moved * above, sd);
        let change = minus(cost(a), cost(b));
        let sd = float(&share) * change.1 + float(&change.0).abs() * of_share;
        (effect(&mix), effect(&(share * change.0, sd)))
    }

    /// The mean cost of before.
    fn mean_before(&self) -> Value {
        let whole = &self.stays.0;
        let parts = self.groups.iter();
        let mean = sum(parts.map(|(b, _)| &b.stays.value * &b.mean.value)) / whole;
        let mut variance = 0.0;
        for (b, _) in self.groups {
            let by_cost = float(&(&b.stays.value / whole)) * b.mean.sd;
            let by_stays = float(&((&b.mean.value - &mean) / whole)).abs() * b.stays.sd;
            variance += (by_cost + by_stays) * (by_cost + by_stays);
        }
        (mean, libm::sqrt(variance))
    }

    /// The noise of a group's share of one side's stays.
    fn share_sd(
        &self,
        of: &(Group, Group),
        side: fn(&(Group, Group)) -> &Group,
        whole: &RBig,
    ) -> f64 {
        let share = float(&(&side(of).stays.value / whole));
        let mut squares = 0.0;
        for one in self.groups {
            let weight = if std::ptr::eq(one, of) {
                1.0 - share
            } else {
                share
            };
            let part = weight * side(one).stays.sd;
            squares += part * part;
        }
        libm::sqrt(squares) / float(whole)
    }
}

fn cost(group: &Group) -> Value {
    (group.mean.value.clone(), group.mean.sd)
}

/// A cost item of a group: share times cost, whose errors may have anything in common.
fn part(group: &Group, share: &Known) -> Value {
    let sd = float(&share.value).abs() * group.mean.sd + float(&group.mean.value) * share.sd;
    (&share.value * &group.mean.value, sd)
}

/// What the other length of stay makes, at the cost of a day of before.
fn longer(b: &Group, a: &Group) -> Option<Value> {
    let (expected, _, by_after) = expected(b, a)?;
    let more = &expected - &b.mean.value;
    let days = b.days.as_ref()?;
    let by_cost = float(&(&more / &b.mean.value)).abs() * b.mean.sd;
    let by_before = by_cost + float(&(&expected / &days.value)) * days.sd;
    Some((more, libm::hypot(by_before, by_after)))
}

/// What the other cost of a day makes, at the length of stay of after.
fn dearer(b: &Group, a: &Group) -> Option<Value> {
    let (expected, by_before, by_after) = expected(b, a)?;
    let sd = libm::hypot(by_before, by_after + a.mean.sd);
    Some((&a.mean.value - expected, sd))
}

/// The cost of after's stay at before's cost of a day, c₀·l₁/l₀, and what either side's noise does to it.
fn expected(b: &Group, a: &Group) -> Option<(RBig, f64, f64)> {
    let (before, after) = (b.days.as_ref()?, a.days.as_ref()?);
    let value = &b.mean.value * &after.value / &before.value;
    let by_before = float(&(&after.value / &before.value)) * b.mean.sd
        + float(&(&value / &before.value)) * before.sd;
    let by_after = float(&(&b.mean.value / &before.value)) * after.sd;
    Some((value, by_before, by_after))
}

/// The difference of two sides, whose noise is each its own.
fn minus(after: Value, before: Value) -> Value {
    (after.0 - before.0, libm::hypot(after.1, before.1))
}

fn effect((value, sd): &Value) -> Effect {
    // Ends are rounded like the value; a standard deviation has six digits at least.
    let half = RBig::try_from(Z * sd).unwrap_or(RBig::ZERO);
    Effect {
        value: half_up(value, 2),
        low: half_up(&(value - &half), 2),
        high: half_up(&(value + &half), 2),
    }
}
