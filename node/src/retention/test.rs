use std::collections::BTreeSet;
use std::path::PathBuf;

use policies::quality::{DEFAULT, QualityRules};
use schemas::question::Dataset;
use schemas::seal::Signer;

use super::*;
use crate::lifecycle::test::{by, officers};
use crate::load::fixture::{NOW, Trial, row};
use crate::quality;
use crate::release::{months, release};
use crate::store::columns;

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

/// Two loads: one of 2024-01 and 2024-02, one of 2025-03; all released, two months examined, a warning and a
/// cost close beside them.
async fn filled() -> Trial {
    let trial = Trial::new().await;
    let data = trial.config.data.as_path();
    let old = [
        row("a", "p1", "2024-01", "FR19"),
        row("b", "p2", "2024-02", "FR19"),
        row("c", "p2", "2024-02", "??"),
    ];
    trial.load("a.csv", &old).await.unwrap();
    trial
        .load("b.csv", &[row("d", "p1", "2025-03", "FR19")])
        .await
        .unwrap();
    release(&trial.state, data, None, &by("Li Hua"))
        .await
        .unwrap();
    let rules = QualityRules::parse(DEFAULT).unwrap();
    for of in ["2024-01", "2025-03"] {
        quality::run(
            &trial.state,
            data,
            &rules,
            (Dataset::Stays, month(of), None),
            NOW,
        )
        .await
        .unwrap();
        sqlx::query(
            "insert into warnings (id, subject, month, alert, at) values ($1, '', $1, '{}', 1)",
        )
        .bind(of)
        .execute(trial.state.pool())
        .await
        .unwrap();
        sqlx::query(
            "insert into cost_months (month, version, rules, ledgers, closed, at) values ($1, 1, '', '', '', 1)",
        )
        .bind(of)
        .execute(trial.state.pool())
        .await
        .unwrap();
    }
    trial
}

fn held(trial: &Trial) -> BTreeSet<PathBuf> {
    let files = trial.files().into_iter().map(|(path, _)| path);
    files
        .filter(|path| path.starts_with(columns::folder(&trial.config.data)))
        .collect()
}

async fn count(trial: &Trial, table: &str) -> i64 {
    let text = format!("select count(*) from {table}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(text))
        .fetch_one(trial.state.pool())
        .await
        .unwrap()
}

async fn deciding(trial: &Trial) -> (policies::access::Officers, Slug, Signer) {
    let (officers, [(name, key), _]) = officers(trial).await;
    (officers, name, key)
}

fn now<'a>(
    officers: &'a policies::access::Officers,
    name: &'a Slug,
    key: &'a Signer,
) -> Deciding<'a> {
    Deciding {
        officers,
        name,
        key,
        at: NOW,
    }
}

