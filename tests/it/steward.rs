//! The steward's word: nothing that no standing approval covers is answered without it, and it fits
//! exactly what was shown.

use std::sync::Arc;

use node::access::{self, AccessError};
use node::answer::{App, OpenError, Spoken, answer_round, asked_by, examine};
use node::clock::Clock;
use node::steward::{self, Acting, Letter, LetterState, StewardError};
use node::store::state::State;
use policies::rules::DEFAULT;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::officer::{Officer, QuestionApproval, Role};
use schemas::outcome::Reason;
use schemas::question::{Purpose, Question};
use schemas::round::{Round, TemplateRef};
use schemas::seal::{Sealed, Signer};
use schemas::time::Timestamp;
use tests::officers::{self, SECOND, STEWARD};

use crate::hospital::{Hospital, Line, NOW, question, shipped};

const DAY: i64 = 86_400;

async fn held(policy: &str) -> Hospital {
    let hospital = Hospital::with_policy("h1", policy).await;
    let lines = (0..40).map(|n| {
        let month = 1 + (n % 11) as u8;
        Line::new(&format!("P{n}"), &format!("S{n}"), month, "JR19", 9000)
    });
    hospital.hold(&lines.collect::<Vec<_>>()).await;
    hospital
}

async fn app_at(hospital: &Hospital, at: Timestamp) -> Result<Arc<App>, OpenError> {
    let state = State::open(&hospital.config.data).await.unwrap();
    let app = App::open(&hospital.config, state, Clock::Fixed(at)).await;
    app.map(Arc::new)
}

/// A cheap free question; `rho` tells one from another.
fn free(app: &App, rho: &str) -> Question {
    let body = format!(
        "bounds = {{ groups = 3, stays = 1 }}\n[[tables]]\nby = [\"sex\"]\n\
         blocks = [{{ measure = {{ kind = \"count\" }}, rho = \"{rho}\" }}]"
    );
    question(app, "2025", &body)
}

fn round(id: &str, question: Question, opened: Timestamp) -> (Round, Digest) {
    let round = Round {
        id: id.parse().unwrap(),
        template: None,
        purpose: Purpose::Benchmark,
        question,
        roster: vec!["h1".parse().unwrap()],
        min_answers: 1,
        opened,
        deadline: Timestamp(opened.0 + 7 * DAY),
    };
    let sealed = Sealed::seal(&Signer::generate().unwrap().0, &round).unwrap();
    let digest = sealed.digest().unwrap();
    (round, digest)
}

fn yearly(app: &App, id: &str) -> (Round, Digest) {
    let (question, template) = shipped(app, "yearly-benchmark", "2025");
    let (mut round, _) = round(id, question, NOW);
    round.template = Some(template.reference());
    let sealed = Sealed::seal(&Signer::generate().unwrap().0, &round).unwrap();
    (round, sealed.digest().unwrap())
}

struct Person {
    name: Slug,
    key: Signer,
}

fn person(hospital: &Hospital, name: &str) -> Person {
    Person {
        name: name.parse().unwrap(),
        key: officers::key(&hospital.config.data, name),
    }
}

fn acting<'a>(app: &'a App, by: &'a Person) -> Acting<'a> {
    Acting {
        officers: &app.standing.officers,
        access: &app.standing.access,
        policy: app.standing.approved.policy,
        hospital: &app.hospital,
        name: &by.name,
        key: &by.key,
        at: app.clock.now(),
    }
}

async fn letter(app: &App, digest: Digest) -> Letter {
    let found = steward::find(&app.state, &digest.to_string())
        .await
        .unwrap();
    found.unwrap()
}

/// Approves as the command does.
async fn approve(app: &App, by: &Person, (round, digest): &(Round, Digest), hold: bool) {
    let examined = examine(app, &asked_by(round, *digest)).await.unwrap();
    let letter = letter(app, *digest).await;
    let releases = examined.bound.releases();
    let done = steward::approve(&app.state, acting(app, by), &letter, releases, hold).await;
    done.unwrap();
}

async fn spoken(app: &Arc<App>, (round, digest): &(Round, Digest)) -> Spoken {
    answer_round(app, round, *digest).await.unwrap()
}

async fn kinds(hospital: &Hospital, kind: &str) -> usize {
    let log = hospital.state.log().await.unwrap();
    schemas::entry::verify_chain(&log).unwrap();
    log.iter()
        .filter(|entry| entry.kind.as_str() == kind)
        .count()
}

