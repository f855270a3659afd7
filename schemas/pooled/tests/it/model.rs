//! Votes as a state space: every order, loss and repetition of proposals and void requests to every
//! committee, with `f` seats that sign whatever helps. Two sets are never both certified, nor a set
//! and the round's void.

use std::collections::BTreeSet;

use pooled::shape::Shape;
use pooled::survivors::{Certificate, SurvivorsError, VoidCertificate};
use pooled::vote::{Ballot, Void};
use schemas::digest::Digest;

use crate::fixture::{Alliance, signer, survivors, votes};

const WANTED: usize = 3;

fn wanted() -> [Ballot; WANTED] {
    let set = |name: &[u8]| Ballot::Certify(Digest::of("set", &[name]));
    [set(b"U1"), set(b"U2"), Ballot::Void]
}

/// All states of the honest seats that some sequence of messages leads to: each message asks one
/// seat for one ballot, and every ballot ever given can be replayed for ever.
fn reachable(
    honest: usize,
    cast: fn(Option<Ballot>, Ballot) -> Option<Ballot>,
) -> BTreeSet<Vec<BTreeSet<usize>>> {
    // A state is, for every honest seat, the ballots that it has signed; the stored one is the
    // last. Signed ballots stay in the coordinator's hands.
    type State = Vec<(Option<usize>, BTreeSet<usize>)>;
    let start: State = vec![(None, BTreeSet::new()); honest];
    let mut seen: BTreeSet<State> = BTreeSet::from([start.clone()]);
    let mut open = vec![start];
    while let Some(state) = open.pop() {
        for seat in 0..honest {
            for (ballot, asked) in wanted().into_iter().enumerate() {
                let stored = state[seat].0.map(|stored| wanted()[stored]);
                if cast(stored, asked).is_some() {
                    let mut next = state.clone();
                    next[seat].0 = Some(ballot);
                    next[seat].1.insert(ballot);
                    if seen.insert(next.clone()) {
                        open.push(next);
                    }
                }
            }
        }
    }
    seen.into_iter()
        .map(|state| state.into_iter().map(|(_, signed)| signed).collect())
        .collect()
}

/// Whether some state gives two outcomes a quorum, the colluding seats voting for both.
fn two_outcomes(
    shape: Shape,
    quorum: usize,
    cast: fn(Option<Ballot>, Ballot) -> Option<Ballot>,
) -> bool {
    let colluding = usize::from(shape.f());
    let honest = usize::from(shape.m()) - colluding;
    reachable(honest, cast).iter().any(|state| {
        let votes = |ballot| {
            state
                .iter()
                .filter(|signed| signed.contains(&ballot))
                .count()
        };
        (0..WANTED)
            .filter(|ballot| votes(*ballot) + colluding >= quorum)
            .count()
            > 1
    })
}

fn once(stored: Option<Ballot>, asked: Ballot) -> Option<Ballot> {
    Ballot::cast(stored, asked).ok()
}

#[test]
fn one_outcome_for_every_committee() {
    for shape in Shape::ALLOWED {
        assert!(!two_outcomes(shape, shape.quorum(), once), "{shape:?}");
        // The model sees a quorum that is too small, and members that forget their vote.
        let smaller = shape.quorum() - 1;
        assert!(two_outcomes(shape, smaller, once), "{shape:?}");
        if shape.m() == 4 {
            assert!(two_outcomes(shape, shape.quorum(), |_, asked| Some(asked)));
        }
    }
}

/// What a hospital has heard of a round, in whatever order it was told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
struct Heard {
    certified: bool,
    credited: bool,
}

