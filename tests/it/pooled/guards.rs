//! Guards of nodes, seats and coordinator that whole rounds do not reach: words that no honest party
//! says, and moments at which nobody says anything more.

use coordinator::pooled::{self as office, ListOrder};
use node::clock::Clock;
use node::config::keys::Keys;
use node::pooled::{self as party, Desk, PooledError, Said};
use node::steward;
use pooled::boxes::BoxSecret;
use pooled::inspect::Proposal;
use pooled::key_list::{
    Countersignature, Countersigned, KeyList, KeyListError, Pinned, SignedList,
};
use pooled::sums::{Sent, Sum};
use pooled::survivors::{Certificate, Survivors};
use pooled::upload::{Secrets, Upload};
use pooled::vote::{Certify, Complaint};
use pooled::work::SeatWord;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::seal::Sealed;
use schemas::time::Timestamp;
use tests::fixture::slug;
use tests::officers::{STEWARD, key};

use super::asks::acting;
use super::{NOW, Party, Pool, app};

const ALL: [&str; 5] = ["h01", "h02", "h03", "h04", "h05"];

/// Uploads of zeros by these hospitals' keys, past what their nodes would check.
async fn uploads(pool: &Pool, held: &office::Held, names: &[&str]) {
    for name in names {
        let app = &pool.party(name).app;
        let secrets = Secrets::random(held.round.shape()).unwrap();
        let zeros = vec![0; held.round.cells()];
        let made = Upload::make(&held.round, &app.hospital, &app.signer, &zeros, secrets);
        let (bytes, member) = (made.unwrap().to_bytes().unwrap(), pool.member(name).await);
        let taken = office::take(&pool.state, held, &member, &bytes, NOW).await;
        assert!(taken.unwrap(), "{name}");
    }
}

/// A vote by a seat's key, past what the seat would check.
fn vote(pool: &Pool, held: &office::Held, name: &str, set: &Survivors) -> Sealed<Certify> {
    let app = &pool.party(name).app;
    let set = set.digest().unwrap();
    Certify::sign(&held.round, &app.hospital, &app.signer, set).unwrap()
}

fn certificate(pool: &Pool, held: &office::Held, set: &Survivors, seats: [&str; 3]) -> Certificate {
    Certificate {
        survivors: set.clone(),
        votes: seats.map(|name| vote(pool, held, name, set)).into(),
    }
}

async fn lock(one: &Party) {
    let (signer, name) = (key(&one.app.data, STEWARD), slug(STEWARD));
    let by = acting(&one.app, &signer, &name);
    steward::lock(&one.app.state, by).await.unwrap();
}

async fn proposal(pool: &Pool, held: &office::Held, seat: &str) -> Proposal {
    let proposal = office::proposal(&pool.state, held, &slug(seat)).await;
    proposal.unwrap()
}

fn without_last(mut proposal: Proposal) -> Proposal {
    proposal.survivors.uploads.pop();
    proposal.handed.pop();
    proposal
}

/// Rows 3, 9 and 20: whatever three seats signed, another one gives no sums for a second set of a
/// round, beside its own vote, or of a family; what it gave before it gives again without its key.
#[tokio::test]
async fn a_certificate_alone_opens_nothing() {
    let pool = Pool::found().await;
    let held = pool.open(&[]).await;
    uploads(&pool, &held, &ALL).await;
    pool.go_on(&held.asked.id, NOW).await;
    let offer = &held.offer;
    let [c3, c4, h01, h02, h03] = ["c3", "c4", "h01", "h02", "h03"].map(|one| pool.party(one));
    let (for_c3, for_c4) = (
        proposal(&pool, &held, "c3").await,
        proposal(&pool, &held, "c4").await,
    );
    let (less_c3, less_c4) = (without_last(for_c3.clone()), without_last(for_c4.clone()));
    let whole = certificate(&pool, &held, &for_c3.survivors, ["h01", "h02", "c3"]);
    let less = certificate(&pool, &held, &less_c3.survivors, ["h01", "h02", "c4"]);

    party::certify(&pool.desk(c3), offer, &for_c3)
        .await
        .unwrap();
    let refused = party::sums(&pool.desk(c3), offer, &less_c3, &less, &[]).await;
    assert!(matches!(refused, Err(PooledError::OtherSet)), "{refused:?}");
    let given = party::sums(&pool.desk(c4), offer, &for_c4, &whole, &[])
        .await
        .unwrap();
    let refused = party::sums(&pool.desk(c4), offer, &less_c4, &less, &[]).await;
    assert!(matches!(refused, Err(PooledError::OtherSet)), "{refused:?}");
    let keys = Keys::open(&c4.app.data).unwrap();
    for (epoch, month) in keys.seat_months().unwrap() {
        keys.remove_seat_secret(epoch, month).unwrap();
    }
    let again = party::sums(&pool.desk(c4), offer, &for_c4, &whole, &[]).await;
    assert_eq!(again.unwrap(), given);
    party::hear(&pool.desk(h03), offer, &whole).await.unwrap();
    party::hear(&pool.desk(h03), offer, &whole).await.unwrap();
    let refused = party::hear(&pool.desk(h03), offer, &less).await;
    assert!(matches!(refused, Err(PooledError::OtherSet)), "{refused:?}");

    // The same figures without one hospital, which everybody's node let pass.
    let for_h01 = proposal(&pool, &held, "h01").await;
    party::certify(&pool.desk(h01), offer, &for_h01)
        .await
        .unwrap();
    party::hear(&pool.desk(h02), offer, &whole).await.unwrap();
    let next = pool.open(&["h01", "h02", "h03", "h04"]).await;
    uploads(&pool, &next, &ALL[..4]).await;
    pool.go_on(&next.asked.id, NOW).await;
    let for_h01 = proposal(&pool, &next, "h01").await;
    let refused = party::certify(&pool.desk(h01), &next.offer, &for_h01).await;
    assert!(
        matches!(refused, Err(PooledError::Family(_))),
        "{refused:?}"
    );
    let for_h02 = proposal(&pool, &next, "h02").await;
    let forced = certificate(&pool, &next, &for_h02.survivors, ["h01", "c3", "c4"]);
    let refused = party::sums(&pool.desk(h02), &next.offer, &for_h02, &forced, &[]).await;
    assert!(
        matches!(refused, Err(PooledError::Family(_))),
        "{refused:?}"
    );
}

