//! What each statement does, and who may say it when.

use schemas::id::Slug;
use schemas::money::Fen;
use schemas::time::Timestamp;
use schemas::year::{Matter, Says, Statement};

use super::{
    ADMINISTRATOR, APPLICATIONS, Answered, Application, LONGEST, PERSONS, Refused, Speaker, Stage,
    Year, YearRules,
};

impl Year {
    pub(super) fn say(
        &mut self,
        rules: &YearRules,
        speaker: Speaker,
        (said, signed): (Statement, Timestamp),
    ) -> Result<(), Refused> {
        match &said.says {
            Says::Open { .. } => Err(Refused::Opening),
            Says::Invite | Says::Apply { .. } | Says::Review | Says::Close => {
                self.say_of_course(speaker, said)
            }
            Says::Target { .. } | Says::Withdraw { .. } | Says::Keep { .. } => {
                self.say_again(speaker, said)
            }
            Says::Task { .. } | Says::Report { .. } | Says::Judge { .. } => {
                self.say_of_tasks(speaker, said)
            }
            Says::Propose { .. } => self.say_proposal(rules, speaker, said),
            Says::Accept { .. } | Says::Object { .. } => self.say_as_member(speaker, said),
            Says::Answer { .. } | Says::Sign { .. } => {
                self.say_decision(rules, speaker, (said, signed))
            }
            Says::Paid { .. } | Says::PayOut { .. } => self.say_of_money(rules, speaker, said),
            Says::Join { .. }
            | Says::Leave { .. }
            | Says::Stay { .. }
            | Says::Replan { .. }
            | Says::Stand { .. } => self.say_of_change(speaker, said),
        }
    }

    pub(super) fn at(&self, wanted: &[Stage]) -> Result<(), Refused> {
        if wanted.contains(&self.stage) {
            Ok(())
        } else {
            Err(Refused::Stage(self.stage))
        }
    }

    fn say_of_course(&mut self, speaker: Speaker, said: Statement) -> Result<(), Refused> {
        match said.says {
            Says::Apply {
                amount,
                purpose,
                expected,
            } => {
                only(speaker, Speaker::Member, &said.by)?;
                self.at(&[Stage::Applications])?;
                worded(&purpose)?;
                worded(&expected)?;
                if amount < Fen(0) {
                    return Err(Refused::Content);
                }
                if amount > self.target {
                    return Err(Refused::Beyond(self.target));
                }
                let application = Application {
                    amount,
                    purpose,
                    expected,
                };
                let times = self.applied.entry(said.by.clone()).or_default();
                if *times >= APPLICATIONS {
                    return Err(Refused::Often(APPLICATIONS));
                }
                *times = times.saturating_add(1);
                self.applications.insert(said.by, application);
                return Ok(());
            }
            _ => only(speaker, Speaker::Administrator, &said.by)?,
        }
        match said.says {
            Says::Invite => {
                self.at(&[Stage::Target])?;
                self.stage = Stage::Applications;
            }
            Says::Review => {
                self.at(&[Stage::Applications])?;
                self.stage = Stage::Review;
            }
            _ => {
                self.at(&[Stage::InForce])?;
                if let Some(changing) = &self.changing {
                    return Err(Refused::Changing(changing.from));
                }
                if let Some(matter) = Matter::ALL.into_iter().find(|one| self.waits(*one)) {
                    return Err(Refused::Open(matter));
                }
                let bonus = self.matters.get(&Matter::Bonus);
                if bonus.is_some_and(|bonus| bonus.in_force) && self.paid_out.is_none() {
                    return Err(Refused::Unpaid);
                }
                let mut open = self.tasks.iter().filter(|(_, task)| task.done.is_none());
                if let Some((task, _)) = open.next() {
                    return Err(Refused::Unfinished(task.clone()));
                }
                self.stage = Stage::Closed;
            }
        }
        Ok(())
    }

