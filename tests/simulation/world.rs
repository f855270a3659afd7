//! One run: an alliance copied from what was made once, its operations one by one, and the rules
//! checked after each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use schemas::digest::Digest;
use schemas::round::Round;
use schemas::seal::Sealed;
use tempfile::TempDir;

use super::bug::Bug;
use super::check::{Office, Opened, Rounds, Watched};
use super::decide::Decided;
use super::hub::Hub;
use super::made::{self, Made, START};
use super::node::Node;
use super::operation::{Kind, Operation};
use super::seen::Seen;
use super::step;
use super::wire::{Wire, held};

/// A rule that was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// After which operation, from 0.
    pub step: usize,
    /// Which rule, and where.
    pub what: String,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The first broken rule.
    pub broken: Option<Broken>,
    /// One line an operation, without anything random: no key, digest or noise.
    pub trace: Vec<String>,
    /// Operations by kind, those that did something first.
    pub done: BTreeMap<Kind, (u64, u64)>,
    /// Time that operations took, without the checks, by kind.
    pub took: BTreeMap<Kind, std::time::Duration>,
    /// Answers and charges that left, over all nodes.
    pub answers: u64,
}

impl Outcome {
    /// Digest of the trace.
    pub fn digest(&self) -> Digest {
        let lines: Vec<&[u8]> = self.trace.iter().map(String::as_bytes).collect();
        Digest::of("simulation-trace", &lines)
    }
}

/// A copy of a node's state file, and what its steward had decided by then.
#[derive(Clone, Debug)]
pub(super) struct Copied {
    pub(super) decided: Decided,
}

/// An alliance that runs.
#[derive(Debug)]
pub(super) struct World {
    pub(super) folder: TempDir,
    pub(super) made: Arc<Made>,
    pub(super) hub: Arc<Hub>,
    pub(super) nodes: Vec<Node>,
    pub(super) seen: Arc<Mutex<Seen>>,
    pub(super) decided: Vec<Decided>,
    pub(super) watched: Vec<Watched>,
    pub(super) office: Office,
    pub(super) rounds: Rounds,
    pub(super) revoked: BTreeSet<usize>,
    pub(super) copies: BTreeMap<usize, Copied>,
    /// Tables for which there is no room: of a node, or of the coordinator.
    pub(super) full: BTreeSet<(Option<usize>, &'static str)>,
    /// The time that clocks which are right show.
    pub(super) time: i64,
    /// Rounds that were put under names of the simulation.
    pub(super) names: u32,
    pub(super) bug: Option<Bug>,
    touched: usize,
}

impl World {
    async fn start(made: &Arc<Made>, bug: Option<Bug>) -> Self {
        let folder = made::room();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let own = folder.path().join("hub");
        copy(&made.hub, &own);
        let hub = Arc::new(Hub::start(own, made.hub_config.clone(), START).await);
        let mut nodes = Vec::new();
        let mut watched = Vec::new();
        for (who, member) in made.members.iter().enumerate() {
            let own = folder.path().join(member.name.as_str());
            copy(&member.folder, &own);
            let wire = Wire::new((who, member.key.public()), made, &hub, &seen, bug);
            let mut node = Node::start(own, wire, made, START).await;
            node.open().await;
            nodes.push(node);
            watched.push(Watched::default());
        }
        Self {
            decided: vec![Decided::first(); nodes.len()],
            made: Arc::clone(made),
            office: Office::default(),
            rounds: Rounds::new(),
            revoked: BTreeSet::new(),
            copies: BTreeMap::new(),
            full: BTreeSet::new(),
            time: START.0,
            names: 0,
            touched: 0,
            folder,
            hub,
            nodes,
            seen,
            watched,
            bug,
        }
    }

    /// The node of the last operation.
    pub(super) fn touched(&self) -> Option<&Node> {
        self.nodes.get(self.touched)
    }

    /// All clocks show the right time, or as much less.
    pub(super) fn all_back(&self, seconds: i64) {
        let now = self.time - seconds;
        for node in &self.nodes {
            node.time.store(now, Ordering::SeqCst);
        }
        let behind = now - self.hub.now().0;
        self.hub.clock.advance(behind);
    }

