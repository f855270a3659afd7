//! The whole way of a question: it arrives, the steward reads it and decides on the page, the answer goes out.

use node::access;
use node::answer::{Spoken, answer_round};
use node::steward::{self, LetterState};
use schemas::digest::Digest;
use schemas::officer::Departure;
use schemas::outcome::Reason;
use schemas::question::{Purpose, Question};
use schemas::round::Round;
use schemas::seal::{Sealed, Signer};
use schemas::time::Timestamp;
use tests::officers;

use super::{PASSWORD, Site, lines, plus, signed};
use crate::hospital::{NOW, question, shipped};

pub(super) fn round(id: &str, question: Question, opened: Timestamp) -> (Round, Digest) {
    let round = Round {
        id: id.parse().unwrap(),
        template: None,
        purpose: Purpose::Benchmark,
        question,
        roster: vec!["h1".parse().unwrap()],
        min_answers: 1,
        opened,
        deadline: Timestamp(opened.0 + 7 * 86_400),
    };
    let sealed = Sealed::seal(&Signer::generate().unwrap().0, &round).unwrap();
    let digest = sealed.digest().unwrap();
    (round, digest)
}

/// A site at which a cheap free question waits.
async fn waiting() -> (Site, Round, Digest) {
    let site = Site::open().await;
    site.hospital.hold(&lines()).await;
    let app = site.hospital.app().await;
    let asked = question(
        &app,
        "2025",
        "bounds = { groups = 3, stays = 1 }\n[[tables]]\nby = [\"sex\"]\n\
         blocks = [{ measure = { kind = \"sum\", field = \"cost\" }, rho = \"0.02\" },\
         { measure = { kind = \"count\" }, rho = \"0.01\" }]",
    );
    let (round, digest) = round("r1", asked, NOW);
    let said = answer_round(&app, &round, digest).await.unwrap();
    assert_eq!(said, Spoken::Waits);
    (site, round, digest)
}

async fn said(site: &Site, round: &Round, digest: Digest) -> Spoken {
    let app = site.hospital.app().await;
    answer_round(&app, round, digest).await.unwrap()
}

async fn kinds(site: &Site) -> Vec<String> {
    let log = site.hospital.state.log().await.unwrap();
    schemas::entry::verify_chain(&log).unwrap();
    log.iter().map(|entry| entry.kind.to_string()).collect()
}

async fn state(site: &Site, digest: Digest) -> LetterState {
    let found = steward::find(&site.hospital.state, &digest.to_string()).await;
    found.unwrap().unwrap().state
}

#[tokio::test]
async fn a_question_is_read_approved_and_answered() {
    let (site, round, digest) = waiting().await;
    let li = site.cookie_of("li-hua").await;
    let inbox = site.get("/inbox?lang=en", &li).await.text;
    assert!(inbox.contains("r1") && inbox.contains("waits for the steward"));
    let to = format!("/inbox/{digest}");
    let page = site.get(&format!("{to}?lang=en"), &li).await.text;
    for told in [
        "Inpatient stays settled from 2025-01 to 2025-12.",
        "administrators of the alliance river",
        "The noised numbers leave under this hospital&#39;s name",
        "ρ 0.03",
        "Similar past questions",
        "Approve once",
    ] {
        assert!(page.contains(told), "{told} in {page}");
    }
    let chinese = site.get(&format!("{to}?lang=zh-CN"), &li).await.text;
    assert!(chinese.contains("结算的住院病例") && chinese.contains("单次批准"));
    // The wrong password, and a second officer with the right one.
    let approve = format!("{to}/approve");
    let page = site.post(&approve, &li, "hold=no&password=wrong").await;
    assert_eq!(page.to, format!("{to}?refused=password"));
    let zhao = site.cookie_of("zhao-min").await;
    assert_eq!(site.get(&to, &zhao).await.status, 200);
    assert_eq!(
        site.post(&approve, &zhao, &signed("hold=no")).await.status,
        403
    );
    assert_eq!(said(&site, &round, digest).await, Spoken::Waits);

    let page = site.post(&approve, &li, &signed("hold=no")).await;
    assert_eq!((page.status, page.to), (303, format!("{to}?done=approve")));
    assert!(kinds(&site).await.contains(&"approve".to_owned()));
    let Spoken::Answered(_) = said(&site, &round, digest).await else {
        panic!("not answered");
    };
    assert_eq!(site.hospital.spent("all").await, 30_000_000);
    let ledger = site.get("/ledger?lang=en", &li).await.text;
    assert!(ledger.contains("0.03") && ledger.contains("<svg") && ledger.contains(&to));
    // Approving twice decides nothing.
    let page = site.post(&approve, &li, &signed("hold=no")).await;
    assert_eq!(page.to, format!("{to}?refused=decided"));
}

