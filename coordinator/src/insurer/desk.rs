//! What the insurer's pages work with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use schemas::id::Slug;
use schemas::officer::Role;
use schemas::time::Timestamp;
use web::site::accounts::Account;
use web::site::fault::Fault;
use web::site::password::Hashed;
use web::site::session::NoRandom;
use web::site::{Face, Gate, Site, Way};

use super::accounts;
use crate::audit::{self, AuditError, Folder};
use crate::clock::Clock;

/// Who is here.
pub(super) const AUDITOR: &[Role] = &[Role::InsurerAuditor];

const fn way(key: &'static str, to: &'static str, also: &'static [&'static str]) -> Way {
    Way {
        key,
        to,
        roles: AUDITOR,
        also,
    }
}

/// What the insurer's site is called.
const FACE: Face = Face {
    program: "consilium-coordinator audit",
    whose: "insurer.csv-insurer",
    words: "insurer.",
    ways: &[
        way("insurer.way-audits", "/", &[]),
        way("insurer.way-signals", "/signals", &[]),
    ],
    cookie: "consilium-insurer",
    first: "audits",
    schemes: &["http://", "https://"],
};

/// How the last step of an audit that was begun on a page goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// It works: which step.
    Works(&'static str),
    /// It is done: which step.
    Done(&'static str),
    /// It waits for what the hospital or the visitor has still to give: which step.
    Waits(&'static str),
    /// It was not done: which step and why.
    Failed(&'static str, String),
}

impl Step {
    /// How a step ended.
    pub(super) fn ended(step: &'static str, done: Result<(), AuditError>) -> Self {
        match done {
            Ok(()) => Self::Done(step),
            Err(AuditError::Waiting(_)) => Self::Waits(step),
            Err(error) => Self::Failed(step, error.to_string()),
        }
    }
}

/// Everything that a page may need.
#[derive(Debug)]
pub struct Desk {
    pub(super) root: PathBuf,
    pub(super) clock: Clock,
    pub(super) gate: Gate,
    /// By audit; one step of each at a time.
    steps: Mutex<BTreeMap<String, Step>>,
}

impl Desk {
    /// The audits below a folder.
    pub fn new(root: &Path, clock: Clock) -> Result<Arc<Self>, NoRandom> {
        Ok(Arc::new(Self {
            root: root.to_owned(),
            clock,
            gate: Gate::new()?,
            steps: Mutex::default(),
        }))
    }

    /// An audit by the name in the path: only what is listed is opened.
    pub(super) fn folder(&self, name: &str) -> Result<Folder, Fault> {
        let known = audit::audits(&self.root);
        let known = known.iter().find(|one| *one == name);
        let known = known.ok_or(Fault::Missing)?;
        Ok(Folder::new(&self.root.join(known)))
    }

    /// How the last step goes.
    pub(super) fn step(&self, name: &str) -> Option<Step> {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.get(name).cloned()
    }

    /// Notes that a step begins; nothing where one works already.
    pub(super) fn begin(self: &Arc<Self>, name: &str, step: &'static str) -> Option<Turn> {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(steps.get(name), Some(Step::Works(_))) {
            return None;
        }
        let before = steps.insert(name.to_owned(), Step::Works(step));
        Some(Turn {
            desk: Arc::clone(self),
            name: name.to_owned(),
            ended: before,
        })
    }
}

/// The turn of a step that works. Dropped without an end, as by a browser that went away, it leaves the audit
/// as it was before.
#[derive(Debug)]
pub(super) struct Turn {
    desk: Arc<Desk>,
    name: String,
    ended: Option<Step>,
}

impl Turn {
    /// Notes how the step ended.
    pub(super) fn end(mut self, step: Step) {
        self.ended = Some(step);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let steps = self.desk.steps.lock();
        let mut steps = steps.unwrap_or_else(PoisonError::into_inner);
        match self.ended.take() {
            Some(step) => drop(steps.insert(std::mem::take(&mut self.name), step)),
            None => drop(steps.remove(&self.name)),
        }
    }
}

/// What an audit's files should hold and do not.
pub(super) fn broken(error: AuditError) -> Fault {
    Fault::broken("an audit", error)
}

impl Site for Desk {
    fn gate(&self) -> &Gate {
        &self.gate
    }

    fn face(&self) -> &Face {
        &FACE
    }

    fn name(&self) -> String {
        let first = audit::audits(&self.root).into_iter().next();
        let case = first.and_then(|name| Folder::new(&self.root.join(name)).case().ok());
        case.map_or_else(String::new, |case| case.subject.payer.to_string())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn account(&self, name: &Slug) -> Result<Option<(Account, Hashed)>, Fault> {
        Ok(accounts::find(&self.root, name)?)
    }
}
