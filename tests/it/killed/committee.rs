//! A pooled round of real processes: three hospitals, a committee of two of them and two members
//! without data (`run --committee-only`). A hospital, a member and the coordinator die (SIGKILL) in
//! the middle; the round ends all the same, and nobody is charged twice.

use super::alliance::{Alliance, join_without_data, remains, state};
use super::process::{COORDINATOR, NODE, Service, call};

/// Looks ten times a second, for at most 90 seconds: a node that does not reach the coordinator
/// pauses for 15.
async fn until<F>(what: &str, mut holds: F)
where
    F: AsyncFnMut() -> bool,
{
    for _ in 0..900 {
        if holds().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("waited in vain: {what}")
}

/// Runs a command every half second until it succeeds, for at most 30 seconds.
async fn tried(name: &'static str, data: &std::path::Path, words: &[&str]) -> String {
    for _ in 0..60 {
        let done = std::panic::catch_unwind(|| call(name, data, words));
        if let Ok(said) = done {
            return said;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    panic!("in vain: {words:?}")
}

async fn counted(data: &std::path::Path, select: &'static str) -> i64 {
    sqlx::query_scalar(select)
        .fetch_one(&mut state(data).await)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_pooled_round_survives_dead_processes() {
    let mut alliance = Alliance::found();
    let hub = alliance.hub();
    let pooled = |words: &[&str]| {
        let words: Vec<&str> = ["pooled"]
            .into_iter()
            .chain(words.iter().copied())
            .collect();
        call(COORDINATOR, &hub, &words)
    };
    let mut bodies = Vec::new();
    for (name, kind) in [("insurer", "insurer"), ("commission", "authority")] {
        let home = alliance.folder.path().join(name);
        join_without_data(&hub, &home, name);
        pooled(&["body", name, "--kind", kind, "--entity", name]);
        bodies.push(Service::start_with(
            NODE,
            &home,
            &["run", "--committee-only"],
        ));
    }
    pooled(&["committee", "h01,h02,insurer,commission"]);
    let said = tried(
        COORDINATOR,
        &hub,
        &["pooled", "list", "--operator", "office"],
    )
    .await;
    let members: Vec<(&str, &str)> = said
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_once(' '))
        .map(|(name, fingerprint)| (name, fingerprint.trim()))
        .collect();
    assert_eq!(members.len(), 5);
    for home in ["h01", "h02", "h03", "insurer", "commission"] {
        let home = alliance.folder.path().join(home);
        for (name, fingerprint) in &members {
            // Two hospitals countersign; the others follow the published list a moment later.
            let accept = ["pooled", "accept", name, fingerprint, "--as", "li-hua"];
            tried(NODE, &home, &accept).await;
        }
    }
    let open = [
        "pooled",
        "open",
        "yearly-pooled",
        "--period",
        "2025",
        "--deadline",
        "10m",
    ];
    let told = tried(COORDINATOR, &hub, &open).await;
    let round = told.lines().next().unwrap().to_owned();

    // A hospital dies with its charge, or before it; the coordinator with the first upload.
    until("a first upload", async || {
        counted(&hub, "select count(*) from pooled_uploads").await > 0
    })
    .await;
    alliance.coordinator.kill();
    alliance.nodes[2].kill();
    let (_copy, mut dead) = remains(&alliance.home(2)).await;
    let before: Vec<String> = sqlx::query_scalar("select digest from pooled_uploads")
        .fetch_all(&mut dead)
        .await
        .unwrap();
    alliance.coordinator.again();
    alliance.nodes[2].again();
    // A member without data dies once somebody has voted.
    until("a vote", async || {
        counted(
            &hub,
            "select count(*) from pooled_words where kind = 'vote'",
        )
        .await
            > 0
    })
    .await;
    bodies[0].kill();
    bodies[0].again();
    until("the totals", async || {
        counted(&hub, "select count(*) from pooled_totals").await > 0
    })
    .await;

    let published = alliance.folder.path().join("published");
    let out = published.to_str().unwrap();
    pooled(&["publish", &round, "--out", out]);
    let said = pooled(&["verify", out]);
    assert!(said.contains("the sum of 3 hospitals"), "{said}");
    let said = call(NODE, &alliance.home(0), &["pooled", "verify", out]);
    assert!(said.contains("question     holds"), "{said}");
    let report = alliance.folder.path().join("report");
    pooled(&["report", &round, "--out", report.to_str().unwrap()]);
    assert!(report.join("report.html").is_file());
    let spent = "select spent_nano from ledger where purpose = 'all' and year = 2025";
    let own = "select count(*) from pooled_uploads";
    for node in 0..3 {
        let home = alliance.home(node);
        assert_eq!(counted(&home, own).await, 1);
        assert_eq!(counted(&home, spent).await, 200_000_001);
        call(NODE, &home, &["log", "fsck"]);
    }
    // What had been charged is what was sent.
    let sent: Vec<String> = sqlx::query_scalar("select digest from pooled_uploads")
        .fetch_all(&mut state(&alliance.home(2)).await)
        .await
        .unwrap();
    assert!(before.is_empty() || before == sent);
    // Three of the four seats certify; the fourth may have come too late. None voted twice.
    let mut ballots = 0;
    for name in ["h01", "h02", "insurer", "commission"] {
        let home = alliance.folder.path().join(name);
        let cast = counted(&home, "select count(*) from pooled_ballots").await;
        assert!(cast <= 1, "{name} cast {cast} ballots");
        ballots += cast;
    }
    assert!(ballots >= 3, "{ballots} ballots");
    for name in ["insurer", "commission"] {
        let home = alliance.folder.path().join(name);
        assert_eq!(counted(&home, own).await, 0);
        call(NODE, &home, &["log", "fsck"]);
    }
}
