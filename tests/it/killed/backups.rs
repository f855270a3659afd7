//! The drill: backups of running services, the disk lost, the backup put back. What the node spent since
//! is not forgotten, and nothing is overwritten or believed unseen.

use std::path::{Path, PathBuf};
use std::process::Command;

use sqlx::SqliteConnection;

use super::alliance::{Alliance, Round, remains, state};
use super::process::{COORDINATOR, NODE, binary, call};
use super::until;

/// A command, whether it succeeded, and what it printed.
fn tried(name: &str, data: &Path, words: &[&str]) -> (bool, String) {
    let mut command = Command::new(binary(name));
    let output = command
        .arg("--data")
        .arg(data)
        .args(words)
        .output()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.success(), text)
}

fn refused(name: &str, data: &Path, words: &[&str], why: &str) {
    let (done, told) = tried(name, data, words);
    assert!(!done && told.contains(why), "{words:?}: {told}");
}

async fn said(alliance: &Alliance, round: &Round) -> String {
    let said = async || {
        let mut hub = state(&alliance.hub()).await;
        sqlx::query_scalar::<_, String>(
            "select said from replies where round = $1 and hospital = 'h01'",
        )
        .bind(round.id.clone())
        .fetch_optional(&mut hub)
        .await
        .unwrap()
    };
    until("a reply of h01", async || said().await.is_some()).await;
    said().await.unwrap()
}

/// Of a node that does not run.
async fn spent(alliance: &Alliance) -> i64 {
    let (_copy, mut node) = remains(&alliance.home(0)).await;
    sum(&mut node).await
}

