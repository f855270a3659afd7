//! What a result has to rest on: the year's members, its target, the plan in force and what was paid. A
//! result may claim what the year does not hold (indicators, causes), never something else than it holds.

use std::collections::BTreeMap;

use schemas::id::Slug;
use schemas::money::Fen;

use super::{Computed, Year};
use crate::figures::bonus::BonusInput;
use crate::figures::budget::{Plan, Tier};
use crate::figures::overspend::OverspendInput;

/// What a result does not rest on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfounded {
    /// A plan about another amount.
    #[error("the plan splits {planned}, the year's target is {target}")]
    Target {
        /// What the inputs say.
        planned: Fen,
        /// What the year says.
        target: Fen,
    },
    /// The result is about others.
    #[error("the inputs name hospitals that take no part in this year, or leave one out")]
    Members,
    /// Nothing to settle or share against.
    #[error("no plan is in force yet")]
    NoPlan,
    /// A year that is not paid to its end.
    #[error(
        "{months} of 12 months are paid to `{member}`: the insurer says what it paid first, 0 where it was nothing"
    )]
    Unpaid {
        /// The first such member.
        member: Slug,
        /// How many months the insurer spoke of.
        months: usize,
    },
    /// Overspend that payments and budgets do not give.
    #[error(
        "the overspend is not what budgets and payments give; make the inputs again by `year inputs`"
    )]
    Overspend,
    /// Another reserve than the plan's.
    #[error("the reserve is {given}, the plan keeps {kept} with what members bear of last year")]
    Reserve {
        /// What the inputs say.
        given: Fen,
        /// Reserve and deductions of the plan.
        kept: Fen,
    },
    /// More surplus than budgets less payments leave.
    #[error("a surplus of {given}, while budgets less payments leave {left}")]
    Surplus {
        /// All classes.
        given: Fen,
        /// What is left.
        left: Fen,
    },
    /// Another tier than the plan's.
    #[error("member `{0}` has another tier in the plan")]
    Tier(Slug),
    /// No shape.
    #[error("the inputs cannot be read")]
    Shape,
}

/// Each member's budget less what was paid: below zero it overspent.
fn left(plan: &Plan, year: &Year) -> BTreeMap<Slug, i64> {
    let of = |id: &Slug| {
        let months = year.paid.get(id).into_iter().flatten();
        months.fold(0_i64, |sum, (_, fen)| sum.saturating_add(fen.0))
    };
    let parts = plan.members.iter().map(|part| {
        let net = part.amount.0.saturating_sub(part.deduction.0);
        (part.id.clone(), net.saturating_sub(of(&part.id)))
    });
    parts.collect()
}

/// Whether the insurer spoke of every member's twelve months: before that nobody has a surplus or
/// overspent.
fn paid(year: &Year) -> Result<(), Unfounded> {
    for member in year.members.keys() {
        let months = year.paid.get(member).map_or(0, BTreeMap::len);
        if months != 12 {
            let member = member.clone();
            return Err(Unfounded::Unpaid { member, months });
        }
    }
    Ok(())
}

/// The reserve that a settlement may use: the plan's, and what members bear of the year before.
pub fn reserve(plan: &Plan) -> Fen {
    Fen(plan.reserve.0.saturating_add(plan.deducted.0))
}

/// Whether a result rests on what the year holds at this moment. `plan` is the plan in force.
pub fn grounded(
    computed: &Computed,
    inputs: &str,
    (year, plan): (&Year, Option<&Plan>),
) -> Result<(), Unfounded> {
    let members = &year.members;
    let all = |named: Vec<&Slug>| {
        named.len() == members.len() && named.into_iter().all(|id| members.contains_key(id))
    };
    let plan = || plan.ok_or(Unfounded::NoPlan);
    match computed {
        Computed::Plan(own) => {
            if own.total != year.target {
                return Err(Unfounded::Target {
                    planned: own.total,
                    target: year.target,
                });
            }
            let named = own.members.iter().map(|part| &part.id).collect();
            all(named).then_some(()).ok_or(Unfounded::Members)
        }
        Computed::Settlement(_) => {
            let input: OverspendInput =
                serde_json::from_str(inputs).map_err(|_| Unfounded::Shape)?;
            paid(year)?;
            let over = left(plan()?, year).into_iter().filter(|(_, fen)| *fen < 0);
            let over: BTreeMap<Slug, Fen> = over
                .map(|(id, fen)| (id, Fen(fen.saturating_neg())))
                .collect();
            if input.overspend != over {
                return Err(Unfounded::Overspend);
            }
            let kept = reserve(plan()?);
            let given = input.reserve;
            if given == kept {
                Ok(())
            } else {
                Err(Unfounded::Reserve { given, kept })
            }
        }
        Computed::Bonus(bonus) => {
            if !all(bonus.scores.iter().map(|score| &score.id).collect()) {
                return Err(Unfounded::Members);
            }
            let input: BonusInput = serde_json::from_str(inputs).map_err(|_| Unfounded::Shape)?;
            let plan = plan()?;
            let tiers: BTreeMap<&Slug, Tier> = plan
                .members
                .iter()
                .map(|part| (&part.id, part.tier))
                .collect();
            let mut others = input.members.iter();
            if let Some(other) = others.find(|one| tiers.get(&one.id) != Some(&one.tier)) {
                return Err(Unfounded::Tier(other.id.clone()));
            }
            paid(year)?;
            let left = left(plan, year).into_values();
            let left = Fen(left.fold(0, |sum, fen| sum.saturating_add(fen.max(0))));
            let classes = [input.basic, input.performance, input.strategic];
            let given = Fen(classes.iter().fold(0, |sum, fen| sum.saturating_add(fen.0)));
            if given <= left {
                Ok(())
            } else {
                Err(Unfounded::Surplus { given, left })
            }
        }
        Computed::Appraisal(grades) => all(grades.iter().map(|one| &one.id).collect())
            .then_some(())
            .ok_or(Unfounded::Members),
    }
}
