use std::io::Write as _;

use proptest::prelude::*;
use schemas::answer::{Counted, Span};
use schemas::time::{DataYear, Period};

use super::fixture::{HEADER, MAPPING, NOW, Trial, dictionary, row};
use super::*;
use crate::config::ConfigError;
use crate::release::{self, SignOff};
use crate::store::columns::MonthColumns;

pub(super) fn rows(month: &str, count: u32) -> Vec<String> {
    let drg = ["FR19", "GD15", "ES35"];
    (0..count)
        .map(|n| {
            let place = usize::try_from(n % 3).unwrap();
            row(
                &format!("{month}{n}"),
                &format!("p{}", n / 2),
                month,
                drg[place],
            )
        })
        .collect()
}

pub(crate) async fn release_all(trial: &Trial) {
    let by = SignOff {
        officer: "Li Hua",
        accept_grade_d: true,
        gate: None,
        at: NOW,
    };
    release::release(&trial.state, &trial.config.data, None, &by)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_file_becomes_columns_ranks_reports_and_a_log_entry() {
    let trial = Trial::new().await;
    let mut lines = rows("2025-03", 10);
    lines.extend(rows("2025-04", 4));
    lines.push(row("bad", "p1", "2025-04", "nonsense"));
    let summary = trial.load("a.csv", &lines).await.unwrap();
    assert_eq!(
        (summary.kept, summary.refused, summary.findings),
        (14, 1, 0)
    );
    assert_eq!(summary.rules["code-shape"], 1);
    let load = columns::folder(&trial.config.data).join(summary.load.unwrap());
    let march = MonthColumns::open(&load, "2025-03".parse().unwrap()).unwrap();
    assert_eq!(march.rows(), 10);
    let batch = &march.batches()[0];
    assert!(
        batch.case_group().is_sorted(),
        "a batch is ordered by case group"
    );
    assert!((0..3).all(|group| batch.case_group().contains(&group)));
    assert_eq!(batch.amounts("cost").unwrap(), [10_050; 10]);
    assert!(
        batch.amounts("charges").is_none(),
        "the file has no charges"
    );
    assert!(matches!(
        batch.codes("sex"),
        Some(columns::Codes::Narrow([0, ..]))
    ));
    assert!(matches!(
        batch.codes("age_band"),
        Some(columns::Codes::Narrow([1, ..]))
    ));
    assert!(matches!(
        batch.codes("district"),
        Some(columns::Codes::Narrow([0, ..]))
    ));
    // Two rows of a patient lie in one month, so one of them stands for it.
    let series: Vec<&u8> = batch
        .series_rank()
        .iter()
        .filter(|rank| **rank == u8::MAX)
        .collect();
    assert_eq!(series.len(), 5);
    let quarantine = std::fs::read_to_string(load.join("quarantine.csv")).unwrap();
    assert_eq!(quarantine, "row,field,rule\n16,case_group,code-shape\n");
    let log = trial.state.log().await.unwrap();
    assert_eq!(log.last().unwrap().kind.as_str(), "load");
    schemas::entry::verify_chain(&log).unwrap();
    for report in [
        "quality.json",
        "quality.txt",
        "deidentification.json",
        "deidentification.txt",
    ] {
        assert!(load.join(report).is_file(), "{report}");
    }
}

#[tokio::test]
async fn the_same_file_twice_is_refused_and_changes_nothing() {
    let trial = Trial::new().await;
    trial.load("a.csv", &rows("2025-03", 5)).await.unwrap();
    let before = trial.files().len();
    let again = trial.load("b.csv", &rows("2025-03", 5)).await;
    assert!(matches!(again, Err(LoadError::Same { .. })));
    let staged = trial.load("c.csv", &rows("2025-03", 6)).await;
    assert!(matches!(staged, Err(LoadError::Staged { .. })));
    assert_eq!(trial.files().len(), before);
}

#[tokio::test]
async fn repeated_stays_are_found_within_a_file_and_across_months() {
    let trial = Trial::new().await;
    let twice = [
        row("s1", "p1", "2025-03", "FR19"),
        row("s1", "p1", "2025-03", "FR19"),
    ];
    let summary = trial.load("a.csv", &twice).await.unwrap();
    assert_eq!((summary.kept, summary.rules["duplicate"]), (1, 1));
    // The same settlement again under another month; another patient's same number is none.
    let later = [
        row("s1", "p1", "2025-04", "FR19"),
        row("s1", "p2", "2025-04", "FR19"),
        row("s2", "p1", "2025-04", "GD15"),
    ];
    let summary = trial.load("b.csv", &later).await.unwrap();
    assert_eq!((summary.kept, summary.rules["duplicate"]), (2, 1));
    // Patient 1 has group FR19 at rank 0 already, so GD15 takes rank 1.
    let load = columns::folder(&trial.config.data).join(summary.load.unwrap());
    let april = MonthColumns::open(&load, "2025-04".parse().unwrap()).unwrap();
    let batch = &april.batches()[0];
    assert_eq!(
        (batch.group_rank(), batch.stay_rank()),
        (&[0, 1][..], &[0, 0][..])
    );
    assert_eq!(batch.series_rank(), [0, 1]);
}

#[tokio::test]
async fn a_released_month_is_loaded_again_as_a_restatement() {
    let trial = Trial::new().await;
    trial.load("a.csv", &rows("2025-03", 5)).await.unwrap();
    release_all(&trial).await;
    let mut corrected = rows("2025-03", 5);
    corrected.push(row("late", "p9", "2025-03", "FR19"));
    let summary = trial.load("b.csv", &corrected).await.unwrap();
    assert_eq!(
        (summary.kept, summary.refused),
        (6, 0),
        "what it replaces is no duplicate"
    );
    release_all(&trial).await;
    let months = release::months(&trial.state).await.unwrap();
    let states: Vec<_> = months
        .iter()
        .map(|m| (m.state, m.release, m.restated_by))
        .collect();
    assert_eq!(
        states,
        [("restated", Some(1), Some(2)), ("released", Some(2), None)]
    );
}

#[tokio::test]
async fn what_a_dead_load_left_is_swept_and_a_failed_one_leaves_nothing() {
    let trial = Trial::new().await;
    let folder = columns::folder(&trial.config.data);
    for dead in [".staging-abc", "renamedbutnotregistered"] {
        std::fs::create_dir_all(folder.join(dead)).unwrap();
        std::fs::write(folder.join(dead).join("2025-03.arrow"), b"half").unwrap();
    }
    let refused = trial
        .load("bad.csv", &[row("s", "p", "2025-03", "nonsense")])
        .await;
    assert!(matches!(
        refused,
        Err(LoadError::Nothing { refused: 1, .. })
    ));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    assert!(release::months(&trial.state).await.unwrap().is_empty());
    trial.load("a.csv", &rows("2025-03", 5)).await.unwrap();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
}

#[tokio::test]
async fn the_key_that_months_depend_on_must_stay() {
    let trial = Trial::new().await;
    trial.load("a.csv", &rows("2025-03", 5)).await.unwrap();
    let key = trial.config.data.join("keys/pseudonym-2025.key");
    std::fs::remove_file(&key).unwrap();
    let lost = trial.load("b.csv", &rows("2025-04", 5)).await;
    assert!(matches!(
        lost,
        Err(LoadError::Config(ConfigError::Key { .. }))
    ));
    Keys::open(&trial.config.data)
        .unwrap()
        .make_pseudonym_key(DataYear(2025))
        .unwrap();
    let other = trial.load("b.csv", &rows("2025-04", 5)).await;
    assert!(matches!(
        other,
        Err(LoadError::Config(ConfigError::Key { .. }))
    ));
}

/// attacks.md T18: identifiers planted everywhere are nowhere in what the node wrote.
#[tokio::test]
async fn planted_identifiers_reach_no_byte_of_the_data_folder() {
    let trial = Trial::new().await;
    let planted = [
        "11010519491231002X",
        "13812345678",
        "6222021234567890128",
        "123-45-6789",
        "张三丰",
        "PATIENT-SECRET-1",
        "SETTLE-SECRET-1",
        "1960-05-05",
        "330102",
    ];
    let secret = "SETTLE-SECRET-1,PATIENT-SECRET-1,张三丰 13812345678,1,1960-05-05,2025-03-01,\
                  2025-03-04,employee,330102,FR19,100.50,60.25,40.25";
    let mut lines = vec![secret.to_owned()];
    let base = secret.replace("SECRET-1", "SECRET-2");
    for value in planted {
        for kept in [
            "employee",
            "330102",
            "FR19",
            "100.50",
            "2025-03-04",
            "1960-05-05",
        ] {
            let number = lines.len();
            let line = base.replacen(kept, value, 1);
            lines.push(line.replacen("SETTLE-SECRET-2", &format!("SETTLE-SECRET-2-{number}"), 1));
        }
    }
    let request = trial.request("planted.csv", &lines);
    let summary = load(&trial.state, &trial.config, NOW, &request, &|_| {})
        .await
        .unwrap();
    assert!(summary.rules["identifier"] > 0 && summary.findings == 0);
    let shown = serde_json::to_string(&summary).unwrap();
    let dry = check(&dictionary(), NOW, 45, &request, &|_| {}).unwrap();
    let dry = serde_json::to_string(&dry).unwrap();
    let tried = trial::run(&dictionary(), "2025-07".parse().unwrap(), &request, 1000).unwrap();
    let mut places = trial.files();
    places.push(("summary".into(), shown.into_bytes()));
    places.push(("check".into(), dry.into_bytes()));
    places.push(("rows".into(), serde_json::to_vec(&tried.rows).unwrap()));
    assert!(places.len() > 8);
    for (path, bytes) in places {
        for value in planted.into_iter().chain(["SECRET-2"]) {
            let found = bytes
                .windows(value.len())
                .any(|window| window == value.as_bytes());
            assert!(!found, "{value} in {}", path.display());
        }
    }
}

#[tokio::test]
async fn a_finding_in_what_was_written_stops_the_release() {
    let trial = Trial::new().await;
    trial.load("a.csv", &rows("2025-03", 5)).await.unwrap();
    sqlx::query("update loads set findings = 1")
        .execute(trial.state.pool())
        .await
        .unwrap();
    let by = SignOff {
        officer: "Li Hua",
        accept_grade_d: true,
        gate: None,
        at: NOW,
    };
    let refused = release::release(&trial.state, &trial.config.data, None, &by).await;
    assert!(matches!(
        refused,
        Err(release::ReleaseError::Identifiers { .. })
    ));
}

#[tokio::test]
async fn rows_as_patients_and_years_as_decembers() {
    let trial = Trial::new().await;
    let mut request = trial.request("y.csv", &[]);
    let text = "year,group,cost,days\n2024,FR19,12.34,3\n2024,FR19,12.34,3\n2024,,1.00,1\n";
    std::fs::write(trial.folder.path().join("y.csv"), text).unwrap();
    request.mapping = Mapping::parse(
        "dataset = \"stays\"\npatient = \"row\"\n[time]\ngranularity = \"year\"\nyear = \"year\"\n\
         [case_group]\ncolumns = [\"group\"]\n[fields]\n\
         cost = { column = \"cost\", unit = \"yuan\" }\nlos = { column = \"days\", unit = \"day\" }",
    )
    .unwrap();
    let summary = load(&trial.state, &trial.config, NOW, &request, &|_| {})
        .await
        .unwrap();
    assert_eq!(
        (summary.kept, summary.unknown_groups),
        (3, 1),
        "equal rows are two patients"
    );
    let load = columns::folder(&trial.config.data).join(summary.load.unwrap());
    let december = MonthColumns::open(&load, "2024-12".parse().unwrap()).unwrap();
    let batch = &december.batches()[0];
    assert_eq!(batch.amounts("los").unwrap(), [3000, 3000, 1000]);
    assert_eq!(batch.group_rank(), [0, 0, 0]);
    assert!(matches!(
        batch.codes("sex"),
        Some(columns::Codes::Narrow([2, 2, 2]))
    ));
    release_all(&trial).await;
    let year = Period::year(DataYear(2024)).unwrap();
    let released = crate::snapshot::released(&trial.state, &trial.config.data, &year);
    let months = released.await.unwrap().months;
    assert_eq!(
        (months[0].counted, months[0].span),
        (Counted::Stay, Span::Year),
        "an answer says what it counts"
    );
}

/// A row's cells and ranks depend on that patient's own rows only: without the others they are
/// the same (privacy: what a neighbour is).
#[tokio::test]
async fn other_patients_change_nothing_of_a_row() {
    let trial = Trial::new().await;
    let mut lines = Vec::new();
    for n in 0..40 {
        let drg = ["FR19", "GD15", "ES35"][n % 3];
        lines.push(row(
            &format!("s{n}"),
            &format!("p{}", n % 7),
            "2025-03",
            drg,
        ));
    }
    lines.push(row("x", "p5", "2025-03", "FR19").replace("100.50,60.25,40.25", "999999,999999,0"));
    let own: Vec<String> = lines
        .iter()
        .filter(|line| line.contains(",p3,"))
        .cloned()
        .collect();
    let ranks = async |name: &str, lines: &[String]| {
        let summary = trial.load(name, lines).await.unwrap();
        let load = summary.load.unwrap();
        let folder = columns::folder(&trial.config.data).join(&load);
        let columns = MonthColumns::open(&folder, "2025-03".parse().unwrap()).unwrap();
        let batch = &columns.batches()[0];
        let mut found = BTreeMap::new();
        for place in 0..batch.rows() {
            let stay = batch.stay()[place * 16..][..16].to_vec();
            let ranks = (batch.group_rank()[place], batch.stay_rank()[place]);
            let cells = (
                batch.case_group()[place],
                batch.amounts("cost").unwrap()[place],
            );
            found.insert(stay, (ranks, batch.series_rank()[place], cells));
        }
        drop(columns);
        release::discard(&trial.state, &trial.config.data, &load, NOW)
            .await
            .unwrap();
        found
    };
    let all = ranks("all.csv", &lines).await;
    let alone = ranks("own.csv", &own).await;
    assert_eq!(alone.len(), own.len());
    for (stay, values) in alone {
        assert_eq!(all[&stay], values);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// Files of any bytes after the header, and of any bytes at all: refused or loaded, no panic.
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400), header in any::<bool>()) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        if header {
            file.write_all(format!("{HEADER}\n").as_bytes()).unwrap();
        }
        file.write_all(&bytes).unwrap();
        let request = Request {
            from: file.path().to_owned().into(),
            mapping: Mapping::parse(MAPPING).unwrap(),
            only: Vec::new(),
            history: false,
            whole: false,
            rates: RateBook::default(),
            crosswalks: Crosswalks::default(),
        };
        let _outcome = check(&dictionary(), NOW, 45, &request, &|_| {});
    }
}
