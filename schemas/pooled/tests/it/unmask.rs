//! Unmasking as a state space: an equivocating coordinator shows every honest seat any of two
//! survivor sets in any order, as often as it likes, loses what it wants, and has `f` seats that sign
//! and tell whatever helps. At no state can it take the masks off both sets, nor off a set that has
//! no certificate.
//!
//! What honest seats do is the rule of the node's `pooled::seat` and `pooled::sums`: one ballot, kept
//! before it is signed; sums only for a certified set, not beside the own vote; the sum of a class is
//! known to the coordinator as soon as one of the class's members tells it.

use std::collections::BTreeSet;

use pooled::shape::Shape;
use pooled::vote::Ballot;
use schemas::digest::Digest;

const SETS: usize = 2;

/// What one honest seat has done: its stored ballot, votes signed, sums told.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
struct Seat {
    ballot: Option<usize>,
    voted: BTreeSet<usize>,
    told: BTreeSet<usize>,
}

/// Which guards stand.
#[derive(Clone, Copy, Debug)]
struct Guards {
    /// A member casts one ballot for ever.
    ballot: bool,
    /// Sums need a certificate.
    certificate: bool,
    /// Votes that certify.
    quorum: usize,
}

type State = Vec<Seat>;

fn set(which: usize) -> Ballot {
    Ballot::Certify(Digest::of("set", &[&[u8::try_from(which).unwrap()]]))
}

fn certified(shape: Shape, guards: Guards, state: &State, which: usize) -> bool {
    let honest = state.iter().filter(|seat| seat.voted.contains(&which));
    honest.count() + usize::from(shape.f()) >= guards.quorum
}

/// All that can happen next: one honest seat is asked for a vote, or for its sums.
fn next(shape: Shape, guards: Guards, state: &State) -> Vec<State> {
    let mut found = Vec::new();
    for seat in 0..state.len() {
        for which in 0..SETS {
            let here = &state[seat];
            let stored = here.ballot.map(set);
            if !guards.ballot || Ballot::cast(stored, set(which)).is_ok() {
                let mut after = state.clone();
                after[seat].ballot = Some(which);
                after[seat].voted.insert(which);
                found.push(after);
            }
            let allowed = !guards.certificate || certified(shape, guards, state, which);
            if allowed && here.ballot.is_none_or(|ballot| ballot == which) {
                let mut after = state.clone();
                after[seat].told.insert(which);
                found.push(after);
            }
        }
    }
    found
}

/// Whether the coordinator knows the sum of every class: the colluding seats are the last `f`.
fn unmasked(shape: Shape, state: &State, which: usize) -> bool {
    shape.classes().into_iter().all(|class| {
        (0..shape.m())
            .filter(|seat| class.contains(*seat))
            .any(|seat| {
                let honest = state.get(usize::from(seat));
                honest.is_none_or(|seat| seat.told.contains(&which))
            })
    })
}

/// Whether both sets can be unmasked, and whether one can be that is not certified.
fn broken(shape: Shape, guards: Guards) -> (bool, bool) {
    let honest = usize::from(shape.m() - shape.f());
    // Seats are alike for classes and quorum up to order only if the order is kept: no reduction
    // but for the states themselves.
    let start: State = vec![Seat::default(); honest];
    let mut seen: BTreeSet<State> = BTreeSet::from([start.clone()]);
    let mut open = vec![start];
    let (mut both, mut bare) = (false, false);
    while let Some(state) = open.pop() {
        let open_sets: Vec<usize> = (0..SETS)
            .filter(|which| unmasked(shape, &state, *which))
            .collect();
        both |= open_sets.len() > 1;
        bare |= open_sets
            .iter()
            .any(|which| !certified(shape, guards, &state, *which));
        if both && bare {
            break;
        }
        for after in next(shape, guards, &state) {
            if seen.insert(after.clone()) {
                open.push(after);
            }
        }
    }
    (both, bare)
}

fn guards(shape: Shape) -> Guards {
    Guards {
        ballot: true,
        certificate: true,
        quorum: shape.quorum(),
    }
}

#[test]
fn two_sets_are_never_both_unmasked() {
    for shape in Shape::ALLOWED {
        assert_eq!(broken(shape, guards(shape)), (false, false), "{shape:?}");
    }
}

/// The model sees each guard that is taken out.
#[test]
fn every_guard_is_needed() {
    for shape in [Shape::DEFAULT, Shape::new(3, 1).unwrap()] {
        let whole = guards(shape);
        let twice = Guards {
            ballot: false,
            ..whole
        };
        assert!(broken(shape, twice).0, "{shape:?}: two votes");
        let few = Guards {
            quorum: shape.quorum() - 1,
            ..whole
        };
        assert!(broken(shape, few).0, "{shape:?}: a smaller quorum");
        let bare = Guards {
            certificate: false,
            ..whole
        };
        assert!(
            broken(shape, bare).1,
            "{shape:?}: sums without a certificate"
        );
    }
}
