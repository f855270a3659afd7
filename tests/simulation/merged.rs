//! The figures of a round: they follow from what the hospitals signed, each counted once, and are
//! shown across hospitals only where enough of them are.

use coordinator::merge::{self, MergeError};
use policies::figures;
use policies::plan;
use schemas::outcome::Outcome;

use super::bug::Bug;
use super::step::Came;
use super::wire::held;
use super::world::World;
use crate::fixture::slug;

/// Merges a round that exists and judges what comes of it.
pub(super) async fn merge(world: &mut World, which: u16) -> Came {
    let mut names: Vec<&str> = world
        .rounds
        .values()
        .map(|round| round.name.as_str())
        .collect();
    names.sort_unstable();
    let Some(name) = usize::from(which)
        .checked_rem(names.len())
        .map(|at| names[at])
    else {
        return Came::Nothing("no round".to_owned());
    };
    let closed = world.office.closed.contains(name);
    let state = world.hub.state().await;
    let merged = merge::merge(&state, &world.hub.authority, &slug(name)).await;
    let mut collected = match merged {
        Ok(_) if !closed => {
            return Came::Broken(format!("figures of `{name}`, which never closed"));
        }
        Ok(collected) => collected,
        Err(MergeError::Open(_) | MergeError::Dead(_)) if !closed => {
            return Came::Nothing("not closed".to_owned());
        }
        Err(error) => return Came::Broken(format!("a closed round is not merged: {error}")),
    };
    if world.bug == Some(Bug::MergedTwice) {
        let first = collected
            .hospitals
            .iter()
            .find(|(_, said)| said.is_ok())
            .cloned();
        let other = collected
            .hospitals
            .iter_mut()
            .find(|(_, said)| said.is_err());
        if let (Some(first), Some(other)) = (first, other) {
            *other = first;
        }
    }
    match judge(world, &collected) {
        Ok(word) => Came::Done(word),
        Err(what) => Came::Broken(format!("`{name}`: {what}")),
    }
}

fn judge(world: &World, collected: &merge::Collected) -> Result<String, String> {
    let round = &collected.round;
    let mut of: Vec<_> = collected.hospitals.iter().map(|(name, _)| name).collect();
    of.dedup();
    if of != round.roster.iter().collect::<Vec<_>>() {
        return Err("the figures do not count each hospital once".to_owned());
    }
    let answered = collected
        .hospitals
        .iter()
        .filter(|(_, said)| said.is_ok())
        .count();
    if u32::try_from(answered).map_or(true, |answered| answered < round.min_answers) {
        return Err("figures of fewer answers than the round needs".to_owned());
    }
    // The same answers as the observer saw them leave: the figures are of these or of nothing.
    let seen = held(&world.seen);
    let mut replies = collected.hospitals.clone();
    for (name, said) in &mut replies {
        let who = world
            .made
            .members
            .iter()
            .position(|member| member.name == *name);
        let who = who.ok_or("figures of a hospital that is none")?;
        if let Ok(answer) = said {
            let signed = seen.answer_to(who, collected.digests.round);
            let signed = signed.ok_or("an answer is merged that never left its hospital")?;
            *answer = signed.clone();
        }
    }
    drop(seen);
    let (dictionary, rules) = (&collected.dictionary, &world.made.rules);
    let layout = plan::compile(&round.question, dictionary, rules).map_err(|e| e.to_string())?;
    let told = figures::benchmark(&layout, dictionary, rules, &collected.hospitals);
    let told = told.map_err(|error| error.to_string())?;
    let own = figures::benchmark(&layout, dictionary, rules, &replies);
    if own.is_ok_and(|own| own != told) {
        return Err("the figures are not those of what was signed".to_owned());
    }
    let shown = |cell: &figures::benchmark::Cell| matches!(cell.stays, Outcome::Value(_));
    for row in told.splits.iter().flat_map(|split| &split.rows) {
        let hospitals = row.hospitals.iter().filter(|cell| shown(cell)).count();
        let enough = u32::try_from(hospitals).is_ok_and(|n| n >= rules.display.hospitals);
        if shown(&row.alliance) && !enough {
            return Err("a figure across too few hospitals is shown".to_owned());
        }
    }
    Ok(format!("{answered} answers"))
}
