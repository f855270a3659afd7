//! What an engine refuses or lacks, how that is told, and what never reaches it.

use std::process::Command;

use node::answer;
use node::config::{Columns, EngineKind};
use node::engine::{Engine as Opened, EngineError};
use node::scan::ScanError;
use node::snapshot;
use policies::plan::compile;

use super::random::{self, Chance, is_column};
use super::{Engine, Running, compare, edges, whole_year, written};
use crate::binary::binary;
use crate::hospital::{Hospital, made};
use crate::views::server::SECRET;

/// What a command of the node says; the secret is in none of it.
fn said(hospital: &Hospital, command: &str) -> (bool, String) {
    let mut program = Command::new(binary("consilium-node"));
    program
        .arg("--data")
        .arg(&hospital.config.data)
        .args(command.split(' '));
    let output = program.env("RUST_LOG", "trace").output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert!(
        !text.contains(SECRET) && !text.contains("hunter3"),
        "{text}"
    );
    (output.status.success(), text)
}

fn doctor(hospital: &Hospital) -> String {
    let (_, text) = said(hospital, "doctor");
    let line = text.lines().find(|line| line.contains("columns"));
    line.unwrap_or_default().to_owned()
}

async fn told(kind: EngineKind, servers: usize) {
    let Some(engine) = Engine::start(kind, servers).await else {
        return;
    };
    let mut hospital = Hospital::new("h01").await;
    // Loaded before the engine was named: doctor tells, `columns send` brings it.
    hospital.load_bytes(&made().1).await.unwrap();
    hospital.release().await;
    engine.serve(&mut hospital);
    assert!(
        doctor(&hospital).contains("lacks 12 released months"),
        "{}",
        doctor(&hospital)
    );
    let app = hospital.app().await;
    let year = whole_year();
    let released = snapshot::released(&hospital.state, &hospital.config.data, &year);
    let released = released.await.unwrap();
    let mut chance = Chance::new(3);
    let layout = loop {
        let question = random::question(&mut chance, &app.dictionary);
        if let Ok(layout) = compile(&question, &app.dictionary, &app.floors) {
            break layout;
        }
    };
    assert!(answer::exact(&app, &layout, &released).is_err());
    let (ok, ddl) = said(&hospital, "columns ddl");
    assert!(ok, "{ddl}");
    for dimension in app
        .dictionary
        .dimensions
        .iter()
        .filter(|one| is_column(&one.source))
    {
        assert!(ddl.contains(&format!("k_{} ", dimension.id)), "{ddl}");
    }
    assert!(
        !ddl.contains("patient") && ddl.contains("consilium_parts"),
        "{ddl}"
    );
    let (ok, sent) = said(&hospital, "columns send");
    assert!(ok && sent.contains("12 months sent"), "{sent}");
    let (ok, sent) = said(&hospital, "columns send");
    assert!(ok && sent.contains("0 months sent, 0 deleted"), "{sent}");
    assert!(
        doctor(&hospital).contains("holds every released month"),
        "{}",
        doctor(&hospital)
    );
    compare(&hospital, 5, 1).await;
    // Another hospital's node would delete what it does not know: it is turned away.
    let mut other = Hospital::new("h02").await;
    engine.serve(&mut other);
    let refused = other.load_bytes(&edges()).await.unwrap_err();
    assert!(
        refused.to_string().contains("another hospital"),
        "{refused}"
    );
    assert_eq!(engine.parts().await.len(), 12);
    // Nor does it claim the tables of a build that named nobody.
    disown(&engine).await;
    let refused = other.load_bytes(&edges()).await.unwrap_err();
    assert!(
        refused.to_string().contains("another hospital"),
        "{refused}"
    );
    // Whose months are in them, claims them.
    assert!(said(&hospital, "columns send").0);
    let refused = other.load_bytes(&edges()).await;
    assert!(refused.is_err());
    // A load in which identifiers were found leaves the engine, and is not sent.
    for (findings, settled) in [
        (1, "0 months sent, 12 deleted"),
        (0, "12 months sent, 0 deleted"),
    ] {
        sqlx::query("update loads set findings = $1")
            .bind(findings)
            .execute(hospital.state.pool())
            .await
            .unwrap();
        let (ok, sent) = said(&hospital, "columns send");
        assert!(ok && sent.contains(settled), "{sent}");
    }
    // What is discarded goes from the engine too.
    let summary = hospital.load_bytes(&edges()).await.unwrap();
    assert_eq!(engine.parts().await.len(), 13);
    let (ok, text) = said(&hospital, &format!("discard {}", summary.load.unwrap()));
    assert!(ok, "{text}");
    assert_eq!(engine.parts().await.len(), 12);
    // Rows that vanished are seen by doctor; a mark that vanished by every question.
    spoil(&engine, "consilium_stays").await;
    assert!(
        doctor(&hospital).contains("lacks 12 released months"),
        "{}",
        doctor(&hospital)
    );
    let lost = answer::exact(&app, &layout, &released).unwrap_err();
    assert!(
        lost.to_string().contains("another number of rows"),
        "{lost}"
    );
    let (ok, sent) = said(&hospital, "columns send");
    assert!(ok && sent.contains("12 months sent"), "{sent}");
    compare(&hospital, 5, 2).await;
    spoil(&engine, "consilium_parts").await;
    let missing = answer::exact(&app, &layout, &released).unwrap_err();
    let lacks = answer::Unanswered::Scan(ScanError::Engine(EngineError::Missing {
        month: layout.period.from,
    }));
    assert_eq!(missing.to_string(), lacks.to_string());
    // A wrong password: told, and never shown.
    written(engine.folder.path(), &engine.url("hunter3"));
    assert!(
        doctor(&hospital).contains("refused the login"),
        "{}",
        doctor(&hospital)
    );
    let load = hospital.load_bytes(&edges()).await.unwrap_err();
    assert!(load.to_string().contains("refused the login"), "{load}");
    let Engine {
        running, folder, ..
    } = engine;
    drop(running);
    let away = doctor(&hospital);
    assert!(away.contains("could not be reached"), "{away}");
    drop(folder);
}

