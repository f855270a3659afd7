//! Rounds that their committee voids: who may vote so and when, what a certificate must show, and what
//! is credited, once.

use std::process::{Command, Stdio};
use std::sync::Arc;

use coordinator::pooled as office;
use node::answer::App;
use node::clock::Clock;
use node::config::Config;
use node::ledger::LedgerError;
use node::pooled::{self as party, Desk, PooledError};
use pooled::offer::Offer;
use pooled::published::{Outcome, PublishedError, outcome, verify};
use pooled::survivors::VoidCertificate;
use pooled::vote::Void;
use pooled::work::{SeatWord, Step};
use schemas::seal::{PublicKey, Sealed};
use schemas::time::Timestamp;
use tests::fixture::slug;
use tests::noise::Zero;

use super::{NOW, Pool, SEATS, opened};
use crate::dying::{self, die};

const CHARGE: u64 = 200_000_001;

/// A dead round of so few uploads, and a moment after its uploads were closed.
async fn dead(pool: &Pool, names: &[&str]) -> (office::Held, Timestamp) {
    let held = pool.open(&[]).await;
    for name in names {
        pool.upload(name, &held.offer).await;
    }
    let late = Timestamp(held.round.manifest().closes.0 + 1);
    assert_eq!(pool.go_on(&held.asked.id, late).await, "dead");
    (held, late)
}

async fn at(pool: &Pool, name: &str, moment: Timestamp) -> Arc<App> {
    opened(&pool.party(name).home.config, Clock::Fixed(moment)).await
}

fn desk<'a>(pool: &'a Pool, app: &'a Arc<App>) -> Desk<'a> {
    Desk {
        app,
        alliance: &pool.alliance,
    }
}

/// What these seats would sign, past every check of theirs.
fn votes(pool: &Pool, held: &office::Held, seats: &[&str]) -> VoidCertificate {
    let vote = |name: &&str| {
        let signer = &pool.party(name).app.signer;
        Void::sign(&held.round, &slug(name), signer).unwrap()
    };
    VoidCertificate {
        votes: seats.iter().map(vote).collect(),
    }
}

async fn spent(pool: &Pool, name: &str) -> [u64; 3] {
    let home = &pool.party(name).home;
    let lines = ["all", "benchmark", "pooled-worst"];
    [
        home.spent(lines[0]).await,
        home.spent(lines[1]).await,
        home.spent(lines[2]).await,
    ]
}

