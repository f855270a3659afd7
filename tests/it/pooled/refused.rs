//! What every honest party refuses.

use coordinator::pooled as office;
use node::ledger::LedgerError;
use node::pooled::{self as party, PooledError, Said};
use pooled::inspect::Proposal;
use pooled::key_list::Kind;
use pooled::manifest::Manifest;
use pooled::offer::Offer;
use pooled::survivors::{Certificate, Survivors};
use pooled::upload::{Parts, Upload};
use pooled::vote::VoteError;
use pooled::work::SeatWord;
use schemas::digest::Digest;
use schemas::outcome::Reason;
use schemas::seal::Sealed;
use schemas::time::Timestamp;
use tests::fixture::slug;

use super::{NOW, Pool};

/// Signs a changed manifest as the coordinator.
fn forged(pool: &Pool, offer: &Offer, change: impl FnOnce(&mut Manifest)) -> Offer {
    let mut manifest = offer.manifest.open(&pool.alliance).unwrap();
    change(&mut manifest);
    Offer {
        round: offer.round.clone(),
        manifest: Sealed::seal(pool.authority.signer(), &manifest).unwrap(),
    }
}

async fn alarms(pool: &Pool, name: &str) -> i64 {
    let state = &pool.party(name).app.state;
    let count = sqlx::query_scalar("select count(*) from alarms");
    count.fetch_one(state.pool()).await.unwrap()
}

#[tokio::test]
async fn manifests_that_do_not_follow_and_second_ones_are_refused_and_written_down() {
    let pool = Pool::found().await;
    let held = pool.open(&[]).await;
    let desk = pool.desk(pool.party("h03"));
    type Change = fn(&mut Manifest);
    let changes: [(&str, Change); 7] = [
        ("less noise", |m| m.blocks[0].sigma_share -= 1),
        ("another family", |m| m.blocks[0].family = Digest::ZERO),
        ("fewer survivors", |m| m.n_min = 3),
        ("another scale", |m| m.blocks[1].scale += 1),
        ("larger cells", |m| m.blocks[1].max_cell += 1),
        ("other cells", |m| m.blocks[0].cells += 1),
        ("another layout", |m| m.layout = m.question),
    ];
    for (number, (what, change)) in (1..).zip(changes) {
        let refused = party::answer(&desk, &forged(&pool, &held.offer, change)).await;
        assert!(
            matches!(
                refused,
                Err(PooledError::Manifest(_) | PooledError::Refused(_) | PooledError::Offer(_))
            ),
            "{what}: {refused:?}"
        );
        assert_eq!(alarms(&pool, "h03").await, number, "{what}");
    }
    assert_eq!(pool.party("h03").home.spent("all").await, 0);
    let bytes = pool.upload("h03", &held.offer).await;
    let spent = pool.party("h03").home.spent("all").await;

    // The same offer again: the same bytes, no charge.
    let Said::Upload(again) = party::answer(&desk, &held.offer).await.unwrap() else {
        panic!("no upload")
    };
    assert_eq!((again.bytes(), again.paid_now().nano()), (&bytes[..], 0));
    // Another manifest under the name, sound in itself.
    let second = forged(&pool, &held.offer, |m| m.answer_by.0 -= 1);
    let refused = party::answer(&desk, &second).await;
    assert!(
        matches!(refused, Err(PooledError::SecondManifest(_))),
        "{refused:?}"
    );
    assert_eq!(pool.party("h03").home.spent("all").await, spent);

    // An upload of one round is none of another, and none of another hospital.
    let next = pool.open(&[]).await;
    let h03 = pool.member("h03").await;
    assert!(
        office::take(&pool.state, &next, &h03, &bytes, NOW)
            .await
            .is_err()
    );
    let h04 = pool.member("h04").await;
    let held = pool.find(&held.asked.id).await;
    assert!(
        office::take(&pool.state, &held, &h04, &bytes, NOW)
            .await
            .is_err()
    );
}

