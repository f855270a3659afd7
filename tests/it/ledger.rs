//! The ledger under random interleavings, races and killed processes.
//!
//! Held at every moment: spent never falls, never exceeds the allowance, no answer without its
//! charge, no second noise for one question.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};

use node::ledger::{self, Charged, Identity, LedgerError, Payer, Step};
use node::store::state::State;
use policies::plan::{Layout, compile};
use policies::rules::Privacy;
use proptest::prelude::*;
use schemas::answer::Answer;
use schemas::loss::Rho;
use schemas::question::{Measure, Purpose, Series};
use schemas::seal::{Sealed, Signer};
use schemas::time::Timestamp;
use sqlx::Row as _;
use tests::fixture;

/// A question of its own number, costing 0.07 a year; odd numbers touch two data years.
fn layout(number: u8) -> Layout {
    let mut question = fixture::question(&[(
        &["case_group"],
        vec![fixture::block(Measure::Count, "0.07")],
    )]);
    question
        .filter
        .insert(fixture::slug("sex"), vec!["f".to_owned()]);
    question.bounds.groups = 1 + number % 3;
    let first = 1 + number % 12;
    question.period.from = fixture::month(&format!("2025-{first:02}"));
    question.period.to = if number % 2 == 1 {
        fixture::month(&format!("2026-{:02}", 1 + number / 12))
    } else {
        fixture::month("2025-12")
    };
    compile(
        &question.canonical(),
        &fixture::dictionary(),
        &fixture::rules(),
    )
    .unwrap()
}

fn identity(layout: &Layout, release: u32) -> Identity {
    Identity {
        question: layout.question,
        releases: release.to_string(),
        mechanism: layout.digest().unwrap(),
    }
}

/// A fresh draw: random cells stand for the noise.
fn draw(layout: &Layout, signer: &Signer) -> Sealed<Answer> {
    let (fresh, _) = Signer::generate().unwrap();
    let random = fresh.public().fingerprint();
    let answer = Answer {
        question: layout.question,
        hospital: fixture::slug("h1"),
        snapshots: Vec::new(),
        mechanism: layout.digest().unwrap(),
        policy: random,
        blocks: vec![None],
    };
    Sealed::seal(signer, &answer).unwrap()
}

async fn ask(
    state: &State,
    layout: &Layout,
    release: u32,
    signer: &Signer,
    policy: &Privacy,
    watch: ledger::Watch,
) -> Result<Charged, LedgerError> {
    let identity = identity(layout, release);
    if let Some(stored) = ledger::stored(state, &identity).await? {
        return Ok(stored);
    }
    let payer = Payer {
        purpose: Purpose::Benchmark,
        policy,
        at: Timestamp(1),
    };
    ledger::affordable(state, layout, payer).await?;
    ledger::charge(state, layout, &identity, draw(layout, signer), payer, watch).await
}

/// What the state file holds, checked against itself.
struct Seen {
    spent: BTreeMap<(u16, String), Rho>,
    answers: BTreeMap<(String, String), String>,
}

async fn check(state: &State, policy: &Privacy) -> Seen {
    let lines = ledger::lines(state).await.unwrap();
    let spent: BTreeMap<_, _> = lines
        .into_iter()
        .map(|line| ((line.year.0, line.purpose), line.spent))
        .collect();
    for ((_, purpose), rho) in &spent {
        let limit = if purpose == "all" {
            policy.allowance.total
        } else {
            policy.quota(Purpose::Benchmark)
        };
        assert!(*rho <= limit, "{purpose} {rho} over its limit");
    }
    let rows = sqlx::query("select question, releases, sealed, charged_nano from answers")
        .fetch_all(state.pool())
        .await
        .unwrap();
    let answers: BTreeMap<_, _> = rows
        .iter()
        .map(|row| ((row.get(0), row.get(1)), row.get(2)))
        .collect();
    let entries = state.log().await.unwrap();
    schemas::entry::verify_chain(&entries).unwrap();
    // Every answer has one charge in the log, and the charges of a year add up to what was spent.
    assert_eq!(
        entries
            .iter()
            .filter(|e| e.kind.as_str() == "charge")
            .count(),
        rows.len()
    );
    let mut sums: BTreeMap<u16, u64> = BTreeMap::new();
    for entry in &entries {
        let rho: Rho = entry.detail["charge"].parse().unwrap();
        for year in entry.detail["years"].split(' ') {
            *sums.entry(year.parse().unwrap()).or_default() += rho.nano();
        }
    }
    for (year, sum) in sums {
        assert_eq!(spent[&(year, "all".to_owned())].nano(), sum);
    }
    Seen { spent, answers }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn invariants_hold_over_any_order(
        asks in prop::collection::vec((0_u8..14, 1_u32..3, any::<bool>()), 1..40),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (signer, _) = Signer::generate().unwrap();
        let policy = fixture::rules();
        runtime().block_on(async {
            let mut state = State::open(folder.path()).await.unwrap();
            let mut before = check(&state, &policy).await;
            for (number, release, reopen) in asks {
                if reopen {
                    state = State::open(folder.path()).await.unwrap();
                }
                let result = ask(&state, &layout(number), release, &signer, &policy, |_| {}).await;
                if let Err(error) = &result {
                    let fits = matches!(error, LedgerError::OutOfAllowance { .. });
                    assert!(fits, "{error}");
                }
                let now = check(&state, &policy).await;
                for (line, rho) in &before.spent {
                    assert!(now.spent[line] >= *rho, "spent fell");
                }
                for (key, sealed) in &before.answers {
                    assert_eq!(&now.answers[key], sealed, "a stored answer changed");
                }
                before = now;
            }
        });
    }
}

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
                    let payer = Payer {
                        purpose: Purpose::Benchmark,
                        policy: &policy,
                        at: Timestamp(1),
                    };
                    let sealed = draw(&layout, &signer);
                    ledger::charge(&state, &layout, &identity, sealed, payer, |_| {})
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

