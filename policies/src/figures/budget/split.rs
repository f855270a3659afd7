//! The year's split: base and factors, bounds, earmarks, months. The same inputs and rules give the
//! same plan, to the fen, to whoever computes it.

use std::collections::BTreeMap;

use dashu::rational::RBig;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::money::Fen;
use serde::{Deserialize, Serialize};

use super::bounds::{Pinned, Solved, Wanted, solve};
use super::check::check;
use super::control::{Control, GroupLevel, controls};
use super::derived::fill;
use super::error::BudgetError;
use super::noise::{self, Noise};
use super::revised::{Frame, Revised, Revision};
use super::rules::{BudgetRules, Tier};
use super::structure::{self, TierGap};
use crate::figures::apportion::apportion;
use crate::figures::decimal::float;
use crate::figures::exact::{round, sum, total};
use crate::figures::{Exact, half_up};

/// What a year's budget is computed from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetInput {
    /// The year.
    pub year: u16,
    /// The control target: all there is.
    pub total: Fen,
    /// The members, each once.
    pub members: Vec<Member>,
    /// What the population needs of each service line, in any one unit, with the error of its forecast;
    /// shared among those who are there for it as the factor `service-demand`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub demand: BTreeMap<Slug, Measured>,
    /// The alliance's level of each case group, for its control figures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupLevel>,
    /// The plan in force, where members join or leave in mid-year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
}

/// What is known of a member.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its id.
    pub id: Slug,
    /// Its level.
    pub tier: Tier,
    /// What it got in the years before, oldest first, net of overspend that was its own fault.
    pub before: Vec<Fen>,
    /// Overspend of last year that it bears itself: taken from its amount, kept in the reserve.
    #[serde(default)]
    pub deduction: Fen,
    /// Its value of each factor.
    pub factors: BTreeMap<Slug, Measured>,
    /// Services that it gave last year, in any one unit; for the check of the structure.
    #[serde(default)]
    pub services: Option<Exact>,
    /// Scores that it is rated by, instead of a value of the factor `capability-score`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scores: BTreeMap<Slug, Measured>,
    /// How far it is there for a service line, 0 to 1, against the others that are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub serves: BTreeMap<Slug, Exact>,
}

/// A value, and the variance of the noise in it; none where it is exact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// The value; below zero counts as zero.
    pub value: Exact,
    /// Variance of the noise.
    #[serde(default)]
    pub variance: Option<Exact>,
    /// Digest of the benchmark that it is a figure of: errors of one member's figures out of one
    /// benchmark may be the same error. None where the error is of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Digest>,
}

impl Measured {
    /// The standard deviation of its noise.
    pub(crate) fn sd(&self) -> f64 {
        let variance = self.variance.as_ref();
        variance.map_or(0.0, |variance| float(&variance.0).sqrt())
    }
}

/// A plan for a year.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The year.
    pub year: u16,
    /// Digest of the rules.
    pub rules: Digest,
    /// Digest of the inputs.
    pub inputs: Digest,
    /// All there is.
    pub total: Fen,
    /// Kept as reserve, before deductions are added.
    pub reserve: Fen,
    /// Added to the reserve: what members bear of last year's overspend.
    pub deducted: Fen,
    /// What is distributed: total less reserve.
    pub distributable: Fen,
    /// Each member's part, in the order of the inputs.
    pub members: Vec<Part>,
    /// Where money and services of a tier lie far apart.
    pub structure: Vec<TierGap>,
    /// Pairs whose order the noise of the inputs does not settle (95 %).
    pub not_separable: Vec<(Slug, Slug)>,
    /// Control figures of case groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<Control>,
    /// What it keeps of the plan before, where members joined or left in mid-year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revised: Option<Revised>,
}

/// A member's part. Shares have six decimals, half up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The member.
    pub id: Slug,
    /// Its level.
    pub tier: Tier,
    /// Its share by the base alone.
    pub base_share: String,
    /// Its share by the factors alone.
    pub factor_share: String,
    /// Its share.
    pub share: String,
    /// What the share alone would give.
    pub unclipped: Fen,
    /// The least.
    pub floor: Fen,
    /// The most.
    pub ceiling: Fen,
    /// What decided.
    pub pinned: Pinned,
    /// Its amount; all amounts add up to what is distributed.
    pub amount: Fen,
    /// Taken from it for last year.
    pub deduction: Fen,
    /// The change against what the base alone would give, as a share.
    pub change: String,
    /// For one purpose each, part of the amount.
    pub earmarks: BTreeMap<Slug, Fen>,
    /// Advances for twelve months; they add up to the amount less the deduction.
    pub monthly: Vec<Fen>,
    /// What the noise of the inputs does to the amount; none where all inputs are exact.
    pub noise: Option<Noise>,
}

