use super::*;
use crate::load::fixture::{NOW, Trial, row};

fn by(officer: &str, accept_grade_d: bool) -> SignOff<'_> {
    SignOff {
        officer,
        accept_grade_d,
        gate: None,
        at: NOW,
    }
}

#[tokio::test]
async fn numbers_rise_and_nothing_is_released_twice() {
    let trial = Trial::new().await;
    let data = trial.config.data.as_path();
    let lines = [
        row("a", "p1", "2025-03", "FR19"),
        row("b", "p1", "2025-04", "FR19"),
    ];
    trial.load("a.csv", &lines).await.unwrap();
    let april: Month = "2025-04".parse().unwrap();
    let released = release(&trial.state, data, Some(april), &by("Li Hua", false))
        .await
        .unwrap();
    assert_eq!((released.len(), released[0].release), (1, Some(1)));
    let again = release(&trial.state, data, Some(april), &by("Li Hua", false)).await;
    assert!(matches!(again, Err(ReleaseError::Nothing { .. })));
    let rest = release(&trial.state, data, None, &by("Li Hua", false))
        .await
        .unwrap();
    assert_eq!(
        (rest[0].month.to_string().as_str(), rest[0].release),
        ("2025-03", Some(2))
    );
    let log = trial.state.log().await.unwrap();
    schemas::entry::verify_chain(&log).unwrap();
    let entry = log.last().unwrap();
    assert_eq!(
        (entry.kind.as_str(), entry.detail["officer"].as_str()),
        ("release", "Li Hua")
    );
}

#[tokio::test]
async fn grade_d_needs_the_officers_word() {
    let trial = Trial::new().await;
    let bad = row("b", "p2", "2025-03", "FR19").replace("100.50", "-1");
    trial
        .load("a.csv", &[row("a", "p1", "2025-03", "FR19"), bad])
        .await
        .unwrap();
    let data = trial.config.data.as_path();
    let refused = release(&trial.state, data, None, &by("Li Hua", false)).await;
    assert!(matches!(refused, Err(ReleaseError::GradeD { .. })));
    let nameless = release(&trial.state, data, None, &by("", true)).await;
    assert!(matches!(nameless, Err(ReleaseError::Officer)));
    let released = release(&trial.state, data, None, &by("Li Hua", true))
        .await
        .unwrap();
    assert_eq!(released[0].grade, Grade::D);
}

#[tokio::test]
async fn changed_files_are_not_released() {
    let trial = Trial::new().await;
    trial
        .load("a.csv", &[row("a", "p1", "2025-03", "FR19")])
        .await
        .unwrap();
    let data = trial.config.data.as_path();
    let months = months(&trial.state).await.unwrap();
    let path = data_file(
        &columns::folder(data).join(&months[0].load),
        months[0].month,
    );
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let refused = release(&trial.state, data, None, &by("Li Hua", false)).await;
    assert!(matches!(refused, Err(ReleaseError::Files { .. })));
}

#[tokio::test]
async fn only_what_is_staged_can_be_discarded() {
    let trial = Trial::new().await;
    let data = trial.config.data.as_path();
    let lines = [
        row("a", "p1", "2025-03", "FR19"),
        row("b", "p1", "2025-04", "FR19"),
    ];
    let load = trial.load("a.csv", &lines).await.unwrap().load.unwrap();
    discard(&trial.state, data, &load, NOW).await.unwrap();
    assert!(!columns::folder(data).join(&load).exists());
    let gone = discard(&trial.state, data, &load, NOW).await;
    assert!(matches!(gone, Err(ReleaseError::NotStaged { .. })));
    // The file may come again; of a half released load only the rest goes.
    let load = trial.load("a.csv", &lines).await.unwrap().load.unwrap();
    let april: Month = "2025-04".parse().unwrap();
    release(&trial.state, data, Some(april), &by("Li Hua", false))
        .await
        .unwrap();
    discard(&trial.state, data, &load, NOW).await.unwrap();
    let left = months(&trial.state).await.unwrap();
    assert_eq!((left.len(), left[0].month), (1, april));
    assert!(columns::folder(data).join(&load).exists());
}
