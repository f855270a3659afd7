//! What is planted is found, named, and told what to do about; what is shown is no secret.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

const NODE: &str = "consilium-node";
const COORDINATOR: &str = "consilium-coordinator";

fn call(name: &str, data: &Path, words: &[&str]) -> (bool, String) {
    let mut command = Command::new(crate::binary::binary(name));
    let output = command
        .arg("--data")
        .arg(data)
        .args(words)
        .output()
        .unwrap();
    (
        output.status.success(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

/// Findings of a doctor: check, verdict, text; the whole text holds no secret.
fn findings(name: &str, data: &Path) -> (bool, Vec<(String, String, String)>) {
    let (sound, text) = call(name, data, &["doctor", "--json"]);
    let all: Vec<Value> = serde_json::from_str(&text).unwrap();
    let field = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    for one in &all {
        let told = field(one, "verdict") == "sound" || !field(one, "next").is_empty();
        assert!(told, "nothing to do is said: {one}");
    }
    let plain = call(name, data, &["doctor"]).1;
    for text in [&text, &plain] {
        assert!(
            !text.contains("PRIVATE KEY") && !text.contains("li-hua"),
            "{text}"
        );
    }
    let found = all.iter().map(|one| {
        let told = format!("{} {}", field(one, "told"), field(one, "next"));
        (field(one, "check"), field(one, "verdict"), told)
    });
    (sound, found.collect())
}

/// A fault of this check that says this.
fn fault(name: &str, data: &Path, check: &str, says: &str) {
    let (sound, found) = findings(name, data);
    let is = |one: &&(String, String, String)| {
        one.0 == check && one.1 == "fault" && one.2.contains(says)
    };
    assert!(
        !sound && found.iter().any(|one| is(&one)),
        "{check} {says}: {found:#?}"
    );
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

async fn change(data: &Path, sql: &'static str) {
    let file = SqliteConnectOptions::new().filename(data.join("state.sqlite"));
    let mut state = file.connect().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut state).await.unwrap();
}

/// A file that was brought and lies longer than 7 days, and a folder that others enter.
fn forgotten(node: &Path) {
    let folder = node.join("incoming");
    std::fs::create_dir(&folder).unwrap();
    fault(NODE, node, "incoming", "chmod 700");
    mode(&folder, 0o700);
    let lies = || {
        let found = findings(NODE, node).1;
        let mut found = found.into_iter();
        found.find(|one| one.0 == "incoming").unwrap()
    };
    let file = std::fs::File::create(folder.join("a.csv")).unwrap();
    assert_eq!(lies().1, "sound");
    let week = std::time::Duration::from_secs(7 * 24 * 60 * 60 + 60);
    let written = file.metadata().unwrap().modified().unwrap();
    file.set_modified(written - week).unwrap();
    let (_, verdict, told) = lies();
    assert!(
        verdict != "sound" && told.contains("7 days: 1"),
        "{verdict} {told}"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_node_s_doctor_finds_what_is_planted() {
    let folder = tempfile::tempdir().unwrap();
    let node = folder.path().join("node");
    fault(NODE, folder.path(), "settings", "make a node");
    assert!(call(NODE, &node, &["init", "--hospital", "h1"]).0);
    fault(NODE, &node, "dictionary", "dictionary accept");
    fault(NODE, &node, "policy", "two officers sign it");
    let (_, found) = findings(NODE, &node);
    for check in ["settings", "permissions", "disk", "keys", "state", "months"] {
        let is = |one: &&(String, String, String)| one.0 == check && one.1 != "fault";
        assert!(found.iter().any(|one| is(&one)), "{check}: {found:#?}");
    }
    forgotten(&node);
    for (name, role) in [("li-hua", "steward"), ("zhao-min", "security_officer")] {
        assert!(call(NODE, &node, &["officer", "add", name, "--role", role]).0);
    }
    for name in ["li-hua", "zhao-min"] {
        assert!(call(NODE, &node, &["policy", "approve", "--as", name]).0);
    }
    let (_, found) = findings(NODE, &node);
    assert!(
        found
            .iter()
            .any(|one| one.0 == "policy" && one.1 == "sound"),
        "{found:#?}"
    );

    let key = node.join("keys/message.pk8");
    mode(&key, 0o644);
    fault(NODE, &node, "keys", "chmod 600");
    mode(&key, 0o600);
    mode(&node, 0o755);
    fault(NODE, &node, "permissions", "chmod 700");
    mode(&node, 0o700);
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    fault(NODE, &node, "keys", "put keys/message.pk8 back");
    std::fs::write(&key, kept).unwrap();
    mode(&key, 0o600);
    let policy = node.join("policy.toml");
    let signed = std::fs::read_to_string(&policy).unwrap();
    std::fs::write(&policy, "version = ").unwrap();
    fault(NODE, &node, "policy", "mend policy.toml");
    std::fs::write(&policy, signed).unwrap();
    change(
        &node,
        "insert into restores values (1, '00', 1, 1, 1, null)",
    )
    .await;
    fault(NODE, &node, "rollback", "log restored");
    change(&node, "delete from restores").await;
    change(
        &node,
        "update schema_version set version = 9, build = '7.0.0'",
    )
    .await;
    fault(NODE, &node, "state", "build 7.0.0");
    change(&node, "update schema_version set version = 2").await;
    change(
        &node,
        "drop trigger log_keeps_entries; update log set entry = replace(entry, 'h1', 'h2')",
    )
    .await;
    fault(NODE, &node, "state", "backup");
    std::fs::remove_file(node.join("state.sqlite")).unwrap();
    fault(NODE, &node, "state", "forgets what it spent");
    assert!(
        !node.join("state.sqlite").exists(),
        "a doctor makes no state"
    );
}

#[tokio::test]
async fn a_coordinator_s_doctor_finds_what_is_planted() {
    let folder = tempfile::tempdir().unwrap();
    let hub = folder.path().join("hub");
    fault(COORDINATOR, folder.path(), "settings", "make an alliance");
    let init = [
        "init",
        "--alliance",
        "river",
        "--host",
        "localhost",
        "--node-address",
        "127.0.0.1:1",
    ];
    assert!(call(COORDINATOR, &hub, &init).0);
    fault(COORDINATOR, &hub, "state", "restore");
    assert!(call(COORDINATOR, &hub, &["members"]).0);
    fault(COORDINATOR, &hub, "policy", "two administrators sign it");
    for name in ["li-hua-admin", "chen-jie"] {
        assert!(call(COORDINATOR, &hub, &["administrator", "add", name]).0);
    }
    for name in ["li-hua-admin", "chen-jie"] {
        assert!(call(COORDINATOR, &hub, &["policy", "approve", "--as", name]).0);
    }
    let (sound, found) = findings(COORDINATOR, &hub);
    assert!(sound, "{found:#?}");
    let silent = |one: &(String, String, String)| one.0 == "listeners" && one.1 == "soon";
    assert!(found.iter().any(silent), "{found:#?}");
    mode(&hub.join("alliance.pk8"), 0o640);
    fault(COORDINATOR, &hub, "keys", "mode 0600");
    mode(&hub.join("alliance.pk8"), 0o600);
    change(&hub, "insert into clock values (1, 9000000000)").await;
    fault(COORDINATOR, &hub, "clock", "--accept-clock");
    change(&hub, "delete from clock").await;
    change(
        &hub,
        "update schema_version set version = 9, build = '7.0.0'",
    )
    .await;
    fault(COORDINATOR, &hub, "state", "build 7.0.0");
}
