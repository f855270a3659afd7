//! Rule NODE-1 against a hostile coordinator: he holds the alliance's key, signs what he likes and
//! serves it past the checks of the real coordinator. The node is the real process.

use std::collections::BTreeMap;

use schemas::digest::Digest;
use schemas::entry::verify_chain;
use schemas::question::{Purpose, Question};
use schemas::round::{Round, TemplateRef};
use schemas::seal::Signer;
use schemas::time::Timestamp;
use sqlx::Row as _;

use crate::hospital::{Hospital, Line, question, shipped};
use crate::hub::{Hub, Running, round, until};

/// What the node said, by round: from its log.
async fn said(hospital: &Hospital) -> BTreeMap<String, String> {
    let log = hospital.state.log().await.unwrap();
    verify_chain(&log).unwrap();
    let replies = log.iter().filter(|entry| entry.kind.as_str() == "reply");
    let pair = |name: &str, entry: &schemas::entry::Entry| entry.detail[name].clone();
    replies
        .map(|entry| (pair("round", entry), pair("said", entry)))
        .collect()
}

fn claims(mut round: Round, template: &str, version: u32) -> Round {
    round.template = Some(TemplateRef {
        id: template.parse().unwrap(),
        version,
    });
    round
}

fn changed(question: &Question, change: impl Fn(&mut Question)) -> Question {
    let mut question = question.clone();
    change(&mut question);
    question.canonical()
}

async fn hospital() -> Hospital {
    let hospital = Hospital::new("h1").await;
    let lines: Vec<Line> = (0..60)
        .map(|n| {
            Line::new(
                &format!("P{n}"),
                &format!("S{n}"),
                1 + (n % 12) as u8,
                "JR19",
                9000,
            )
        })
        .collect();
    hospital.hold(&lines).await;
    hospital
}

#[tokio::test(flavor = "multi_thread")]
async fn rounds_that_the_policy_does_not_allow_cost_nothing() {
    let (hub, hospital) = (Hub::found().await, hospital().await);
    hub.join(&hospital).await;
    let app = hospital.app().await;
    let yearly = shipped(&app, "yearly-benchmark", "2025").0;
    let own = question(
        &app,
        "2025",
        "bounds = { groups = 3, stays = 1 }\n[[tables]]\nby = []\n\
         blocks = [{ measure = { kind = \"count\" }, rho = \"0.1\" }]",
    );
    let like =
        |id: &str, question: Question| claims(round(id, "h1", question), "yearly-benchmark", 2);
    let rho = |text: &str| text.parse().unwrap();
    let now = hospital_now();
    let day = 86_400;
    let hostile: Vec<(Round, &str)> = vec![
        (
            like("a-groups", changed(&yearly, |q| q.bounds.groups = 2)),
            "refused",
        ),
        (
            like(
                "a-rho",
                changed(&yearly, |q| q.tables[0].blocks[0].rho = rho("0.4")),
            ),
            "refused",
        ),
        (
            like(
                "a-filter",
                changed(&yearly, |q| {
                    q.filter
                        .insert("sex".parse().unwrap(), vec!["f".to_owned()]);
                }),
            ),
            "refused",
        ),
        (
            like("a-less", changed(&yearly, |q| drop(q.tables.pop()))),
            "refused",
        ),
        (like("a-other", own.clone()), "refused"),
        (round("b-free", "h1", own.clone()), "refused"),
        (round("b-bare", "h1", yearly.clone()), "refused"),
        (
            Round {
                purpose: Purpose::Audit,
                ..round("c-audit", "h1", own.clone())
            },
            "refused",
        ),
        (
            like(
                "d-rules",
                changed(&yearly, |q| q.rules = Digest::of("other", &[])),
            ),
            "refused",
        ),
        (
            like(
                "d-dictionary",
                changed(&yearly, |q| q.dictionary = Digest::of("other", &[])),
            ),
            "refused",
        ),
        (
            Round {
                opened: Timestamp(now.0 - 2 * day),
                deadline: Timestamp(now.0 - day),
                ..like("e-expired", yearly.clone())
            },
            "late",
        ),
        (
            like("g-k", changed(&yearly, |q| q.bounds.groups = 4)),
            "refused",
        ),
        (
            like("g-c", changed(&yearly, |q| q.bounds.stays = 2)),
            "refused",
        ),
        (
            claims(
                round("h-version", "h1", yearly.clone()),
                "yearly-benchmark",
                3,
            ),
            "refused",
        ),
        (
            claims(round("h-unknown", "h1", yearly.clone()), "everything", 2),
            "refused",
        ),
        (
            Round {
                opened: Timestamp(now.0 - day),
                deadline: Timestamp(now.0 + 60 * day),
                ..like("j-window", yearly.clone())
            },
            "refused",
        ),
    ];
    for (round, _) in &hostile {
        hub.put(round, "h1", hub.authority.signer()).await;
    }
    let mut elsewhere = like("f-roster", yearly.clone());
    elsewhere.roster = vec!["h2".parse().unwrap()];
    hub.put(&elsewhere, "h1", hub.authority.signer()).await;
    let (stranger, _) = Signer::generate().unwrap();
    hub.put(&like("k-signer", yearly.clone()), "h1", &stranger)
        .await;
    // Cheap and well formed, but nobody at the hospital approved it.
    let cheap = changed(&own, |q| q.tables[0].blocks[0].rho = rho("0.01"));
    let unapproved = round("w-waits", "h1", cheap);
    hub.put(&unapproved, "h1", hub.authority.signer()).await;

    let running = Running::start(&hospital.config.data);
    until("a word on every round", async || {
        said(&hospital).await.len() >= hostile.len()
    })
    .await;
    let words = said(&hospital).await;
    for (round, expected) in &hostile {
        assert_eq!(words[round.id.as_str()], *expected, "{}", round.id);
    }
    assert_eq!(
        words.len(),
        hostile.len(),
        "nothing is said to the other two"
    );
    for purpose in ["all", "benchmark", "budget", "audit", "free"] {
        assert_eq!(hospital.spent(purpose).await, 0);
    }
    let answers: i64 = sqlx::query("select count(*) from answers")
        .fetch_one(hospital.state.pool())
        .await
        .unwrap()
        .get(0);
    assert_eq!(answers, 0);
    until("the round of a stranger", async || {
        running.log().contains("a round is not the alliance's")
    })
    .await;
    until("the question in the inbox", async || {
        let letters = node::steward::letters(&hospital.state).await.unwrap();
        letters.len() == 1 && letters[0].round == unapproved
    })
    .await;
    assert!(!said(&hospital).await.contains_key("w-waits"));
    // Every attempt is in the hospital's own log, with what refused it.
    let entries = hospital.state.log().await.unwrap();
    let of = |kind: &str, name: &str| -> Vec<String> {
        let entries = entries.iter().filter(|entry| entry.kind.as_str() == kind);
        entries.map(|entry| entry.detail[name].clone()).collect()
    };
    let alarms = of("alarm", "what");
    for what in [
        "a round that the alliance did not sign",
        "a round that does not ask this hospital",
    ] {
        assert_eq!(
            alarms.iter().filter(|alarm| *alarm == what).count(),
            1,
            "{what}"
        );
    }
    // Two were declined for their window alone, before they were looked at.
    assert_eq!(of("decline", "why").len(), hostile.len() - 2);
    let log = running.log();
    for (told, id) in [
        ("declined", "a-rho"),
        ("declined", "b-free"),
        ("declined", "h-version"),
        ("does not ask this hospital", "f-roster"),
    ] {
        let line = log
            .lines()
            .find(|line| line.contains(told) && line.contains(id));
        assert!(line.is_some(), "{told} {id}: {log}");
    }
    drop(running);
    hub.end().await;
}