/// A new manifest means new noise, new seeds and a new charge; a third open round is refused.
#[tokio::test]
async fn a_new_round_is_a_new_charge_and_open_rounds_have_an_end() {
    let pool = Pool::found().await;
    let first = pool.open(&[]).await;
    let one = pool.upload("h01", &first.offer).await;
    let charge = pool.party("h01").home.spent("all").await;
    let second = pool.open(&[]).await;
    let two = pool.upload("h01", &second.offer).await;
    assert_ne!(one, two);
    assert_eq!(pool.party("h01").home.spent("all").await, 2 * charge);
    let third = pool.open(&[]).await;
    let refused = party::answer(&pool.desk(pool.party("h01")), &third.offer).await;
    assert!(
        matches!(refused, Err(PooledError::OpenRounds(2))),
        "{refused:?}"
    );
    assert_eq!(pool.party("h01").home.spent("all").await, 2 * charge);
}

/// One set a round, and no sets that differ by one hospital.
#[tokio::test]
async fn a_second_survivor_set_is_refused_by_seats_and_nodes() {
    let pool = Pool::found().await;
    let held = pool.open(&[]).await;
    let round = held.asked.id.clone();
    for name in ["h01", "h02", "h03", "h04", "h05"] {
        pool.upload(name, &held.offer).await;
    }
    pool.go_on(&round, NOW).await;
    let desk = pool.desk(pool.party("c3"));
    let whole = office::proposal(&pool.state, &held, &slug("c3"))
        .await
        .unwrap();
    let mut less = whole.clone();
    less.survivors.uploads.pop();
    less.handed.pop();
    let vote = party::certify(&desk, &held.offer, &whole).await.unwrap();
    assert!(matches!(vote, SeatWord::Vote(_)));
    let refused = party::certify(&desk, &held.offer, &less).await;
    assert!(
        matches!(refused, Err(PooledError::Vote(VoteError::Voted))),
        "{refused:?}"
    );
    // The same vote again, as often as asked.
    assert_eq!(
        party::certify(&desk, &held.offer, &whole).await.unwrap(),
        vote
    );
    // No sums without a certificate, and none for another set than the own vote's.
    let votes = match &vote {
        SeatWord::Vote(vote) => vec![vote.clone()],
        other => panic!("{other:?}"),
    };
    let lone = Certificate {
        survivors: whole.survivors.clone(),
        votes,
    };
    let refused = party::sums(&desk, &held.offer, &whole, &lone, &[]).await;
    assert!(
        matches!(refused, Err(PooledError::Survivors(_))),
        "{refused:?}"
    );

    pool.sit(&round, &["h01", "h02", "c3", "c4"], NOW).await;
    assert_eq!(pool.find(&round).await.state, "done");
    let found = office::certificate(&pool.state, &round)
        .await
        .unwrap()
        .unwrap();
    let h03 = pool.party("h03");
    party::hear(&pool.desk(h03), &held.offer, &found)
        .await
        .unwrap();

    // The same question without one hospital: its node and the seats refuse.
    let next = pool.open(&["h01", "h02", "h03", "h04"]).await;
    let said = party::answer(&pool.desk(h03), &next.offer).await.unwrap();
    assert_eq!(said, Said::Declined(Reason::Refused));
    let offered = party::offered(&h03.app.state, NOW).await.unwrap();
    let declined = offered.iter().find(|one| one.state == "declined").unwrap();
    assert_eq!(declined.round, next.asked.id);
    assert!(
        declined.why.contains("differs from an earlier one"),
        "{declined:?}"
    );
    assert!(declined.next.contains("another round"), "{declined:?}");
    let again = party::answer(&pool.desk(h03), &next.offer).await.unwrap();
    assert_eq!(again, Said::Declined(Reason::Declined));
    let spent = h03.home.spent("all").await;
    assert_eq!(spent, 200_000_001);
    // The seats refuse such a set by themselves, whatever was uploaded.
    let refused = certified_less(&pool, &next, &whole).await;
    assert!(
        matches!(refused, Err(PooledError::Inspect(_))),
        "{refused:?}"
    );
}

