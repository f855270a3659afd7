//! Every path of the coordinator × who comes × whose round: only what is listed as open is open.

use std::sync::Arc;

use coordinator::relay;
use node::link::Signed;
use reqwest::{Client, Method};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use schemas::digest::Digest;
use schemas::outcome::Reason;
use schemas::request::REQUEST;
use schemas::round::Said;

use super::{Alliance, Node};

/// A client with a node's certificate.
pub(super) fn member(node: &Node) -> Client {
    let read = |name: &str| std::fs::read(node.folder.path().join(name)).unwrap();
    client(&read("ca.pem"), Some(&read("keys/tls.pem")))
}

/// A client with a certificate and its key, or with none.
fn client(ca: &[u8], identity: Option<&[u8]>) -> Client {
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots);
    let config = match identity {
        Some(identity) => {
            let certificate = CertificateDer::from_pem_slice(identity).unwrap();
            let key = PrivateKeyDer::from_pem_slice(identity).unwrap();
            config
                .with_client_auth_cert(vec![certificate], key)
                .unwrap()
        }
        None => config.with_no_client_auth(),
    };
    Client::builder()
        .tls_backend_preconfigured(config)
        .no_proxy()
        .pool_max_idle_per_host(0)
        .build()
        .unwrap()
}

/// What a request, signed by the node, comes to; 0 where there is no conversation at all.
async fn status(
    (node, alliance): (&Node, &Alliance),
    (method, path): (&Method, &str),
    body: &[u8],
) -> u16 {
    let to = alliance.authority.signer().public();
    let now = alliance.clock.now();
    let signed = Signed::new(&node.signer, &node.hospital, &to, path, body.to_vec(), now);
    let signed = signed.unwrap();
    let url = format!("{}{path}", alliance.config.node_url);
    let request = member(node).request(method.clone(), url);
    came(request.header(REQUEST, signed.header).body(signed.body)).await
}

async fn came(request: reqwest::RequestBuilder) -> u16 {
    let response = request.send().await;
    response.map_or(0, |response| response.status().as_u16())
}

