//! Loads that look wrong: the officer is told.

use super::fixture::{HEADER, MAPPING, NOW, Trial, dictionary};
use super::test::rows;
use super::*;

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
    let request = trial.request("gbk.csv", &[]);
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
}
