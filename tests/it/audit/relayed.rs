//! An audit over real TLS: the coordinator carries signed bytes, and everybody reaches only what
//! is addressed to them.

use coordinator::audit::{Admission, AuditError};
use coordinator::relay;
use node::link::{Desk, Link, carry};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::hub::Hub;

fn open(config: &node::config::Config) -> Link {
    let clock = node::clock::Clock::System;
    Link::open(&config.data, &config.hospital, None, clock).unwrap()
}

/// The hospital joins, and its node carries until the end of the test.
async fn connect(hub: &Hub, closing: &Closing) -> CancellationToken {
    hub.join(&closing.hospital).await;
    let stop = CancellationToken::new();
    let (state, config) = (
        closing.hospital.state.clone(),
        closing.hospital.config.clone(),
    );
    let stopper = stop.clone();
    tokio::spawn(async move {
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
    });
    stop
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