#[tokio::test]
async fn a_question_is_refused_and_the_reason_stays_here() {
    let (site, round, digest) = waiting().await;
    let li = site.cookie_of("li-hua").await;
    let to = format!("/inbox/{digest}");
    let refuse = format!("{to}/refuse");
    let page = site.post(&refuse, &li, &signed("reason=")).await;
    assert_eq!(page.to, format!("{to}?refused=reason"));
    assert_eq!(state(&site, digest).await, LetterState::Pending);
    let page = site
        .post(&refuse, &li, &signed("reason=not+agreed+here"))
        .await;
    assert_eq!(page.to, format!("{to}?done=refuse"));
    let declined = Spoken::Declined(Reason::Declined);
    assert_eq!(said(&site, &round, digest).await, declined);
    assert_eq!(site.hospital.spent("all").await, 0);
    assert!(site.get(&to, &li).await.text.contains("not agreed here"));
    let log = site.hospital.state.log().await.unwrap();
    assert!(!format!("{log:?}").contains("not agreed here"));
}

#[tokio::test]
async fn an_answer_is_held_seen_and_let_go() {
    let (site, round, digest) = waiting().await;
    let li = site.cookie_of("li-hua").await;
    let to = format!("/inbox/{digest}");
    site.post(&format!("{to}/approve"), &li, &signed("hold=yes"))
        .await;
    assert_eq!(said(&site, &round, digest).await, Spoken::Waits);
    assert_eq!(state(&site, digest).await, LetterState::Held);
    let page = site.get(&format!("{to}?lang=en"), &li).await.text;
    assert!(page.contains("The answer, as it would leave") && page.contains("id=\"held\""));
    let page = site.post(&format!("{to}/release"), &li, &signed("")).await;
    assert_eq!(page.to, format!("{to}?done=release"));
    assert!(matches!(
        said(&site, &round, digest).await,
        Spoken::Answered(_)
    ));
}

#[tokio::test]
async fn a_standing_rule_and_the_lock_are_the_commands() {
    let (site, round, digest) = waiting().await;
    let li = site.cookie_of("li-hua").await;
    let app = site.hospital.app().await;
    let reference = shipped(&app, "yearly-benchmark", "2025").1.reference();
    let fields = format!("template={reference}&purpose=&until=2026-01-14");
    let page = site.post("/standing/add", &li, &signed(&fields)).await;
    assert_eq!(page.to, "/standing?refused=day");
    let fields = format!("template={reference}&purpose=benchmark&until=2026-12-31");
    let page = site.post("/standing/add", &li, &signed(&fields)).await;
    assert_eq!(page.to, "/standing?done=standing");
    let page = site.get("/standing?lang=en", &li).await.text;
    assert!(page.contains("2026-12-31 23:59") && page.contains(&reference.to_string()));
    let page = site
        .post(
            "/standing/add",
            &li,
            &signed("template=other%401&until=2026-12-31"),
        )
        .await;
    assert_eq!(page.to, "/standing?refused=no-template");
    let fields = format!("template={reference}");
    let page = site.post("/standing/remove", &li, &signed(&fields)).await;
    assert_eq!(page.to, "/standing?done=standing-end");
    let page = site.post("/lock", &li, &signed("")).await;
    assert_eq!(page.to, "/inbox?done=lock");
    let declined = Spoken::Declined(Reason::Declined);
    assert_eq!(said(&site, &round, digest).await, declined);
    site.post("/unlock", &li, &signed("")).await;
    let told = kinds(&site).await;
    for kind in ["standing", "standing-end", "lock", "unlock"] {
        assert!(told.contains(&kind.to_owned()), "{kind}");
    }
}

