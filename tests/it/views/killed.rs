//! The node dies while it loads a view, over and over, and the view grows between the deaths.

use std::process::Stdio;
use std::time::{Duration, Instant};

use node::store::loads;

use super::server::Kind;
use super::{Database, held, lines, mapping};
use crate::hospital::Hospital;

/// Deaths.
const KILLS: u32 = 50;
/// Rows at first, and new ones before each load.
const FIRST: u32 = 3_000;
const NEW: u32 = 20;

/// What had been committed when the node died.
#[derive(Default, Debug)]
struct Tally {
    before: u32,
    after: u32,
    ended: u32,
}

async fn is_staged(hospital: &Hospital) -> bool {
    let months = loads::months(hospital.state.pool()).await.unwrap();
    months.iter().any(|month| month.release.is_none())
}

/// Loads whose column files have their final name, committed or not.
fn settled(hospital: &Hospital) -> usize {
    let entries = std::fs::read_dir(hospital.config.data.join("columns"));
    let entries = entries.into_iter().flatten().flatten();
    let named = |entry: &std::fs::DirEntry| !entry.file_name().to_string_lossy().starts_with('.');
    entries.filter(named).count()
}

async fn die(kind: Kind) {
    let Some(database) = Database::start(kind).await else {
        return;
    };
    let hospital = Hospital::new("h01").await;
    let mut rows = FIRST;
    database.add(&lines(0, rows), None).await;
    let mut tally = Tally::default();
    // How long a load takes at most, as far as is known.
    let mut span = Duration::from_millis(400);
    let mut turn = 0_u32;
    while tally.before + tally.after < KILLS {
        turn += 1;
        database.add(&lines(rows, rows + NEW), None).await;
        rows += NEW;
        let of = format!("settlement_no = 'S{:07}'", turn * 31 % rows);
        let dearer = "total_cost = total_cost + 100000, cost_staff = cost_staff + 100000";
        database.change(dearer, &of).await;
        let mut program = database.command(&hospital, "load --history", &mapping());
        program.stdout(Stdio::null()).stderr(Stdio::null());
        let began = Instant::now();
        let mut child = program.spawn().unwrap();
        if turn.is_multiple_of(3) {
            // Around the commit: as soon as the column files have their final name.
            let before = settled(&hospital);
            while settled(&hospital) <= before && child.try_wait().unwrap().is_none() {
                std::thread::yield_now();
            }
        } else {
            // The moments go through the whole load.
            tokio::time::sleep(span * (turn * 37 % 100) / 100).await;
        }
        let has_ended = child.try_wait().unwrap().is_some();
        child.kill().ok();
        child.wait().unwrap();
        let is_staged = is_staged(&hospital).await;
        match (has_ended, is_staged) {
            (true, _) => {
                tally.ended += 1;
                assert!(is_staged, "a load that ended by itself kept nothing");
                span = span.min(began.elapsed());
            }
            (false, true) => tally.after += 1,
            (false, false) => {
                tally.before += 1;
                span += span / 50;
            }
        }
        if is_staged {
            hospital.release().await;
            let (held, expected) = (held(&hospital).await, database.expected().await);
            assert!(
                held == expected,
                "turn {turn}: {} of {}",
                held.len(),
                expected.len()
            );
        }
    }
    println!("{kind:?}: {tally:?}, {rows} rows, span {span:?}");
    assert!(tally.before > 5, "{tally:?}");
    while database.run(&hospital, "load", &mapping()).out.trim() != "null" {
        hospital.release().await;
    }
    let (held, expected) = (held(&hospital).await, database.expected().await);
    assert_eq!(held.len(), usize::try_from(rows).unwrap());
    assert!(
        held == expected,
        "rows were lost, doubled or left as they were"
    );
    let folders = std::fs::read_dir(hospital.config.data.join("columns")).unwrap();
    let names = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = names.filter(|name| name.starts_with('.')).collect();
    assert_eq!(left, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_fifty_times_loses_and_doubles_no_row() {
    die(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_it_is_with_mysql() {
    die(Kind::MariaDb).await;
}
