//! Encounters that are parts of others (`partOf`: a ward's part of a stay): the outermost inpatient
//! encounter is the stay, and what refers to a part belongs to it.

use std::collections::BTreeMap;

use super::ids::{Ids, Key};
use super::stay::{Place, Stay};

/// Most encounters one inside the other.
const MOST_LEVELS: usize = 16;

/// An encounter that is part of another.
pub(super) struct Part {
    /// `None`: the reference is none to an encounter.
    pub(super) parent: Option<Key>,
    pub(super) place: Place,
    pub(super) hospital: Box<str>,
    /// The stay that it is if nothing around it is inpatient; `None` where it is not inpatient itself.
    pub(super) stay: Option<Stay>,
}

/// What the encounters around a part come to.
enum Outermost {
    /// Nothing inpatient, not even the part.
    Nothing,
    /// A stay that is no part.
    Stay(usize),
    /// A part.
    Part(Key),
    /// Something that is not in the folder, or a ring.
    Unknown,
}

/// Resolves the parts when all encounters are read: adds the stays that they are and gives the lines of
/// those that are part of nothing.
pub(super) fn resolve(
    mut parts: BTreeMap<Key, Part>,
    ids: &mut Ids,
    stays: &mut Vec<Stay>,
) -> Vec<Part> {
    let found: Vec<(Key, Outermost)> = parts
        .keys()
        .map(|own| (*own, outermost(*own, &parts, ids)))
        .collect();
    let mut lost = Vec::new();
    for (own, around) in &found {
        match around {
            Outermost::Part(part) if part == own => {
                if let Some(stay) = parts.get_mut(own).and_then(|part| part.stay.take()) {
                    ids.lead(*own, stays.len());
                    stays.push(stay);
                }
            }
            Outermost::Unknown => lost.extend(parts.remove(own)),
            _ => {}
        }
    }
    for (own, around) in found {
        let stay = match around {
            Outermost::Stay(stay) => Some(stay),
            Outermost::Part(part) => ids.stay_of(&part),
            Outermost::Nothing | Outermost::Unknown => None,
        };
        if let Some(stay) = stay {
            ids.lead(own, stay);
        }
    }
    lost
}

fn outermost(own: Key, parts: &BTreeMap<Key, Part>, ids: &Ids) -> Outermost {
    let (mut found, mut at) = (Outermost::Nothing, own);
    for _ in 0..MOST_LEVELS {
        let Some(part) = parts.get(&at) else {
            return match (ids.is_encounter(&at), ids.stay_of(&at)) {
                (false, _) => Outermost::Unknown,
                (true, Some(stay)) => Outermost::Stay(stay),
                (true, None) => found,
            };
        };
        if part.stay.is_some() {
            found = Outermost::Part(at);
        }
        let Some(parent) = part.parent else {
            return Outermost::Unknown;
        };
        at = parent;
    }
    Outermost::Unknown
}
