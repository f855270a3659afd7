//! Coordinator and nodes over real TLS on loopback: who gets in, what a reply may be, and what
//! survives an end.

mod certificates;
mod clocks;
mod doors;
mod renewal;
mod requests;
mod roles;
mod rounds;
mod years;

use std::net::SocketAddr;
use std::time::Duration;

use coordinator::api::{App, Listeners};
use coordinator::ask::{self, Held, Order};
use coordinator::authority::Authority;
use coordinator::clock::Clock;
use coordinator::config::{Config, Limits};
use coordinator::dictionary::{self, CHS, Plan, read_listed};
use coordinator::store::state::State;
use coordinator::{membership, register, template};
use node::config::keys::Keys;
use node::enrol::{EnrolError, enrol};
use node::ledger::{self, Identity, Payer};
use node::link::{self, Desk, Link, Word};
use node::{noise, scan};
use policies::plan::compile;
use policies::rules::{DEFAULT, Privacy};
use schemas::answer::Answer;
use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::enrolment::{Fingerprint, JoinCode};
use schemas::id::Slug;
use schemas::question::Purpose;
use schemas::round::{Reply, Round, Said, State as RoundState};
use schemas::seal::{Sealed, Signer};
use schemas::time::Timestamp;
use tempfile::TempDir;
use tests::noise::Shift;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const GROUPS: &str = "code,name_zh,name_en,mdc,weight,cost_fen,charge_fen,los_milli\n\
    ES35,肺炎,Pneumonia,MDCE,0.38,400000,420000,7000\n\
    GD15,阑尾,Appendix,MDCG,1.2345,1512596,1600000,6000\n";

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

/// Seconds since 1970.
fn seconds() -> u64 {
    u64::try_from(Clock::System.now().0).unwrap()
}

/// A running coordinator in a folder of its own.
struct Alliance {
    folder: TempDir,
    config: Config,
    state: State,
    authority: Authority,
    clock: Clock,
    stop: CancellationToken,
    service: JoinHandle<()>,
}

