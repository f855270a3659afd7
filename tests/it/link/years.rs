//! A budget year over the wire: members fetch it whole and say what they have to say themselves.

use std::collections::BTreeMap;

use coordinator::administrators;
use coordinator::year::{self, YearError};
use node::link::{Heard, Link};
use policies::year::{Fault, Published, Rules, Stage};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::officer::{Officer, Role};
use schemas::seal::{PublicKey, Sealed, Signer};
use schemas::year::{Matter, Says, Statement};

use super::roles::member as member_of;
use super::{Alliance, Node, slug};

const YEAR: u16 = 2026;

fn sealed(signer: &Signer, by: &str, alliance: &Alliance, says: Says) -> Sealed<Statement> {
    let statement = Statement {
        alliance: slug("river"),
        year: YEAR,
        by: slug(by),
        at: alliance.clock.now(),
        says,
    };
    Sealed::seal(signer, &statement).unwrap()
}

/// Two administrators, and a year of one member that one of them opened.
async fn opened(
    alliance: &Alliance,
    member: &Node,
    insurer: Option<&Node>,
) -> (BTreeMap<Slug, Signer>, BTreeMap<Slug, Signer>) {
    let new = || Signer::generate().unwrap().0;
    let offices: BTreeMap<Slug, Signer> = ["wang-fang", "chen-jie"]
        .map(|name| (slug(name), new()))
        .into();
    for (name, signer) in &offices {
        let officer = Officer {
            organisation: slug("river"),
            name: name.clone(),
            role: Role::Administrator,
            key: signer.public(),
        };
        administrators::add(&alliance.state, &officer, &[], alliance.clock.now())
            .await
            .unwrap();
    }
    let rules = Rules::read(|_| None).unwrap();
    let parties = rules.year.parties().into_iter().cloned();
    let signers: BTreeMap<Slug, Signer> = parties.map(|name| (name, new())).collect();
    let keys = signers.iter();
    let mut parties: BTreeMap<Slug, PublicKey> = keys
        .map(|(name, signer)| (name.clone(), signer.public()))
        .collect();
    if let Some(insurer) = insurer {
        parties.insert(slug("insurer"), insurer.signer.public());
    }
    let says = Says::Open {
        target: Fen(1_000_000),
        rules: rules.digest().unwrap(),
        members: [(member.hospital.clone(), member.signer.public())].into(),
        parties,
    };
    let sealed = sealed(&offices[&slug("wang-fang")], "wang-fang", alliance, says);
    let now = alliance.clock.now();
    year::open(&alliance.state, &slug("river"), &rules, &sealed, now)
        .await
        .unwrap();
    (offices, signers)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_says_what_it_has_to_say_and_fetches_the_whole() {
    let alliance = Alliance::found().await;
    let (member, other) = (alliance.joined("h1").await, alliance.joined("h2").await);
    let (offices, _) = opened(&alliance, &member, None).await;
    let link = |node: &Node| -> Link { node.link() };
    let apply = |amount: i64| Says::Apply {
        amount: Fen(amount),
        purpose: "stroke unit".into(),
        expected: "fewer transfers".into(),
    };
    let own = |says| sealed(&member.signer, "h1", &alliance, says);

    // Too early; then taken once; what a stranger to the year says is refused, under either name.
    let early = link(&member).speak(&own(apply(1)), YEAR).await.unwrap();
    let Heard::Refused(why) = early else {
        panic!("taken too early")
    };
    assert!(why.contains("target set"), "{why}");
    let invite = sealed(
        &offices[&slug("wang-fang")],
        "wang-fang",
        &alliance,
        Says::Invite,
    );
    let now = alliance.clock.now();
    year::take(&alliance.state, (&slug("river"), YEAR), &invite, now)
        .await
        .unwrap();
    let said = own(apply(2));
    assert_eq!(
        link(&member).speak(&said, YEAR).await.unwrap(),
        Heard::Taken
    );
    let again = link(&member).speak(&said, YEAR).await.unwrap();
    assert!(matches!(again, Heard::Refused(_)));
    for by in ["h1", "h2"] {
        let foreign = sealed(&other.signer, by, &alliance, apply(3));
        let refused = link(&other).speak(&foreign, YEAR).await.unwrap();
        assert!(matches!(refused, Heard::Refused(_)), "{by}");
    }
    let unknown = link(&member).speak(&said, 2031).await.unwrap();
    assert!(matches!(unknown, Heard::Refused(_)));

    // Who takes part fetches it and checks it; of the others each knows that there is a year.
    assert!(link(&other).year(YEAR).await.is_err());
    let bytes = link(&member).year(YEAR).await.unwrap();
    let published: Published = serde_json::from_slice(&bytes).unwrap();
    let stands = published.verify().unwrap();
    assert_eq!(stands.stage, Stage::Applications);
    assert_eq!(stands.applications[&slug("h1")].amount, Fen(2));
    let list: serde_json::Value =
        serde_json::from_slice(&link(&other).years().await.unwrap()).unwrap();
    assert_eq!(list[0]["year"], YEAR);
    assert_eq!(list[0]["stage"], "applications");
    assert!(link(&member).year(2031).await.is_err());
    // All of it is in the log as it was taken, and a file that lacks something is told from it.
    let log = alliance.state.log().await.unwrap();
    let end = log.last().unwrap().sequence;
    assert_eq!(published.logged(&log, end).unwrap().unwitnessed, 0);
    assert_eq!(published.logged(&log, 0).unwrap().unwitnessed, 3);
    let told = published.logged(&log, end - 1).unwrap().to_string();
    assert!(told.contains("the last 1 of them"), "{told}");
    let mut less = published.clone();
    less.statements.pop();
    assert_eq!(less.logged(&log, end), Err(Fault::FileEnds(2)));
    // A log of before, and one of another organisation, say what they are.
    let before = &log[..log.len() - 1];
    assert_eq!(published.logged(before, end), Err(Fault::LogEnds(2)));
    assert_eq!(published.logged(&[], end), Err(Fault::OtherLog));
    let mut late = published.clone();
    late.statements[1].taken.0 += 1;
    assert_eq!(late.logged(&log, end), Err(Fault::Log(2)));
    // Nor do its administrators stand on the file's word alone.
    let mut made_up = published.clone();
    let (stranger, _) = Signer::generate().unwrap();
    let administrators = &mut made_up.statements[0].administrators;
    administrators.insert(slug("nobody"), stranger.public());
    assert_eq!(made_up.logged(&log, end), Err(Fault::Administrators(1)));
    let mut fewer = published.clone();
    fewer.statements[2].administrators.pop_first();
    assert_eq!(fewer.logged(&log, end), Err(Fault::Administrators(3)));
    // Nor its members': h1 joined with this key, not with another, and was not made up.
    let of_h1 = |entry: &schemas::entry::Entry| {
        entry.kind.as_str() == "join" && entry.detail[&slug("hospital")] == "h1"
    };
    let mut others = log.clone();
    let place = others.iter().position(of_h1).unwrap();
    let fingerprint = stranger.public().fingerprint().to_string();
    others[place]
        .detail
        .insert(slug("message-key"), fingerprint);
    let unknown_key = || Err(Fault::Member(1, slug("h1")));
    assert_eq!(published.logged(&others, end), unknown_key());
    others.remove(place);
    assert_eq!(published.logged(&others, end), unknown_key());

    // A proposal of what is not kept stops nothing.
    let review = sealed(
        &offices[&slug("wang-fang")],
        "wang-fang",
        &alliance,
        Says::Review,
    );
    let now = alliance.clock.now();
    let about = (&slug("river"), YEAR);
    year::take(&alliance.state, about, &review, now)
        .await
        .unwrap();
    let says = Says::Propose {
        matter: Matter::Plan,
        result: Digest::of("result", &[b"none"]),
        why: String::new(),
    };
    let none = sealed(&offices[&slug("wang-fang")], "wang-fang", &alliance, says);
    let refused = year::take(&alliance.state, about, &none, now).await;
    assert!(matches!(refused, Err(YearError::NoResult)));
    let refused = link(&member).speak(&none, YEAR).await.unwrap();
    assert!(matches!(refused, Heard::Refused(_)));

    // Nothing of what was refused is in the log: opening, invitation, application, review.
    let log = alliance.state.log().await.unwrap();
    assert_eq!(
        log.iter()
            .filter(|entry| entry.kind.as_str() == "year")
            .count(),
        4
    );
    let unknown = year::read(&alliance.state, &slug("river"), 2031).await;
    assert!(matches!(unknown, Err(YearError::Unknown(2031))));
    alliance.end().await;
}

/// A party that is a member of the network reads the year and speaks in it, as its message key lets it.
#[tokio::test(flavor = "multi_thread")]
async fn a_party_of_the_network_speaks_over_the_wire() {
    let alliance = Alliance::found().await;
    let (member, insurer) = (alliance.joined("h1").await, alliance.joined("fund").await);
    let (offices, _) = opened(&alliance, &member, Some(&insurer)).await;
    let bytes = insurer.link().year(YEAR).await.unwrap();
    let published: Published = serde_json::from_slice(&bytes).unwrap();
    let stands = published.verify().unwrap();
    let own = stands.parties[&slug("insurer")];
    assert_eq!(own, insurer.signer.public());
    let said = async |by: &str, says: Says| {
        let sealed = sealed(&insurer.signer, by, &alliance, says);
        insurer.link().speak(&sealed, YEAR).await.unwrap()
    };
    let paid = || Says::Paid {
        member: slug("h1"),
        month: "2026-01".parse().unwrap(),
        amount: Fen(7),
        restates: false,
    };
    // It is heard as the insurer, under no other name, and only when the year is there for it.
    let Heard::Refused(why) = said("insurer", paid()).await else {
        panic!("paid before a plan")
    };
    assert!(why.contains("target set"), "{why}");
    for by in ["h1", "fund", "committee", "wang-fang"] {
        assert!(matches!(said(by, paid()).await, Heard::Refused(_)), "{by}");
    }
    let administrator = offices[&slug("wang-fang")].public();
    assert_ne!(administrator, own);
    alliance.end().await;
}

/// The plan of a year of one member.
const PLAN: &str = r#"{"year": 2026, "total": 1000000, "members": [{"id": "h1", "tier": "tertiary",
 "before": [900000], "factors": {"case-weighted-volume": {"value": "52000"}, "served-population": {"value": "180000"},
 "capability-score": {"value": "88"}, "chronic-managed": {"value": "4000"}}}]}"#;