async fn sum(node: &mut SqliteConnection) -> i64 {
    sqlx::query_scalar("select coalesce(sum(spent_nano), 0) from ledger where purpose = 'all'")
        .fetch_one(node)
        .await
        .unwrap()
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(below(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn copied(from: &Path, to: &Path) {
    for path in below(from) {
        let place = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::copy(path, place).unwrap();
    }
}

/// Row 42 of the threat model: nothing in a backup names a patient of the file that was loaded.
fn no_identifier(file: &Path, backups: &[&PathBuf]) {
    let source = std::fs::read_to_string(file).unwrap();
    let mut canaries: Vec<&str> = Vec::new();
    for line in source.lines().skip(1).take(60) {
        // Settlement, patient, resident and telephone numbers; the address.
        let columns: Vec<&str> = line.split(',').collect();
        canaries.extend([0, 1, 3, 4, 5].map(|at| columns[at]));
    }
    assert!(canaries.len() == 300 && canaries.iter().all(|one| one.len() > 8));
    for path in backups.iter().flat_map(|folder| below(folder)) {
        let bytes = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        let found = canaries.iter().find(|one| bytes.contains(**one));
        assert_eq!(found, None, "{}", path.display());
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn a_backup_that_is_put_back_is_seen_and_costs_what_was_spent() {
    let mut alliance = Alliance::found();
    let first = alliance.ask("monthly-benchmark", "2025-01");
    alliance.closes(&first);
    let (home, hub) = (alliance.home(0), alliance.hub());
    let at = |name: &str| alliance.folder.path().join(name);
    let (kept, whole, hubs) = (at("kept"), at("whole"), at("hubs"));

    for (name, data) in [(NODE, &home), (COORDINATOR, &hub)] {
        let told = call(name, data, &["doctor"]);
        assert!(
            told.contains("ok    state") && !told.contains("FAULT"),
            "{told}"
        );
    }

    // Rows as they came, which wait to be loaded, and half of some.
    std::fs::create_dir_all(home.join("incoming")).unwrap();
    for name in ["late.csv", ".coming-abcdef"] {
        std::fs::copy(
            at("files").join("h01.csv"),
            home.join("incoming").join(name),
        )
        .unwrap();
    }

    // Both are backed up while they run; never over anything.
    let out = ["backup", "--keys", "leave-out", "--to"];
    let told = call(NODE, &home, &[&out[..], &[text(&kept)]].concat());
    assert!(told.contains("without keys"), "{told}");
    refused(
        NODE,
        &home,
        &[&out[..], &[text(&kept)]].concat(),
        "not empty",
    );
    let keyed = ["backup", "--keys", "include", "--to", text(&whole)];
    call(NODE, &home, &keyed);
    let secret = |path: &PathBuf| text(path).contains("/keys/");
    assert!(!below(&kept).iter().any(secret) && below(&whole).iter().any(secret));
    call(COORDINATOR, &hub, &[&out[..], &[text(&hubs)]].concat());
    no_identifier(&at("files").join("h01.csv"), &[&kept, &whole, &hubs]);
    let secret = |path: &PathBuf| text(path).ends_with(".pk8") || text(path).contains("issuing");
    assert!(!below(&hubs).iter().any(secret));

    // What is spent now is in no backup.
    // A later month of the paid series would cost nothing.
    let second = alliance.ask("yearly-benchmark", "2025");
    alliance.closes(&second);
    let restore = ["restore", "--from", text(&whole)];
    let replace = [&restore[..], &["--replace"]].concat();
    refused(NODE, &home, &replace, "stop the service first");
    alliance.nodes[0].kill();
    let paid = spent(&alliance).await;
    refused(NODE, &home, &restore, "not empty");
    // Another hospital's, the other binary's, a damaged one.
    refused(
        COORDINATOR,
        &at("new"),
        &restore,
        "not of `consilium-coordinator`",
    );
    let damaged = at("damaged");
    copied(&whole, &damaged);
    let mut bytes = std::fs::read(damaged.join("state.sqlite")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(damaged.join("state.sqlite"), bytes).unwrap();
    let words = ["restore", "--replace", "--from", text(&damaged)];
    refused(NODE, &home, &words, "is damaged or was changed");
    assert_eq!(spent(&alliance).await, paid, "nothing was touched");

    // Without its keys it is no node; with them it answers nothing.
    let words = ["restore", "--replace", "--from", text(&kept)];
    let told = call(NODE, &home, &words);
    assert!(told.contains("missing: keys/message.pk8"), "{told}");
    assert!(!tried(NODE, &home, &["run"]).0);
    let lost = home.with_file_name("h01.before-restore-1");
    copied(&lost.join("keys"), &home.join("keys"));
    call(NODE, &home, &["log", "fsck"]);
    assert!(spent(&alliance).await < paid, "what was spent is forgotten");
    alliance.nodes[0].again();
    let third = alliance.ask("monthly-benchmark", "2025-03");
    assert_eq!(said(&alliance, &third).await, "declined");
    refused(NODE, &home, &["doctor"], "nothing is answered");
    alliance.nodes[0].kill();

    // The officer cannot wave it through: the coordinator has seen more. The gap is burned, exactly.
    let seen = ["log", "restored", "--as", "li-hua", "--yes"];
    refused(NODE, &home, &seen, "until the gap is burned");
    let published = at("published");
    call(NODE, &lost, &["log", "export", text(&published)]);
    let entries = published.join("entries.jsonl");
    let burn = ["log", "burn", "--as", "li-hua", "--yes", "--entries"];
    call(NODE, &home, &[&burn[..], &[text(&entries)]].concat());
    assert_eq!(spent(&alliance).await, paid);
    alliance.nodes[0].again();
    let fourth = alliance.ask("monthly-benchmark", "2025-04");
    alliance.closes(&fourth);
    nothing_lost(&mut alliance).await;
}

/// The newest backup of all: one word of an officer is enough, and nobody's log is broken.
async fn nothing_lost(alliance: &mut Alliance) {
    let (home, hub) = (alliance.home(0), alliance.hub());
    let at = |name: &str| alliance.folder.path().join(name);
    let (newest, hubs) = (at("newest"), at("hubs-newest"));
    for node in &mut alliance.nodes {
        node.kill();
    }
    let paid = spent(alliance).await;
    alliance.coordinator.kill();
    let out = ["backup", "--keys", "include", "--to"];
    call(NODE, &home, &[&out[..], &[text(&newest)]].concat());
    call(COORDINATOR, &hub, &[&out[..], &[text(&hubs)]].concat());
    for (name, data, from) in [(NODE, &home, &newest), (COORDINATOR, &hub, &hubs)] {
        call(name, data, &["restore", "--replace", "--from", text(from)]);
        call(name, data, &["log", "fsck"]);
    }
    alliance.coordinator.again();
    for node in &mut alliance.nodes {
        node.again();
    }
    let fifth = alliance.ask("monthly-benchmark", "2025-05");
    assert_eq!(said(alliance, &fifth).await, "declined");
    assert_eq!(sum(&mut state(&home).await).await, paid);
    let shown = call(NODE, &home, &["log", "restored", "--as", "li-hua"]);
    assert!(shown.contains("--yes you say"), "{shown}");
    let seen = ["log", "restored", "--as", "li-hua", "--yes"];
    let told = call(NODE, &home, &seen);
    assert!(told.contains("the node answers again"), "{told}");
    let sixth = alliance.ask("monthly-benchmark", "2025-06");
    alliance.closes(&sixth);
    let mut node = state(&home).await;
    let kinds: Vec<String> = sqlx::query_scalar(
        "select json_extract(entry, '$.kind') from log where json_extract(entry, '$.kind') like 'restore%'",
    )
    .fetch_all(&mut node)
    .await
    .unwrap();
    let wanted = ["restore", "restore", "restore-acknowledged"];
    assert_eq!(kinds, wanted);
}
