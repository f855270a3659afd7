use std::collections::BTreeMap;
use std::path::Path;

use schemas::money::Fen;

use super::*;

const PLAIN: Settings = Settings {
    seed: 11,
    year: 2025,
    defects_ppm: 0,
    planted: false,
};

fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn fen(row: &BTreeMap<String, String>, column: &str) -> i64 {
    row[column].parse::<Fen>().unwrap().0
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_other_ones() {
    let make = |seed| {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            seed,
            defects_ppm: 20_000,
            planted: true,
            ..PLAIN
        };
        write_alliance(folder.path(), &settings, 3, 600).unwrap();
        let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, std::fs::read(entry.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    };
    let first = make(5);
    assert_eq!(first.len(), 3 + 4);
    assert!(first == make(5));
    assert!(first != make(6));
    // Pinned, so that another machine or release that differs is noticed.
    let h01 = &first.iter().find(|(name, _)| name == "h01.csv").unwrap().1;
    let hash = blake3::hash(h01).to_hex();
    assert!(hash.starts_with("5fd108af31e4d9ad"), "{hash}");
}

#[test]
fn amounts_add_up_and_fields_have_their_shape() {
    let folder = tempfile::tempdir().unwrap();
    write_alliance(folder.path(), &PLAIN, 3, 2000).unwrap();
    for name in ["h01.csv", "h02.csv", "h03.csv"] {
        let rows = rows(&folder.path().join(name));
        assert!(rows.len() >= 200);
        for row in &rows {
            let items: i64 = HEADER[20..27].iter().map(|item| fen(row, item)).sum();
            assert_eq!(items, fen(row, "total_cost"));
            assert_eq!(
                fen(row, "fund_paid") + fen(row, "self_paid"),
                fen(row, "total_charges")
            );
            assert!(row["drg"].ends_with(&row["severity"]));
            let dates = ["birth_date", "admission_date", "discharge_date"]
                .map(|column| row[column].parse::<jiff::civil::Date>().unwrap());
            assert!(dates[0] <= dates[1] && dates[1] < dates[2], "{row:?}");
            assert_eq!(dates[2].year(), 2025);
            let id = &row["resident_id"];
            let digits: [u8; 18] = id.as_bytes().try_into().unwrap();
            assert_eq!(
                digits[6..14],
                *row["birth_date"].replace('-', "").as_bytes()
            );
            assert_eq!(person::check_character(&digits[..17]), digits[17]);
            let woman = digits[16].is_multiple_of(2);
            assert_eq!(row["sex"], if woman { "f" } else { "m" });
        }
    }
}

/// What a patient's stays tell about readmission; in order of admission.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Stay {
    admitted: jiff::civil::Date,
    left: jiff::civil::Date,
    category: u8,
    flag: String,
}

#[test]
fn patients_repeat_and_readmissions_follow_from_the_dates() {
    let folder = tempfile::tempdir().unwrap();
    write_hospital(folder.path(), &PLAIN, "one", 20_000).unwrap();
    let mut patients: BTreeMap<String, Vec<Stay>> = BTreeMap::new();
    for row in rows(&folder.path().join("one.csv")) {
        let date = |column: &str| row[column].parse().unwrap();
        let stay = Stay {
            admitted: date("admission_date"),
            left: date("discharge_date"),
            category: row["drg"].as_bytes()[0],
            flag: row["readmission"].clone(),
        };
        let stays = patients.entry(row["patient_id"].clone());
        stays.or_default().push(stay);
    }
    let repeats = patients.values().filter(|stays| stays.len() > 1).count();
    let share = repeats * 100 / patients.len();
    assert!(
        (10..25).contains(&share),
        "{share} % of patients come again"
    );
    let mut flagged = 0;
    for stays in patients.values_mut() {
        stays.sort();
        for (nth, stay) in stays.iter().enumerate() {
            let days = stays[..nth]
                .iter()
                .filter(|earlier| earlier.category == stay.category)
                .map(|earlier| (stay.admitted - earlier.left).get_days())
                .min();
            let expected = match days {
                Some(..=15) => "within_15",
                Some(16..=30) => "within_30",
                _ => "none",
            };
            assert_eq!(stay.flag, expected);
            flagged += usize::from(stay.flag != "none");
        }
    }
    assert!(flagged > 200, "{flagged}");
}

#[test]
fn medians_lie_near_the_reference_times_the_hospitals_level() {
    let folder = tempfile::tempdir().unwrap();
    let written = write_hospital(folder.path(), &PLAIN, "one", 30_000).unwrap();
    let level = u64::from(written[0].hospital.level_permille);
    let mut costs: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut winter = [0_u32; 2];
    for row in rows(&folder.path().join("one.csv")) {
        let cost = u64::try_from(fen(&row, "total_cost")).unwrap();
        costs.entry(row["drg"].clone()).or_default().push(cost);
        if row["drg"].starts_with("ES") {
            let left: jiff::civil::Date = row["discharge_date"].parse().unwrap();
            let month = left.month();
            winter[0] += u32::from(matches!(month, 1 | 2 | 12));
            winter[1] += u32::from(matches!(month, 6..=8));
        }
    }
    assert!(winter[0] > winter[1] * 3 / 2, "{winter:?}");
    let mut seen = 0;
    for group in groups().unwrap() {
        let Some(costs) = costs
            .get_mut(&group.code)
            .filter(|costs| costs.len() >= 300)
        else {
            continue;
        };
        costs.sort_unstable();
        let median = costs[costs.len() / 2];
        let expected = group.cost_fen() * level / 1000;
        let off = median.abs_diff(expected) * 100 / expected;
        assert!(off < 12, "{}: {off} % off", group.code);
        seen += 1;
    }
    assert!(seen > 20);
}

#[test]
fn defects_come_at_their_rate_and_misplaced_identifiers_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        defects_ppm: 50_000,
        planted: true,
        ..PLAIN
    };
    let written = write_hospital(folder.path(), &settings, "one", 20_000).unwrap();
    assert!((850..1150).contains(&written[0].defects), "{written:?}");
    let text = std::fs::read_to_string(folder.path().join("one.csv")).unwrap();
    assert_eq!(text.lines().count() as u64, written[0].rows + 1);
    let defects = std::fs::read_to_string(folder.path().join("defects.csv")).unwrap();
    assert_eq!(defects.lines().count() as u64, written[0].defects + 1);
    let planted = std::fs::read_to_string(folder.path().join("planted.txt")).unwrap();
    let misplaced: Vec<Vec<&str>> = planted
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect())
        .filter(|parts: &Vec<&str>| parts[1] != parts[2])
        .collect();
    assert_eq!(misplaced.len(), 6);
    for parts in misplaced {
        let found = text.lines().any(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let column = HEADER.iter().position(|name| *name == parts[2]).unwrap();
            cells[column] == parts[3]
        });
        assert!(found, "{parts:?}");
    }
}

#[test]
fn bad_settings_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(write_alliance(folder.path(), &PLAIN, 0, 10).is_err());
    assert!(write_hospital(folder.path(), &PLAIN, "../x", 10).is_err());
    let late = Settings {
        year: 1900,
        ..PLAIN
    };
    assert!(write_hospital(folder.path(), &late, "x", 10).is_err());
}