    /// Notes a round that somebody opened.
    pub(super) fn note(&mut self, round: &Round, sealed: &Sealed<Round>) {
        let opened = Opened {
            name: round.id.to_string(),
            template: round.template.as_ref().map(ToString::to_string),
            deadline: round.deadline,
            min_answers: round.min_answers,
            roster: round.roster.iter().map(ToString::to_string).collect(),
        };
        self.rounds
            .insert(sealed.digest().expect("a digest"), opened);
    }

    /// All rules, of the node that was touched and of the coordinator.
    async fn check(&mut self) -> Result<(), String> {
        let who = self.touched;
        let (node, decided) = (&self.nodes[who], &self.decided[who]);
        let of = (decided, &self.rounds);
        let checked = self.watched[who]
            .check(node, of, &self.seen, &self.made.rules)
            .await;
        checked.map_err(|what| format!("h{}: {what}", who + 1))?;
        let names: Vec<String> = self
            .made
            .members
            .iter()
            .map(|one| one.name.to_string())
            .collect();
        let (state, now) = (self.hub.state().await, self.hub.now());
        let mut office = self.office.clone();
        let seen = std::mem::take(&mut *held(&self.seen));
        let of = (&self.rounds, &seen, now);
        let checked = office
            .check(state.pool(), of, (&names, &self.revoked))
            .await;
        *held(&self.seen) = seen;
        self.office = office;
        checked.map_err(|what| format!("coordinator: {what}"))?;
        match held(&self.seen).broken.take() {
            Some(what) => Err(what),
            None => Ok(()),
        }
    }

    async fn summary(&self) -> String {
        let node = &self.nodes[self.touched];
        let length = |pool: sqlx::SqlitePool| async move {
            sqlx::query_scalar::<_, i64>("select count(*) from log")
                .fetch_one(&pool)
                .await
                .unwrap_or(-1)
        };
        let hub = self.hub.state().await;
        let own = length(node.state.pool().clone()).await;
        format!(
            "{own} {} {}",
            length(hub.pool().clone()).await,
            self.hub.now().0
        )
    }
}

/// Copies a folder of state: what is never changed in place is linked.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a folder");
    let mode = std::fs::metadata(from).expect("a folder").permissions();
    std::fs::set_permissions(to, mode).expect("a folder's mode");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let target = to.join(&name);
        if name.starts_with("state.sqlite") {
            std::fs::copy(&path, &target).expect("a copy");
        } else if !path.is_dir() {
            std::fs::hard_link(&path, &target).expect("a link");
        } else if name == "keys" {
            copy(&path, &target);
        } else {
            std::os::unix::fs::symlink(&path, &target).expect("a link");
        }
    }
}

/// Plays operations and stops at the first broken rule.
pub async fn play(made: &Arc<Made>, operations: &[Operation], bug: Option<Bug>) -> Outcome {
    let mut world = World::start(made, bug).await;
    let mut outcome = Outcome {
        broken: None,
        trace: Vec::with_capacity(operations.len()),
        done: BTreeMap::new(),
        took: BTreeMap::new(),
        answers: 0,
    };
    for (at, operation) in operations.iter().enumerate() {
        world.touched = usize::from(operation.who) % world.nodes.len();
        let began = std::time::Instant::now();
        let came = step::apply(&mut world, operation).await;
        let took = began.elapsed();
        *outcome.took.entry(operation.kind).or_default() += took;
        let counts = outcome.done.entry(operation.kind).or_default();
        let (word, broken) = match came {
            step::Came::Done(word) => {
                counts.0 += 1;
                (word, None)
            }
            step::Came::Nothing(word) => {
                counts.1 += 1;
                (word, None)
            }
            step::Came::Broken(what) => (what.clone(), Some(what)),
        };
        if let Some(bug) = bug {
            bug.on_disk(&mut world, operation.kind).await;
        }
        let broken = match broken {
            Some(what) => Some(what),
            None => world.check().await.err(),
        };
        let summary = world.summary().await;
        outcome
            .trace
            .push(format!("{at} {operation} -> {word} | {summary}"));
        if let Some(what) = broken {
            outcome.broken = Some(Broken { step: at, what });
            break;
        }
    }
    outcome.answers = held(&world.seen).answers_left();
    for node in &mut world.nodes {
        node.end().await;
    }
    outcome
}
