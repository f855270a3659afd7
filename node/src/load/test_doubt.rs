//! Loads that look wrong: the officer is told.

use super::fixture::{HEADER, MAPPING, NOW, Trial, dictionary};
use super::test::rows;
use super::*;
use crate::ingest::encoding::Encoding;

/// A wrong patient column (here: one value for everybody) loads, but is said loudly.
#[tokio::test]
async fn a_wrong_patient_column_is_doubted_in_summary_and_report() {
    let trial = Trial::new().await;
    let lines = rows("2025-03", 40);
    let sound = trial.request("a.csv", &lines);
    let mut wrong = trial.request("b.csv", &lines);
    let text = MAPPING.replace("\"patient_id\"", "\"sex\"");
    wrong.mapping = Mapping::parse(&text).unwrap();
    let checked = check(&dictionary(), NOW, 45, &sound, &|_| {}).unwrap();
    let of = checked.patients[0];
    assert_eq!((of.patients, of.stays, of.most), (20, 40, 2));
    assert!(checked.warnings.is_empty());
    let checked = check(&dictionary(), NOW, 45, &wrong, &|_| {}).unwrap();
    let loaded = load(&trial.state, &trial.config, NOW, &wrong, &|_| {});
    let loaded = loaded.await.unwrap();
    assert_eq!(
        (loaded.patients[0].patients, loaded.patients[0].most),
        (1, 40)
    );
    assert_eq!(checked.warnings, loaded.warnings);
    assert!(loaded.warnings[0].contains("right column"));
    let folder = columns::folder(&trial.config.data).join(loaded.load.unwrap());
    let report = std::fs::read_to_string(folder.join("quality.txt")).unwrap();
    assert!(report.contains("right column") && report.contains("1 patients, 40 stays"));
    let month = &reports(&folder).unwrap()[0];
    assert_eq!(
        (month.k, month.l, month.why.as_str()),
        (40, 3, "timeliness 84: loaded late")
    );
}

#[tokio::test]
async fn a_file_of_another_encoding_is_refused_with_the_hint() {
    let trial = Trial::new().await;
    let mut request = trial.request("gbk.csv", &[]);
    let mut bytes = format!("{HEADER}\n").into_bytes();
    for line in rows("2025-03", 3) {
        let (before, after) = line.split_once("employee").unwrap();
        bytes.extend(
            [
                before.as_bytes(),
                b"\xd6\xb0\xb9\xa4",
                after.as_bytes(),
                b"\n",
            ]
            .concat(),
        );
    }
    std::fs::write(trial.folder.path().join("gbk.csv"), bytes).unwrap();
    let error = load(&trial.state, &trial.config, NOW, &request, &|_| {}).await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("3 refused") && error.contains("save the file as UTF-8"),
        "{error}"
    );
    let checked = check(&dictionary(), NOW, 45, &request, &|_| {}).unwrap();
    assert!(checked.loadable().is_err() && checked.rules["encoding"] == 3);
    request.mapping.encoding = Encoding::Gb18030;
    let loaded = load(&trial.state, &trial.config, NOW, &request, &|_| {}).await;
    assert_eq!(loaded.unwrap().kept, 3);
}

/// A byte order mark, two hundred columns more than the mapping names, and line ends and commas inside quotation
/// marks.
#[tokio::test]
async fn a_wide_file_of_a_spreadsheet_loads() {
    let trial = Trial::new().await;
    let request = trial.request("wide.csv", &[]);
    let more: Vec<String> = (0..200).map(|column| format!("more{column}")).collect();
    let mut text = format!("\u{feff}{HEADER},{}\r\n", more.join(","));
    for line in rows("2025-03", 3) {
        let values = vec!["\"two\r\nlines, and \"\"marks\"\"\""; 200];
        text.extend([line.as_str(), ",", &values.join(","), "\r\n"]);
    }
    std::fs::write(trial.folder.path().join("wide.csv"), text).unwrap();
    let loaded = load(&trial.state, &trial.config, NOW, &request, &|_| {}).await;
    assert_eq!(loaded.unwrap().kept, 3);
}

const LONG: &str =
    "病人自述近三日来反复发热伴咳嗽咳痰，夜间为重，外院予口服药物治疗后未见明显好转，今来我院就诊";

/// A number of a person that begins as a district does, or stands in groups, and free text: each row is
/// refused by its own rule, and what looks like them is not.
#[tokio::test]
async fn persons_and_free_text_in_columns_of_codes_are_refused() {
    let trial = Trial::new().await;
    let texts = [
        ("330102194912310013", "identifier"),
        ("138 1234 5678", "identifier"),
        ("6222-0212-3456-7890-128", "identifier"),
        (LONG, "free-text"),
        ("33010219491231001", ""),
        ("330102", ""),
        ("999999", ""),
    ];
    let made = texts.iter().enumerate();
    let lines: Vec<String> = made
        .map(|(n, (text, _))| {
            let line = rows("2025-03", u32::try_from(n + 1).unwrap())
                .pop()
                .unwrap();
            line.replace("330102", text)
        })
        .collect();
    let summary = trial.load("a.csv", &lines).await.unwrap();
    for rule in ["identifier", "free-text"] {
        let expected = texts.iter().filter(|(_, of)| *of == rule).count() as u64;
        assert_eq!(summary.rules.get(rule), Some(&expected), "{rule}");
    }
    assert_eq!((summary.kept, summary.findings), (3, 0));
}

/// A small month: the officer is told what falls short, which quasi-identifier tells most apart, and the line of
/// all months.
#[tokio::test]
async fn a_small_month_is_told_in_words() {
    let trial = Trial::new().await;
    let mut lines = rows("2025-03", 12);
    lines.extend(rows("2025-04", 12));
    // One of them lives elsewhere.
    lines[0] = lines[0].replace("330102", "330202");
    let loaded = trial.load("a.csv", &lines).await.unwrap();
    let folder = columns::folder(&trial.config.data).join(loaded.load.unwrap());
    let month = &reports(&folder).unwrap()[0];
    assert_eq!((month.k, month.l), (1, 1));
    for told in [
        "k 1 is below 5",
        "l 1 is below 2",
        "12 rows are fewer than 200",
    ] {
        assert!(
            month.short.iter().any(|short| short.starts_with(told)),
            "{told}"
        );
    }
    let text = std::fs::read_to_string(folder.join("deidentification.txt")).unwrap();
    for told in [
        "\nall months        24",
        "2025-03: k 1 is below 5; l 1 is below 2",
        "without district: k 12, l 3, rows at high risk 1.000",
        "without sex: k 1, l 1",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    let exposure = &loaded.exposure[1];
    assert_eq!(exposure.risk.smallest_class, 12);
    assert_eq!(exposure.without.len(), 4);
}
