//! A round about visits in a whole alliance of the real binaries over TLS, from the files to the
//! merged report.

use std::path::Path;

use super::alliance::{Alliance, state};
use super::process::{COORDINATOR, NODE, call};

const MAPPING: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../deploy/mappings/visits-csv.toml"
);

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn an_alliance_asks_about_visits() {
    let alliance = Alliance::found();
    let files = alliance.folder.path().join("files");
    let made = "synth --seed 7 --year 2025 --hospitals 3 --stays 600 --visits 900 --out";
    let made: Vec<&str> = made.split(' ').chain([text(&files)]).collect();
    call(NODE, &alliance.folder.path().join("none"), &made);
    for node in 0..alliance.nodes.len() {
        let home = alliance.home(node);
        let file = files.join(format!("h{:02}-visits.csv", node + 1));
        let load = ["load", text(&file), "--history", "--mapping", MAPPING];
        call(NODE, &home, &load);
        let release = ["release", "all", "--officer", "Li Hua", "--accept-grade-d"];
        call(NODE, &home, &release);
        let standing = "steward standing add yearly-visits --until 2099-12-31 --as li-hua";
        let standing: Vec<&str> = standing.split(' ').collect();
        call(NODE, &home, &standing);
    }
    let round = alliance.ask("yearly-visits", "2025");
    alliance.closes(&round);
    let out = alliance.folder.path().join("report");
    call(
        COORDINATOR,
        &alliance.hub(),
        &["benchmark", &round.id, "--out", text(&out)],
    );
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let found: serde_json::Value = serde_json::from_str(&read("benchmark.json")).unwrap();
    assert_eq!(found["dataset"], "visits");
    for name in [
        "by-case_group.csv",
        "by-month.csv",
        "by-tier.csv",
        "by-repeat_test.csv",
    ] {
        assert!(read(name).lines().count() > 2, "{name}");
    }
    assert!(read("by-case_group.csv").contains("hypertension"));
    for hospital in found["hospitals"].as_array().unwrap() {
        let stays = &hospital["totals"]["all"]["stays"];
        assert!(stays.to_string().contains("value"), "{stays}");
    }
    // Paid from the budget's quota of the same data year.
    for node in 0..alliance.nodes.len() {
        let mut state = state(&alliance.home(node)).await;
        let kinds: i64 = sqlx::query_scalar("select count(*) from answers")
            .fetch_one(&mut state)
            .await
            .unwrap();
        assert_eq!(kinds, 1);
    }
}