/// A year's months for one reserved charge; a restated month pays once more.
#[test]
fn a_series_is_paid_once() {
    let folder = tempfile::tempdir().unwrap();
    let policy = fixture::rules();
    let (signer, _) = Signer::generate().unwrap();
    runtime().block_on(async {
        let state = State::open(folder.path()).await.unwrap();
        let month = |number: u8| {
            let mut question =
                fixture::question(&[(&["mdc"], vec![fixture::block(Measure::Count, "0.05")])]);
            question.period.from = fixture::month(&format!("2025-{number:02}"));
            question.period.to = question.period.from;
            question.series = Some(Series { months: 3 });
            compile(&question, &fixture::dictionary(), &fixture::rules()).unwrap()
        };
        let mut paid = Vec::new();
        for number in 1..=12 {
            let layout = month(number);
            let charged = ask(&state, &layout, u32::from(number), &signer, &policy, |_| {}).await;
            paid.push(charged.unwrap().paid_now());
        }
        assert_eq!(paid[0], "0.15".parse().unwrap());
        assert!(paid[1..].iter().all(|rho| *rho == Rho::ZERO));
        let again = ask(&state, &month(4), 40, &signer, &policy, |_| {})
            .await
            .unwrap();
        assert_eq!(
            again.paid_now(),
            "0.05".parse().unwrap(),
            "a restated month pays for itself"
        );
        check(&state, &policy).await;
    });
}

/// The child of the crash test: asks until its step has come, then dies without a word.
static DIE_AT: AtomicI64 = AtomicI64::new(i64::MAX);

fn die(_: Step) {
    if DIE_AT.fetch_sub(1, Ordering::SeqCst) == 0 {
        // SIGKILL on ourselves: no destructor, no flush.
        let _gone = Command::new("kill")
            .args(["-9", &std::process::id().to_string()])
            .status();
    }
}

#[test]
fn crash_worker() {
    #[expect(
        clippy::disallowed_methods,
        reason = "how the crash test speaks to its child"
    )]
    let Ok(orders) = std::env::var("CONSILIUM_CRASH_WORKER") else {
        return;
    };
    let parts: Vec<&str> = orders.split('|').collect();
    let [folder, step, first] = parts[..] else {
        panic!("orders")
    };
    DIE_AT.store(step.parse().unwrap(), Ordering::SeqCst);
    let (signer, _) = Signer::generate().unwrap();
    let first: u8 = first.parse().unwrap();
    runtime().block_on(async {
        let state = State::open(Path::new(folder)).await.unwrap();
        for number in first..first + 6 {
            let layout = layout(number % 14);
            let Ok(charged) = ask(&state, &layout, 1, &signer, &fixture::rules(), die).await else {
                continue;
            };
            // Released: from here on the answer may have been seen.
            let sealed = serde_json::to_string(charged.sealed()).unwrap();
            println!("released {} {sealed}", layout.question);
            std::io::stdout().flush().unwrap();
        }
    });
}

/// 500 runs in one growing state file, each killed at a step of its own.
#[test]
fn killed_at_every_step_nothing_is_lost_or_doubled() {
    let policy = fixture::rules();
    let mut folder = tempfile::tempdir().unwrap();
    let mut before = Seen {
        spent: BTreeMap::new(),
        answers: BTreeMap::new(),
    };
    let mut killed = 0;
    for run in 0..500_u32 {
        if run % 4 == 0 {
            folder = tempfile::tempdir().unwrap();
            before = Seen {
                spent: BTreeMap::new(),
                answers: BTreeMap::new(),
            };
        }
        let orders = format!("{}|{}|{}", folder.path().display(), run % 23, run % 14);
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["ledger::crash_worker", "--exact", "--nocapture"])
            .env("CONSILIUM_CRASH_WORKER", orders)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        killed += u32::from(!output.status.success());
        let now = runtime().block_on(async {
            let state = State::open(folder.path()).await.unwrap();
            check(&state, &policy).await
        });
        for (line, rho) in &before.spent {
            assert!(now.spent[line] >= *rho, "spent fell");
        }
        for (key, sealed) in &before.answers {
            assert_eq!(&now.answers[key], sealed, "a stored answer changed");
        }
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let Some(rest) = line.split("released ").nth(1) else {
                continue;
            };
            let (question, sealed) = rest.split_once(' ').unwrap();
            let key = (question.to_owned(), "1".to_owned());
            assert_eq!(
                now.answers.get(&key).map(String::as_str),
                Some(sealed),
                "released without its charge"
            );
        }
        before = now;
    }
    println!("500 runs, {killed} killed");
    assert!(
        killed > 250,
        "only {killed} runs were killed: the test tests too little"
    );
}
