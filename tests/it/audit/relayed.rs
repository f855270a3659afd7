//! An audit over real TLS: the coordinator carries signed bytes, and everybody reaches only what
//! is addressed to them.

use coordinator::audit::{Admission, AuditError};
use coordinator::relay;
use node::link::{Desk, Link, carry, compare};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::hub::Hub;

fn open(config: &Config) -> Link {
    let clock = node::clock::Clock::System;
    Link::open(&config.data, &config.hospital, None, clock).unwrap()
}

/// The hospital joins, and its node carries until the end of the test.
async fn connect(hub: &Hub, closing: &Closing) -> CancellationToken {
    hub.join(&closing.hospital).await;
    carrying(&closing.hospital.state, &closing.hospital.config).0
}

/// A node that carries until it is told to stop; then it compares its log a last time.
fn carrying(state: &State, config: &Config) -> (CancellationToken, JoinHandle<()>) {
    let stop = CancellationToken::new();
    let (state, config, stopper) = (state.clone(), config.clone(), stop.clone());
    let running = tokio::spawn(async move {
        let link = open(&config);
        let clock = node::clock::Clock::System;
        let keys = node::config::keys::Keys::open(&config.data).unwrap();
        let desk = Desk {
            link: &link,
            state: &state,
            signer: &keys.message_key().unwrap(),
            hospital: &config.hospital,
            folder: &config.data,
            clock: &clock,
            tick: std::time::Duration::from_millis(100),
        };
        carry(&desk, &config, &stopper).await;
        drop(compare(&desk).await);
    });
    (stop, running)
}

/// A data folder as a backup holds it.
async fn backup(hospital: &Hospital) -> TempDir {
    let checkpoint = sqlx::query("pragma wal_checkpoint(truncate)");
    checkpoint.execute(hospital.state.pool()).await.unwrap();
    let to = tempfile::tempdir().unwrap();
    let from = &hospital.config.data;
    for (path, _) in crate::hospital::bytes_below(from) {
        let copy = to.path().join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(&path, copy).unwrap();
    }
    let closed = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(to.path(), closed).unwrap();
    to
}

/// An insurer that has the hospital's book and asks about its own list.
async fn asking(hub: &Hub, closing: &Closing, insurer: &Insurer, payer: &str) {
    let listed = settled(300);
    let (shown, name) = (payer.to_uppercase(), slug(payer));
    let own = of_payer(&listed, &shown);
    admit(hub, insurer, payer).await;
    let book = closing.book(payer).await;
    let link = open(&closing.hospital.config);
    link.publish(&name, month(), book.clone()).await.unwrap();
    insurer.prepare(&paid(&own), &book).unwrap();
}

/// Rows 18 and 19: what the backup forgot was evaluated would be evaluated again.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_put_back_from_a_backup_answers_no_audit() {
    let hub = Hub::found().await;
    let closing = Closing::new().await;
    let (first, second) = (
        Insurer::begin(&closing, "i01").await,
        Insurer::begin(&closing, "i02").await,
    );
    closing.close(&listed(&settled(300))).await.unwrap();
    hub.join(&closing.hospital).await;
    asking(&hub, &closing, &first, "i01").await;
    asking(&hub, &closing, &second, "i02").await;
    let backup = backup(&closing.hospital).await;

    let (state, config) = (&closing.hospital.state, &closing.hospital.config);
    let (stop, running) = carrying(state, config);
    let left = audit::exchange(&first.folder, 60, &|_, _| {}).await;
    assert_eq!(left.unwrap(), 0);
    stop.cancel();
    running.await.unwrap();

    let restored = State::open(backup.path()).await.unwrap();
    let older = Config {
        data: backup.path().to_owned(),
        ..config.clone()
    };
    let (stop, running) = carrying(&restored, &older);
    let left = audit::exchange(&second.folder, 12, &|_, _| {}).await;
    assert!(left.unwrap() > 0, "an old backup evaluated");
    stop.cancel();
    running.await.unwrap();
    assert!(node::ledger::rolled_back(restored.pool()).await.unwrap());
    hub.end().await;
}

/// What one insurer piles up keeps no other's request from being told; what a removed one left goes.
#[tokio::test(flavor = "multi_thread")]
async fn insurers_do_not_stand_in_each_others_way() {
    let hub = Hub::found().await;
    let closing = Closing::new().await;
    let (first, second) = (
        Insurer::begin(&closing, "i01").await,
        Insurer::begin(&closing, "i02").await,
    );
    admit(&hub, &first, "i01").await;
    admit(&hub, &second, "i02").await;
    let hospital = &closing.hospital.config.hospital;
    let ask = async |insurer: &str, text: &str| {
        let now = coordinator::clock::Clock::System.now();
        let insurer = relay::Insurer(slug(insurer));
        let asked = relay::ask(&hub.state, &insurer, hospital, text, now).await;
        asked.unwrap()
    };
    for n in 0..400 {
        ask("i02", &format!("pile {n}")).await;
    }
    let own = ask("i01", "mine").await;
    let told = relay::waiting(&hub.state, hospital).await.unwrap();
    assert!(told[..2].contains(&own), "told with the first");
    let piled = told.iter().find(|id| **id != own).copied().unwrap();
    let now = coordinator::clock::Clock::System.now();
    let by = slug("wang-fang");
    relay::remove(&hub.state, &slug("i02"), (&by, now))
        .await
        .unwrap();
    assert_eq!(relay::waiting(&hub.state, hospital).await.unwrap(), [own]);
    let gone = relay::request(&hub.state, hospital, piled).await;
    assert!(matches!(gone, Err(relay::RelayError::Unknown)));
    hub.end().await;
}

