//! A mapping that is drafted from a plain file's header loads that file as the shipped mapping does.

use std::process::Command;

use crate::binary::binary;
use crate::hospital::{Hospital, Line, file};

#[tokio::test]
async fn a_draft_of_a_plain_file_loads_it() {
    let lines: Vec<Line> = (1..=30)
        .map(|n| Line::new(&format!("p{n}"), &format!("s{n}"), 3, "ES35", 1000 + n))
        .collect();
    let bytes = file(&lines);
    let hospital = Hospital::new("h01").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("march.csv");
    std::fs::write(&path, &bytes).unwrap();
    let output = Command::new(binary("consilium-node"))
        .arg("--data")
        .arg(&hospital.config.data)
        .args(["map", "init"])
        .arg(&path)
        .output()
        .unwrap();
    assert!(output.status.success());
    let draft = String::from_utf8(output.stdout).unwrap();
    assert!(
        draft.contains("#   resident_id") && !draft.contains("ES35"),
        "{draft}"
    );
    let summary = hospital.load_as(&bytes, &draft).await.unwrap();
    assert_eq!(
        (summary.kept, summary.refused, summary.unknown_groups),
        (30, 0, 0)
    );
    let unlisted: Vec<&String> = summary.unlisted.keys().collect();
    // Severity needs a translation that no header shows; the draft says to count such codes.
    assert_eq!(unlisted, ["severity"], "{draft}");
}
