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
) -> BTreeMap<Slug, Signer> {
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
    let mut parties: BTreeMap<Slug, PublicKey> =
        parties.map(|name| (name, new().public())).collect();
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
    offices
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_says_what_it_has_to_say_and_fetches_the_whole() {
    let alliance = Alliance::found().await;
    let (member, other) = (alliance.joined("h1").await, alliance.joined("h2").await);
    let offices = opened(&alliance, &member, None).await;
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
    assert_eq!(less.logged(&log, end), Err(Fault::Log(3)));
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
    let offices = opened(&alliance, &member, Some(&insurer)).await;
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