/// A year that goes as far as the insurer's words about January and February.
async fn in_force(alliance: &Alliance, member: &Node) -> Digest {
    let (offices, parties) = opened(alliance, member, None).await;
    let (river, now) = (slug("river"), alliance.clock.now());
    let take = async |signer: &Signer, by: &str, says: Says| {
        let sealed = sealed(signer, by, alliance, says);
        year::take(&alliance.state, (&river, YEAR), &sealed, now)
            .await
            .unwrap();
    };
    let office = &offices[&slug("wang-fang")];
    take(office, "wang-fang", Says::Invite).await;
    take(office, "wang-fang", Says::Review).await;
    let seal = |computed: &policies::year::Computed, _| {
        let says = Says::Propose {
            matter: Matter::Plan,
            result: computed.digest().unwrap(),
            why: String::new(),
        };
        Ok(sealed(office, "wang-fang", alliance, says))
    };
    let about = (&river, YEAR);
    let proposed = year::propose(&alliance.state, about, (Matter::Plan, PLAN), seal, now).await;
    let result = proposed.unwrap().1.digest().unwrap();
    let matter = Matter::Plan;
    take(&member.signer, "h1", Says::Accept { matter, result }).await;
    for party in [
        "insurer",
        "lead-hospital",
        "members",
        "grassroots",
        "patients",
    ] {
        take(&parties[&slug(party)], party, Says::Sign { matter, result }).await;
    }
    for (month, fen) in [("2026-01", 100_000), ("2026-02", 800_000)] {
        let says = Says::Paid {
            member: slug("h1"),
            month: month.parse().unwrap(),
            amount: Fen(fen),
            restates: false,
        };
        take(&parties[&slug("insurer")], "insurer", says).await;
    }
    result
}