/// Row 1: the seats void a dead round after its uploads closed by their own clocks; hospitals get the
/// charge back, once, and nothing of the round leaves any more.
#[tokio::test]
async fn a_dead_round_is_voided_and_credited_once() {
    let pool = Pool::found().await;
    let (held, late) = dead(&pool, &["h01", "h02", "h03"]).await;
    let round = held.asked.id.clone();
    let work = office::work(&pool.state, &pool.authority, &slug("c3"), NOW).await;
    assert!(work.unwrap().seats.is_empty());
    let early = party::void(&pool.desk(pool.party("c3")), &held.offer).await;
    assert!(matches!(early, Err(PooledError::StillOpen)), "{early:?}");
    let outsider = at(&pool, "h04", late).await;
    let outsider = party::void(&desk(&pool, &outsider), &held.offer).await;
    assert!(matches!(outsider, Err(PooledError::Vote(_))));
    for (place, name) in ["h01", "c3", "c4"].into_iter().enumerate() {
        assert_eq!(pool.go_on(&round, late).await, "dead", "{place} votes");
        let work = office::work(&pool.state, &pool.authority, &slug(name), late).await;
        assert_eq!(work.unwrap().seats[0].step, Step::Void);
        let app = at(&pool, name, late).await;
        let word = party::void(&desk(&pool, &app), &held.offer).await.unwrap();
        let again = party::void(&desk(&pool, &app), &held.offer).await.unwrap();
        assert_eq!(word, again);
        for word in [&word, &again] {
            office::take_word(&pool.state, &held, &slug(name), word, late)
                .await
                .unwrap();
        }
        let work = office::work(&pool.state, &pool.authority, &slug(name), late).await;
        assert!(work.unwrap().seats.is_empty());
    }
    assert_eq!(pool.go_on(&round, late).await, "void");
    let work = office::work(&pool.state, &pool.authority, &slug("h05"), late).await;
    assert_eq!(work.unwrap().voided, std::slice::from_ref(&round));
    let certificate = office::void(&pool.state, &round).await.unwrap().unwrap();

    let before = spent(&pool, "h01").await;
    assert_eq!(before[..2], [CHARGE, CHARGE]);
    assert!(before[2] > CHARGE);
    for one in pool.parties() {
        let name = one.app.hospital.as_str();
        let paid = ["h01", "h02", "h03"].contains(&name);
        let worst = one.home.spent("pooled-worst").await;
        for expected in [paid.then_some(CHARGE), None] {
            let heard = party::hear_void(&pool.desk(one), &held.offer, &certificate).await;
            assert_eq!(
                heard.unwrap().map(|credit| credit.nano()),
                expected,
                "{name}"
            );
            assert_eq!(one.home.spent("all").await, 0, "{name}");
            assert_eq!(one.home.spent("benchmark").await, 0, "{name}");
            assert_eq!(one.home.spent("pooled-worst").await, worst, "{name}");
        }
        let left: i64 =
            sqlx::query_scalar("select coalesce(sum(length(upload)), 0) from pooled_uploads")
                .fetch_one(one.app.state.pool())
                .await
                .unwrap();
        assert_eq!(left, 0, "{name}");
        node::log::fsck(&one.app.state, &one.app.signer.public())
            .await
            .unwrap();
        if name.starts_with('h') {
            let said = party::answer(&pool.desk(one), &held.offer).await;
            let voided = matches!(said, Err(PooledError::Ledger(LedgerError::Voided(_))));
            assert!(voided, "{name}: {said:?}");
        }
    }

    let held = pool.find(&round).await;
    let files = office::files(&pool.state, &held).await.unwrap();
    let found = outcome(&files, &pool.alliance, NOW).unwrap();
    let Outcome::Void(voided) = &found else {
        panic!("{found:?}")
    };
    assert_eq!((voided.votes, voided.asked.id.clone()), (3, round));
    assert!(found.conclusion().contains("voided"), "{found:?}");
    let sum = verify(&files, &pool.alliance, NOW);
    assert!(matches!(sum, Err(PublishedError::Voided)), "{sum:?}");
    let mut few = files.clone();
    let two = votes(&pool, &held, &["h01", "c3"]);
    few.insert(
        "void.json".to_owned(),
        schemas::canonical::to_bytes(&two).unwrap(),
    );
    let refused = outcome(&few, &pool.alliance, NOW).unwrap_err();
    assert_eq!(refused.part(), pooled::published::Part::Void);
    let mut more = files.clone();
    more.insert("totals.json".to_owned(), Vec::new());
    let refused = outcome(&more, &pool.alliance, NOW).unwrap_err();
    assert_eq!(refused.part(), pooled::published::Part::Files);
}

/// A seat signs a set or the void, never both; whoever saw a certificate never credits, and whoever
/// credited believes no certificate and gives no sums.
#[tokio::test]
async fn a_set_and_a_void_exclude_each_other_everywhere() {
    let pool = Pool::found().await;
    let held = pool.open(&[]).await;
    for name in ["h01", "h02", "h03", "h04", "h05"] {
        pool.upload(name, &held.offer).await;
    }
    let round = held.asked.id.clone();
    assert_eq!(pool.go_on(&round, NOW).await, "proposed");
    let late = Timestamp(held.round.manifest().closes.0 + 1);
    let c4 = at(&pool, "c4", late).await;
    party::void(&desk(&pool, &c4), &held.offer).await.unwrap();
    let set = office::proposal(&pool.state, &held, &slug("c4"))
        .await
        .unwrap();
    let both = party::certify(&desk(&pool, &c4), &held.offer, &set).await;
    assert!(matches!(both, Err(PooledError::Vote(_))), "{both:?}");
    let h01 = at(&pool, "h01", late).await;
    let set = office::proposal(&pool.state, &held, &slug("h01"))
        .await
        .unwrap();
    party::certify(&desk(&pool, &h01), &held.offer, &set)
        .await
        .unwrap();
    let both = party::void(&desk(&pool, &h01), &held.offer).await;
    assert!(matches!(both, Err(PooledError::Vote(_))), "{both:?}");
    // A vote to void is none for a round that goes on.
    let vote = votes(&pool, &held, &["c4"]).votes.remove(0);
    let word = SeatWord::Void(vote);
    let taken = office::take_word(&pool.state, &held, &slug("c4"), &word, late).await;
    assert!(
        matches!(taken, Err(office::PooledError::Ended)),
        "{taken:?}"
    );

    pool.sit(&round, &["h01", "h02", "c3"], NOW).await;
    let found = office::certificate(&pool.state, &round)
        .await
        .unwrap()
        .unwrap();
    let h03 = pool.desk(pool.party("h03"));
    party::hear(&h03, &held.offer, &found).await.unwrap();
    // More than f seats lie: what no quorum of honest seats lets happen.
    let forged = votes(&pool, &held, &["h01", "h02", "c3"]);
    let credited = party::hear_void(&h03, &held.offer, &forged).await;
    let refused = matches!(
        credited,
        Err(PooledError::Ledger(LedgerError::Certified(_)))
    );
    assert!(refused, "{credited:?}");
    assert_eq!(spent(&pool, "h03").await[0], CHARGE);
    // A seat that has seen a certificate does not vote to void, though it cast nothing.
    sqlx::query("delete from pooled_ballots")
        .execute(c4.state.pool())
        .await
        .unwrap();
    party::hear(&desk(&pool, &c4), &held.offer, &found)
        .await
        .unwrap();
    let late_vote = party::void(&desk(&pool, &c4), &held.offer).await;
    assert!(
        matches!(late_vote, Err(PooledError::OtherSet)),
        "{late_vote:?}"
    );

    let h04 = pool.desk(pool.party("h04"));
    party::hear_void(&h04, &held.offer, &forged).await.unwrap();
    let heard = party::hear(&h04, &held.offer, &found).await;
    let refused = matches!(heard, Err(PooledError::Ledger(LedgerError::Voided(_))));
    assert!(refused, "{heard:?}");
}

