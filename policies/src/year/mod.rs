//! The course of a budget year: target set → applications → review → plans, objections and
//! signatures → in force → settlement, bonus and appraisal the same way → closed. A pure state
//! machine over signed statements: whoever has them all gets to the same state.

mod awaited;
mod change;
mod grounds;
mod matter;
mod next;
mod odd;
mod outcome;
mod paid;
mod rules;
mod form;
mod published;
mod logged;
mod refused;
mod speak;
mod task;
mod turn;
mod unusual;
#[cfg(test)]
mod test;
#[cfg(test)]
mod test_again;
#[cfg(test)]
mod test_change;
#[cfg(test)]
mod test_model;
#[cfg(test)]
mod test_statements;
#[cfg(test)]
mod test_told;
#[cfg(test)]
mod test_world;

pub use awaited::Awaited;
pub use change::{Changing, Term};
pub use form::Written;
pub use grounds::{Unfounded, closable, grounded, reserve};
pub use logged::Logged;
pub use matter::{Answered, Course, Earlier, Objection};
pub use odd::Odd;
pub use outcome::{AppraisalInput, Computed, OutcomeError, compute};
pub use paid::by_member;
pub use published::{Fault, Kept, Proposed, Published, Unread};
pub use refused::Refused;
pub use rules::{ADMINISTRATOR, Broken, DEFAULT, MatterRules, Rules, YearRules};
pub use task::Task;
pub use turn::{Turn, spoken};
pub use unusual::{unusual, unusual_payment};

use std::collections::{BTreeMap, BTreeSet};

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::request::SKEW;
use schemas::seal::{PublicKey, Sealed};
use schemas::time::{Month, Timestamp};
use schemas::year::{Matter, Says, Statement};
use serde::Serialize;

/// Longest reason or purpose in characters.
const LONGEST: usize = 1_000;
/// Most statements of a year: a few for each of hundreds of members and twelve months.
const MOST: usize = 20_000;
/// Most applications of a member: each replaces the one before.
const APPLICATIONS: u8 = 20;
/// Administrators who take back a year.
const PERSONS: usize = 2;

/// Where a year stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The target is set.
    Target,
    /// Members apply.
    Applications,
    /// Applications are reviewed; no plan yet.
    Review,
    /// A plan is proposed.
    Planned,
    /// A plan is in force.
    InForce,
    /// Nothing more is said.
    Closed,
    /// Taken back before a plan was in force.
    Withdrawn,
}

impl Stage {
    /// As people read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Target => "target set",
            Self::Applications => "applications",
            Self::Review => "review",
            Self::Planned => "planned",
            Self::InForce => "in force",
            Self::Closed => "closed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A year and all that was said in it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Year {
    /// Which year.
    pub number: u16,
    /// Where it stands.
    pub stage: Stage,
    /// All there is to spend.
    pub target: Fen,
    /// Digest of its rules.
    pub rules: Digest,
    /// Members and their keys.
    pub members: BTreeMap<Slug, PublicKey>,
    /// Parties and their keys.
    pub parties: BTreeMap<Slug, PublicKey>,
    /// What members applied for.
    pub applications: BTreeMap<Slug, Application>,
    /// The matters that something was proposed about.
    pub matters: BTreeMap<Matter, Course>,
    /// How often members applied.
    applied: BTreeMap<Slug, u8>,
    /// The plan in force, also while another is proposed.
    pub plan: Option<Course>,
    /// In which months members take part that joined or left in mid-year.
    pub terms: BTreeMap<Slug, Term>,
    /// What changes, and no plan in force that knows of it.
    pub changing: Option<Changing>,
    /// From which month on the plan in force was made again last.
    pub replanned: Option<Month>,
    /// What the insurer paid, by member and month.
    pub paid: BTreeMap<Slug, BTreeMap<Month, Fen>>,
    /// What members are to improve.
    pub tasks: BTreeMap<Slug, Task>,
    /// Administrators who want it withdrawn.
    pub withdrawing: BTreeSet<Slug>,
    /// The bonus that was paid out.
    pub paid_out: Option<Digest>,
    /// When it was opened.
    pub opened: Timestamp,
    /// When the last statement was taken.
    pub last: Timestamp,
    /// Digests of what was said: nothing is taken twice.
    #[serde(skip)]
    said: BTreeSet<Digest>,
}

