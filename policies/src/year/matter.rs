//! How a proposed result gets into force: members accept or object in their time, objections are
//! answered, all signers sign.

use std::collections::{BTreeMap, BTreeSet};

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Timestamp;
use schemas::year::Matter;
use serde::Serialize;

use super::{MatterRules, Refused, Stage, Year, YearRules, fresh};

const DAY: i64 = 86_400;

/// The newest result about a matter, and what was said of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Course {
    /// Digest of the result.
    pub result: Digest,
    /// The administrator who proposed it.
    pub by: Slug,
    /// Which version it is, from 1.
    pub version: u32,
    /// Why there is a later version; of a first one it may be empty.
    pub why: String,
    /// When it was proposed.
    pub proposed: Timestamp,
    /// When it was proposed, or an objection to it was raised or answered last.
    pub changed: Timestamp,
    /// Until when members may object.
    pub until: Timestamp,
    /// Members that have nothing against it.
    pub accepted: BTreeSet<Slug>,
    /// Objections by member.
    pub objections: BTreeMap<Slug, Objection>,
    /// Parties that signed.
    pub signed: BTreeSet<Slug>,
    /// Whether all did.
    pub in_force: bool,
    /// It was proposed under another target, or before other payments: it cannot get into force any more.
    pub void: bool,
    /// Objections to the versions before: an answer is not forgotten with its version.
    pub earlier: Vec<Earlier>,
}

/// An objection to a version that is not the newest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Earlier {
    /// Which version.
    pub version: u32,
    /// Whose.
    pub member: Slug,
    /// What became of it; undecided where the next version came first.
    pub objection: Objection,
}

/// An objection or appeal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Objection {
    /// When it was taken.
    pub at: Timestamp,
    /// Why.
    pub why: String,
    /// What those who decide said so far.
    pub answers: BTreeMap<Slug, Answered>,
    /// What came of it: all said the same. Where they differ it stays open.
    pub decided: Option<bool>,
}

/// What somebody who decides says of an objection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Answered {
    /// Whether it is right.
    pub upheld: bool,
    /// Why.
    pub why: String,
}

impl Objection {
    /// Until when those who decide answer it.
    pub fn answered_until(&self, rules: &MatterRules) -> Timestamp {
        let days = i64::from(rules.answer_days).saturating_mul(DAY);
        Timestamp(self.at.0.saturating_add(days))
    }

    /// What came of it, in a word.
    pub fn outcome(&self) -> &'static str {
        match self.decided {
            None => "open",
            Some(true) => "upheld",
            Some(false) => "rejected",
        }
    }
}

impl Course {
    /// Every objection to every version, oldest version first.
    pub fn heard(&self) -> impl Iterator<Item = (u32, &Slug, &Objection)> {
        let earlier = self.earlier.iter();
        let earlier = earlier.map(|one| (one.version, &one.member, &one.objection));
        let own = self.objections.iter();
        earlier.chain(own.map(|(member, one)| (self.version, member, one)))
    }
}

impl Year {
    /// A new version voids what was said about the one before, and says why it is needed.
    pub(super) fn propose(
        &mut self,
        rules: &YearRules,
        (matter, result): (Matter, Digest),
        (by, at, why): (Slug, Timestamp, String),
    ) -> Result<(), Refused> {
        let of = rules.matters.get(&matter).ok_or(Refused::Rules)?;
        let before = self.matters.get(&matter);
        // A plan in force is made again where members change.
        let again = matter == Matter::Plan && self.changing.is_some();
        if before.is_some_and(|before| {
            (before.in_force && !again) || (before.result == result && !before.void)
        }) {
            return Err(Refused::Again);
        }
        let version = before.map_or(0, |before| before.version).saturating_add(1);
        let earlier = self.matters.get_mut(&matter).map(Course::end);
        let days = i64::from(of.objection_days).saturating_mul(DAY);
        let course = Course {
            result,
            by,
            version,
            why,
            proposed: at,
            changed: at,
            until: Timestamp(at.0.saturating_add(days)),
            accepted: BTreeSet::new(),
            objections: BTreeMap::new(),
            signed: BTreeSet::new(),
            in_force: false,
            void: false,
            earlier: earlier.unwrap_or_default(),
        };
        self.matters.insert(matter, course);
        Ok(())
    }