    /// What takes back or replaces what was said at the opening, while no plan is in force.
    fn say_again(&mut self, speaker: Speaker, said: Statement) -> Result<(), Refused> {
        only(speaker, Speaker::Administrator, &said.by)?;
        self.at(&[
            Stage::Target,
            Stage::Applications,
            Stage::Review,
            Stage::Planned,
        ])?;
        match said.says {
            Says::Target { target, why } => {
                reasoned(&why)?;
                if target <= Fen(0) {
                    return Err(Refused::Content);
                }
                if target == self.target {
                    return Err(Refused::Again);
                }
                self.target = target;
                if let Some(plan) = self.matters.get_mut(&Matter::Plan) {
                    plan.void = true;
                }
            }
            Says::Withdraw { why } => {
                reasoned(&why)?;
                if !self.withdrawing.insert(said.by) {
                    return Err(Refused::Again);
                }
                if self.withdrawing.len() >= PERSONS {
                    self.stage = Stage::Withdrawn;
                }
            }
            Says::Keep { why } => {
                short(&why)?;
                if !self.withdrawing.remove(&said.by) {
                    return Err(Refused::Unwithdrawn);
                }
            }
            _ => return Err(Refused::Content),
        }
        Ok(())
    }

    fn say_proposal(
        &mut self,
        rules: &YearRules,
        speaker: Speaker,
        said: Statement,
    ) -> Result<(), Refused> {
        only(speaker, Speaker::Administrator, &said.by)?;
        let Says::Propose {
            matter,
            result,
            why,
        } = said.says
        else {
            return Err(Refused::Content);
        };
        if self.matters.contains_key(&matter) {
            reasoned(&why)?;
        }
        short(&why)?;
        match (matter, &self.changing) {
            // A plan in force is made again where members change, and only there.
            (Matter::Plan, Some(_)) => {}
            (Matter::Plan, None) => self.at(&[Stage::Review, Stage::Planned])?,
            (_, Some(changing)) => return Err(Refused::Changing(changing.from)),
            (_, None) => self.at(&[Stage::InForce])?,
        }
        self.propose(rules, (matter, result), (said.by, said.at, why))?;
        if matter == Matter::Plan && self.plan.is_none() {
            self.stage = Stage::Planned;
        }
        Ok(())
    }

    fn say_as_member(&mut self, speaker: Speaker, said: Statement) -> Result<(), Refused> {
        only(speaker, Speaker::Member, &said.by)?;
        match said.says {
            Says::Accept { matter, result } => self.newest(matter, result)?.accept(&said.by),
            Says::Object {
                matter,
                result,
                why,
            } => {
                reasoned(&why)?;
                self.newest(matter, result)?.object(&said.by, said.at, why)
            }
            _ => Err(Refused::Content),
        }
    }

    fn say_decision(
        &mut self,
        rules: &YearRules,
        speaker: Speaker,
        (said, signed): (Statement, Timestamp),
    ) -> Result<(), Refused> {
        match said.says {
            Says::Answer {
                matter,
                result,
                member,
                upheld,
                why,
            } => {
                reasoned(&why)?;
                let by = match speaker {
                    Speaker::Administrator => {
                        // Who proposed a result does not judge what is said against it.
                        if self.matters.get(&matter).is_some_and(|of| of.by == said.by) {
                            return Err(Refused::Own(said.by));
                        }
                        ADMINISTRATOR.parse().map_err(|_| Refused::Content)?
                    }
                    Speaker::Party => said.by.clone(),
                    Speaker::Member => {
                        let whose = "those who decide about objections";
                        return Err(Refused::Role(said.by, whose));
                    }
                };
                let of = rules.matters.get(&matter).map(|of| &of.deciders);
                let Some(deciders) = of.filter(|deciders| deciders.contains(&by)) else {
                    let whose = "those who decide about objections";
                    return Err(Refused::Role(said.by, whose));
                };
                let course = self.newest(matter, result)?;
                course.answer(
                    &member,
                    by,
                    Answered { upheld, why },
                    (said.at, deciders.len()),
                )
            }
            Says::Sign { matter, result } => {
                only(speaker, Speaker::Party, &said.by)?;
                let of = rules.matters.get(&matter).map(|of| &of.signers);
                let Some(signers) = of.filter(|signers| signers.contains(&said.by)) else {
                    let whose = "those whose signature the matter needs";
                    return Err(Refused::Role(said.by, whose));
                };
                let members = self.members.len();
                let course = self.newest(matter, result)?;
                course.sign(said.by, (said.at, signed), (members, signers.len()))?;
                if matter == Matter::Plan && course.in_force {
                    self.planned();
                }
                Ok(())
            }
            _ => Err(Refused::Content),
        }
    }

