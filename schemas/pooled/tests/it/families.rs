//! The rule against differencing by hospital.

use pooled::family::{Earlier, FamilyError, check};
use pooled::manifest::Manifest;
use pooled::shape::Shape;
use pooled::survivors::{Survivor, Survivors};
use schemas::digest::Digest;

use crate::fixture::{Alliance, slug};

/// A set of hospitals by number.
fn set(hospitals: &[usize]) -> Survivors {
    let one = |i: &usize| Survivor {
        hospital: slug(&format!("h{i:02}")),
        upload: Digest::ZERO,
    };
    Survivors {
        manifest: Digest::ZERO,
        uploads: hospitals.iter().map(one).collect(),
    }
}

fn manifest() -> Manifest {
    Alliance::new(Shape::DEFAULT, 10).manifest()
}

fn judged(before: &[&[usize]], now: &[usize]) -> Result<(), FamilyError> {
    let manifest = manifest();
    let earlier: Vec<Earlier> = before
        .iter()
        .map(|u| Earlier::of(&manifest, &set(u)))
        .collect();
    check(&manifest, &set(now), &earlier)
}

const ALL: [usize; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

#[test]
fn overlapping_months_have_one_set() {
    let other = |difference| Err(FamilyError::Other { difference });
    assert_eq!(judged(&[], &ALL), Ok(()));
    assert_eq!(judged(&[&ALL], &ALL), Ok(()));
    assert_eq!(judged(&[&ALL, &ALL], &ALL), Ok(()));
    // The set minus one, minus one and friends, and one far from it.
    for less in 1..=6 {
        assert_eq!(judged(&[&ALL], &ALL[less..]), other(less));
    }
    // One hospital for another; a late hospital is never added by asking again.
    assert_eq!(judged(&[&ALL[..9]], &ALL[1..]), other(2));
    assert_eq!(judged(&[&ALL[..9]], &ALL), other(1));
    // An earlier set that is the same does not hide one that is not.
    assert_eq!(judged(&[&ALL, &ALL[..6]], &ALL), other(4));
}

/// Three sets, pairwise far apart, whose sums isolate hospital 12: with (4, 1), one seat that colludes
/// and certificates held back, quorums {a, b, c}, {a, b, d} and {a, c, d} would show each honest seat
/// two of them only. Whatever the three quorums of three are, no honest seat votes for two sets, so
/// that of three quorums no two are complete.
#[test]
fn quorums_cannot_be_played_against_each_other() {
    let sets: [Vec<usize>; 3] = [(1..=12).collect(), (1..=6).collect(), (7..=11).collect()];
    let manifest = manifest();
    let quorum = Shape::DEFAULT.quorum();
    let mut known: [Vec<Earlier>; 3] = Default::default();
    let mut complete = 0;
    // Seat a colludes and votes for everything; b, c and d are honest.
    for (hospitals, asked) in sets.iter().zip([[0, 1], [0, 2], [1, 2]]) {
        let set = set(hospitals);
        let mut votes = 1;
        for seat in asked {
            if check(&manifest, &set, &known[seat]).is_ok() {
                known[seat].push(Earlier::of(&manifest, &set));
                votes += 1;
            }
        }
        complete += usize::from(votes >= quorum);
    }
    assert_eq!(complete, 1);
}

#[test]
fn only_the_same_figures_over_shared_months_meet() {
    let this = manifest();
    let close = |change: &dyn Fn(&mut Manifest)| {
        let mut before = manifest();
        change(&mut before);
        check(&this, &set(&ALL[1..]), &[Earlier::of(&before, &set(&ALL))]).is_err()
    };
    assert!(close(&|_| ()));
    // No clock: what was asked long ago counts the same.
    assert!(close(&|m| m.opened.0 -= 91 * 86_400));
    assert!(close(&|m| m.period = "2024-06..2025-01".parse().unwrap()));
    assert!(!close(&|m| m.period = "2024-06..2024-12".parse().unwrap()));
    assert!(!close(&|m| m.period = "2025-03".parse().unwrap()));
    // One shared block is enough.
    assert!(close(&|m| m.blocks[0].family = Digest::ZERO));
    assert!(!close(&|m| m
        .blocks
        .iter_mut()
        .for_each(|block| block.family = Digest::ZERO)));
}