/// Old parts in a new round.
async fn certified_less(
    pool: &Pool,
    next: &office::Held,
    whole: &Proposal,
) -> Result<SeatWord, PooledError> {
    let replayed = Proposal {
        survivors: Survivors {
            manifest: *next.round.hash(),
            uploads: whole.survivors.uploads[..4].to_vec(),
        },
        handed: whole.handed[..4].to_vec(),
    };
    let desk = pool.desk(pool.party("c3"));
    match party::certify(&desk, &next.offer, &replayed).await? {
        SeatWord::Complaints(complaints) => {
            assert_eq!(complaints.len(), 4);
            Err(PooledError::Inspect(pooled::inspect::InspectError::Handed))
        }
        other => Ok(other),
    }
}

/// One bad box: its seat complains, the round ends without that hospital, and nobody voted twice.
#[tokio::test]
async fn a_bad_box_costs_only_its_hospital() {
    let pool = Pool::found().await;
    let held = pool.open(&[]).await;
    let round = held.asked.id.clone();
    for name in ["h01", "h02", "h03", "h04"] {
        pool.upload(name, &held.offer).await;
    }
    // h05 signs an upload whose box for the third seat was made for the fourth.
    let bytes = spoilt(&pool, &held).await;
    let member = pool.member("h05").await;
    assert!(
        office::take(&pool.state, &held, &member, &bytes, NOW)
            .await
            .unwrap()
    );
    assert_eq!(pool.go_on(&round, NOW).await, "proposed");
    pool.sit(&round, &["c3", "h01", "h02", "c4"], NOW).await;
    let held = pool.find(&round).await;
    assert_eq!(held.state, "done", "{:?}", held.why);
    let found = office::certificate(&pool.state, &round)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.survivors.uploads.len(), 4);
}

/// An upload like the node's own, but sealed to a key list in which two seats changed keys.
async fn spoilt(pool: &Pool, held: &office::Held) -> Vec<u8> {
    let h05 = pool.party("h05");
    let signed = office::published(&pool.state).await.unwrap().unwrap();
    let mut list = signed.list.open(&pool.alliance).unwrap();
    let keys = list.committees[0].seats[2].keys.clone();
    let theirs = keys[0].open(&pool.party("c3").app.signer.public()).unwrap();
    let mut false_key = theirs.clone();
    false_key.key = pooled::boxes::BoxSecret::generate().unwrap().public();
    let sealed = Sealed::seal(&pool.party("c3").app.signer, &false_key).unwrap();
    list.committees[0].seats[2].keys[0] = sealed;
    let mut manifest = held.round.manifest().clone();
    let pinned = pooled::key_list::Pinned::stored(list.clone()).unwrap();
    manifest.key_list = pinned.hash();
    let offer = Offer {
        round: held.offer.round.clone(),
        manifest: Sealed::seal(pool.authority.signer(), &manifest).unwrap(),
    };
    let wrong = pooled::published::open_round(&offer, list, &pool.alliance).unwrap();
    let secrets = pooled::upload::Secrets::fixed(
        wrong.shape(),
        &[[1; 32], [2; 32], [3; 32], [4; 32]],
        &[[5; 64], [6; 64], [7; 64], [8; 64]],
    );
    let zeros = vec![0; wrong.cells()];
    let name = slug("h05");
    let made = Upload::make(&wrong, &name, &h05.app.signer, &zeros, secrets).unwrap();
    // Its boxes and seeds are bound to the other manifest: every box fails to open here.
    let mut parts = made
        .masked()
        .sealed()
        .open(&h05.app.signer.public())
        .unwrap();
    parts.manifest = *held.round.hash();
    let sealed = Sealed::seal(&h05.app.signer, &parts).unwrap();
    let boxes = (0..4).map(|seat| made.sealed_box(seat).unwrap().to_vec());
    assembled(&sealed, made.masked().vector(), boxes)
}

