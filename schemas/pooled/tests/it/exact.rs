//! Totals equal the plain integer sum, without noise: for every committee and 3 to 12 hospitals,
//! every subset of the seats and every set of hospitals that may be missing occur.

use pooled::shape::Shape;
use pooled::upload::Upload;
use schemas::digest::Digest;

use crate::fixture::{Alliance, finish, survivors, votes};

/// 10^15 fen.
const FAR: i64 = 1_000_000_000_000_000;

/// A number between −most and most, the ends among them, the same in every run.
fn number(most: i64, seed: [usize; 3]) -> i64 {
    let parts: Vec<[u8; 8]> = seed.iter().map(|part| part.to_le_bytes()).collect();
    let parts: Vec<&[u8]> = parts.iter().map(<[u8; 8]>::as_slice).collect();
    let digest = Digest::of("exact", &parts);
    let drawn = u64::from_le_bytes(*digest.as_bytes().first_chunk().unwrap());
    match drawn % 8 {
        0 => most,
        1 => -most,
        _ => i64::try_from(drawn % (2 * most.unsigned_abs() + 1)).unwrap() - most,
    }
}

/// All sets of hospitals with at most `most` missing, as bits.
fn left(n: usize, most: usize) -> Vec<usize> {
    (0..1 << n)
        .filter(|set: &usize| n - usize::try_from(set.count_ones()).unwrap() <= most)
        .collect()
}

/// Every set of hospitals at each number of them; the subsets of the seats in turn, all of them over
/// all numbers.
fn every_pattern(shape: Shape) {
    let seats = 1_usize << shape.m();
    let mut turn = 0_usize;
    for n in (usize::from(shape.f()) + 2).max(3)..=12 {
        let alliance = Alliance::new(shape, n);
        let round = alliance.round();
        let n_min = usize::try_from(round.manifest().n_min).unwrap();
        let rows: Vec<Vec<i64>> = (0..n)
            .map(|i| {
                let cell = |j: usize| number(if j < 2 { 1_000_000 } else { FAR }, [n, i, j]);
                (0..5).map(cell).collect()
            })
            .collect();
        let uploads: Vec<Upload> = alliance
            .hospitals
            .iter()
            .zip(&rows)
            .map(|(hospital, row)| alliance.upload(&round, hospital, row))
            .collect();
        let sets = left(n, n - n_min);
        for again in 0..sets.len().max(seats.min(16)) {
            let (set, pattern) = (sets[again % sets.len()], turn % seats);
            turn += 1;
            let inside = |i: &usize| set >> i & 1 == 1;
            let here: Vec<Upload> = (0..n).filter(inside).map(|i| uploads[i].clone()).collect();
            let present: Vec<usize> = (0..usize::from(shape.m()))
                .filter(|seat| pattern >> seat & 1 == 1)
                .collect();
            if present.len() < shape.quorum() {
                let set = survivors(&round, &here);
                let few = votes(&alliance, &round, &set, &present).verify(&round);
                assert!(few.is_err(), "{shape:?} {n} {pattern:b}");
                continue;
            }
            let totals = finish(&alliance, &round, &here, &present).unwrap();
            let raw: Vec<i64> = totals.blocks.iter().flat_map(|b| b.raw.clone()).collect();
            let plain: Vec<i64> = (0..5)
                .map(|j| (0..n).filter(inside).map(|i| rows[i][j]).sum())
                .collect();
            assert_eq!(raw, plain, "{shape:?} {n} {set:b} {pattern:b}");
        }
        // A set that is one hospital too small never gets as far as a vote.
        let few = finish(&alliance, &round, &uploads[..n_min - 1], &[0]);
        assert_eq!(few, Err("survivors"));
    }
    assert!(turn >= seats, "{shape:?}: not every subset of the seats");
}

#[test]
fn every_pattern_of_three_seats_one_colluding() {
    every_pattern(Shape::new(3, 1).unwrap());
}

#[test]
fn every_pattern_of_three_seats_two_colluding() {
    every_pattern(Shape::new(3, 2).unwrap());
}

#[test]
fn every_pattern_of_four_seats_one_colluding() {
    every_pattern(Shape::DEFAULT);
}

#[test]
fn every_pattern_of_seven_seats_two_colluding() {
    every_pattern(Shape::new(7, 2).unwrap());
}
