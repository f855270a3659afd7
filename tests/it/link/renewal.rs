//! Rotation of certificates: a running node renews, loses no round, and an expired one does not
//! come back by itself.

use std::time::Duration;

use node::link::LinkError;
use schemas::enrolment::RenewRequest;
use schemas::round::State as RoundState;
use schemas::time::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{Alliance, Node};

const DAY: i64 = 86_400;

fn identity(node: &Node) -> Vec<u8> {
    std::fs::read(node.folder.path().join("keys/tls.pem")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_earlier_certificate_works_for_an_hour_after_the_new_ones_first_use() {
    let alliance = Alliance::found().await;
    let a = alliance.joined("a").await;
    let now = alliance.clock.now();
    let later = |seconds| Timestamp(now.0 + seconds);
    // The response is lost: the new certificate is never used, the earlier one goes on.
    let (before, link) = (identity(&a), a.link());
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    let signing_request = params.serialize_request(&key).unwrap().pem().unwrap();
    let body = serde_json::to_vec(&RenewRequest { signing_request }).unwrap();
    let lost = link.sign("/v1/renew", body).unwrap();
    assert!(link.send("/v1/renew", &lost).await.unwrap().0.is_success());
    alliance.clock.advance(2 * 3600);
    let earlier = a.link_at(later(2 * 3600));
    assert!(earlier.rounds(0).await.is_ok());

    // Renewed and used: the earlier one has an hour left.
    let renewing = a.link_at(later(2 * 3600));
    renewing.renew().await.unwrap();
    assert_ne!(identity(&a), before);
    assert!(renewing.rounds(0).await.is_ok());
    assert!(earlier.rounds(0).await.is_ok());
    alliance.clock.advance(3601);
    let kept = tempfile::tempdir().unwrap();
    for file in [
        "ca.pem",
        "alliance.key",
        "coordinator.url",
        "keys/message.pk8",
    ] {
        std::fs::create_dir_all(kept.path().join("keys")).unwrap();
        std::fs::copy(a.folder.path().join(file), kept.path().join(file)).unwrap();
    }
    let old = kept.path().join("keys/tls.pem");
    std::fs::copy(a.folder.path().join("keys/tls.pem"), &old).unwrap();
    std::fs::write(&old, &before).unwrap();
    let clock = node::clock::Clock::Fixed(later(3 * 3600 + 1));
    let old = node::link::Link::open(kept.path(), &a.hospital, None, clock).unwrap();
    assert!(matches!(old.rounds(0).await, Err(LinkError::Status(403))));
    let new = a.link_at(later(3 * 3600 + 1));
    assert!(new.rounds(0).await.is_ok());
    let entries = alliance.state.log().await.unwrap();
    let renewals = entries.iter().filter(|e| e.kind.as_str() == "renew");
    assert_eq!(renewals.count(), 2);
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_node_renews_in_time_and_loses_no_round() {
    let alliance = Alliance::found().await;
    let a = alliance.joined("a").await;
    let before = identity(&a);
    alliance.clock.advance(21 * DAY);
    // The clock leapt over the end of the revocation lists; the service makes new ones.
    let probe = a.link_at(alliance.clock.now());
    for _ in 0..200 {
        if probe.rounds(0).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let clock = node::clock::Clock::Fixed(alliance.clock.now());
    let held = alliance.round(&["a"], 1).await;
    let stop = CancellationToken::new();
    let running = a.run_by(
        clock,
        async |round, _| Ok(Some(a.charged(round, 1).await)),
        &stop,
    );
    let waiting = async {
        let state = alliance.until_ended(&held.round.id).await;
        stop.cancel();
        state
    };
    let ((), state) = tokio::join!(running, waiting);
    assert_eq!(state, RoundState::Closed);
    assert_ne!(identity(&a), before);
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_is_not_renewed() {
    let alliance = Alliance::found().await;
    let a = alliance.joined("a").await;
    let before = identity(&a);
    alliance.clock.advance(31 * DAY);
    // The service makes its own certificate anew within seconds.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let now = alliance.clock.now();
    let link = a.link_at(now);
    assert!(matches!(
        link.renew_when_due(now).await,
        Err(LinkError::Expired)
    ));
    // A node that tries nevertheless.
    assert!(matches!(link.renew().await, Err(LinkError::Expired)));
    assert_eq!(identity(&a), before);
    alliance.end().await;
}
