//! Members that join or leave while a plan is in force, and a plan that is made again for a mistake or another
//! target. From the month of the change on another plan is needed; until it is in force the one before
//! stands, and nothing is settled, shared or appraised.

use std::collections::{BTreeMap, BTreeSet};

use schemas::id::Slug;
use schemas::money::Fen;
use schemas::time::Month;
use schemas::year::{Matter, Says, Statement};
use serde::Serialize;

use super::speak::{only, reasoned};
use super::{Course, Refused, Speaker, Stage, Year};

/// The months of a year in which a member takes part; without bounds all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Term {
    /// The first month.
    pub from: Option<Month>,
    /// The first month in which it takes no part any more.
    pub until: Option<Month>,
}

impl Term {
    /// Whether a month is one of them.
    pub fn covers(&self, month: Month) -> bool {
        self.from.is_none_or(|from| from <= month) && self.until.is_none_or(|until| month < until)
    }
}

/// What changes, and no plan in force that knows of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Changing {
    /// The first month of the change.
    pub from: Month,
    /// Who joins.
    pub joins: BTreeSet<Slug>,
    /// Who leaves.
    pub leaves: BTreeSet<Slug>,
    /// Whether the plan is made again for its own sake.
    pub replan: bool,
    /// Another target of the whole year.
    pub target: Option<Fen>,
}

impl Changing {
    fn is_empty(&self) -> bool {
        self.joins.is_empty() && self.leaves.is_empty() && !self.replan
    }
}

impl Year {
    /// In which months a member takes part.
    pub fn term(&self, member: &Slug) -> Term {
        self.terms.get(member).copied().unwrap_or_default()
    }

    /// The months of the year in which a member takes part.
    pub fn months_of(&self, member: &Slug) -> Vec<Month> {
        self.months_in(self.term(member))
    }

    fn months_in(&self, term: Term) -> Vec<Month> {
        let months = (1..=12).filter_map(|month| Month::new(self.number, month).ok());
        months.filter(|month| term.covers(*month)).collect()
    }

    /// The same as the plan in force knows it: who is to leave is still there.
    pub fn planned_months_of(&self, member: &Slug) -> Vec<Month> {
        let mut term = self.term(member);
        let changing = self.changing.as_ref();
        if changing.is_some_and(|changing| changing.leaves.contains(member)) {
            term.until = None;
        }
        self.months_in(term)
    }

    /// Members that are there until the end of the year.
    pub fn staying(&self) -> impl Iterator<Item = &Slug> {
        let members = self.members.keys();
        members.filter(|member| self.term(member).until.is_none())
    }

    /// The target that the next plan splits.
    pub fn planned_target(&self) -> Fen {
        let changing = self.changing.as_ref();
        changing.and_then(|one| one.target).unwrap_or(self.target)
    }

    pub(super) fn say_of_change(
        &mut self,
        speaker: Speaker,
        said: Statement,
    ) -> Result<(), Refused> {
        only(speaker, Speaker::Administrator, &said.by)?;
        self.at(&[Stage::InForce])?;
        let mut matters = self.matters.iter();
        // They name the members of the year, and rest on its plan.
        if let Some((matter, _)) =
            matters.find(|(matter, course)| **matter != Matter::Plan && course.in_force)
        {
            return Err(Refused::Named(*matter));
        }
        match said.says {
            Says::Join {
                member,
                key,
                from,
                why,
            } => {
                reasoned(&why)?;
                if self.members.contains_key(&member) {
                    return Err(Refused::Member(member));
                }
                let mut others = self.members.iter().chain(&self.parties);
                if others.any(|(name, its)| *name == member || *its == key) {
                    return Err(Refused::Shared(member));
                }
                self.may_change(from)?;
                self.changing(from).joins.insert(member.clone());
                let term = Term {
                    from: Some(from),
                    until: None,
                };
                self.terms.insert(member.clone(), term);
                self.members.insert(member, key);
            }
            Says::Leave { member, from, why } => {
                reasoned(&why)?;
                self.leave(member, from)?;
            }
            Says::Stay { member, why } => {
                reasoned(&why)?;
                self.stay(&member)?;
            }
            Says::Replan { from, target, why } => {
                reasoned(&why)?;
                self.replan(from, target)?;
            }
            Says::Stand { why } => {
                reasoned(&why)?;
                self.stand()?;
            }
            _ => return Err(Refused::Content),
        }
        // What was proposed is about other members or another plan.
        for course in self.matters.values_mut() {
            course.void |= !course.in_force;
        }
        Ok(())
    }