/// A seat that heard the void casts nothing for a set and gives no sums.
#[tokio::test]
async fn seats_do_nothing_for_a_voided_round() {
    let pool = Pool::found().await;
    let held = pool.open(&[]).await;
    for name in ["h01", "h02", "h03", "h04", "h05"] {
        pool.upload(name, &held.offer).await;
    }
    let round = held.asked.id.clone();
    pool.go_on(&round, NOW).await;
    let forged = votes(&pool, &held, &["h01", "h02", "c3"]);
    let c4 = pool.desk(pool.party("c4"));
    party::hear_void(&c4, &held.offer, &forged).await.unwrap();
    let set = office::proposal(&pool.state, &held, &slug("c4"))
        .await
        .unwrap();
    let cast = party::certify(&c4, &held.offer, &set).await;
    let refused = matches!(cast, Err(PooledError::Ledger(LedgerError::Voided(_))));
    assert!(refused, "{cast:?}");
    pool.sit(&round, &["h01", "h02", "c3"], NOW).await;
    let found = office::certificate(&pool.state, &round)
        .await
        .unwrap()
        .unwrap();
    let sums = party::sums(&c4, &held.offer, &set, &found, &[]).await;
    let refused = matches!(sums, Err(PooledError::Ledger(LedgerError::Voided(_))));
    assert!(refused, "{sums:?}");
}

/// Too few votes, one seat twice, votes of another round or of another manifest under the name, and
/// votes of somebody else: nothing is credited.
#[tokio::test]
async fn false_void_certificates_are_refused() {
    let pool = Pool::found().await;
    let (held, _) = dead(&pool, &["h01"]).await;
    let (other, _) = dead(&pool, &["h02"]).await;
    let h01 = pool.desk(pool.party("h01"));
    let of_other = votes(&pool, &other, &["h01", "h02", "c3"]);
    let mut mixed = votes(&pool, &held, &["h01", "h02"]);
    mixed.votes.push(of_other.votes[2].clone());
    let mut outsider = votes(&pool, &held, &["h01", "h02"]);
    let signer = &pool.party("h05").app.signer;
    let vote = Void {
        manifest: *held.round.hash(),
        member: slug("c3"),
    };
    outsider.votes.push(Sealed::seal(signer, &vote).unwrap());
    for (row, certificate) in [
        votes(&pool, &held, &["h01", "h02"]),
        votes(&pool, &held, &["h01", "h02", "h02"]),
        of_other.clone(),
        mixed,
        outsider,
    ]
    .iter()
    .enumerate()
    {
        let heard = party::hear_void(&h01, &held.offer, certificate).await;
        let refused = matches!(heard, Err(PooledError::Ledger(LedgerError::Void(_))));
        assert!(refused, "row {row}: {heard:?}");
    }
    // Sound, of a round that this hospital did not upload to.
    let heard = party::hear_void(&h01, &other.offer, &of_other).await;
    assert_eq!(heard.unwrap(), None);
    // Sound, of a second manifest under the name.
    let mut manifest = held.round.manifest().clone();
    manifest.answer_by = Timestamp(manifest.answer_by.0 + 1);
    let offer = Offer {
        round: held.offer.round.clone(),
        manifest: Sealed::seal(pool.authority.signer(), &manifest).unwrap(),
    };
    let list = office::published(&pool.state).await.unwrap().unwrap();
    let list = list.list.open(&pool.alliance).unwrap();
    let second = pooled::published::open_round(&offer, list, &pool.alliance).unwrap();
    let second = office::Held {
        round: second,
        ..held.clone()
    };
    let certificate = votes(&pool, &second, &["h01", "h02", "c3"]);
    let heard = party::hear_void(&h01, &offer, &certificate).await;
    assert!(
        matches!(heard, Err(PooledError::SecondManifest(_))),
        "{heard:?}"
    );
    assert_eq!(spent(&pool, "h01").await[..2], [CHARGE, CHARGE]);
    let sound = votes(&pool, &held, &["h01", "h02", "c3"]);
    assert!(
        party::hear_void(&h01, &held.offer, &sound)
            .await
            .unwrap()
            .is_some()
    );
}

