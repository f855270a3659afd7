//! The pages of an alliance that has an open round and a year: each route with names that exist, a round
//! that is composed and sent, and forms and parameters of any content.

use coordinator::administrators;
use coordinator::ask::{self, Drawn};
use coordinator::authority::Authority;
use coordinator::clock::Clock;
use coordinator::pages::ROUTES;
use coordinator::{dictionary, template, year};
use policies::rules::{self, Privacy};
use policies::year::Rules;
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::officer::{Officer, Role};
use schemas::round::Round;
use schemas::seal::{Sealed, Signer};
use schemas::time::Timestamp;
use schemas::year::{Says, Statement};

use crate::hospital;
use crate::pages::{PASSWORD, Site, coordinator_tls};

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

/// Opens a round of three hospitals, past the list of members; gives its name.
async fn round(site: &Site) -> Slug {
    let authority = Authority::open(site.folder.path(), &slug("river")).unwrap();
    let now = Clock::System.now();
    let dictionary = hospital::dictionary();
    dictionary::publish(&site.state, &authority, dictionary, now)
        .await
        .unwrap();
    let latest = dictionary::latest(&site.state, &authority).await.unwrap();
    let rules = Privacy::parse(rules::DEFAULT).unwrap();
    let templates = template::load(None).unwrap();
    let template = &templates[&slug("monthly-benchmark")];
    let period = "2025-03".parse().unwrap();
    let draft = template.draft(&latest.unwrap().dictionary, rules.digest().unwrap(), period);
    let draft = draft.unwrap();
    let round = Round {
        id: template.id.clone(),
        template: Some(template.reference()),
        purpose: template.purpose,
        question: draft.question,
        roster: ["a", "b", "c"].map(slug).to_vec(),
        min_answers: 3,
        opened: now,
        deadline: Timestamp(now.0 + 3600),
    };
    let drawn = Drawn {
        charge: round.question.rho().unwrap(),
        round,
        before: Vec::new(),
        left_out: Vec::new(),
    };
    let by = slug("wang");
    let held = ask::begin_by(&site.state, &authority, drawn, Some(&by)).await;
    held.unwrap().round.id
}

/// Opens the year 2026 with one member.
async fn opened(site: &Site) {
    let new = || Signer::generate().unwrap().0;
    let (one, other) = (new(), new());
    for (name, signer) in [("wang-fang", &one), ("chen-jie", &other)] {
        let officer = Officer {
            organisation: slug("river"),
            name: slug(name),
            role: Role::Administrator,
            key: signer.public(),
        };
        administrators::add(&site.state, &officer, &[], Timestamp(0))
            .await
            .unwrap();
    }
    let rules = Rules::read(|_| None).unwrap();
    let parties = rules.year.parties().into_iter().cloned();
    let says = Says::Open {
        target: Fen(1_000_000),
        rules: rules.digest().unwrap(),
        members: [(slug("a"), new().public())].into(),
        parties: parties.map(|name| (name, new().public())).collect(),
    };
    let statement = Statement {
        alliance: slug("river"),
        year: 2026,
        by: slug("wang-fang"),
        at: Timestamp(1),
        says,
    };
    let sealed = Sealed::seal(&one, &statement).unwrap();
    year::open(&site.state, &slug("river"), &rules, &sealed, Timestamp(1))
        .await
        .unwrap();
}

#[tokio::test]
async fn every_route_with_names_that_exist() {
    coordinator_tls();
    let site = Site::open().await;
    let id = round(&site).await;
    opened(&site).await;
    let wang = site.sign_in("wang", PASSWORD, "").await.1.unwrap();
    let li = site.sign_in("li", PASSWORD, "").await.1.unwrap();
    let mut seen = 0;
    for route in ROUTES.iter().filter(|route| route.path.contains('{')) {
        let path = route.path.replace("{id}", id.as_str());
        let path = path.replace("{year}", "2026");
        let both = match route.path {
            "/rounds/{id}" | "/rounds/{id}/live" | "/years/{year}" | "/years/{year}/execution" => {
                200
            }
            // Not closed, not pooled, nothing proposed yet.
            _ => 404,
        };
        let found = [
            site.status(route.method, &path, "").await,
            site.status(route.method, &path, &li).await,
            site.status(route.method, &path, &wang).await,
        ];
        let expected = match (route.method, route.path) {
            // Without its token no form is taken, whoever sends it.
            ("POST", _) => [303, 403, 403],
            // Administrators propose.
            (_, "/years/{year}/propose") => [303, 403, 200],
            _ => [303, both, both],
        };
        assert_eq!(found, expected, "{} {path}", route.method);
        seen += usize::from(both == 200);
    }
    assert_eq!(seen, 4);
    let entry: String =
        sqlx::query_scalar("select entry from log where entry like '%\"by\"%round%'")
            .fetch_one(site.state.pool())
            .await
            .unwrap();
    assert!(entry.contains("\"by\":\"wang\""), "{entry}");
}

