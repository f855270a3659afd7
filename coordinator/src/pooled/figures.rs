//! From a finished round to its figures, alone or beside those of an attributed round: the
//! publication is verified like anybody's, the question compiled anew.

use policies::figures::{self, Benchmark, Pooled};
use policies::plan::{Layout, compile, pooled_fits};
use policies::rules::Privacy;
use pooled::published::{Verified, verify};
use schemas::dictionary::Dictionary;
use schemas::id::Slug;
use schemas::question::{Measure, Question, Table};
use schemas::round::State as RoundState;
use schemas::time::Timestamp;

use super::{PooledError, open, publish};
use crate::ask;
use crate::authority::Authority;
use crate::dictionary;
use crate::merge::Collected;
use crate::store::state::State;

/// The figures of a finished round, and the tables of which nothing is shown because their sums do not
/// count stays. Where that is all of them there are no figures.
pub async fn figures(
    state: &State,
    authority: &Authority,
    rules: &Privacy,
    round: &Slug,
    now: Timestamp,
) -> Result<(Pooled, Vec<String>), PooledError> {
    let (layout, dictionary, verified) = found(state, authority, rules, round, now).await?;
    let tables = layout.tables.iter().enumerate();
    let uncounted: Vec<String> = tables
        .filter(|(place, _)| layout.find(*place, &Measure::Count).is_none())
        .map(|(_, table)| {
            let axes = table.axes.iter().map(|axis| axis.dimension.as_str());
            axes.collect::<Vec<_>>().join(" × ")
        })
        .collect();
    if uncounted.len() == layout.tables.len() {
        let beside = counted(state, authority, &verified.asked.question).await?;
        return Err(PooledError::Uncounted(round.clone(), beside));
    }
    let figures = figures::pooled(&layout, &dictionary, rules, &verified)?;
    Ok((figures, uncounted))
}

/// Closed attributed rounds about the same months, or how to get one.
async fn counted(
    state: &State,
    authority: &Authority,
    question: &Question,
) -> Result<String, PooledError> {
    let rounds = ask::list(state, authority).await.map_err(Box::new)?;
    let same = rounds.iter().filter(|held| {
        let asked = &held.round.question;
        let counts = |table: &Table| {
            let mut blocks = table.blocks.iter();
            blocks.any(|block| block.measure == Measure::Count)
        };
        held.state == RoundState::Closed
            && (asked.period, &asked.filter) == (question.period, &question.filter)
            && asked.tables.iter().any(counts)
    });
    let names: Vec<String> = same.map(|held| format!("`{}`", held.round.id)).collect();
    Ok(if names.is_empty() {
        "for example one opened by `round open yearly-hospitals`".to_owned()
    } else {
        format!("here {}", names.join(" or "))
    })
}

/// The figures of an attributed round and what the sums of a finished pooled round add to them.
pub async fn beside(
    state: &State,
    authority: &Authority,
    rules: &Privacy,
    collected: &Collected,
    (round, now): (&Slug, Timestamp),
) -> Result<Benchmark, PooledError> {
    let (of_pooled, _, verified) = found(state, authority, rules, round, now).await?;
    let dictionary = &collected.dictionary;
    let layout = compile(&collected.round.question, dictionary, rules)?;
    let attributed = (&layout, collected.hospitals.as_slice());
    let pooled = (&of_pooled, &verified);
    Ok(figures::together(attributed, pooled, dictionary, rules)?)
}

async fn found(
    state: &State,
    authority: &Authority,
    rules: &Privacy,
    round: &Slug,
    now: Timestamp,
) -> Result<(Layout, Dictionary, Verified), PooledError> {
    let held = open::find(state, authority, round).await?;
    let files = publish::files(state, &held).await?;
    let verified = verify(&files, &authority.signer().public(), now)?;
    let question = &verified.asked.question;
    let cited = dictionary::by_digest(state, authority, question.dictionary).await?;
    let dictionary = cited.ok_or(PooledError::NoDictionary)?.dictionary;
    let layout = pooled_fits(verified.round.manifest(), question, &dictionary, rules)?;
    Ok((layout, dictionary, verified))
}
