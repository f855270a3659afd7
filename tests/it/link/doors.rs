//! Who gets in.

use std::sync::Arc;

use coordinator::register;
use node::enrol::EnrolError;
use node::link::LinkError;
use schemas::digest::Digest;
use schemas::time::Timestamp;

use super::{Alliance, Node, slug};

/// A client that trusts the alliance's CA and shows no certificate.
fn stranger(alliance: &Alliance) -> reqwest::Client {
    use rustls::crypto::ring;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(alliance.authority.ca().clone()).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .no_proxy()
        // A refused body ends its connection; no later request should find it.
        .pool_max_idle_per_host(0)
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_stay_outside() {
    let alliance = Alliance::found().await;
    let other = Alliance::found().await;
    let client = stranger(&alliance);
    // Without a certificate there is no conversation on the nodes' port, whatever the path.
    for path in [
        "/v1/dictionary",
        "/v1/rounds",
        "/v1/rounds/r1/progress",
        "/health",
    ] {
        let url = format!("{}{path}", alliance.config.node_url);
        assert!(client.get(url).send().await.is_err(), "{path}");
    }
    // The public port has nothing of the members'.
    for path in ["/v1/dictionary", "/v1/rounds", "/v1/rounds/r1/progress"] {
        let url = format!("{}{path}", alliance.config.public_url);
        let response = client.get(url).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 404, "{path}");
        let kind = response.headers().get("content-type").unwrap().clone();
        assert_eq!(kind, "application/problem+json");
    }
    let health = format!("{}/health", alliance.config.public_url);
    assert_eq!(
        client.get(health).send().await.unwrap().status().as_u16(),
        204
    );

    // A member of another alliance with the same name: another CA.
    let foreign = other.joined("a").await;
    let member = alliance.joined("a").await;
    for file in ["ca.pem", "alliance.key", "coordinator.url"] {
        std::fs::copy(
            member.folder.path().join(file),
            foreign.folder.path().join(file),
        )
        .unwrap();
    }
    assert!(matches!(
        foreign.link().rounds(0).await,
        Err(LinkError::Unreachable(_))
    ));
    assert!(member.link().rounds(0).await.unwrap().is_empty());

    // Enrolled anew: the earlier certificate is revoked, and the new one waits for approval.
    let again = Node::new("a").await;
    let certificate = again.enrol(&alliance.invite("a").await).await.unwrap();
    assert!(matches!(
        member.link().rounds(0).await,
        Err(LinkError::Revoked)
    ));
    assert!(matches!(
        again.link().rounds(0).await,
        Err(LinkError::Pending)
    ));
    alliance.approve(&again, certificate).await;
    assert!(again.link().rounds(0).await.is_ok());
    other.end().await;
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_works_once_for_its_hospital_in_its_time() {
    let alliance = Alliance::found().await;
    let refused = |result: Result<Digest, EnrolError>| match result {
        Err(EnrolError::Refused { title, .. }) => title,
        other => panic!("{other:?}"),
    };
    let code = alliance.invite("a").await;
    let node = Node::new("a").await;

    let mut wrong = code.clone();
    wrong.secret = Digest::of("guess", &[]);
    assert_eq!(
        refused(node.enrol(&wrong).await),
        "the join code is not valid"
    );
    let mut stolen = code.clone();
    stolen.hospital = slug("b");
    assert!(matches!(
        node.enrol(&stolen).await,
        Err(EnrolError::OtherHospital { .. })
    ));
    let thief = Node::new("b").await;
    assert_eq!(
        refused(thief.enrol(&stolen).await),
        "the join code is not valid"
    );
    // A coordinator with another CA than the code names is not talked to at all.
    let mut redirected = code.clone();
    redirected.ca = Digest::of("other", &[]);
    assert!(matches!(
        node.enrol(&redirected).await,
        Err(EnrolError::Unreachable(_))
    ));

    // A new code voids the unused one; used codes are void.
    let newer = alliance.invite("a").await;
    assert_eq!(
        refused(node.enrol(&code).await),
        "the join code is not valid"
    );
    node.enrol(&newer).await.unwrap();
    assert!(matches!(
        node.enrol(&newer).await,
        Err(EnrolError::Joined(_))
    ));
    let second = Node::new("a").await;
    assert_eq!(
        refused(second.enrol(&newer).await),
        "the join code is not valid"
    );

    let (url, now) = (&alliance.config.public_url, alliance.clock.now());
    let yesterday = Timestamp(now.0 - register::CODE_SECONDS);
    let (name, by) = (slug("c"), slug("li"));
    let (state, authority) = (&alliance.state, &alliance.authority);
    let late = register::invite(state, authority, url, &name, &by, yesterday)
        .await
        .unwrap();
    let node = Node::new("c").await;
    assert_eq!(
        refused(node.enrol(&late).await),
        "the join code is not valid"
    );
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_with_one_code_exactly_one_joins() {
    let alliance = Alliance::found().await;
    let code = alliance.invite("a").await;
    let (first, second) = (Node::new("a").await, Node::new("a").await);
    let (one, two) = tokio::join!(first.enrol(&code), second.enrol(&code));
    assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_codes_ends_with_the_minute() {
    let alliance = Alliance::found().await;
    let mut guess = alliance.invite("a").await;
    let node = Node::new("a").await;
    let mut titles = Vec::new();
    for n in 0_u32..12 {
        guess.secret = Digest::of("guess", &[&n.to_le_bytes()]);
        if let Err(EnrolError::Refused { title, .. }) = node.enrol(&guess).await {
            titles.push(title);
        }
    }
    assert_eq!(
        titles
            .iter()
            .filter(|t| *t == "too many refused joins")
            .count(),
        2
    );
    alliance.clock.advance(60);
    let code = alliance.invite("a").await;
    node.enrol(&code).await.unwrap();
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_encoded_and_malformed_bodies_are_refused() {
    let alliance = Alliance::found().await;
    let client = stranger(&alliance);
    let url = format!("{}/v1/join", alliance.config.public_url);
    let post = |body: Vec<u8>| client.post(&url).body(body);
    let status =
        async |request: reqwest::RequestBuilder| request.send().await.unwrap().status().as_u16();
    assert_eq!(status(post(b"{}".to_vec())).await, 400);
    assert_eq!(status(post("[".repeat(10_000).into_bytes())).await, 400);
    assert_eq!(
        status(post(b"x".to_vec()).header("content-encoding", "gzip")).await,
        415
    );
    assert_eq!(status(client.get(&url)).await, 405);
    // A body beyond the limit is refused, or the connection is closed while it is still coming.
    if let Ok(response) = post(vec![b' '; 17 * 1024 * 1024]).send().await {
        assert_eq!(response.status().as_u16(), 413);
    }
    let mut answers = Vec::new();
    for _ in 0..10 {
        answers.push(status(post(b"{\"secret\":1}".to_vec())).await);
    }
    assert_eq!(answers.last(), Some(&429));
    alliance.end().await;
}

/// Threat D: one address with many connections. Its share is full, others are served, and places
/// come back when handshakes that never come time out.
#[tokio::test(flavor = "multi_thread")]
async fn one_address_takes_no_others_places() {
    use tokio::io::AsyncReadExt as _;
    use tokio::net::{TcpSocket, TcpStream};

    let alliance = Alliance::found().await;
    let to = alliance.config.public_address;
    let most = alliance.config.limits.connections_per_address;
    let idle = async || {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        socket.connect(to).await.unwrap()
    };
    let ended = async |stream: &mut TcpStream, patience| {
        let read = tokio::time::timeout(patience, stream.read(&mut [0; 1])).await;
        read.is_ok_and(|read| read.unwrap_or(0) == 0)
    };
    let mut held = Vec::new();
    for _ in 0..most {
        held.push(idle().await);
    }
    let soon = std::time::Duration::from_secs(2);
    assert!(ended(&mut idle().await, soon).await, "one too many");
    assert!(!ended(&mut held[0], soon / 20).await, "the first is kept");
    let health = format!("{}/health", alliance.config.public_url);
    let response = stranger(&alliance).get(health).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 204, "another address is served");
    let seconds = alliance.config.limits.handshake_seconds;
    let patience = std::time::Duration::from_secs(u64::from(seconds) + 3);
    for stream in &mut held {
        assert!(ended(stream, patience).await, "no handshake ever came");
    }
    assert!(!ended(&mut idle().await, soon / 4).await, "places are free");
    alliance.end().await;
}
