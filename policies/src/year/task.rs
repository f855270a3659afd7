//! What a member is to improve (整改任务): a goal with measures, somebody who answers for it and a day
//! until when; the member reports, an administrator says whether it is done.

use std::collections::btree_map::Entry;

use schemas::id::Slug;
use schemas::time::Timestamp;
use schemas::year::{Matter, Says, Statement};
use serde::Serialize;

use super::speak::{only, reasoned, worded};
use super::{Computed, Published, Refused, Speaker, Stage, Year};

const DAY: i64 = 86_400;
/// Longest time for a task in days: three years.
const DAYS: u16 = 1_096;
/// Most reports on a task: each replaces the one before.
const REPORTS: u8 = 20;

/// A task.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Task {
    /// Whose it is.
    pub member: Slug,
    /// What is to be reached.
    pub goal: String,
    /// By which measures.
    pub measures: String,
    /// Who answers for it at the member.
    pub owner: String,
    /// When it was given.
    pub given: Timestamp,
    /// Until when: as many seconds later than given as judges took to find reports wanting that had
    /// come in time.
    pub due: Timestamp,
    /// What the member said last that it did, and when, unless it was found not to be done.
    pub reported: Option<(Timestamp, String)>,
    /// How often it was reported on.
    #[serde(skip)]
    pub reports: u8,
    /// When it was found to be done, or dropped.
    pub done: Option<Timestamp>,
    /// The reason of the last judgement.
    pub judged: String,
}

impl Task {
    /// Whether it is, or was, reported too late or not at all by then. What counts is the day of the
    /// report; of one that was dropped without a report, the day when it was.
    pub fn is_late(&self, now: Timestamp) -> bool {
        let reported = self.reported.as_ref().map(|(at, _)| *at);
        reported.or(self.done).unwrap_or(now) > self.due
    }
}

impl Published {
    /// Members whose grade in the appraisal in force asks for a plan for improvement (整改), and who were
    /// given no task since it was proposed; with the days that the rules give.
    pub fn unimproved(&self, year: &Year) -> Vec<(Slug, u32)> {
        let proposed = year.matters.get(&Matter::Appraisal).map(|of| of.proposed);
        let appraised = self.in_force(year, Matter::Appraisal);
        let (Some(proposed), Some(Computed::Appraisal(all))) =
            (proposed, appraised.map(|one| &one.computed))
        else {
            return Vec::new();
        };
        let given = |member: &Slug| {
            let mut tasks = year.tasks.values();
            tasks.any(|task| task.member == *member && task.given >= proposed)
        };
        let asked = all.iter().filter(|one| !given(&one.id));
        asked
            .filter_map(|one| Some((one.id.clone(), one.improve_days?)))
            .collect()
    }

    /// What is left to do before a year should be closed, with what its results ask for.
    pub fn left_to_do(&self, year: &Year, now: Timestamp) -> Vec<String> {
        let mut left = year.left_to_do(&self.rules.year, now);
        if year.stage == Stage::InForce {
            left.extend(self.unimproved(year).into_iter().map(|(member, days)| {
                format!(
                    "{member}'s grade asks for a plan for improvement within {days} days: an \
                     administrator gives it a task (`task`)"
                )
            }));
        }
        left
    }
}

impl Year {
    pub(super) fn say_of_tasks(
        &mut self,
        speaker: Speaker,
        said: Statement,
    ) -> Result<(), Refused> {
        self.at(&[Stage::InForce])?;
        let at = said.at;
        match said.says {
            Says::Task {
                task,
                member,
                goal,
                measures,
                owner,
                days,
            } => {
                only(speaker, Speaker::Administrator, &said.by)?;
                for text in [&goal, &measures, &owner] {
                    worded(text)?;
                }
                if !(1..=DAYS).contains(&days) {
                    return Err(Refused::Days(DAYS));
                }
                if !self.members.contains_key(&member) {
                    return Err(Refused::Stranger(member));
                }
                let Entry::Vacant(place) = self.tasks.entry(task) else {
                    return Err(Refused::Again);
                };
                let due = i64::from(days).saturating_mul(DAY).saturating_add(at.0);
                place.insert(Task {
                    member,
                    goal,
                    measures,
                    owner,
                    given: at,
                    due: Timestamp(due),
                    reported: None,
                    reports: 0,
                    done: None,
                    judged: String::new(),
                });
            }
            Says::Report { task, done } => {
                only(speaker, Speaker::Member, &said.by)?;
                worded(&done)?;
                let of = self.open_task(task, |of| of.member == said.by)?;
                if of.reports >= REPORTS {
                    return Err(Refused::Reports(REPORTS));
                }
                of.reports = of.reports.saturating_add(1);
                of.reported = Some((at, done));
            }
            Says::Judge { task, done, why } => {
                only(speaker, Speaker::Administrator, &said.by)?;
                reasoned(&why)?;
                // One that was never reported may be dropped; there is nothing in it to find undone.
                let of = self.open_task(task, |of| done || of.reported.is_some())?;
                of.judged = why;
                if done {
                    of.done = Some(at);
                } else if let Some((reported, _)) = of.reported.take()
                    && reported <= of.due
                {
                    // The time that the judge took is not the member's.
                    let took = at.0.saturating_sub(reported.0).max(0);
                    of.due = Timestamp(of.due.0.saturating_add(took));
                }
            }
            _ => return Err(Refused::Content),
        }
        Ok(())
    }

    fn open_task(
        &mut self,
        task: Slug,
        fits: impl Fn(&Task) -> bool,
    ) -> Result<&mut Task, Refused> {
        let found = self.tasks.get_mut(&task);
        let open = found.filter(|of| of.done.is_none() && fits(of));
        open.ok_or(Refused::Task(task))
    }
}
