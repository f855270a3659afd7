//! A state that an earlier build kept is carried forward with every byte that something cites; one of a
//! later build is refused.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use policies::year::Stage;
use schemas::seal::PublicKey;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Row as _, SqliteConnection};

const NODE: &str = include_str!("../states/node-1.sql");
const COORDINATOR: &str = include_str!("../states/coordinator-1.sql");
/// The message key of the node that the text is of.
const NODE_KEY: &str = "e6e202a4cb67f7ad5a927dffeaa5f0246d77a0095c31a863b317eff430a35893";

async fn open(folder: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.join("state.sqlite"));
    // A dump makes its tables in the order of their names.
    let options = options.foreign_keys(false);
    options.create_if_missing(true).connect().await.unwrap()
}

async fn kept(folder: &Path, text: &str) {
    let mut state = open(folder).await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(text.to_owned()))
        .execute(&mut state)
        .await
        .unwrap();
}

/// Every row of every table but the version's: by table, each as one text.
async fn rows(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let mut state = open(folder).await;
    let names = "select name from sqlite_master where type = 'table' and name <> 'schema_version'";
    let names: Vec<String> = sqlx::query_scalar(names)
        .fetch_all(&mut state)
        .await
        .unwrap();
    let mut all = BTreeMap::new();
    for name in names {
        let columns = format!("select name from pragma_table_info('{name}') order by name");
        let columns: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(columns))
            .fetch_all(&mut state)
            .await
            .unwrap();
        let line: Vec<String> = columns.iter().map(|one| format!("quote({one})")).collect();
        let select = format!("select {} from {name} order by 1", line.join(" || ',' || "));
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(select))
            .fetch_all(&mut state)
            .await
            .unwrap();
        all.insert(name, rows);
    }
    all
}

/// What the opening of an older state changed: its entry in the log, and nothing else that was there.
fn carried(before: &BTreeMap<String, Vec<String>>, after: &BTreeMap<String, Vec<String>>) {
    for (table, rows) in before {
        let now = &after[table];
        if table == "log" {
            assert_eq!(now.len(), rows.len() + 1);
            assert!(rows.iter().all(|row| now.contains(row)));
            let added: Vec<&String> = now.iter().filter(|row| !rows.contains(row)).collect();
            let said = r#""detail":{"from":"1","to":"2"}"#;
            assert!(added[0].contains(said) && added[0].contains("state-version"));
        } else {
            assert_eq!(rows, now, "{table}");
        }
    }
}

#[tokio::test]
async fn a_node_state_of_the_version_before_is_carried_forward() {
    let folder = tempfile::tempdir().unwrap();
    kept(folder.path(), NODE).await;
    let before = rows(folder.path()).await;
    for _ in 0..2 {
        let state = node::store::state::State::open(folder.path())
            .await
            .unwrap();
        let key: PublicKey = serde_json::from_value(NODE_KEY.into()).unwrap();
        let tally = node::log::fsck(&state, &key).await.unwrap();
        assert_eq!((tally.entries, tally.answers), (21, 1));
        state.pool().close().await;
        carried(&before, &rows(folder.path()).await);
    }
}

#[tokio::test]
async fn a_year_of_an_earlier_build_is_read_and_verified() {
    let folder = tempfile::tempdir().unwrap();
    kept(folder.path(), COORDINATOR).await;
    let before = rows(folder.path()).await;
    let state = coordinator::store::state::State::open(folder.path()).await;
    let state = state.unwrap();
    let river = "river".parse().unwrap();
    let year = coordinator::year::read(&state, &river, 2026).await.unwrap();
    assert_eq!(year.stage, Stage::InForce);
    let published = coordinator::year::published(state.pool(), &river, 2026);
    let published = published.await.unwrap();
    assert_eq!(published.verify().unwrap(), year);
    assert_eq!(published.rules.digest().unwrap(), year.rules);
    // What is published of it is what was kept, and a member's binary reads it.
    let text = serde_json::to_string(&published).unwrap();
    let rules: String = sqlx::query_scalar("select rules from years")
        .fetch_one(state.pool())
        .await
        .unwrap();
    assert!(text.contains(&rules) && !rules.contains("answer_days"));
    let again: policies::year::Published = serde_json::from_str(&text).unwrap();
    assert_eq!(again.verify().unwrap(), year);
    state.pool().close().await;
    drop(state);
    carried(&before, &rows(folder.path()).await);
}

