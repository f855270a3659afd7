//! What a result has to rest on: the year's members, its target, the plan in force and what was paid. A
//! result may claim what the year does not hold (indicators, causes), never something else than it holds.

use std::collections::{BTreeMap, BTreeSet};

use schemas::id::Slug;
use schemas::money::Fen;
use schemas::year::Matter;

use super::{Computed, Year};
use crate::figures::bonus::BonusInput;
use crate::figures::budget::{BudgetInput, Plan, Revision, Tier};
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
    /// A plan that does not follow the one in force where it is made again, or follows one where it is not.
    #[error(
        "a plan that is made again keeps what the plan in force gave before it, and no other does; make the \
         inputs again by `year inputs`"
    )]
    Revision,
    /// A plan in force is made again where members change or an administrator says so.
    #[error(
        "a plan is in force: it is made again where members join or leave (`say … join`, `say … leave`) or an \
         administrator has it made again (`say … replan`)"
    )]
    InForce,
    /// A year that is not paid to its end.
    #[error(
        "{months} of {of} months are paid to `{member}`: the insurer says what it paid first, 0 where it was nothing"
    )]
    Unpaid {
        /// The first such member.
        member: Slug,
        /// How many months the insurer spoke of.
        months: usize,
        /// In how many it takes part.
        of: usize,
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
    /// Overspend that no settlement in force gave a bearer.
    #[error("`{0}` overspent, and no settlement is in force: propose and decide one first")]
    Unsettled(Slug),
    /// More own surplus in the pool than a member has.
    #[error(
        "`{member}` is said to have a surplus of {given} of its own, its budget less payments leaves {left}"
    )]
    Own {
        /// Who.
        member: Slug,
        /// What the inputs say.
        given: Fen,
        /// What is left.
        left: Fen,
    },
    /// More surplus than budgets less payments leave.
    #[error(
        "a surplus of {given} in classes and pool, while budgets less payments of those who did not overspend leave {left}"
    )]
    Surplus {
        /// All classes, and what members bring into the pool of their own.
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

/// Whether the insurer spoke of every month in which a member takes part: before that nobody has a surplus or
/// overspent.
fn paid(year: &Year) -> Result<(), Unfounded> {
    for member in year.members.keys() {
        let months = year.paid.get(member).map_or(0, BTreeMap::len);
        let of = year.months_of(member).len();
        if months != of {
            let member = member.clone();
            return Err(Unfounded::Unpaid { member, months, of });
        }
    }
    Ok(())
}

/// Whether the surplus is there: each member's own, and all of it once, in classes and pool together.
fn surplus(input: &BonusInput, left: &BTreeMap<Slug, i64>) -> Result<(), Unfounded> {
    for (member, given) in &input.own {
        let left = Fen(left.get(member).copied().unwrap_or_default().max(0));
        if *given > left {
            let (member, given) = (member.clone(), *given);
            return Err(Unfounded::Own {
                member,
                given,
                left,
            });
        }
    }
    let all = left
        .values()
        .fold(0, |sum: i64, fen| sum.saturating_add((*fen).max(0)));
    let classes = [input.basic, input.performance, input.strategic];
    let given = classes.iter().chain(input.own.values());
    let given = given.fold(0, |sum: i64, fen| sum.saturating_add(fen.0));
    if given > all {
        let (given, left) = (Fen(given), Fen(all));
        return Err(Unfounded::Surplus { given, left });
    }
    Ok(())
}

/// Whether a year may be closed: all of it is paid, and overspend has its bearers.
pub fn closable(year: &Year, plan: Option<&Plan>) -> Result<(), Unfounded> {
    paid(year)?;
    let over = left(plan.ok_or(Unfounded::NoPlan)?, year);
    let over = over.into_iter().find(|(_, fen)| *fen < 0);
    let settled = year.matters.get(&Matter::Settlement);
    match over {
        Some((member, _)) if !settled.is_some_and(|settled| settled.in_force) => {
            Err(Unfounded::Unsettled(member))
        }
        _ => Ok(()),
    }
}

/// Whether a plan keeps what the plan in force gave before it is made again, or none where it is not.
fn revised(input: &BudgetInput, year: &Year, plan: Option<&Plan>) -> Result<(), Unfounded> {
    let kept = match (&year.changing, plan) {
        (Some(changing), Some(plan)) => Some(Revision {
            from: changing.from,
            given: plan.given(changing.from),
        }),
        _ => None,
    };
    if input.revision == kept {
        Ok(())
    } else {
        Err(Unfounded::Revision)
    }
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
    let in_force = plan;
    let plan = || in_force.ok_or(Unfounded::NoPlan);
    // Who left is settled with, and gets neither a bonus nor a grade.
    let staying = |named: Vec<&Slug>| {
        let there: BTreeSet<&Slug> = year.staying().collect();
        named.len() == there.len() && named.into_iter().all(|id| there.contains(id))
    };
    match computed {
        Computed::Plan(own) => {
            let (planned, target) = (own.total, year.planned_target());
            if planned != target {
                return Err(Unfounded::Target { planned, target });
            }
            if in_force.is_some() && year.changing.is_none() {
                return Err(Unfounded::InForce);
            }
            let input: BudgetInput = serde_json::from_str(inputs).map_err(|_| Unfounded::Shape)?;
            revised(&input, year, in_force)?;
            let named = own.members.iter().map(|part| &part.id).collect();
            let there = input.members.iter().map(|member| &member.id).collect();
            (all(named) && staying(there))
                .then_some(())
                .ok_or(Unfounded::Members)
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
            if !staying(bonus.scores.iter().map(|score| &score.id).collect()) {
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
            surplus(&input, &left(plan, year))
        }
        Computed::Appraisal(grades) => staying(grades.iter().map(|one| &one.id).collect())
            .then_some(())
            .ok_or(Unfounded::Members),
    }
}
