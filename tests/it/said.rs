//! A plan on the alliance's pages: from its forecast over an objection to the signed letter. Who is signed in
//! speaks there under the own key; everybody else speaks by command, wherever keys lie.

use std::collections::BTreeMap;

use coordinator::accounts::{self, Account};
use coordinator::administrators;
use coordinator::store::private;
use coordinator::year::{self, YearError};
use policies::year::{Rules, Stage};
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::officer::{Officer, Role};
use schemas::seal::{PublicKey, Sealed, Signer};
use schemas::year::{Matter, Says, Statement};

use crate::pages::{PASSWORD, Site, coordinator_tls};
use crate::year::{MEMBERS, PARTIES, PLAN, YEAR};

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

struct Told<'a> {
    site: &'a Site,
    keys: BTreeMap<Slug, Signer>,
    cookie: String,
}

impl Told<'_> {
    fn sealed(&self, by: &str, says: Says) -> Sealed<Statement> {
        let statement = Statement {
            alliance: slug("river"),
            year: YEAR,
            by: slug(by),
            at: self.site.clock.now(),
            says,
        };
        Sealed::seal(&self.keys[&slug(by)], &statement).unwrap()
    }

    fn public(&self, names: &[&str]) -> BTreeMap<Slug, PublicKey> {
        let of = |name: &&str| (slug(name), self.keys[&slug(name)].public());
        names.iter().map(of).collect()
    }

    /// Says it elsewhere, as members and parties do.
    async fn take(&self, by: &str, says: Says) -> Result<(), YearError> {
        let sealed = self.sealed(by, says);
        let (river, now) = (slug("river"), self.site.clock.now());
        year::take(&self.site.state, (&river, YEAR), &sealed, now)
            .await
            .map(drop)
    }

    async fn page(&self, path: &str) -> String {
        let asked = self.site.browser().get(format!("{}{path}", self.site.url));
        let answer = asked.header("cookie", &self.cookie).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        answer.text().await.unwrap()
    }

    /// Sends a form of a page; where it leads, or why it leads nowhere.
    async fn post(&self, path: &str, fields: &str) -> String {
        let seen = self.page("/").await;
        let token = crate::visits::token(&seen).unwrap();
        let body = format!("token={token}&{fields}");
        let asked = self.site.browser().post(format!("{}{path}", self.site.url));
        let asked = asked.header("cookie", &self.cookie).body(body);
        let answer = asked.send().await.unwrap();
        match answer.headers().get("location") {
            Some(to) => to.to_str().unwrap().to_owned(),
            None => answer.status().as_u16().to_string(),
        }
    }

    async fn say(&self, fields: &str) -> String {
        let password = crate::visits::plus(PASSWORD);
        let fields = format!("{fields}&password={password}");
        self.post("/years/2026/say", &fields).await
    }
}

/// The alliance with its year opened; keys of the administrators and of all parties lie in its folder.
async fn opened(site: &Site) -> Told<'_> {
    let data = site.folder.path();
    let mut keys = BTreeMap::new();
    for name in MEMBERS.iter().chain(&PARTIES).chain(&["wang", "chen"]) {
        let (key, bytes) = Signer::generate().unwrap();
        let kind = if ["wang", "chen"].contains(name) {
            "administrator"
        } else {
            "party"
        };
        private::write_new(&data.join(format!("{kind}-{name}.pk8")), &bytes).unwrap();
        keys.insert(slug(name), key);
    }
    let account = Account {
        name: slug("chen"),
        role: Role::Administrator,
        changed: site.clock.now(),
    };
    accounts::set(&site.state, &account, PASSWORD, (&slug("river"), true))
        .await
        .unwrap();
    for name in ["wang", "chen"] {
        let officer = Officer {
            organisation: slug("river"),
            name: slug(name),
            role: Role::Administrator,
            key: keys[&slug(name)].public(),
        };
        administrators::add(&site.state, &officer, &[], site.clock.now())
            .await
            .unwrap();
    }
    let cookie = site.sign_in("wang", PASSWORD, "").await.1.unwrap();
    let told = Told { site, keys, cookie };
    let rules = Rules::read(|_| None).unwrap();
    let says = Says::Open {
        target: Fen(100_000_000_000),
        rules: rules.digest().unwrap(),
        members: told.public(&MEMBERS),
        parties: told.public(&PARTIES),
    };
    let sealed = told.sealed("wang", says);
    let (river, now) = (slug("river"), site.clock.now());
    year::open(&site.state, &river, &rules, &sealed, now)
        .await
        .unwrap();
    told
}

