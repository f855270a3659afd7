//! A year as it is published: rules, statements, inputs and results. Whoever has this one file gets
//! to the same state and the same fen.

use std::collections::{BTreeMap, BTreeSet};

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{PublicKey, Sealed};
use schemas::time::Timestamp;
use schemas::unique;
use schemas::year::{Matter, Says, Statement};
use serde::{Deserialize, Serialize};

use super::{
    Administrators, Computed, Refused, Rules, Stage, Unfounded, Year, closable, compute, grounded,
    open,
};
use crate::figures::budget::Plan;

/// A year, published.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// The alliance.
    pub alliance: Slug,
    /// The year.
    pub year: u16,
    /// Its rules.
    pub rules: Rules,
    /// Rules of openings before, that were withdrawn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Rules>,
    /// What was said, in order.
    pub statements: Vec<Kept>,
    /// What was proposed.
    pub results: Vec<Proposed>,
}

/// Not a published year: where reading stopped. What stands there stays unsaid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not of the expected shape, line {0}")]
pub struct Unread(pub usize);

/// A statement as it was taken.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The statement.
    pub statement: Sealed<Statement>,
    /// Who was administrator then.
    pub administrators: Administrators,
    /// When it was taken.
    pub taken: Timestamp,
}

/// A result with what it was computed from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposed {
    /// The text of its inputs (JSON).
    pub inputs: String,
    /// The result.
    pub computed: Computed,
}

impl Proposed {
    /// Whether it is what its inputs give under these rules.
    pub fn follows(&self, rules: &Rules, year: u16) -> bool {
        let again = compute(rules, year, self.computed.matter(), &self.inputs);
        again.is_ok_and(|again| again == self.computed)
    }
}

/// What does not hold in a published year.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing was said.
    #[error("nothing was said in this year")]
    Empty,
    /// A statement is refused.
    #[error("statement {number}: {why}")]
    Statement {
        /// Which, from 1.
        number: usize,
        /// Why.
        why: Refused,
    },
    /// A result is not what its inputs give.
    #[error("result {number} ({}) is not what its inputs and the rules give", matter.as_str())]
    Result {
        /// Which, from 1.
        number: usize,
        /// About what.
        matter: Matter,
    },
    /// A proposal without its result.
    #[error("statement {0} proposes a result that is not published")]
    Missing(usize),
    /// The log holds something else.
    #[error("statement {0} is not what the coordinator's log holds: left out, added or changed")]
    Log(usize),
    /// The log holds nothing of the year.
    #[error(
        "this log holds no statement of the year: it is another organisation's, or older than the year"
    )]
    OtherLog,
    /// The file's statements are the log's first ones, and end.
    #[error(
        "this file ends with statement {0} of the year, the log holds more: export it again; if that is the \
         newest file, statements were left out at its end"
    )]
    FileEnds(usize),
    /// The log's statements are the file's first ones, and end.
    #[error(
        "this log ends with statement {0} of the year: export it again, or the file holds more than was taken"
    )]
    LogEnds(usize),
    /// The file claims other administrators than the log tells of.
    #[error(
        "statement {0}: the file names other administrators than the coordinator's log knew then"
    )]
    Administrators(usize),
    /// An opening names a member that had not joined, or not with this key.
    #[error(
        "statement {0}: by the coordinator's log `{1}` had not joined with the key that it has here"
    )]
    Member(usize, Slug),
    /// A result that does not rest on what the year held when it was proposed.
    #[error("result {number}: {why}")]
    Unfounded {
        /// Which, from 1.
        number: usize,
        /// On what.
        why: Unfounded,
    },
    /// Closed too early.
    #[error("statement {number} closes the year: {why}")]
    Closed {
        /// Which, from 1.
        number: usize,
        /// What was missing.
        why: Unfounded,
    },
    /// A result twice, or one that nobody proposed.
    #[error("result {0} stands twice, or nobody proposed it")]
    Stray(usize),
    /// Rules that no opening names.
    #[error("the file holds rules that no opening of the year names")]
    Rules,
}

/// The rules that a statement opens a year under, if it does. Whose it is, is judged when it is taken.
fn opening(
    year: Option<&Year>,
    administrators: &Administrators,
    sealed: &Sealed<Statement>,
) -> Option<Digest> {
    if year.is_some_and(|year| year.stage != Stage::Withdrawn) {
        return None;
    }
    let claimed = |key: &&PublicKey| key.fingerprint() == sealed.claimed_key();
    let key = administrators.values().find(claimed)?;
    match sealed.open(key).ok()?.says {
        Says::Open { rules, .. } => Some(rules),
        _ => None,
    }
}

impl Published {
    /// Reads a published file. No key may stand in it twice: two readers could read two years.
    pub fn read(text: &str) -> Result<Self, Unread> {
        unique::read(text).map_err(|error| Unread(error.line()))
    }

