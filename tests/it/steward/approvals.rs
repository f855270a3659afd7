//! Questions that wait: approved, held, refused, let through by a standing approval.

use node::answer::{Spoken, asked_by, examine};
use node::steward::{self, LetterState, StewardError};
use policies::rules::DEFAULT;
use schemas::digest::Digest;
use schemas::officer::QuestionApproval;
use schemas::outcome::Reason;
use schemas::question::Purpose;
use schemas::round::TemplateRef;
use schemas::seal::{Sealed, Signer};
use schemas::time::Timestamp;
use tests::officers::{self, SECOND, STEWARD};

use super::{
    DAY, Person, acting, approve, free, held, kinds, letter, person, round, spoken, yearly,
};
use crate::hospital::{Line, NOW};

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
    let by = async |person: &Person| {
        let (by, releases) = (acting(&app, person), "1".to_owned());
        steward::approve(&app.state, by, &waiting, releases, false).await
    };
    let refused = by(&second).await;
    assert!(
        matches!(refused, Err(StewardError::Forbidden(_))),
        "{refused:?}"
    );
    let thief = Person {
        name: STEWARD.parse().unwrap(),
        key: Signer::generate().unwrap().0,
    };
    let refused = by(&thief).await;
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
async fn a_standing_approval_lets_no_held_answer_leave() {
    let hospital = held(DEFAULT).await;
    let app = hospital.app().await;
    let steward = person(&hospital, STEWARD);
    let template = TemplateRef {
        id: "yearly-benchmark".parse().unwrap(),
        version: 2,
    };
    let by = acting(&app, &steward);
    // Whatever the fixture lets stand.
    drop(steward::remove_standing(&app.state, by, "yearly-benchmark@2").await);
    let asked = yearly(&app, "r1");
    assert_eq!(spoken(&app, &asked).await, Spoken::Waits);
    approve(&app, &steward, &asked, true).await;
    assert_eq!(spoken(&app, &asked).await, Spoken::Waits);
    let by = acting(&app, &steward);
    steward::stand(&app.state, by, template, None, officers::UNTIL)
        .await
        .unwrap();
    assert_eq!(spoken(&app, &asked).await, Spoken::Waits);
    assert_eq!(letter(&app, asked.1).await.state, LetterState::Held);
    // Another round of the template is covered by it.
    let other = yearly(&app, "r2");
    assert!(matches!(spoken(&app, &other).await, Spoken::Answered(_)));
}

#[tokio::test]
async fn nothing_leaves_that_the_steward_stopped_after_it_was_judged() {
    let hospital = held(DEFAULT).await;
    let app = hospital.app().await;
    let steward = person(&hospital, STEWARD);
    let leaves = async |digest: Digest| {
        let mut change = app.state.begin().await.unwrap();
        let leaves = steward::let_go(&mut change, &digest).await.unwrap();
        change.commit().await.unwrap();
        leaves
    };
    let mut rounds = Vec::new();
    for (id, rho) in [("r1", "0.011"), ("r2", "0.012"), ("r3", "0.013")] {
        let asked = round(id, free(&app, rho), NOW);
        assert_eq!(spoken(&app, &asked).await, Spoken::Waits);
        approve(&app, &steward, &asked, false).await;
        assert!(matches!(spoken(&app, &asked).await, Spoken::Answered(_)));
        rounds.push(asked.1);
    }
    let by = || acting(&app, &steward);
    let refused = letter(&app, rounds[0]).await;
    let done = steward::refuse(&app.state, by(), &refused, "patient Wang, bed 4");
    done.await.unwrap();
    steward::hold(&app.state, by(), &letter(&app, rounds[1]).await)
        .await
        .unwrap();
    assert!(!leaves(rounds[0]).await && !leaves(rounds[1]).await);
    steward::lock(&app.state, by()).await.unwrap();
    assert!(!leaves(rounds[2]).await);
    steward::unlock(&app.state, by()).await.unwrap();
    assert!(leaves(rounds[2]).await);
    // What left is taken back by nobody, and a released one may leave.
    let sent = letter(&app, rounds[2]).await;
    let late = steward::refuse(&app.state, by(), &sent, "too late").await;
    assert!(matches!(late, Err(StewardError::Decided("sent"))));
    steward::release(&app.state, by(), &letter(&app, rounds[1]).await)
        .await
        .unwrap();
    assert!(leaves(rounds[1]).await);
    // The log is published: the steward's own words are not in it.
    let log = serde_json::to_string(&app.state.log().await.unwrap()).unwrap();
    assert!(!log.contains("Wang"));
    let kept = letter(&app, rounds[0]).await.reason;
    assert_eq!(kept.as_deref(), Some("patient Wang, bed 4"));
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
    for nothing in ["", " \u{3000}"] {
        let empty = steward::refuse(&app.state, acting(&app, &steward), &waiting, nothing).await;
        assert!(matches!(empty, Err(StewardError::Reason)));
    }
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
        version: 2,
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
    steward::remove_standing(&app.state, by, "yearly-benchmark@2")
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
