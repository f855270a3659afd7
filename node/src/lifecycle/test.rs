use schemas::digest::Digest;

use super::*;
use crate::access;
use crate::config::Stewardship;
use crate::load::fixture::{NOW, Trial, row};
use crate::release::{ReleaseError, SignOff, discard, release, release_under, step};

/// Two officers with their keys.
pub(crate) async fn officers(trial: &Trial) -> (Officers, [(Slug, Signer); 2]) {
    let hospital: Slug = "h1".parse().unwrap();
    let seats = [
        ("li-hua", Role::Steward),
        ("zhao-min", Role::SecurityOfficer),
    ];
    let mut keys = Vec::new();
    for (name, role) in seats {
        let (key, _) = Signer::generate().unwrap();
        let officer = Officer {
            organisation: hospital.clone(),
            name: name.parse().unwrap(),
            role,
            key: key.public(),
        };
        access::add(&trial.state, &officer, &[], NOW).await.unwrap();
        keys.push((officer.name, key));
    }
    let officers = access::officers(trial.state.pool(), &hospital)
        .await
        .unwrap();
    let keys = keys.try_into().map_err(drop).unwrap();
    (officers, keys)
}

pub(crate) fn by(officer: &str) -> SignOff<'_> {
    SignOff {
        officer,
        accept_grade_d: true,
        gate: None,
        at: NOW,
    }
}

fn month() -> Month {
    "2025-03".parse().unwrap()
}

