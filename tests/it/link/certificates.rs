//! Rows 12 and 13 of the threat model: which certificates get in, and how fast one is out.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use coordinator::authority::certificate_digest;
use coordinator::membership::{self, Cause, MembershipError};
use node::link::LinkError;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use schemas::enrolment::Fingerprint;
use schemas::time::Timestamp;

use super::{Alliance, slug};

/// TLS settings of a caller that shows a certificate of its choice.
fn config(
    alliance: &Alliance,
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(alliance.authority.ca().clone()).unwrap();
    rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![certificate], key)
        .unwrap()
}

fn client(config: rustls::ClientConfig) -> reqwest::Client {
    reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .no_proxy()
        .build()
        .unwrap()
}

/// The identity of an enrolled node, as a thief of its file would hold it.
pub(super) fn stolen(alliance: &Alliance, node: &super::Node) -> rustls::ClientConfig {
    let pem = std::fs::read(node.folder.path().join("keys/tls.pem")).unwrap();
    let certificate = CertificateDer::from_pem_slice(&pem).unwrap();
    config(
        alliance,
        certificate,
        PrivateKeyDer::from_pem_slice(&pem).unwrap(),
    )
}

/// Of one case: what the certificate says, and whether the handshake ends it.
struct Case {
    name: &'static str,
    params: CertificateParams,
    handshake: bool,
}

fn params(names: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "a");
    params.subject_alt_names = names
        .iter()
        .map(|name| SanType::URI((*name).try_into().unwrap()))
        .collect();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let day = Duration::from_secs(86_400);
    let now = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(super::seconds());
    (params.not_before, params.not_after) = (now - day, now + day);
    params
}

fn cases() -> Vec<Case> {
    const A: &str = "spiffe://river/hospital/a";
    let case = |name, handshake, change: &dyn Fn(&mut CertificateParams)| {
        let mut params = params(&[A]);
        change(&mut params);
        Case {
            name,
            params,
            handshake,
        }
    };
    let names = |names: &'static [&'static str]| {
        move |params: &mut CertificateParams| *params = self::params(names)
    };
    vec![
        case("two names", true, &names(&[A, "spiffe://river/hospital/b"])),
        case("no name", true, &names(&[])),
        case(
            "another alliance",
            true,
            &names(&["spiffe://sea/hospital/a"]),
        ),
        case("no hospital", true, &names(&["spiffe://river/a"])),
        case(
            "another member",
            true,
            &names(&["spiffe://river/hospital/b"]),
        ),
        case("expired", false, &|params| {
            params.not_after = params.not_before + Duration::from_secs(60);
        }),
        case("a server's", false, &|params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        }),
        case("a CA's", false, &|params| {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }),
    ]
}

/// The alliance's issuing CA in the hands of somebody who signs what he likes.
fn issuer(alliance: &Alliance) -> Issuer<'static, KeyPair> {
    let pem = std::fs::read_to_string(alliance.folder.path().join("issuing.pem")).unwrap();
    let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
    let key = KeyPair::try_from(key.secret_pkcs8_der()).unwrap();
    Issuer::from_ca_cert_pem(&pem, key).unwrap()
}

/// Puts a certificate into the coordinator's register under hospital `a`, so that only what it says
/// speaks against it.
async fn register(alliance: &Alliance, certificate: &CertificateDer<'_>, number: i64) {
    sqlx::query(
        "insert into certificates (number, digest, role, holder, serial, expires) \
         values ($1, $2, 'hospital', 'a', $3, $4)",
    )
    .bind(number)
    .bind(certificate_digest(certificate).to_string())
    .bind(format!("{number:04x}"))
    .bind(i64::MAX)
    .execute(alliance.state.pool())
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_say_anything_else_stay_outside() {
    let alliance = Alliance::found().await;
    let _a = alliance.joined("a").await;
    let issuer = issuer(&alliance);
    let url = format!("{}/v1/rounds", alliance.config.node_url);
    let ask = async |params: &CertificateParams, issuer: &Issuer<'_, KeyPair>, number| {
        let key = KeyPair::generate().unwrap();
        let der = params.signed_by(&key, issuer).unwrap().der().clone();
        if number > 0 {
            register(&alliance, &der, number).await;
        }
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let client = client(config(&alliance, der, key));
        let response = client.get(&url).send().await;
        response.ok().map(|response| response.status().as_u16())
    };
    // The control: nothing speaks against it but that it is not registered.
    let good = params(&["spiffe://river/hospital/a"]);
    assert_eq!(ask(&good, &issuer, 100).await, Some(200));
    assert_eq!(ask(&good, &issuer, 0).await, Some(403));
    for (number, case) in (101..).zip(cases()) {
        let expected = case.handshake.then_some(403);
        let said = ask(&case.params, &issuer, number).await;
        assert_eq!(said, expected, "{}", case.name);
    }
    // Another CA that bears the same name.
    let mut rogue = CertificateParams::new(Vec::new()).unwrap();
    rogue.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    rogue.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let der = &alliance.authority.issuing()[0];
    let name = String::from_utf8_lossy(der).into_owned();
    let from = name.find("river issuing CA").unwrap();
    let name: String = name[from..].chars().take(17 + 16).collect();
    rogue.distinguished_name.push(DnType::CommonName, name);
    let rogue = Issuer::new(rogue, KeyPair::generate().unwrap());
    assert_eq!(ask(&good, &rogue, 200).await, None);
    alliance.end().await;
}

