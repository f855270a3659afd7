//! A view over TLS: the server shows a certificate of the hospital's own authority, and the URL names that
//! authority's file. Another authority, another name, or none at all is refused.

use std::path::Path;
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use super::server::{Kind, SECRET, Server, secret_file};
use super::{Database, mapping, said};
use crate::binary::binary;
use crate::hospital::{Hospital, Line};

/// An address of this machine that no other server listens on.
fn address() -> String {
    let own = std::process::id();
    format!("127.{}.{}.9", 16 + own % 200, 1 + own / 200 % 250)
}

/// An authority and its certificate.
fn authority() -> (Issuer<'static, KeyPair>, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).unwrap().pem();
    (Issuer::new(params, key), pem)
}

/// Certificate and key of a server for a name, in its folder; then only TLS reaches it over the net.
fn serve(folder: &Path, issuer: &Issuer<'_, KeyPair>, name: &str) -> Vec<String> {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    secret_file(&folder.join("server.pem"), &certificate.pem());
    secret_file(&folder.join("server.key"), &key.serialize_pem());
    let access = "local all all scram-sha-256\nhostssl all all 127.0.0.0/8 scram-sha-256\n";
    secret_file(&folder.join("hba"), access);
    let at = |name: &str| folder.join(name).display().to_string();
    [
        format!("listen_addresses={}", address()),
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", at("server.pem")),
        format!("ssl_key_file={}", at("server.key")),
        format!("hba_file={}", at("hba")),
    ]
    .into_iter()
    .flat_map(|setting| ["-c".to_owned(), setting])
    .collect()
}

fn check(database: &Database, hospital: &Hospital, query: &str) -> super::Said {
    let url = format!("postgres://reader:{SECRET}@{}/postgres{query}", address());
    let url = database.url("tls-url", &url);
    let path = database.folder.path().join("mapping.toml");
    std::fs::write(&path, mapping()).unwrap();
    let mut program = Command::new(binary("consilium-node"));
    program.arg("--data").arg(&hospital.config.data);
    program
        .args(["map", "test", "--json", "--mapping"])
        .arg(path);
    program.arg("--database").arg(url).env("RUST_LOG", "trace");
    let said = said(program);
    let all = format!("{}{}", said.out, said.err);
    assert!(!all.contains(SECRET) && !all.contains("reader:"), "{all}");
    said
}

#[tokio::test]
async fn a_view_is_read_over_tls_from_the_authority_that_is_named_alone() {
    let (issuer, pem) = authority();
    let (_, other) = authority();
    let first = Server::start_with(Kind::Postgres, |folder| serve(folder, &issuer, &address()));
    let Some(server) = first.await else { return };
    let database = Database::of(server).await;
    let lines = [
        Line::new("P1", "S1", 1, "ES35", 100),
        Line::new("P2", "S2", 2, "ES35", 200),
    ];
    database.add(&lines, None).await;
    let hospital = Hospital::new("h1").await;
    let named = |name: &str, pem: &str| {
        let path = database.folder.path().join(name);
        std::fs::write(&path, pem).unwrap();
        format!("sslrootcert={}", path.display())
    };
    let (own, other) = (named("ca.pem", &pem), named("other.pem", &other));
    let read = check(&database, &hospital, &format!("?sslmode=verify-full&{own}"));
    assert!(read.ok, "{}", read.err);
    assert_eq!(read.number("read"), 2);
    for query in [
        format!("?sslmode=verify-full&{other}"),
        format!("?sslmode=verify-ca&{other}"),
        "?sslmode=verify-full".to_owned(),
        // The server itself takes nobody without TLS.
        "?sslmode=disable".to_owned(),
    ] {
        let refused = check(&database, &hospital, &query);
        assert!(!refused.ok, "{query}");
    }
    drop(database);
    // The right authority, for another name.
    let second = Server::start_with(Kind::Postgres, |folder| serve(folder, &issuer, "db.other"));
    let database = Database::of(second.await.unwrap()).await;
    database.add(&lines, None).await;
    let path = database.folder.path().join("ca.pem");
    std::fs::write(&path, &pem).unwrap();
    let own = format!("sslrootcert={}", path.display());
    let refused = check(&database, &hospital, &format!("?sslmode=verify-full&{own}"));
    assert!(!refused.ok, "another name");
    // The same server without the name is reached: so it was the name.
    let reached = check(&database, &hospital, &format!("?sslmode=verify-ca&{own}"));
    assert!(reached.ok, "{}", reached.err);
}
