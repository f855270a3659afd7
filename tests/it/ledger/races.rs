//! Many askers at once.

use node::ledger;
use node::store::state::State;
use policies::rules::Privacy;
use schemas::seal::Signer;
use tests::fixture;

use super::{ask, check, draw, identity, layout, payer};

/// attacks.md T17: 64 askers, the allowance left for exactly one of them.
#[test]
fn sixty_four_askers_race_for_the_last_allowance() {
    let folder = tempfile::tempdir().unwrap();
    let rules = fixture::rules();
    let policy = Privacy {
        allowance: policies::rules::Allowance {
            total: "0.07".parse().unwrap(),
            ..rules.allowance.clone()
        },
        ..rules
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let won = runtime.block_on(async {
        let state = State::open(folder.path()).await.unwrap();
        let tasks: Vec<_> = (0..64_u32)
            .map(|release| {
                let (state, policy) = (state.clone(), policy.clone());
                tokio::spawn(async move {
                    let (signer, _) = Signer::generate().unwrap();
                    // Straight to the charge: the early check must not be what saves us.
                    let layout = layout(0);
                    let identity = identity(&layout, release);
                    let hospital = fixture::slug("h1");
                    let payer = payer(&hospital, &signer, &policy);
                    ledger::charge(&state, &identity, draw(&layout), payer, |_| {})
                        .await
                        .is_ok()
                })
            })
            .collect();
        let mut won = 0;
        for task in tasks {
            won += u32::from(task.await.unwrap());
        }
        check(&state, &policy).await;
        won
    });
    assert_eq!(won, 1);
}

/// Fifty identical questions at once: one charge, one body.
#[test]
fn identical_questions_are_charged_once() {
    let folder = tempfile::tempdir().unwrap();
    let policy = fixture::rules();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let state = State::open(folder.path()).await.unwrap();
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let (state, policy) = (state.clone(), policy.clone());
                tokio::spawn(async move {
                    let (signer, _) = Signer::generate().unwrap();
                    ask(&state, &layout(2), 1, &signer, &policy, |_| {})
                        .await
                        .unwrap()
                })
            })
            .collect();
        let mut bodies = Vec::new();
        for task in tasks {
            bodies.push(serde_json::to_string(task.await.unwrap().sealed()).unwrap());
        }
        bodies.dedup();
        assert_eq!(bodies.len(), 1);
        assert_eq!(check(&state, &policy).await.answers.len(), 1);
    });
}