#[tokio::test]
async fn a_question_waits_for_the_steward_and_is_answered_once() {
    let hospital = held(DEFAULT).await;
    let app = hospital.app().await;
    let asked = round("r1", free(&app, "0.02"), NOW);
    for _ in 0..3 {
        assert_eq!(spoken(&app, &asked).await, Spoken::Waits);
    }
    assert_eq!(letter(&app, asked.1).await.state, LetterState::Pending);
    assert_eq!(
        (
            hospital.spent("all").await,
            kinds(&hospital, "question").await
        ),
        (0, 1)
    );

    let (steward, second) = (person(&hospital, STEWARD), person(&hospital, SECOND));
    let waiting = letter(&app, asked.1).await;
    let refused = steward::approve(
        &app.state,
        acting(&app, &second),
        &waiting,
        "1".to_owned(),
        false,
    )
    .await;
    assert!(
        matches!(refused, Err(StewardError::Forbidden(_))),
        "{refused:?}"
    );
    let thief = Person {
        name: STEWARD.parse().unwrap(),
        key: Signer::generate().unwrap().0,
    };
    let refused = steward::approve(
        &app.state,
        acting(&app, &thief),
        &waiting,
        "1".to_owned(),
        false,
    )
    .await;
    assert!(
        matches!(refused, Err(StewardError::Officers(_))),
        "{refused:?}"
    );

    approve(&app, &steward, &asked, false).await;
    let Spoken::Answered(first) = spoken(&app, &asked).await else {
        panic!("not answered");
    };
    let Spoken::Answered(again) = spoken(&app, &asked).await else {
        panic!("not answered again");
    };
    assert_eq!(first.sealed(), again.sealed());
    assert_eq!(hospital.spent("free").await, 20_000_000);
    let done = letter(&app, asked.1).await;
    let twice = steward::approve(
        &app.state,
        acting(&app, &steward),
        &done,
        "1".to_owned(),
        false,
    );
    assert!(matches!(twice.await, Err(StewardError::Decided(_))));
}

#[tokio::test]
async fn an_approval_fits_nothing_but_what_was_approved() {
    let hospital = held(DEFAULT).await;
    let app = hospital.app().await;
    let steward = person(&hospital, STEWARD);
    let approved = round("r1", free(&app, "0.02"), NOW);
    assert_eq!(spoken(&app, &approved).await, Spoken::Waits);
    approve(&app, &steward, &approved, false).await;

    // Another question of the same coordinator, its name and window the same.
    let swapped = round("r1", free(&app, "0.03"), NOW);
    assert_eq!(spoken(&app, &swapped).await, Spoken::Waits);
    // The approved round's digest in front of another question.
    let dressed = (swapped.0.clone(), approved.1);
    assert_eq!(spoken(&app, &dressed).await, Spoken::Waits);
    assert_eq!(letter(&app, approved.1).await.state, LetterState::Pending);
    assert_eq!(hospital.spent("all").await, 0);

    // Other data.
    approve(&app, &steward, &approved, false).await;
    hospital
        .hold(&[Line::new("P99", "S99", 12, "JR19", 9000)])
        .await;
    assert_eq!(spoken(&app, &approved).await, Spoken::Waits);
    assert_eq!(letter(&app, approved.1).await.state, LetterState::Pending);

    // Another policy, signed by both officers.
    approve(&app, &steward, &approved, false).await;
    let stricter = DEFAULT.replace("per_week = 500", "per_week = 499");
    std::fs::write(hospital.config.data.join("policy.toml"), stricter).unwrap();
    let policy = node::answer::policy(&hospital.config).unwrap();
    officers::sign(&hospital.config, &hospital.state, &policy, NOW).await;
    let app = hospital.app().await;
    assert_eq!(spoken(&app, &approved).await, Spoken::Waits);
    assert_eq!(kinds(&hospital, "approval-void").await, 3);
    assert_eq!(hospital.spent("all").await, 0);
    // The standing approvals were of the other policy too.
    assert_eq!(spoken(&app, &yearly(&app, "r2")).await, Spoken::Waits);

    approve(&app, &steward, &approved, false).await;
    assert!(matches!(spoken(&app, &approved).await, Spoken::Answered(_)));
}

