//! T18 of the attacks: identifiers of made-up patients, in their own columns and where they do not
//! belong, occur nowhere but in the source file: not in a node's folder or log, not at the
//! coordinator, not in a report.

use node::synth::{Settings, write_alliance};
use policies::plan::compile;
use policies::rules::{DEFAULT, Privacy};

use crate::hospital::{Hospital, bytes_below, holds};
use crate::hub::{Hub, Running, until};

#[tokio::test(flavor = "multi_thread")]
async fn t18_planted_identifiers_are_nowhere() {
    let files = tempfile::tempdir().unwrap();
    let settings = Settings {
        seed: 18,
        year: 2025,
        defects_ppm: 20_000,
        planted: true,
    };
    let written = write_alliance(files.path(), &settings, 3, 1500).unwrap();
    let list = std::fs::read_to_string(files.path().join("planted.txt")).unwrap();
    let planted: Vec<&str> = list
        .lines()
        .skip(1)
        .filter_map(|line| line.split('\t').nth(3))
        .filter(|value| value.len() >= 6)
        .collect();
    assert!(planted.len() > 200);
    let source = std::fs::read(files.path().join("h01.csv")).unwrap();
    assert!(
        planted.iter().any(|value| holds(&source, value)),
        "the search finds what is there"
    );

    let hub = Hub::found().await;
    let mut hospitals = Vec::new();
    let mut shown = Vec::new();
    for one in &written {
        let hospital = Hospital::new(one.file.trim_end_matches(".csv")).await;
        let bytes = std::fs::read(files.path().join(&one.file)).unwrap();
        let summary = hospital.load_bytes(&bytes).await.unwrap();
        assert!(summary.refused > 0 && summary.findings == 0);
        shown.push(serde_json::to_string(&summary).unwrap());
        shown.push(format!("{summary:?}"));
        hospital.release().await;
        hub.join(&hospital).await;
        hospitals.push(hospital);
    }
    let running: Vec<Running> = hospitals
        .iter()
        .map(|h| Running::start(&h.config.data))
        .collect();
    let rules = Privacy::parse(DEFAULT).unwrap();
    let template = policies::template::shipped()
        .into_iter()
        .find(|t| t.id.as_str() == "yearly-benchmark")
        .unwrap();
    let order = coordinator::ask::Order {
        period: coordinator::ask::period("2025").unwrap(),
        roster: Vec::new(),
        window: 3600,
        min_answers: Some(3),
    };
    let now = coordinator::clock::Clock::System.now();
    let (state, authority) = (&hub.state, &hub.authority);
    let (held, _) = crate::opening::attributed(state, authority, &template, &rules, &order, now)
        .await
        .unwrap();
    until("three answers", async || {
        let found = coordinator::ask::find(state, authority, &held.round.id).await;
        found.unwrap().state == schemas::round::State::Closed
    })
    .await;
    let merged = coordinator::merge::merge(state, authority, &held.round.id)
        .await
        .unwrap();
    let layout = compile(&held.round.question, &merged.dictionary, &rules).unwrap();
    let found =
        policies::figures::benchmark(&layout, &merged.dictionary, &rules, &merged.hospitals);
    coordinator::report::write(&hub.folder.path().join("report"), &found.unwrap()).unwrap();
    drop(running);

    let mut places = bytes_below(hub.folder.path());
    for hospital in &hospitals {
        places.extend(bytes_below(&hospital.config.data));
    }
    places.push(("summaries".into(), shown.concat().into_bytes()));
    assert!(places.len() > 100);
    assert!(places.iter().any(|(path, _)| path.ends_with("run.log")));
    for (path, bytes) in &places {
        for value in &planted {
            assert!(!holds(bytes, value), "{value} in {}", path.display());
        }
    }
    println!(
        "T18: {} values in none of {} places",
        planted.len(),
        places.len()
    );
    hub.end().await;
}
