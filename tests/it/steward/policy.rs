//! The policy that two officers sign, and what it forbids.

use std::sync::Arc;

use node::access::{self, AccessError};
use node::answer::{App, OpenError, Spoken};
use node::steward;
use policies::access::Step;
use policies::rules::DEFAULT;
use schemas::officer::{Officer, Role};
use schemas::outcome::Reason;
use schemas::seal::Signer;
use tests::officers::{self, SECOND, STEWARD};

use super::{app_at, free, held, round, spoken};
use crate::hospital::{NOW, shipped};

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
    let step = Step::joins(third, &[]).unwrap();
    sqlx::query("insert into officers (position, step) values (3, $1)")
        .bind(serde_json::to_string(&step).unwrap())
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
    let call = |binary: &str, words: &[&str]| {
        let data = folder.path().join(binary);
        let done = std::process::Command::new(crate::binary::binary(binary))
            .arg("--data")
            .arg(data)
            .args(words)
            // A slow disk is worth a warning, but no second line here.
            .env("RUST_LOG", "error")
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
