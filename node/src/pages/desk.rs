//! What the pages work with.

use std::sync::Arc;

use schemas::id::Slug;
use schemas::officer::Role;
use schemas::time::Timestamp;
use web::site::accounts::Account;
use web::site::password::Hashed;
use web::site::session::NoRandom;
use web::site::{Face, Gate, Site, Way};

use super::fault::Fault;
use super::load::Loading;
use crate::accounts;
use crate::answer::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::incoming::Incoming;
use crate::snapshot::Cache;
use crate::store::state::State;

/// Everybody with an account.
pub(super) const ALL: &[Role] = &[
    Role::Finance,
    Role::Steward,
    Role::SecurityOfficer,
    Role::It,
];
/// Who sees the hospital's own figures.
pub(super) const FIGURES: &[Role] = &[Role::Finance, Role::Steward, Role::SecurityOfficer];
/// Who sees costs by department and warnings of cases.
pub(super) const COSTS: &[Role] = &[Role::Finance, Role::Steward];
/// Who sees what waits for a decision.
pub(super) const OFFICERS: &[Role] = &[Role::Steward, Role::SecurityOfficer];
/// Who tries mappings.
pub(super) const LOADERS: &[Role] = &[Role::Steward, Role::It];
/// Who decides.
pub(super) const STEWARD: &[Role] = &[Role::Steward];
/// Who reads the log, where the policies in force let them.
pub(super) const READERS: &[Role] = &[Role::Steward, Role::SecurityOfficer, Role::It];

const fn way(key: &'static str, to: &'static str, roles: &'static [Role]) -> Way {
    Way {
        key,
        to,
        roles,
        also: &[],
    }
}

/// What the hospital's site is called.
const FACE: Face = Face {
    program: "consilium-node",
    whose: "node.csv-hospital",
    words: "node.",
    ways: &[
        way("node.way-overview", "/", ALL),
        way("node.way-position", "/position", FIGURES),
        Way {
            also: &["/mapping", "/load"],
            ..way("node.way-months", "/months", ALL)
        },
        Way {
            also: &["/standing", "/openings"],
            ..way("node.way-inbox", "/inbox", OFFICERS)
        },
        way("node.way-ledger", "/ledger", ALL),
        way("node.way-costs", "/costs", COSTS),
        way("node.way-warnings", "/warnings", COSTS),
        way("way-log", "/log", READERS),
    ],
    cookie: "consilium-node",
    first: "overview",
    schemes: &["http://", "https://"],
};

/// Everything that a page may need.
#[derive(Debug)]
pub struct Desk {
    pub(super) config: Config,
    pub(super) state: State,
    pub(super) clock: Clock,
    pub(super) gate: Gate,
    pub(super) cache: Arc<Cache>,
    /// One at a time of what reads all rows: the log's check, mappings that are tried, the own figures.
    pub(super) heavy: tokio::sync::Mutex<()>,
    /// One file comes at a time.
    pub(super) coming: tokio::sync::Mutex<()>,
    /// The last load that was begun on a page; a restart forgets it, never the load.
    pub(super) loading: std::sync::Mutex<Option<Loading>>,
}

impl Desk {
    /// Puts the parts together; a running node gives the months that it has mapped.
    pub fn new(
        config: Config,
        state: State,
        clock: Clock,
        cache: Arc<Cache>,
    ) -> Result<Arc<Self>, NoRandom> {
        // What pages that died were writing. A folder that is open to others is not touched: the page says so.
        if let Ok(Some(incoming)) = Incoming::of(&config.data) {
            incoming.sweep();
        }
        Ok(Arc::new(Self {
            config,
            state,
            clock,
            gate: Gate::new()?,
            cache,
            heavy: tokio::sync::Mutex::default(),
            coming: tokio::sync::Mutex::default(),
            loading: std::sync::Mutex::default(),
        }))
    }

    /// The node as its officers have set it up now.
    pub(super) async fn app(&self) -> Result<Arc<App>, Fault> {
        let app = App::open(&self.config, self.state.clone(), self.clock).await?;
        Ok(Arc::new(App {
            cache: Arc::clone(&self.cache),
            ..app
        }))
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
        self.config.hospital.to_string()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn account(&self, name: &Slug) -> Result<Option<(Account, Hashed)>, Fault> {
        Ok(accounts::find(&self.state, &self.config.hospital, name).await?)
    }
}