fn wrong(error: &ReleaseError) -> (&'static str, &'static str) {
    match error {
        ReleaseError::Lifecycle(LifecycleError::Order { is, to, .. }) => (is, to),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn steps_are_taken_in_order_and_no_other_way() {
    let trial = Trial::new().await;
    let data = trial.config.data.as_path();
    let rules = Stewardship {
        each_step: true,
        ..Stewardship::default()
    };
    let load = trial
        .load("a.csv", &[row("a", "p1", "2025-03", "FR19")])
        .await
        .unwrap();
    let take = async |to: Step| step(&trial.state, data, month(), to, &by("Li Hua")).await;
    let free = async || release_under(&trial.state, data, None, &by("Li Hua"), &rules).await;
    assert_eq!(wrong(&free().await.unwrap_err()), ("loaded", "released"));
    for to in [
        Step::Deidentified,
        Step::Released,
        Step::Retired,
        Step::Loaded,
    ] {
        let refused = take(to).await.unwrap_err();
        assert_eq!(wrong(&refused), ("loaded", to.as_str()));
    }
    take(Step::Validated).await.unwrap();
    assert_eq!(
        wrong(&take(Step::Validated).await.unwrap_err()),
        ("validated", "validated")
    );
    assert_eq!(wrong(&free().await.unwrap_err()), ("validated", "released"));
    take(Step::Deidentified).await.unwrap();
    free().await.unwrap();
    assert_eq!(
        wrong(&take(Step::Validated).await.unwrap_err()),
        ("released", "validated")
    );
    let steps = of(&trial.state).await.unwrap();
    let words: Vec<&str> = steps.iter().map(|one| one.step.as_str()).collect();
    assert_eq!(words, ["deidentified", "released", "validated"]);
    let all = |one: &Taken| one.officer == "Li Hua" && one.load == *load.load.as_ref().unwrap();
    assert!(steps.iter().all(all));
    let log = trial.state.log().await.unwrap();
    let told = log.iter().filter(|entry| entry.kind.as_str() == "dataset");
    let told: Vec<&str> = told.map(|entry| entry.detail["step"].as_str()).collect();
    assert_eq!(told, ["validated", "deidentified"]);
}

#[tokio::test]
async fn a_release_stands_for_the_steps_before_it_and_a_discard_takes_them_back() {
    let trial = Trial::new().await;
    let data = trial.config.data.as_path();
    let load = trial
        .load("a.csv", &[row("a", "p1", "2025-03", "FR19")])
        .await
        .unwrap();
    step(&trial.state, data, month(), Step::Validated, &by("Li Hua"))
        .await
        .unwrap();
    discard(&trial.state, data, &load.load.unwrap(), NOW)
        .await
        .unwrap();
    assert!(of(&trial.state).await.unwrap().is_empty());
    trial
        .load("a.csv", &[row("a", "p1", "2025-03", "FR19")])
        .await
        .unwrap();
    release(&trial.state, data, None, &by("Wu Jun"))
        .await
        .unwrap();
    assert_eq!(of(&trial.state).await.unwrap().len(), 3);
}

fn agreement(id: &str, from: &str, to: &str) -> Agreement {
    Agreement {
        id: id.parse().unwrap(),
        parties: vec!["river".parse().unwrap()],
        purpose: "cost benchmark".to_owned(),
        datasets: vec!["stays".parse().unwrap()],
        from: from.to_owned(),
        to: to.to_owned(),
        document: Digest::of("test", &[]),
    }
}

#[tokio::test]
async fn a_release_rests_on_an_agreement_where_the_settings_say_so() {
    let trial = Trial::new().await;
    let data = trial.config.data.as_path();
    let (officers, keys) = officers(&trial).await;
    let [steward, second] = &keys;
    let by_steward = Deciding {
        officers: &officers,
        name: &steward.0,
        key: &steward.1,
        at: NOW,
    };
    let by_second = Deciding {
        name: &second.0,
        key: &second.1,
        ..by_steward
    };
    let rules = Stewardship {
        needs_agreement: true,
        ..Stewardship::default()
    };
    trial
        .load("a.csv", &[row("a", "p1", "2025-03", "FR19")])
        .await
        .unwrap();
    let free = async || release_under(&trial.state, data, None, &by("Li Hua"), &rules).await;
    let needs = |result: Result<_, ReleaseError>| {
        let needs: Result<Vec<crate::release::MonthState>, _> = result;
        matches!(
            needs,
            Err(ReleaseError::Lifecycle(LifecycleError::NeedsAgreement(
                "stays"
            )))
        )
    };
    assert!(needs(free().await));
    // NOW is 2025-07-01: one is over, one has not begun, one was ended.
    for (id, from, to) in [
        ("old", "2024-01-01", "2025-06-30"),
        ("new", "2025-07-02", "2026-06-30"),
        ("ended", "2025-01-01", "2025-12-31"),
    ] {
        add(&trial.state, &by_steward, &agreement(id, from, to))
            .await
            .unwrap();
    }
    let ended: Slug = "ended".parse().unwrap();
    assert!(in_force(trial.state.pool(), "stays", NOW).await.unwrap());
    let other = end(&trial.state, &by_second, &ended).await;
    assert!(matches!(other, Err(LifecycleError::NotSteward(_))));
    end(&trial.state, &by_steward, &ended).await.unwrap();
    assert!(matches!(
        end(&trial.state, &by_steward, &ended).await,
        Err(LifecycleError::NoAgreement(_))
    ));
    assert!(needs(free().await));
    let wrong_key = Deciding {
        key: &second.1,
        ..by_steward
    };
    let sound = agreement("river", "2025-07-01", "2025-07-01");
    assert!(matches!(
        add(&trial.state, &wrong_key, &sound).await,
        Err(LifecycleError::Officers(_))
    ));
    add(&trial.state, &by_steward, &sound).await.unwrap();
    assert!(matches!(
        add(&trial.state, &by_steward, &sound).await,
        Err(LifecycleError::Known(_))
    ));
    assert_eq!(free().await.unwrap().len(), 1);
    assert_eq!(list(&trial.state).await.unwrap().len(), 4);
}

#[tokio::test]
async fn what_breaks_a_rule_is_no_agreement() {
    let trial = Trial::new().await;
    let (officers, [(name, key), _]) = officers(&trial).await;
    let by_steward = Deciding {
        officers: &officers,
        name: &name,
        key: &key,
        at: NOW,
    };
    let sound = agreement("river", "2025-07-01", "2025-07-01");
    for (field, spoilt) in [
        ("to", agreement("x", "2025-07-02", "2025-07-01")),
        ("from", agreement("x", "2025-7-2", "2025-07-01")),
        ("from", agreement("x", "2025-02-30", "2025-07-01")),
        (
            "purpose",
            Agreement {
                purpose: "a\nb".to_owned(),
                ..sound.clone()
            },
        ),
        (
            "parties",
            Agreement {
                parties: Vec::new(),
                ..sound.clone()
            },
        ),
        (
            "datasets",
            Agreement {
                datasets: vec!["names".parse().unwrap()],
                ..sound.clone()
            },
        ),
    ] {
        let refused = add(&trial.state, &by_steward, &spoilt)
            .await
            .unwrap_err()
            .to_string();
        assert!(refused.contains(field), "{refused}");
    }
    assert!(list(&trial.state).await.unwrap().is_empty());
}