/// A table as older builds made it: without the column that came later.
#[tokio::test]
async fn columns_that_are_missing_are_added() {
    let folder = tempfile::tempdir().unwrap();
    kept(folder.path(), COORDINATOR).await;
    let mut state = open(folder.path()).await;
    let older = "alter table years drop column earlier";
    sqlx::raw_sql(older).execute(&mut state).await.unwrap();
    drop(state);
    let state = coordinator::store::state::State::open(folder.path()).await;
    let year = coordinator::year::read(&state.unwrap(), &"river".parse().unwrap(), 2026).await;
    assert_eq!(year.unwrap().stage, Stage::InForce);
}

#[tokio::test]
async fn a_state_that_no_step_leads_from_is_refused_untouched() {
    for (text, change) in [
        (NODE, "alter table closes rename column at to other"),
        (COORDINATOR, "alter table rounds drop column ended"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        kept(folder.path(), text).await;
        let mut state = open(folder.path()).await;
        sqlx::raw_sql(change).execute(&mut state).await.unwrap();
        drop(state);
        let before = rows(folder.path()).await;
        let told = if text == NODE {
            let state = node::store::state::State::open(folder.path()).await;
            state.unwrap_err().to_string()
        } else {
            let state = coordinator::store::state::State::open(folder.path()).await;
            state.unwrap_err().to_string()
        };
        assert!(told.contains("other columns than version 2"), "{told}");
        assert_eq!(rows(folder.path()).await, before);
    }
}

fn call(name: &str, data: &Path, words: &[&str]) -> (bool, String) {
    let mut command = Command::new(crate::binary::binary(name));
    let output = command
        .arg("--data")
        .arg(data)
        .args(words)
        .output()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.success(), text)
}

/// security.md's downgrade: a binary that is older than its state says so, and touches nothing.
#[tokio::test]
async fn a_binary_older_than_the_state_refuses_and_names_both() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (node, hub) = (at("node"), at("hub"));
    assert!(call("consilium-node", &node, &["init", "--hospital", "h1"]).0);
    let init = ["init", "--alliance", "river", "--host", "localhost"];
    assert!(call("consilium-coordinator", &hub, &init).0);
    assert!(call("consilium-coordinator", &hub, &["members"]).0);
    for (name, data, words) in [
        ("consilium-node", &node, ["log", "fsck"].as_slice()),
        ("consilium-node", &node, &["run"]),
        ("consilium-coordinator", &hub, &["members"]),
        ("consilium-coordinator", &hub, &["run"]),
    ] {
        let mut state = open(data).await;
        let found = sqlx::query("select version, build from schema_version where id = 1");
        let found = found.fetch_one(&mut state).await.unwrap();
        assert!(found.get::<i64, _>(0) >= 2 && !found.get::<String, _>(1).is_empty());
        let later = "update schema_version set version = 3, build = '9.8.7'";
        sqlx::raw_sql(later).execute(&mut state).await.unwrap();
        drop(state);
        let before = rows(data).await;
        let (done, told) = call(name, data, words);
        assert!(!done, "{told}");
        let wanted = [
            "version 3 (kept by build 9.8.7)",
            "up to version 2",
            "install build 9.8.7",
        ];
        assert!(wanted.iter().all(|part| told.contains(part)), "{told}");
        assert_eq!(rows(data).await, before);
        let mut state = open(data).await;
        let back = "update schema_version set version = 2";
        sqlx::raw_sql(back).execute(&mut state).await.unwrap();
    }
}