/// Over every order, loss and repetition of messages: whether a hospital believes a certificate and a
/// void, and whether it takes back what it paid for a round of which a set has its votes. `kept` says
/// that it refuses either after the other. The coordinator shows each as soon as it can make it.
fn credited(shape: Shape, quorum: usize, kept: bool) -> (bool, bool) {
    let colluding = usize::from(shape.f());
    let honest = usize::from(shape.m()) - colluding;
    let (mut both, mut beside) = (false, false);
    for state in reachable(honest, once) {
        let complete = |ballot: usize| {
            let votes = state.iter().filter(|signed| signed.contains(&ballot));
            votes.count() + colluding >= quorum
        };
        let (set, void) = (complete(0) || complete(1), complete(2));
        let mut seen = BTreeSet::from([Heard::default()]);
        let mut open = vec![Heard::default()];
        while let Some(heard) = open.pop() {
            let (mut certified, mut credited) = (heard, heard);
            certified.certified |= set && !(kept && heard.credited);
            credited.credited |= void && !(kept && heard.certified);
            open.extend(
                [certified, credited]
                    .into_iter()
                    .filter(|next| seen.insert(*next)),
            );
        }
        both |= seen.iter().any(|heard| heard.credited && heard.certified);
        beside |= set && seen.iter().any(|heard| heard.credited);
    }
    (both, beside)
}

#[test]
fn no_hospital_is_credited_for_what_is_unmasked() {
    for shape in Shape::ALLOWED {
        let quorum = shape.quorum();
        assert_eq!(credited(shape, quorum, true), (false, false), "{shape:?}");
        // The quorum alone is enough. Without it, memory still keeps a hospital from believing both.
        assert_eq!(credited(shape, quorum, false), (false, false), "{shape:?}");
        assert_eq!(
            credited(shape, quorum - 1, false),
            (true, true),
            "{shape:?}"
        );
        assert_eq!(
            credited(shape, quorum - 1, true),
            (false, true),
            "{shape:?}"
        );
    }
}

/// The same with real signatures: two honest members of (4, 1) and one that equivocates.
#[test]
fn certify_and_void_by_signatures() {
    let alliance = Alliance::new(Shape::DEFAULT, 5);
    let round = alliance.round();
    let uploads: Vec<_> = alliance
        .hospitals
        .iter()
        .map(|h| alliance.upload(&round, h, &[1; 5]))
        .collect();
    let sets = [
        survivors(&round, &uploads),
        survivors(&round, &uploads[..4]),
    ];
    let void = |seats: &[usize]| {
        let vote = |seat: &usize| {
            let member = &alliance.seats[*seat];
            Void::sign(&round, member, &signer(member.as_str())).unwrap()
        };
        VoidCertificate {
            votes: seats.iter().map(vote).collect(),
        }
    };
    // The quorum is 3 of 4; seat 3 signs everything, seats 0, 1 and 2 once each.
    let mut both = 0;
    for choice in 0..27_usize {
        let cast = [choice % 3, choice / 3 % 3, choice / 9];
        let for_ballot = |ballot: usize| -> Vec<usize> {
            (0..3)
                .filter(|seat| cast[*seat] == ballot)
                .chain([3])
                .collect()
        };
        let certified = |set: usize| -> Result<_, SurvivorsError> {
            let certificate: Certificate = votes(&alliance, &round, &sets[set], &for_ballot(set));
            certificate.verify(&round)
        };
        let outcomes = [
            certified(0).is_ok(),
            certified(1).is_ok(),
            void(&for_ballot(2)).verify(&round).is_ok(),
        ];
        let count = outcomes.iter().filter(|outcome| **outcome).count();
        assert!(count <= 1, "{cast:?}");
        both += count;
    }
    // Two or three of the three honest seats agree: 3 · (3·2 + 1) of 27 choices.
    assert_eq!(both, 21);
    assert!(void(&[0, 1, 1]).verify(&round).is_err());
    assert!(void(&[0, 1]).verify(&round).is_err());
    let mut later = alliance.manifest();
    later.round = crate::fixture::slug("later");
    assert!(
        void(&[0, 1, 2])
            .verify(&alliance.open(&later).unwrap())
            .is_err()
    );
}
