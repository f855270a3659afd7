use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use policies::early::{DEFAULT, EarlyRules, Kind, Watcher, expected};
use policies::figures::alerts::{self, AlertRules, Level};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::clock::Clock;
use crate::load::fixture::{NOW, Trial, dictionary};

const HEADER: &str = "case,case_group,department,admitted,day,category,amount,status\n";

struct Place {
    trial: Trial,
    feed: PathBuf,
    alerts: PathBuf,
}

impl Place {
    async fn new() -> Self {
        let trial = Trial::new().await;
        let at = |name: &str| trial.folder.path().join(name);
        let (feed, alerts) = (at("feed.csv"), at("alerts.jsonl"));
        std::fs::write(&feed, format!("\u{feff}{HEADER}")).unwrap();
        Self {
            trial,
            feed,
            alerts,
        }
    }

    fn add(&self, text: &str) {
        let mut file = OpenOptions::new().append(true).open(&self.feed).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn watcher() -> Watcher {
        let alerts = AlertRules::parse(alerts::DEFAULT).unwrap();
        let rules = EarlyRules::parse(DEFAULT).unwrap();
        let standards = [("GD15".to_owned(), schemas::money::Fen(800_000))].into();
        Watcher::new(alerts, rules, expected(&dictionary(), &standards, None)).unwrap()
    }

    async fn desk(&self, webhook: Option<&str>) -> Desk {
        let data = self.trial.config.data.as_path();
        let webhook = webhook.map(|address| (address, None));
        let sinks = Sinks::new(data, Some(&self.alerts), webhook).unwrap();
        let at = (&self.trial.state, data, Clock::Fixed(NOW));
        Desk::open(at, &self.feed, Self::watcher(), sinks)
            .await
            .unwrap()
    }

    fn written(&self) -> String {
        std::fs::read_to_string(&self.alerts).unwrap()
    }
}

#[tokio::test]
async fn new_rows_are_judged_as_they_come_and_nobody_is_told_twice() {
    let place = Place::new().await;
    let mut desk = place.desk(None).await;
    assert_eq!(desk.turn().await.unwrap().rows, 0);
    // Half a line waits for its end.
    place.add("ZY77,GD15,surgery,2025-03-03,2025-03-09,drugs,7199.99,open\nZY77,GD15,surg");
    let turn = desk.turn().await.unwrap();
    assert_eq!((turn.rows, turn.told.len()), (1, 0));
    place.add("ery,2025-03-03,2025-03-09,drugs,0.01,open\n");
    let turn = desk.turn().await.unwrap();
    let told = &turn.told[0];
    assert_eq!((told.kind, told.level), (Kind::Incurred, Some(Level::Blue)));
    assert_eq!(
        (told.day_of_stay, told.case.as_deref()),
        (Some(7), Some("ZY77"))
    );
    assert_eq!(place.written().lines().count(), 1);
    // A new process reads the feed again and tells only what is new.
    place.add("ZY77,GD15,surgery,2025-03-03,2025-03-10,drugs,800.01,closed\n");
    let mut again = place.desk(None).await;
    let turn = again.turn().await.unwrap();
    assert_eq!((turn.rows, turn.told.len()), (3, 1));
    assert_eq!(turn.told[0].level, Some(Level::Red));
    assert_eq!(place.written().lines().count(), 2);
    let kept = list(&place.trial.state).await.unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0].subject, kept[1].subject);
    // The number of the case and its days are nowhere below the data folder.
    drop((desk, again));
    place.trial.state.pool().close().await;
    for (path, bytes) in place.trial.files() {
        for secret in ["ZY77", "2025-03-0", "2025-03-1"] {
            let found = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} in {}", path.display());
        }
    }
}

