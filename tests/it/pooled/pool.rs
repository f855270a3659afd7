//! Five hospitals and two bodies in folders of their own, and a coordinator that is called in process.

use std::sync::Arc;

use coordinator::authority::Authority;
use coordinator::dictionary;
use coordinator::pooled::{self as office, Held, ListOrder};
use coordinator::register::{self, Member};
use coordinator::store::state::State;
use node::answer::App;
use node::clock::Clock;
use node::config::Config;
use node::log::Leaves;
use node::pooled::{self as party, Desk, Said};
use pooled::key_list::Kind;
use pooled::offer::Offer;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::PublicKey;
use schemas::time::Timestamp;
use tempfile::TempDir;
use tests::fixture::slug;
use tests::noise::Zero;

use super::asks::{accept, ask, ask_from, step};
use crate::hospital::{self, Hospital, Line, NOW};

/// Who sits in the committee.
pub(super) const SEATS: [&str; 4] = ["h01", "h02", "c3", "c4"];

/// A party in its own folder.
pub(crate) struct Party {
    pub(crate) home: Hospital,
    pub(crate) app: Arc<App>,
}

pub(crate) struct Pool {
    pub(crate) folder: TempDir,
    pub(crate) state: State,
    pub(crate) authority: Authority,
    pub(crate) alliance: PublicKey,
    pub(crate) hospitals: Vec<Party>,
    pub(crate) bodies: Vec<Party>,
}

/// Stays of a hospital: some in two groups, different everywhere. The groups are the dictionary's.
pub(crate) fn lines(number: u64) -> Vec<Line> {
    many(number, 1)
}

fn many(number: u64, times: u64) -> Vec<Line> {
    let groups: Vec<String> = hospital::dictionary()
        .groups
        .iter()
        .take(2)
        .map(|group| group.code.clone())
        .collect();
    (0..(12 + number) * times)
        .map(|stay| {
            let group = &groups[usize::try_from(stay % 2).unwrap()];
            let month = u8::try_from(stay % 12 + 1).unwrap();
            let yuan = 3_000 + 137 * (stay % 60) + 1_009 * number;
            Line::new(
                &format!("p{number}-{stay}"),
                &format!("s{number}-{stay}"),
                month,
                group,
                yuan,
            )
        })
        .collect()
}

pub(super) async fn party(name: &str, data: Option<(u64, u64)>) -> Party {
    let home = Hospital::new(name).await;
    if let Some((number, times)) = data {
        home.hold(&many(number, times)).await;
    }
    let app = app(&home, Clock::Fixed(NOW)).await;
    Party { home, app }
}

/// The node with scripted zero noise, and a quota for several rounds a year.
pub(crate) async fn app(home: &Hospital, clock: Clock) -> Arc<App> {
    opened(&home.config, clock).await
}

pub(crate) async fn opened(config: &Config, clock: Clock) -> Arc<App> {
    let state = node::store::state::State::open(&config.data).await.unwrap();
    let app = App::open(config, state, clock).await.unwrap();
    let mut policy = app.policy.clone();
    policy.allowance.benchmark = policy.allowance.total;
    Arc::new(App {
        noise: Box::new(Zero),
        policy,
        ..app
    })
}

impl Pool {
    /// Five hospitals with data, two bodies without, a key list that all of them follow.
    pub(crate) async fn found() -> Self {
        Self::holding(1).await
    }

    /// The same with so many times the stays.
    pub(crate) async fn holding(times: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Authority::create(folder.path(), &slug("river"), NOW).unwrap();
        let authority = Authority::open(folder.path(), &slug("river")).unwrap();
        let state = State::open(folder.path()).await.unwrap();
        dictionary::publish(&state, &authority, hospital::dictionary(), NOW)
            .await
            .unwrap();
        let mut hospitals = Vec::new();
        for number in 1..=5 {
            let data = (number, times);
            hospitals.push(party(&format!("h{number:02}"), Some(data)).await);
        }
        let bodies = vec![party("c3", None).await, party("c4", None).await];
        let pool = Self {
            folder,
            alliance: authority.signer().public(),
            state,
            authority,
            hospitals,
            bodies,
        };
        for one in pool.parties() {
            pool.admit(one).await;
        }
        for name in ["c3", "c4"] {
            let kind = Kind::Authority;
            office::set_body(&pool.state, &slug(name), kind, &slug(name), NOW)
                .await
                .unwrap();
        }
        let seats = SEATS.map(slug);
        let epoch = office::new_committee(&pool.state, 1, 0, &seats, NOW).await;
        assert_eq!(epoch.unwrap(), 1);
        for name in SEATS {
            let one = pool.party(name);
            for key in party::seat_keys(&pool.desk(one), 1).await.unwrap() {
                let member = pool.member(name).await;
                office::seat_key(&pool.state, &member, &key, NOW)
                    .await
                    .unwrap();
            }
        }
        pool.list().await;
        for one in pool.parties() {
            pool.ask(one, &SEATS).await;
        }
        pool
    }

    /// A party asks for receipts, these seats answer, and it hears them.
    pub(crate) async fn ask(&self, one: &Party, seats: &[&str]) {
        self.ask_as(&self.desk(one), seats).await;
    }