/// Execution, warnings and what-if for programs: figures that follow from plan and payments, and for nobody
/// who takes no part.
#[tokio::test(flavor = "multi_thread")]
async fn execution_warnings_and_what_if_are_for_those_who_take_part() {
    let alliance = Alliance::found().await;
    let (member, other) = (alliance.joined("h1").await, alliance.joined("h2").await);
    let result = in_force(&alliance, &member).await;
    let get = async |node: &Node, path: &str| {
        let url = format!("{}{path}", alliance.config.node_url);
        let reply = member_of(node).get(url).send().await.unwrap();
        let status = reply.status().as_u16();
        (status, reply.json::<serde_json::Value>().await.unwrap())
    };
    let (status, rows) = get(&member, "/v1/years/2026/execution/2").await;
    assert_eq!((status, rows.as_array().unwrap().len()), (200, 1));
    // 95 % of the target is distributed, and 900,000 of 950,000 fen are spent.
    assert_eq!(rows[0]["budget"], 950_000);
    assert_eq!(rows[0]["spent"], 900_000);
    assert_eq!(rows[0]["stands"]["spent"], "94.74");
    assert_eq!(rows[0]["stands"]["time"], "16.67");
    assert_eq!(
        get(&member, "/v1/years/2026/execution/1").await.1[0]["spent"],
        100_000
    );
    let (status, found) = get(&member, "/v1/years/2026/warnings/2").await;
    assert_eq!(status, 200);
    let levels: Vec<&str> = found
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["level"].as_str())
        .collect();
    assert_eq!(levels, ["blue"], "{found}");
    assert_eq!(
        get(&member, "/v1/years/2026/standing").await.1["stage"],
        "in_force"
    );
    for path in ["standing", "execution/2", "warnings/2", ""] {
        let path = format!("/v1/years/2026/{path}");
        let (status, told) = get(&other, path.trim_end_matches('/')).await;
        assert_eq!(status, 403, "{path}");
        assert!(!told.to_string().contains("950000"), "{path}");
    }
    for path in ["execution/0", "execution/13", "execution/x", "warnings/-1"] {
        assert_eq!(
            get(&member, &format!("/v1/years/2026/{path}")).await.0,
            404,
            "{path}"
        );
    }

    // What if: the same inputs give the plan that stands; others, another one; nothing is kept.
    let entries = alliance.state.log().await.unwrap().len();
    let ask = async |node: &Node, inputs: &str| {
        let body = serde_json::json!({"matter": "plan", "inputs": inputs}).to_string();
        let (link, path) = (node.link(), "/v1/years/2026/what-if");
        let signed = link.sign(path, body.into_bytes()).unwrap();
        let (status, body) = link.send(path, &signed).await.unwrap();
        (status.as_u16(), String::from_utf8(body).unwrap())
    };
    let (status, told) = ask(&member, PLAN).await;
    assert_eq!(status, 200);
    let same: policies::year::Computed = serde_json::from_str(&told).unwrap();
    assert_eq!(same.digest().unwrap(), result);
    let (status, told) = ask(&member, &PLAN.replace("1000000", "2000000")).await;
    assert!(status == 200 && told.contains("1900000"), "{told}");
    for (node, inputs, wanted) in [
        (&other, PLAN.to_owned(), 403),
        (&member, PLAN.replace("2026", "2025"), 422),
        (&member, "{".to_owned(), 422),
        (
            &member,
            PLAN.replace("\"year\"", "\"year\": 2026, \"year\""),
            422,
        ),
    ] {
        let (status, told) = ask(node, &inputs).await;
        assert_eq!(status, wanted, "{told}");
    }
    assert_eq!(alliance.state.log().await.unwrap().len(), entries);
    alliance.end().await;
}
