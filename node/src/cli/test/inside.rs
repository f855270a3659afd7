//! What stays inside the hospital: quality and early warning by their commands.

use super::*;
use crate::load::fixture::{HEADER, MAPPING, dictionary, row};

/// A node with a dictionary in a folder of its own.
async fn made(folder: &Path) -> String {
    let at = |name: &str| folder.join(name).display().to_string();
    let (node, json) = (at("node"), at("d.json"));
    std::fs::write(&json, serde_json::to_vec(&dictionary()).unwrap()).unwrap();
    run_line(&["--data", &node, "init", "--hospital", "h1"])
        .await
        .unwrap();
    let accept = [
        "--data",
        &node,
        "dictionary",
        "accept",
        &json,
        "--unsigned-for-trial",
    ];
    run_line(&accept).await.unwrap();
    node
}

#[tokio::test]
async fn a_month_is_examined_waived_and_released() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let node = made(folder.path()).await;
    let (node, csv, mapping) = (node.as_str(), at("a.csv"), at("m.toml"));
    let rows = (0..20).map(|n| {
        let line = row(&format!("s{n}"), &format!("p{n}"), "2025-03", "FR19");
        let none = line.replace("100.50,60.25,40.25", "0,0,0");
        if n < 3 { none } else { line }
    });
    let rows: Vec<String> = rows.collect();
    std::fs::write(&csv, format!("{HEADER}\n{}\n", rows.join("\n"))).unwrap();
    std::fs::write(&mapping, MAPPING).unwrap();
    let load = [
        "--data",
        node,
        "load",
        &csv,
        "--mapping",
        &mapping,
        "--history",
    ];
    run_line(&load).await.unwrap();
    let settings = format!("{node}/node.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let asked = text.replace("[quality]", "[quality]\nleast_grade = \"A\"");
    assert_ne!(text, asked);
    std::fs::write(&settings, asked).unwrap();
    let release = ["--data", node, "release", "all", "--officer", "Li Hua"];
    let told = refusal(&release).await;
    assert!(told.contains("quality run 2025-03"), "{told}");
    let examined = run_line(&["--data", node, "quality", "run", "2025-03"])
        .await
        .unwrap();
    assert!(
        examined.contains("next: ") && examined.contains("quality list"),
        "{examined}"
    );
    assert!(refusal(&release).await.contains("quality sign 2025-03"));
    let list = run_line(&["--data", node, "quality", "list"])
        .await
        .unwrap();
    let line = list
        .lines()
        .find(|line| line.contains("cost-range"))
        .unwrap();
    assert!(line.contains("3 of 20 rows  open"), "{line}");
    let id = line.split_whitespace().next().unwrap();
    let waive = [
        "--data", node, "quality", "waive", id, "--by", "Li Hua", "--reason", "charity",
    ];
    assert!(
        run_line(&waive)
            .await
            .unwrap()
            .contains("waived by Li Hua: charity")
    );
    let shown = run_line(&["--data", node, "quality", "show"])
        .await
        .unwrap();
    assert!(shown.contains("stays"), "{shown}");
    run_line(&release).await.unwrap();
}

#[tokio::test]
async fn a_feed_is_judged_and_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let node = made(folder.path()).await;
    let node = node.as_str();
    let feed = at("feed.csv");
    let head = "case,case_group,department,admitted,day,category,amount,status";
    let lines =
        "c1,FR19,d1,2025-03-01,2025-03-02,drugs,9500,open\nc2,FR19,d1,2025-03-01,x,drugs,1,open";
    std::fs::write(&feed, format!("{head}\n{lines}\n")).unwrap();
    let alerts = at("alerts.jsonl");
    let warn = [
        "--data", node, "warn", "run", &feed, "--alerts", &alerts, "--case", "c1",
    ];
    let told = run_line(&warn).await.unwrap();
    // The reference of 10,000.00 is the standard; five of seven days are left.
    assert!(
        told.contains("yellow cost so far: 9500.00 against 10000.00, day 2"),
        "{told}"
    );
    assert!(told.contains("red cost at discharge: 16642.86"), "{told}");
    assert!(
        told.contains("2 new warnings; 1 lines passed over"),
        "{told}"
    );
    assert!(run_line(&warn).await.unwrap().contains(" 0 new warnings"));
    assert_eq!(std::fs::read_to_string(&alerts).unwrap().lines().count(), 2);
    let kept = run_line(&["--data", node, "warn", "list", "--json"])
        .await
        .unwrap();
    assert!(
        kept.contains("incurred") && !kept.contains("c1\""),
        "{kept}"
    );
}
