//! Rounds that come to little or nothing: too few uploads, a late one, an absent committee, a seat
//! that lost its key or was restored from a backup. What was charged stays spent.

use coordinator::pooled as office;
use node::config::keys::Keys;
use node::pooled::{self as party, PooledError, Said};
use schemas::time::Timestamp;
use tests::fixture::slug;

use super::{NOW, Pool};

const CHARGE: u64 = 200_000_001;

async fn uploaded(pool: &Pool, names: &[&str]) -> office::Held {
    let held = pool.open(&[]).await;
    for name in names {
        pool.upload(name, &held.offer).await;
    }
    held
}

/// Row 1 and row 13: three of five is one too few; a late upload is not taken, a round that died
/// gives nothing, and asking again is another charge.
#[tokio::test]
async fn too_few_uploads_and_late_ones() {
    let pool = Pool::found().await;
    let held = uploaded(&pool, &["h01", "h02", "h03"]).await;
    let round = held.asked.id.clone();
    let closes = held.round.manifest().closes;
    assert_eq!(pool.go_on(&round, closes).await, "open");
    let late = Timestamp(closes.0 + 1);
    assert_eq!(pool.go_on(&round, late).await, "dead");
    let said = party::answer(&pool.desk(pool.party("h04")), &held.offer).await;
    let Ok(Said::Upload(paid)) = said else {
        panic!("{said:?}")
    };
    let member = pool.member("h04").await;
    let taken = office::take(&pool.state, &held, &member, paid.bytes(), late).await;
    assert!(
        matches!(taken, Err(office::PooledError::Ended)),
        "{taken:?}"
    );
    let held = pool.find(&round).await;
    let files = office::files(&pool.state, &held).await;
    assert!(matches!(files, Err(office::PooledError::Unfinished(..))));
    for name in ["h01", "h02", "h03", "h04"] {
        assert_eq!(pool.party(name).home.spent("all").await, CHARGE, "{name}");
    }

    // Asked again: new noise, a new charge; the fifth comes after the end and is not in the sum.
    let again = uploaded(&pool, &["h01", "h02", "h03", "h04"]).await;
    let round = again.asked.id.clone();
    assert_eq!(pool.go_on(&round, late).await, "proposed");
    let said = party::answer(&pool.desk(pool.party("h05")), &again.offer).await;
    let Ok(Said::Upload(paid)) = said else {
        panic!("{said:?}")
    };
    let member = pool.member("h05").await;
    let taken = office::take(&pool.state, &again, &member, paid.bytes(), NOW).await;
    assert!(
        matches!(taken, Err(office::PooledError::Ended)),
        "{taken:?}"
    );
    pool.sit(&round, &["h01", "h02", "c3", "c4"], NOW).await;
    assert_eq!(pool.find(&round).await.state, "done");
    let found = office::certificate(&pool.state, &round).await.unwrap();
    assert!(!found.unwrap().survivors.hospitals().contains(&slug("h05")));
    assert_eq!(pool.party("h05").home.spent("all").await, CHARGE);
    assert_eq!(pool.party("h01").home.spent("all").await, 2 * CHARGE);
}

/// Row 2: with f + 1 seats away the round waits, and goes on when one comes back hours later; after
/// the last moment it is dead.
#[tokio::test]
async fn below_its_quorum_the_committee_keeps_a_round_waiting() {
    let pool = Pool::found().await;
    let all = ["h01", "h02", "h03", "h04", "h05"];
    let held = uploaded(&pool, &all).await;
    let round = held.asked.id.clone();
    let last = held.round.manifest().answer_by;
    pool.go_on(&round, NOW).await;
    pool.sit(&round, &["h01", "c3"], NOW).await;
    assert_eq!(pool.find(&round).await.state, "proposed");
    assert_eq!(pool.go_on(&round, last).await, "proposed");
    pool.sit(&round, &["h01", "c3", "c4"], last).await;
    assert_eq!(pool.find(&round).await.state, "done");

    let held = uploaded(&pool, &all).await;
    let round = held.asked.id.clone();
    pool.go_on(&round, NOW).await;
    pool.sit(&round, &["h01", "c3"], NOW).await;
    assert_eq!(pool.go_on(&round, Timestamp(last.0 + 1)).await, "dead");
}

/// Row 17: a seat that lost its key of the month says nothing more; the others are enough. Row 11: a
/// seat whose log is older than what others saw of it says nothing until the gap is burned.
#[tokio::test]
async fn a_lost_key_and_a_restored_seat_say_nothing() {
    let pool = Pool::found().await;
    let held = uploaded(&pool, &["h01", "h02", "h03", "h04", "h05"]).await;
    let round = held.asked.id.clone();
    pool.go_on(&round, NOW).await;
    let proposal = office::proposal(&pool.state, &held, &slug("c3"))
        .await
        .unwrap();
    let c3 = pool.party("c3");
    let keys = Keys::open(&c3.app.data).unwrap();
    for (epoch, month) in keys.seat_months().unwrap() {
        keys.remove_seat_secret(epoch, month).unwrap();
    }
    let said = party::certify(&pool.desk(c3), &held.offer, &proposal).await;
    assert!(matches!(said, Err(PooledError::NoSeatKey)), "{said:?}");

    let c4 = pool.party("c4");
    let proposal = office::proposal(&pool.state, &held, &slug("c4"))
        .await
        .unwrap();
    sqlx::query("insert into rollbacks (origin, size, note, at) values ('c4', 9, '', $1)")
        .bind(NOW.0)
        .execute(c4.app.state.pool())
        .await
        .unwrap();
    let said = party::certify(&pool.desk(c4), &held.offer, &proposal).await;
    assert!(matches!(said, Err(PooledError::Ledger(_))), "{said:?}");
    let before = pool.go_on(&round, NOW).await;
    assert_eq!(before, "proposed");
    sqlx::query("update rollbacks set burned = 1")
        .execute(c4.app.state.pool())
        .await
        .unwrap();
    pool.sit(&round, &["h01", "h02", "c4"], NOW).await;
    assert_eq!(pool.find(&round).await.state, "done");
}