    /// Replays statements and computes results again; the year that comes of it.
    pub fn verify(&self) -> Result<Year, Fault> {
        // Nothing is computed for somebody whose statements do not hold.
        self.replay(|_, _, _| Ok(()))?;
        let mut known: BTreeMap<Digest, (usize, Vec<Digest>)> = BTreeMap::new();
        for (place, proposed) in self.results.iter().enumerate() {
            let number = place.saturating_add(1);
            let matter = proposed.computed.matter();
            let fault = || Fault::Result { number, matter };
            // Under which of the year's rules it is what its inputs give.
            let mut under = Vec::new();
            for rules in self.earlier.iter().chain([&self.rules]) {
                if proposed.follows(rules, self.year) {
                    under.push(rules.digest().map_err(|_| fault())?);
                }
            }
            if under.is_empty() {
                return Err(fault());
            }
            let digest = proposed.computed.digest().map_err(|_| fault())?;
            if known.insert(digest, (number, under)).is_some() {
                return Err(Fault::Stray(number));
            }
        }
        let mut opened = BTreeSet::new();
        let mut proposals = BTreeSet::new();
        let year = self.replay(|number, year, says| {
            opened.insert(year.rules);
            let (matter, result) = match says {
                Says::Propose { matter, result, .. } => (matter, result),
                Says::Close => {
                    let closed = closable(year, self.plan(year));
                    return closed.map_err(|why| Fault::Closed { number, why });
                }
                _ => return Ok(()),
            };
            let (place, under) = known.get(result).ok_or(Fault::Missing(number))?;
            if !under.contains(&year.rules) {
                return Err(Fault::Missing(number));
            }
            let proposed = place.checked_sub(1).and_then(|at| self.results.get(at));
            let Some(proposed) = proposed.filter(|one| one.computed.matter() == *matter) else {
                return Err(Fault::Missing(number));
            };
            proposals.insert(*result);
            let plan = self.plan(year);
            let grounds = grounded(&proposed.computed, &proposed.inputs, (year, plan));
            grounds.map_err(|why| Fault::Unfounded {
                number: *place,
                why,
            })
        })?;
        let mut stray = known
            .iter()
            .filter(|(digest, _)| !proposals.contains(*digest));
        if let Some((_, (number, _))) = stray.next() {
            return Err(Fault::Stray(*number));
        }
        let all = self.earlier.len().saturating_add(1);
        if opened.len() != all {
            return Err(Fault::Rules);
        }
        Ok(year)
    }

    /// The newest result about a matter, with its inputs; of plans the one that is looked at.
    pub fn newest(&self, year: &Year, matter: Matter) -> Option<&Proposed> {
        let course = match matter {
            Matter::Plan => year.shown_plan(),
            _ => year.matters.get(&matter),
        };
        self.with(course?.result)
    }

    /// The result of this digest.
    fn with(&self, wanted: Digest) -> Option<&Proposed> {
        let is = |one: &&Proposed| one.computed.digest().is_ok_and(|digest| digest == wanted);
        self.results.iter().find(is)
    }

    /// The result about a matter, once it is in force, with its inputs. A plan is until another is.
    pub fn in_force(&self, year: &Year, matter: Matter) -> Option<&Proposed> {
        if matter == Matter::Plan {
            return self.with(year.plan.as_ref()?.result);
        }
        let course = year.matters.get(&matter);
        course
            .filter(|course| course.in_force)
            .and_then(|_| self.newest(year, matter))
    }

    /// The plan in force.
    pub fn plan(&self, year: &Year) -> Option<&Plan> {
        match &self.in_force(year, Matter::Plan)?.computed {
            Computed::Plan(plan) => Some(plan),
            _ => None,
        }
    }

    /// Replays the statements; `look` sees each after it was taken.
    pub fn replay(
        &self,
        mut look: impl FnMut(usize, &Year, &Says) -> Result<(), Fault>,
    ) -> Result<Year, Fault> {
        let mut year: Option<Year> = None;
        let all: Vec<&Rules> = self.earlier.iter().chain([&self.rules]).collect();
        let mut digests = Vec::with_capacity(all.len());
        for rules in &all {
            digests.push(rules.digest().map_err(|_| Fault::Empty)?);
        }
        let under = |digest: Digest| {
            let place = digests.iter().position(|one| *one == digest);
            place.and_then(|place| all.get(place).copied())
        };
        for (place, kept) in self.statements.iter().enumerate() {
            let number = place.saturating_add(1);
            let refused = |why| Fault::Statement { number, why };
            let (who, sealed, now) = (&kept.administrators, &kept.statement, kept.taken);
            // An opening names its rules; everything else is said under those of the last one.
            let opens = opening(year.as_ref(), who, sealed);
            let rules = opens.or(year.as_ref().map(|year| year.rules));
            let rules = rules
                .and_then(under)
                .ok_or_else(|| refused(Refused::Rules))?;
            let next = match year {
                None => open(&self.alliance, rules, who, sealed, now),
                Some(year) => year.taken(&self.alliance, rules, who, sealed, now),
            };
            let next = next.map_err(refused)?;
            if next.number != self.year {
                return Err(refused(Refused::Elsewhere));
            }
            let said = next.statement(who, sealed).map_err(refused)?;
            look(number, &next, &said.says)?;
            year = Some(next);
        }
        year.ok_or(Fault::Empty)
    }
}
