//! Killed anywhere and run again, an audit gives the same result; a close too.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;
use crate::binary::binary;

/// Runs a command and kills it after so many microseconds; whether it had ended, which must be well.
fn killed(name: &str, words: &[&str], after: u64) -> bool {
    let told = tempfile::NamedTempFile::new().unwrap();
    let mut child = Command::new(binary(name))
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(told.reopen().unwrap())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_micros(after));
    let ended = child.try_wait().unwrap();
    if let Some(status) = ended {
        let told = std::fs::read_to_string(told.path()).unwrap();
        assert!(status.success(), "{name} after {after} us: {told}");
        return true;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    false
}

fn done(name: &str, words: &[&str]) {
    let status = Command::new(binary(name))
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{name} {words:?}");
}

/// Kills a command at rising moments until it ends by itself; gives how often it was killed.
fn until_done(name: &str, words: &[&str], mut each: impl FnMut()) -> u32 {
    let (mut after, mut kills) = (2_000, 0);
    while !killed(name, words, after) {
        kills += 1;
        after += after / 16;
        each();
    }
    done(name, words);
    println!("{kills} kills of {name} {}", words.join(" "));
    kills
}

#[tokio::test]
async fn killed_and_resumed_matching_gives_the_same_result() {
    let all = settled(13_000);
    let own = of_payer(&all, "I01");
    let closing = Closing::new().await;
    let insurer = Insurer::begin(&closing, "i01").await;
    closing.close(&listed(&all[4..])).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let (list, book) = (home.path().join("paid.csv"), home.path().join("book"));
    std::fs::write(&list, paid(&own)).unwrap();
    std::fs::write(&book, closing.book("i01").await).unwrap();
    let folder = insurer.folder.path("").to_string_lossy().into_owned();
    let (list, book) = (list.to_string_lossy(), book.to_string_lossy());
    let words = [
        "audit", "prepare", &folder, "--paid", &list, "--book", &book,
    ];
    // What stands is never drawn again: a request that was sent keeps its blinds.
    let mut before: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let kills = until_done("consilium-coordinator", &words, || {
        if !insurer.folder.path("requests").is_dir() {
            return;
        }
        for (name, bytes) in insurer.requests() {
            if name.ends_with(".json") {
                assert_eq!(before.entry(name).or_insert_with(|| bytes.clone()), &bytes);
            }
        }
    });
    assert!(kills > 3, "{kills}");
    for (name, bytes) in insurer.requests() {
        if let Some(earlier) = before.get(&name) {
            assert_eq!(earlier, &bytes, "{name}");
        }
    }
    closing.answer(&insurer).await;
    let whole = insurer.find().unwrap();
    let result = insurer.folder.path("match.json");
    let bytes = std::fs::read(&result).unwrap();
    std::fs::remove_file(&result).unwrap();
    let kills = until_done("consilium-coordinator", &["audit", "match", &folder], || ());
    assert!(kills > 3, "{kills}");
    assert_eq!(std::fs::read(&result).unwrap(), bytes);
    assert_eq!(whole.findings.len(), 2, "settlements 0 and 3 were left out");
}

#[tokio::test]
async fn a_killed_close_is_whole_or_absent() {
    let closing = Closing::new().await;
    let home = tempfile::tempdir().unwrap();
    let (list, mapping) = (home.path().join("l.csv"), home.path().join("m.toml"));
    std::fs::write(&list, listed(&settled(9_000))).unwrap();
    std::fs::write(&mapping, MAPPING).unwrap();
    let data = closing.hospital.config.data.to_string_lossy().into_owned();
    let (list, mapping) = (list.to_string_lossy(), mapping.to_string_lossy());
    let words = [
        "--data",
        &data,
        "close",
        MONTH,
        "--settlements",
        &list,
        "--mapping",
        &mapping,
    ];
    let kills = until_done("consilium-node", &words, || ());
    assert!(kills > 3, "{kills}");
    let entries = closing.hospital.state.log().await.unwrap();
    let closes = entries
        .iter()
        .filter(|entry| entry.kind.as_str() == "close");
    assert_eq!(closes.count(), 1);
    schemas::entry::verify_chain(&entries).unwrap();
    let case = Insurer::begin(&closing, "i01").await.folder.case().unwrap();
    case.believe(&closing.book("i01").await).unwrap();
}
