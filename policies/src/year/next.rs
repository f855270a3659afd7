//! What a year waits for: who has to say what before it goes on. For people; decides nothing.

use schemas::id::Slug;
use schemas::time::Timestamp;
use schemas::year::Matter;

use super::awaited::Awaited;
use super::{Course, Stage, Year, YearRules, by_member};

impl Year {
    /// What may come next and who has to say it, an English sentence each; nothing once the year has ended.
    pub fn waits_for(&self, rules: &YearRules, now: Timestamp) -> Vec<String> {
        let awaited = self.awaited(rules, now);
        awaited.iter().map(ToString::to_string).collect()
    }

    /// The same, for who writes it in words of a language.
    pub fn awaited(&self, rules: &YearRules, now: Timestamp) -> Vec<Awaited> {
        match self.stage {
            Stage::Target => vec![Awaited::Invite],
            Stage::Applications => {
                let members = self.members.keys();
                let silent = members.filter(|id| !self.applications.contains_key(*id));
                let silent: Vec<Slug> = silent.cloned().collect();
                match silent.as_slice() {
                    [] => vec![Awaited::Review],
                    _ => vec![Awaited::Applications(silent), Awaited::Review],
                }
            }
            Stage::Review => vec![Awaited::Plan],
            Stage::Planned | Stage::InForce => {
                let mut waits = Vec::new();
                if let Some(changing) = &self.changing
                    && !self.waits(Matter::Plan)
                {
                    waits.push(Awaited::Change(changing.from, changing.target));
                }
                for (matter, course) in &self.matters {
                    if !self.waits(*matter) {
                        continue;
                    }
                    waits.extend(course.awaited(self, (*matter, rules), now));
                }
                if self.stage == Stage::InForce {
                    waits.extend(self.in_force(now));
                }
                waits
            }
            Stage::Closed | Stage::Withdrawn => Vec::new(),
        }
    }

    /// What is left to do before a year should be closed: all that it waits for but the closing itself.
    pub fn left_to_do(&self, rules: &YearRules, now: Timestamp) -> Vec<String> {
        let mut left = self.awaited(rules, now);
        left.retain(|one| *one != Awaited::Close);
        left.iter().map(ToString::to_string).collect()
    }

    fn in_force(&self, now: Timestamp) -> Vec<Awaited> {
        let mut waits = Vec::new();
        let bonus = self.matters.get(&Matter::Bonus);
        if bonus.is_some_and(|bonus| bonus.in_force) && self.paid_out.is_none() {
            waits.push(Awaited::PayOut);
        }
        waits.extend(
            by_member(&self.unpaid(now))
                .into_iter()
                .map(Awaited::Unpaid),
        );
        for (name, task) in self.tasks.iter().filter(|(_, task)| task.done.is_none()) {
            let late = task.is_late(now);
            waits.push(match task.reported {
                None => Awaited::Report(task.member.clone(), name.clone(), late),
                Some(_) => Awaited::Judge(name.clone(), late),
            });
        }
        let matters = Matter::ALL.into_iter();
        let unsaid = matters.filter(|matter| !self.matters.contains_key(matter));
        let unsaid: Vec<Matter> = unsaid.collect();
        if !unsaid.is_empty() {
            waits.push(Awaited::Unproposed(unsaid));
        }
        let waiting = Matter::ALL.into_iter().any(|matter| self.waits(matter));
        if waits.is_empty() && self.changing.is_none() && self.is_paid() && !waiting {
            waits.push(Awaited::Close);
        }
        waits
    }
}

impl Course {
    fn awaited(
        &self,
        year: &Year,
        (matter, rules): (Matter, &YearRules),
        now: Timestamp,
    ) -> Vec<Awaited> {
        if self.in_force {
            return Vec::new();
        }
        if self.void {
            return vec![Awaited::Void(matter)];
        }
        let mut upheld = self.objections.iter();
        if let Some((member, _)) = upheld.find(|(_, one)| one.decided == Some(true)) {
            return vec![Awaited::Upheld(matter, member.clone())];
        }
        let Some(of) = rules.matters.get(&matter) else {
            return Vec::new();
        };
        let open = self
            .objections
            .iter()
            .filter(|(_, one)| one.decided.is_none());
        let open: Vec<Awaited> = open
            .map(|(member, one)| {
                let silent = of
                    .deciders
                    .iter()
                    .filter(|by| !one.answers.contains_key(*by));
                let by: Vec<Slug> = silent.cloned().collect();
                let member = member.clone();
                if by.is_empty() {
                    return Awaited::Differ(matter, member);
                }
                let until = one.answered_until(of);
                Awaited::Answer {
                    matter,
                    by,
                    member,
                    until,
                    late: now > until,
                }
            })
            .collect();
        if !open.is_empty() {
            return open;
        }
        let members = year.members.keys();
        let unheard =
            members.filter(|id| !self.accepted.contains(*id) && !self.objections.contains_key(*id));
        let unheard: Vec<Slug> = unheard.cloned().collect();
        if now <= self.until && !unheard.is_empty() {
            return vec![Awaited::Heard(matter, unheard, self.until)];
        }
        let silent = of.signers.difference(&self.signed);
        vec![Awaited::Sign(matter, silent.cloned().collect())]
    }
}
