//! What a committee member refuses to sign, and what the coordinator refuses to believe.

use pooled::boxes::Context;
use pooled::inspect::{Fault, InspectError, Proposal};
use pooled::shape::Shape;
use pooled::sums::{MaskSum, Sum, SumError};
use pooled::survivors::{Survivors, SurvivorsError};
use pooled::upload::{Parts, Upload};
use pooled::vote::{Certify, Complaint, VoteError};
use proofs::exchange::Bytes;
use schemas::digest::Digest;
use schemas::seal::{Sealed, Signer};

use crate::fixture::{Alliance, finish, signer, slug, survivors, votes};
use pooled::manifest::Round;

fn started(shape: Shape) -> (Alliance, Round, Vec<Upload>) {
    let alliance = Alliance::new(shape, 5);
    let round = alliance.round();
    let uploads = alliance
        .hospitals
        .iter()
        .map(|h| alliance.upload(&round, h, &[3; 5]))
        .collect();
    (alliance, round, uploads)
}

fn faults(alliance: &Alliance, round: &Round, proposal: &Proposal, seat: usize) -> Vec<Fault> {
    match proposal.inspect(round, &alliance.seats[seat], &alliance.secrets[seat]) {
        Ok(_) => Vec::new(),
        Err(InspectError::Faulty(faulty)) => faulty.into_iter().map(|(_, fault)| fault).collect(),
        Err(other) => panic!("{other}"),
    }
}

/// The coordinator puts boxes with seeds that it knows in the place of all but one hospital's.
#[test]
fn a_swapped_box_is_refused_and_the_round_goes_on_without() {
    let (alliance, round, uploads) = started(Shape::DEFAULT);
    let set = survivors(&round, &uploads);
    let mut proposal = Proposal::to_seat(&set, &uploads, 0);
    assert_eq!(faults(&alliance, &round, &proposal, 0), []);
    let hospital = &alliance.hospitals[1];
    let context = Context {
        round: round.hash(),
        hospital,
        member: &alliance.seats[0],
    };
    let known = round.seats()[0]
        .box_key
        .seal(&context, &[5; 64], &[7; 96])
        .unwrap();
    proposal.handed[1].sealed_box = Bytes(known);
    assert_eq!(faults(&alliance, &round, &proposal, 0), [Fault::Swapped]);
    // Another member's box, another hospital's, a cut one.
    for other in [
        uploads[1].sealed_box(1).unwrap().to_vec(),
        uploads[2].sealed_box(0).unwrap().to_vec(),
        uploads[1].sealed_box(0).unwrap()[1..].to_vec(),
        Vec::new(),
    ] {
        proposal.handed[1].sealed_box = Bytes(other);
        assert_eq!(faults(&alliance, &round, &proposal, 0), [Fault::Swapped]);
    }
    let member = &alliance.seats[0];
    let sealed = Complaint::sign(&round, member, &signer(member.as_str()), hospital).unwrap();
    assert_eq!(
        Complaint::open(&round, &sealed).unwrap().hospital,
        *hospital
    );
    let mut left = uploads.clone();
    left.remove(1);
    let totals = finish(&alliance, &round, &left, &[0, 1, 2, 3]).unwrap();
    assert_eq!(totals.blocks[0].raw, [12, 12]);
}

/// An upload whose signed parts are what `change` makes of honest ones, with its own box 0.
fn forged(
    alliance: &Alliance,
    round: &Round,
    by: &Signer,
    content: &[u8],
    change: impl Fn(&mut Parts),
) -> Proposal {
    let uploads: Vec<Upload> = alliance
        .hospitals
        .iter()
        .map(|h| alliance.upload(round, h, &[3; 5]))
        .collect();
    let context = Context {
        round: round.hash(),
        hospital: &alliance.hospitals[0],
        member: &alliance.seats[0],
    };
    let sealed_box = round.seats()[0]
        .box_key
        .seal(&context, &[5; 64], content)
        .unwrap();
    let mut parts: Parts = uploads[0]
        .masked()
        .sealed()
        .open(&signer("h01").public())
        .unwrap();
    parts.boxes[0] = Digest::of("cams-sealed-box-v1", &[&sealed_box]);
    change(&mut parts);
    let mut set = survivors(round, &uploads);
    let sealed = Sealed::seal(by, &parts).unwrap();
    set.uploads[0].upload = sealed.digest().unwrap();
    let mut proposal = Proposal::to_seat(&set, &uploads, 0);
    proposal.handed[0].parts = sealed;
    proposal.handed[0].sealed_box = Bytes(sealed_box);
    proposal
}