    pub(crate) async fn ask_as(&self, desk: &Desk<'_>, seats: &[&str]) {
        let mut leaves = Leaves::default();
        let tree = leaves.follow(&desk.app.state).await.unwrap();
        let asked = party::ask(desk, tree).await.unwrap().unwrap();
        let name = &desk.app.hospital;
        let member = self.member(name.as_str()).await;
        office::ask(&self.state, &member, &asked, NOW)
            .await
            .unwrap();
        for seat in seats.iter().filter(|seat| **seat != name.as_str()) {
            let asked = office::asked(&self.state, name).await.unwrap();
            let told = party::witness(&self.desk(self.party(seat)), &asked).await;
            let seat = self.member(seat).await;
            office::receipt(&self.state, &seat, &told.unwrap())
                .await
                .unwrap();
        }
        let told = office::receipts(&self.state, name).await.unwrap();
        party::take(desk, tree, &told).await.unwrap();
    }

    pub(crate) fn parties(&self) -> impl Iterator<Item = &Party> {
        self.hospitals.iter().chain(&self.bodies)
    }

    pub(crate) fn party(&self, name: &str) -> &Party {
        let mut all = self.parties();
        all.find(|one| one.app.hospital.as_str() == name).unwrap()
    }

    pub(crate) fn desk<'a>(&'a self, party: &'a Party) -> Desk<'a> {
        Desk {
            app: &party.app,
            alliance: &self.alliance,
        }
    }

    /// Registers a member as joining and approval would.
    async fn admit(&self, one: &Party) {
        let name = one.app.hospital.as_str();
        let key = serde_json::to_value(one.app.signer.public()).unwrap();
        sqlx::query("insert into members (hospital, certificate, message_key, joined) values ($1, $2, $3, 0)")
            .bind(name)
            .bind(Digest::of("certificate", &[name.as_bytes()]).to_string())
            .bind(key.as_str().unwrap())
            .execute(self.state.pool())
            .await
            .unwrap();
        sqlx::query(
            "insert into standings (hospital, standing, invited_by) values ($1, 'active', 'li')",
        )
        .bind(name)
        .execute(self.state.pool())
        .await
        .unwrap();
    }

    pub(crate) async fn member(&self, name: &str) -> Member {
        let members = register::members(&self.state).await.unwrap();
        members
            .into_iter()
            .find(|member| member.hospital.as_str() == name)
            .unwrap()
    }

    /// The first list: accepted by every steward, countersigned by two, followed by all.
    pub(super) async fn list(&self) {
        let order = ListOrder {
            operator: slug("office"),
            t_max: 1,
        };
        let list = office::draft(&self.state, &self.authority, &order, NOW)
            .await
            .unwrap();
        let (_, draft) = office::draft_sealed(&self.state).await.unwrap().unwrap();
        let draft = schemas::canonical::to_bytes(&draft).unwrap();
        for one in self.parties() {
            let refused = party::countersign(&self.desk(one), &draft).await;
            assert!(matches!(refused, Err(party::PooledError::Newcomer(_))));
            accept(one, &list.members).await;
        }
        let mut published = false;
        for one in &self.hospitals[..2] {
            let seal = party::countersign(&self.desk(one), &draft).await.unwrap();
            let member = self.member(one.app.hospital.as_str()).await;
            published = office::countersign(&self.state, &self.authority, &member, &seal, NOW)
                .await
                .unwrap();
        }
        assert!(published);
        let signed = office::published(&self.state).await.unwrap().unwrap();
        let bytes = schemas::canonical::to_bytes(&signed).unwrap();
        for one in self.parties() {
            assert!(party::follow(&self.desk(one), &bytes).await.unwrap());
            assert!(!party::follow(&self.desk(one), &bytes).await.unwrap());
        }
    }

    /// A pooled round about 2025; of all hospitals where nobody is named.
    pub(crate) async fn open(&self, roster: &[&str]) -> Held {
        ask(&self.state, &self.authority, roster).await
    }

    /// The same from another template.
    pub(crate) async fn open_from(&self, template: &str) -> Held {
        ask_from(&self.state, &self.authority, template, (&[], NOW)).await
    }

    pub(crate) async fn find(&self, round: &Slug) -> Held {
        office::find(&self.state, &self.authority, round)
            .await
            .unwrap()
    }

    /// One hospital's upload, taken by the coordinator.
    pub(crate) async fn upload(&self, name: &str, offer: &Offer) -> Vec<u8> {
        let said = party::answer(&self.desk(self.party(name)), offer)
            .await
            .unwrap();
        let Said::Upload(paid) = said else {
            panic!("{name}: {said:?}")
        };
        let round = offer.open(&self.alliance).unwrap().0.id;
        let (held, member) = (self.find(&round).await, self.member(name).await);
        let bytes = paid.bytes().to_vec();
        assert!(
            office::take(&self.state, &held, &member, &bytes, NOW)
                .await
                .unwrap()
        );
        assert!(
            !office::take(&self.state, &held, &member, &bytes, NOW)
                .await
                .unwrap()
        );
        bytes
    }

    /// Moves a round as far as it goes at a moment.
    pub(crate) async fn go_on(&self, round: &Slug, now: Timestamp) -> String {
        loop {
            let held = self.find(round).await;
            if !office::advance(&self.state, &held, now).await.unwrap() {
                return held.state;
            }
        }
    }

    /// Lets these seats do what waits for them until nothing more does.
    pub(crate) async fn sit(&self, round: &Slug, seats: &[&str], now: Timestamp) {
        for _ in 0..8 {
            let mut done = 0;
            for name in seats {
                done += usize::from(self.step(round, name, now).await);
                self.go_on(round, now).await;
            }
            if done == 0 {
                return;
            }
        }
        panic!("the seats do not come to an end");
    }

    pub(crate) async fn step(&self, round: &Slug, name: &str, now: Timestamp) -> bool {
        let desk = self.desk(self.party(name));
        step(&self.state, &self.authority, &desk, round, now).await
    }
}