    fn say_of_money(
        &mut self,
        rules: &YearRules,
        speaker: Speaker,
        said: Statement,
    ) -> Result<(), Refused> {
        if self.stage >= Stage::Closed {
            return Err(Refused::Stage(self.stage));
        }
        if speaker != Speaker::Party || said.by != rules.insurer {
            return Err(Refused::Role(said.by, "the insurer"));
        }
        match said.says {
            Says::Paid {
                member,
                month,
                amount,
                restates,
            } => {
                self.at(&[Stage::InForce])?;
                if !self.members.contains_key(&member) {
                    return Err(Refused::Stranger(member));
                }
                if month.year().0 == self.number && !self.term(&member).covers(month) {
                    return Err(Refused::Absent(member, month));
                }
                if amount < Fen(0) {
                    return Err(Refused::Content);
                }
                if amount > self.target {
                    return Err(Refused::Beyond(self.target));
                }
                // Both rest on what was paid: neither may lose its ground once it is in force.
                let rests =
                    [Matter::Settlement, Matter::Bonus].map(|matter| self.matters.get(&matter));
                if rests.into_iter().flatten().any(|course| course.in_force) {
                    return Err(Refused::Settled);
                }
                let months = self.paid.entry(member).or_default();
                if month.year().0 != self.number {
                    return Err(Refused::Month(month));
                }
                match (months.contains_key(&month), restates) {
                    (true, false) => return Err(Refused::Said(month)),
                    (false, true) => return Err(Refused::Unsaid(month)),
                    _ => {}
                }
                months.insert(month, amount);
                // What was proposed rests on other payments.
                for matter in [Matter::Settlement, Matter::Bonus] {
                    if let Some(course) = self.matters.get_mut(&matter) {
                        course.void |= !course.in_force;
                    }
                }
            }
            Says::PayOut { result } => {
                if self.paid_out.is_some() {
                    return Err(Refused::Again);
                }
                let bonus = self.newest(Matter::Bonus, result)?;
                if !bonus.in_force {
                    return Err(Refused::Open(Matter::Bonus));
                }
                // An appeal against the settlement may change who has a surplus: nothing is paid meanwhile,
                // whatever version it was against and whatever was proposed since.
                for course in self.matters.values().filter(|course| !course.in_force) {
                    let mut heard = course.heard();
                    if let Some((_, member, _)) = heard.find(|one| one.2.decided != Some(false)) {
                        return Err(Refused::Contested(member.clone()));
                    }
                }
                self.paid_out = Some(result);
            }
            _ => return Err(Refused::Content),
        }
        Ok(())
    }
}

pub(super) fn only(speaker: Speaker, wanted: Speaker, by: &Slug) -> Result<(), Refused> {
    let whose = match wanted {
        Speaker::Administrator => "administrators",
        Speaker::Member => "members",
        Speaker::Party => "parties",
    };
    if speaker == wanted {
        Ok(())
    } else {
        Err(Refused::Role(by.clone(), whose))
    }
}

pub(super) fn short(text: &str) -> Result<(), Refused> {
    if text.chars().count() <= LONGEST && schemas::shown::is_plain(text) {
        Ok(())
    } else {
        Err(Refused::Content)
    }
}

/// A reason that says something.
pub(super) fn reasoned(why: &str) -> Result<(), Refused> {
    if why.trim().is_empty() {
        return Err(Refused::Unreasoned);
    }
    short(why)
}

/// A text that says something.
pub(super) fn worded(text: &str) -> Result<(), Refused> {
    if text.trim().is_empty() {
        return Err(Refused::Empty);
    }
    short(text)
}