/// A hospital that gives members of one class different seeds, or none, is complained about before
/// anything is certified.
#[test]
fn split_seeds_and_bad_boxes_are_refused() {
    let (alliance, round, _) = started(Shape::DEFAULT);
    let own = signer("h01");
    let fault = |by: &Signer, content: &[u8], change: &dyn Fn(&mut Parts)| {
        let proposal = forged(&alliance, &round, by, content, change);
        faults(&alliance, &round, &proposal, 0)
    };
    // Right form, but not the seeds that were committed to: so other members hold others.
    assert_eq!(fault(&own, &[7; 96], &|_| ()), [Fault::Seed]);
    assert_eq!(fault(&own, &[7; 64], &|_| ()), [Fault::Closed]);
    assert_eq!(fault(&own, &[7; 97], &|_| ()), [Fault::Closed]);
    let swap = |parts: &mut Parts| parts.seeds.swap(0, 1);
    assert_eq!(fault(&own, &[7; 96], &swap), [Fault::Seed]);
    assert_eq!(
        fault(&own, &[7; 96], &|parts| parts.seeds.truncate(3)),
        [Fault::Parts]
    );
    assert_eq!(
        fault(&own, &[7; 96], &|parts| parts.boxes.push(Digest::ZERO)),
        [Fault::Parts]
    );
    assert_eq!(
        fault(&own, &[7; 96], &|parts| parts.manifest = Digest::ZERO),
        [Fault::Parts]
    );
    assert_eq!(
        fault(&own, &[7; 96], &|parts| parts.hospital = slug("h02")),
        [Fault::Parts]
    );
    assert_eq!(fault(&signer("x"), &[7; 96], &|_| ()), [Fault::Parts]);
    assert_eq!(
        fault(&signer("h02"), &[7; 96], &|p| p.hospital = slug("h02")),
        [Fault::Upload]
    );
}

#[test]
fn sets_are_sorted_large_enough_and_of_the_roster() {
    let (alliance, round, uploads) = started(Shape::DEFAULT);
    let good = survivors(&round, &uploads);
    let refused = |change: &dyn Fn(&mut Survivors)| {
        let mut set = good.clone();
        change(&mut set);
        set.check(&round).err()
    };
    assert!(refused(&|_| ()).is_none());
    assert!(matches!(
        refused(&|s| s.uploads.swap(0, 1)),
        Some(SurvivorsError::Set)
    ));
    assert!(matches!(
        refused(&|s| s.uploads[1] = s.uploads[0].clone()),
        Some(SurvivorsError::Set)
    ));
    assert!(matches!(
        refused(&|s| s.uploads[4].hospital = slug("h99")),
        Some(SurvivorsError::Set)
    ));
    assert!(matches!(
        refused(&|s| s.uploads.truncate(3)),
        Some(SurvivorsError::TooFew)
    ));
    assert!(matches!(
        refused(&|s| s.uploads.clear()),
        Some(SurvivorsError::TooFew)
    ));
    assert!(matches!(
        refused(&|s| s.manifest = Digest::ZERO),
        Some(SurvivorsError::OtherRound)
    ));

    let proposal = Proposal::to_seat(&good, &uploads[..4], 0);
    let inspected = proposal.inspect(&round, &alliance.seats[0], &alliance.secrets[0]);
    assert!(matches!(inspected, Err(InspectError::Handed)));
    let proposal = Proposal::to_seat(&good, &uploads, 0);
    let inspected = proposal.inspect(&round, &slug("h05"), &alliance.secrets[0]);
    assert!(matches!(inspected, Err(InspectError::NoSeat)));
    // Another upload of the same hospital than the set says.
    let mut other = uploads.clone();
    other[3] = alliance.upload(&round, &alliance.hospitals[3], &[4; 5]);
    let proposal = Proposal::to_seat(&good, &other, 0);
    assert_eq!(faults(&alliance, &round, &proposal, 0), [Fault::Upload]);
    // The right proposal with another member's secret.
    let proposal = Proposal::to_seat(&good, &uploads, 0);
    let inspected = proposal.inspect(&round, &alliance.seats[0], &alliance.secrets[1]);
    assert!(matches!(inspected, Err(InspectError::Faulty(all)) if all.len() == 5));
}

