//! Crosswalks: what is read, what is refused by line, how money is split.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::ingest::IngestError;

fn read(text: &str) -> Result<Crosswalk, TableError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("departments.csv");
    std::fs::write(&path, text).unwrap();
    Crosswalk::read("departments".parse().unwrap(), &path)
}

fn at(text: &str) -> Month {
    text.parse().unwrap()
}

/// Four digits to six: one to one, many to one, one to several, another target from 2026 on.
const TABLE: &str = "source,target,ratio,from,to\n0401,040101,,,\n0402,040101,,,\n\
    0403,040301,0.35,,\n0403,040302,0.65,,\n0404,040401,,,2025-12\n0404,040402,,2026-01,\n\
    0405,040501,1/3,,\n0405,040502,1/3,,\n0405,040503,1/3,,\n";

#[test]
fn codes_follow_the_months_and_money_its_shares() {
    let table = read(TABLE).unwrap();
    let of = |code, month| {
        let links = table.of(code, at(month)).iter();
        links.map(|link| link.target.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(
        (of("0401", "2025-01"), of("0402", "2025-01")),
        (vec!["040101"], vec!["040101"])
    );
    assert_eq!(
        (of("0404", "2025-12"), of("0404", "2026-01")),
        (vec!["040401"], vec!["040402"])
    );
    assert_eq!(of("0403", "2025-01"), ["040301", "040302"]);
    assert!(of("04", "2025-01").is_empty() && of("9999", "2025-01").is_empty());
    let split = |code, fen| table.split(code, at("2025-01"), Fen(fen));
    let whole = vec![("040301", Fen(35)), ("040302", Fen(66))];
    assert_eq!(split("0403", 101), Some(whole));
    let back = vec![("040301", Fen(-35)), ("040302", Fen(-66))];
    assert_eq!(split("0403", -101), Some(back));
    let thirds = split("0405", 100).unwrap();
    let thirds: Vec<i64> = thirds.into_iter().map(|(_, fen)| fen.0).collect();
    assert_eq!(thirds, [34, 33, 33]);
    assert_eq!(split("9999", 100), None);
    assert_eq!(
        read(TABLE).unwrap().digest().unwrap(),
        table.digest().unwrap()
    );
}

#[test]
fn what_is_refused_is_named_by_its_line() {
    for (text, line, told) in [
        ("source,target\n1,a\n1,a\n", 3, "the same as line 2"),
        ("source,target\n1,a\n1,b\n", 3, "do not add up to 1"),
        (
            "source,target,ratio\n1,a,0.5\n1,b,0.4999999\n",
            3,
            "(lines 2, 3) do not add up",
        ),
        ("source,target,ratio\n1,a,0.5\n", 2, "do not add up"),
        ("source,target,ratio\n1,a,0\n", 2, "`ratio`"),
        ("source,target,ratio\n1,a,1.5\n", 2, "`ratio`"),
        ("source,target,ratio\n1,a,-1\n", 2, "`ratio`"),
        ("source,target,ratio\n1,a,1/0\n", 2, "`ratio`"),
        (
            "source,target,from,to\n1,a,2025-01,2025-06\n1,b,2025-06,\n",
            3,
            "overlap those of line 2",
        ),
        (
            "source,target,from,to\n1,b,2025-06,\n1,a,,\n",
            3,
            "overlap those of line 2",
        ),
        (
            "source,target,from,to\n1,a,2025-06,2025-05\n",
            2,
            "not after",
        ),
        ("source,target,from,to\n1,a,2025-13,\n", 2, "`from`"),
        ("source,target\n,a\n", 2, "`source`"),
        ("source,target\n1,\n", 2, "`target`"),
        (
            "source,target\n13877712345,a\n",
            2,
            "shaped like the number of a person",
        ),
        ("source,target\n", 2, "at least one line"),
    ] {
        let error = read(text).unwrap_err();
        let TableError::Line { line: found, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(*found, line, "{error}");
        assert!(error.to_string().contains(told), "{error}");
    }
    assert!(matches!(
        read("code,target\n1,a\n"),
        Err(TableError::Header { .. })
    ));
}

/// The governance committee's list of consumables is of this size.
#[test]
fn a_list_of_consumables_is_read() {
    let mut text = "source,target\n".to_owned();
    for code in 0..4_000 {
        writeln!(text, "HIS-{code:05},C{:05}", code / 2).unwrap();
    }
    let table = read(&text).unwrap();
    assert_eq!(table.links.len(), 4_000);
    assert_eq!(table.of("HIS-03999", at("2025-01"))[0].target, "C01999");
}

#[test]
fn where_a_row_has_one_code_a_split_needs_a_rule() {
    let mut all = Crosswalks::default();
    all.add(read(TABLE).unwrap()).unwrap();
    let name: Slug = "departments".parse().unwrap();
    let refused = all.walk("dimensions.department", (Some(&name), None));
    assert!(matches!(refused, Err(IngestError::Splits { .. })));
    let walk = all
        .walk("x", (Some(&name), Some(Split::Largest)))
        .unwrap()
        .unwrap();
    let find = |code: &str, month| walk.find(code.as_bytes(), at(month)).map(<[u8]>::to_vec);
    assert_eq!(find("0403", "2025-01"), Some(b"040302".to_vec()));
    assert_eq!(find("0405", "2025-01"), Some(b"040501".to_vec()));
    assert_eq!(find("0404", "2026-01"), Some(b"040402".to_vec()));
    assert_eq!(find("9999", "2026-01"), None);
    let none: Slug = "nobody".parse().unwrap();
    let refused = all.walk("x", (Some(&none), None));
    assert!(matches!(refused, Err(IngestError::Crosswalk(_))));
    assert!(all.walk("x", (None, Some(Split::Largest))).is_err());
}

proptest! {
    /// Every fen arrives, whatever the shares.
    #[test]
    fn every_fen_arrives(parts in proptest::collection::vec(1_u32..1_000, 1..12), fen in -10_i64.pow(12)..10_i64.pow(12)) {
        let sum: u32 = parts.iter().sum();
        let mut text = "source,target,ratio\n".to_owned();
        for (place, part) in parts.iter().enumerate() {
            writeln!(text, "1,t{place:02},{part}/{sum}").unwrap();
        }
        let table = read(&text).unwrap();
        let split = table.split("1", at("2025-01"), Fen(fen)).unwrap();
        prop_assert_eq!(split.iter().map(|(_, part)| part.0).sum::<i64>(), fen);
        prop_assert_eq!(split.len(), parts.len());
    }
}
