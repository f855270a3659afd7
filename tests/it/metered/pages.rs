//! Both binaries serve the metrics of their families, on loopback only; the dashboards ask for these alone.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use node::metrics::Source;
use schemas::question::Purpose;

use crate::hospital::{Hospital, Line};
use crate::hub::Hub;

/// Names of labels, over both binaries.
const LABELS: [&str; 7] = [
    "version", "year", "purpose", "state", "why", "standing", "status",
];

/// Each sample's name and labels.
fn samples(text: &str) -> Vec<(String, Vec<(String, String)>)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let all = lines.map(|line| {
        let (of, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<i64>().is_ok(), "{line}");
        let (name, rest) = of.split_once('{').unwrap_or((of, "}"));
        let pairs = rest
            .trim_end_matches('}')
            .split(',')
            .filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| {
            let (label, value) = pair.split_once('=').unwrap();
            (label.to_owned(), value.trim_matches('"').to_owned())
        });
        (name.to_owned(), pairs.collect())
    });
    all.collect()
}

/// Every name is a family's, every label and value of its list; nothing is `other`.
fn closed(text: &str, families: &[&str]) {
    let words: BTreeSet<&str> = [
        "all",
        "benchmark",
        "budget",
        "audit",
        "free",
        "pooled-worst",
        "pending",
        "approved",
        "held",
        "released",
        "sent",
        "refused",
        "late",
        "rollback",
        "restored",
        "locked",
        "active",
        "revoked",
        "open",
        "closed",
        "dead",
        "proposed",
        "certified",
        "done",
        "void",
        "1xx",
        "2xx",
        "3xx",
        "4xx",
        "5xx",
        "2025",
        env!("CARGO_PKG_VERSION"),
    ]
    .into();
    let found = samples(text);
    for (name, labels) in &found {
        assert!(
            families.contains(&name.as_str()) || name.starts_with("process_"),
            "{name}"
        );
        for (label, value) in labels {
            assert!(LABELS.contains(&label.as_str()), "{name} {label}");
            assert!(words.contains(value.as_str()), "{name} {label}={value}");
        }
    }
    let names: BTreeSet<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    // A node that has not joined has no certificate.
    for family in families.iter().filter(|name| !name.contains("certificate")) {
        assert!(names.contains(family), "{family} is missing");
    }
}

#[tokio::test]
async fn metrics_tell_what_the_ledger_tells_and_nothing_of_data() {
    let pages = async |rows: u32| {
        let hospital = Hospital::new("h1").await;
        let line = |n: u32| {
            Line::new(
                &format!("P{n}"),
                &format!("S{n}"),
                3,
                "JR19",
                9000 + u64::from(n),
            )
        };
        hospital
            .hold(&(0..rows).map(line).collect::<Vec<_>>())
            .await;
        let app = hospital.app().await;
        let (question, template) = crate::hospital::shipped(&app, "monthly-benchmark", "2025-03");
        let asked = node::answer::Asked {
            question,
            template: Some(template.reference()),
            by: node::answer::By::Officer,
        };
        node::answer::reply(&app, &asked).await.unwrap();
        let source = Source {
            state: hospital.state.clone(),
            config: hospital.config.clone(),
        };
        source.page().await.into_text()
    };
    let (few, many) = (pages(20).await, pages(90).await);
    let families: Vec<&str> = node::metrics::FAMILIES.iter().map(|one| one.name).collect();
    closed(&few, &families);
    let own = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.starts_with("consilium_"));
        // Free room is the disk's, not the data's.
        let lines = lines.filter(|line| !line.starts_with("consilium_disk"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(own(&few), own(&many), "equal whatever the rows are");
    assert!(
        few.contains("{year=\"2025\",purpose=\"all\"} 150000000\n"),
        "{few}"
    );
    for purpose in [
        Purpose::Benchmark,
        Purpose::Budget,
        Purpose::Audit,
        Purpose::Free,
    ] {
        let name = serde_json::to_value(purpose).unwrap();
        let list = include_str!("../../../node/src/metrics.rs");
        assert!(
            list.contains(&format!("{name}")),
            "{name} is no purpose of the metrics"
        );
    }
}

#[tokio::test]
async fn the_coordinator_names_nobody() {
    let hub = Hub::found().await;
    let page = coordinator::metrics::page(hub.state.clone(), coordinator::clock::Clock::System);
    let families: Vec<&str> = coordinator::metrics::FAMILIES
        .iter()
        .map(|one| one.name)
        .collect();
    closed(&page.await.into_text(), &families);
    hub.end().await;
}

fn get(address: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nhost: l\r\n\r\n")
        .ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}

fn call(name: &str, data: &Path, words: &[&str]) -> bool {
    let mut command = Command::new(crate::binary::binary(name));
    let command = command.arg("--data").arg(data).args(words);
    command.output().unwrap().status.success()
}

/// The whole process; the node serves none before it has joined, so that the coordinator stands for both.
#[test]
fn a_service_listens_for_metrics_on_loopback_alone() {
    let folder = tempfile::tempdir().unwrap();
    let hub = folder.path().join("hub");
    let free = || {
        TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .to_string()
    };
    let (nodes, public, metrics) = (free(), free(), free());
    let init = [
        "init",
        "--alliance",
        "river",
        "--host",
        "localhost",
        "--node-address",
        &nodes,
    ];
    let init = [&init[..], &["--public-address", &public]].concat();
    assert!(call("consilium-coordinator", &hub, &init));
    for name in ["wang-fang", "chen-jie"] {
        assert!(call(
            "consilium-coordinator",
            &hub,
            &["administrator", "add", name]
        ));
    }
    for name in ["wang-fang", "chen-jie"] {
        assert!(call(
            "consilium-coordinator",
            &hub,
            &["policy", "approve", "--as", name]
        ));
    }
    assert!(!call(
        "consilium-coordinator",
        &hub,
        &["run", "--metrics", "0.0.0.0:9711"]
    ));
    let mut command = Command::new(crate::binary::binary("consilium-coordinator"));
    command
        .arg("--data")
        .arg(&hub)
        .args(["run", "--metrics", &metrics]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(30);
    let page = loop {
        match get(metrics.parse().unwrap()) {
            Some(page) if page.contains("200 OK") => break page,
            _ if Instant::now() > end => break String::new(),
            _ => std::thread::sleep(Duration::from_millis(50)),
        }
    };
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        page.contains("consilium_members{standing=\"active\"} 0"),
        "{page}"
    );
}

#[test]
fn the_dashboards_ask_for_metrics_that_are_served() {
    let of = |families: &[sinks::metrics::Family]| -> BTreeSet<String> {
        families.iter().map(|one| one.name.to_owned()).collect()
    };
    for (text, families) in [
        (
            include_str!("../../../deploy/grafana/node.json"),
            of(&node::metrics::FAMILIES),
        ),
        (
            include_str!("../../../deploy/grafana/coordinator.json"),
            of(&coordinator::metrics::FAMILIES),
        ),
    ] {
        let board: serde_json::Value = serde_json::from_str(text).unwrap();
        let mut asked = BTreeSet::new();
        for panel in board["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().unwrap() {
                let expression = target["expr"].as_str().unwrap();
                let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let names = words.filter(|word| word.starts_with("consilium_"));
                asked.extend(names.map(str::to_owned));
            }
        }
        assert!(
            asked.is_subset(&families),
            "{:?}",
            asked.difference(&families)
        );
        let shown: BTreeSet<String> = asked
            .into_iter()
            .chain(["consilium_build_info".into()])
            .collect();
        assert_eq!(shown, families, "every metric is shown");
    }
}