#[test]
fn certificates_count_distinct_seats_and_their_own_set() {
    let (alliance, round, uploads) = started(Shape::DEFAULT);
    let set = survivors(&round, &uploads);
    let quorum = |seats: &[usize]| votes(&alliance, &round, &set, seats).verify(&round);
    assert!(quorum(&[0, 1, 2]).is_ok() && quorum(&[3, 1, 0, 2]).is_ok());
    let few = quorum(&[0, 1]);
    assert!(matches!(
        few,
        Err(SurvivorsError::Quorum {
            found: 2,
            needed: 3
        })
    ));
    assert!(matches!(quorum(&[0, 1, 1]), Err(SurvivorsError::Vote)));
    let other = survivors(&round, &uploads[..4]);
    let mut mixed = votes(&alliance, &round, &set, &[0, 1]);
    mixed
        .votes
        .extend(votes(&alliance, &round, &other, &[2]).votes);
    assert!(matches!(mixed.verify(&round), Err(SurvivorsError::Vote)));
    // A vote that names another seat than its signer's, and one by a stranger.
    let vote = Certify {
        manifest: *round.hash(),
        survivors: set.digest().unwrap(),
        member: slug("c3"),
    };
    for by in ["c4", "h05"] {
        let mut certificate = votes(&alliance, &round, &set, &[0, 1]);
        certificate
            .votes
            .push(Sealed::seal(&signer(by), &vote).unwrap());
        assert!(certificate.verify(&round).is_err());
    }
    let stranger = Certify::sign(&round, &slug("h05"), &signer("h05"), set.digest().unwrap());
    assert!(matches!(stranger, Err(VoteError::Seat)));
    let complaint = Complaint {
        manifest: *round.hash(),
        hospital: slug("h01"),
        member: slug("c3"),
    };
    let sealed = Sealed::seal(&signer("c4"), &complaint).unwrap();
    assert!(Complaint::open(&round, &sealed).is_err());
}

/// A member that injects Δ is outvoted by `f + 1` honest ones and named.
#[test]
fn a_false_mask_sum_is_not_believed() {
    let (alliance, round, uploads) = started(Shape::DEFAULT);
    let set = survivors(&round, &uploads);
    let certified = votes(&alliance, &round, &set, &[0, 1, 2, 3])
        .verify(&round)
        .unwrap();
    let class = alliance.shape.classes()[0];
    let opened = |seat: usize| {
        let proposal = Proposal::to_seat(&set, &uploads, u8::try_from(seat).unwrap());
        let opened = proposal.inspect(&round, &alliance.seats[seat], &alliance.secrets[seat]);
        opened.unwrap()
    };
    let right = opened(0).sums(&round, &certified).unwrap()[&class].clone();
    assert_eq!(opened(1).sums(&round, &certified).unwrap()[&class], right);
    let mut wrong = right.clone();
    wrong[0] = wrong[0].wrapping_add(1);
    let word = |seat: usize, vector: &[u64]| {
        let member = &alliance.seats[seat];
        Sum::sign(
            &round,
            &certified,
            member,
            &signer(member.as_str()),
            class,
            vector,
        )
        .unwrap()
    };
    let bytes =
        |vector: &[u64]| -> Vec<u8> { vector.iter().flat_map(|c| c.to_le_bytes()).collect() };
    let accept = |vector: &[u64], words: &[Sealed<Sum>]| {
        MaskSum::accept(&round, &certified, class, &bytes(vector), words)
    };
    let believed = accept(&right, &[word(0, &right), word(1, &wrong), word(2, &right)]).unwrap();
    assert_eq!(believed.dissenters(), [alliance.seats[1].clone()]);
    let refused = |result: Result<MaskSum, SumError>| match result {
        Err(SumError::Words { found, needed }) => (found, needed),
        other => panic!("{other:?}"),
    };
    let lone = [word(0, &right), word(1, &wrong), word(2, &right)];
    assert_eq!(refused(accept(&wrong, &lone)), (1, 2));
    assert_eq!(refused(accept(&right, &lone[..1])), (1, 2));
    // Who says both does not count for either; who says one twice is refused.
    let both = [word(1, &right), word(1, &wrong), word(0, &right)];
    assert_eq!(refused(accept(&right, &both)), (1, 2));
    let twice = [word(0, &right), word(0, &right)];
    assert!(matches!(accept(&right, &twice), Err(SumError::Word)));
    assert!(matches!(accept(&right[..4], &lone), Err(SumError::Cells)));
    // Seat 3 is not in class 7.
    let outside = Sum::sign(
        &round,
        &certified,
        &alliance.seats[3],
        &signer("c4"),
        class,
        &right,
    );
    assert!(matches!(outside, Err(SumError::Word)));
    // A word about another set.
    let other = votes(
        &alliance,
        &round,
        &survivors(&round, &uploads[..4]),
        &[0, 1, 2],
    );
    let other = other.verify(&round).unwrap();
    let stray = Sum::sign(
        &round,
        &other,
        &alliance.seats[0],
        &signer("h01"),
        class,
        &right,
    );
    let stray = [stray.unwrap(), word(1, &right), word(2, &right)];
    assert!(matches!(accept(&right, &stray), Err(SumError::Word)));
    // Masks are summed for the inspected set only.
    assert!(matches!(
        opened(0).sums(&round, &other),
        Err(InspectError::OtherSet)
    ));
}
