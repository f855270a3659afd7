//! Processes that are killed at every step of a charge.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use node::store::state::State;
use schemas::seal::Signer;
use tests::fixture;

use super::{Seen, ask, check, layout, runtime};
use crate::dying::{self, die};

/// The child of the crash test: asks until its step has come, then dies without a word.
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
    dying::after(step.parse().unwrap());
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
            .args(["ledger::crash::crash_worker", "--exact", "--nocapture"])
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
