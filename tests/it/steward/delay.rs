//! Row 40 of the threats: nobody loosens a policy alone, and two persons only a day later, in the
//! sight of everyone who reads the log. What is tightened counts at once.

use coordinator::administrators::{self, AdministratorsError};
use node::access::{self, AccessError};
use node::answer::{OpenError, POLICY, reply};
use policies::access::{DELAY, OfficersError, Signatures};
use policies::rules::{DEFAULT, Privacy};
use schemas::officer::{Officer, Role};
use schemas::outcome::Reason;
use schemas::seal::Signer;
use schemas::time::Timestamp;
use tests::officers::{self, SECOND, STEWARD};

use super::{app_at, free, held};
use crate::hospital::{Hospital, NOW, by_officer};

const FREE: &str = "free = \"0.2\"";

fn after(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds)
}

/// The policy with another allowance for free questions, in the data folder.
fn lay(hospital: &Hospital, free: &str) -> Privacy {
    let text = DEFAULT.replace(FREE, &format!("free = \"{free}\""));
    std::fs::write(hospital.config.data.join(POLICY), &text).unwrap();
    Privacy::parse(&text).unwrap()
}

async fn sign(
    hospital: &Hospital,
    rules: &Privacy,
    name: &str,
    at: Timestamp,
) -> Result<Signatures, AccessError> {
    let data = &hospital.config.data;
    let (set, key) = (access::open(data).unwrap(), officers::key(data, name));
    let (whose, name) = ((data.as_path(), &hospital.config.hospital), name.parse());
    let who = (&name.unwrap(), &key);
    access::approve(&hospital.state, whose, (rules, &set), who, at).await
}

async fn allowed_at(hospital: &Hospital, at: Timestamp) -> u64 {
    let app = app_at(hospital, at).await.unwrap();
    assert_eq!(app.policy, app.standing.policy);
    app.policy.allowance.free.nano()
}

#[tokio::test]
async fn a_raised_allowance_counts_24_hours_after_the_second_signature_a_lowered_one_at_once() {
    let hospital = held(&DEFAULT.replace(FREE, "free = \"0.02\"")).await;
    let low = 20_000_000;
    let app = app_at(&hospital, NOW).await.unwrap();
    reply(&app, &by_officer(free(&app, "0.02"))).await.unwrap();

    // One person's signature raises nothing, on no day.
    let rules = lay(&hospital, "0.2");
    let one = sign(&hospital, &rules, STEWARD, after(10)).await.unwrap();
    assert_eq!((one.have, one.waits_until), (1, None));
    for seconds in [10, 10 * DELAY] {
        let opened = app_at(&hospital, after(seconds)).await;
        let unsigned = matches!(opened, Err(OpenError::Access(AccessError::Unsigned(_))));
        assert!(unsigned, "after {seconds} s");
    }

    // Two: the policy before it stays in force for a day after the second, and the log says so.
    let second = 7200;
    let from = after(second + DELAY);
    let two = sign(&hospital, &rules, SECOND, after(second))
        .await
        .unwrap();
    assert_eq!((two.have, two.waits_until), (2, Some(from)));
    let log = hospital.state.log().await.unwrap();
    let entry = log.last().unwrap();
    assert_eq!((entry.kind.as_str(), entry.at), ("policy", after(second)));
    assert_eq!(entry.detail["waits-until"], from.to_string());
    // Signed again, it waits no longer for it.
    let again = sign(&hospital, &rules, STEWARD, after(second + 60)).await;
    assert_eq!(again.unwrap().waits_until, Some(from));
    for at in [after(second), Timestamp(from.0 - 1)] {
        assert_eq!(allowed_at(&hospital, at).await, low);
    }
    let app = app_at(&hospital, Timestamp(from.0 - 1)).await.unwrap();
    let refused = reply(&app, &by_officer(free(&app, "0.03"))).await;
    let reason = refused.unwrap_err().reason();
    assert_eq!(reason, Some(Reason::OutOfAllowance));
    assert_eq!(allowed_at(&hospital, from).await, 200_000_000);
    let app = app_at(&hospital, from).await.unwrap();
    reply(&app, &by_officer(free(&app, "0.03"))).await.unwrap();

    // Lowered: from this moment on.
    let rules = lay(&hospital, "0.1");
    let later = Timestamp(from.0 + 60);
    officers::sign(&hospital.config, &hospital.state, &rules, later).await;
    assert_eq!(allowed_at(&hospital, later).await, 100_000_000);
    // The policy of before, signed anew, waits like any other that raises.
    let rules = lay(&hospital, "0.2");
    officers::sign(&hospital.config, &hospital.state, &rules, later).await;
    assert_eq!(allowed_at(&hospital, later).await, 100_000_000);
}

/// Somebody kept the signed files of a looser policy and puts them back.
#[tokio::test]
async fn an_older_policy_with_its_signatures_is_not_in_force_again() {
    let hospital = held(DEFAULT).await;
    let folder = hospital.config.data.join("policy-approvals");
    let files = [STEWARD, SECOND].map(|name| folder.join(format!("{name}.json")));
    let kept = files.clone().map(|file| std::fs::read(file).unwrap());
    let rules = lay(&hospital, "0.1");
    officers::sign(&hospital.config, &hospital.state, &rules, after(60)).await;
    lay(&hospital, "0.2");
    for (file, bytes) in files.iter().zip(&kept) {
        std::fs::write(file, bytes).unwrap();
    }
    let opened = app_at(&hospital, after(100 * DELAY)).await;
    let superseded = matches!(opened, Err(OpenError::Access(AccessError::Superseded)));
    assert!(superseded, "{opened:?}");
}

