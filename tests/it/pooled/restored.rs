//! State files that were put back from an old backup, and a coordinator that hides it: what other
//! seats know shows it, before anything is uploaded or voted.

use std::path::Path;
use std::sync::Arc;

use coordinator::pooled as office;
use node::answer::App;
use node::clock::Clock;
use node::config::Config;
use node::ledger::{self, LedgerError};
use node::log::Leaves;
use node::pooled::{self as party, Desk, PooledError, Said};
use pooled::receipt::ReceiptError;
use schemas::time::Timestamp;
use tests::fixture::{rules, slug};

use super::{NOW, Party, Pool, SEATS, opened};

const CHARGE: u64 = 200_000_001;

/// The state file as it is now.
async fn back_up(one: &Party) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    sqlx::query("vacuum into $1")
        .bind(path.to_str().unwrap())
        .execute(one.app.state.pool())
        .await
        .unwrap();
    folder
}

/// The node as it starts on its folder with the old state file.
async fn put_back(one: &Party, backup: &Path, clock: Timestamp) -> Arc<App> {
    for entry in std::fs::read_dir(&one.home.config.data).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.starts_with("state.sqlite") {
            copy(&path, &backup.join(name));
        }
    }
    let config = Config {
        data: backup.to_owned(),
        ..one.home.config.clone()
    };
    let app = opened(&config, Clock::Fixed(clock)).await;
    party::begin(&app.state).await.unwrap();
    app
}