#[tokio::test]
async fn a_month_is_released_on_its_page_by_the_steward() {
    let site = Site::open().await;
    let bytes = crate::hospital::file(&lines());
    let summary = site.hospital.load_bytes(&bytes).await.unwrap();
    let load = summary.load.unwrap();
    let (li, wu) = (
        site.cookie_of("li-hua").await,
        site.cookie_of("wu-jun").await,
    );
    let path = format!("/months/{load}/2025-01?lang=en");
    let page = site.get(&path, &li).await.text;
    assert!(page.contains("Release this month") && page.contains("De-identification"));
    let page = site.get(&path, &wu).await.text;
    assert!(!page.contains("Release this month"));
    let fields = signed("month=2025-01&step=released&grade_d=yes");
    assert_eq!(site.post("/months/step", &wu, &fields).await.status, 403);
    let page = site.post("/months/step", &li, &fields).await;
    assert_eq!(page.to, "/months?done=released");
    let months = node::release::months(&site.hospital.state).await.unwrap();
    let released: Vec<_> = months.iter().filter(|one| one.release.is_some()).collect();
    assert_eq!(released.len(), 1);
    let log = site.hospital.state.log().await.unwrap();
    let last = log
        .iter()
        .rfind(|one| one.kind.as_str() == "release")
        .unwrap();
    assert!(last.detail.iter().any(|(_, value)| value == "li-hua"));
    let page = site.post("/months/step", &li, &fields).await;
    assert_eq!(page.to, "/months?refused=nothing-waits");
}

#[tokio::test]
async fn whoever_leaves_is_signed_out_and_foreign_hosts_and_forms_are_turned_away() {
    let (site, _, digest) = waiting().await;
    let (li, zhao) = (
        site.cookie_of("li-hua").await,
        site.cookie_of("zhao-min").await,
    );
    let browser = site.browser();
    for (host, status) in [("evil.example", 421), ("costs.hospital.example", 200)] {
        let asked = browser.get(format!("{}/", site.url)).header("host", host);
        let answer = asked.header("cookie", &li).send().await.unwrap();
        assert_eq!(answer.status(), status, "{host}");
    }
    let page = site.get("/", &li).await;
    let token = super::token(&page.text).unwrap();
    for (name, value) in [
        ("origin", "http://evil.example"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let sent = browser
            .post(format!("{}/lock", site.url))
            .header("cookie", &li)
            .header(name, value)
            .body(format!("token={token}&password={}", plus(PASSWORD)));
        assert_eq!(sent.send().await.unwrap().status(), 403, "{name}");
    }
    // Another session's token is none.
    let body = format!("token={token}&password={}", plus(PASSWORD));
    assert_eq!(site.raw("/log/verify", &zhao, body).await.status, 403);
    assert!(site.sign_in("li-hua", "wrong").await.is_none());
    assert!(site.sign_in("nobody", PASSWORD).await.is_none());

    let hospital = &site.hospital;
    let names = [("wu-li", "steward"), ("he-ping", "security_officer")];
    for (name, role) in names {
        add(hospital, name, role).await;
    }
    let by = ["zhao-min", "wu-li"].map(|name| officers::key(&hospital.config.data, name));
    let departure = Departure {
        organisation: hospital.config.hospital.clone(),
        name: "li-hua".parse().unwrap(),
        at: NOW,
    };
    access::remove(&hospital.state, &departure, &by)
        .await
        .unwrap();
    assert_eq!(site.get(&format!("/inbox/{digest}"), &li).await.status, 303);
    assert!(site.sign_in("li-hua", PASSWORD).await.is_none());
    assert_eq!(
        site.get(&format!("/inbox/{digest}"), &zhao).await.status,
        200
    );
}

async fn add(hospital: &crate::hospital::Hospital, name: &str, role: &str) {
    use node::config::keys::Keys;
    use schemas::officer::Officer;
    let keys = Keys::open(&hospital.config.data).unwrap();
    let name = name.parse().unwrap();
    let key = keys.make_officer_key(&keys.officer_path(&name)).unwrap();
    let officer = Officer {
        organisation: hospital.config.hospital.clone(),
        name,
        role: role.parse().unwrap(),
        key: key.public(),
    };
    let by = ["li-hua", "zhao-min"].map(|name| officers::key(&hospital.config.data, name));
    access::add(&hospital.state, &officer, &by, NOW)
        .await
        .unwrap();
}