#[tokio::test]
async fn a_wrong_line_is_named_without_its_value_and_silences_nobody() {
    let place = Place::new().await;
    let mut desk = place.desk(None).await;
    for wrong in [
        ",GD15,s,2025-03-03,2025-03-09,drugs,777.77,open",
        "ZY1,GD15,s,2025-03-33,2025-03-09,drugs,777.77,open",
        "ZY1,GD15,s,2025-03-03,777,drugs,1,open",
        "ZY1,GD15,s,2025-03-03,2025-03-09,a b,777.77,open",
        "ZY1,GD15,s,2025-03-03,2025-03-09,drugs,777.777,open",
        "ZY1,GD15,s,2025-03-03,2025-03-09,drugs,777,gone",
        "ZY1,GD15,s,2025-03-03,2025-03-02,drugs,777,open",
        "ZY1,GD15,777",
    ] {
        place.add(&format!("{wrong}\n"));
    }
    place.add("ZY2,GD15,s,2025-03-03,2025-03-09,drugs,9000,open\n");
    let turn = desk.turn().await.unwrap();
    assert_eq!((turn.faults.len(), turn.told.len()), (8, 1));
    // Those that are no posting come first, in order; a posting that cannot be, after them.
    let lines: Vec<u64> = turn.faults.iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6, 7, 9, 8]);
    assert!(turn.faults.iter().all(|fault| !fault.what.contains("777")));
    std::fs::write(&place.feed, HEADER).unwrap();
    assert!(matches!(
        desk.turn().await,
        Err(EarlyError::Feed(FeedError::Replaced))
    ));
    std::fs::write(&place.feed, "case,day\n").unwrap();
    let mut other = place.desk(None).await;
    let refused = other.turn().await;
    assert!(matches!(refused, Err(EarlyError::Feed(FeedError::Header))));
}

/// An address that answers each request with a status; gives the bodies.
async fn address(statuses: &'static [u16]) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = format!("http://{}/hook-secret", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let mut bodies = Vec::new();
        for status in statuses {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            // The body of these requests ends with the list.
            while !bytes.ends_with(b"]") {
                let mut part = [0; 4096];
                let read = stream.read(&mut part).await.unwrap();
                assert!(read > 0, "the request ends early");
                bytes.extend_from_slice(&part[..read]);
            }
            let head =
                format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            bodies.push(String::from_utf8(bytes).unwrap());
        }
        bodies
    });
    (at, served)
}

#[tokio::test]
async fn an_address_that_fails_is_told_again_and_the_file_waits_for_it() {
    let place = Place::new().await;
    let (at, served) = address(&[500, 200]).await;
    let mut desk = place.desk(Some(&at)).await;
    place.add("ZY2,GD15,s,2025-03-03,2025-03-09,drugs,9000,open\n");
    let refused = desk.turn().await.unwrap_err();
    assert!(matches!(refused, EarlyError::Sink(SinkError::Status(500))));
    assert!(!format!("{refused:?}").contains("secret"));
    assert_eq!(place.written(), "");
    assert_eq!(desk.turn().await.unwrap().told.len(), 1);
    assert_eq!(place.written().lines().count(), 1);
    let bodies = tokio::time::timeout(Duration::from_mins(1), served).await;
    let bodies = bodies.unwrap().unwrap();
    assert!(bodies.iter().all(|body| body.contains("ZY2")));
}

#[tokio::test]
async fn warnings_go_nowhere_else() {
    let place = Place::new().await;
    let data = place.trial.config.data.as_path();
    let inside = Sinks::new(data, Some(&data.join("alerts.jsonl")), None);
    assert!(matches!(inside, Err(EarlyError::Inside)));
    for address in [
        "http://example.org/x",
        "https://example.org/x",
        "ftp://127.0.0.1/",
        "x",
    ] {
        let refused = Sinks::new(data, None, Some((address, None)));
        assert!(
            matches!(refused, Err(EarlyError::Sink(SinkError::Address))),
            "{address}"
        );
    }
    // What a killed process left behind the last line goes.
    std::fs::write(&place.alerts, "{}\n{\"kind\":").unwrap();
    let _desk = place.desk(None).await;
    assert_eq!(place.written(), "{}\n");
}

#[test]
fn standards_are_of_known_groups_above_zero() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("standards.csv");
    let read = |text: &str| {
        std::fs::write(&path, format!("case_group,standard\n{text}\n")).unwrap();
        standards(&path, &dictionary())
    };
    assert_eq!(
        read("GD15,8000").unwrap()["GD15"],
        schemas::money::Fen(800_000)
    );
    for wrong in [
        "XX99,8000",
        "GD15,0",
        "GD15,-7777",
        "GD15,1\nGD15,2",
        "GD15,",
    ] {
        let error = read(wrong).unwrap_err().to_string();
        assert!(error.contains("line") && !error.contains("7777"), "{error}");
    }
}