#[tokio::test]
async fn a_forged_approval_is_none() {
    let hospital = held(DEFAULT).await;
    let app = hospital.app().await;
    let asked = round("r1", free(&app, "0.02"), NOW);
    assert_eq!(spoken(&app, &asked).await, Spoken::Waits);
    let releases = examine(&app, &asked_by(&asked.0, asked.1)).await.unwrap();
    let forged = QuestionApproval {
        hospital: app.hospital.clone(),
        round: asked.1,
        question: asked.0.question.digest().unwrap(),
        releases: releases.bound.releases(),
        policy: app.standing.approved.policy,
        hold: false,
        officer: STEWARD.parse().unwrap(),
        at: NOW,
    };
    let second = person(&hospital, SECOND);
    let stranger = Signer::generate().unwrap().0;
    for key in [&stranger, &second.key, &app.signer] {
        let sealed = Sealed::seal(key, &forged).unwrap();
        sqlx::query("update inbox set state = 'approved', approval = $1")
            .bind(serde_json::to_string(&sealed).unwrap())
            .execute(app.state.pool())
            .await
            .unwrap();
        assert_eq!(spoken(&app, &asked).await, Spoken::Waits);
        assert_eq!(letter(&app, asked.1).await.state, LetterState::Pending);
    }
    assert_eq!(hospital.spent("all").await, 0);
    assert_eq!(kinds(&hospital, "approval-void").await, 3);
}

#[tokio::test]
async fn a_held_answer_is_paid_and_stays_until_released() {
    let hospital = held(DEFAULT).await;
    let app = hospital.app().await;
    let steward = person(&hospital, STEWARD);
    let asked = round("r1", free(&app, "0.02"), NOW);
    assert_eq!(spoken(&app, &asked).await, Spoken::Waits);
    approve(&app, &steward, &asked, true).await;
    assert_eq!(spoken(&app, &asked).await, Spoken::Waits);
    assert_eq!(spoken(&app, &asked).await, Spoken::Waits);
    assert_eq!(letter(&app, asked.1).await.state, LetterState::Held);
    assert_eq!(hospital.spent("free").await, 20_000_000);
    let waiting = letter(&app, asked.1).await;
    steward::release(&app.state, acting(&app, &steward), &waiting)
        .await
        .unwrap();
    assert!(matches!(spoken(&app, &asked).await, Spoken::Answered(_)));
    assert_eq!(hospital.spent("free").await, 20_000_000);

    let other = round("r2", free(&app, "0.03"), NOW);
    assert_eq!(spoken(&app, &other).await, Spoken::Waits);
    approve(&app, &steward, &other, true).await;
    assert_eq!(spoken(&app, &other).await, Spoken::Waits);
    let waiting = letter(&app, other.1).await;
    let refused = steward::refuse(&app.state, acting(&app, &steward), &waiting, "looks odd");
    refused.await.unwrap();
    assert_eq!(
        spoken(&app, &other).await,
        Spoken::Declined(Reason::Declined)
    );
}

#[tokio::test]
async fn what_is_refused_stays_refused_and_what_is_not_decided_ends_late() {
    let hospital = held(DEFAULT).await;
    let app = hospital.app().await;
    let steward = person(&hospital, STEWARD);
    let (no, open) = (
        round("r1", free(&app, "0.02"), NOW),
        round("r2", free(&app, "0.03"), NOW),
    );
    assert_eq!(spoken(&app, &no).await, Spoken::Waits);
    assert_eq!(spoken(&app, &open).await, Spoken::Waits);
    let waiting = letter(&app, no.1).await;
    let empty = steward::refuse(&app.state, acting(&app, &steward), &waiting, "").await;
    assert!(matches!(empty, Err(StewardError::Reason)));
    steward::refuse(&app.state, acting(&app, &steward), &waiting, "not agreed")
        .await
        .unwrap();
    assert_eq!(spoken(&app, &no).await, Spoken::Declined(Reason::Declined));
    steward::expire(&app.state, Timestamp(NOW.0 + 8 * DAY))
        .await
        .unwrap();
    assert_eq!(letter(&app, open.1).await.state, LetterState::Late);
    let waiting = letter(&app, open.1).await;
    let late = steward::approve(
        &app.state,
        acting(&app, &steward),
        &waiting,
        String::new(),
        false,
    );
    assert!(matches!(late.await, Err(StewardError::Decided("late"))));
    assert_eq!(
        (
            kinds(&hospital, "refuse").await,
            kinds(&hospital, "late").await
        ),
        (1, 1)
    );
    assert_eq!(hospital.spent("all").await, 0);
}

