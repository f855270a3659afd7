//! The sum of `bench pooled` by Prio3SumVec of the crate `prio`, with two aggregators on one thread:
//! `prio-peer [HOSPITALS]...` prints a line for each number of hospitals at 10^4 cells.
//!
//! Cells are at most 999, so 10 bits each: Prio's proof and shares grow with the bits of the largest
//! value, and it takes nothing below 0. Shares are those that would be sealed to each aggregator.

use std::time::Instant;

use prio::codec::Encode as _;
use prio::vdaf::prio3::{Prio3SumVec, optimal_chunk_length};
use prio::vdaf::{Aggregator as _, Client as _, Collector as _, VerifyTransition};
use sha2::{Digest as _, Sha256};

const CELLS: usize = 10_000;
const LARGEST: u128 = 999;
const CONTEXT: &[u8] = b"bench";
const KEY: [u8; 32] = [7; 32];

fn main() {
    let mut numbers: Vec<usize> = std::env::args()
        .skip(1)
        .map(|number| number.parse().expect("a number of hospitals"))
        .collect();
    if numbers.is_empty() {
        numbers = vec![20, 200];
    }
    for n in numbers {
        run(n);
    }
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn run(n: usize) {
    let bits = LARGEST.ilog2() + 1;
    let chunk = optimal_chunk_length(CELLS * usize::try_from(bits).expect("few bits"));
    let prio = Prio3SumVec::new_sum_vec(2, LARGEST, CELLS, chunk).expect("a valid shape");
    let vector: Vec<u128> = (0..CELLS as u128).map(|at| at % (LARGEST + 1)).collect();
    let mut sums = [prio.aggregate_init(&()), prio.aggregate_init(&())];
    let (mut client, mut server, mut bytes) = (0.0, [0.0; 2], 0);
    for number in 0..n {
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&(number as u64).to_le_bytes());
        let sharding = Instant::now();
        let (public, shares) = prio.shard(CONTEXT, &vector, &nonce).expect("shares");
        let mut sent = public.get_encoded().expect("bytes").len();
        for share in &shares {
            sent += share.get_encoded().expect("bytes").len();
        }
        client += millis(sharding);
        bytes = bytes.max(sent);

        let (mut states, mut verifiers) = (Vec::new(), Vec::new());
        for (aggregator, share) in shares.iter().enumerate() {
            let working = Instant::now();
            let begun = prio.verify_init(&KEY, CONTEXT, aggregator, &(), &nonce, &public, share);
            let (state, verifier) = begun.expect("a share of the right shape");
            server[aggregator] += millis(working);
            states.push(state);
            verifiers.push(verifier);
        }
        let joining = Instant::now();
        let message = prio.verifier_shares_to_message(CONTEXT, &(), verifiers);
        let message = message.expect("a proof that holds");
        let joined = millis(joining);
        for (aggregator, state) in states.into_iter().enumerate() {
            let working = Instant::now();
            let next = prio.verify_next(CONTEXT, state, message.clone());
            let VerifyTransition::Finish(output) = next.expect("a proof that holds") else {
                panic!("Prio3 has one round");
            };
            prio::vdaf::Aggregatable::accumulate(&mut sums[aggregator], &output).expect("a sum");
            server[aggregator] += millis(working) + joined;
        }
    }
    let total = prio.unshard(&(), sums, n).expect("a total");
    let mut digest = Sha256::new();
    for (total, cell) in total.iter().zip(&vector) {
        assert_eq!(*total, cell * n as u128);
        digest.update(u64::try_from(*total).expect("a small sum").to_le_bytes());
    }
    let digest = digest.finalize();
    println!(
        "prio 0.18.1 Prio3SumVec: hospitals {n}, cells {CELLS} of {bits} bits; client {:.2} ms, \
         busier of 2 aggregators {:.1} ms for all ({:.2} ms an upload), {bytes} bytes a client, \
         peak {} MB, sum {:02x}{:02x}{:02x}{:02x}",
        client / n as f64,
        server[0].max(server[1]),
        server[0].max(server[1]) / n as f64,
        peak(),
        digest[0],
        digest[1],
        digest[2],
        digest[3],
    );
}

/// The most memory that this process has held so far, in MB; 0 where the system does not say.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
