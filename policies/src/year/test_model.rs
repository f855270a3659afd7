//! A second formulation of who may say what when: not a state that moves on but a list of what was said,
//! in which every condition is looked up afresh. Both have to agree on every statement.

use std::collections::BTreeMap;

use super::test_told::is_change;
use super::test_world::*;
use super::*;

/// All that was taken, oldest first.
#[derive(Clone, Default)]
pub(super) struct History(pub(super) Vec<(String, i64, Says)>);

#[derive(PartialEq, PartialOrd)]
pub(super) enum At {
    Target,
    Applications,
    Review,
    Planned,
    InForce,
    Over,
}

fn days(matter: Matter) -> i64 {
    if matter == Matter::Settlement { 30 } else { 15 }
}

fn deciders(matter: Matter) -> &'static [&'static str] {
    match matter {
        Matter::Settlement => &["insurer", "committee"],
        _ => &["administrator"],
    }
}

pub(super) fn is_admin(by: &str) -> bool {
    ADMINISTRATORS.contains(&by)
}

impl History {
    pub(super) fn heard(&mut self, by: &str, at: i64, says: &Says) {
        self.0.push((by.to_owned(), at, says.clone()));
    }

    /// What was said since the last opening.
    pub(super) fn said(&self) -> &[(String, i64, Says)] {
        let opens = |one: &(String, i64, Says)| matches!(one.2, Says::Open { .. });
        &self.0[self.0.iter().rposition(opens).unwrap_or(0)..]
    }

    pub(super) fn some(&self, wanted: impl Fn(&Says) -> bool) -> bool {
        self.said().iter().any(|one| wanted(&one.2))
    }

    pub(super) fn target(&self) -> i64 {
        let mut targets = self.said().iter().filter_map(|one| match one.2 {
            Says::Open { target, .. } | Says::Target { target, .. } => Some(target.0),
            _ => None,
        });
        self.told().target.or(targets.next_back()).unwrap()
    }

    /// Administrators whose word to withdraw stands.
    fn withdrawing(&self) -> Vec<&str> {
        let mut standing = Vec::new();
        for (by, _, says) in self.said() {
            match says {
                Says::Withdraw { .. } => standing.push(by.as_str()),
                Says::Keep { .. } => standing.retain(|one| one != by),
                _ => {}
            }
        }
        standing
    }

    pub(super) fn at(&self) -> At {
        if self.some(|says| *says == Says::Close) {
            At::Over
        } else if self.told().plan.is_some() {
            At::InForce
        } else if self.withdrawing().len() == 2 {
            At::Over
        } else if self.newest(Matter::Plan).is_some() {
            At::Planned
        } else if self.some(|says| *says == Says::Review) {
            At::Review
        } else if self.some(|says| *says == Says::Invite) {
            At::Applications
        } else {
            At::Target
        }
    }

    /// The newest proposal about a matter and all that was said since.
    pub(super) fn newest(&self, about: Matter) -> Option<(Digest, &[(String, i64, Says)])> {
        let said = self.said();
        let place = said
            .iter()
            .rposition(|one| matches!(one.2, Says::Propose { matter, .. } if matter == about))?;
        match &said[place].2 {
            Says::Propose { result, .. } => Some((*result, &said[place..])),
            _ => None,
        }
    }

    fn since(&self, about: Matter) -> &[(String, i64, Says)] {
        self.newest(about).map_or(&[], |(_, since)| since)
    }

    pub(super) fn void(&self, about: Matter) -> bool {
        let since = self.since(about);
        since.iter().any(|one| match one.2 {
            Says::Target { .. } => about == Matter::Plan,
            Says::Paid { .. } => matches!(about, Matter::Settlement | Matter::Bonus),
            _ if is_change(&one.2) => !self.in_force(about),
            _ => false,
        })
    }

    /// Parties whose signature stands: an objection takes all of them away.
    fn signed(&self, about: Matter) -> Vec<&str> {
        let mut signed = Vec::new();
        for (by, _, says) in self.since(about) {
            match says {
                Says::Sign { matter, .. } if *matter == about => signed.push(by.as_str()),
                Says::Object { matter, .. } if *matter == about => signed.clear(),
                _ => {}
            }
        }
        signed
    }

    pub(super) fn in_force(&self, about: Matter) -> bool {
        self.newest(about).is_some() && self.signed(about).len() == signers(about).len()
    }

