//! The ledger under random interleavings, races and killed processes.
//!
//! Held at every moment: spent never falls, never exceeds the allowance, no answer without its
//! charge, no second noise for one question.

mod crash;
mod races;

use std::collections::BTreeMap;

use node::ledger::{self, Charged, Identity, LedgerError, Payer};
use node::noise::{self, Gaussian, Noisy};
use node::scan;
use node::store::state::State;
use policies::plan::{Layout, compile};
use policies::rules::Privacy;
use proptest::prelude::*;
use schemas::answer::{Counted, Grade, Snapshot, Span};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::loss::Rho;
use schemas::question::{Measure, Purpose, Series};
use schemas::seal::Signer;
use schemas::time::Timestamp;
use sqlx::Row as _;
use tests::fixture;

/// A question of its own number, costing 0.07 a year; odd numbers touch two data years.
pub(crate) fn layout(number: u8) -> Layout {
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
    let snapshot = Snapshot {
        month: layout.period.from,
        release,
        grade: Grade::A,
        counted: Counted::Patient,
        span: Span::Month,
        pilot: false,
    };
    Identity::new(layout.clone(), vec![snapshot]).unwrap()
}

/// A fresh draw of noise, on no stays at all.
fn draw(layout: &Layout) -> Noisy {
    let exact = scan::run(layout, &fixture::dictionary(), &[], 1).unwrap();
    noise::add(layout, exact, &Gaussian, 1).unwrap()
}

fn payer<'a>(hospital: &'a Slug, signer: &'a Signer, policy: &'a Privacy) -> Payer<'a> {
    Payer {
        hospital,
        signer,
        purpose: Purpose::Benchmark,
        policy,
        under: NOBODY,
        at: Timestamp(1),
    }
}

/// No officers, no policy: as in a state file without any.
pub(crate) const NOBODY: ledger::Under = ledger::Under {
    policy: Digest::ZERO,
    steps: 0,
    policies: 0,
};

pub(crate) async fn ask(
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
    let hospital = fixture::slug("h1");
    let payer = payer(&hospital, signer, policy);
    ledger::affordable(state, layout, payer).await?;
    ledger::charge(state, &identity, draw(layout), payer, watch).await
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

/// Only the cells of the question that is charged become its answer.
#[test]
fn cells_of_another_question_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let policy = fixture::rules();
    let (signer, _) = Signer::generate().unwrap();
    let hospital = fixture::slug("h1");
    runtime().block_on(async {
        let state = State::open(folder.path()).await.unwrap();
        let (asked, other) = (layout(0), layout(2));
        let payer = payer(&hospital, &signer, &policy);
        let identity = identity(&asked, 1);
        let refused = ledger::charge(&state, &identity, draw(&other), payer, |_| {}).await;
        assert!(matches!(refused, Err(LedgerError::OtherQuestion)));
        assert!(check(&state, &policy).await.answers.is_empty());
        let exact = scan::run(&other, &fixture::dictionary(), &[], 1).unwrap();
        let refused = noise::add(&asked, exact, &Gaussian, 1);
        assert_eq!(refused, Err(noise::NoiseError::OtherQuestion));

        let drawn = draw(&asked);
        let cells = drawn.clone().into_blocks();
        let charged = ledger::charge(&state, &identity, drawn, payer, |_| {}).await;
        let answer = charged.unwrap().sealed().open(&signer.public()).unwrap();
        assert_eq!(answer.blocks, cells);
        assert_eq!(answer.question, asked.question);
        assert_eq!(answer.mechanism, asked.digest().unwrap());
        assert_eq!(answer.policy, NOBODY.policy);
        assert_eq!(answer.snapshots, identity.snapshots());
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