/// Rows 4, 13 and 17: after the last moment, or locked, a seat votes no more and a hospital uploads
/// nothing; a name that stands for an attributed round is none for a pooled one.
#[tokio::test]
async fn too_late_locked_or_under_a_taken_name_nothing_is_said() {
    let pool = Pool::found().await;
    let held = pool.open(&[]).await;
    let manifest = held.round.manifest();
    let (c3, h03, h04) = (pool.party("c3"), pool.party("h03"), pool.party("h04"));

    party::open(&pool.desk(h03), &held.offer).await.unwrap();
    let late = app(&h03.home, Clock::Fixed(Timestamp(manifest.closes.0 + 1))).await;
    let desk = Desk {
        app: &late,
        alliance: &pool.alliance,
    };
    let said = party::answer(&desk, &held.offer).await;
    assert!(matches!(said, Err(PooledError::Closed)), "{said:?}");
    assert_eq!(h03.home.spent("all").await, 0);

    sqlx::query("insert into round_names (id, round) values ($1, $2)")
        .bind(held.asked.id.as_str())
        .bind(Digest::ZERO.to_string())
        .execute(h04.app.state.pool())
        .await
        .unwrap();
    let said = party::answer(&pool.desk(h04), &held.offer).await;
    assert!(
        matches!(said, Err(PooledError::SecondManifest(_))),
        "{said:?}"
    );

    // Charged, and locked before it left.
    pool.upload("h05", &held.offer).await;
    let h05 = pool.party("h05");
    sqlx::query("update pooled_uploads set let_go = 0")
        .execute(h05.app.state.pool())
        .await
        .unwrap();
    lock(h05).await;
    let said = party::answer(&pool.desk(h05), &held.offer).await;
    assert_eq!(said.unwrap(), Said::Waits);

    uploads(&pool, &held, &ALL[..4]).await;
    pool.go_on(&held.asked.id, NOW).await;
    let set = proposal(&pool, &held, "c3").await;
    party::inspect(&pool.desk(c3), &held.offer, &set)
        .await
        .unwrap();
    // It asked the other seats a moment ago, so that nothing else keeps it back.
    let end = Timestamp(manifest.answer_by.0 + 1);
    sqlx::query("update pooled_nonces set at = $1")
        .bind(end.0)
        .execute(c3.app.state.pool())
        .await
        .unwrap();
    let late = app(&c3.home, Clock::Fixed(end)).await;
    let desk = Desk {
        app: &late,
        alliance: &pool.alliance,
    };
    let said = party::certify(&desk, &held.offer, &set).await;
    assert!(matches!(said, Err(PooledError::Closed)), "{said:?}");
    sqlx::query("update pooled_nonces set at = $1")
        .bind(NOW.0)
        .execute(c3.app.state.pool())
        .await
        .unwrap();
    lock(c3).await;
    let said = party::certify(&pool.desk(c3), &held.offer, &set).await;
    assert!(matches!(said, Err(PooledError::Locked)), "{said:?}");
}

