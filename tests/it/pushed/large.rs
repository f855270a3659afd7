//! Many stays in a cluster: the node's memory stays what it was, because only cells come back.

use std::time::Instant;

use node::config::EngineKind;
use node::engine::Part;
use node::scan::pushed;
use node::snapshot;

use super::{Engine, Running, whole_year};
use crate::hospital::{Hospital, made, shipped};

/// What the node may hold, in KiB: 200 MiB.
const MOST: u64 = 200 * 1024;

/// Greatest resident memory of this process so far, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Repeats every row of every part so many times, behind the node's back, and says so in the marks.
async fn repeat(engine: &Engine, times: u64) -> u64 {
    let Running::Click(cluster) = &engine.running else {
        unreachable!("a cluster");
    };
    let columns = cluster.ask(
        0,
        "select name from system.columns where table = 'consilium_stays'",
    );
    let columns: Vec<String> = columns.await.lines().map(str::to_owned).collect();
    let columns = columns.join(", ");
    let parts = engine.parts().await;
    for part in parts.keys() {
        for server in 0..2 {
            let sql = format!(
                "insert into consilium_stays_shard select {columns} from consilium_stays_shard \
                 array join range({}) as again \
                 where part = {part}",
                times - 1
            );
            cluster.ask(server, &sql).await;
        }
    }
    let mut total = 0;
    for (part, rows) in engine.parts().await {
        let of =
            format!("select any(dataset), max(fields) from consilium_parts where part = {part}");
        let told = cluster.ask(0, &of).await;
        let (dataset, fields) = told.trim_end().split_once('\t').unwrap();
        let (dataset, fields) = (dataset.to_owned(), fields.to_owned());
        cluster
            .ask(
                0,
                &format!("alter table consilium_parts drop partition {part}"),
            )
            .await;
        let sql =
            format!("insert into consilium_parts values ({part}, {rows}, '{dataset}', '{fields}')");
        cluster.ask(0, &sql).await;
        total += rows.parse::<u64>().unwrap();
    }
    total
}

/// `CONSILIUM_STAYS` says how many stays; by default a small number, so that the test is short.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_answers_however_many_stays_there_are_with_little_memory() {
    let Some(engine) = Engine::start(EngineKind::Clickhouse, 2).await else {
        return;
    };
    #[expect(clippy::disallowed_methods, reason = "the caller chooses the size")]
    let wanted = std::env::var("CONSILIUM_STAYS").map_or(300_000, |text| text.parse().unwrap());
    let mut hospital = Hospital::new("h01").await;
    engine.serve(&mut hospital);
    let (rows, bytes) = made();
    hospital.load_bytes(&bytes).await.unwrap();
    hospital.release().await;
    let app = hospital.app().await;
    let mut dictionary = app.dictionary.clone();
    let year = whole_year();
    let released = snapshot::released(&hospital.state, &hospital.config.data, &year);
    let parts = released.await.unwrap().parts();
    let (question, _) = shipped(&app, "yearly-benchmark", "2025");
    let layout = policies::plan::compile(&question, &app.dictionary, &app.floors).unwrap();
    // More than the dictionary allows is refused; here it allows more.
    dictionary.max_rows = 1_000_000_000;
    let times = (wanted / u64::from(rows)).max(2);
    let scan = |dictionary: &schemas::dictionary::Dictionary, parts: &[Part]| {
        pushed::run(&layout, dictionary, parts, app.engine.as_ref().unwrap())
    };
    let once = scan(&dictionary, &parts).unwrap().into_blocks();
    let before = peak();
    let total = repeat(&engine, times).await;
    // Other rows than the node has are refused; then the node is told that it has so many.
    let refused = scan(&dictionary, &parts);
    assert!(refused.is_err_and(|error| error.to_string().contains("another number of rows")));
    let more = |part: &Part| Part {
        rows: part.rows * times,
        ..*part
    };
    let parts: Vec<Part> = parts.iter().map(more).collect();
    let began = Instant::now();
    let many = scan(&dictionary, &parts).unwrap().into_blocks();
    let took = began.elapsed();
    for (one, many) in once
        .iter()
        .flatten()
        .flatten()
        .zip(many.iter().flatten().flatten())
    {
        assert_eq!(one * i64::try_from(times).unwrap(), *many);
    }
    let peak = peak();
    println!(
        "{total} stays in two shards: {} cells in {took:.2?}, node's peak {} MiB (before {} MiB)",
        many.iter().flatten().flatten().count(),
        peak / 1024,
        before / 1024
    );
    // Only in a process of its own is the peak this test's.
    if std::env::args().any(|word| word == "--exact") {
        assert!(peak < MOST, "{peak} KiB");
    }
    if total > app.dictionary.max_rows {
        assert!(scan(&app.dictionary, &parts).is_err());
    }
}