#[tokio::test]
async fn a_plan_goes_from_its_forecast_to_the_signed_letter() {
    coordinator_tls();
    let site = Site::open().await;
    let told = opened(&site).await;
    let to = "/years/2026";
    let wrong = told
        .post("/years/2026/say", "word=invite&password=wrong")
        .await;
    assert_eq!(wrong, "/years/2026?refused=password");
    assert_eq!(told.say("word=review").await, "/years/2026?refused=stage");
    // Chen's key lies here too, and wang is who speaks.
    assert_eq!(
        told.say("word=invite&speaker=chen").await,
        format!("{to}?done=invite")
    );
    let river = slug("river");
    let kept = year::published(site.state.pool(), &river, YEAR)
        .await
        .unwrap();
    let said = &kept.statements.last().unwrap().statement;
    assert_eq!(
        said.open(&told.keys[&slug("wang")].public()).unwrap().by,
        slug("wang")
    );
    assert_eq!(told.say("word=review").await, format!("{to}?done=review"));
    let inputs = site.folder.path().join("inputs");
    std::fs::create_dir(&inputs).unwrap();
    std::fs::write(inputs.join("plan.json"), PLAN).unwrap();
    let page = told
        .page("/years/2026/propose?file=plan.json&lang=en")
        .await;
    assert!(page.contains("52,000") && page.contains("id=\"split\"") && !page.contains('⟦'));
    let seen = page.split("name=\"seen\" value=\"").nth(1).unwrap();
    let seen = seen.split('"').next().unwrap().to_owned();
    let propose = async |seen: &str, why: &str| {
        let password = crate::visits::plus(PASSWORD);
        let fields = format!("file=plan.json&seen={seen}&why={why}&password={password}");
        told.post("/years/2026/propose", &fields).await
    };
    assert_eq!(
        propose("x", "agreed").await,
        "/years/2026/propose?refused=unseen"
    );
    // It takes 7.00 from a member that owes nothing.
    assert_eq!(propose(&seen, "").await, "/years/2026/propose?refused=owed");
    assert_eq!(propose(&seen, "agreed").await, format!("{to}?done=propose"));
    let result = seen.parse().unwrap();
    let matter = Matter::Plan;
    let why = "an old count".to_owned();
    let object = Says::Object {
        matter,
        result,
        why,
    };
    told.take("a", object).await.unwrap();
    for member in ["b", "c", "d"] {
        let says = Says::Accept { matter, result };
        told.take(member, says).await.unwrap();
    }
    // The page names who signs and the command, and signs for nobody.
    let page = told.page("/years/2026?lang=en").await;
    assert!(page.contains(&format!("--as grassroots --key FILE sign plan {seen}")));
    assert!(!page.contains("name=\"speaker\"") && !page.contains('⟦'));
    let sign = format!("word=sign&matter=plan&result={seen}&speaker=insurer");
    assert_eq!(told.say(&sign).await, "400");
    // Who proposed a result answers nothing that is said against it: another administrator does.
    let answer = format!("word=answer&matter=plan&result={seen}&member=a&upheld=no&why=no");
    for speaker in ["", "&speaker=chen", "&speaker=insurer"] {
        let to = format!("{to}?refused=own");
        assert_eq!(told.say(&format!("{answer}{speaker}")).await, to);
    }
    let chen = site.sign_in("chen", PASSWORD, "").await.1.unwrap();
    let other = Told {
        cookie: chen,
        ..told
    };
    assert_eq!(other.say(&answer).await, format!("{to}?done=answer"));
    let told = other;
    for party in ["insurer", "lead-hospital", "members", "grassroots"] {
        let says = Says::Sign { matter, result };
        told.take(party, says).await.unwrap();
    }
    let page = told.page("/years/2026?lang=en").await;
    assert!(page.contains(&format!("--as patients --key FILE sign plan {seen}")));
    assert_eq!(told.say(&sign).await, "400");
    let says = Says::Sign { matter, result };
    told.take("patients", says).await.unwrap();
    let of = year::read(&site.state, &river, YEAR).await.unwrap();
    assert_eq!(of.stage, Stage::InForce);
    assert!(told.page("/years/2026/letter").await.contains("insurer"));
    // Every signature holds, of words said on pages and by command alike.
    let kept = year::published(site.state.pool(), &river, YEAR)
        .await
        .unwrap();
    assert!(kept.verify().is_ok());
}
