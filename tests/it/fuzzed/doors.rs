//! Both listeners of the coordinator under callers that are slow, silent, or send too much: others are served
//! meanwhile, and each of them ends.

use std::io::{ErrorKind, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::hub::Hub;

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn tcp(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(45)))
        .unwrap();
    stream
        .set_write_timeout(Some(Duration::from_secs(45)))
        .unwrap();
    stream
}

/// A handshake with the public port, without a certificate.
fn tls(hub: &Hub, address: SocketAddr) -> Tls {
    use rustls::crypto::ring;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(hub.authority.ca().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(client, tcp(address))
}

/// What comes until the other side ends it; a cut counts as an end.
fn rest(what: &str, stream: &mut impl std::io::Read) -> String {
    let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => text.extend_from_slice(&buffer[..count]),
            Err(error) => {
                let waited = [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind());
                assert!(!waited, "{what}: the connection was left open");
                break;
            }
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn healthy(hub: &Hub, address: SocketAddr) -> bool {
    let mut stream = tls(hub, address);
    let asked = b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(asked).unwrap();
    rest("health", &mut stream).starts_with("HTTP/1.1 204")
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_and_oversized_callers_hold_nobody_up() {
    let hub = Hub::found().await;
    let (nodes, public) = (hub.config.node_address, hub.config.public_address);
    let hub = Arc::new(hub);
    let own = Arc::clone(&hub);
    let hostile = tokio::task::spawn_blocking(move || callers(&own, nodes, public));
    hostile.await.unwrap();
    let hub = Arc::into_inner(hub).unwrap();
    hub.end().await;
}

fn callers(hub: &Hub, nodes: SocketAddr, public: SocketAddr) {
    let limits = hub.config.limits;
    let begun = Instant::now();
    // Slow ones on both ports: nothing at all, half a handshake, a head letter by letter.
    let mut silent: Vec<TcpStream> = (0..12).map(|n| tcp([nodes, public][n % 2])).collect();
    for stream in silent.iter_mut().skip(4) {
        stream.write_all(&[0x16, 0x03, 0x01]).unwrap();
    }
    let mut heads: Vec<Tls> = (0..4).map(|_| tls(hub, public)).collect();
    for stream in &mut heads {
        stream
            .write_all(b"GET /health HTTP/1.1\r\nhost: lo")
            .unwrap();
    }
    assert!(healthy(hub, public), "slow callers hold others up");
    for stream in &mut silent {
        assert_eq!(rest("silent", stream), "", "a silent caller got something");
    }
    let handshakes = Duration::from_secs(u64::from(limits.handshake_seconds) + 10);
    assert!(begun.elapsed() < handshakes, "{:?}", begun.elapsed());
    for stream in &mut heads {
        drop(stream.write_all(b"c"));
        let said = rest("slow head", stream);
        assert!(
            said.is_empty() || said.starts_with("HTTP/1.1 408"),
            "{said}"
        );
    }
    let slowest =
        Duration::from_secs(u64::from(limits.handshake_seconds + limits.head_seconds) + 20);
    assert!(begun.elapsed() < slowest, "{:?}", begun.elapsed());

    // Too much: a head, a body that is said to be large, one that is, and a compressed one.
    let long = format!(
        "GET /health HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n",
        "a".repeat(1 << 20)
    );
    let join = "POST /v1/join HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let said_large = format!("{join}content-length: 99999999999\r\n\r\n{{");
    let large = format!(
        "{join}content-length: {}\r\n\r\n{}",
        1 << 20,
        " ".repeat(1 << 20)
    );
    let packed = format!("{join}content-encoding: gzip\r\ncontent-length: 2\r\n\r\n{{}}");
    let nested = format!("{join}content-length: 60000\r\n\r\n{}", "[".repeat(60_000));
    for (request, status) in [
        (&long, &["431"][..]),
        (&said_large, &["413"]),
        (&large, &["413"]),
        (&packed, &["415"]),
        (&nested, &["400", "422"]),
    ] {
        let mut stream = tls(hub, public);
        // It may be cut while it still sends.
        drop(stream.write_all(request.as_bytes()));
        let said = rest(status[0], &mut stream);
        let is = |status: &&str| said.starts_with(&format!("HTTP/1.1 {status}"));
        assert!(
            said.is_empty() || status.iter().any(is),
            "{status:?}: {}",
            said.lines().next().unwrap()
        );
    }
    // Without TLS, and a TLS record that is longer than any may be.
    for bytes in [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        [vec![0x16, 3, 1, 0xff, 0xff], vec![0; 70_000]].concat(),
    ] {
        for address in [nodes, public] {
            let mut stream = tcp(address);
            drop(stream.write_all(&bytes));
            assert!(!rest("no TLS", &mut stream).contains("HTTP/1.1 2"));
        }
    }
    assert!(healthy(hub, public), "it serves on");
}
