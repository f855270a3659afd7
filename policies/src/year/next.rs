//! What a year waits for: who has to say what before it goes on. For people; decides nothing.

use schemas::id::Slug;
use schemas::time::Timestamp;
use schemas::year::Matter;

use super::{Course, Stage, Year, YearRules, by_member};

/// What comes last.
const CLOSE: &str = "an administrator closes the year (`close`)";

impl Year {
    /// What may come next and who has to say it, a sentence each; nothing once the year has ended.
    pub fn waits_for(&self, rules: &YearRules, now: Timestamp) -> Vec<String> {
        match self.stage {
            Stage::Target => vec!["an administrator invites applications (`invite`)".to_owned()],
            Stage::Applications => {
                let members = self.members.keys();
                let silent = members.filter(|id| !self.applications.contains_key(*id));
                let silent: Vec<&str> = silent.map(Slug::as_str).collect();
                let review = "an administrator ends the applications (`review`)".to_owned();
                match silent.as_slice() {
                    [] => vec![review],
                    some => vec![format!("no application of {}", some.join(", ")), review],
                }
            }
            Stage::Review => vec!["an administrator proposes a plan (`year propose`)".to_owned()],
            Stage::Planned | Stage::InForce => {
                let mut waits = Vec::new();
                if let Some(changing) = &self.changing
                    && !self.waits(Matter::Plan)
                {
                    let target = changing.target;
                    let target =
                        target.map_or(String::new(), |fen| format!(", for a target of {fen}"));
                    waits.push(format!(
                        "members or the plan change from {} on: an administrator proposes the plan again{target} \
                         (`year inputs`, `year propose`)",
                        changing.from
                    ));
                }
                for (matter, course) in &self.matters {
                    if !self.waits(*matter) {
                        continue;
                    }
                    waits.extend(course.waits_for(self, (*matter, rules), now));
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
        let mut left = self.waits_for(rules, now);
        left.retain(|one| one != CLOSE);
        left
    }

    fn in_force(&self, now: Timestamp) -> Vec<String> {
        let mut waits = Vec::new();
        let bonus = self.matters.get(&Matter::Bonus);
        if bonus.is_some_and(|bonus| bonus.in_force) && self.paid_out.is_none() {
            waits.push("the insurer pays out the bonus (`pay-out`)".to_owned());
        }
        for one in by_member(&self.unpaid(now)) {
            waits.push(format!(
                "{one} not paid in yet; the insurer says it (`paid`)"
            ));
        }
        for (name, task) in self.tasks.iter().filter(|(_, task)| task.done.is_none()) {
            let late = if task.is_late(now) { ", late" } else { "" };
            waits.push(match task.reported {
                None => format!("{} reports on the task {name}{late}", task.member),
                Some(_) => format!("an administrator judges the task {name}{late}"),
            });
        }
        let matters = Matter::ALL.into_iter();
        let unsaid = matters.filter(|matter| !self.matters.contains_key(matter));
        let unsaid: Vec<&str> = unsaid.map(Matter::as_str).collect();
        if !unsaid.is_empty() {
            waits.push(format!(
                "not proposed yet: {} (`year propose`)",
                unsaid.join(", ")
            ));
        }
        let waiting = Matter::ALL.into_iter().any(|matter| self.waits(matter));
        if waits.is_empty() && self.changing.is_none() && self.is_paid() && !waiting {
            waits.push(CLOSE.to_owned());
        }
        waits
    }
}

impl Course {
    fn waits_for(
        &self,
        year: &Year,
        (matter, rules): (Matter, &YearRules),
        now: Timestamp,
    ) -> Vec<String> {
        let name = matter.as_str();
        if self.in_force {
            return Vec::new();
        }
        let again = |why: &str| vec![format!("{name}: {why}; an administrator proposes another")];
        if self.void {
            return again("void, target, members or payments changed");
        }
        let mut upheld = self.objections.iter();
        if let Some((member, _)) = upheld.find(|(_, one)| one.decided == Some(true)) {
            return again(&format!("the objection of {member} was right"));
        }
        let Some(of) = rules.matters.get(&matter) else {
            return Vec::new();
        };
        let open = self
            .objections
            .iter()
            .filter(|(_, one)| one.decided.is_none());
        let open: Vec<String> = open
            .map(|(member, one)| {
                let silent = of
                    .deciders
                    .iter()
                    .filter(|by| !one.answers.contains_key(*by));
                let silent: Vec<&str> = silent.map(Slug::as_str).collect();
                match silent.as_slice() {
                    [] => format!("{name}: those who answer {member}'s objection differ"),
                    some => {
                        let until = one.answered_until(of);
                        let late = if now > until { ", late" } else { "" };
                        format!(
                            "{name}: {} answers the objection of {member} until {until}{late}",
                            some.join(", ")
                        )
                    }
                }
            })
            .collect();
        if !open.is_empty() {
            return open;
        }
        let members = year.members.keys();
        let unheard =
            members.filter(|id| !self.accepted.contains(*id) && !self.objections.contains_key(*id));
        let unheard: Vec<&str> = unheard.map(Slug::as_str).collect();
        if now <= self.until && !unheard.is_empty() {
            return vec![format!(
                "{name}: {} may accept or object until {}",
                unheard.join(", "),
                self.until
            )];
        }
        let silent = of
            .signers
            .iter()
            .filter(|party| !self.signed.contains(*party));
        let silent: Vec<&str> = silent.map(Slug::as_str).collect();
        vec![format!("{name}: to be signed by {}", silent.join(", "))]
    }
}
