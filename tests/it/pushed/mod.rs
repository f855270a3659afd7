//! Columns in engines that a hospital has, on real servers: the same cells as the embedded scan for random
//! questions, loads that are killed, what is refused and how it is told.

mod click;
mod killed;
mod large;
mod random;
mod refused;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use click::Cluster;
use node::answer::{self, App};
use node::config::{Columns, EngineKind};
use node::snapshot;
use policies::plan::compile;
use random::Chance;
use schemas::time::Period;

use crate::hospital::{Hospital, Line, file, made};
use crate::views::server::{Kind, SECRET, Server};

/// Questions asked of each engine.
const QUESTIONS: usize = 500;

/// A server that runs, or a cluster of them.
enum Running {
    Sql(Server),
    Click(Cluster),
}

/// An engine and the file of its URL.
struct Engine {
    running: Running,
    kind: EngineKind,
    cluster: Option<String>,
    folder: tempfile::TempDir,
}

fn written(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("url");
    let mut options = std::fs::File::options();
    let options = options.create(true).write(true).truncate(true).mode(0o600);
    options
        .open(&path)
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    path
}

impl Engine {
    /// Starts one; `None` where it is not installed.
    async fn start(kind: EngineKind, servers: usize) -> Option<Self> {
        let running = match kind {
            EngineKind::Clickhouse => Running::Click(Cluster::start(servers).await?),
            EngineKind::Postgresql => {
                let server = Server::start(Kind::Postgres).await?;
                server
                    .run(&format!("create role consilium login password '{SECRET}'"))
                    .await;
                server
                    .run("create schema consilium authorization consilium")
                    .await;
                Running::Sql(server)
            }
            EngineKind::Mariadb => {
                let server = Server::start(Kind::MariaDb).await?;
                server.run("create database consilium").await;
                server
                    .run(&format!(
                        "create user consilium@localhost identified by '{SECRET}'"
                    ))
                    .await;
                server
                    .run("grant all on consilium.* to consilium@localhost")
                    .await;
                Running::Sql(server)
            }
        };
        Some(Self {
            running,
            kind,
            cluster: (servers > 1).then(|| "pair".to_owned()),
            folder: tempfile::tempdir().unwrap(),
        })
    }

    fn url(&self, secret: &str) -> String {
        match &self.running {
            Running::Click(cluster) => cluster.urls(secret),
            Running::Sql(server) => {
                let url = server.url("consilium", secret);
                url.replace("@localhost/?", "@localhost/consilium?")
            }
        }
    }

    fn columns(&self) -> Columns {
        Columns {
            engine: self.kind,
            url_file: written(self.folder.path(), &self.url(SECRET)),
            cluster: self.cluster.clone(),
        }
    }

    /// Lets a hospital use it, in its settings file too.
    fn serve(&self, hospital: &mut Hospital) {
        let columns = self.columns();
        hospital.config.columns = Some(columns.clone());
        let path = hospital.config.data.join("node.toml");
        let mut settings: toml::Table =
            toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let own = toml::Value::try_from(columns).unwrap();
        settings.insert("columns".to_owned(), own);
        std::fs::write(&path, toml::to_string(&settings).unwrap()).unwrap();
    }

    /// Rows of every part that the engine holds.
    async fn parts(&self) -> BTreeMap<String, String> {
        let sql = "select part, count(*) from consilium_stays group by part";
        let pairs: Vec<[String; 2]> = match &self.running {
            Running::Click(cluster) => {
                let text = cluster.ask(0, sql).await;
                let pair = |line: &str| {
                    let (a, b) = line.split_once('\t').unwrap();
                    [a.to_owned(), b.to_owned()]
                };
                text.lines().map(pair).collect()
            }
            Running::Sql(server) if server.kind == Kind::Postgres => {
                let sql = "select part::text, count(*)::text from consilium.consilium_stays group by part";
                server.texts::<2>(sql).await
            }
            Running::Sql(server) => {
                let sql = "select cast(part as char), cast(count(*) as char) \
                           from consilium.consilium_stays group by part";
                server.texts::<2>(sql).await
            }
        };
        pairs.into_iter().map(|[part, rows]| (part, rows)).collect()
    }
}