async fn revoke(alliance: &Alliance, hospital: &str) -> Result<(), MembershipError> {
    let (state, now) = (&alliance.state, alliance.clock.now());
    membership::revoke(
        state,
        &slug(hospital),
        Cause::KeyCompromise,
        &slug("li"),
        now,
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_member_is_out_at_once_on_every_connection() {
    let alliance = Alliance::found().await;
    let (a, b) = (alliance.joined("a").await, alliance.joined("b").await);
    let (link, other) = (a.link(), b.link());
    assert!(link.rounds(0).await.unwrap().is_empty());
    assert!(other.rounds(0).await.unwrap().is_empty());
    let keep_alive = client(stolen(&alliance, &a));
    let url = format!("{}/v1/rounds", alliance.config.node_url);
    let ask = async |client: &reqwest::Client| {
        let response = client.get(&url).send().await;
        response.ok().map(|response| response.status().as_u16())
    };
    assert_eq!(ask(&keep_alive).await, Some(200));
    // News of the logs end a wait early: it asks again, as a node does.
    let waiting = client(stolen(&alliance, &a));
    let long = format!("{url}?wait=30");
    let waiting = tokio::spawn(async move {
        let mut answered = true;
        while answered {
            let came = waiting.get(&long).send().await;
            answered = came.is_ok_and(|came| came.status() == 200);
        }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;

    let from = Instant::now();
    revoke(&alliance, "a").await.unwrap();
    // The open connection: not one more answer. The waiting one: cut long before its time, unless it
    // was about to ask again.
    assert_ne!(ask(&keep_alive).await, Some(200));
    assert!(matches!(link.rounds(0).await, Err(LinkError::Revoked)));
    waiting.await.unwrap();
    assert!(from.elapsed() < Duration::from_secs(5));
    // New connections end in the handshake.
    let mut refused = false;
    while from.elapsed() < Duration::from_secs(5) && !refused {
        refused = ask(&client(stolen(&alliance, &a))).await.is_none();
    }
    assert!(refused);
    // The server closes right behind its alert: where the reset overtakes it the node hears no reason,
    // and asks again. It is never answered.
    let mut told = false;
    while from.elapsed() < Duration::from_secs(5) && !told {
        let heard = a.link().rounds(0).await;
        assert!(heard.is_err());
        told = matches!(heard, Err(LinkError::Revoked));
    }
    assert!(told);
    assert!(other.rounds(0).await.is_ok(), "the others stay");

    // Once; its code is void; it is asked nothing.
    assert!(matches!(
        revoke(&alliance, "a").await,
        Err(MembershipError::Already { .. })
    ));
    let held = alliance.round(&[], 1).await;
    assert_eq!(held.round.roster, [slug("b")]);
    let entries = alliance.state.log().await.unwrap();
    let entry = entries
        .iter()
        .find(|e| e.kind.as_str() == "revoke")
        .unwrap();
    assert_eq!(entry.detail["why"], "key-compromise");
    // A restart forgets nothing.
    let alliance = alliance.restart().await;
    assert!(ask(&client(stolen(&alliance, &a))).await.is_none());
    assert!(b.link().rounds(0).await.is_ok());
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_is_resumed() {
    let alliance = Alliance::found().await;
    let a = alliance.joined("a").await;
    let address = alliance.config.node_address;
    // A caller that would resume if it could.
    let config = Arc::new(stolen(&alliance, &a));
    let call = move || {
        let name = "localhost".try_into().unwrap();
        let mut tls = rustls::ClientConnection::new(Arc::clone(&config), name).unwrap();
        let mut tcp = std::net::TcpStream::connect(address).unwrap();
        let mut stream = rustls::Stream::new(&mut tls, &mut tcp);
        let ask = "GET /v1/rounds HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(ask.as_bytes()).unwrap();
        let mut said = Vec::new();
        // The server may end without a farewell.
        drop(stream.read_to_end(&mut said));
        assert!(said.starts_with(b"HTTP/1.1 200"));
        (tls.handshake_kind(), tls.tls13_tickets_received())
    };
    let kinds = tokio::task::spawn_blocking(move || [call(), call()]).await;
    let full = (Some(rustls::HandshakeKind::Full), 0);
    assert_eq!(kinds.unwrap(), [full, full]);
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_administrator_approves_by_fingerprint() {
    let alliance = Alliance::found().await;
    let node = super::Node::new("a").await;
    let certificate = node.enrol(&alliance.invite("a").await).await.unwrap();
    let link = node.link();
    assert!(matches!(link.rounds(0).await, Err(LinkError::Pending)));
    assert!(matches!(link.dictionary().await, Err(LinkError::Pending)));
    let right = Fingerprint::of(&certificate, &node.signer.public());
    let wrong = Fingerprint::of(&certificate, &alliance.authority.signer().public());
    let approve = async |hospital: &str, said, by: &str| {
        let (state, now) = (&alliance.state, Timestamp(alliance.clock.now().0));
        membership::approve(state, &slug(hospital), said, &slug(by), now).await
    };
    let refused = approve("a", right, "li").await;
    assert!(matches!(refused, Err(MembershipError::SamePerson(_))));
    let refused = approve("a", wrong, "wu").await;
    assert!(matches!(refused, Err(MembershipError::Fingerprint(_))));
    let refused = approve("z", right, "wu").await;
    assert!(matches!(refused, Err(MembershipError::NoMember(_))));
    assert!(matches!(link.rounds(0).await, Err(LinkError::Pending)));
    approve("a", right, "wu").await.unwrap();
    assert!(link.rounds(0).await.is_ok());
    let refused = approve("a", right, "wu").await;
    assert!(matches!(refused, Err(MembershipError::Already { .. })));
    // A revoked one is not approved again.
    revoke(&alliance, "a").await.unwrap();
    let refused = approve("a", right, "wu").await;
    assert!(matches!(refused, Err(MembershipError::Already { .. })));
    alliance.end().await;
}
