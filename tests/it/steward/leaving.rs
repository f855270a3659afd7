//! Persons leave: their keys decide nothing more, what they decided with another stays.

use coordinator::administrators;
use node::access::{self, AccessError};
use node::answer::Spoken;
use node::log;
use node::steward;
use policies::access::OfficersError;
use policies::rules::DEFAULT;
use schemas::officer::{Departure, Officer, Role};
use schemas::seal::Signer;
use tests::officers::{SECOND, STEWARD};

use super::{
    Person, acting, app_at, approve, free, held, kinds, letter, person, round, spoken, yearly,
};
use crate::hospital::{Hospital, NOW};

fn leaves(organisation: &str, name: &str) -> Departure {
    Departure {
        organisation: organisation.parse().unwrap(),
        name: name.parse().unwrap(),
        at: NOW,
    }
}

/// A third officer, for whom the first two sign.
async fn third(hospital: &Hospital) -> Person {
    let key = Signer::generate().unwrap().0;
    let officer = Officer {
        organisation: "h1".parse().unwrap(),
        name: "sun-lei".parse().unwrap(),
        role: Role::Steward,
        key: key.public(),
    };
    let by = [STEWARD, SECOND].map(|name| person(hospital, name).key);
    access::add(&hospital.state, &officer, &by, NOW)
        .await
        .unwrap();
    Person {
        name: officer.name,
        key,
    }
}

#[tokio::test]
async fn an_officer_who_left_decides_nothing_and_the_policy_stays() {
    let hospital = held(DEFAULT).await;
    let state = &hospital.state;
    let gone = leaves("h1", STEWARD);
    let (steward, second) = (person(&hospital, STEWARD), person(&hospital, SECOND));
    let refused = access::remove(state, &gone, &[steward.key, second.key]).await;
    assert!(matches!(
        refused,
        Err(AccessError::Officers(OfficersError::Remain(_)))
    ));
    let third = third(&hospital).await;
    let app = hospital.app().await;
    let asked = round("r1", free(&app, "0.02"), NOW);
    assert_eq!(spoken(&app, &asked).await, Spoken::Waits);
    let (steward, second) = (person(&hospital, STEWARD), person(&hospital, SECOND));
    approve(&app, &steward, &asked, false).await;

    let alone = access::remove(state, &gone, &[second.key]).await;
    assert!(matches!(
        alone,
        Err(AccessError::Officers(OfficersError::Unagreed(_)))
    ));
    let by = [third.key, person(&hospital, SECOND).key];
    access::remove(state, &gone, &by).await.unwrap();
    assert_eq!(kinds(&hospital, "officer-leaves").await, 1);
    // What was read before does not hold, what is read anew does.
    assert!(!app.standing.under().holds(state.pool()).await.unwrap());
    let app = hospital.app().await;
    assert!(app.standing.under().holds(state.pool()).await.unwrap());

    // The policy that both signed is in force; what the steward alone approved is void, the standing
    // approvals too.
    assert_eq!(spoken(&app, &asked).await, Spoken::Waits);
    assert_eq!(spoken(&app, &yearly(&app, "r2")).await, Spoken::Waits);
    assert_eq!(hospital.spent("all").await, 0);
    let waiting = letter(&app, asked.1).await;
    let tried = steward::approve(
        &app.state,
        acting(&app, &steward),
        &waiting,
        "1".to_owned(),
        false,
    );
    assert!(tried.await.is_err());
    let [third, _] = by;
    let name = "sun-lei".parse().unwrap();
    let third = Person { name, key: third };
    approve(&app, &third, &asked, false).await;
    assert!(matches!(spoken(&app, &asked).await, Spoken::Answered(_)));

    // The next policy takes two of those who are left.
    let stricter = DEFAULT.replace("per_week = 500", "per_week = 499");
    std::fs::write(hospital.config.data.join("policy.toml"), stricter).unwrap();
    let rules = node::answer::policy(&hospital.config).unwrap();
    let set = access::open(&hospital.config.data).unwrap();
    let whose = (hospital.config.data.as_path(), &hospital.config.hospital);
    let sign = async |person: &Person| {
        let by = (&person.name, &person.key);
        access::approve(state, whose, (&rules, &set), by, NOW).await
    };
    assert!(sign(&steward).await.is_err());
    let second = person(&hospital, SECOND);
    assert_eq!(sign(&second).await.unwrap().have, 1);
    assert!(app_at(&hospital, NOW).await.is_err());
    assert_eq!(sign(&third).await.unwrap().have, 2);
    assert!(app_at(&hospital, NOW).await.is_ok());
}

