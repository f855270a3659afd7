//! Processes that are killed while they append to the log and sign checkpoints.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use node::log::{self, Keeper, Leaves};
use node::store::dictionaries;
use node::store::state::{State, append};
use schemas::digest::Digest;
use schemas::seal::Signer;
use schemas::time::Timestamp;
use tests::fixture;

const KILLS: u64 = 125;

fn signer() -> Signer {
    Signer::from_seed(&[7; 32]).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// Appends and signs until it is killed; says aloud what is done.
#[test]
fn log_worker() {
    #[expect(
        clippy::disallowed_methods,
        reason = "how the crash test speaks to its child"
    )]
    let Ok(folder) = std::env::var("CONSILIUM_LOG_WORKER") else {
        return;
    };
    let say = |text: String| {
        println!("{text}");
        std::io::stdout().flush().unwrap();
    };
    runtime().block_on(async {
        let state = State::open(Path::new(&folder)).await.unwrap();
        let (signer, hospital) = (signer(), fixture::slug("h1"));
        let keeper = Keeper::open(&state, &signer, &hospital)
            .await
            .unwrap()
            .unwrap();
        let origin = keeper.origin().await.unwrap();
        let mut leaves = Leaves::default();
        loop {
            for _ in 0..3 {
                let mut change = state.begin().await.unwrap();
                let subject = Digest::of("s", &[]);
                append(&mut change, Timestamp(1), "load", subject, &[])
                    .await
                    .unwrap();
                change.commit().await.unwrap();
                say(format!("done appended {}", state.log_head().await.unwrap()));
            }
            let tree = leaves.follow(&state).await.unwrap();
            let note = keeper.sign(&origin, tree).unwrap();
            say(format!(
                "done signed {} {}",
                tree.size(),
                tree.root_at(tree.size()).unwrap()
            ));
            keeper.keep(&note).await.unwrap();
        }
    });
}

#[test]
fn killed_while_it_appends_and_signs_the_log_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let open = async || State::open(folder.path()).await.unwrap();
    runtime().block_on(async {
        let (state, dictionary) = (open().await, fixture::dictionary());
        dictionaries::accept(&state, &dictionary, false, Timestamp(1))
            .await
            .unwrap();
        state.pool().close().await;
    });
    let (mut heads, mut roots) = (0_usize, 0_usize);
    for run in 0..KILLS {
        let told = tempfile::NamedTempFile::new().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["log::killed::log_worker", "--exact", "--nocapture"])
            .env("CONSILIUM_LOG_WORKER", folder.path())
            .stdin(Stdio::null())
            .stdout(told.reopen().unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = || std::fs::read_to_string(told.path()).unwrap();
        while !said().contains("done") {
            assert_eq!(child.try_wait().unwrap(), None, "{}", said());
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(run * 379 % 30_000));
        child.kill().unwrap();
        child.wait().unwrap();

        runtime().block_on(async {
            let state = open().await;
            let found = log::fsck(&state, &signer().public()).await.unwrap();
            let entries = state.log().await.unwrap();
            assert_eq!(found.entries, entries.len() as u64);
            let mut leaves = Leaves::default();
            let tree = leaves.follow(&state).await.unwrap();
            for line in said().lines().filter_map(|line| line.split("done ").nth(1)) {
                match line.split(' ').collect::<Vec<_>>()[..] {
                    ["appended", head] => {
                        let head: Digest = head.parse().unwrap();
                        let there = entries.iter().any(|it| it.digest().unwrap() == head);
                        assert!(there, "run {run}: an entry is lost");
                        heads += 1;
                    }
                    ["signed", size, root] => {
                        let own = tree.root_at(size.parse().unwrap()).unwrap();
                        assert_eq!(own.to_string(), root, "run {run}: another history");
                        roots += 1;
                    }
                    // Cut off by the kill.
                    _ => {}
                }
            }
            state.pool().close().await;
        });
    }
    println!("{KILLS} kills; {heads} entries and {roots} checkpoints were said to be done");
    assert!(heads > 200 && roots > 50, "the test tests too little");
}
