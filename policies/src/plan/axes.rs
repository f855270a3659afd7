//! Dimensions as axes: the full public list of keys, zeros included.

use schemas::dictionary::{Dictionary, KeySource};
use schemas::id::Slug;
use schemas::question::Filter;
use schemas::time::Period;
use serde::Serialize;

use super::Refusal;
use super::layout::KeySet;
use crate::rules::Privacy;

/// A dimension with its keys for one question.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Axis {
    /// The dimension.
    pub dimension: Slug,
    /// How a row's key follows.
    pub source: KeySource,
    /// Its keys, in code order.
    pub keys: Vec<String>,
}

/// The axis of a dimension, if dictionary and policy allow it.
pub(super) fn axis(
    id: &Slug,
    dictionary: &Dictionary,
    rules: &Privacy,
    period: &Period,
) -> Result<Axis, Refusal> {
    let dimension = dictionary
        .dimension(id.as_str())
        .ok_or_else(|| Refusal::UnknownDimension(id.clone()))?;
    if !rules.allow.dimensions.contains(id) {
        return Err(Refusal::ForbiddenDimension(id.clone()));
    }
    let months = || period.months().iter().map(ToString::to_string).collect();
    let keys = dictionary.keys(dimension).unwrap_or_else(months);
    Ok(Axis {
        dimension: id.clone(),
        source: dimension.source.clone(),
        keys,
    })
}

/// A filter as key sets; unknown keys are refused, an empty list is refused.
pub(super) fn key_sets(
    filter: &Filter,
    dictionary: &Dictionary,
    rules: &Privacy,
    period: &Period,
) -> Result<Vec<KeySet>, Refusal> {
    let mut sets = Vec::with_capacity(filter.len());
    for (id, keys) in filter {
        let axis = axis(id, dictionary, rules, period)?;
        let allowed: Vec<bool> = axis
            .keys
            .iter()
            .map(|key| keys.binary_search(key).is_ok())
            .collect();
        let known = keys.iter().all(|key| axis.keys.contains(key));
        if !known || keys.is_empty() {
            return Err(Refusal::UnknownKey(id.clone()));
        }
        sets.push(KeySet { axis, allowed });
    }
    Ok(sets)
}

/// Which case groups a filter lets through (all where it says nothing about groups).
pub(super) fn groups_in_scope(sets: &[KeySet], dictionary: &Dictionary) -> Vec<bool> {
    let mdcs = dictionary.mdcs();
    let passes = |set: &KeySet, group: usize| match set.axis.source {
        KeySource::CaseGroup => set.allowed.get(group).copied().unwrap_or(false),
        KeySource::Mdc => {
            let mdc = dictionary.groups.get(group).map(|group| group.mdc.as_str());
            let code = mdc.and_then(|mdc| mdcs.binary_search(&mdc).ok());
            code.and_then(|code| set.allowed.get(code))
                .copied()
                .unwrap_or(false)
        }
        KeySource::Month
        | KeySource::Exact
        | KeySource::Prefix { .. }
        | KeySource::Bands
        | KeySource::Level { .. } => true,
    };
    (0..dictionary.groups.len())
        .map(|group| sets.iter().all(|set| passes(set, group)))
        .collect()
}