/// Whatever the clocks said when a policy was signed and when its signer left: it stays in force,
/// and the next one can be signed.
#[tokio::test]
async fn a_clock_that_was_wrong_leaves_no_node_behind() {
    let hospital = held(DEFAULT).await;
    let state = &hospital.state;
    let third = third(&hospital).await;
    let second = person(&hospital, SECOND);
    let by = [third.key, second.key];
    let mut early = leaves("h1", STEWARD);
    early.at = schemas::time::Timestamp(NOW.0 - 1_000_000);
    access::remove(state, &early, &by).await.unwrap();
    let app = app_at(&hospital, NOW).await.unwrap();
    assert_eq!(app.standing.approved.by.len(), 2);
    let stricter = DEFAULT.replace("per_week = 500", "per_week = 499");
    std::fs::write(hospital.config.data.join("policy.toml"), stricter).unwrap();
    let rules = node::answer::policy(&hospital.config).unwrap();
    let set = access::open(&hospital.config.data).unwrap();
    let whose = (hospital.config.data.as_path(), &hospital.config.hospital);
    for (name, key) in ["sun-lei", SECOND].iter().zip(&by) {
        let name = name.parse().unwrap();
        access::approve(state, whose, (&rules, &set), (&name, key), NOW)
            .await
            .unwrap();
    }
    assert!(app_at(&hospital, NOW).await.is_ok());
}

/// Row 20: rows taken out of the register or of the signed policies are found, at every start and by
/// `log fsck`.
#[tokio::test]
async fn a_register_that_is_not_what_the_log_tells_is_found() {
    for change in [
        "delete from officers where position = 3",
        "delete from officers",
        "delete from policies",
        "update policies set position = 7",
    ] {
        let hospital = held(DEFAULT).await;
        third(&hospital).await;
        let keys = node::config::keys::Keys::open(&hospital.config.data).unwrap();
        let key = keys.message_key().unwrap().public();
        log::at_start(&hospital.state, &key).await.unwrap();
        log::fsck(&hospital.state, &key).await.unwrap();
        sqlx::query(change)
            .execute(hospital.state.pool())
            .await
            .unwrap();
        if change.starts_with("update") {
            // Positions are not told; order and content are.
            log::at_start(&hospital.state, &key).await.unwrap();
            continue;
        }
        assert!(
            log::at_start(&hospital.state, &key).await.is_err(),
            "{change}"
        );
        assert!(log::fsck(&hospital.state, &key).await.is_err(), "{change}");
    }
}

#[tokio::test]
async fn a_register_whose_departure_nobody_signed_is_refused_whole() {
    let hospital = held(DEFAULT).await;
    third(&hospital).await;
    assert!(app_at(&hospital, NOW).await.is_ok());
    let step = policies::access::Step::leaves(leaves("h1", STEWARD), &[]).unwrap();
    sqlx::query("insert into officers (position, step) values (4, $1)")
        .bind(serde_json::to_string(&step).unwrap())
        .execute(hospital.state.pool())
        .await
        .unwrap();
    assert!(app_at(&hospital, NOW).await.is_err());
}

#[tokio::test]
async fn an_administrator_who_left_signs_no_policy() {
    let folder = tempfile::tempdir().unwrap();
    let state = coordinator::store::state::State::open(folder.path())
        .await
        .unwrap();
    let alliance = "river".parse().unwrap();
    let keys: Vec<Signer> = (0..3).map(|_| Signer::generate().unwrap().0).collect();
    let names = ["wang-fang", "liu-yang", "chen-mo"];
    for (n, name) in names.iter().enumerate() {
        let officer = Officer {
            organisation: "river".parse().unwrap(),
            name: name.parse().unwrap(),
            role: Role::Administrator,
            key: keys[n].public(),
        };
        let by = if n < 2 { &[][..] } else { &keys[..2] };
        administrators::add(&state, &officer, by, NOW)
            .await
            .unwrap();
    }
    let rules = policies::rules::Privacy::parse(DEFAULT).unwrap();
    let (access, digest) = administrators::policy(folder.path(), &rules).unwrap();
    let sign = async |n: usize| {
        let name = names[n].parse().unwrap();
        let whose = (&alliance, &rules, &access);
        administrators::approve(&state, whose, (&name, &keys[n]), NOW).await
    };
    sign(0).await.unwrap();
    let gone = leaves("river", names[0]);
    assert!(
        administrators::remove(&state, &gone, &keys[..1])
            .await
            .is_err()
    );
    administrators::remove(&state, &gone, &keys[1..])
        .await
        .unwrap();
    assert!(sign(0).await.is_err());
    // The signature from before counts no more for a policy that is not in force yet.
    assert_eq!(sign(1).await.unwrap().have, 1);
    assert!(
        administrators::approved(&state, &alliance, digest, NOW)
            .await
            .is_err()
    );
    assert_eq!(sign(2).await.unwrap().have, 2);
    let approved = administrators::approved(&state, &alliance, digest, NOW).await;
    assert_eq!(approved.unwrap().by.len(), 2);
    let twice = administrators::remove(&state, &gone, &keys[1..]).await;
    assert!(twice.is_err(), "gone already");
    let last = leaves("river", names[1]);
    assert!(
        administrators::remove(&state, &last, &keys[1..])
            .await
            .is_err()
    );
}
