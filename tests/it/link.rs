//! Coordinator and nodes over real TLS on loopback: who gets in, what a reply may be, and what
//! survives an end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use coordinator::api::{App, Listeners};
use coordinator::ask::{self, Held, Order};
use coordinator::authority::Authority;
use coordinator::clock::Clock;
use coordinator::config::{Config, Limits};
use coordinator::dictionary::{self, CHS, Plan, read_listed};
use coordinator::store::state::State;
use coordinator::{collect, merge, register, template};
use node::enrol::{EnrolError, enrol};
use node::link::{self, Desk, Link, LinkError, Sent};
use policies::rules::{DEFAULT, Privacy};
use schemas::answer::Answer;
use schemas::digest::Digest;
use schemas::enrolment::JoinCode;
use schemas::entry::verify_chain;
use schemas::id::Slug;
use schemas::outcome::Reason;
use schemas::round::{Reply, Round, Said, State as RoundState};
use schemas::seal::{Sealed, Signer};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const GROUPS: &str = "code,name_zh,name_en,mdc,weight,cost_fen,charge_fen,los_milli\n\
    ES35,肺炎,Pneumonia,MDCE,0.38,400000,420000,7000\n\
    GD15,阑尾,Appendix,MDCG,1.2345,1512596,1600000,6000\n";

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
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
            limits: Limits::default(),
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
        register::invite(&self.state, &self.authority, url, &slug(hospital), now)
            .await
            .unwrap()
    }

    async fn joined(&self, hospital: &str) -> Node {
        let node = Node::new(hospital).await;
        node.enrol(&self.invite(hospital).await).await.unwrap();
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
        let opened = ask::open(&self.state, &self.authority, yearly, &rules, &order, now).await;
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
            signer: Signer::generate().unwrap().0,
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
        Link::open(self.folder.path(), None).unwrap()
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
        F: AsyncFn(&Round, Digest) -> Result<Said, std::fmt::Error>,
    {
        let link = self.link();
        let desk = Desk {
            link: &link,
            state: &self.state,
            signer: &self.signer,
            hospital: &self.hospital,
            folder: self.folder.path(),
            clock: &node::clock::Clock::System,
        };
        link::run(&desk, answer, stop).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_from_invitation_to_merge() {
    let alliance = Alliance::found().await;
    let (a, b, c) = (
        alliance.joined("a").await,
        alliance.joined("b").await,
        alliance.joined("c").await,
    );
    let stop = CancellationToken::new();
    let nodes = async {
        tokio::join!(
            a.run(async |round, _| Ok(a.answer(round, 1)), &stop),
            b.run(async |round, _| Ok(b.answer(round, 2)), &stop),
            c.run(async |_, _| Ok(Said::Declined(Reason::NoData)), &stop),
        );
    };
    let asking = async {
        // The nodes wait already; the long poll has to wake up.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let held = alliance.round(&[], 2).await;
        let state = alliance.until_ended(&held.round.id).await;
        assert_eq!(state, RoundState::Closed);
        stop.cancel();
        held
    };
    let (held, ()) = tokio::join!(asking, nodes);

    let merged = merge::merge(&alliance.state, &alliance.authority, &held.round.id)
        .await
        .unwrap();
    let said: Vec<(&str, Result<Option<Vec<i64>>, Reason>)> = merged
        .hospitals
        .iter()
        .map(|(name, said)| (name.as_str(), said.clone().map(|a| a.blocks[0].clone())))
        .collect();
    let expected = [
        ("a", Ok(Some(vec![1]))),
        ("b", Ok(Some(vec![2]))),
        ("c", Err(Reason::NoData)),
    ];
    assert_eq!(said, expected);
    assert_eq!(merged.digests.answers.len(), 2);
    assert_eq!(merged.dictionary.version, 1);
    let offered = std::fs::read(link::offered(a.folder.path())).unwrap();
    let offered: Sealed<schemas::dictionary::Dictionary> =
        serde_json::from_slice(&offered).unwrap();
    assert_eq!(offered.digest().unwrap(), merged.digests.dictionary);

    let entries = alliance.state.log().await.unwrap();
    verify_chain(&entries).unwrap();
    let kinds: Vec<&str> = entries.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "reply").count(), 3);
    assert_eq!(kinds.last(), Some(&"round-end"));
    verify_chain(&a.state.log().await.unwrap()).unwrap();
    let key_folder = a.folder.path().join("keys");
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(key_folder.join("tls-key.pem"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// A client that trusts the alliance's CA and shows no certificate.
fn stranger(alliance: &Alliance) -> reqwest::Client {
    use rustls::crypto::ring;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(alliance.authority.ca().clone()).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .no_proxy()
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_stay_outside() {
    let alliance = Alliance::found().await;
    let other = Alliance::found().await;
    let client = stranger(&alliance);
    // Without a certificate there is no conversation on the nodes' port, whatever the path.
    for path in [
        "/v1/dictionary",
        "/v1/rounds",
        "/v1/rounds/r1/progress",
        "/health",
    ] {
        let url = format!("{}{path}", alliance.config.node_url);
        assert!(client.get(url).send().await.is_err(), "{path}");
    }
    // The public port has nothing of the members'.
    for path in ["/v1/dictionary", "/v1/rounds", "/v1/rounds/r1/progress"] {
        let url = format!("{}{path}", alliance.config.public_url);
        let response = client.get(url).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 404, "{path}");
        let kind = response.headers().get("content-type").unwrap().clone();
        assert_eq!(kind, "application/problem+json");
    }
    let health = format!("{}/health", alliance.config.public_url);
    assert_eq!(
        client.get(health).send().await.unwrap().status().as_u16(),
        204
    );

    // A member of another alliance with the same name: another CA.
    let foreign = other.joined("a").await;
    let member = alliance.joined("a").await;
    for file in ["ca.pem", "alliance.key", "coordinator.url"] {
        std::fs::copy(
            member.folder.path().join(file),
            foreign.folder.path().join(file),
        )
        .unwrap();
    }
    assert!(matches!(
        foreign.link().rounds(0).await,
        Err(LinkError::Unreachable(_))
    ));
    assert!(member.link().rounds(0).await.unwrap().is_empty());

    // Enrolled anew: the earlier certificate is of this CA and valid, but no longer registered.
    let again = Node::new("a").await;
    again.enrol(&alliance.invite("a").await).await.unwrap();
    assert!(matches!(
        member.link().rounds(0).await,
        Err(LinkError::Status(403))
    ));
    assert!(again.link().rounds(0).await.is_ok());
    other.end().await;
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_works_once_for_its_hospital_in_its_time() {
    let alliance = Alliance::found().await;
    let refused = |result: Result<Digest, EnrolError>| match result {
        Err(EnrolError::Refused { title, .. }) => title,
        other => panic!("{other:?}"),
    };
    let code = alliance.invite("a").await;
    let node = Node::new("a").await;

    let mut wrong = code.clone();
    wrong.secret = Digest::of("guess", &[]);
    assert_eq!(
        refused(node.enrol(&wrong).await),
        "the join code is not valid"
    );
    let mut stolen = code.clone();
    stolen.hospital = slug("b");
    assert!(matches!(
        node.enrol(&stolen).await,
        Err(EnrolError::OtherHospital { .. })
    ));
    let thief = Node::new("b").await;
    assert_eq!(
        refused(thief.enrol(&stolen).await),
        "the join code is not valid"
    );
    // A coordinator with another CA than the code names is not talked to at all.
    let mut redirected = code.clone();
    redirected.ca = Digest::of("other", &[]);
    assert!(matches!(
        node.enrol(&redirected).await,
        Err(EnrolError::Unreachable(_))
    ));

    // A new code voids the unused one; used codes are void.
    let newer = alliance.invite("a").await;
    assert_eq!(
        refused(node.enrol(&code).await),
        "the join code is not valid"
    );
    node.enrol(&newer).await.unwrap();
    assert!(matches!(
        node.enrol(&newer).await,
        Err(EnrolError::Joined(_))
    ));
    let second = Node::new("a").await;
    assert_eq!(
        refused(second.enrol(&newer).await),
        "the join code is not valid"
    );

    let late = alliance.invite("c").await;
    alliance.clock.advance(register::CODE_SECONDS);
    let node = Node::new("c").await;
    assert_eq!(
        refused(node.enrol(&late).await),
        "the join code is not valid"
    );
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_with_one_code_exactly_one_joins() {
    let alliance = Alliance::found().await;
    let code = alliance.invite("a").await;
    let (first, second) = (Node::new("a").await, Node::new("a").await);
    let (one, two) = tokio::join!(first.enrol(&code), second.enrol(&code));
    assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_codes_ends_with_the_minute() {
    let alliance = Alliance::found().await;
    let mut guess = alliance.invite("a").await;
    let node = Node::new("a").await;
    let mut titles = Vec::new();
    for n in 0_u32..12 {
        guess.secret = Digest::of("guess", &[&n.to_le_bytes()]);
        if let Err(EnrolError::Refused { title, .. }) = node.enrol(&guess).await {
            titles.push(title);
        }
    }
    assert_eq!(
        titles
            .iter()
            .filter(|t| *t == "too many refused joins")
            .count(),
        2
    );
    alliance.clock.advance(60);
    let code = alliance.invite("a").await;
    node.enrol(&code).await.unwrap();
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_counts_once_and_only_as_it_was_signed() {
    let alliance = Alliance::found().await;
    let (a, b) = (alliance.joined("a").await, alliance.joined("b").await);
    let outsider = alliance.joined("c").await;
    let held = alliance.round(&["a", "b"], 1).await;
    let (round, link) = (&held.round, a.link());

    assert!(outsider.link().rounds(0).await.unwrap().is_empty());
    let offered = link.rounds(0).await.unwrap();
    assert_eq!(offered, [held.sealed.clone()]);
    let opened = offered[0].open(link.alliance_key()).unwrap();
    assert_eq!(opened, held.round);

    // Another hospital's key, name, round or question.
    let send =
        async |from: &Node, reply: &Sealed<Reply>| from.link().reply(&held.digest, reply).await;
    let answered = |node: &Node, cell| node.reply(&held, node.answer(round, cell));
    let refused = |sent: Result<Sent, LinkError>, status| match sent {
        Ok(Sent::Refused(s)) | Err(LinkError::Status(s)) => assert_eq!(s, status),
        other => panic!("{other:?}"),
    };
    refused(send(&a, &answered(&b, 1)).await, 422);
    refused(send(&outsider, &answered(&outsider, 1)).await, 403);
    let mut elsewhere = held.clone();
    elsewhere.digest = Digest::of("other", &[]);
    let said = Said::Declined(Reason::Declined);
    refused(send(&a, &a.reply(&elsewhere, said)).await, 422);
    refused(send(&a, &a.reply(&held, b.answer(round, 1))).await, 422);
    let mut other_question = round.clone();
    other_question.question.bounds.groups = 2;
    refused(
        send(&a, &a.reply(&held, a.answer(&other_question, 1))).await,
        422,
    );
    let unknown = Digest::of("unknown", &[]);
    refused(a.link().reply(&unknown, &answered(&a, 1)).await, 404);

    // Once; the same bytes again are welcome; other bytes are not.
    let reply = answered(&a, 1);
    for _ in 0..3 {
        assert_eq!(send(&a, &reply).await.unwrap(), Sent::Acknowledged);
    }
    refused(send(&a, &answered(&a, 2)).await, 409);
    assert!(link.rounds(0).await.unwrap().is_empty());
    let entries = alliance.state.log().await.unwrap();
    let of_kind = |kind| entries.iter().filter(|e| e.kind.as_str() == kind).count();
    assert_eq!((of_kind("reply"), of_kind("reply-conflict")), (1, 1));

    let now = alliance.clock.now();
    let progress = collect::progress(&alliance.state, &held, now)
        .await
        .unwrap();
    assert_eq!((progress.answers, progress.hospitals.len()), (1, 2));

    // After the deadline the round ends by itself and takes nothing more.
    alliance.clock.advance(3601);
    assert_eq!(alliance.until_ended(&round.id).await, RoundState::Closed);
    refused(send(&b, &answered(&b, 1)).await, 410);
    assert_eq!(send(&a, &reply).await.unwrap(), Sent::Acknowledged);
    let merged = merge::merge(&alliance.state, &alliance.authority, &round.id)
        .await
        .unwrap();
    assert_eq!(merged.hospitals[1], (slug("b"), Err(Reason::Late)));
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_answers_and_the_round_dies() {
    let alliance = Alliance::found().await;
    let (a, b) = (alliance.joined("a").await, alliance.joined("b").await);
    let held = alliance.round(&[], 2).await;
    let declined = |node: &Node| node.reply(&held, Said::Declined(Reason::OutOfAllowance));
    let answered = a.reply(&held, a.answer(&held.round, 1));
    a.link().reply(&held.digest, &answered).await.unwrap();
    b.link().reply(&held.digest, &declined(&b)).await.unwrap();
    assert_eq!(alliance.state_of(&held.round.id).await, RoundState::Dead);
    let merged = merge::merge(&alliance.state, &alliance.authority, &held.round.id).await;
    assert!(matches!(merged, Err(merge::MergeError::Dead(_))));
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_go_on_after_an_end() {
    let alliance = Alliance::found().await;
    let a = alliance.joined("a").await;
    let b = alliance.joined("b").await;
    let held = alliance.round(&[], 2).await;
    let early = b.reply(&held, b.answer(&held.round, 7));
    b.link().reply(&held.digest, &early).await.unwrap();
    // Nodes hold their poll while the coordinator ends and comes back on the same ports.
    let calls = AtomicU32::new(0);
    let alliance = alliance.restart().await;
    assert_eq!(alliance.state_of(&held.round.id).await, RoundState::Open);

    // The node answers and stores, but the coordinator is gone before it can send.
    let (folder, clock, at) = alliance.end().await;
    let digest = held.digest;
    let stop = CancellationToken::new();
    let alone = async {
        a.run(async |_, _| unreachable!("no coordinator, no round"), &stop)
            .await;
    };
    let ending = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        stop.cancel();
    };
    tokio::join!(alone, ending);
    let alliance = Alliance::open(folder, clock, at).await;

    // It runs again, fails to answer twice (nothing is said), then answers once for ever.
    let stop = CancellationToken::new();
    let running = a.run(
        async |round, asked| {
            assert_eq!(asked, digest);
            match calls.fetch_add(1, Ordering::SeqCst) {
                0 | 1 => Err(std::fmt::Error),
                n => Ok(a.answer(round, i64::from(n))),
            }
        },
        &stop,
    );
    let waiting = async {
        let state = alliance.until_ended(&held.round.id).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop.cancel();
        state
    };
    let ((), state) = tokio::join!(running, waiting);
    assert_eq!(state, RoundState::Closed);
    assert_eq!(calls.load(Ordering::SeqCst), 3);

    // The acknowledgement got lost: the node sends the same bytes, does not answer anew, and the
    // coordinator takes them as the ones it has.
    sqlx::query("update replies set acknowledged = 0")
        .execute(a.state.pool())
        .await
        .unwrap();
    let stop = CancellationToken::new();
    let running = a.run(async |_, _| unreachable!("answered before"), &stop);
    let settled = async {
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let open: i64 =
                sqlx::query_scalar("select count(*) from replies where acknowledged = 0")
                    .fetch_one(a.state.pool())
                    .await
                    .unwrap();
            if open == 0 {
                break;
            }
        }
        stop.cancel();
    };
    tokio::join!(running, settled);
    let stored: String = sqlx::query_scalar("select sealed from replies")
        .fetch_one(a.state.pool())
        .await
        .unwrap();
    let kept: String = sqlx::query_scalar("select sealed from replies where hospital = 'a'")
        .fetch_one(alliance.state.pool())
        .await
        .unwrap();
    assert_eq!(stored, kept);
    let entries = alliance.state.log().await.unwrap();
    verify_chain(&entries).unwrap();
    assert!(entries.iter().all(|e| e.kind.as_str() != "reply-conflict"));
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_encoded_and_malformed_bodies_are_refused() {
    let alliance = Alliance::found().await;
    let client = stranger(&alliance);
    let url = format!("{}/v1/join", alliance.config.public_url);
    let post = |body: Vec<u8>| client.post(&url).body(body);
    let status =
        async |request: reqwest::RequestBuilder| request.send().await.unwrap().status().as_u16();
    assert_eq!(status(post(b"{}".to_vec())).await, 400);
    assert_eq!(status(post("[".repeat(100_000).into_bytes())).await, 400);
    assert_eq!(
        status(post(b"x".to_vec()).header("content-encoding", "gzip")).await,
        415
    );
    assert_eq!(status(client.get(&url)).await, 405);
    // A body beyond the limit is refused, or the connection is closed while it is still coming.
    if let Ok(response) = post(vec![b' '; 17 * 1024 * 1024]).send().await {
        assert_eq!(response.status().as_u16(), 413);
    }
    let mut answers = Vec::new();
    for _ in 0..10 {
        answers.push(status(post(b"{\"secret\":1}".to_vec())).await);
    }
    assert_eq!(answers.last(), Some(&429));
    alliance.end().await;
}
