//! The rule against differencing by hospital.

use pooled::family::{Earlier, FamilyError, check, families};
use pooled::manifest::Manifest;
use pooled::shape::Shape;
use pooled::survivors::{Survivor, Survivors};
use schemas::digest::Digest;
use schemas::question::{Block, Bounds, Dataset, Measure, Question, Release, Table};

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
    // t is 1: sets are equal or differ by 3.
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
fn sets_are_equal_or_far_apart_and_at_most_two() {
    let close = |difference| {
        Err(FamilyError::Close {
            difference,
            least: 3,
        })
    };
    assert_eq!(judged(&[], &ALL), Ok(()));
    assert_eq!(judged(&[&ALL], &ALL), Ok(()));
    // The set minus one, and minus one and a friend.
    assert_eq!(judged(&[&ALL], &ALL[1..]), close(1));
    assert_eq!(judged(&[&ALL], &ALL[2..]), close(2));
    assert_eq!(judged(&[&ALL], &ALL[3..]), Ok(()));
    // One hospital for another.
    assert_eq!(judged(&[&ALL[..9]], &ALL[1..]), close(2));
    // A late hospital is never added by asking again.
    assert_eq!(judged(&[&ALL[..9]], &ALL), close(1));
    // Four sets, each far from each other, whose combination isolates one: the third is refused.
    let sets: [&[usize]; 3] = [&ALL, &[1, 2, 3, 4, 5, 6], &[4, 5, 6, 7, 8, 9, 10]];
    assert_eq!(judged(&sets[..1], sets[1]), Ok(()));
    assert_eq!(judged(&sets[..2], sets[2]), Err(FamilyError::Sets));
    assert_eq!(judged(&sets[..2], sets[0]), Ok(()));
    assert_eq!(
        judged(&[sets[0], sets[1], sets[0], sets[1]], sets[1]),
        Ok(())
    );
}

#[test]
fn the_larger_t_of_both_rounds_counts() {
    let mut strict = manifest();
    strict.t = 4;
    let before = [Earlier::of(&strict, &set(&ALL))];
    let far = check(&manifest(), &set(&ALL[3..]), &before);
    assert_eq!(
        far,
        Err(FamilyError::Close {
            difference: 3,
            least: 6
        })
    );
    let before = [Earlier::of(&manifest(), &set(&ALL))];
    let far = check(&strict, &set(&ALL[3..]), &before);
    assert_eq!(
        far,
        Err(FamilyError::Close {
            difference: 3,
            least: 6
        })
    );
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

#[test]
fn a_family_is_dataset_filter_dimensions_and_measure() {
    let rho = "0.05".parse().unwrap();
    let question = Question {
        dataset: Dataset::Stays,
        dictionary: Digest::ZERO,
        rules: Digest::ZERO,
        period: "2025-01".parse().unwrap(),
        filter: [(slug("sex"), vec!["f".to_owned(), "m".to_owned()])].into(),
        tables: vec![Table {
            by: vec![slug("mdc"), slug("sex")],
            blocks: vec![
                Block {
                    measure: Measure::Count,
                    rho,
                },
                Block {
                    measure: Measure::Sum {
                        field: slug("cost"),
                    },
                    rho,
                },
            ],
        }],
        bounds: Bounds {
            groups: 3,
            stays: 1,
        },
        series: None,
        release: Release::Pooled,
        centred: false,
    };
    let base = families(&question).unwrap();
    assert_eq!(base.len(), 2);
    assert_ne!(base[0], base[1]);
    let changed = |change: &dyn Fn(&mut Question)| {
        let mut other = question.clone();
        change(&mut other);
        families(&other).unwrap()
    };
    // What must not make a new family.
    let cheaper = "0.01".parse().unwrap();
    assert_eq!(base, changed(&|q| q.period = "2025-02".parse().unwrap()));
    assert_eq!(base, changed(&|q| q.bounds.groups = 2));
    assert_eq!(base, changed(&|q| q.dictionary = Digest::of("d", &[])));
    assert_eq!(base, changed(&|q| q.rules = Digest::of("r", &[])));
    assert_eq!(base, changed(&|q| q.tables[0].blocks[0].rho = cheaper));
    assert_eq!(base, changed(&|q| q.tables[0].by.reverse()));
    assert_eq!(
        base,
        changed(&|q| q.filter.values_mut().for_each(|keys| keys.reverse()))
    );
    // What does.
    assert_ne!(base, changed(&|q| q.filter.clear()));
    assert_ne!(base[0], changed(&|q| drop(q.tables[0].by.pop()))[0]);
}
