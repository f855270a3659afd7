//! Activity-based costing (作业成本法): resources to activities, activities to case groups by what they
//! used, and what capacity nobody used. Σ of all parts is Σ of the resources, to the fen.

use std::collections::BTreeMap;

use dashu::rational::RBig;
use schemas::id::Slug;
use schemas::money::Fen;
use serde::{Deserialize, Serialize};

use crate::figures::exact::round;
use crate::figures::half_up;

/// A resource and the weights by which activities use it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// Its name.
    pub id: Slug,
    /// What it cost.
    pub amount: Fen,
    /// By which activities, in any one unit.
    pub drivers: BTreeMap<Slug, u64>,
}

/// What a case group used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupUse {
    /// The group.
    pub group: String,
    /// Its cases.
    pub cases: u64,
    /// Drugs and consumables charged by the piece.
    pub direct: Fen,
    /// Units of each activity.
    pub uses: BTreeMap<Slug, u64>,
}

/// An activity.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// What it cost.
    pub pool: Fen,
    /// What could be done, in units.
    pub volume: u64,
    /// Fen of a unit, four decimals.
    pub rate: String,
    /// Cost of what was not used.
    pub unused: Fen,
}

/// What a case group cost.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Used {
    /// The group.
    pub group: String,
    /// By activity.
    pub by_activity: BTreeMap<Slug, Fen>,
    /// All of it, drugs and consumables with it.
    pub total: Fen,
    /// Of a case, rounded; none where there are no cases.
    pub unit: Option<Fen>,
}

/// All activities of a period.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activities {
    /// The activities.
    pub activities: BTreeMap<Slug, Activity>,
    /// The groups, in the order of the inputs.
    pub groups: Vec<Used>,
}

/// Why nothing is computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActivityError {
    /// An activity without a volume.
    #[error("the activity `{0}` has no practical volume above zero")]
    Volume(Slug),
    /// A resource nobody uses.
    #[error("no activity uses the resource `{0}`")]
    NoDriver(Slug),
    /// An activity that gets nothing and is used.
    #[error("`{0}` is used by a case group and is no activity")]
    Unknown(Slug),
    /// More is used than can be done.
    #[error("more of `{0}` is used than its practical volume; correct one of them")]
    Beyond(Slug),
    /// Beyond 64 bits of fen.
    #[error("an amount is out of range")]
    OutOfRange,
}

/// pool(a) = Σ resource · share; rate = pool / practical volume; a group pays rate · use.
pub fn activities(
    resources: &[Resource],
    volumes: &BTreeMap<Slug, u64>,
    groups: &[GroupUse],
) -> Result<Activities, ActivityError> {
    let names: Vec<&Slug> = volumes.keys().collect();
    let mut pools: BTreeMap<&Slug, Fen> = names.iter().map(|name| (*name, Fen(0))).collect();
    for resource in resources {
        let mut unknown = resource.drivers.keys();
        if let Some(name) = unknown.find(|name| !volumes.contains_key(*name)) {
            return Err(ActivityError::Volume(name.clone()));
        }
        let weight = |name: &&Slug| resource.drivers.get(*name).copied().unwrap_or(0);
        let weights: Vec<u64> = names.iter().map(weight).collect();
        if weights.iter().all(|weight| *weight == 0) {
            return Err(ActivityError::NoDriver(resource.id.clone()));
        }
        let parts = resource.amount.split(&weights);
        let parts = parts.map_err(|_| ActivityError::OutOfRange)?;
        for (pool, part) in pools.values_mut().zip(parts) {
            *pool = add(*pool, part)?;
        }
    }
    let known = |of: &GroupUse| {
        of.uses
            .keys()
            .find(|name| !volumes.contains_key(*name))
            .cloned()
    };
    if let Some(name) = groups.iter().find_map(known) {
        return Err(ActivityError::Unknown(name));
    }
    let mut used = vec![BTreeMap::new(); groups.len()];
    let mut all = BTreeMap::new();
    for (name, pool) in pools {
        let volume = volumes.get(name).copied().unwrap_or(0);
        if volume == 0 {
            return Err(ActivityError::Volume(name.clone()));
        }
        let mut weights: Vec<u64> = groups
            .iter()
            .map(|of| of.uses.get(name).copied().unwrap_or(0))
            .collect();
        let mut uses = weights.iter();
        let left = uses.try_fold(volume, |left, one| left.checked_sub(*one));
        weights.push(left.ok_or_else(|| ActivityError::Beyond(name.clone()))?);
        let parts = pool
            .split(&weights)
            .map_err(|_| ActivityError::OutOfRange)?;
        for ((of, part), uses) in used.iter_mut().zip(&parts).zip(&weights) {
            if *uses > 0 {
                of.insert(name.clone(), *part);
            }
        }
        let rate = RBig::from(pool.0) / RBig::from(volume);
        let activity = Activity {
            pool,
            volume,
            rate: half_up(&rate, 4),
            unused: parts.last().copied().unwrap_or_default(),
        };
        all.insert(name.clone(), activity);
    }
    let mut costs = Vec::with_capacity(groups.len());
    for (of, by_activity) in groups.iter().zip(used) {
        let mut total = of.direct;
        for part in by_activity.values() {
            total = add(total, *part)?;
        }
        let unit = (of.cases > 0).then(|| RBig::from(total.0) / RBig::from(of.cases));
        costs.push(Used {
            group: of.group.clone(),
            by_activity,
            total,
            unit: unit.and_then(|unit| round(&unit)),
        });
    }
    Ok(Activities {
        activities: all,
        groups: costs,
    })
}

fn add(one: Fen, other: Fen) -> Result<Fen, ActivityError> {
    one.checked_add(other)
        .map_err(|_| ActivityError::OutOfRange)
}
