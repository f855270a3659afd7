//! Rows 11, 16, 17 and 36 of the threat model: what a request must be signed by, that it counts
//! once, and that the node goes nowhere else.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use node::link::{Link, LinkError, Sent};
use proofs::witness::origin;
use rustls::crypto::ring;
use schemas::outcome::Reason;
use schemas::request::{self, Request};
use schemas::round::Said;
use schemas::seal::{Sealed, Signer};
use schemas::time::Timestamp;
use schemas::witness::Exchange;

use super::certificates::stolen;
use super::{Alliance, Node, slug};

async fn kinds(alliance: &Alliance, kind: &str) -> usize {
    let entries = alliance.state.log().await.unwrap();
    entries.iter().filter(|e| e.kind.as_str() == kind).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_certificate_without_the_message_key_says_nothing() {
    let alliance = Alliance::found().await;
    let a = alliance.joined("a").await;
    let held = alliance.round(&["a"], 1).await;
    let (thief, _) = Signer::generate().unwrap();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(stolen(&alliance, &a))
        .no_proxy()
        .build()
        .unwrap();
    let path = format!("/v1/rounds/{}/reply", held.digest);
    let url = format!("{}{path}", alliance.config.node_url);
    let rounds = format!("{}/v1/rounds", alliance.config.node_url);
    assert_eq!(client.get(rounds).send().await.unwrap().status(), 200);
    let reply = a.reply(&held, Said::Declined(Reason::Declined));
    let body = serde_json::to_vec(&reply).unwrap();
    let to = alliance.authority.signer().public();
    let now = alliance.clock.now();
    let sign = |signer| {
        node::link::Signed::new(signer, &a.hospital, &to, &path, body.clone(), now).unwrap()
    };
    let post = async |header: Option<&str>, body: &[u8]| {
        let mut request = client.post(&url).body(body.to_vec());
        if let Some(header) = header {
            request = request.header(request::REQUEST, header);
        }
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(post(None, &body).await, 401);
    assert_eq!(post(Some("{}"), &body).await, 401);
    assert_eq!(post(Some(&sign(&thief).header), &body).await, 401);
    let right = sign(&a.signer);
    // Another body under the hospital's own signature: one byte less.
    assert_eq!(post(Some(&right.header), &body[1..]).await, 401);
    assert_eq!(kinds(&alliance, "reply").await, 0);
    assert_eq!(post(Some(&right.header), &body).await, 200);
    assert_eq!(kinds(&alliance, "reply").await, 1);
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_for_one_sender_place_and_time() {
    let alliance = Alliance::found().await;
    let (a, b) = (alliance.joined("a").await, alliance.joined("b").await);
    let held = alliance.round(&["a", "b"], 1).await;
    let path = format!("/v1/rounds/{}/reply", held.digest);
    let body = |node: &Node| {
        let reply = node.reply(&held, Said::Declined(Reason::Declined));
        serde_json::to_vec(&reply).unwrap()
    };
    let refused = async |link: &Link, path: &str, signed: &node::link::Signed| {
        let sent = link.send(path, signed).await;
        assert!(matches!(sent, Err(LinkError::Status(401))), "{sent:?}");
    };
    let link = a.link();
    let signed = link.sign(&path, body(&a)).unwrap();
    refused(&b.link(), &path, &signed).await;
    refused(&link, "/v1/renew", &signed).await;
    for seconds in [-1100, 300] {
        let now = Timestamp(alliance.clock.now().0 + seconds);
        let signed = a.link_at(now).sign(&path, body(&a)).unwrap();
        refused(&link, &path, &signed).await;
    }
    let other = Alliance::found().await;
    let to = other.authority.signer().public();
    let now = alliance.clock.now();
    let signed =
        node::link::Signed::new(&a.signer, &a.hospital, &to, &path, body(&a), now).unwrap();
    refused(&link, &path, &signed).await;
    assert_eq!(kinds(&alliance, "reply").await, 0);
    other.end().await;
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_replays_have_one_effect_and_one_response() {
    let alliance = Alliance::found().await;
    let a = alliance.joined("a").await;
    let before = kinds(&alliance, "renew").await;
    let link = Arc::new(a.link());
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    let signing_request = params.serialize_request(&key).unwrap().pem().unwrap();
    let body = serde_json::to_vec(&schemas::enrolment::RenewRequest { signing_request }).unwrap();
    // A certificate is different each time it is issued: equal bytes are a stored response.
    let signed = link.sign("/v1/renew", body.clone()).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (link, signed) = (Arc::clone(&link), signed.clone());
        tasks.spawn(async move {
            let mut said = Vec::new();
            for _ in 0..100 {
                said.push(link.send("/v1/renew", &signed).await.unwrap());
            }
            said
        });
    }
    let said: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(said.len(), 1000);
    assert!(said[0].0.is_success() && !said[0].1.is_empty());
    assert!(said.iter().all(|one| *one == said[0]));
    assert_eq!(kinds(&alliance, "renew").await, before + 1);

    // The same id over another request.
    let sealed: Sealed<Request> = serde_json::from_str(&signed.header).unwrap();
    let mut again = sealed.open(&a.signer.public()).unwrap();
    again.not_after.0 -= 1;
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(stolen(&alliance, &a))
        .no_proxy()
        .build()
        .unwrap();
    let header = serde_json::to_string(&Sealed::seal(&a.signer, &again).unwrap()).unwrap();
    let url = format!("{}/v1/renew", alliance.config.node_url);
    let request = client.post(url).header(request::REQUEST, header).body(body);
    assert_eq!(request.send().await.unwrap().status(), 409);
    assert_eq!(kinds(&alliance, "renew").await, before + 1);
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_follows_no_redirect() {
    let alliance = Alliance::found().await;
    let a = alliance.joined("a").await;
    let held = alliance.round(&["a"], 1).await;
    // A coordinator with the alliance's own certificate that sends callers elsewhere.
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let here = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!(
        "https://localhost:{}/",
        elsewhere.local_addr().unwrap().port()
    );
    let url = format!("https://localhost:{}", here.local_addr().unwrap().port());
    let hosts = ["localhost".to_owned()];
    let (chain, key) = alliance
        .authority
        .server_certificate(&hosts, alliance.clock.now())
        .unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let serving = std::thread::spawn(move || {
        for _ in 0..2 {
            let (tcp, _) = here.accept().unwrap();
            let tls = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(tls, tcp);
            let mut head = [0; 4096];
            assert!(stream.read(&mut head).unwrap() > 0);
            let said = format!(
                "HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\
                 Connection: close\r\n\r\n"
            );
            stream.write_all(said.as_bytes()).unwrap();
            stream.conn.send_close_notify();
            stream.flush().unwrap();
        }
    });
    let link = a.link().at(&url);
    assert!(matches!(link.rounds(0).await, Err(LinkError::Status(302))));
    let reply = a.reply(&held, Said::Declined(Reason::Declined));
    let sent = link.reply(&held.digest, &reply).await;
    assert!(matches!(sent, Err(LinkError::Status(302))), "{sent:?}");
    serving.join().unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    assert!(elsewhere.accept().is_err(), "nobody came");
    // The same reply to the real one.
    let sent = a.link().reply(&held.digest, &reply).await.unwrap();
    assert_eq!(sent, Sent::Acknowledged);
    alliance.end().await;
}

/// It exchanges no logs yet, and is not called again and again for those that others exchange.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_a_dictionary_waits_like_all_others() {
    let alliance = Alliance::found().await;
    let a = alliance.joined("a").await;
    let ask = Exchange {
        origin: origin(&slug("river"), &slug("a"), 1),
        known: BTreeMap::new(),
    };
    let other = a.link();
    let mut turns = 0;
    for _ in 0..200 {
        turns = other.exchange(&ask).await.unwrap().turn;
        if turns > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(
        turns > 0,
        "the coordinator's own log is there to be witnessed"
    );
    // News come once a second at most, and soon there are none.
    let (link, begun) = (a.link(), Instant::now());
    for _ in 0..4 {
        assert!(link.rounds(1).await.unwrap().is_empty());
    }
    assert!(
        begun.elapsed() > Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    alliance.end().await;
}