/// Rows 3, 5, 15 and 22 at the coordinator: keys of seats, uploads, words and mask sums that are not
/// what it asked for, or not what stands already.
#[tokio::test]
async fn the_coordinator_takes_what_it_asked_for_and_once() {
    let pool = Pool::found().await;
    let held = pool.open(&[]).await;
    let (state, round) = (&pool.state, &held.asked.id);
    let last = held.round.manifest().answer_by;
    uploads(&pool, &held, &ALL[..4]).await;
    let h05 = &pool.party("h05").app;
    let secrets = Secrets::random(held.round.shape()).unwrap();
    let ones = vec![1; held.round.cells()];
    let other = Upload::make(&held.round, &h05.hospital, &h05.signer, &ones, secrets).unwrap();
    let (bytes, member) = (other.to_bytes().unwrap(), pool.member("h05").await);
    // Too late, though nobody has closed the round yet.
    let late = Timestamp(held.round.manifest().closes.0 + 1);
    let taken = office::take(state, &held, &member, &bytes, late).await;
    assert!(
        matches!(taken, Err(office::PooledError::Ended)),
        "{taken:?}"
    );
    uploads(&pool, &held, &ALL[4..]).await;
    let taken = office::take(state, &held, &member, &bytes, NOW).await;
    assert!(
        matches!(taken, Err(office::PooledError::Conflict)),
        "{taken:?}"
    );

    let c3 = &pool.party("c3").app;
    let mut seat_key = party::seat_keys(&pool.desk(pool.party("c3")), 1)
        .await
        .unwrap()[0]
        .open(&c3.signer.public())
        .unwrap();
    seat_key.key = BoxSecret::generate().unwrap().public();
    let second = Sealed::seal(&c3.signer, &seat_key).unwrap();
    let taken = office::seat_key(state, &pool.member("c3").await, &second, NOW).await;
    assert!(
        matches!(taken, Err(office::PooledError::Conflict)),
        "{taken:?}"
    );
    seat_key.member = slug("h03");
    let none = Sealed::seal(&pool.party("h03").app.signer, &seat_key).unwrap();
    let taken = office::seat_key(state, &pool.member("h03").await, &none, NOW).await;
    assert!(
        matches!(taken, Err(office::PooledError::NotAsked)),
        "{taken:?}"
    );

    assert_eq!(pool.go_on(round, NOW).await, "proposed");
    let held = pool.find(round).await;
    let whole = proposal(&pool, &held, "c3").await;
    let less = without_last(whole.clone()).survivors;
    let c4 = &pool.party("c4").app;
    let complaint = Complaint::sign(&held.round, &c4.hospital, &c4.signer, &slug("h02")).unwrap();
    for (what, word) in [
        ("a vote", SeatWord::Vote(vote(&pool, &held, "c3", &less))),
        (
            "another's vote",
            SeatWord::Vote(vote(&pool, &held, "c4", &whole.survivors)),
        ),
        ("another set", SeatWord::Sound(less.digest().unwrap())),
        (
            "another's complaint",
            SeatWord::Complaints(vec![complaint.clone()]),
        ),
    ] {
        let taken = office::take_word(state, &held, &slug("c3"), &word, NOW).await;
        assert!(taken.is_err(), "{what}");
    }
    // Once so many found the set sound that they are asked to vote, a complaint proposes no other.
    for name in ["h01", "h02", "c3"] {
        let word = SeatWord::Sound(whole.survivors.digest().unwrap());
        office::take_word(state, &held, &slug(name), &word, NOW)
            .await
            .unwrap();
    }
    let word = SeatWord::Complaints(vec![complaint]);
    office::take_word(state, &held, &slug("c4"), &word, NOW)
        .await
        .unwrap();
    assert_eq!(pool.go_on(round, NOW).await, "proposed");
    let asked = proposal(&pool, &held, "c3").await;
    assert_eq!(asked.survivors, whole.survivors);
    for name in ["h01", "h02", "c3"] {
        let word = SeatWord::Vote(vote(&pool, &held, name, &whole.survivors));
        office::take_word(state, &held, &slug(name), &word, NOW)
            .await
            .unwrap();
    }
    assert_eq!(pool.go_on(round, NOW).await, "certified");
    let word = SeatWord::Vote(vote(&pool, &held, "c4", &whole.survivors));
    let taken = office::take_word(state, &held, &slug("c4"), &word, NOW).await;
    assert!(
        matches!(taken, Err(office::PooledError::Ended)),
        "{taken:?}"
    );

    let held = pool.find(round).await;
    let seats = ["h01", "h02", "c3"];
    let sum = |set: &Survivors, cell: u64| {
        let certified = certificate(&pool, &held, set, seats)
            .verify(&held.round)
            .unwrap();
        let (seat, _) = held.round.seat(&c3.hospital).unwrap();
        let class = held.round.shape().classes_of(seat)[0];
        let vector = vec![cell; held.round.cells()];
        let word = Sum::sign(
            &held.round,
            &certified,
            &c3.hospital,
            &c3.signer,
            class,
            &vector,
        );
        Sent::with_vector(word.unwrap(), &vector)
            .to_bytes()
            .unwrap()
    };
    let of_less = office::take_sums(state, &held, &slug("c3"), &sum(&less, 0), NOW).await;
    assert!(
        matches!(of_less, Err(office::PooledError::NotAsked)),
        "{of_less:?}"
    );
    let first = sum(&whole.survivors, 0);
    office::take_sums(state, &held, &slug("c3"), &first, NOW)
        .await
        .unwrap();
    let second = sum(&whole.survivors, 1);
    let taken = office::take_sums(state, &held, &slug("c3"), &second, NOW).await;
    assert!(
        matches!(taken, Err(office::PooledError::Conflict)),
        "{taken:?}"
    );
    // Nobody else answers: the round waits until the last moment, then it is dead.
    assert_eq!(pool.go_on(round, last).await, "certified");
    assert_eq!(pool.go_on(round, Timestamp(last.0 + 1)).await, "dead");
}

