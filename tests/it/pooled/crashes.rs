//! Coordinator, hospitals and committee in one child process that is killed (SIGKILL) at any moment
//! and started again on the same folders, until so many rounds have ended: none is lost, no second
//! upload differs, no charge is lost or doubled, and every round's publication verifies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use coordinator::authority::Authority;
use coordinator::pooled as office;
use coordinator::register::{self, Member};
use coordinator::store::state::State;
use node::answer::App;
use node::clock::Clock;
use node::config::Config;
use node::pooled::{self as party, Desk, Said};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::loss::Rho;
use schemas::seal::PublicKey;
use tests::fixture::{long, slug};
use tests::noise::Zero;

use super::{NOW, Pool, SEATS, ask, step};

/// Charge of one round, in billionths.
const CHARGE: u64 = 200_000_001;

struct Hall {
    state: State,
    authority: Authority,
    alliance: PublicKey,
    apps: BTreeMap<String, Arc<App>>,
    /// Where the parent reads what was under way.
    trace: PathBuf,
}

impl Hall {
    async fn open(hub: &Path, homes: &[&str], trace: &Path) -> Self {
        let authority = Authority::open(hub, &slug("river")).unwrap();
        let mut apps = BTreeMap::new();
        for home in homes {
            let config = Config::read(Path::new(home)).unwrap();
            let state = node::store::state::State::open(&config.data).await.unwrap();
            let app = App::open(&config, state, Clock::Fixed(NOW)).await.unwrap();
            let mut policy = app.policy.clone();
            // As many rounds as the test likes.
            let plenty = Rho::from_nano(999_000_000_000).unwrap();
            policy.allowance.total = plenty;
            policy.allowance.benchmark = plenty;
            policy.pooled.worst = plenty;
            policy.quota.per_week = u32::MAX;
            policy.quota.per_minute = u32::MAX;
            policy.quota.lock_after = u32::MAX;
            let app = App {
                noise: Box::new(Zero),
                policy,
                ..app
            };
            apps.insert(app.hospital.to_string(), Arc::new(app));
        }
        Self {
            state: State::open(hub).await.unwrap(),
            alliance: authority.signer().public(),
            authority,
            apps,
            trace: trace.to_owned(),
        }
    }

    fn desk<'a>(&'a self, app: &'a Arc<App>) -> Desk<'a> {
        Desk {
            app,
            alliance: &self.alliance,
        }
    }

    fn at(&self, what: &str) {
        std::fs::write(&self.trace, what).unwrap();
    }

    async fn member(&self, name: &Slug) -> Member {
        let members = register::members(&self.state).await.unwrap();
        members
            .into_iter()
            .find(|member| member.hospital == *name)
            .unwrap()
    }

    async fn advance(&self, round: &Slug) {
        loop {
            let held = office::find(&self.state, &self.authority, round).await;
            self.at("coordinator: advance");
            if !office::advance(&self.state, &held.unwrap(), NOW)
                .await
                .unwrap()
            {
                return;
            }
        }
    }

    /// Takes one round to its end, from wherever it stands.
    async fn play(&self, held: &office::Held) {
        let round = &held.asked.id;
        for (name, app) in self.apps.iter().filter(|(name, _)| name.starts_with('h')) {
            let taken: i64 = sqlx::query_scalar(
                "select count(*) from pooled_uploads where round = $1 and hospital = $2",
            )
            .bind(round.as_str())
            .bind(name)
            .fetch_one(self.state.pool())
            .await
            .unwrap();
            if taken == 1 {
                continue;
            }
            self.at("node: scan, share, charge");
            let said = party::answer(&self.desk(app), &held.offer).await.unwrap();
            let Said::Upload(paid) = said else {
                panic!("{name}: {said:?}")
            };
            self.at("coordinator: take an upload");
            let member = self.member(&app.hospital).await;
            office::take(&self.state, held, &member, paid.bytes(), NOW)
                .await
                .unwrap();
            self.at("node: upload taken");
            party::taken(app, round).await.unwrap();
        }
        self.advance(round).await;
        for _ in 0..8 {
            let mut done = false;
            for name in SEATS {
                self.at("member: inspect, vote or sums");
                let desk = self.desk(&self.apps[name]);
                done |= step(&self.state, &self.authority, &desk, round, NOW).await;
                self.advance(round).await;
            }
            if !done {
                break;
            }
        }
        let ended = office::find(&self.state, &self.authority, round).await;
        assert_eq!(ended.unwrap().state, "done");
    }

    /// Nodes hear of the certificate; a second time changes nothing.
    async fn hear(&self, held: &office::Held) {
        let found = office::certificate(&self.state, &held.asked.id).await;
        let found = found.unwrap().unwrap();
        for app in self.apps.values() {
            self.at("node: certificate");
            party::hear(&self.desk(app), &held.offer, &found)
                .await
                .unwrap();
        }
    }
}