impl Alliance {
    async fn found() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = Clock::System.now();
        Authority::create(folder.path(), &slug("river"), now).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let alliance = Self::open(folder, Clock::at(now), (any, any)).await;
        let plan = Plan::parse(CHS).unwrap();
        let groups = read_listed(GROUPS.as_bytes(), b',').unwrap();
        let built = plan.build(&slug("river"), groups).unwrap();
        let (state, authority) = (&alliance.state, &alliance.authority);
        let published = dictionary::publish(state, authority, built.clone(), now).await;
        assert_eq!(published.unwrap().dictionary.version, 1);
        assert!(
            dictionary::publish(state, authority, built, now)
                .await
                .is_err()
        );
        alliance
    }

    async fn open(folder: TempDir, clock: Clock, at: (SocketAddr, SocketAddr)) -> Self {
        let listeners = Listeners::bind(at.0, at.1).await.unwrap();
        let (nodes, public) = listeners.addresses().unwrap();
        let config = Config {
            alliance: slug("river"),
            hosts: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
            node_address: nodes,
            public_address: public,
            node_url: format!("https://localhost:{}", nodes.port()),
            public_url: format!("https://localhost:{}", public.port()),
            templates: None,
            rules: None,
            pages: None,
            limits: Limits::default(),
            data: None,
        };
        let open = || Authority::open(folder.path(), &config.alliance).unwrap();
        let state = State::open(folder.path()).await.unwrap();
        let stop = CancellationToken::new();
        let app = App::new(
            config.clone(),
            state.clone(),
            open(),
            clock.clone(),
            stop.clone(),
        );
        let service = tokio::spawn(async move { listeners.serve(app).await.unwrap() });
        Self {
            authority: open(),
            folder,
            config,
            state,
            clock,
            stop,
            service,
        }
    }

    /// Ends the service (as SIGTERM would) and opens the same folder and ports again.
    async fn restart(self) -> Self {
        let (folder, clock, at) = self.end().await;
        Self::open(folder, clock, at).await
    }

    async fn end(self) -> (TempDir, Clock, (SocketAddr, SocketAddr)) {
        self.stop.cancel();
        self.service.await.unwrap();
        let at = (self.config.node_address, self.config.public_address);
        (self.folder, self.clock, at)
    }

    async fn invite(&self, hospital: &str) -> JoinCode {
        let url = &self.config.public_url;
        let now = self.clock.now();
        let (name, by) = (slug(hospital), slug("li"));
        register::invite(&self.state, &self.authority, url, &name, &by, now)
            .await
            .unwrap()
    }

    /// What the second administrator does after the phone call.
    async fn approve(&self, node: &Node, certificate: Digest) {
        let said = Fingerprint::of(&certificate, &node.signer.public());
        let now = self.clock.now();
        membership::approve(&self.state, &node.hospital, said, &slug("wu"), now)
            .await
            .unwrap();
    }

    async fn joined(&self, hospital: &str) -> Node {
        let node = Node::new(hospital).await;
        let certificate = node.enrol(&self.invite(hospital).await).await.unwrap();
        self.approve(&node, certificate).await;
        node
    }

    async fn round(&self, roster: &[&str], min_answers: u32) -> Held {
        let order = Order {
            period: ask::period("2025").unwrap(),
            roster: roster.iter().map(|name| slug(name)).collect(),
            window: 3600,
            min_answers: Some(min_answers),
        };
        let templates = template::load(None).unwrap();
        let rules = Privacy::parse(DEFAULT).unwrap();
        let yearly = templates.get("yearly-benchmark").unwrap();
        let now = self.clock.now();
        let opened =
            crate::opening::attributed(&self.state, &self.authority, yearly, &rules, &order, now)
                .await;
        let (held, left_out) = opened.unwrap();
        assert!(left_out.is_empty(), "{left_out:?}");
        held
    }

    async fn state_of(&self, round: &Slug) -> RoundState {
        ask::find(&self.state, &self.authority, round)
            .await
            .unwrap()
            .state
    }

    async fn until_ended(&self, round: &Slug) -> RoundState {
        for _ in 0..200 {
            let state = self.state_of(round).await;
            if state != RoundState::Open {
                return state;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the round did not end");
    }
}

/// A node's folder and key.
struct Node {
    folder: TempDir,
    hospital: Slug,
    signer: Signer,
    state: node::store::state::State,
}

impl Node {
    async fn new(hospital: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            hospital: slug(hospital),
            signer: Keys::open(folder.path())
                .unwrap()
                .make_message_key()
                .unwrap(),
            state: node::store::state::State::open(folder.path())
                .await
                .unwrap(),
            folder,
        }
    }

    async fn enrol(&self, code: &JoinCode) -> Result<Digest, EnrolError> {
        enrol(self.folder.path(), &self.hospital, &self.signer, code, None).await
    }

    fn link(&self) -> Link {
        self.link_by(node::clock::Clock::System)
    }

    /// A link whose clock stands at a moment.
    fn link_at(&self, now: Timestamp) -> Link {
        self.link_by(node::clock::Clock::Fixed(now))
    }

    fn link_by(&self, clock: node::clock::Clock) -> Link {
        Link::open(self.folder.path(), &self.hospital, None, clock).unwrap()
    }

    fn answer(&self, round: &Round, cell: i64) -> Said {
        let answer = Answer {
            question: round.question.digest().unwrap(),
            hospital: self.hospital.clone(),
            snapshots: Vec::new(),
            mechanism: Digest::of("m", &[]),
            policy: Digest::of("p", &[]),
            blocks: vec![Some(vec![cell]), None],
        };
        Said::Answered(Sealed::seal(&self.signer, &answer).unwrap())
    }

    /// An answer as the node's own ledger charges it: no stays, and the same noise on every cell.
    async fn charged(&self, round: &Round, noise: i64) -> Word {
        let offered = std::fs::read(link::offered(self.folder.path())).unwrap();
        let offered: Sealed<Dictionary> = serde_json::from_slice(&offered).unwrap();
        let dictionary = offered.open(self.link().alliance_key()).unwrap();
        let policy = Privacy::parse(DEFAULT).unwrap();
        let layout = compile(&round.question, &dictionary, &policy).unwrap();
        let exact = scan::run(&layout, &dictionary, &[], 1).unwrap();
        let drawn = noise::add(&layout, exact, &Shift(noise), 1).unwrap();
        let payer = Payer {
            hospital: &self.hospital,
            signer: &self.signer,
            purpose: Purpose::Benchmark,
            policy: &policy,
            under: crate::ledger::NOBODY,
            at: node::clock::Clock::System.now(),
        };
        let identity = Identity::new(layout, Vec::new()).unwrap();
        let charged = ledger::charge(&self.state, &identity, drawn, payer, |_| {}).await;
        Word::Answered(charged.unwrap())
    }

    fn reply(&self, held: &Held, said: Said) -> Sealed<Reply> {
        let reply = Reply {
            round: held.digest,
            hospital: self.hospital.clone(),
            said,
            log_head: Digest::ZERO,
        };
        Sealed::seal(&self.signer, &reply).unwrap()
    }

    /// Runs the node's loop until the token is cancelled.
    async fn run<F>(&self, answer: F, stop: &CancellationToken)
    where
        F: AsyncFn(&Round, Digest) -> Result<Option<Word>, std::fmt::Error>,
    {
        self.run_by(node::clock::Clock::System, answer, stop).await;
    }

    async fn run_by<F>(&self, clock: node::clock::Clock, answer: F, stop: &CancellationToken)
    where
        F: AsyncFn(&Round, Digest) -> Result<Option<Word>, std::fmt::Error>,
    {
        let link = self.link_by(clock);
        let desk = Desk {
            link: &link,
            state: &self.state,
            signer: &self.signer,
            hospital: &self.hospital,
            folder: self.folder.path(),
            clock: &clock,
            tick: Duration::from_millis(100),
        };
        link::run(&desk, answer, stop).await;
    }
}
