//! The node dies while it loads, over and over: what questions see is the earlier snapshot or the new one,
//! whole, and nothing of a killed load stays in the engine.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use node::config::EngineKind;
use node::store::loads;

use super::{Engine, compare};
use crate::binary::binary;
use crate::hospital::{Hospital, Line, MAPPING, file, made};

/// Deaths of each engine.
const KILLS: u32 = 12;

fn changed(turn: u64) -> Vec<u8> {
    let line = |number: u64| {
        let month = u8::try_from(1 + number % 4).unwrap();
        let patient = format!("P{}", number % 900);
        Line::new(
            &patient,
            &format!("T{number}"),
            month,
            "ES35",
            1000 * turn + number,
        )
    };
    file(&(0..2000).map(line).collect::<Vec<_>>())
}

async fn die(kind: EngineKind, servers: usize) {
    let Some(engine) = Engine::start(kind, servers).await else {
        return;
    };
    let mut hospital = Hospital::new("h01").await;
    engine.serve(&mut hospital);
    hospital.load_bytes(&made().1).await.unwrap();
    hospital.release().await;
    let folder = tempfile::tempdir().unwrap();
    let mapping = folder.path().join("mapping.toml");
    std::fs::write(&mapping, MAPPING).unwrap();
    let (mut kills, mut ended, mut turn, mut amid) = (0, 0, 0, 0);
    let mut span = Duration::from_millis(300);
    while kills < KILLS || amid == 0 {
        turn += 1;
        assert!(turn < 200, "{ended} loads ended before they were killed");
        let source = folder.path().join(format!("{turn}.csv"));
        std::fs::write(&source, changed(turn)).unwrap();
        let mut program = Command::new(binary("consilium-node"));
        program
            .arg("--data")
            .arg(&hospital.config.data)
            .arg("load")
            .arg(&source);
        program.arg("--mapping").arg(&mapping).arg("--history");
        program.stdout(Stdio::null()).stderr(Stdio::null());
        let began = Instant::now();
        let mut child = program.spawn().unwrap();
        let share = u32::try_from(turn * 37 % 100).unwrap();
        tokio::time::sleep(span * share / 100).await;
        if child.try_wait().unwrap().is_some() {
            ended += 1;
            span = span.min(began.elapsed().max(Duration::from_millis(50)));
        } else {
            kills += 1;
            span += span / 6;
        }
        child.kill().ok();
        child.wait().unwrap();
        compare(&hospital, 3, turn).await;
        let months = loads::months(hospital.state.pool()).await.unwrap();
        // Rows of the killed load are there, and no question sees them.
        amid += u32::from(engine.parts().await.len() > months.len());
        if months.iter().any(|month| month.release.is_none()) {
            hospital.release().await;
            compare(&hospital, 3, turn).await;
        }
    }
    // What killed loads left goes when the next one begins.
    hospital.load_bytes(&changed(999)).await.unwrap();
    hospital.release().await;
    compare(&hospital, 20, 5).await;
    let registered = loads::months(hospital.state.pool()).await.unwrap();
    assert_eq!(engine.parts().await.len(), registered.len());
    println!("{kind:?}: {kills} kills, {amid} amid sending, {ended} loads ended");
    assert!(amid > 0, "no load was killed while it sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_load_leaves_the_earlier_snapshot_in_postgresql() {
    die(EngineKind::Postgresql, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_load_leaves_the_earlier_snapshot_in_mariadb() {
    die(EngineKind::Mariadb, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_load_leaves_the_earlier_snapshot_in_a_cluster() {
    die(EngineKind::Clickhouse, 2).await;
}