/// An application.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Application {
    /// How much.
    pub amount: Fen,
    /// What for.
    pub purpose: String,
    /// What is expected.
    pub expected: String,
}

/// Who else may speak: the alliance's administrators, as registered when the statement came.
pub type Administrators = BTreeMap<Slug, PublicKey>;

/// Opens a year by its first statement.
pub fn open(
    alliance: &Slug,
    rules: &Rules,
    administrators: &Administrators,
    sealed: &Sealed<Statement>,
    now: Timestamp,
) -> Result<Year, Refused> {
    let by = administrators
        .values()
        .find(|key| key.fingerprint() == sealed.claimed_key());
    let statement = sealed.open(by.ok_or(Refused::Seal("of nobody known".into()))?)?;
    if statement.alliance != *alliance {
        return Err(Refused::Elsewhere);
    }
    let Says::Open {
        target,
        rules: under,
        members,
        parties,
    } = statement.says
    else {
        return Err(Refused::Opening);
    };
    if statement.at.0 > now.0.saturating_add(SKEW) {
        return Err(Refused::Time);
    }
    if members.is_empty() {
        return Err(Refused::NoMembers);
    }
    if target <= Fen(0) {
        return Err(Refused::Content);
    }
    if rules.digest().map_err(|_| Refused::Rules)? != under {
        return Err(Refused::Rules);
    }
    if !(2000..2200).contains(&statement.year) {
        return Err(Refused::Number(statement.year));
    }
    let needed = rules.year.parties().into_iter();
    let missing = needed.filter(|name| !parties.contains_key(*name));
    let missing: Vec<&str> = missing.map(Slug::as_str).collect();
    if !missing.is_empty() {
        return Err(Refused::Party(missing.join(", ")));
    }
    if let Some(file) = rules.later_than(statement.year) {
        return Err(Refused::Effective(file));
    }
    // The rules speak of administrators by that name.
    let reserved: Option<Slug> = ADMINISTRATOR.parse().ok();
    let others = members.keys().chain(parties.keys());
    if let Some(name) = others
        .into_iter()
        .find(|name| Some(*name) == reserved.as_ref())
    {
        return Err(Refused::Shared(name.clone()));
    }
    let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for (name, key) in administrators.iter().chain(&members).chain(&parties) {
        if !names.insert(name) || !keys.insert(key) {
            return Err(Refused::Shared(name.clone()));
        }
    }
    Ok(Year {
        number: statement.year,
        stage: Stage::Target,
        target,
        rules: under,
        members,
        parties,
        applications: BTreeMap::new(),
        applied: BTreeMap::new(),
        matters: BTreeMap::new(),
        plan: None,
        terms: BTreeMap::new(),
        changing: None,
        replanned: None,
        paid: BTreeMap::new(),
        tasks: BTreeMap::new(),
        withdrawing: BTreeSet::new(),
        paid_out: None,
        opened: now,
        last: now,
        said: BTreeSet::from([sealed.digest()?]),
    })
}

/// Who speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Speaker {
    Administrator,
    Member,
    Party,
}

impl Year {
    /// Takes the next statement, or refuses it and stays as it was.
    pub fn take(
        &self,
        alliance: &Slug,
        rules: &Rules,
        administrators: &Administrators,
        sealed: &Sealed<Statement>,
        now: Timestamp,
    ) -> Result<Self, Refused> {
        // A year that was withdrawn may be opened again under others.
        let same = rules.digest().map_err(|_| Refused::Rules)? == self.rules;
        if !same && self.stage != Stage::Withdrawn {
            return Err(Refused::Rules);
        }
        self.clone()
            .taken(alliance, rules, administrators, sealed, now)
    }

