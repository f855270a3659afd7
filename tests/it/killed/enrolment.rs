//! Enrolment with processes killed (SIGKILL) at any moment: what the coordinator registered hangs
//! together, and a node either has joined wholly or can join with another code.

use std::process::{Command, Stdio};
use std::time::Duration;

use sqlx::Row as _;

use super::alliance::{listens, remains, two_addresses};
use super::delay;
use super::process::{COORDINATOR, NODE, Service, binary, call};

const KILLS: u64 = 125;

#[tokio::test]
async fn killed_enrolments_leave_no_half_members() {
    let folder = tempfile::tempdir().unwrap();
    let hub = folder.path().join("coordinator");
    let [nodes, public] = two_addresses();
    let (nodes, at) = (nodes.to_string(), public.to_string());
    let init = ["init", "--alliance", "river", "--host", "localhost"];
    let ports = ["--node-address", &nodes, "--public-address", &at];
    let init: Vec<&str> = init.into_iter().chain(ports).collect();
    call(COORDINATOR, &hub, &init);
    for name in ["wang-fang", "chen-jie"] {
        call(COORDINATOR, &hub, &["administrator", "add", name]);
    }
    for name in ["wang-fang", "chen-jie"] {
        call(COORDINATOR, &hub, &["policy", "approve", "--as", name]);
    }
    let mut coordinator = Service::start(COORDINATOR, &hub);
    listens(public);
    let home = folder.path().join("h1");
    call(NODE, &home, &["init", "--hospital", "h1"]);
    let identity = home.join("keys/tls.pem");
    let (mut joined, mut broken) = (0, 0);
    for kill in 0..KILLS {
        let said = call(COORDINATOR, &hub, &["invite", "h1", "--as", "wang-fang"]);
        let mut enrol = Command::new(binary(NODE))
            .arg("--data")
            .arg(&home)
            .args(["enrol", said.trim()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Up to 90 ms: before, during and after the exchange.
        tokio::time::sleep(delay(kill, 7) / 14).await;
        if kill % 4 == 3 {
            coordinator.kill();
            enrol.wait().unwrap();
            coordinator.again();
            listens(public);
        } else {
            enrol.kill().unwrap();
            enrol.wait().unwrap();
        }
        if identity.exists() {
            joined += 1;
            // A whole identity: the coordinator knows it, or it can be made anew.
            let pem = std::fs::read_to_string(&identity).unwrap();
            assert!(pem.contains("BEGIN PRIVATE KEY") && pem.contains("END CERTIFICATE"));
            std::fs::remove_file(&identity).unwrap();
        } else {
            broken += 1;
        }
    }
    println!("{joined} had joined, {broken} had not");
    // The last one goes to its end and takes part.
    let said = call(COORDINATOR, &hub, &["invite", "h1", "--as", "wang-fang"]);
    let said = call(NODE, &home, &["enrol", said.trim()]);
    let fingerprint = said.split("fingerprint ").nth(1).unwrap();
    let fingerprint = fingerprint.split_whitespace().next().unwrap();
    let approve = [
        "members",
        "approve",
        "h1",
        "--as",
        "chen-jie",
        "--fingerprint",
    ];
    let approve: Vec<&str> = approve.into_iter().chain([fingerprint]).collect();
    call(COORDINATOR, &hub, &approve);
    call(COORDINATOR, &hub, &["log", "fsck"]);
    call(NODE, &home, &["log", "fsck"]);
    coordinator.kill();
    tokio::time::sleep(Duration::from_millis(50)).await;

    let (_copy, mut state) = remains(&hub).await;
    let row = sqlx::query(
        "select (select count(*) from certificates), \
         (select count(*) from log where entry like '%\"kind\":\"join\"%'), \
         (select count(*) from certificates where revoked is null), \
         (select count(*) from members m join standings s on s.hospital = m.hospital \
          join certificates c on c.digest = m.certificate \
          where c.revoked is null and s.standing = 'active'), \
         (select count(*) from members)",
    )
    .fetch_one(&mut state)
    .await
    .unwrap();
    let count = |at| row.get::<i64, _>(at);
    assert_eq!(count(0), count(1), "each certificate is one logged join");
    assert!(count(0) > joined, "no node holds what was not registered");
    assert_eq!((count(2), count(3), count(4)), (1, 1, 1));
}