    fn accepted(&self, about: Matter) -> Vec<&str> {
        let since = self.since(about);
        let accepted = since
            .iter()
            .filter(|one| matches!(one.2, Says::Accept { matter, .. } if matter == about));
        accepted.map(|one| one.0.as_str()).collect()
    }

    /// Who objected, with what came of it.
    pub(super) fn objections(&self, about: Matter) -> BTreeMap<&str, Option<bool>> {
        let since = self.since(about);
        let mut found = BTreeMap::new();
        for (by, _, says) in since {
            if matches!(says, Says::Object { matter, .. } if *matter == about) {
                let answers = self.answers(about, by);
                let all = deciders(about).len() == answers.len();
                let one = answers.values().next().copied();
                let alike = answers.values().all(|other| Some(*other) == one);
                found.insert(by.as_str(), one.filter(|_| all && alike));
            }
        }
        found
    }

    /// The last word of each who decides about a member's objection.
    fn answers(&self, about: Matter, of: &str) -> BTreeMap<&str, bool> {
        let since = self.since(about);
        let mut last = BTreeMap::new();
        for (by, _, says) in since {
            if let Says::Answer {
                matter,
                member,
                upheld,
                ..
            } = says
                && *matter == about
                && member.as_str() == of
            {
                let office = if is_admin(by) { "administrator" } else { by };
                last.insert(office, *upheld);
            }
        }
        last
    }

    /// Whose a task is, unless it is done, and whether a report on it waits.
    fn task(&self, name: &Slug) -> Option<(&str, bool)> {
        let mut found = None;
        for (_, _, says) in self.said() {
            match says {
                Says::Task { task, member, .. } if task == name => {
                    found = Some((member.as_str(), false));
                }
                Says::Report { task, .. } if task == name => found = found.map(|one| (one.0, true)),
                Says::Judge { task, done, .. } if task == name => {
                    found = found.filter(|_| !done).map(|one| (one.0, false));
                }
                _ => {}
            }
        }
        found
    }

    /// Whether somebody may say this now.
    pub(super) fn allows(&self, by: &str, now: i64, says: &Says) -> bool {
        if self.0.contains(&(by.to_owned(), now, says.clone())) {
            return false;
        }
        if let Says::Open { .. } = says {
            return is_admin(by)
                && self.at() == At::Over
                && !self.some(|says| *says == Says::Close);
        }
        if self.at() == At::Over {
            return false;
        }
        match says {
            Says::Propose { .. }
            | Says::Accept { .. }
            | Says::Object { .. }
            | Says::Answer { .. }
            | Says::Sign { .. } => self.allows_about_a_result(by, now, says),
            Says::Invite => is_admin(by) && self.at() == At::Target,
            Says::Review => is_admin(by) && self.at() == At::Applications,
            Says::Apply { amount, .. } => {
                let before = self.said().iter();
                let before =
                    before.filter(|one| one.0 == by && matches!(one.2, Says::Apply { .. }));
                self.is_member(by)
                    && self.at() == At::Applications
                    && (0..=self.target()).contains(&amount.0)
                    && before.count() < 20
            }
            Says::Target { target, why } => {
                is_admin(by)
                    && self.at() < At::InForce
                    && target.0 > 0
                    && target.0 != self.target()
                    && !why.is_empty()
            }
            Says::Withdraw { why } => {
                is_admin(by)
                    && self.at() < At::InForce
                    && !why.is_empty()
                    && !self.withdrawing().contains(&by)
            }
            Says::Keep { .. } => {
                is_admin(by) && self.at() < At::InForce && self.withdrawing().contains(&by)
            }
            _ if is_change(says) => self.allows_change(by, says),
            _ => self.at() == At::InForce && self.allows_in_force(by, says),
        }
    }