#[tokio::test]
async fn what_is_past_goes_with_all_that_rests_on_it_and_nothing_else() {
    let trial = filled().await;
    let data = trial.config.data.as_path();
    let (officers, name, key) = deciding(&trial).await;
    let by = now(&officers, &name, &key);
    // NOW is 2025-07: 17 months back is 2024-02, which is kept.
    let which = Which::Past(17);
    let before = held(&trial);
    let listed = plan(&trial.state, data, which, NOW).await.unwrap();
    assert_eq!(held(&trial), before, "a list deletes nothing");
    let [going] = listed.months.as_slice() else {
        panic!("{listed:?}");
    };
    assert_eq!(
        (going.month, going.releases.as_slice()),
        (month("2024-01"), [1].as_slice())
    );
    assert!(going.bytes > 0);
    let resting: Vec<&str> = going.resting.iter().map(|(what, _)| *what).collect();
    assert!(resting.contains(&"early warnings") && resting.contains(&"cost closes"));
    let log = trial.state.log().await.unwrap().len();
    let other = retire(&trial.state, data, which, "0123456789ab", &by).await;
    assert!(matches!(other, Err(RetentionError::Other(_))));
    assert_eq!(
        (held(&trial), trial.state.log().await.unwrap().len()),
        (before, log)
    );

    retire(&trial.state, data, which, &listed.word(), &by)
        .await
        .unwrap();
    let again = plan(&trial.state, data, which, NOW).await.unwrap();
    assert!(again.months.is_empty());
    let left = held(&trial);
    let named = |part: &str| {
        left.iter()
            .filter(|path| path.to_string_lossy().contains(part))
            .count()
    };
    assert_eq!(
        (
            named("2024-01"),
            named("2024-02.arrow"),
            named("2025-03.arrow")
        ),
        (0, 1, 1)
    );
    // The other month's load keeps its own part of the reports, and its own quarantine.
    assert_eq!(
        (
            named("quarantine.csv"),
            named("quality.json"),
            named("quality.txt")
        ),
        (1, 2, 1)
    );
    for path in left
        .iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
    {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(!text.contains("2024-01"), "{text}");
    }
    for table in ["quality_runs", "warnings", "cost_months"] {
        assert_eq!(count(&trial, table).await, 1, "{table}");
    }
    assert_eq!(months(&trial.state).await.unwrap().len(), 2);
    let log = trial.state.log().await.unwrap();
    schemas::entry::verify_chain(&log).unwrap();
    let last = log.last().unwrap();
    assert_eq!(
        (last.kind.as_str(), last.detail["why"].as_str()),
        ("retire", "retention")
    );
    assert_eq!(
        (
            last.detail["month"].as_str(),
            last.detail["releases"].as_str()
        ),
        ("2024-01", "1")
    );
    // The other load is read as before.
    let data = &trial.config.data;
    let rules = QualityRules::parse(DEFAULT).unwrap();
    quality::run(
        &trial.state,
        data,
        &rules,
        (Dataset::Stays, month("2024-02"), None),
        NOW,
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn a_year_with_a_retired_month_takes_no_loads_and_numbers_never_come_again() {
    let trial = filled().await;
    let data = trial.config.data.as_path();
    let (officers, name, key) = deciding(&trial).await;
    let deciding = now(&officers, &name, &key);
    let which = Which::Month(month("2025-03"));
    let word = plan(&trial.state, data, which, NOW).await.unwrap().word();
    retire(&trial.state, data, which, &word, &deciding)
        .await
        .unwrap();
    for of in ["2025-03", "2025-04"] {
        let refused = trial
            .load(&format!("{of}.csv"), &[row("x", "p9", of, "FR19")])
            .await;
        assert!(matches!(refused, Err(LoadError::Retired { year: 2025 })));
    }
    // Its release had the highest number, 3.
    trial
        .load("n.csv", &[row("y", "p9", "2023-04", "FR19")])
        .await
        .unwrap();
    let released = release(&trial.state, data, None, &by("Li Hua"))
        .await
        .unwrap();
    assert_eq!(released[0].release, Some(4));
    // On request only what was released goes: what waits is discarded.
    trial
        .load("w.csv", &[row("z", "p9", "2022-04", "FR19")])
        .await
        .unwrap();
    let which = Which::Month(month("2022-04"));
    let word = plan(&trial.state, data, which, NOW).await.unwrap().word();
    let refused = retire(&trial.state, data, which, &word, &deciding).await;
    assert!(matches!(
        refused,
        Err(RetentionError::Lifecycle(LifecycleError::Order {
            is: "loaded",
            ..
        }))
    ));
    let gone = retire(
        &trial.state,
        data,
        Which::Month(month("2025-03")),
        &word,
        &deciding,
    )
    .await;
    assert!(matches!(gone, Err(RetentionError::Nothing)));
}

/// A crash between the change and the files: the months are retired, and whoever comes next finishes.
#[tokio::test]
async fn files_left_by_a_crash_go_later() {
    for after in ["retention", "load"] {
        let trial = filled().await;
        let data = trial.config.data.as_path();
        let (officers, name, key) = deciding(&trial).await;
        let by = now(&officers, &name, &key);
        let which = Which::Past(12);
        let word = plan(&trial.state, data, which, NOW).await.unwrap().word();
        decide(&trial.state, data, which, &word, &by).await.unwrap();
        let named = |part: &str| {
            let held = held(&trial);
            held.iter()
                .filter(|path| path.to_string_lossy().contains(part))
                .count()
        };
        assert_eq!(named("2024-0"), 4, "the files are still there");
        assert_eq!(months(&trial.state).await.unwrap().len(), 1);
        if after == "retention" {
            assert_eq!(finish(&trial.state, data).await.unwrap(), 2);
            assert_eq!(finish(&trial.state, data).await.unwrap(), 0);
        } else {
            trial
                .load("n.csv", &[row("y", "p9", "2023-04", "FR19")])
                .await
                .unwrap();
        }
        assert_eq!(named("2024-0"), 0);
        assert_eq!(named("2025-03.arrow"), 1);
    }
}