#[tokio::test]
async fn a_standing_approval_is_of_one_template_purpose_and_time() {
    let hospital = held(DEFAULT).await;
    let app = hospital.app().await;
    let steward = person(&hospital, STEWARD);
    let template = TemplateRef {
        id: "yearly-benchmark".parse().unwrap(),
        version: 1,
    };
    let stand = async |purpose, until| {
        let by = acting(&app, &steward);
        steward::stand(&app.state, by, template.clone(), purpose, until)
            .await
            .unwrap();
    };
    stand(Some(Purpose::Budget), officers::UNTIL).await;
    assert_eq!(spoken(&app, &yearly(&app, "r1")).await, Spoken::Waits);
    stand(None, Timestamp(NOW.0 - 1)).await;
    assert_eq!(spoken(&app, &yearly(&app, "r2")).await, Spoken::Waits);
    let by = acting(&app, &steward);
    steward::remove_standing(&app.state, by, "yearly-benchmark@1")
        .await
        .unwrap();
    assert_eq!(spoken(&app, &yearly(&app, "r3")).await, Spoken::Waits);
    assert_eq!(hospital.spent("all").await, 0);
    let forged = person(&hospital, SECOND);
    let refused = steward::stand(
        &app.state,
        acting(&app, &forged),
        template.clone(),
        None,
        officers::UNTIL,
    );
    assert!(matches!(refused.await, Err(StewardError::Forbidden(_))));
    stand(Some(Purpose::Benchmark), NOW).await;
    assert!(matches!(
        spoken(&app, &yearly(&app, "r4")).await,
        Spoken::Answered(_)
    ));
}

#[tokio::test]
async fn quotas_tell_to_come_later_then_refuse_and_cost_nothing() {
    let policy = DEFAULT
        .replace("per_minute = 60", "per_minute = 2")
        .replace("per_week = 500", "per_week = 3");
    let hospital = held(&policy).await;
    let at = async |seconds| app_at(&hospital, Timestamp(NOW.0 + seconds)).await.unwrap();
    let app = at(0).await;
    let ask = |id: &str, rho: &str| round(id, free(&app, rho), NOW);
    assert_eq!(spoken(&app, &ask("r1", "0.011")).await, Spoken::Waits);
    let second = ask("r2", "0.012");
    assert_eq!(spoken(&app, &second).await, Spoken::Waits);
    let third = ask("r3", "0.013");
    assert_eq!(spoken(&app, &third).await, Spoken::Declined(Reason::Busy));
    assert_eq!(
        spoken(&app, &second).await,
        Spoken::Waits,
        "admitted before"
    );
    let later = at(61).await;
    assert_eq!(spoken(&later, &third).await, Spoken::Waits);
    let much_later = at(3600).await;
    let fourth = ask("r4", "0.014");
    assert_eq!(
        spoken(&much_later, &fourth).await,
        Spoken::Declined(Reason::OverQuota)
    );
    let next_week = at(8 * DAY).await;
    assert_eq!(spoken(&next_week, &fourth).await, Spoken::Waits);
    assert_eq!(hospital.spent("all").await, 0);
}

#[tokio::test]
async fn near_duplicates_are_shown_and_lock_the_node() {
    let hospital = held(&DEFAULT.replace("lock_after = 40", "lock_after = 3")).await;
    let app = hospital.app().await;
    let steward = person(&hospital, STEWARD);
    let about = |sex: &str| {
        let body = format!(
            "bounds = {{ groups = 3, stays = 1 }}\nfilter = {{ sex = [\"{sex}\"] }}\n[[tables]]\n\
             by = []\nblocks = [{{ measure = {{ kind = \"count\" }}, rho = \"0.01\" }}]"
        );
        body
    };
    let ask =
        |id: &str, period: &str, sex: &str| round(id, question(&app, period, &about(sex)), NOW);
    let rounds = [
        ask("r1", "2025", "f"),
        ask("r2", "2025", "m"),
        ask("r3", "2025-01..2025-11", "f"),
        ask("r4", "2025-02..2025-11", "f"),
    ];
    for asked in &rounds {
        assert_eq!(spoken(&app, asked).await, Spoken::Waits);
    }
    let similar = steward::similar(&app.state, &rounds[3].0.question)
        .await
        .unwrap();
    assert_eq!(similar.len(), 3);
    assert_eq!(similar[0].at, NOW);
    let lock = steward::locked(&app.state).await.unwrap().unwrap();
    assert!(lock.locked && lock.who == "policy");
    assert_eq!(
        spoken(&app, &rounds[0]).await,
        Spoken::Declined(Reason::Declined)
    );
    assert_eq!(
        spoken(&app, &yearly(&app, "r5")).await,
        Spoken::Declined(Reason::Declined),
        "standing approvals do not open a locked node"
    );
    let tomorrow = app_at(&hospital, Timestamp(NOW.0 + DAY)).await.unwrap();
    let second = person(&hospital, SECOND);
    let refused = steward::unlock(&tomorrow.state, acting(&tomorrow, &second)).await;
    assert!(matches!(refused, Err(StewardError::Forbidden(_))));
    steward::unlock(&tomorrow.state, acting(&tomorrow, &steward))
        .await
        .unwrap();
    assert!(matches!(
        spoken(&tomorrow, &yearly(&tomorrow, "r6")).await,
        Spoken::Answered(_)
    ));
    steward::lock(&tomorrow.state, acting(&tomorrow, &steward))
        .await
        .unwrap();
    assert_eq!(
        spoken(&tomorrow, &rounds[0]).await,
        Spoken::Declined(Reason::Declined)
    );
    assert_eq!(
        (
            kinds(&hospital, "lock").await,
            kinds(&hospital, "unlock").await
        ),
        (2, 1)
    );
}