/// A round opened before a burned rollback is over, but its credit may be among what was lost.
#[tokio::test]
async fn a_restored_hospital_takes_nothing_back_for_old_rounds() {
    let pool = Pool::found().await;
    let (held, _) = dead(&pool, &["h01"]).await;
    let one = pool.party("h01");
    sqlx::query(
        "insert into rollbacks (origin, size, note, at, burned) values ('h01', 9, '', $1, $1)",
    )
    .bind(NOW.0)
    .execute(one.app.state.pool())
    .await
    .unwrap();
    let certificate = votes(&pool, &held, &["h01", "h02", "c3"]);
    let heard = party::hear_void(&pool.desk(one), &held.offer, &certificate).await;
    assert_eq!(heard.unwrap(), None);
    assert_eq!(spent(&pool, "h01").await[..2], [CHARGE, CHARGE]);
    assert!(party::voided(&one.app.state, &held.asked.id).await.unwrap());
    let signer = one.app.signer.public();
    node::log::fsck(&one.app.state, &signer).await.unwrap();
}

/// The child: credits until its step has come.
#[test]
fn credit_worker() {
    #[expect(
        clippy::disallowed_methods,
        reason = "how the crash test speaks to its child"
    )]
    let Ok(orders) = std::env::var("CONSILIUM_CREDIT_WORKER") else {
        return;
    };
    let parts: Vec<&str> = orders.split('|').collect();
    let [folder, step, key] = parts[..] else {
        panic!("orders")
    };
    dying::after(step.parse().unwrap());
    let alliance: PublicKey = serde_json::from_str(&format!("\"{key}\"")).unwrap();
    let folder = std::path::Path::new(folder);
    let offer = Offer::parse(&std::fs::read(folder.join("offer")).unwrap()).unwrap();
    let void = VoidCertificate::parse(&std::fs::read(folder.join("void")).unwrap()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let config = Config::read(folder).unwrap();
        let state = node::store::state::State::open(&config.data).await.unwrap();
        let app = App::open(&config, state, Clock::Fixed(NOW)).await.unwrap();
        let app = Arc::new(App {
            noise: Box::new(Zero),
            watch: die,
            ..app
        });
        let desk = Desk {
            app: &app,
            alliance: &alliance,
        };
        party::hear_void(&desk, &offer, &void).await.unwrap();
    });
}

#[tokio::test]
async fn killed_anywhere_a_void_is_credited_once() {
    let pool = Pool::found().await;
    let held = pool.open(&[]).await;
    let key = serde_json::to_value(pool.alliance).unwrap();
    let certificate = votes(&pool, &held, &SEATS);
    for (step, name) in ["h01", "h02", "h03", "h04", "h05"].into_iter().enumerate() {
        pool.upload(name, &held.offer).await;
        let one = pool.party(name);
        let data = &one.home.config.data;
        let offer = schemas::canonical::to_bytes(&held.offer).unwrap();
        std::fs::write(data.join("offer"), offer).unwrap();
        let void = schemas::canonical::to_bytes(&certificate).unwrap();
        std::fs::write(data.join("void"), void).unwrap();
        let orders = format!("{}|{step}|{}", data.display(), key.as_str().unwrap());
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["pooled::voids::credit_worker", "--exact", "--nocapture"])
            .env("CONSILIUM_CREDIT_WORKER", orders)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(!output.status.success(), "{name} was not killed");
        // The last step stands behind the commit.
        let committed = step == 4;
        let left = if committed { 0 } else { CHARGE };
        assert_eq!(spent(&pool, name).await[..2], [left, left], "{name}");
        let heard = party::hear_void(&pool.desk(one), &held.offer, &certificate).await;
        assert_eq!(heard.unwrap().is_none(), committed, "{name}");
        assert_eq!(spent(&pool, name).await[..2], [0, 0], "{name}");
        node::log::fsck(&one.app.state, &one.app.signer.public())
            .await
            .unwrap();
    }
}
