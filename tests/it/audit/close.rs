//! The month's close: same inputs same bytes, nothing on disk that names a settlement.

use std::os::unix::fs::PermissionsExt as _;

use proofs::book::Book;

use super::*;
use crate::hospital::{Line, file};

fn every_file(folder: &std::path::Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}

#[tokio::test]
async fn closing_twice_is_harmless_and_another_list_is_refused_or_restated() {
    let closing = Closing::new().await;
    let (one, two) = (listed(&settled(300)), listed(&settled(303)));
    let first = closing.close(&one).await.unwrap();
    assert_eq!((first.version, first.again), (1, false));
    assert_eq!(first.settlements[&slug("i01")], 100);
    let entries = closing.hospital.state.log().await.unwrap().len();
    let again = closing.close(&one).await.unwrap();
    assert!(again.again && again.checkpoint == first.checkpoint);
    assert_eq!(closing.hospital.state.log().await.unwrap().len(), entries);
    let refused = closing.close(&two).await.unwrap_err();
    assert!(matches!(refused, CloseError::Closed { .. }));
    let old = closing.book("i01").await;
    let restated = closing.close_as(&two, MAPPING, &[], true).await.unwrap();
    assert_eq!((restated.version, restated.again), (2, false));
    // Both versions are in the log; the newer tree continues the older one.
    let new = closing.book("i01").await;
    let case = Insurer::begin(&closing, "i01").await.folder.case().unwrap();
    let (old, new) = (case.believe(&old).unwrap(), case.believe(&new).unwrap());
    assert_eq!((old.header.release, new.header.release), (1, 2));
    assert_eq!(old.header.key, new.header.key);
    let data = &closing.hospital.config.data;
    let closes = commit::store::closes(closing.hospital.state.pool())
        .await
        .unwrap();
    let log = commit::log::tree(data, &closes, &closes[1]).unwrap();
    let (before, after) = (&old.checkpoint, &new.checkpoint);
    let proof = log.consistency(before.size, after.size).unwrap();
    after.check_follows(before, &proof).unwrap();
}

#[tokio::test]
async fn no_settlement_number_reaches_the_disk_and_secrets_are_private() {
    let closing = Closing::new().await;
    let all = settled(300);
    closing.close(&listed(&all)).await.unwrap();
    let data = &closing.hospital.config.data;
    let mut read = 0;
    for path in every_file(data) {
        let bytes = std::fs::read(&path).unwrap();
        read += bytes.len();
        for one in all.iter().step_by(7) {
            let number = one.number.as_bytes();
            let there = bytes.windows(number.len()).any(|window| window == number);
            assert!(!there, "{}", path.display());
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("audit-") || name.ends_with(".labels") {
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
    assert!(read > 3 * 256 * 138, "the log was read");
    for entry in closing.hospital.state.log().await.unwrap() {
        if entry.kind.as_str() == "close" {
            let names: Vec<&str> = entry.detail.keys().map(Slug::as_str).collect();
            assert_eq!(names, ["month", "version"]);
        }
    }
}

#[tokio::test]
async fn the_number_of_leaves_is_a_multiple_of_256_and_every_payer_has_a_batch() {
    for (own, leaves) in [(0_u32, 256), (255, 256), (256, 256), (257, 512)] {
        let closing = Closing::new().await;
        let mut all = of_payer(&settled(3 * own), "I01");
        all.truncate(usize::try_from(own).unwrap());
        closing.close(&listed(&all)).await.unwrap();
        for (payer, expected) in [("i01", leaves), ("i02", 256), ("i03", 256)] {
            let book = Book::from_bytes(&closing.book(payer).await).unwrap();
            assert_eq!(book.leaves.as_slice().len(), expected, "{own} {payer}");
        }
    }
}

#[tokio::test]
async fn rows_that_break_a_rule_are_listed_by_number_field_and_rule() {
    let closing = Closing::new().await;
    let list = "no,payer,fen,drg\nS1,I01,100,FM19\n,I01,100,FM19\nS2,I01,1.5,FM19\n\
                S3,I01,99999999999999999999,FM19\nS4,I01,100,\nS 5,I01,100,FM19\nS6,I01,100\n\
                S7,self,100,FM19\nS8,I01,-100,FM19\nS9,I01,-,FM19\n";
    let closed = closing.close(list).await.unwrap();
    let refused: Vec<(u64, &str, &str)> = closed
        .refused
        .iter()
        .map(|one| (one.row, one.field.as_str(), one.rule))
        .collect();
    let expected = [
        (3, "settlement", "required"),
        (4, "amount", "amount"),
        (5, "amount", "range"),
        (6, "case_group", "code-shape"),
        (7, "settlement", "code-shape"),
        (8, "", "width"),
        (11, "amount", "amount"),
    ];
    assert_eq!(refused, expected);
    assert_eq!(
        (closed.passed_over, closed.settlements[&slug("i01")]),
        (1, 2)
    );
}

#[tokio::test]
async fn the_list_is_compared_with_the_stored_stays() {
    let closing = Closing::new().await;
    let line = |n: u64| Line::new(&format!("P{n}"), &format!("N{n}"), 12, "FM19", 1000 + n);
    let lines: Vec<Line> = (0..40).map(line).collect();
    let (stored, extra) = lines.split_at(38);
    closing.hospital.load_bytes(&file(stored)).await.unwrap();
    let mut list: Vec<Line> = stored.to_vec();
    list[4] = line(4).with("fund_paid", "1004.01");
    list.extend(extra.iter().cloned());
    // A stay of another month is not of this close.
    list.push(Line::new("P99", "N99", 11, "FM19", 5));
    let mapping = include_str!("../../../deploy/mappings/settlements.toml");
    let text = String::from_utf8(file(&list)).unwrap();
    let closed = closing.close_as(&text, mapping, &[], false).await.unwrap();
    let compared = closed.compared.unwrap();
    assert_eq!(compared.equal, 37);
    assert_eq!(compared.differ, [6]);
    assert_eq!(compared.not_stored, [40, 41]);
    assert_eq!(closed.passed_over, 1);
}

#[tokio::test]
async fn a_changed_log_is_found() {
    let closing = Closing::new().await;
    closing.close(&listed(&settled(300))).await.unwrap();
    let path = closing
        .hospital
        .config
        .data
        .join(format!("settlements/{MONTH}-v1.leaves"));
    let sound = std::fs::read(&path).unwrap();
    let (state, config) = (&closing.hospital.state, &closing.hospital.config);
    let book = async || node::audit::book(state, config, &slug("i01"), month()).await;
    for place in [0, 5, 400, sound.len() / 2, sound.len() - 1] {
        let mut changed = sound.clone();
        changed[place] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        assert!(book().await.is_err(), "byte {place}");
    }
    std::fs::write(&path, &sound[..sound.len() - 142]).unwrap();
    assert!(book().await.is_err());
    std::fs::write(&path, &sound).unwrap();
    assert!(book().await.is_ok());
}