/// The child: plays rounds until so many are done.
#[test]
fn crash_worker() {
    #[expect(
        clippy::disallowed_methods,
        reason = "how the crash test speaks to its child"
    )]
    let Ok(orders) = std::env::var("CONSILIUM_CRASH_WORKER") else {
        return;
    };
    let parts: Vec<&str> = orders.split('|').collect();
    let [rounds, trace, hub, homes @ ..] = parts.as_slice() else {
        panic!("orders")
    };
    let rounds: usize = rounds.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let hall = Hall::open(Path::new(hub), homes, Path::new(trace)).await;
        loop {
            hall.at("coordinator: open a round");
            // The last round alone: a life is too short to check hundreds anew.
            let names: Vec<String> =
                sqlx::query_scalar("select id from pooled_rounds order by rowid")
                    .fetch_all(hall.state.pool())
                    .await
                    .unwrap();
            if let Some(name) = names.last() {
                let held = office::find(&hall.state, &hall.authority, &slug(name)).await;
                let held = held.unwrap();
                if held.state != "done" {
                    hall.play(&held).await;
                }
                hall.hear(&held).await;
            }
            if names.len() >= rounds {
                return;
            }
            ask(&hall.state, &hall.authority, &[]).await;
        }
    });
}

fn spawn(orders: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["pooled::crashes::crash_worker", "--exact", "--nocapture"])
        .env("CONSILIUM_CRASH_WORKER", orders)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills one child after another until the last ends by itself. Gives where each was.
fn killed_until_done(orders: &str, trace: &Path, patience: Duration) -> BTreeMap<String, u32> {
    let mut tally = BTreeMap::new();
    let end = Instant::now() + patience;
    for life in 0_u64.. {
        assert!(
            Instant::now() < end,
            "the rounds do not come to an end: {tally:#?}"
        );
        drop(std::fs::remove_file(trace));
        let mut child = spawn(orders);
        // It lives: its folders are open.
        while !trace.exists() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        let drawn = Digest::of("life", &[&life.to_le_bytes()]);
        let [low, high, ..] = drawn.as_bytes();
        // Up to 1.3 seconds: a few steps, at times a whole round.
        let pause = u64::from(u16::from_le_bytes([*low, *high])) / 50;
        std::thread::sleep(Duration::from_millis(pause));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "a child failed: {status}");
            return tally;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let what = std::fs::read_to_string(trace).unwrap_or_default();
        *tally.entry(what).or_default() += 1;
    }
    tally
}

#[tokio::test]
async fn killed_anywhere_every_round_ends_and_nothing_is_lost_or_doubled() {
    let pool = Pool::found().await;
    let rounds = if long() { 500 } else { 12 };
    let trace = pool.folder.path().join("trace");
    let mut orders = vec![
        rounds.to_string(),
        trace.display().to_string(),
        pool.folder.path().display().to_string(),
    ];
    for one in pool.parties() {
        orders.push(one.home.config.data.display().to_string());
    }
    // Half a minute on a free machine, minutes on a busy one.
    let patience = Duration::from_secs(if long() { 14_400 } else { 800 });
    let started = Instant::now();
    let tally = killed_until_done(&orders.join("|"), &trace, patience);
    println!(
        "{rounds} rounds in {:?}, killed: {tally:#?}",
        started.elapsed()
    );
    assert!(tally.values().sum::<u32>() >= 6, "{tally:?}");

    let all = office::rounds(&pool.state, &pool.authority).await.unwrap();
    assert_eq!(all.len(), rounds);
    for held in &all {
        assert_eq!(held.state, "done", "{:?}", held.why);
        let files = office::files(&pool.state, held).await.unwrap();
        let verified = pooled::published::verify(&files, &pool.alliance, NOW).unwrap();
        assert_eq!(verified.certified.survivors().uploads.len(), 5);
        assert!(verified.dissenters.is_empty());
    }
    for one in &pool.hospitals {
        let own: Vec<(String, String)> =
            sqlx::query_as("select round, digest from pooled_uploads order by round")
                .fetch_all(one.app.state.pool())
                .await
                .unwrap();
        assert_eq!(own.len(), rounds);
        for (round, digest) in own {
            let certificate = office::certificate(&pool.state, &slug(&round)).await;
            let set = certificate.unwrap().unwrap().survivors;
            let cited = set
                .uploads
                .iter()
                .find(|one_of| one_of.hospital == one.app.hospital);
            assert_eq!(cited.unwrap().upload.to_string(), digest);
        }
        let spent = one.home.spent("all").await;
        assert_eq!(spent, CHARGE * u64::try_from(rounds).unwrap());
    }
    for one in pool.parties() {
        node::log::fsck(&one.app.state, &one.app.signer.public())
            .await
            .unwrap();
    }
}