async fn admit(hub: &Hub, insurer: &Insurer, name: &str) {
    let request = audit::identity(&insurer.folder).unwrap();
    let now = coordinator::clock::Clock::System.now();
    let pem = relay::admit(
        &hub.state,
        &hub.authority,
        &slug(name),
        &request,
        (&slug("wang-fang"), now),
    )
    .await;
    let admission = Admission {
        certificate: pem.unwrap(),
        ca: hub.authority.ca_pem().to_owned(),
        url: hub.config.node_url.clone(),
    };
    audit::admitted(&insurer.folder, &admission).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_runs_through_the_coordinator() {
    let hub = Hub::found().await;
    let closing = Closing::new().await;
    let stop = connect(&hub, &closing).await;
    let insurer = Insurer::begin(&closing, "i01").await;
    let other = Insurer::begin(&closing, "i02").await;
    let all = settled(300);
    closing.close(&listed(&all[4..])).await.unwrap();
    admit(&hub, &insurer, "i01").await;
    admit(&hub, &other, "i02").await;
    let refused = audit::fetch_book(&insurer.folder).await.unwrap_err();
    assert!(matches!(refused, AuditError::Waiting(_)));
    let link = open(&closing.hospital.config);
    let book = closing.book("i01").await;
    link.publish(&slug("i01"), month(), book.clone())
        .await
        .unwrap();
    assert_eq!(audit::fetch_book(&insurer.folder).await.unwrap(), book);
    let refused = audit::fetch_book(&other.folder).await.unwrap_err();
    assert!(
        matches!(refused, AuditError::Waiting(_)),
        "another payer's book"
    );
    let own = of_payer(&all, "I01");
    insurer.prepare(&paid(&own), &book).unwrap();
    let looks = 60;
    let left = audit::exchange(&insurer.folder, looks, &|_, _| {}).await;
    assert_eq!(left.unwrap(), 0);
    insurer.find().unwrap();
    audit::totals(&insurer.folder).unwrap();
    // Leaves are opened once two officers signed, and not before.
    assert!(audit::sample(&insurer.folder).is_err());
    let left = audit::exchange(&insurer.folder, 8, &|_, _| {}).await;
    assert_eq!(left.unwrap(), 1);
    let open = std::fs::read(insurer.folder.path("requests/open.json")).unwrap();
    let open: schemas::seal::Sealed<proofs::exchange::Request> =
        serde_json::from_slice(&open).unwrap();
    let digest = open.digest().unwrap();
    closing.sign(officers::STEWARD, &digest).await.unwrap();
    let left = audit::exchange(&insurer.folder, 8, &|_, _| {}).await;
    assert_eq!(left.unwrap(), 1, "one officer is not enough");
    closing.sign(officers::SECOND, &digest).await.unwrap();
    let left = audit::exchange(&insurer.folder, looks, &|_, _| {}).await;
    assert_eq!(left.unwrap(), 0);
    audit::sample(&insurer.folder).unwrap();
    let report = audit::report(&insurer.folder).unwrap();
    assert_eq!(
        report.findings.len(),
        2,
        "settlements 0 and 3 were left out"
    );
    assert!(report.accounted);
    // What the coordinator holds shows no total: only its payer reads it.
    let held: Vec<String> = held(&hub).await;
    assert!(held.iter().all(|text| !text.contains(&report.committed)));
    // A removed insurer is refused from its next request on; a hospital is no insurer.
    let now = coordinator::clock::Clock::System.now();
    relay::remove(&hub.state, &slug("i01"), (&slug("wang-fang"), now))
        .await
        .unwrap();
    let refused = audit::fetch_book(&insurer.folder).await.unwrap_err();
    assert!(matches!(refused, AuditError::Status(403)), "{refused}");
    stop.cancel();
}

async fn held(hub: &Hub) -> Vec<String> {
    use sqlx::Row as _;
    let rows = sqlx::query("select request || coalesce(reply, '') from audit_relay")
        .fetch_all(hub.state.pool())
        .await
        .unwrap();
    assert!(!rows.is_empty());
    rows.iter().map(|row| row.get(0)).collect()
}
