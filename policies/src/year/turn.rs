//! What waits for one member, and the keys that speak in a year. For people; decides nothing.

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::PublicKey;
use schemas::time::Timestamp;
use schemas::year::Matter;
use serde::Serialize;

use super::{Stage, Year, YearRules};

/// Something that a member may say now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// An application.
    Apply,
    /// Whether it accepts a result or objects to it; silence is taken for neither.
    Answer {
        /// About what.
        matter: Matter,
        /// Digest of the result: what is accepted or objected to.
        result: Digest,
        /// Which version it is, from 1.
        version: u32,
        /// Until when an objection is heard.
        until: Timestamp,
    },
    /// A party's signature.
    Sign {
        /// About what.
        matter: Matter,
        /// Digest of the result.
        result: Digest,
        /// Which version it is, from 1.
        version: u32,
    },
    /// The answer of a party that decides about an objection.
    Decide {
        /// About what.
        matter: Matter,
        /// Digest of the result.
        result: Digest,
        /// Whose objection.
        member: Slug,
        /// Why it objects.
        why: String,
        /// Until when.
        until: Timestamp,
    },
    /// A report on a task.
    Report {
        /// The task.
        task: Slug,
        /// Until when.
        due: Timestamp,
        /// Whether that is over.
        late: bool,
    },
}

impl Year {
    /// What a member may say now; nothing once the year has ended.
    pub fn turns_of(&self, member: &Slug, now: Timestamp) -> Vec<Turn> {
        let mut turns = Vec::new();
        if self.stage >= Stage::Closed || !self.members.contains_key(member) {
            return turns;
        }
        if self.stage == Stage::Applications && !self.applications.contains_key(member) {
            turns.push(Turn::Apply);
        }
        for (matter, course) in &self.matters {
            let heard = course.accepted.contains(member) || course.objections.contains_key(member);
            let mut others = course.objections.values();
            // An objection that was right ends this version.
            let ended = course.in_force
                || course.void
                || now > course.until
                || others.any(|one| one.decided == Some(true));
            if !heard && !ended {
                turns.push(Turn::Answer {
                    matter: *matter,
                    result: course.result,
                    version: course.version,
                    until: course.until,
                });
            }
        }
        let open = self.tasks.iter().filter(|(_, task)| {
            task.member == *member && task.done.is_none() && task.reported.is_none()
        });
        turns.extend(open.map(|(name, task)| Turn::Report {
            task: name.clone(),
            due: task.due,
            late: task.is_late(now),
        }));
        turns
    }

    /// What a party may say now about results; what it paid is the insurer's to know.
    pub fn turns_of_party(&self, party: &Slug, rules: &YearRules, now: Timestamp) -> Vec<Turn> {
        let mut turns = Vec::new();
        if self.stage >= Stage::Closed || !self.parties.contains_key(party) {
            return turns;
        }
        for (matter, course) in &self.matters {
            let Some(of) = rules.matters.get(matter).filter(|_| !course.void) else {
                continue;
            };
            let (matter, result) = (*matter, course.result);
            let open = course.objections.iter();
            let open = open.filter(|(_, one)| one.decided.is_none());
            for (member, one) in open.filter(|(_, one)| !one.answers.contains_key(party)) {
                if of.deciders.contains(party) {
                    turns.push(Turn::Decide {
                        matter,
                        result,
                        member: member.clone(),
                        why: one.why.clone(),
                        until: one.answered_until(of),
                    });
                }
            }
            let heard = |id| course.accepted.contains(id) || course.objections.contains_key(id);
            let due = now > course.until || self.members.keys().all(heard);
            let quiet = course.uncontested().is_ok() && due && !course.in_force;
            if quiet && of.signers.contains(party) && !course.signed.contains(party) {
                let version = course.version;
                turns.push(Turn::Sign {
                    matter,
                    result,
                    version,
                });
            }
        }
        turns
    }

    /// Parties and members with the fingerprints of their keys, a line each, in a form in which they are
    /// read aloud and compared.
    pub fn keys(&self) -> Vec<String> {
        let row = |kind: &str, (name, key): (&Slug, &PublicKey)| {
            format!("{kind:<7} {:<16} {}", name.as_str(), spoken(key))
        };
        let parties = self.parties.iter().map(|one| row("party", one));
        parties
            .chain(self.members.iter().map(|one| row("member", one)))
            .collect()
    }
}

/// A key's fingerprint for people: its first 80 bits in groups of four digits.
pub fn spoken(key: &PublicKey) -> String {
    let digits: Vec<char> = key.fingerprint().to_string().chars().take(20).collect();
    let groups = digits.chunks(4).map(|group| group.iter().collect());
    groups.collect::<Vec<String>>().join(" ")
}