/// Who calls: with a certificate and, a hospital, with the key of its messages too.
enum Caller<'a> {
    Hospital(&'a Node),
    Client(Client),
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_granted_is_open() {
    let alliance = Alliance::found().await;
    let asked = alliance.joined("h1").await;
    // Names that begin or end like the one that is asked.
    let (alike, other) = (alliance.joined("h11").await, alliance.joined("xh1").await);
    let former = alliance.joined("h2").await;
    alliance.joined("h2").await;
    let elsewhere = Alliance::found().await;
    let foreign = elsewhere.joined("h1").await;
    std::fs::copy(
        asked.folder.path().join("ca.pem"),
        foreign.folder.path().join("ca.pem"),
    )
    .unwrap();
    let held = alliance.round(&["h1"], 1).await;
    let second = alliance.round(&["h11"], 1).await;

    let word = asked.reply(&held, Said::Declined(Reason::Declined));
    let word = serde_json::to_vec(&word).unwrap();
    let (own, digest, theirs) = (
        held.round.id.as_str(),
        held.digest,
        second.round.id.as_str(),
    );
    let get = |path: String| (Method::GET, path);
    let post = |path: String| (Method::POST, path);
    // Path, then what it comes to for: the one asked · a name alike · another member · one who joined
    // anew since (its revoked certificate may already end at the handshake) · a member of another
    // alliance.
    let table = [
        (get("/v1/dictionary".into()), [200, 200, 200, 403, 0]),
        (get("/v1/rounds?wait=0".into()), [200, 200, 200, 403, 0]),
        (
            get(format!("/v1/rounds/{own}/progress")),
            [200, 403, 403, 403, 0],
        ),
        (
            get(format!("/v1/rounds/{digest}/progress")),
            [200, 403, 403, 403, 0],
        ),
        (
            get(format!("/v1/rounds/{theirs}/progress")),
            [403, 200, 403, 403, 0],
        ),
        (
            get(format!("/v1/rounds/{own}x/progress")),
            [404, 404, 404, 403, 0],
        ),
        (get("/v1/rounds/r/progress".into()), [404, 404, 404, 403, 0]),
        (
            get("/v1/rounds/..%2Fdictionary/progress".into()),
            [404, 404, 404, 403, 0],
        ),
        (
            get("/v1/rounds/%27%20or%201=1/progress".into()),
            [404, 404, 404, 403, 0],
        ),
        (
            post(format!("/v1/rounds/{theirs}/reply")),
            [403, 422, 403, 403, 0],
        ),
        (
            post(format!("/v1/rounds/{own}x/reply")),
            [404, 404, 404, 403, 0],
        ),
        (get("/v1/years".into()), [200, 200, 200, 403, 0]),
        (get("/v1/years/2026".into()), [404, 404, 404, 403, 0]),
        (get("/v1/years/x/standing".into()), [404, 404, 404, 403, 0]),
        (
            get("/v1/years/2026/execution/3".into()),
            [404, 404, 404, 403, 0],
        ),
        (
            get("/v1/years/2026/warnings/13".into()),
            [404, 404, 404, 403, 0],
        ),
        (
            post("/v1/years/2026/what-if".into()),
            [404, 404, 404, 403, 0],
        ),
        (
            post("/v1/years/2026/statements".into()),
            [404, 404, 404, 403, 0],
        ),
        (post("/v1/dictionary".into()), [405, 405, 405, 405, 0]),
        (get("/v1/join".into()), [404, 404, 404, 404, 0]),
        (get("/v1/members".into()), [404, 404, 404, 404, 0]),
        (get("/v1/admin".into()), [404, 404, 404, 404, 0]),
        (get("/health".into()), [404, 404, 404, 404, 0]),
        // Last: with the right words of the right hospital it is taken, from nobody else.
        (
            post(format!("/v1/rounds/{own}/reply")),
            [200, 403, 403, 403, 0],
        ),
    ];
    let who = [&asked, &alike, &other, &former, &foreign];
    for ((method, path), expected) in &table {
        // The one who may comes last, so that the others find the round open.
        for (node, expected) in who.iter().zip(expected).rev() {
            let came = status((node, &alliance), (method, path), &word).await;
            let ended = came == 0 && node.hospital == former.hospital;
            assert!(
                came == *expected || ended,
                "{method} {path} by {}: {came}, not {expected}",
                node.hospital
            );
        }
    }
    // On the public port a certificate opens nothing.
    for path in [
        "/v1/dictionary",
        "/v1/rounds",
        "/v1/rounds/r1/progress",
        "/v1/rounds/r1/reply",
    ] {
        let url = format!("{}{path}", alliance.config.public_url);
        for node in [&asked, &other] {
            let came = member(node).get(&url).send().await.unwrap();
            assert_eq!(came.status(), 404, "{path}");
        }
    }
    elsewhere.end().await;
    alliance.end().await;
}

/// The paths of log, renewal and audit, and callers who are no approved hospital.
#[tokio::test(flavor = "multi_thread")]
async fn logs_renewal_and_audit_are_open_to_whom_they_belong() {
    let alliance = Alliance::found().await;
    let hospital = alliance.joined("h1").await;
    let other = alliance.joined("h2").await;
    let pending = Node::new("h3").await;
    pending.enrol(&alliance.invite("h3").await).await.unwrap();
    let second = insurer(&alliance, "i02").await;
    let insurer = insurer(&alliance, "i01").await;
    let ca = std::fs::read(hospital.folder.path().join("ca.pem")).unwrap();
    let stranger = client(&ca, None);

    // One request of the insurer's for the hospital, and a book of the hospital's for the insurer.
    let asked = insurer
        .post(format!(
            "{}/v1/audit/hospitals/h1",
            alliance.config.node_url
        ))
        .body("asked");
    let asked = asked.send().await.unwrap().json::<Digest>().await.unwrap();
    let (get, post) = (Method::GET, Method::POST);
    // Path, body; then what it comes to for: the hospital · another hospital · one that nobody
    // approved yet · the insurer · another insurer · a stranger without a certificate.
    let table: &[(&Method, String, &str, [u16; 6])] = &[
        (
            &get,
            "/v1/dictionary".into(),
            "",
            [200, 200, 403, 403, 403, 0],
        ),
        (
            &get,
            "/v1/rounds?wait=0".into(),
            "",
            [200, 200, 403, 403, 403, 0],
        ),
        (&get, "/v1/years".into(), "", [200, 200, 403, 403, 403, 0]),
        (
            &get,
            "/v1/years/2026".into(),
            "",
            [404, 404, 403, 403, 403, 0],
        ),
        (
            &post,
            "/v1/years/2026/statements".into(),
            "{}",
            [400, 400, 403, 403, 403, 0],
        ),
        (
            &post,
            "/v1/log/exchange".into(),
            "{}",
            [400, 400, 403, 403, 403, 0],
        ),
        (
            &post,
            "/v1/log/add-checkpoint".into(),
            "x",
            [400, 400, 403, 403, 403, 0],
        ),
        (
            &post,
            "/v1/log/cosign".into(),
            "x",
            [422, 422, 403, 403, 403, 0],
        ),
        (
            &post,
            "/v1/renew".into(),
            "{}",
            [400, 400, 403, 403, 403, 0],
        ),
        (
            &get,
            "/v1/audit/requests".into(),
            "",
            [200, 200, 403, 403, 403, 0],
        ),
        (
            &get,
            format!("/v1/audit/requests/{asked}"),
            "",
            [200, 404, 403, 403, 403, 0],
        ),
        (
            &get,
            format!("/v1/audit/replies/{asked}"),
            "",
            [403, 403, 403, 204, 404, 0],
        ),
        (
            &post,
            "/v1/audit/hospitals/h1".into(),
            "asked",
            [403, 403, 403, 200, 200, 0],
        ),
        (
            &post,
            "/v1/audit/books/i01/2025-03".into(),
            "book",
            [200, 200, 403, 403, 403, 0],
        ),
        (
            &get,
            "/v1/audit/books/h1/2025-03".into(),
            "",
            [403, 403, 403, 200, 404, 0],
        ),
        (
            &get,
            "/v1/audit/books/h3/2025-03".into(),
            "",
            [403, 403, 403, 404, 404, 0],
        ),
        (
            &post,
            format!("/v1/audit/requests/{asked}"),
            "said",
            [200, 404, 403, 403, 403, 0],
        ),
    ];
    let callers = [
        ("the hospital", Caller::Hospital(&hospital)),
        ("another hospital", Caller::Hospital(&other)),
        ("a pending hospital", Caller::Hospital(&pending)),
        ("the insurer", Caller::Client(insurer)),
        ("another insurer", Caller::Client(second)),
        ("a stranger", Caller::Client(stranger)),
    ];
    let mut wrong = Vec::new();
    for (method, path, body, expected) in table {
        for ((name, caller), expected) in callers.iter().zip(expected) {
            let status = match caller {
                Caller::Hospital(node) => {
                    status((node, &alliance), (method, path), body.as_bytes()).await
                }
                Caller::Client(client) => {
                    let url = format!("{}{path}", alliance.config.node_url);
                    came(client.request((*method).clone(), url).body(*body)).await
                }
            };
            if status != *expected {
                wrong.push(format!(
                    "{method} {path} by {name}: {status}, not {expected}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    alliance.end().await;
}

/// An insurer that the alliance admits, with a key of its own.
async fn insurer(alliance: &Alliance, name: &str) -> Client {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let request = rcgen::CertificateParams::new(Vec::new()).unwrap();
    let request = request.serialize_request(&key).unwrap().pem().unwrap();
    let (name, by) = (super::slug(name), super::slug("wang-fang"));
    let by = (&by, alliance.clock.now());
    let admitted = relay::admit(&alliance.state, &alliance.authority, &name, &request, by);
    let identity = format!("{}{}", admitted.await.unwrap(), key.serialize_pem());
    client(
        alliance.authority.ca_pem().as_bytes(),
        Some(identity.as_bytes()),
    )
}
