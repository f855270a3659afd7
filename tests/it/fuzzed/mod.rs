//! Every parser and message under changed input: nothing panics, nothing takes long, nothing repeats what it
//! was given, and what is taken has one form. Which parsers there are is read from the sources, so that a
//! new one without a target is seen.

mod corpus;
mod derived;
mod doors;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use corpus::{changed, corpus};
use targets::{Said, TARGETS};

use crate::simulated::Source;

/// Text that no refusal may repeat.
const SECRET: &str = "秘密4111";
/// For all targets together: 10 minutes with CONSILIUM_LONG=1, else so that the default tier stays short.
const LONG: Duration = Duration::from_mins(10);
const SHORT: Duration = Duration::from_secs(20);
/// One input, in a build without optimisation, on a busy machine.
const MOST: Duration = Duration::from_secs(5);

#[expect(
    clippy::disallowed_methods,
    reason = "test.sh says by the environment what is to be run"
)]
#[test]
fn no_parser_panics_dawdles_or_repeats() {
    let long = std::env::var("CONSILIUM_LONG").is_ok_and(|long| long == "1");
    let whole = if long { LONG } else { SHORT };
    let each = whole / u32::try_from(TARGETS.len()).unwrap();
    let seed = 41;
    let (all, mut blind, mut total) = (corpus(), Vec::new(), 0_u64);
    for (target, read) in TARGETS {
        let mut random = Source(seed);
        let taken = |bytes: &Vec<u8>| matches!(read(bytes), Said::Taken(_));
        let own: Vec<&Vec<u8>> = all.iter().filter(|bytes| taken(bytes)).collect();
        if own.is_empty() {
            blind.push(*target);
        }
        let end = Instant::now() + each;
        let mut count = 0_u64;
        while Instant::now() < end || count < 200 {
            // Three of four from what it takes, where anything is known that it takes.
            let from = |random: &mut Source| {
                if own.is_empty() || random.uniform() < 0.25 {
                    &all[corpus::below(random, all.len())]
                } else {
                    own[corpus::below(random, own.len())]
                }
            };
            let (first, second) = (from(&mut random), from(&mut random));
            let bytes = changed(first, second, &mut random);
            let begun = Instant::now();
            let said = catch_unwind(AssertUnwindSafe(|| read(&bytes)));
            let shown = || String::from_utf8_lossy(&bytes[..bytes.len().min(400)]).into_owned();
            let said = said.unwrap_or_else(|_| panic!("{target:?} panics on {}", shown()));
            assert!(begun.elapsed() < MOST, "{target:?} dawdles on {}", shown());
            match said {
                Said::Taken(Some(again)) => assert!(again, "{target:?} has two forms: {}", shown()),
                Said::Taken(None) => {}
                Said::Refused(told) => {
                    assert!(told.len() < 4000, "{target:?} tells too much: {told}");
                    // Names of settings and fields are told; what they hold is not.
                    let named = ["unknown field `", "duplicate field `", "duplicate key"];
                    let named = named.iter().any(|start| told.contains(start));
                    let repeats = !named && (told.contains("秘密") || told.contains("4111"));
                    assert!(!repeats, "{target:?} repeats: {told}");
                }
            }
            count += 1;
        }
        total += count;
    }
    println!(
        "{total} inputs over {} targets; without a seed of their own: {blind:?}",
        TARGETS.len()
    );
    assert!(blind.len() * 3 < TARGETS.len(), "too few seeds: {blind:?}");
}