/// Most members of a plan.
pub(super) const MOST: usize = 1_000;

/// Shares of all members, exact.
pub(super) struct Shares {
    pub(super) base: Vec<RBig>,
    pub(super) factor: Vec<RBig>,
    pub(super) share: Vec<RBig>,
}

/// Computes the plan.
pub fn plan(rules: &BudgetRules, input: &BudgetInput) -> Result<Plan, BudgetError> {
    let given = input;
    let (input, beside) = &fill(rules, given)?;
    check(rules, input)?;
    let reserve = round(&(RBig::from(input.total.0) * &rules.reserve.0));
    let reserve = reserve.ok_or(BudgetError::OutOfRange)?;
    let distributable = Fen(input
        .total
        .0
        .checked_sub(reserve.0)
        .ok_or(BudgetError::OutOfRange)?);
    let shares = shares(rules, input)?;
    let frame = Frame::of(input, distributable)?;
    let money = RBig::from(frame.money.0);
    let wanted: Vec<Wanted> = shares
        .base
        .iter()
        .zip(&shares.share)
        .map(|(base, share)| Wanted {
            share: share.clone(),
            floor: &money * base * &rules.floor.0,
            ceiling: &money * base * &rules.ceiling.0,
        })
        .collect();
    let solved = solve(&money, &wanted)?;
    let exact: Vec<RBig> = solved.iter().map(|one| one.amount.clone()).collect();
    let parts = apportion(frame.money, &exact)?;
    let noise = noise::of(rules, (input, beside), &shares, (&wanted, &solved), &frame);
    let mut members = Vec::with_capacity(parts.len());
    for (place, (member, part)) in input.members.iter().zip(&parts).enumerate() {
        let at = At {
            frame: &frame,
            shares: &shares,
            wanted: &wanted,
            solved: &solved,
            money: &money,
            place,
        };
        let noise = noise.as_ref().and_then(|noise| noise.members.get(place));
        members.push(at.part(rules, member, *part, noise.cloned())?);
    }
    let amounts: Vec<Fen> = members.iter().map(|part| part.amount).collect();
    members.extend(frame.left(rules, input)?);
    let deducted = total(members.iter().map(|part| part.deduction));
    let not_separable = noise.map(|noise| noise.not_separable).unwrap_or_default();
    Ok(Plan {
        year: input.year,
        rules: rules.digest().map_err(|_| BudgetError::Canonical)?,
        inputs: canonical::digest("consilium-budget-input-v1", given)
            .map_err(|_| BudgetError::Canonical)?,
        total: input.total,
        reserve,
        deducted: deducted.ok_or(BudgetError::OutOfRange)?,
        distributable,
        structure: structure::gaps(rules, input, &amounts),
        members,
        not_separable,
        controls: controls(rules, &given.groups)?,
        revised: frame.revised(),
    })
}

impl Member {
    /// What it got before: the years weighed, the last ones where it has fewer.
    fn base(&self, weights: &[Exact]) -> RBig {
        let both = || self.before.iter().rev().zip(weights.iter().rev());
        let weighed = sum(both().map(|(fen, weight)| RBig::from(fen.0) * &weight.0));
        let whole = sum(both().map(|(_, weight)| &weight.0));
        if whole == RBig::ZERO {
            RBig::ZERO
        } else {
            weighed / whole
        }
    }

    /// Its value of a factor; noise may have brought it below zero.
    pub(super) fn value(&self, factor: &Slug) -> RBig {
        let value = self
            .factors
            .get(factor)
            .map(|measured| measured.value.0.clone());
        value.unwrap_or(RBig::ZERO).max(RBig::ZERO)
    }
}