    /// What was proposed last, if it is this.
    pub(super) fn newest(
        &mut self,
        matter: Matter,
        result: Digest,
    ) -> Result<&mut Course, Refused> {
        if self.stage >= Stage::Closed {
            return Err(Refused::Stage(self.stage));
        }
        let course = self.matters.get_mut(&matter).ok_or(Refused::Nothing)?;
        if course.result == result && !course.void {
            Ok(course)
        } else {
            Err(Refused::Superseded)
        }
    }
}

impl Course {
    /// All objections so far, as the next version keeps them.
    fn end(&mut self) -> Vec<Earlier> {
        let version = self.version;
        let own = std::mem::take(&mut self.objections).into_iter();
        let own = own.map(|(member, objection)| Earlier {
            version,
            member,
            objection,
        });
        let mut all = std::mem::take(&mut self.earlier);
        all.extend(own);
        all
    }

    pub(super) fn accept(&mut self, member: &Slug) -> Result<(), Refused> {
        if self
            .objections
            .get(member)
            .is_some_and(|one| one.decided.is_none())
        {
            return Err(Refused::Contested(member.clone()));
        }
        if self.in_force || !self.accepted.insert(member.clone()) {
            return Err(Refused::Again);
        }
        Ok(())
    }

    /// A member objects once to a version, in its time, unless it has accepted it.
    pub(super) fn object(
        &mut self,
        member: &Slug,
        at: Timestamp,
        why: String,
    ) -> Result<(), Refused> {
        if at > self.until || self.in_force {
            return Err(Refused::Late(self.until.min(at)));
        }
        if self.accepted.contains(member) {
            return Err(Refused::Accepted(member.clone()));
        }
        if self.objections.contains_key(member) {
            return Err(Refused::Objected(member.clone()));
        }
        let objection = Objection {
            at,
            why,
            answers: BTreeMap::new(),
            decided: None,
        };
        self.objections.insert(member.clone(), objection);
        self.changed = at;
        // Whoever signed did not know of it.
        self.signed.clear();
        Ok(())
    }

    /// One of those who decide says whether it is right; it is decided once all said the same.
    pub(super) fn answer(
        &mut self,
        member: &Slug,
        by: Slug,
        answered: Answered,
        (at, needed): (Timestamp, usize),
    ) -> Result<(), Refused> {
        let found = self.objections.get_mut(member);
        let objection = found.ok_or_else(|| Refused::NotObjected(member.clone()))?;
        if objection.decided.is_some() {
            return Err(Refused::Decided(member.clone()));
        }
        let upheld = answered.upheld;
        if objection
            .answers
            .get(&by)
            .is_some_and(|one| one.upheld == upheld)
        {
            return Err(Refused::Again);
        }
        objection.answers.insert(by, answered);
        self.changed = at;
        let alike = objection.answers.values().all(|one| one.upheld == upheld);
        if alike && objection.answers.len() >= needed {
            objection.decided = Some(upheld);
        }
        Ok(())
    }

    /// A party signs: after the time to object, or once every member accepted or was heard; never
    /// while an objection is open or was right.
    pub(super) fn sign(
        &mut self,
        party: Slug,
        (at, signed): (Timestamp, Timestamp),
        (members, needed): (usize, usize),
    ) -> Result<(), Refused> {
        // Who signed earlier did not know what was said since.
        fresh(signed, self.changed)?;
        if self.in_force || self.signed.contains(&party) {
            return Err(Refused::Again);
        }
        self.uncontested()?;
        let heard = self.accepted.iter().chain(self.objections.keys());
        let heard: BTreeSet<&Slug> = heard.collect();
        if at <= self.until && heard.len() < members {
            return Err(Refused::Early(self.until));
        }
        self.signed.insert(party);
        self.in_force = self.signed.len() >= needed;
        Ok(())
    }

    /// Refuses while an objection is open or was right.
    pub(super) fn uncontested(&self) -> Result<(), Refused> {
        let mut objections = self.objections.iter();
        match objections.find(|(_, one)| one.decided != Some(false)) {
            Some((member, _)) => Err(Refused::Contested(member.clone())),
            None => Ok(()),
        }
    }
}