    /// The same of a year whose rules are known to be these.
    fn taken(
        mut self,
        alliance: &Slug,
        rules: &Rules,
        administrators: &Administrators,
        sealed: &Sealed<Statement>,
        now: Timestamp,
    ) -> Result<Self, Refused> {
        let (speaker, statement) = self.heard(administrators, sealed)?;
        if statement.alliance != *alliance || statement.year != self.number {
            return Err(Refused::Elsewhere);
        }
        if now < self.last || statement.at.0 > now.0.saturating_add(SKEW) {
            return Err(Refused::Time);
        }
        if !self.said.insert(sealed.digest()?) {
            return Err(Refused::Again);
        }
        // A full year can still be taken back.
        let ends = matches!(
            statement.says,
            Says::Withdraw { .. } | Says::Keep { .. } | Says::Open { .. }
        );
        if self.said.len() > MOST && !ends {
            return Err(Refused::Full);
        }
        if self.stage == Stage::Withdrawn && matches!(statement.says, Says::Open { .. }) {
            // Nothing that was said before counts, and nothing of it is taken again.
            fresh(statement.at, self.last)?;
            let again = open(alliance, rules, administrators, sealed, now)?;
            return Ok(Self {
                said: self.said,
                ..again
            });
        }
        fresh(statement.at, self.opened)?;
        if let Says::Join { member, key, .. } = &statement.says {
            let mut known = administrators.iter();
            if known.any(|(name, its)| name == member || its == key) {
                return Err(Refused::Shared(member.clone()));
            }
        }
        self.last = now;
        let signed = statement.at;
        // What counts is when it was taken: a file may be carried for days, and nobody dates his own
        // word back.
        let taken = Statement {
            at: now,
            ..statement
        };
        self.say(&rules.year, speaker, (taken, signed))?;
        Ok(self)
    }

    /// What a statement of this year says, by whom, if somebody who takes part signed it.
    pub fn statement(
        &self,
        administrators: &Administrators,
        sealed: &Sealed<Statement>,
    ) -> Result<Statement, Refused> {
        Ok(self.heard(administrators, sealed)?.1)
    }

    /// Whose key signed, and what.
    fn heard(
        &self,
        administrators: &Administrators,
        sealed: &Sealed<Statement>,
    ) -> Result<(Speaker, Statement), Refused> {
        let speakers = [
            (Speaker::Administrator, administrators),
            (Speaker::Member, &self.members),
            (Speaker::Party, &self.parties),
        ];
        for (speaker, keys) in &speakers {
            let known = keys
                .iter()
                .find(|(_, key)| key.fingerprint() == sealed.claimed_key());
            // An administrator who came later under the name or key of one who takes part is not heard.
            let doubled = |name: &Slug, key: &PublicKey| {
                let mut others = self.members.iter().chain(&self.parties);
                *speaker == Speaker::Administrator
                    && others.any(|(other, its)| other == name || its == key)
            };
            if let Some((name, key)) = known.filter(|(name, key)| !doubled(name, key)) {
                let statement = sealed.open(key)?;
                return if statement.by == *name {
                    Ok((*speaker, statement))
                } else if speakers
                    .iter()
                    .any(|(_, keys)| keys.contains_key(&statement.by))
                {
                    Err(Refused::Key(statement.by))
                } else {
                    Err(Refused::Stranger(statement.by))
                };
            }
        }
        Err(Refused::Seal("of nobody known".into()))
    }
}

/// Whether somebody who signed could know what happened before, as far as clocks may differ.
fn fresh(signed: Timestamp, happened: Timestamp) -> Result<(), Refused> {
    if signed.0.saturating_add(SKEW) < happened.0 {
        Err(Refused::Stale)
    } else {
        Ok(())
    }
}
