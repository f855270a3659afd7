//! The simulation of a whole alliance, of which docs/SIMULATION.md tells: some seeds, the
//! kept corpus, and one seed twice.

use std::sync::Arc;

use tests::fixture::long;
use tests::simulation::{Bug, Case, Made, drawn, play};

const CORPUS: &str = include_str!("../simulation/corpus.txt");

/// Seeds, operations each, and threads.
fn size() -> (u64, usize, u64) {
    if long() { (1000, 300, 2) } else { (40, 150, 2) }
}

fn block_on<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(what)
}

fn cases() -> Vec<Case> {
    let lines = CORPUS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.parse().unwrap()).collect()
}

#[test]
fn no_seed_breaks_a_rule() {
    let made = block_on(Made::new());
    let (seeds, operations, threads) = size();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let made: &Arc<Made> = &made;
            scope.spawn(move || {
                for seed in (thread..seeds).step_by(usize::try_from(threads).unwrap()) {
                    let outcome = block_on(play(made, &drawn(seed, operations), None));
                    assert_eq!(
                        outcome.broken,
                        None,
                        "seed {seed}: `simulate --seeds {seed}..{}`",
                        seed + 1
                    );
                }
            });
        }
    });
}

/// What broke a rule before breaks none now; what a planted bug broke, it still breaks.
#[test]
fn the_corpus_is_replayed() {
    let made = block_on(Made::new());
    for case in cases() {
        let outcome = block_on(play(&made, &case.operations, case.bug));
        let broken = outcome.broken.map(|broken| broken.what);
        assert_eq!(
            broken.is_some(),
            case.bug.is_some(),
            "{}: {broken:?}",
            case.name
        );
    }
}

#[test]
fn every_planted_bug_is_in_the_corpus() {
    let cases = cases();
    for bug in Bug::ALL {
        assert!(
            cases.iter().any(|case| case.bug == Some(*bug)),
            "{}",
            bug.as_str()
        );
    }
}

/// Two runs of a seed leave the same trace, in alliances with different keys.
#[test]
fn a_seed_leaves_one_trace() {
    let made = [block_on(Made::new()), block_on(Made::new())];
    for seed in 0..4 {
        let operations = drawn(seed, 200);
        let [one, other] = made
            .each_ref()
            .map(|made| block_on(play(made, &operations, None)));
        for (one, other) in one.trace.iter().zip(&other.trace) {
            assert_eq!(one, other, "seed {seed}");
        }
        assert_eq!(one.digest(), other.digest());
        let again = block_on(play(&made[0], &operations, None));
        assert_eq!(again.digest(), one.digest());
    }
}
