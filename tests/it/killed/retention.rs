//! A node killed while it retires months: everything is there, or the next command finishes.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use node::retention::{self, Which};
use node::store::{columns, loads};
use tests::officers::STEWARD;

use super::process::{NODE, binary, call};
use crate::hospital::{Hospital, Line, file};

/// Years 2023 and 2024 month by month, loaded a quarter at a time, so that loads keep other months or none.
async fn filled(number: u32) -> Hospital {
    let hospital = Hospital::new(&format!("h{number}")).await;
    for year in [2023, 2024] {
        for quarter in 0..4_u8 {
            let lines = (1..=3).flat_map(|month| {
                (0..20).map(move |n| {
                    let month = quarter * 3 + month;
                    Line::new(
                        &format!("p{n}"),
                        &format!("{year}-{month}-{n}"),
                        month,
                        "GD15",
                        9000,
                    )
                    .with("admission_date", &format!("{year}-{month:02}-18"))
                    .with("discharge_date", &format!("{year}-{month:02}-20"))
                })
            });
            let lines: Vec<Line> = lines.collect();
            hospital.load_bytes(&file(&lines)).await.unwrap();
        }
    }
    hospital.release().await;
    hospital
}

fn arrows(data: &Path) -> usize {
    let loads = std::fs::read_dir(columns::folder(data)).unwrap();
    let files = loads.flat_map(|load| std::fs::read_dir(load.unwrap().path()).unwrap());
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".arrow")).count()
}

/// How many months are in the state file, and how many files of retired ones are still to go.
async fn stands(hospital: &Hospital) -> (usize, i64) {
    let months = loads::months(hospital.state.pool()).await.unwrap();
    let left = sqlx::query_scalar("select count(*) from retired_months where files_left = 1")
        .fetch_one(hospital.state.pool())
        .await
        .unwrap();
    (months.len(), left)
}

#[tokio::test]
async fn a_kill_while_months_are_retired_leaves_all_or_is_finished() {
    let (mut before, mut between, mut after) = (0, 0, 0);
    let mut hospital = filled(0).await;
    // How long a whole run takes is learnt from the runs that were not cut.
    let mut wait = Duration::from_millis(1);
    for number in 1..=40_u32 {
        let data = hospital.config.data.clone();
        // Of 24 months some 10 go, that of a quarter's load among them.
        let now = node::clock::Clock::System.now();
        let today = node::ingest::date::month_of(now).unwrap();
        let last: schemas::time::Month = "2023-11".parse().unwrap();
        let kept = today.index() - last.index();
        let path = data.join("node.toml");
        let mut toml: toml::Table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
        let part = toml::Table::from_iter([
            ("each_step".to_owned(), toml::Value::Boolean(false)),
            ("needs_agreement".to_owned(), toml::Value::Boolean(false)),
            (
                "retention_months".to_owned(),
                toml::Value::Integer(i64::from(kept)),
            ),
        ]);
        toml.insert("stewardship".to_owned(), toml::Value::Table(part));
        std::fs::write(&path, toml.to_string()).unwrap();
        let plan = retention::plan(&hospital.state, &data, Which::Past(kept), now)
            .await
            .unwrap();
        assert_eq!(plan.months.len(), 10);
        let mut child = Command::new(binary(NODE))
            .arg("--data")
            .arg(&data)
            .args([
                "dataset",
                "retire",
                "--confirm",
                &plan.word(),
                "--as",
                STEWARD,
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        // From early to late, and closer where the work is.
        while begun.elapsed() < wait && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(100));
        }
        child.kill().unwrap();
        let ended = child.wait().unwrap();
        match stands(&hospital).await {
            (24, 0) => {
                assert!(!ended.success());
                assert_eq!(arrows(&data), 48, "all is there, files too");
                before += 1;
                wait = wait * 3 / 2 + Duration::from_millis(2);
                continue;
            }
            (14, 0) => after += 1,
            (14, left) => {
                assert!(left > 0);
                between += 1;
            }
            other => panic!("{other:?}"),
        }
        // Any command finishes it.
        call(NODE, &data, &["months"]);
        assert_eq!(stands(&hospital).await, (14, 0));
        assert_eq!(arrows(&data), 28);
        for held in loads::months(hospital.state.pool()).await.unwrap() {
            let folder = data.join(&held.folder);
            let digest = columns::digest(&columns::data_file(&folder, held.month)).unwrap();
            assert_eq!(digest, held.data_digest, "{}", held.month);
        }
        let log = hospital.state.log().await.unwrap();
        schemas::entry::verify_chain(&log).unwrap();
        let told = log
            .iter()
            .filter(|entry| entry.kind.as_str() == "retire")
            .count();
        assert_eq!(told, 10);
        if between >= 2 && before >= 3 {
            break;
        }
        hospital = filled(number).await;
        wait = wait * 9 / 10;
    }
    println!(
        "killed before the change {before}, between change and files {between}, after all {after}"
    );
    assert!(before > 0 && between + after > 0);
}