/// The same node, that scans its own files.
async fn embedded(hospital: &Hospital) -> Arc<App> {
    let app = Arc::try_unwrap(hospital.app().await).unwrap();
    Arc::new(App {
        engine: None,
        ..app
    })
}

/// Stays at the edges: above every cap, free of cost, many of one patient.
fn edges() -> Vec<u8> {
    let mut lines = Vec::new();
    for number in 0..60_u64 {
        let yuan = [0, 1, 7, 20_000, 19_999_999][usize::try_from(number % 5).unwrap()];
        let patient = format!("E{}", number % 7);
        let drg = ["ES35", "ES33", "FZ13"][usize::try_from(number % 3).unwrap()];
        lines.push(Line::new(&patient, &format!("X{number}"), 12, drg, yuan));
    }
    file(&lines)
}

fn whole_year() -> Period {
    coordinator::ask::period("2025").unwrap()
}

/// Asks random questions of both ways; gives how many cells were compared, and how many of them hold
/// anything.
async fn compare(hospital: &Hospital, questions: usize, seed: u64) -> (usize, usize) {
    let (app, own) = (hospital.app().await, embedded(hospital).await);
    assert!(app.engine.is_some() && own.engine.is_none());
    let mut chance = Chance::new(seed);
    let (mut asked, mut cells, mut filled, mut drawn) = (0, 0, 0, 0);
    while asked < questions {
        drawn += 1;
        assert!(drawn < questions * 20, "too few questions compile");
        let question = random::question(&mut chance, &app.dictionary);
        let Ok(layout) = compile(&question, &app.dictionary, &app.floors) else {
            continue;
        };
        let period = &question.period;
        let released = snapshot::released(&hospital.state, &hospital.config.data, period);
        let released = released.await.unwrap();
        let by_engine = answer::exact(&app, &layout, &released)
            .unwrap()
            .into_blocks();
        let by_node = answer::exact(&own, &layout, &released)
            .unwrap()
            .into_blocks();
        assert_eq!(by_engine, by_node, "question {asked}: {question:?}");
        let numbers = by_node.iter().flatten().flatten();
        cells += numbers.clone().count();
        filled += numbers.filter(|number| **number != 0).count();
        asked += 1;
    }
    (cells, filled)
}

async fn equal(kind: EngineKind, servers: usize) {
    let Some(engine) = Engine::start(kind, servers).await else {
        return;
    };
    let mut hospital = Hospital::new("h01").await;
    engine.serve(&mut hospital);
    hospital.load_bytes(&made().1).await.unwrap();
    hospital.release().await;
    // December is loaded anew: its earlier rows stay in the engine and count no more.
    hospital.load_bytes(&edges()).await.unwrap();
    hospital.release().await;
    let (cells, filled) = compare(&hospital, QUESTIONS, 7).await;
    println!("{kind:?} × {servers}: {QUESTIONS} questions, {cells} cells, {filled} not 0");
    assert!(filled > 10_000, "{filled}");
    assert_eq!(engine.parts().await.len(), 13);
    if let Running::Click(cluster) = &engine.running
        && servers > 1
    {
        for server in 0..servers {
            let rows = cluster
                .ask(server, "select count(*) from consilium_stays_shard")
                .await;
            assert!(
                rows.trim().parse::<u64>().unwrap() > 500,
                "shard {server}: {rows}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_gives_the_cells_of_the_embedded_scan() {
    equal(EngineKind::Postgresql, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb_gives_the_cells_of_the_embedded_scan() {
    equal(EngineKind::Mariadb, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clickhouse_gives_the_cells_of_the_embedded_scan() {
    equal(EngineKind::Clickhouse, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_of_two_shards_gives_the_cells_of_the_embedded_scan() {
    equal(EngineKind::Clickhouse, 2).await;
}
