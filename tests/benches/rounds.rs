//! What a pooled round costs, party by party: `bench pooled [--large]` prints, for 20, 200 and 1,000
//! hospitals and 10^4 and 10^5 cells under a committee (4, 1), milliseconds of processor work on one
//! thread and bytes. `--large` adds 1,000 hospitals × 10^5 cells, which holds 0.8 GB of uploads. Noise is
//! timed on its own and left out of the sum, whose digest the peers (`prio`, `secagg.py`) print as well.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench stops at the first fault, and prints rounded numbers"
)]

#[expect(dead_code, reason = "the tests of the crate use more of it")]
#[path = "../../schemas/pooled/tests/it/fixture.rs"]
mod fixture;

use node::noise::{Gaussian, Source as _};
use policies::plan::{BlockLayout, Sigma};
use pooled::inspect::Proposal;
use pooled::manifest::Round;
use pooled::shape::Shape;
use pooled::sums::{MaskSum, Sent, Sum};
use pooled::total::Adding;
use pooled::upload::{Masked, Secrets, Upload};
use schemas::canonical;
use schemas::question::Measure;

use fixture::{Alliance, signer, survivors, votes};

pub(super) fn run(large: bool) {
    println!(
        "hospitals   cells  node ms  noise ms  upload B  member ms  to member B  sums B  \
         taken ms/upload  total ms  peak MB  sum"
    );
    for (n, cells) in [
        (20, 10_000_u32),
        (20, 100_000),
        (200, 10_000),
        (200, 100_000),
        (1_000, 10_000),
        (1_000, 100_000),
    ] {
        if large || n * usize::try_from(cells).unwrap() < 100_000_000 {
            bench(n, cells);
        }
    }
}

/// Processor time of this thread so far, in ns, so that figures hold on a busy machine; the time of the
/// clock where the system does not say.
fn spent() -> u64 {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let spent = said
        .split_whitespace()
        .next()
        .and_then(|ns| ns.parse().ok());
    spent.unwrap_or_else(|| {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        u64::try_from(since.as_nanos()).unwrap()
    })
}

fn millis(since: u64) -> f64 {
    (spent() - since) as f64 / 1e6
}

fn bench(n: usize, cells: u32) {
    let alliance = Alliance::new(Shape::DEFAULT, n);
    let mut manifest = alliance.manifest();
    manifest.blocks[0].cells = cells;
    // Counts alone: the range of a sum over 1,000 hospitals leaves room for few fen.
    manifest.blocks.truncate(1);
    let round = alliance.open(&manifest).unwrap();
    let wide = usize::try_from(cells).unwrap();
    let vector: Vec<i64> = (0..wide)
        .map(|at| i64::try_from(at % 1_000).unwrap())
        .collect();

    let drawing = spent();
    let noised = Gaussian.add(&vector, &block()).unwrap();
    let noise = millis(drawing);
    assert_eq!(noised.len(), wide);
    let making = spent();
    let mut bytes = Vec::new();
    for hospital in &alliance.hospitals {
        let secrets = Secrets::random(alliance.shape).unwrap();
        let key = signer(hospital.as_str());
        let made = Upload::make(&round, hospital, &key, &vector, secrets).unwrap();
        bytes.push(made.to_bytes().unwrap());
    }
    let node = millis(making) / n as f64;
    let length = bytes[0].len();
    let parsing = spent();
    let mut uploads = Vec::with_capacity(n);
    for bytes in &bytes {
        uploads.push(Upload::parse(&round, bytes).unwrap());
    }
    let parse = millis(parsing) / n as f64;

    let (member, proposal, told, sums) = committee(&alliance, &round, &uploads);
    let set = survivors(&round, &uploads);
    let certified = votes(&alliance, &round, &set, &[0, 1, 2])
        .verify(&round)
        .unwrap();
    let digests: Vec<_> = uploads.iter().map(|one| *one.masked().digest()).collect();
    drop(uploads);
    // As the coordinator does once all classes are in: stored bytes are held against the digests
    // that were kept when each upload was verified.
    let totalling = spent();
    let mut adding = Adding::new(&round, &certified);
    for (bytes, digest) in bytes.iter().zip(&digests) {
        let masked = Masked::kept(&round, *digest, bytes).unwrap();
        adding.add(&masked).unwrap();
    }
    let found = adding.total(&sums).unwrap();
    let total = millis(totalling);
    let times = i64::try_from(n).unwrap();
    let plain: Vec<i64> = vector.iter().map(|cell| cell * times).collect();
    assert_eq!(found.blocks[0].raw, plain);
    println!(
        "{n:9} {cells:7}  {node:7.2}  {noise:8.1}  {length:8}  {member:9.1}  {proposal:11}  \
         {told:6}  {parse:15.2}  {total:8.1}  {:7}  {}",
        peak(),
        digest(&plain)
    );
}

/// The first 8 digits of the sum's SHA-256, 8 little-endian bytes a cell.
fn digest(sum: &[i64]) -> String {
    let bytes: Vec<u8> = sum.iter().flat_map(|cell| cell.to_le_bytes()).collect();
    let sha256 = ring::digest::digest(&ring::digest::SHA256, &bytes);
    sha256.as_ref()[..4]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Milliseconds of one member for inspecting and summing, bytes to and from it, and all sums.
fn committee(
    alliance: &Alliance,
    round: &Round,
    uploads: &[Upload],
) -> (f64, usize, usize, Vec<MaskSum>) {
    let set = survivors(round, uploads);
    let certified = votes(alliance, round, &set, &[0, 1, 2])
        .verify(round)
        .unwrap();
    let (mut member, mut to, mut told) = (0.0_f64, 0, 0);
    let mut sent: Vec<Sent> = Vec::new();
    for seat in 0..3_u8 {
        let proposal = canonical::to_bytes(&Proposal::to_seat(&set, uploads, seat)).unwrap();
        to = to.max(proposal.len());
        let (name, secret) = (
            &alliance.seats[usize::from(seat)],
            &alliance.secrets[usize::from(seat)],
        );
        let working = spent();
        let proposal = Proposal::parse(&proposal).unwrap();
        let inspected = proposal.inspect(round, name, secret).unwrap();
        let mut bytes = 0;
        for (class, vector) in inspected.sums(round, &certified).unwrap() {
            let key = signer(name.as_str());
            let word = Sum::sign(round, &certified, name, &key, class, &vector).unwrap();
            let one = Sent::with_vector(word, &vector);
            bytes += one.to_bytes().unwrap().len();
            sent.push(one);
        }
        told = told.max(bytes);
        member = member.max(millis(working));
    }
    let sums = pooled::published::mask_sums(round, &certified, &sent).unwrap();
    (member, to, told, sums)
}

/// A share of the noise as a node draws it: 40 steps of the grid.
fn block() -> BlockLayout {
    BlockLayout {
        table: 0,
        measure: Measure::Count,
        width: 1,
        centre: 0,
        l2_squared: 1,
        rho: "0.5".parse().unwrap(),
        sigma: Sigma(40 * 1024),
    }
}

/// The most memory that this process has held so far, in MB; 0 where the system does not say.
pub(crate) fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
