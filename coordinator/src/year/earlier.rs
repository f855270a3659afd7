//! What earlier years leave to a later one: overspend that members bear, and what they left undone.

use policies::figures::budget::BudgetInput;
use std::collections::{BTreeMap, BTreeSet};

use policies::figures::appraisal::Shortcoming;
use policies::figures::overspend::{Cause, OverspendInput, Settlement};
use policies::year::{Computed, Proposed, Published, Year};
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::time::Timestamp;
use schemas::year::Matter;

use super::tables::Before;
use super::{YearError, all, published};
use crate::store::state::State;

/// Where the inputs of a plan take more or less for earlier years than their settlements say, in words.
pub async fn apart(
    state: &State,
    (alliance, number): (&Slug, u16),
    inputs: &str,
) -> Result<Vec<String>, YearError> {
    // Inputs that cannot be read are refused where they are computed.
    let Ok(input) = serde_json::from_str::<BudgetInput>(inputs) else {
        return Ok(Vec::new());
    };
    let owed = owed(state, alliance, number).await?;
    let apart = input.members.iter().filter_map(|member| {
        let (id, taken) = (&member.id, member.deduction);
        let owed = owed.get(id).copied().unwrap_or_default();
        (taken != owed).then(|| format!("{id}: {taken} taken, {owed} owed for earlier years"))
    });
    Ok(apart.collect())
}

/// What settlements in force of earlier years take from later budgets, less what plans in force took:
/// a settlement is often decided when the next plan has been signed already.
pub async fn owed(
    state: &State,
    alliance: &Slug,
    number: u16,
) -> Result<BTreeMap<Slug, Fen>, YearError> {
    let mut owed: BTreeMap<Slug, i64> = BTreeMap::new();
    for listed in all(state, alliance).await? {
        if listed.year >= number {
            continue;
        }
        let kept = published(state.pool(), alliance, listed.year).await?;
        let stands = kept.replay(|_, _, _| Ok(()))?;
        if let Some(plan) = kept.plan(&stands) {
            for part in &plan.members {
                let of = owed.entry(part.id.clone()).or_default();
                *of = of.saturating_sub(part.deduction.0).max(0);
            }
        }
        let Some((_, settled)) = settled(&kept, &stands) else {
            continue;
        };
        for (member, fen) in &settled.next_year {
            let of = owed.entry(member.clone()).or_default();
            *of = of.saturating_add(fen.0);
        }
    }
    let owed = owed.into_iter().filter(|(_, fen)| *fen > 0);
    Ok(owed.map(|(member, fen)| (member, Fen(fen))).collect())
}

/// What the insurer paid each member in the year before, where it spoke of all its months, and how much of it
/// the member overspent by its own fault as a settlement in force says.
pub async fn spent_before(
    state: &State,
    (alliance, number): (&Slug, u16),
) -> Result<BTreeMap<Slug, (Fen, Fen)>, YearError> {
    let before = number.saturating_sub(1);
    let kept = match published(state.pool(), alliance, before).await {
        Err(YearError::Unknown(_)) => return Ok(BTreeMap::new()),
        other => other?,
    };
    let stands = kept.replay(|_, _, _| Ok(()))?;
    let own = settled(&kept, &stands).map(|(_, settled)| &settled.responsible);
    let whole = stands
        .paid
        .iter()
        .filter(|(member, months)| months.len() == 12 && stands.members.contains_key(*member));
    let spent = whole.map(|(member, months)| {
        let paid = months
            .values()
            .fold(0_i64, |sum, fen| sum.saturating_add(fen.0));
        let own = own.and_then(|own| own.get(member)).copied();
        (member.clone(), (Fen(paid), own.unwrap_or_default()))
    });
    Ok(spent.collect())
}

/// Tasks of the year before that were late, and overspend that its settlement in force laid to
/// management: once a member.
pub async fn undone(
    state: &State,
    (alliance, number): (&Slug, u16),
    now: Timestamp,
) -> Result<Before, YearError> {
    let mut undone = Before::new();
    let before = number.saturating_sub(1);
    let known = all(state, alliance).await?;
    if !known.iter().any(|listed| listed.year == before) {
        return Ok(undone);
    }
    let kept = published(state.pool(), alliance, before).await?;
    let stands = kept.replay(|_, _, _| Ok(()))?;
    let mut count = |member: &Slug, kind| {
        let of = undone.entry(member.clone()).or_default();
        let times: &mut u32 = of.entry(kind).or_default();
        *times = times.saturating_add(1);
    };
    for task in stands.tasks.values().filter(|task| task.is_late(now)) {
        count(&task.member, Shortcoming::LateTask);
    }
    if let Some((proposed, _)) = settled(&kept, &stands) {
        let input: OverspendInput =
            serde_json::from_str(&proposed.inputs).map_err(|_| policies::year::Unfounded::Shape)?;
        let gaps = input.classified.iter();
        let gaps = gaps.filter(|one| one.cause == Cause::ManagementGap && one.amount > Fen(0));
        // However many amounts it was written down in.
        for member in gaps.map(|one| &one.member).collect::<BTreeSet<_>>() {
            count(member, Shortcoming::ManagementGap);
        }
    }
    Ok(undone)
}

/// The settlement in force.
fn settled<'a>(kept: &'a Published, stands: &Year) -> Option<(&'a Proposed, &'a Settlement)> {
    let proposed = kept.in_force(stands, Matter::Settlement)?;
    match &proposed.computed {
        Computed::Settlement(settled) => Some((proposed, settled)),
        _ => None,
    }
}