fn shares(rules: &BudgetRules, input: &BudgetInput) -> Result<Shares, BudgetError> {
    let of_sum = |values: Vec<RBig>, name: &str| {
        let whole = sum(&values);
        if whole == RBig::ZERO {
            return Err(BudgetError::Nothing(name.to_owned()));
        }
        Ok(values
            .into_iter()
            .map(|value| value / &whole)
            .collect::<Vec<_>>())
    };
    let members = &input.members;
    let base = members.iter().map(|member| member.base(&rules.history));
    let base = of_sum(base.collect(), "the years before")?;
    let mut factor = vec![RBig::ZERO; members.len()];
    for one in &rules.factors {
        let values = members.iter().map(|member| member.value(&one.id));
        let values = of_sum(values.collect(), one.id.as_str())?;
        for (sum, value) in factor.iter_mut().zip(values) {
            *sum += value * &one.weight.0;
        }
    }
    let alpha = &rules.alpha.0;
    let both = base.iter().zip(&factor);
    let share = both.map(|(base, factor)| alpha * base + (RBig::ONE - alpha) * factor);
    let share = share.collect();
    Ok(Shares {
        base,
        factor,
        share,
    })
}

/// One member's place in all that was computed.
struct At<'a> {
    frame: &'a Frame<'a>,
    shares: &'a Shares,
    wanted: &'a [Wanted],
    solved: &'a [Solved],
    money: &'a RBig,
    place: usize,
}

impl At<'_> {
    fn part(
        &self,
        rules: &BudgetRules,
        member: &Member,
        part: Fen,
        noise: Option<Noise>,
    ) -> Result<Part, BudgetError> {
        let before = self.frame.before(&member.id);
        let with = |fen: Fen| before.gross.checked_add(fen);
        let with = |fen: Fen| with(fen).map_err(|_| BudgetError::OutOfRange);
        let amount = with(part)?;
        let zero = &RBig::ZERO;
        let of = |list: &[RBig]| list.get(self.place).unwrap_or(zero).clone();
        let base = of(&self.shares.base);
        let share = of(&self.shares.share);
        let bounds = self.wanted.get(self.place);
        let fen = |value: &RBig| round(value).ok_or(BudgetError::OutOfRange);
        let reference = RBig::from(before.gross.0) + self.money * &base;
        let change = if reference == RBig::ZERO {
            RBig::ZERO
        } else {
            RBig::from(amount.0) / reference - RBig::ONE
        };
        let earmarks = earmarks(rules, member.tier, amount)?;
        let owed = member.deduction.0.saturating_sub(before.taken.0);
        let net = part.0.checked_sub(owed).filter(|net| *net >= 0);
        let net = net.ok_or_else(|| BudgetError::Deduction(member.id.clone()))?;
        let mut monthly = before.monthly.to_vec();
        monthly.resize(12_usize.saturating_sub(self.frame.months()), Fen(0));
        let rest = Fen(net).split(&vec![1; self.frame.months()]);
        monthly.extend(rest.map_err(|_| BudgetError::OutOfRange)?);
        let pinned = self.solved.get(self.place).map(|one| one.pinned);
        Ok(Part {
            id: member.id.clone(),
            tier: member.tier,
            base_share: half_up(&base, 6),
            factor_share: half_up(&of(&self.shares.factor), 6),
            share: half_up(&share, 6),
            unclipped: with(fen(&(self.money * &share))?)?,
            floor: with(fen(bounds.map_or(zero, |bounds| &bounds.floor))?)?,
            ceiling: with(fen(bounds.map_or(zero, |bounds| &bounds.ceiling))?)?,
            pinned: pinned.unwrap_or(Pinned::Free),
            amount,
            deduction: member.deduction,
            change: half_up(&change, 6),
            earmarks,
            monthly,
            noise: noise.map(|noise| noise.above(before.gross)),
        })
    }
}

/// Each earmark's part of an amount. Rounded one by one they could come to a fen more than all: the last
/// ones give way.
pub(super) fn earmarks(
    rules: &BudgetRules,
    tier: Tier,
    amount: Fen,
) -> Result<BTreeMap<Slug, Fen>, BudgetError> {
    let (mut earmarks, mut left) = (BTreeMap::new(), amount);
    for mark in rules
        .earmarks
        .iter()
        .filter(|mark| mark.tiers.contains(&tier))
    {
        let part = round(&(RBig::from(amount.0) * &mark.share.0));
        let part = part.ok_or(BudgetError::OutOfRange)?.min(left);
        left = Fen(left.0.saturating_sub(part.0));
        earmarks.insert(mark.id.clone(), part);
    }
    Ok(earmarks)
}
