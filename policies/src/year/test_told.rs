//! The second formulation's members: who comes and goes, and which plan stands meanwhile.

use std::collections::BTreeMap;

use super::test_model::{At, History, is_admin};
use super::test_world::*;
use super::*;

/// In which months a member takes part.
#[derive(Clone, Copy, Default)]
pub(super) struct Months {
    pub(super) from: Option<Month>,
    pub(super) until: Option<Month>,
}

/// Members and their months, changes that no plan knows of, and the plan in force: as told by all that
/// was said.
#[derive(Default)]
pub(super) struct Told {
    pub(super) members: BTreeMap<String, Months>,
    pub(super) pending: Vec<(String, Month, bool)>,
    pub(super) plan: Option<Digest>,
    /// From which month on the plan is to be made again, and another target.
    again: Option<(Month, Option<i64>)>,
    /// The target that a plan in force brought.
    pub(super) target: Option<i64>,
    last: Option<Month>,
}

/// Whether it is about who comes and goes, or a plan made again.
pub(super) fn is_change(says: &Says) -> bool {
    matches!(
        says,
        Says::Join { .. }
            | Says::Leave { .. }
            | Says::Stay { .. }
            | Says::Replan { .. }
            | Says::Stand { .. }
    )
}

impl Told {
    /// Whether another plan has to follow.
    pub(super) fn changing(&self) -> bool {
        !self.pending.is_empty() || self.again.is_some()
    }
}

impl History {
    pub(super) fn told(&self) -> Told {
        let mut told = Told::default();
        let (mut newest, mut signed, mut void) = (None, 0, false);
        for (_, _, says) in self.said() {
            match says {
                Says::Open { members, .. } => {
                    let members = members.keys();
                    told.members = members
                        .map(|id| (id.to_string(), Months::default()))
                        .collect();
                }
                Says::Propose {
                    matter: Matter::Plan,
                    result,
                    ..
                } => {
                    (newest, signed, void) = (Some(*result), 0, false);
                }
                Says::Object {
                    matter: Matter::Plan,
                    ..
                } => signed = 0,
                Says::Target { .. } => void = true,
                Says::Sign {
                    matter: Matter::Plan,
                    ..
                } if !void => {
                    signed += 1;
                    if signed == signers(Matter::Plan).len() {
                        told.plan = newest;
                        let again = told.again.take();
                        let known = told.pending.iter().map(|one| one.1);
                        let known = known.chain(again.map(|one| one.0)).max();
                        told.last = known.or(told.last);
                        told.target = again.and_then(|one| one.1).or(told.target);
                        told.pending.clear();
                    }
                }
                Says::Join { member, from, .. } => {
                    let months = Months {
                        from: Some(*from),
                        until: None,
                    };
                    told.members.insert(member.to_string(), months);
                    told.pending.push((member.to_string(), *from, true));
                }
                Says::Leave { member, from, .. } => {
                    told.members.get_mut(member.as_str()).unwrap().until = Some(*from);
                    told.pending.push((member.to_string(), *from, false));
                }
                Says::Stay { member, .. } => {
                    let is = |one: &(String, Month, bool)| one.0 == member.as_str();
                    let place = told.pending.iter().position(is).unwrap();
                    if told.pending.remove(place).2 {
                        told.members.remove(member.as_str());
                    } else {
                        told.members.get_mut(member.as_str()).unwrap().until = None;
                    }
                }
                Says::Replan { from, target, .. } => {
                    told.again = Some((*from, target.map(|target| target.0)));
                }
                Says::Stand { .. } => told.again = None,
                _ => {}
            }
        }
        told
    }

    pub(super) fn is_member(&self, by: &str) -> bool {
        self.told().members.contains_key(by)
    }

    /// Whether members may come, go, or stay after all.
    pub(super) fn allows_change(&self, by: &str, says: &Says) -> bool {
        let told = self.told();
        let free = [Matter::Settlement, Matter::Bonus, Matter::Appraisal];
        let free = free.into_iter().all(|matter| !self.in_force(matter));
        if !is_admin(by) || self.at() != At::InForce || !free {
            return false;
        }
        let when = |from: Month| {
            from.year().0 == 2026
                && from.number() > 1
                && told.last.is_none_or(|last| last <= from)
                && told.pending.iter().all(|one| one.1 == from)
                && told.again.is_none_or(|one| one.0 == from)
        };
        match says {
            Says::Join {
                member, from, why, ..
            } => when(*from) && !why.is_empty() && !told.members.contains_key(member.as_str()),
            Says::Leave { member, from, why } => {
                let others = told.members.iter();
                let mut others = others
                    .filter(|(name, its)| its.until.is_none() && name.as_str() != member.as_str());
                let own = told.members.get(member.as_str());
                let there = own.is_some_and(|own| {
                    own.until.is_none() && own.from.is_none_or(|first| first < *from)
                });
                let mut later = (from.number()..=12).map(|of| Month::new(2026, of).unwrap());
                when(*from)
                    && !why.is_empty()
                    && there
                    && others.next().is_some()
                    && !later.any(|month| self.paid(member, month))
            }
            Says::Replan { from, target, why } => {
                let mut paid = told.members.keys().flat_map(|name| {
                    (from.number()..=12).map(move |of| (slug(name), Month::new(2026, of).unwrap()))
                });
                when(*from)
                    && !why.is_empty()
                    && told.again.is_none()
                    && target.is_none_or(|target| target.0 > 0 && target.0 != self.target())
                    && !paid.any(|(name, month)| self.paid(&name, month))
            }
            Says::Stand { why } => !why.is_empty() && told.again.is_some(),
            Says::Stay { member, why } => {
                let mut pending = told.pending.iter();
                !why.is_empty() && pending.any(|one| one.0 == member.as_str())
            }
            _ => false,
        }
    }

    pub(super) fn paid(&self, to: &Slug, of: Month) -> bool {
        // What was paid before a hospital joined, and did not after all, is of no member.
        let joins =
            |one: &(String, i64, Says)| matches!(&one.2, Says::Join { member, .. } if member == to);
        let said = self.said();
        let since = &said[said.iter().rposition(joins).unwrap_or(0)..];
        since.iter().any(
            |one| matches!(&one.2, Says::Paid { member, month, .. } if member == to && *month == of),
        )
    }

    pub(super) fn paid_out(&self) -> bool {
        self.some(|says| matches!(says, Says::PayOut { .. }))
    }

    /// Whether every objection to every version of a result was answered and not right.
    pub(super) fn all_rejected(&self, about: Matter) -> bool {
        let said = self.said();
        let proposals = said.iter().enumerate();
        let mut starts = proposals
            .filter(|(_, one)| matches!(one.2, Says::Propose { matter, .. } if matter == about));
        starts.all(|(start, _)| {
            let mut end = said[start + 1..].iter();
            let end = end
                .position(|one| matches!(one.2, Says::Propose { matter, .. } if matter == about));
            let until = end.map_or(said.len(), |more| start + 1 + more);
            // As if nothing had been said since that version.
            let version = Self(said[..until].to_vec());
            version
                .objections(about)
                .values()
                .all(|of| *of == Some(false))
        })
    }
}