/// A generator of its own: the same texts in every run.
struct Texts(u64);

impl Texts {
    fn next(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    /// An encoded value: what a field expects, what it does not, or bytes that are no text.
    fn value(&mut self) -> String {
        const KNOWN: [&str; 22] = [
            "monthly-benchmark",
            "yearly-alliance",
            "audit-signals",
            "2025",
            "2025-03",
            "2025-01..2025-06",
            "2025-13",
            "9999",
            "0000-01..2199-12",
            "168",
            "-1",
            "0",
            "4294967296",
            "0.3",
            "1e309",
            "1%2F0",
            "%00",
            "%ff%fe",
            "%3Cscript%3E",
            "..%2F..%2Fx",
            "%E5%8C%BB%E9%99%A2",
            "",
        ];
        match self.next(4) {
            0 => (0..self.next(200))
                .map(|_| format!("%{:02X}", self.next(256)))
                .collect(),
            _ => KNOWN[usize::try_from(self.next(22)).unwrap()].to_owned(),
        }
    }
}

#[tokio::test]
async fn no_form_and_no_parameter_breaks_a_page() {
    const NAMES: [&str; 16] = [
        "template",
        "period",
        "hours",
        "least",
        "seen",
        "q",
        "sort",
        "split",
        "from",
        "until",
        "group",
        "csv",
        "xlsx",
        "alpha",
        "w-served-population",
        "pooled",
    ];
    coordinator_tls();
    let site = Site::open().await;
    let id = round(&site).await;
    opened(&site).await;
    let wang = site.sign_in("wang", PASSWORD, "").await.1.unwrap();
    let page = site.browser().get(format!("{}/log", site.url));
    let page = page.header("cookie", &wang).send().await.unwrap();
    let html = page.text().await.unwrap();
    let token = html.split("name=\"token\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap().to_owned();
    let browser = site.browser();
    let mut texts = Texts(7);
    let mut taken = 0;
    for turn in 0..240 {
        let pairs: Vec<String> = (0..texts.next(8))
            .map(|_| {
                let name = NAMES[usize::try_from(texts.next(16)).unwrap()];
                format!("{name}={}", texts.value())
            })
            .collect();
        let fields = pairs.join("&");
        let places = ["/rounds/new", "/rounds", "/", "/years/2026", "/log"];
        let path = places[usize::try_from(texts.next(5)).unwrap()];
        let asked = browser.get(format!("{}{path}?{fields}", site.url));
        let status = asked.header("cookie", &wang).send().await.unwrap().status();
        assert!(
            status.as_u16() < 500,
            "{turn}: {status} GET {path}?{fields}"
        );
        let path = ["/rounds/new", "/log/verify"][usize::from(turn % 8 == 0)];
        let sent = browser
            .post(format!("{}{path}", site.url))
            .header("cookie", &wang);
        let answer = sent
            .body(format!("token={token}&{fields}"))
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        assert!(
            status < 500 && status != 403,
            "{turn}: {status} POST {path} {fields}"
        );
        taken += usize::from(status == 303);
    }
    // Nothing was sent that nobody had seen.
    assert_eq!(taken, 0);
    let rounds: i64 = sqlx::query_scalar("select count(*) from rounds")
        .fetch_one(site.state.pool())
        .await
        .unwrap();
    assert_eq!(rounds, 1, "only {id}");
}
