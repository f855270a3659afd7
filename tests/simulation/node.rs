//! A hospital's node of a simulation: its real state file, link and answering, and the ways in which
//! its process, its clock and its disk fail.

use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::Poll;
use std::time::Duration;

use node::answer::{self, App, Spoken, Unanswered};
use node::clock::Clock;
use node::config::Config;
use node::ledger::Step;
use node::link::{self, Desk, Link, Word};
use node::log::Leaves;
use node::store::state::State;
use schemas::digest::Digest;
use schemas::round::Round;
use schemas::time::Timestamp;

use super::made::Made;
use super::operation::{Fault, FaultKind};
use super::wire::Wire;

thread_local! {
    /// The step of a charge at which the process on this thread dies.
    static DIES_AT: Cell<Option<u8>> = const { Cell::new(None) };
}

/// Thrown where a process dies.
struct Died;

fn watch(step: Step) {
    let number = match step {
        Step::Begun => 0,
        Step::Stored => 1,
        Step::Paid => 2,
        Step::Logged => 3,
        Step::Committed => 4,
    };
    if DIES_AT.get() == Some(number) {
        DIES_AT.set(None);
        resume_unwind(Box::new(Died));
    }
}

/// A round could not be answered now; it is tried again.
#[derive(Debug)]
struct NotNow(String);

impl std::fmt::Display for NotNow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotNow {}

impl From<Unanswered> for NotNow {
    fn from(error: Unanswered) -> Self {
        Self(error.to_string())
    }
}

/// What became of a turn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Turned {
    Done,
    Waits,
    Failed(String),
    Died,
}

/// A node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) who: usize,
    pub(super) folder: PathBuf,
    pub(super) time: &'static AtomicI64,
    pub(super) state: State,
    pub(super) wire: Arc<Wire>,
    pub(super) config: Config,
    link: Link,
    leaves: Leaves,
    /// Opened from the node's files; officers do not change in a run, so it is kept until the process ends.
    app: Option<Arc<App>>,
    made: Arc<Made>,
}

impl Node {
    pub(super) async fn start(
        folder: PathBuf,
        wire: Arc<Wire>,
        made: &Arc<Made>,
        now: Timestamp,
    ) -> Self {
        // Of a node's life only, and a few bytes: the product's clock is copied freely.
        let time: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(now.0)));
        let config = Config::read(&folder).expect("settings");
        Self {
            who: wire.who,
            state: State::open(&folder).await.expect("a node's state"),
            link: open_link(&folder, &config, Clock::Set(time), &wire),
            leaves: Leaves::default(),
            app: made.members[wire.who].take().map(Arc::new),
            made: Arc::clone(made),
            folder,
            time,
            wire,
            config,
        }
    }

    pub(super) fn clock(&self) -> Clock {
        Clock::Set(self.time)
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp(self.time.load(Ordering::SeqCst))
    }

    /// The process ends wherever it is, and starts again from what its disk holds.
    pub(super) async fn restart(&mut self) {
        self.state = State::open(&self.folder).await.expect("a node's state");
        self.join_again();
        self.leaves = Leaves::default();
        self.app = Arc::into_inner(self.app.take().expect("an app")).map(Arc::new);
        self.open().await;
    }

    /// Opens what answering needs. Parsing of policies that nobody changed is left out where a process
    /// of the same node did it before.
    pub(super) async fn open(&mut self) {
        let before = self.app.take().and_then(Arc::into_inner);
        let (state, clock) = (self.state.clone(), self.clock());
        let mut app = match before {
            Some(before) => App {
                data: self.folder.clone(),
                state,
                clock,
                cache: Arc::default(),
                ..before
            },
            None => App {
                threads: 1,
                watch,
                ..App::open(&self.config, state, clock).await.expect("a node")
            },
        };
        if let Some(bug) = self.wire.bug {
            bug.in_the_node(&mut app);
        }
        self.app = Some(Arc::new(app));
    }

    /// Ends for good; what was parsed is kept for other runs.
    pub(super) async fn end(&mut self) {
        self.state.pool().close().await;
        let app = self.app.take().and_then(Arc::into_inner);
        if let Some(app) = app.filter(|_| self.wire.bug.is_none()) {
            self.made.members[self.who].give(app);
        }
    }

    /// Reads key and certificate anew.
    pub(super) fn join_again(&mut self) {
        self.link = open_link(&self.folder, &self.config, self.clock(), &self.wire);
    }

    /// One turn of the node's own loop.
    pub(super) async fn turn(&mut self, fault: Fault) -> Turned {
        self.wire.begin(fault);
        DIES_AT.set((fault.kind == FaultKind::DieCharging).then_some(fault.at % 5));
        let member = &self.made.members[self.who];
        let clock = self.clock();
        let desk = Desk {
            link: &self.link,
            state: &self.state,
            signer: &member.key,
            hospital: &member.name,
            folder: &self.folder,
            clock: &clock,
            tick: Duration::from_millis(1),
        };
        let app = Arc::clone(self.app.as_ref().expect("an app"));
        let answer = async |round: &Round, digest: Digest| answer_round(&app, round, digest).await;
        let mut turn = pin!(link::turn(&desk, &mut self.leaves, &answer));
        let alive = std::future::poll_fn(|context| {
            match catch_unwind(AssertUnwindSafe(|| turn.as_mut().poll(context))) {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(done)) => Poll::Ready(Some(done)),
                Err(panic) if panic.is::<Died>() => Poll::Ready(None),
                Err(panic) => resume_unwind(panic),
            }
        });
        let done = tokio::select! {
            biased;
            () = self.wire.dies.notified() => None,
            done = alive => done,
        };
        DIES_AT.set(None);
        match done {
            Some(Ok(None)) => Turned::Done,
            Some(Ok(Some(_))) => Turned::Waits,
            Some(Err(error)) => Turned::Failed(error.to_string()),
            None => Turned::Died,
        }
    }
}

fn open_link(folder: &Path, config: &Config, clock: Clock, wire: &Arc<Wire>) -> Link {
    let link = Link::open(folder, &config.hospital, None, clock).expect("a joined node");
    link.carried_by(Arc::clone(wire) as Arc<dyn link::Carrier>)
}

/// As the program `consilium-node run` answers.
async fn answer_round(
    app: &Arc<App>,
    round: &Round,
    digest: Digest,
) -> Result<Option<Word>, NotNow> {
    Ok(match answer::answer_round(app, round, digest).await? {
        Spoken::Answered(charged) => Some(Word::Answered(charged)),
        Spoken::Declined(reason) => Some(Word::Declined(reason)),
        Spoken::Waits => None,
    })
}