    /// Whether a plan may change from a month on: only one change is under way, and none before the last.
    fn may_change(&self, from: Month) -> Result<(), Refused> {
        if from.year().0 != self.number {
            return Err(Refused::Month(from));
        }
        if let Some(changing) = self.changing.as_ref().filter(|one| one.from != from) {
            return Err(Refused::Changing(changing.from));
        }
        let last = self.replanned;
        if from.number() == 1 || last.is_some_and(|last| from < last) {
            return Err(Refused::Before(last.unwrap_or(from)));
        }
        Ok(())
    }

    /// The change under way from a month on.
    fn changing(&mut self, from: Month) -> &mut Changing {
        self.changing.get_or_insert_with(|| Changing {
            from,
            joins: BTreeSet::new(),
            leaves: BTreeSet::new(),
            replan: false,
            target: None,
        })
    }

    /// What the plan in force gave for months that the insurer spoke of stays as it is.
    fn replan(&mut self, from: Month, target: Option<Fen>) -> Result<(), Refused> {
        self.may_change(from)?;
        if target.is_some_and(|target| target <= Fen(0)) {
            return Err(Refused::Content);
        }
        let again = self.changing.as_ref().is_some_and(|one| one.replan);
        if again || target == Some(self.target) {
            return Err(Refused::Again);
        }
        let paid = self.paid.values().filter_map(BTreeMap::last_key_value);
        let last = paid.map(|(month, _)| *month).max();
        if let Some(last) = last.filter(|last| *last >= from) {
            return Err(Refused::Replanned(last));
        }
        let changing = self.changing(from);
        changing.replan = true;
        changing.target = target;
        Ok(())
    }

    fn stand(&mut self) -> Result<(), Refused> {
        let changing = self.changing.as_mut().filter(|one| one.replan);
        let changing = changing.ok_or(Refused::Stands)?;
        changing.replan = false;
        changing.target = None;
        if changing.is_empty() {
            self.changing = None;
        }
        Ok(())
    }

    fn leave(&mut self, member: Slug, from: Month) -> Result<(), Refused> {
        if !self.members.contains_key(&member) {
            return Err(Refused::Stranger(member));
        }
        self.may_change(from)?;
        let term = self.term(&member);
        if term.until.is_some() || term.from.is_some_and(|first| first >= from) {
            return Err(Refused::Absent(member, from));
        }
        if self.staying().count() < 2 {
            return Err(Refused::NoMembers);
        }
        let paid = self.paid.get(&member).and_then(BTreeMap::last_key_value);
        if let Some((last, _)) = paid.filter(|(last, _)| **last >= from) {
            return Err(Refused::Paid(*last));
        }
        self.changing(from).leaves.insert(member.clone());
        let until = Some(from);
        self.terms.insert(member, Term { until, ..term });
        Ok(())
    }

    /// A member that was to join or leave does not, as long as no plan knows of it.
    fn stay(&mut self, member: &Slug) -> Result<(), Refused> {
        let none = || Refused::Unchanged(member.clone());
        let changing = self.changing.as_mut().ok_or_else(none)?;
        if changing.joins.remove(member) {
            self.members.remove(member);
            self.terms.remove(member);
            self.paid.remove(member);
        } else if changing.leaves.remove(member) {
            if let Some(term) = self.terms.get_mut(member) {
                term.until = None;
            }
        } else {
            return Err(none());
        }
        if changing.is_empty() {
            self.changing = None;
        }
        Ok(())
    }

    /// A plan gets into force: it knows of all changes, and what was proposed rests on another.
    pub(super) fn planned(&mut self) {
        self.stage = Stage::InForce;
        self.plan = self.matters.get(&Matter::Plan).cloned();
        self.target = self.planned_target();
        if let Some(changing) = self.changing.take() {
            self.replanned = Some(changing.from);
        }
        self.withdrawing.clear();
        for course in self.matters.values_mut() {
            course.void |= !course.in_force;
        }
    }

    /// The course of the plan that is looked at: the newest, or the one in force where the newest was to
    /// follow a change that was taken back.
    pub fn shown_plan(&self) -> Option<&Course> {
        let newest = self.matters.get(&Matter::Plan)?;
        let stands = self.plan.as_ref().filter(|_| newest.void);
        Some(stands.unwrap_or(newest))
    }

    /// Whether a matter waits for signatures or for another result. A plan that was to follow a change
    /// does not, once the change was taken back: the one before stands.
    pub(super) fn waits(&self, matter: Matter) -> bool {
        let stands = matter == Matter::Plan && self.plan.is_some() && self.changing.is_none();
        let course = self.matters.get(&matter);
        course.is_some_and(|course| !course.in_force) && !stands
    }
}