/// Rows 6 and 22: one list a version, the next one, in its time, and no countersignature for another.
#[tokio::test]
async fn one_list_a_version_is_countersigned_and_followed() {
    let pool = Pool::found().await;
    let desk = pool.desk(pool.party("h03"));
    let first = office::published(&pool.state).await.unwrap().unwrap();
    let order = ListOrder {
        // Another one, so that there is something to draft.
        operator: slug("other-office"),
        t_max: 1,
    };
    let list = office::draft(&pool.state, &pool.authority, &order, NOW)
        .await
        .unwrap();
    let signed = |change: &dyn Fn(&mut KeyList)| {
        let mut changed = list.clone();
        change(&mut changed);
        let sealed = Sealed::seal(pool.authority.signer(), &changed).unwrap();
        (canonical::to_bytes(&sealed).unwrap(), changed)
    };
    let (draft, _) = signed(&|_| ());
    party::countersign(&desk, &draft).await.unwrap();
    party::countersign(&desk, &draft).await.unwrap();
    type Rule = fn(&PooledError) -> bool;
    let cases: [(&str, fn(&mut KeyList), Rule); 4] = [
        (
            "another",
            |list| list.valid_to.0 -= 1,
            |error| matches!(error, PooledError::Countersigned(2)),
        ),
        (
            "too new",
            |list| list.version = 4,
            |error| {
                matches!(
                    error,
                    PooledError::List(KeyListError::Version { expected: 2 })
                )
            },
        ),
        (
            "of another branch",
            |list| list.previous = Digest::of("another list", &[]),
            |error| matches!(error, PooledError::List(KeyListError::Previous)),
        ),
        (
            "long over",
            |list| {
                list.valid_to = Timestamp(NOW.0 - 86_400);
                list.valid_from = Timestamp(NOW.0 - 10 * 86_400);
            },
            |error| matches!(error, PooledError::List(KeyListError::Validity)),
        ),
    ];
    for (what, change, rule) in cases {
        let refused = party::countersign(&desk, &signed(&change).0).await;
        assert!(refused.as_ref().is_err_and(rule), "{what}: {refused:?}");
    }
    let (_, other) = signed(&|list| list.valid_to.0 -= 1);
    let h01 = &pool.party("h01").app;
    let word = Countersignature::of(&Pinned::stored(other).unwrap());
    let word = Sealed::seal(&h01.signer, &word).unwrap();
    let member = pool.member("h01").await;
    let taken = office::countersign(&pool.state, &pool.authority, &member, &word, NOW).await;
    assert!(
        matches!(taken, Err(office::PooledError::NoDraft)),
        "{taken:?}"
    );

    let mut fork = first.list.open(&pool.alliance).unwrap();
    fork.valid_to.0 -= 1;
    let word = Countersignature::of(&Pinned::stored(fork.clone()).unwrap());
    let countersigned = ["h01", "h02"].map(|name| Countersigned {
        member: slug(name),
        seal: Sealed::seal(&pool.party(name).app.signer, &word).unwrap(),
    });
    let fork = SignedList {
        list: Sealed::seal(pool.authority.signer(), &fork).unwrap(),
        countersigned: countersigned.into(),
    };
    let refused = party::follow(&desk, &canonical::to_bytes(&fork).unwrap()).await;
    assert!(
        matches!(refused, Err(PooledError::List(KeyListError::Forked { .. }))),
        "{refused:?}"
    );
    let count = sqlx::query_scalar("select count(*) from alarms");
    let alarms: i64 = count.fetch_one(desk.app.state.pool()).await.unwrap();
    assert_eq!(alarms, 1);
}