#[tokio::test]
async fn a_node_does_not_open_without_a_valid_policy_signed_by_two() {
    let hospital = held(DEFAULT).await;
    let data = hospital.config.data.clone();
    let unsigned = |opened: Result<Arc<App>, OpenError>| {
        matches!(opened, Err(OpenError::Access(AccessError::Unsigned(_))))
    };
    assert!(app_at(&hospital, NOW).await.is_ok());

    // The rules or the access policies change after they were signed.
    let text = std::fs::read_to_string(data.join("policy.toml")).unwrap();
    let stricter = text.replace("free_question = \"0.04\"", "free_question = \"0.03\"");
    std::fs::write(data.join("policy.toml"), stricter).unwrap();
    assert!(unsigned(app_at(&hospital, NOW).await));
    std::fs::write(data.join("policy.toml"), text).unwrap();
    assert!(app_at(&hospital, NOW).await.is_ok());
    let own = data.join(access::ACCESS);
    std::fs::write(&own, "// nothing\n").unwrap();
    assert!(unsigned(app_at(&hospital, NOW).await));
    for bad in [
        "@id(\"more\")\npermit (principal, action, resource);",
        "@id(\"floor-group-size\")\nforbid (principal, action, resource);",
        "@id(\"x\")\nforbid (principal, action, resource) when { context.group < 11 };",
        "forbid",
    ] {
        std::fs::write(&own, bad).unwrap();
        let opened = app_at(&hospital, NOW).await;
        assert!(
            matches!(opened, Err(OpenError::Access(AccessError::Policy(_)))),
            "{bad}"
        );
    }
    std::fs::remove_file(&own).unwrap();

    // One signature is not two, and a signature does not count twice.
    let folder = data.join("policy-approvals");
    let (first, second) = (
        folder.join(format!("{STEWARD}.json")),
        folder.join(format!("{SECOND}.json")),
    );
    let kept = std::fs::read(&second).unwrap();
    std::fs::copy(&first, &second).unwrap();
    assert!(unsigned(app_at(&hospital, NOW).await));
    std::fs::write(&second, b"{}").unwrap();
    let opened = app_at(&hospital, NOW).await;
    assert!(matches!(
        opened,
        Err(OpenError::Access(AccessError::Damaged(_)))
    ));
    std::fs::remove_file(&second).unwrap();
    assert!(unsigned(app_at(&hospital, NOW).await));
    std::fs::write(&second, kept).unwrap();
    assert!(app_at(&hospital, NOW).await.is_ok());

    // A third officer whom nobody signed for spoils the register.
    let third = Officer {
        organisation: "h1".parse().unwrap(),
        name: "third".parse().unwrap(),
        role: Role::Steward,
        key: Signer::generate().unwrap().0.public(),
    };
    assert!(
        access::add(&hospital.state, &third, &[], NOW)
            .await
            .is_err()
    );
    sqlx::query(
        "insert into officers (name, position, officer, signed) values ('third', 3, $1, '[]')",
    )
    .bind(serde_json::to_string(&third).unwrap())
    .execute(hospital.state.pool())
    .await
    .unwrap();
    let opened = app_at(&hospital, NOW).await;
    assert!(matches!(
        opened,
        Err(OpenError::Access(AccessError::Register(_)))
    ));
}