/// A machine's clock is set forward to come to the next day, or back to date a signature.
#[tokio::test]
async fn a_clock_that_is_moved_shortens_nothing() {
    let hospital = held(&DEFAULT.replace(FREE, "free = \"0.1\"")).await;
    let agree = async |at: Timestamp| {
        sqlx::query("insert into clock (id, highest) values (1, $1) on conflict (id) do update set highest = $1")
            .bind(at.0)
            .execute(hospital.state.pool())
            .await
            .unwrap();
    };
    agree(after(3600)).await;
    let rules = lay(&hospital, "0.2");
    let back = sign(&hospital, &rules, STEWARD, after(-DELAY)).await;
    assert!(matches!(back, Err(AccessError::Clock(_))), "{back:?}");
    officers::sign(&hospital.config, &hospital.state, &rules, after(3600)).await;
    // What node and coordinator agreed on counts, not the clock.
    let far = after(3600 + 10 * DELAY);
    assert_eq!(allowed_at(&hospital, far).await, 100_000_000);
    agree(after(3600 + DELAY)).await;
    assert_eq!(allowed_at(&hospital, far).await, 200_000_000);
}

/// The previous policy is not at hand any more (here: changed where it is kept): nothing is
/// answered until the new one counts, and the error says from when.
#[tokio::test]
async fn where_the_policy_before_cannot_be_kept_up_the_node_refuses_and_says_until_when() {
    let hospital = held(&DEFAULT.replace(FREE, "free = \"0.1\"")).await;
    let looser =
        "update policies set signed = replace(signed, '\"free\":100000000', '\"free\":900000000')";
    let changed = sqlx::query(looser).execute(hospital.state.pool()).await;
    assert_eq!(changed.unwrap().rows_affected(), 1);
    let rules = lay(&hospital, "0.2");
    officers::sign(&hospital.config, &hospital.state, &rules, NOW).await;
    match app_at(&hospital, after(60)).await {
        Err(OpenError::Access(error @ AccessError::Waits(from))) => {
            assert_eq!(from, after(DELAY));
            assert!(error.to_string().contains(&from.to_string()), "{error}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(allowed_at(&hospital, after(DELAY)).await, 200_000_000);
}

#[tokio::test]
async fn administrators_raise_nothing_alone_and_together_a_day_later() {
    let folder = tempfile::tempdir().unwrap();
    let state = coordinator::store::state::State::open(folder.path())
        .await
        .unwrap();
    let alliance = "river".parse().unwrap();
    let mut persons = Vec::new();
    for name in ["a", "b"] {
        let (key, _) = Signer::generate().unwrap();
        let officer = Officer {
            organisation: "river".parse().unwrap(),
            name: name.parse().unwrap(),
            role: Role::Administrator,
            key: key.public(),
        };
        administrators::add(&state, &officer, &[], NOW)
            .await
            .unwrap();
        persons.push((officer.name, key));
    }
    let rules = |free: &str| {
        let text = DEFAULT.replace(FREE, &format!("free = \"{free}\""));
        Privacy::parse(&text).unwrap()
    };
    let sign = async |rules: &Privacy, n: usize, at: Timestamp| {
        let (access, _) = administrators::policy(folder.path(), rules).unwrap();
        let (name, key) = &persons[n];
        administrators::approve(&state, (&alliance, rules, &access), (name, key), at).await
    };
    let at = async |rules: &Privacy, at: Timestamp| {
        let (_, digest) = administrators::policy(folder.path(), rules).unwrap();
        administrators::approved(&state, &alliance, digest, at).await
    };
    let (low, high) = (rules("0.1"), rules("0.2"));
    for n in 0..2 {
        sign(&low, n, NOW).await.unwrap();
    }
    assert!(at(&low, NOW).await.is_ok());
    assert_eq!(sign(&high, 0, after(10)).await.unwrap().have, 1);
    assert!(matches!(
        at(&high, after(100 * DELAY)).await,
        Err(AdministratorsError::Officers(OfficersError::TooFew { .. }))
    ));
    let from = after(20 + DELAY);
    let two = sign(&high, 1, after(20)).await.unwrap();
    assert_eq!(two.waits_until, Some(from));
    let early = at(&high, Timestamp(from.0 - 1)).await;
    assert!(matches!(early, Err(AdministratorsError::Waits(until)) if until == from));
    assert!(at(&low, Timestamp(from.0 - 1)).await.is_ok(), "stays");
    assert!(at(&high, from).await.is_ok());
    let old = at(&low, from).await;
    assert!(old.is_err(), "what was signed before does not come back");
    // Lowered: at once.
    for n in 0..2 {
        sign(&low, n, from).await.unwrap();
    }
    assert!(at(&low, from).await.is_ok());
    let back = sign(&high, 0, NOW).await;
    assert!(back.is_ok(), "no time was seen yet");
    sqlx::query("insert into clock (id, highest) values (1, $1)")
        .bind(from.0)
        .execute(state.pool())
        .await
        .unwrap();
    let back = sign(&high, 1, NOW).await;
    assert!(
        matches!(back, Err(AdministratorsError::Clock(_))),
        "{back:?}"
    );
}