/// Takes the hospital's name out of the tables.
async fn disown(engine: &Engine) {
    match &engine.running {
        Running::Sql(server) => {
            let sql = "delete from consilium.consilium_parts where part = -1";
            server.run(sql).await;
        }
        Running::Click(cluster) => {
            let sql = "alter table consilium_parts drop partition -1";
            drop(cluster.ask(0, sql).await);
        }
    }
}

/// Empties a table of the engine behind the node's back.
async fn spoil(engine: &Engine, table: &str) {
    match &engine.running {
        Running::Sql(server) => server.run(&format!("delete from consilium.{table}")).await,
        Running::Click(cluster) => {
            let sharded = engine.cluster.is_some() && table != "consilium_parts";
            let own = if sharded {
                format!("{table}_shard")
            } else {
                table.to_owned()
            };
            let servers = if sharded { 2 } else { 1 };
            for server in 0..servers {
                let sql = format!(
                    "select distinct partition from system.parts where active and table = '{own}'"
                );
                let text = cluster.ask(server, &sql).await;
                for partition in text.lines() {
                    let sql = format!("alter table {own} drop partition {partition}");
                    cluster.ask(server, &sql).await;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_is_checked_and_mended() {
    told(EngineKind::Postgresql, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb_is_checked_and_mended() {
    told(EngineKind::Mariadb, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_checked_and_mended() {
    told(EngineKind::Clickhouse, 2).await;
}

#[test]
fn addresses_that_do_not_fit_are_refused_without_being_told() {
    let folder = tempfile::tempdir().unwrap();
    for (engine, url) in [
        (EngineKind::Postgresql, "mysql://u:hunter3@db/x"),
        (EngineKind::Mariadb, "postgres://u:hunter3@db/x"),
        (EngineKind::Clickhouse, "http://u:hunter3@db.example:8123/x"),
        (
            EngineKind::Clickhouse,
            "http://u:hunter3@127.0.0.1:1/x\nhttp://u:hunter3@127.0.0.1:2/x",
        ),
        (EngineKind::Clickhouse, ""),
    ] {
        let columns = Columns {
            engine,
            url_file: written(folder.path(), url),
            cluster: None,
        };
        let error = Opened::open(&columns, &"h01".parse().unwrap()).unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(
            told.contains("columns.url_file") && !told.contains("hunter3"),
            "{told}"
        );
    }
    let open = folder.path().join("url");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&open, mode).unwrap();
    let columns = Columns {
        engine: EngineKind::Clickhouse,
        url_file: open,
        cluster: None,
    };
    assert!(
        Opened::open(&columns, &"h01".parse().unwrap())
            .unwrap_err()
            .to_string()
            .contains("chmod 600")
    );
}
