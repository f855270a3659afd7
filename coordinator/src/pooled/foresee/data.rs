//! Months of which hospitals said that they hold none.

use std::collections::BTreeSet;

use pooled::manifest::Manifest;
use schemas::id::Slug;

use super::{Foreseen, named};
use crate::ask;
use crate::authority::Authority;
use crate::pooled::PooledError;
use crate::store::state::State;

/// Hospitals that said to their last attributed round about all of these months that they hold none of
/// them, and that have answered nothing about any of them since.
pub(super) async fn none(
    state: &State,
    authority: &Authority,
    manifest: &Manifest,
) -> Result<(), PooledError> {
    let period = manifest.period;
    let mut lacking: BTreeSet<Slug> = BTreeSet::new();
    let mut said = None;
    for held in ask::list(state, authority).await.map_err(Box::new)? {
        let asked = held.round.question.period;
        if asked.from > period.to || period.from > asked.to {
            continue;
        }
        let round = &held.round.id;
        let answered = "select hospital from replies where round = $1 and said = 'answered'";
        for hospital in named(state, answered, round).await? {
            lacking.remove(&hospital);
        }
        if asked.from <= period.from && period.to <= asked.to {
            let none = "select hospital from replies where round = $1 and said = 'no_data'";
            let before = lacking.len();
            lacking.extend(named(state, none, round).await?);
            if lacking.len() > before {
                said = Some(round.clone());
            }
        }
    }
    let hospitals: Vec<Slug> = manifest
        .roster
        .iter()
        .filter(|one| lacking.contains(*one))
        .cloned()
        .collect();
    match (hospitals.is_empty(), said) {
        (false, Some(round)) => Err(PooledError::Foreseen(Box::new(Foreseen::NoData {
            hospitals,
            round,
            period,
        }))),
        _ => Ok(()),
    }
}
