//! What the pages work with.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use policies::figures::Benchmark;
use policies::rules::{self, Privacy};
use schemas::id::Slug;
use schemas::time::Timestamp;
use tokio::sync::Semaphore;
use web::site::accounts::Account;
use web::site::password::Hashed;
use web::site::session::NoRandom;
use web::site::{Face, Gate, Site, Way};

use super::fault::Fault;
use crate::accounts::{self, Role};
use crate::authority::Authority;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::state::State;

/// Pages that are told of progress at a time.
const STREAMS: usize = 64;
/// Benchmarks that are kept computed.
const KEPT: usize = 8;

const BOTH: &[Role] = &[Role::Administrator, Role::Auditor];

const fn way(key: &'static str, to: &'static str, also: &'static [&'static str]) -> Way {
    Way {
        key,
        to,
        roles: BOTH,
        also,
    }
}

/// What the alliance's site is called.
const FACE: Face = Face {
    program: "consilium-coordinator",
    whose: "csv-alliance",
    words: "",
    ways: &[
        way("way-cockpit", "/", &[]),
        way("way-rounds", "/rounds", &["/pooled"]),
        way("way-years", "/years", &[]),
        way("way-log", "/log", &[]),
        Way {
            roles: &[Role::Administrator],
            ..way("way-accounts", "/accounts", &[])
        },
    ],
    cookie: "consilium",
    first: "cockpit",
    schemes: &["https://"],
};

/// A round, and the pooled round beside it.
pub(super) type Which = (Slug, Option<Slug>);

/// Everything that a page may need.
#[derive(Debug)]
pub struct Desk {
    pub(super) config: Config,
    pub(super) store: State,
    pub(super) authority: Arc<Authority>,
    pub(super) clock: Clock,
    pub(super) gate: Gate,
    /// Pages that are told of progress.
    pub(super) streams: Arc<Semaphore>,
    /// One round is opened at a time.
    pub(super) opening: tokio::sync::Mutex<()>,
    /// One check of the log at a time.
    pub(super) checking: tokio::sync::Mutex<()>,
    /// Benchmarks of ended rounds: their answers never change.
    benchmarks: Mutex<BTreeMap<Which, Arc<Benchmark>>>,
    /// By account: why its last statement was not taken, where pages have no words for it.
    refusals: Mutex<BTreeMap<Slug, String>>,
    /// One benchmark is computed at a time.
    pub(super) computing: tokio::sync::Mutex<()>,
}

impl Desk {
    /// Puts the parts together.
    pub fn new(
        config: Config,
        store: State,
        authority: Arc<Authority>,
        clock: Clock,
    ) -> Result<Arc<Self>, NoRandom> {
        Ok(Arc::new(Self {
            config,
            store,
            authority,
            clock,
            gate: Gate::new()?,
            streams: Arc::new(Semaphore::new(STREAMS)),
            opening: tokio::sync::Mutex::default(),
            checking: tokio::sync::Mutex::default(),
            benchmarks: Mutex::default(),
            refusals: Mutex::default(),
            computing: tokio::sync::Mutex::default(),
        }))
    }

    /// A benchmark that was computed before.
    pub(super) fn kept(&self, which: &Which) -> Option<Arc<Benchmark>> {
        let all = self
            .benchmarks
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.get(which).cloned()
    }

    /// Keeps a benchmark; another one falls out where there are many.
    pub(super) fn keep(&self, which: Which, benchmark: Arc<Benchmark>) {
        let mut all = self
            .benchmarks
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEPT {
            all.pop_first();
        }
        all.insert(which, benchmark);
    }

    /// Keeps why an account's last statement was not taken.
    pub(super) fn refuse(&self, account: &Slug, why: String) {
        let mut all = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(account.clone(), why);
    }

    /// Why an account's last statement was not taken.
    pub(super) fn refused(&self, account: &Slug) -> Option<String> {
        let all = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(account).cloned()
    }

    /// The alliance's floors.
    pub(super) fn rules(&self) -> Result<Privacy, Fault> {
        let text = match &self.config.rules {
            Some(path) => {
                std::fs::read_to_string(path).map_err(|error| Fault::broken("the rules", error))?
            }
            None => rules::DEFAULT.to_owned(),
        };
        Privacy::parse(&text).map_err(|error| Fault::broken("the rules", error))
    }
}

impl Site for Desk {
    fn gate(&self) -> &Gate {
        &self.gate
    }

    fn face(&self) -> &Face {
        &FACE
    }

    fn name(&self) -> String {
        self.config.alliance.to_string()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn account(&self, name: &Slug) -> Result<Option<(Account, Hashed)>, Fault> {
        Ok(accounts::find(&self.store, name).await?)
    }
}
