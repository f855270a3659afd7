//! One coordinator and three hospitals, founded with the commands that their people use.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use schemas::digest::Digest;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};
use tempfile::TempDir;

use super::process::{COORDINATOR, NODE, Service, call};

/// Release ticks: far enough apart that every hospital's answer waits at a time of its own.
const TICKS: [i64; 3] = [100, 600, 1200];

const MAPPING: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../deploy/mappings/consilium-csv.toml"
);

pub(super) struct Alliance {
    pub(super) coordinator: Service,
    pub(super) nodes: Vec<Service>,
    /// Gone last: the services write there.
    pub(super) folder: TempDir,
}

/// An open round.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) id: String,
    pub(super) digest: Digest,
    pub(super) question: Digest,
}

impl Alliance {
    /// Three hospitals that hold the released year 2025, all services running.
    pub(super) fn found() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let hub = at("coordinator");
        let [nodes, public] = two_addresses();
        call(
            COORDINATOR,
            &hub,
            &[
                "init",
                "--alliance",
                "river",
                "--host",
                "localhost",
                "--node-address",
                &nodes.to_string(),
                "--public-address",
                &public.to_string(),
            ],
        );
        let files = at("files");
        let made = "synth --seed 7 --year 2025 --hospitals 3 --stays 600 --out";
        let made: Vec<&str> = made.split(' ').chain([text(&files)]).collect();
        call(NODE, &at("none"), &made);
        let (groups, built) = (files.join("groups.csv"), at("dictionary.json"));
        let build = [
            "dictionary",
            "build",
            "--plan",
            "chs",
            "--table",
            text(&groups),
            "--out",
            text(&built),
        ];
        call(COORDINATOR, &hub, &build);
        call(COORDINATOR, &hub, &["dictionary", "publish", text(&built)]);
        for name in ["wang-fang", "chen-jie"] {
            call(COORDINATOR, &hub, &["administrator", "add", name]);
        }
        for name in ["wang-fang", "chen-jie"] {
            call(COORDINATOR, &hub, &["policy", "approve", "--as", name]);
        }
        let coordinator = Service::start(COORDINATOR, &hub);
        listens(public);
        let mut nodes = Vec::new();
        for (hospital, tick) in (1..).zip(TICKS) {
            let name = format!("h{hospital:02}");
            let home = at(&name);
            join(&hub, &home, &name, &files.join(format!("{name}.csv")), tick);
            nodes.push(Service::start(NODE, &home));
        }
        Self {
            coordinator,
            nodes,
            folder,
        }
    }

    /// The coordinator's data folder.
    pub(super) fn hub(&self) -> PathBuf {
        self.folder.path().join("coordinator")
    }

    /// A hospital's data folder.
    pub(super) fn home(&self, node: usize) -> PathBuf {
        self.folder.path().join(format!("h{:02}", node + 1))
    }

    /// Opens a round that asks all three.
    pub(super) fn ask(&self, template: &str, period: &str) -> Round {
        let mut words = vec!["round", "open", template, "--period", period];
        words.extend(["--deadline", "10m", "--json"]);
        let opened = call(COORDINATOR, &self.hub(), &words);
        let opened: serde_json::Value = serde_json::from_str(&opened).unwrap();
        let digest = |name: &str| opened[name].as_str().unwrap().parse().unwrap();
        Round {
            id: opened["id"].as_str().unwrap().to_owned(),
            digest: digest("digest"),
            question: digest("question"),
        }
    }

    /// Waits until a round is closed: with fewer answers, or still open, the command fails.
    pub(super) fn closes(&self, round: &Round) {
        let wait = ["round", "wait", &round.id, "--timeout", "45s"];
        call(COORDINATOR, &self.hub(), &wait);
    }
}