fn hospital_now() -> Timestamp {
    node::clock::Clock::System.now()
}

/// The same round id with another question; a purpose of the asker's choice; the template's own
/// question again under many ids.
#[tokio::test(flavor = "multi_thread")]
async fn names_and_purposes_of_the_asker_move_no_quota() {
    let (hub, hospital) = (Hub::found().await, hospital().await);
    hub.join(&hospital).await;
    let app = hospital.app().await;
    let yearly = shipped(&app, "yearly-benchmark", "2025").0;
    let monthly = shipped(&app, "monthly-benchmark", "2025-03").0;
    let signer = hub.authority.signer();
    let honest = claims(round("r1", "h1", yearly.clone()), "yearly-benchmark", 2);
    hub.put(&honest, "h1", signer).await;
    let running = Running::start(&hospital.config.data);
    until("the honest answer", async || {
        said(&hospital).await.contains_key("r1")
    })
    .await;
    assert_eq!(said(&hospital).await["r1"], "answered");
    assert_eq!(hospital.spent("benchmark").await, 250_000_000);

    // The asker calls it audit: the node's own policy says benchmark, and it is paid already.
    for n in 0..5 {
        let mut again = claims(
            round(&format!("c{n}"), "h1", yearly.clone()),
            "yearly-benchmark",
            2,
        );
        again.purpose = [Purpose::Audit, Purpose::Budget, Purpose::Free][n % 3];
        hub.put(&again, "h1", signer).await;
    }
    // Another question under a name that was answered before.
    let reused = claims(round("r1", "h1", monthly.clone()), "monthly-benchmark", 2);
    hub.put(&reused, "h1", signer).await;
    let replies = async || {
        let log = hospital.state.log().await.unwrap();
        log.iter()
            .filter(|entry| entry.kind.as_str() == "reply")
            .count()
    };
    until("seven replies", async || replies().await == 7).await;
    let words = said(&hospital).await;
    assert_eq!(words["r1"], "refused", "the last word under that name");
    for n in 0..5 {
        // An insurer may not ask a benchmark; whoever says so is taken at his word.
        let expected = if n % 3 == 0 { "declined" } else { "answered" };
        assert_eq!(words[&format!("c{n}")], expected);
    }
    assert_eq!(hospital.spent("all").await, 250_000_000);
    for purpose in ["audit", "budget", "free"] {
        assert_eq!(hospital.spent(purpose).await, 0, "{purpose}");
    }
    assert!(
        running
            .log()
            .contains("another round bore this name before")
    );
    let log = hospital.state.log().await.unwrap();
    let second = "a second round under the name of another";
    let noted = |entry: &&schemas::entry::Entry| {
        entry.kind.as_str() == "alarm" && entry.detail["what"] == second
    };
    assert_eq!(log.iter().filter(noted).count(), 1);
    drop(running);
    hub.drop_round("r1").await;
    hub.end().await;
}