#[tokio::test]
async fn a_hospital_can_forbid_more_and_the_log_says_which_policy_did() {
    let hospital = held(DEFAULT).await;
    let own = "@id(\"no-sex\")\nforbid (principal, action == Alliance::Action::\"askStatistic\", resource)\n\
               when { context.dimensions.contains(\"sex\") };\n";
    std::fs::write(hospital.config.data.join(access::ACCESS), own).unwrap();
    let policy = node::answer::policy(&hospital.config).unwrap();
    officers::sign(&hospital.config, &hospital.state, &policy, NOW).await;
    let app = hospital.app().await;
    let asked = round("r1", free(&app, "0.02"), NOW);
    assert_eq!(
        spoken(&app, &asked).await,
        Spoken::Declined(Reason::Declined)
    );
    let log = hospital.state.log().await.unwrap();
    let entry = log
        .iter()
        .find(|entry| entry.kind.as_str() == "decline")
        .unwrap();
    assert!(entry.detail["why"].contains("no-sex"), "{:?}", entry.detail);
    let own = node::answer::reply(&app, &crate::hospital::by_officer(free(&app, "0.02"))).await;
    assert!(own.is_err(), "the hospital's own questions too");
}

/// The text is made from the typed question, in both languages, and the asker writes none of it.
#[tokio::test]
async fn a_question_is_told_in_plain_words() {
    let hospital = held(DEFAULT).await;
    let app = hospital.app().await;
    let (question, _) = shipped(&app, "yearly-benchmark", "2025");
    let text = steward::text(&question, &app.dictionary);
    for (part, whole) in [
        ("2025-01 至 2025-12", &text.zh),
        ("例数", &text.zh),
        ("from 2025-01 to 2025-12", &text.en),
        ("number of stays", &text.en),
        ("3 case groups", &text.en),
    ] {
        assert!(whole.contains(part), "{part}: {whole}");
    }
    assert!(text.columns.iter().any(|column| column == "case_group"));
}

/// Rule FAIL-1 at the processes themselves: one line, and an end.
#[test]
fn binaries_do_not_serve_under_an_unsigned_policy() {
    let folder = tempfile::tempdir().unwrap();
    let exe = std::env::current_exe().unwrap();
    let call = |binary: &str, words: &[&str]| {
        let program = exe
            .parent()
            .and_then(std::path::Path::parent)
            .unwrap()
            .join(binary);
        let data = folder.path().join(binary);
        let done = std::process::Command::new(program)
            .arg("--data")
            .arg(data)
            .args(words)
            .output()
            .unwrap();
        (
            done.status.success(),
            String::from_utf8(done.stderr).unwrap(),
        )
    };
    let node = |words: &[&str]| call("consilium-node", words);
    let coordinator = |words: &[&str]| call("consilium-coordinator", words);
    let refuses = |(served, told): (bool, String), why: &str| {
        assert!(
            !served && told.contains(why) && told.trim().lines().count() == 1,
            "{told}"
        );
    };
    assert!(node(&["init", "--hospital", "h1"]).0);
    refuses(node(&["run"]), "not signed by two officers");
    for (name, role) in [("a", "steward"), ("b", "security_officer")] {
        assert!(node(&["officer", "add", name, "--role", role]).0);
        refuses(node(&["run"]), "not signed by two officers");
    }
    assert!(node(&["policy", "approve", "--as", "a"]).0);
    refuses(node(&["run"]), "not signed by two officers");
    assert!(node(&["policy", "approve", "--as", "b"]).0);
    refuses(node(&["run"]), "has not joined the alliance yet");

    let init = ["init", "--alliance", "river", "--host", "localhost"];
    let ports = [
        "--node-address",
        "127.0.0.1:0",
        "--public-address",
        "127.0.0.1:0",
    ];
    let init: Vec<&str> = init.into_iter().chain(ports).collect();
    assert!(coordinator(&init).0);
    refuses(
        coordinator(&["run"]),
        "the alliance's policy is not in force",
    );
    for name in ["a", "b"] {
        assert!(coordinator(&["administrator", "add", name]).0);
    }
    assert!(
        !coordinator(&["administrator", "add", "c"]).0,
        "nobody signed for the third"
    );
    assert!(coordinator(&["policy", "approve", "--as", "a"]).0);
    refuses(coordinator(&["run"]), "1 of 2");
    assert!(!coordinator(&["policy", "approve", "--as", "c"]).0);
}
