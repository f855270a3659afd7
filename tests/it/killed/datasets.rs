//! Rounds about datasets beside stays in a whole alliance of the real binaries over TLS, from the
//! files to the merged report.

use std::path::Path;

use super::alliance::{Alliance, state};
use super::process::{COORDINATOR, NODE, call};

const MAPPINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/mappings");

/// Dataset, its template, a group, and the tables beside that of groups.
const SETS: [(&str, &str, &str, &[&str]); 4] = [
    (
        "visits",
        "yearly-visits",
        "hypertension",
        &["month", "tier", "repeat_test"],
    ),
    (
        "referrals",
        "yearly-referrals",
        "hypertension",
        &["direction", "department", "accepted"],
    ),
    (
        "followups",
        "yearly-followups",
        "hypertension",
        &["done", "controlled", "readmission"],
    ),
    (
        "surveys",
        "yearly-surveys",
        "inpatient",
        &["department", "channel"],
    ),
];

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Loads, releases and stands every dataset at every hospital.
fn hold(alliance: &Alliance) {
    let files = alliance.folder.path().join("files");
    let made = "synth --seed 7 --year 2025 --hospitals 3 --stays 600 --visits 900 --referrals 900 \
                --followups 900 --surveys 900 --out";
    let made: Vec<&str> = made.split_whitespace().chain([text(&files)]).collect();
    call(NODE, &alliance.folder.path().join("none"), &made);
    for node in 0..alliance.nodes.len() {
        let home = alliance.home(node);
        for (dataset, template, ..) in SETS {
            let file = files.join(format!("h{:02}-{dataset}.csv", node + 1));
            let mapping = format!("{MAPPINGS}/{dataset}-csv.toml");
            let load = ["load", text(&file), "--history", "--mapping", &mapping];
            call(NODE, &home, &load);
            let release = ["release", "all", "--officer", "Li Hua", "--accept-grade-d"];
            call(NODE, &home, &release);
            let standing =
                format!("steward standing add {template} --until 2099-12-31 --as li-hua");
            let standing: Vec<&str> = standing.split(' ').collect();
            call(NODE, &home, &standing);
        }
    }
}

#[tokio::test]
async fn an_alliance_asks_about_every_dataset() {
    let alliance = Alliance::found();
    hold(&alliance);
    for (dataset, template, group, tables) in SETS {
        let round = alliance.ask(template, "2025");
        alliance.closes(&round);
        let out = alliance.folder.path().join(dataset);
        let made = ["benchmark", &round.id, "--out", text(&out)];
        call(COORDINATOR, &alliance.hub(), &made);
        let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
        let found: serde_json::Value = serde_json::from_str(&read("benchmark.json")).unwrap();
        assert_eq!(found["dataset"], dataset);
        for table in tables.iter().chain(&["case_group"]) {
            let lines = read(&format!("by-{table}.csv"));
            assert!(lines.lines().count() > 2, "{dataset} {table}");
        }
        assert!(read("by-case_group.csv").contains(group), "{dataset}");
        for hospital in found["hospitals"].as_array().unwrap() {
            let stays = &hospital["totals"]["all"]["stays"];
            assert_eq!(stays["status"], "value", "{dataset}");
        }
        let all = &found["total"]["all"];
        let figure = |name: &str| {
            let noise = &all[name]["noise"];
            assert!(noise["low"].is_string() && noise["high"].is_string());
            all[name]["value"].as_str().unwrap().parse::<f64>().unwrap()
        };
        match dataset {
            // The generator's scores lie evenly between 60 and 100 points.
            "surveys" => {
                let score = figure("mean_score");
                assert!((70.0..90.0).contains(&score), "{score}");
                assert!(read("by-department.csv").contains("mean_score_points"));
            }
            "visits" => assert!(figure("mean_cost") > 100.0),
            _ => assert_eq!(all.get("mean_score"), None),
        }
    }
    // All are paid from the budget's quota of the same data year: 0.05 and three times 0.03.
    for node in 0..alliance.nodes.len() {
        let mut state = state(&alliance.home(node)).await;
        let answers: i64 = sqlx::query_scalar("select count(*) from answers")
            .fetch_one(&mut state)
            .await
            .unwrap();
        assert_eq!(answers, 4);
        let spent: Vec<i64> = sqlx::query_scalar(
            "select spent_nano from ledger where purpose = 'budget' and year = 2025",
        )
        .fetch_all(&mut state)
        .await
        .unwrap();
        assert_eq!(spent, [140_000_000]);
    }
}