    /// What is said once a plan is in force, beside results.
    fn allows_in_force(&self, by: &str, says: &Says) -> bool {
        match says {
            Says::Task {
                task, member, days, ..
            } => {
                let known = self
                    .some(|says| matches!(says, Says::Task { task: other, .. } if other == task));
                is_admin(by) && self.is_member(member.as_str()) && *days > 0 && !known
            }
            Says::Report { task, .. } => {
                let mine = self.task(task).is_some_and(|(member, _)| member == by);
                let reports = self.said().iter();
                let reports = reports.filter(|one| matches!(one.2, Says::Report { .. }));
                mine && reports.count() < 20
            }
            Says::Judge { task, done, why } => {
                let open = self.task(task);
                is_admin(by)
                    && !why.is_empty()
                    && open.is_some_and(|(_, reported)| *done || reported)
            }
            Says::Paid {
                member,
                month,
                amount,
                restates,
            } => {
                let told = self.told();
                let own = told.members.get(member.as_str());
                let there = own.is_some_and(|own| {
                    own.from.is_none_or(|from| from <= *month)
                        && own.until.is_none_or(|until| *month < until)
                });
                by == "insurer"
                    && there
                    && (0..=self.target()).contains(&amount.0)
                    && month.year().0 == 2026
                    && *restates == self.paid(member, *month)
                    && !self.in_force(Matter::Settlement)
                    && !self.in_force(Matter::Bonus)
            }
            Says::PayOut { result } => {
                let newest = self.newest(Matter::Bonus).map(|(newest, _)| newest);
                // Of what is not in force no objection to any version may be open or right.
                let quiet = Matter::ALL
                    .into_iter()
                    .all(|matter| self.in_force(matter) || self.all_rejected(matter));
                by == "insurer"
                    && newest == Some(*result)
                    && self.in_force(Matter::Bonus)
                    && quiet
                    && !self.paid_out()
            }
            Says::Close => {
                let told = self.told();
                let settled = Matter::ALL.into_iter().all(|matter| {
                    let stands = matter == Matter::Plan && told.plan.is_some();
                    self.newest(matter).is_none() || self.in_force(matter) || stands
                });
                let tasks = self.said().iter().filter_map(|one| match &one.2 {
                    Says::Task { task, .. } => Some(task),
                    _ => None,
                });
                is_admin(by)
                    && !told.changing()
                    && settled
                    && (!self.in_force(Matter::Bonus) || self.paid_out())
                    && tasks.into_iter().all(|task| self.task(task).is_none())
            }
            _ => false,
        }
    }

    fn allows_about_a_result(&self, by: &str, now: i64, says: &Says) -> bool {
        let (about, named) = match says {
            Says::Propose { matter, result, .. }
            | Says::Accept { matter, result }
            | Says::Object { matter, result, .. }
            | Says::Answer { matter, result, .. }
            | Says::Sign { matter, result } => (*matter, *result),
            _ => return false,
        };
        let newest = self.newest(about);
        if let Says::Propose { why, .. } = says {
            let changing = self.told().changing();
            let stage = match about {
                Matter::Plan if changing => true,
                Matter::Plan => matches!(self.at(), At::Review | At::Planned),
                _ => self.at() == At::InForce && !changing,
            };
            let free = !self.in_force(about) || (about == Matter::Plan && changing);
            let again = newest.is_some_and(|(result, _)| result == named) && !self.void(about);
            let said = newest.is_none() || !why.is_empty();
            return is_admin(by) && stage && free && !again && said;
        }
        let Some((result, since)) = newest else {
            return false;
        };
        if result != named || self.void(about) {
            return false;
        }
        let (accepted, objections) = (self.accepted(about), self.objections(about));
        let until = since[0].1 + days(about) * DAY;
        match says {
            Says::Accept { .. } => {
                self.is_member(by)
                    && !self.in_force(about)
                    && !accepted.contains(&by)
                    && objections.get(by) != Some(&None)
            }
            Says::Object { .. } => {
                self.is_member(by)
                    && !self.in_force(about)
                    && now <= until
                    && !accepted.contains(&by)
                    && !objections.contains_key(by)
            }
            Says::Answer {
                member,
                upheld,
                why,
                ..
            } => {
                let office = if is_admin(by) { "administrator" } else { by };
                let last = self.answers(about, member.as_str()).get(office).copied();
                deciders(about).contains(&office)
                    && since[0].0 != by
                    && !why.is_empty()
                    && objections.get(member.as_str()) == Some(&None)
                    && last != Some(*upheld)
            }
            _ => {
                let quiet = objections.values().all(|of| *of == Some(false));
                let told = self.told();
                let mut members = told.members.keys().map(String::as_str);
                let heard =
                    members.all(|one| accepted.contains(&one) || objections.contains_key(one));
                signers(about).contains(&by)
                    && !self.in_force(about)
                    && !self.signed(about).contains(&by)
                    && quiet
                    && (now > until || heard)
            }
        }
    }
}