/// One hospital from `init` to its released data.
fn join(hub: &Path, home: &Path, name: &str, file: &Path, tick: i64) {
    enrol(hub, home, name, tick);
    let load = ["load", text(file), "--history", "--mapping", MAPPING];
    call(NODE, home, &load);
    let release = ["release", "all", "--officer", "Li Hua", "--accept-grade-d"];
    call(NODE, home, &release);
    officers(home);
    for template in ["yearly-benchmark", "monthly-benchmark", "yearly-pooled"] {
        let add = [
            "steward",
            "standing",
            "add",
            template,
            "--until",
            "2099-12-31",
        ];
        let add: Vec<&str> = add.into_iter().chain(["--as", "li-hua"]).collect();
        call(NODE, home, &add);
    }
}

/// A member of the committee that holds no data.
pub(super) fn join_without_data(hub: &Path, home: &Path, name: &str) {
    enrol(hub, home, name, 100);
    officers(home);
}

fn officers(home: &Path) {
    for (name, role) in [("li-hua", "steward"), ("zhao-min", "security_officer")] {
        call(NODE, home, &["officer", "add", name, "--role", role]);
    }
    for name in ["li-hua", "zhao-min"] {
        call(NODE, home, &["policy", "approve", "--as", name]);
    }
}

fn enrol(hub: &Path, home: &Path, name: &str, tick: i64) {
    call(NODE, home, &["init", "--hospital", name]);
    let settings = home.join("node.toml");
    let mut table: toml::Table =
        toml::from_str(&std::fs::read_to_string(&settings).unwrap()).unwrap();
    table.insert("release_tick_ms".to_owned(), tick.into());
    std::fs::write(&settings, toml::to_string(&table).unwrap()).unwrap();
    let said = call(COORDINATOR, hub, &["invite", name, "--as", "wang-fang"]);
    let code = said
        .split_whitespace()
        .find(|w| w.starts_with("consilium1."));
    let said = call(NODE, home, &["enrol", code.unwrap()]);
    let fingerprint = said.split("fingerprint ").nth(1).unwrap();
    let fingerprint = fingerprint.split_whitespace().next().unwrap();
    let approve = [
        "members",
        "approve",
        name,
        "--as",
        "chen-jie",
        "--fingerprint",
    ];
    let approve: Vec<&str> = approve.into_iter().chain([fingerprint]).collect();
    call(COORDINATOR, hub, &approve);
    call(NODE, home, &["dictionary", "fetch"]);
    let offered = home.join("dictionary/offered.json");
    call(NODE, home, &["dictionary", "accept", text(&offered)]);
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Two free loopback addresses below the range from which systems give ports by themselves: no
/// other process takes them while the coordinator is dead.
pub(super) fn two_addresses() -> [SocketAddr; 2] {
    // Nor does another test of this process.
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    let first = first + GIVEN.fetch_add(50, Ordering::Relaxed);
    let free = (first..first + 50).filter_map(|port| {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        TcpListener::bind(address).ok().map(|_| address)
    });
    free.take(2).collect::<Vec<_>>().try_into().unwrap()
}

/// Waits until somebody listens.
pub(super) fn listens(address: SocketAddr) {
    for _ in 0..400 {
        if std::net::TcpStream::connect(address).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("nobody listens on {address}");
}

/// A state file, for reading. Of a live process this is the file itself.
pub(super) async fn state(data: &Path) -> SqliteConnection {
    let file = SqliteConnectOptions::new().filename(data.join("state.sqlite"));
    file.read_only(true).connect().await.unwrap()
}

/// A dead process's state file, read from a copy: to recover the file itself is the binary's.
pub(super) async fn remains(data: &Path) -> (TempDir, SqliteConnection) {
    let copy = tempfile::tempdir().unwrap();
    for name in ["state.sqlite", "state.sqlite-wal"] {
        if data.join(name).is_file() {
            std::fs::copy(data.join(name), copy.path().join(name)).unwrap();
        }
    }
    let file = SqliteConnectOptions::new().filename(copy.path().join("state.sqlite"));
    let connection = file.connect().await.unwrap();
    (copy, connection)
}