/// The bytes of an upload.
pub(super) fn assembled(
    parts: &Sealed<Parts>,
    vector: &[u64],
    boxes: impl Iterator<Item = Vec<u8>>,
) -> Vec<u8> {
    let sealed = schemas::canonical::to_bytes(parts).unwrap();
    let vector: Vec<u8> = vector.iter().flat_map(|cell| cell.to_le_bytes()).collect();
    let mut bytes = Vec::new();
    for part in [sealed, vector].into_iter().chain(boxes) {
        bytes.extend(u32::try_from(part.len()).unwrap().to_le_bytes());
        bytes.extend(part);
    }
    bytes
}

/// Attributed answers close the way to pooled ones of the same months, and the other way round.
#[tokio::test]
async fn a_measure_is_attributed_or_pooled_never_both() {
    let pool = Pool::found().await;
    let h01 = pool.party("h01");
    let (question, template) = crate::hospital::shipped(&h01.app, "monthly-benchmark", "2025-03");
    let asked = node::answer::Asked {
        question,
        template: Some(template.reference()),
        by: node::answer::By::Officer,
    };
    node::answer::reply(&h01.app, &asked).await.unwrap();
    let held = pool.open(&[]).await;
    let said = party::answer(&pool.desk(h01), &held.offer).await.unwrap();
    assert_eq!(said, Said::Declined(Reason::Refused));

    pool.upload("h02", &held.offer).await;
    let refused = node::answer::reply(&pool.party("h02").app, &asked).await;
    assert!(
        matches!(
            refused,
            Err(node::answer::Unanswered::Ledger(LedgerError::OtherWay(_)))
        ),
        "{refused:?}"
    );
    // And a pooled question is never answered alone.
    let alone = node::answer::Asked {
        question: held.asked.question.clone(),
        template: held.asked.template.clone(),
        by: node::answer::By::Officer,
    };
    let refused = node::answer::reply(&pool.party("h03").app, &alone).await;
    assert!(
        matches!(refused, Err(node::answer::Unanswered::Pooled)),
        "{refused:?}"
    );
}

/// A seat's key is gone 14 days after its month, and nothing of that month opens again.
#[tokio::test]
async fn seat_keys_are_destroyed() {
    let pool = Pool::found().await;
    let c3 = &pool.party("c3").home;
    let keys = node::config::keys::Keys::open(&c3.config.data).unwrap();
    assert_eq!(keys.seat_months().unwrap().len(), 2);
    // 2026-02-15: January is 14 days over.
    let late = super::app(c3, node::clock::Clock::Fixed(Timestamp(1_771_113_600))).await;
    let desk = party::Desk {
        app: &late,
        alliance: &pool.alliance,
    };
    assert_eq!(party::destroy_old(&desk).await.unwrap(), 1);
    let left = keys.seat_months().unwrap();
    assert_eq!(left, [(1, "2026-02".parse().unwrap())]);
    assert_eq!(party::destroy_old(&desk).await.unwrap(), 0);
}

/// Row 22: two hospitals of one legal entity are one party to the coordinator too, which opens no round
/// that t does not cover them in.
#[tokio::test]
async fn hospitals_of_one_entity_need_a_larger_t() {
    let pool = Pool::found().await;
    let (h05, group) = (slug("h05"), slug("h04"));
    office::set_body(&pool.state, &h05, Kind::Hospital, &group, NOW)
        .await
        .unwrap();
    pool.list().await;
    let templates = coordinator::template::load(None).unwrap();
    let yearly = templates.get("yearly-pooled").unwrap();
    let open = async |roster: &[&str]| {
        let order = super::order(roster, false);
        let rules = tests::fixture::rules();
        crate::opening::pooled(&pool.state, &pool.authority, yearly, &rules, &order, NOW).await
    };
    let refused = crate::hospital::told(&open(&[]).await.unwrap_err());
    assert!(
        refused.contains("one legal entity runs 2 of the hospitals asked"),
        "{refused}"
    );
    open(&["h01", "h02", "h03", "h04"]).await.unwrap();
}