fn copy(from: &Path, to: &Path) {
    if !from.is_dir() {
        std::fs::copy(from, to).unwrap();
        return;
    }
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

fn desk<'a>(pool: &'a Pool, app: &'a Arc<App>) -> Desk<'a> {
    Desk {
        app,
        alliance: &pool.alliance,
    }
}

fn waits(said: &Result<Said, PooledError>, count: usize) -> bool {
    matches!(said, Err(PooledError::Receipt(ReceiptError::TooFew { found, .. })) if *found == count)
}

fn stopped<T>(said: &Result<T, PooledError>) -> bool {
    matches!(said, Err(PooledError::Ledger(LedgerError::RolledBack)))
}

/// Row 11: a hospital charges and uploads, is put back, and the coordinator neither compares nor
/// tells. It asks at its start; the seats know more of its log; nothing leaves until a steward burned
/// the gap, and for what was asked before nothing ever does.
#[tokio::test]
async fn a_rollback_that_the_coordinator_hides_shows_in_receipts() {
    let pool = Pool::found().await;
    let one = pool.party("h03");
    let backup = back_up(one).await;
    let held = pool.open(&[]).await;
    pool.upload("h03", &held.offer).await;
    // It runs on: the next ask tells the seats of the longer log.
    party::begin(&one.app.state).await.unwrap();
    let said = party::answer(&pool.desk(one), &held.offer).await;
    assert!(waits(&said, 0), "{said:?}");
    pool.ask(one, &["h01"]).await;
    let said = party::answer(&pool.desk(one), &held.offer).await;
    assert!(waits(&said, 1), "{said:?}");
    pool.ask(one, &["h01", "c3"]).await;
    assert!(party::answer(&pool.desk(one), &held.offer).await.is_ok());
    let old = office::receipts(&pool.state, &slug("h03")).await.unwrap();

    let app = put_back(one, backup.path(), NOW).await;
    let restored = desk(&pool, &app);
    // The receipts in the backup are of today, and count no more.
    let said = party::answer(&restored, &held.offer).await;
    assert!(waits(&said, 0), "{said:?}");
    // Nor do those of an earlier ask that the coordinator shows again, though they are ahead.
    let mut leaves = Leaves::default();
    let tree = leaves.follow(&app.state).await.unwrap();
    party::ask(&restored, tree).await.unwrap();
    party::take(&restored, tree, &old).await.unwrap();
    assert!(waits(&party::answer(&restored, &held.offer).await, 0));
    // Seats that the coordinator kept the longer log from are worth what they know.
    pool.ask_as(&restored, &["c4"]).await;
    assert!(waits(&party::answer(&restored, &held.offer).await, 1));
    // One honest seat that knew it is enough.
    pool.ask_as(&restored, &["c4", "c3"]).await;
    assert!(stopped(&party::answer(&restored, &held.offer).await));

    let mut entries = Vec::new();
    for entry in one.app.state.log().await.unwrap() {
        entries.extend(schemas::canonical::to_bytes(&entry).unwrap());
        entries.push(b'\n');
    }
    let by = slug("li-hua");
    let burned = ledger::burn(&app.state, Some(&entries), &rules(), &by, NOW).await;
    assert_eq!(burned.unwrap().len(), 3);
    let said = party::answer(&restored, &held.offer).await;
    assert!(matches!(said, Err(PooledError::Restored)), "{said:?}");
    let spent = node::ledger::lines(&app.state).await.unwrap();
    let all = spent.iter().find(|line| line.purpose == "all").unwrap();
    assert_eq!(all.spent.nano(), CHARGE);

    // A round of after the burning is answered, with receipts about the log's new name.
    let later = super::ask_at(&pool.state, &pool.authority, &[], Timestamp(NOW.0 + 60)).await;
    let app = opened(
        &config_of(one, backup.path()),
        Clock::Fixed(Timestamp(NOW.0 + 90)),
    )
    .await;
    let restored = desk(&pool, &app);
    // What seats said about the log that was given up counts no more, in the same process neither.
    assert!(waits(&party::answer(&restored, &later.offer).await, 0));
    party::begin(&app.state).await.unwrap();
    assert!(waits(&party::answer(&restored, &later.offer).await, 0));
    pool.ask_as(&restored, &SEATS).await;
    let said = party::answer(&restored, &later.offer).await;
    assert!(matches!(said, Ok(Said::Upload(_))), "{said:?}");
    node::log::fsck(&app.state, &app.signer.public())
        .await
        .unwrap();
}

fn config_of(one: &Party, data: &Path) -> Config {
    Config {
        data: data.to_owned(),
        ..one.home.config.clone()
    }
}

/// A seat votes, is put back to before its vote, and grows again past what others knew: it votes for
/// nothing else in that round, not even that it is void.
#[tokio::test]
async fn a_restored_seat_does_not_vote_again() {
    let pool = Pool::found().await;
    let one = pool.party("c4");
    let backup = back_up(one).await;
    let held = pool.open(&[]).await;
    for name in ["h01", "h02", "h03", "h04", "h05"] {
        pool.upload(name, &held.offer).await;
    }
    pool.go_on(&held.asked.id, NOW).await;
    let set = office::proposal(&pool.state, &held, &slug("c4"))
        .await
        .unwrap();
    party::certify(&pool.desk(one), &held.offer, &set)
        .await
        .unwrap();
    party::begin(&one.app.state).await.unwrap();
    pool.ask(one, &SEATS).await;

    let late = Timestamp(held.round.manifest().closes.0 + 1);
    let app = put_back(one, backup.path(), late).await;
    let restored = desk(&pool, &app);
    for place in 0..9_u8 {
        let mut change = app.state.begin().await.unwrap();
        let subject = schemas::digest::Digest::of("test", &[&[place]]);
        node::store::state::append(&mut change, late, "alarm", subject, &[])
            .await
            .unwrap();
        change.commit().await.unwrap();
    }
    let voted = party::void(&restored, &held.offer).await;
    assert!(matches!(voted, Err(PooledError::Receipt(_))), "{voted:?}");
    // Asked twice, the first answers lost: the seats still know what they knew.
    pool.ask_as(&restored, &[]).await;
    let mut leaves = Leaves::default();
    let tree = leaves.follow(&app.state).await.unwrap();
    let asked = party::ask(&restored, tree).await.unwrap().unwrap();
    for seat in ["h01", "h02", "c3"] {
        let told = party::witness(&pool.desk(pool.party(seat)), &asked).await;
        drop(told.unwrap());
    }
    party::begin(&app.state).await.unwrap();
    pool.ask_as(&restored, &["h01", "h02"]).await;
    let voted = party::void(&restored, &held.offer).await;
    assert!(stopped(&voted), "{voted:?}");
    let own = party::ask(&pool.desk(pool.party("h01")), tree)
        .await
        .unwrap()
        .unwrap();
    let witness = party::witness(&restored, &own).await;
    assert!(stopped(&witness), "{witness:?}");
    let by = slug("li-hua");
    ledger::burn(&app.state, None, &rules(), &by, late)
        .await
        .unwrap();
    let voted = party::void(&restored, &held.offer).await;
    assert!(matches!(voted, Err(PooledError::Restored)), "{voted:?}");
}

/// A seat that says each time that it knows only something earlier makes fewer and fewer asks.
#[tokio::test]
async fn asks_that_come_to_nothing_grow_rarer() {
    let pool = Pool::found().await;
    let one = pool.party("h03");
    party::begin(&one.app.state).await.unwrap();
    let mut made = Vec::new();
    let mut last = None;
    for after in (0..=170).step_by(5) {
        let app = opened(&one.home.config, Clock::Fixed(Timestamp(NOW.0 + after))).await;
        let mut leaves = Leaves::default();
        let tree = leaves.follow(&app.state).await.unwrap();
        let asked = party::ask(&desk(&pool, &app), tree).await.unwrap().unwrap();
        if last.as_ref() == Some(&asked) {
            continue;
        }
        made.push(after);
        last = Some(asked);
        let nonce = "select nonce, 'c3', 1, 0, '' from pooled_nonces order by rowid desc limit 1";
        let lie =
            format!("insert into pooled_receipts (nonce, witness, size, counts, told) {nonce}");
        sqlx::query(sqlx::AssertSqlSafe(lie))
            .execute(app.state.pool())
            .await
            .unwrap();
    }
    assert_eq!(made, [0, 10, 30, 70, 150]);
}
