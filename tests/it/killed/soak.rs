//! A week of dates in twenty minutes of work: the processes' clock runs 504 times as fast (libfaketime), rounds
//! are opened, answered and closed, pages and ledgers are read all the time, and neither memory nor the number
//! of open files may grow. By itself 40 seconds, which show that it runs.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use node::clock::Clock;
use schemas::time::Timestamp;
use tests::fixture::long;
use tokio::time::sleep;

use super::alliance::{Alliance, listens, two_addresses};
use super::process::{COORDINATOR, Environment, NODE, Service, call, call_under, tried};
use crate::views::server::promised;
use crate::visits::Visits;

/// A week, 604,800 seconds, in 1,200.
const TIMES: i64 = 504;
/// How much more a process may hold in the last quarter than in the second, in KiB: its log's entries and
/// what the allocator rounds to.
const GROWTH: u64 = 4096;

/// The fast clock: both clocks show the same when it is made.
struct Fast {
    library: PathBuf,
    from: Timestamp,
    since: Instant,
}

impl Fast {
    fn environment(&self) -> Environment {
        let passed = i64::try_from(self.since.elapsed().as_millis()).unwrap() * TIMES / 1000;
        let now = Timestamp(self.from.0 + passed).to_string();
        let now = now.replace('T', " ").replace('Z', "");
        vec![
            ("LD_PRELOAD", self.library.to_str().unwrap().to_owned()),
            ("FAKETIME", format!("@{now} x{TIMES}")),
            // Timers take as long as ever: only dates pass fast. Sleeping alone the library shortens too.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
            ("TZ", "UTC".to_owned()),
        ]
    }
}

/// What a process held at a moment: KiB in memory, open files.
#[derive(Clone, Copy, Debug)]
struct Held {
    memory: u64,
    files: usize,
}

fn held(service: &Service) -> Held {
    let folder = Path::new("/proc").join(service.process().to_string());
    let status = std::fs::read_to_string(folder.join("status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let memory = line.and_then(|line| line.split_whitespace().nth(1));
    Held {
        memory: memory.unwrap().parse().unwrap(),
        files: std::fs::read_dir(folder.join("fd")).unwrap().count(),
    }
}

/// Its folder bears the machine's name.
fn installed() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten();
    let mut files = folders.map(|folder| folder.path().join("faketime/libfaketime.so.1"));
    files.find(|file| file.is_file())
}

#[tokio::test]
async fn a_week_leaves_memory_and_files_as_they_were() {
    let Some(library) = installed() else {
        assert!(!promised(), "libfaketime was promised and is not installed");
        eprintln!("SKIPPED: libfaketime is not installed; `sh deploy/test.sh` installs it");
        return;
    };
    let mut alliance = Alliance::found();
    let (hub, home) = (alliance.hub(), alliance.home(0));
    let add = ["account", "add", "li-hua", "--role", "steward", "--as"];
    let hospital = password(&call(NODE, &home, &[&add[..], &["zhao-min"]].concat()));
    let add = [
        "account",
        "add",
        "manager",
        "--role",
        "administrator",
        "--as",
    ];
    let manager = password(&call(
        COORDINATOR,
        &hub,
        &[&add[..], &["wang-fang"]].concat(),
    ));
    let fast = Fast {
        library,
        from: Clock::System.now(),
        since: Instant::now(),
    };
    let [own, shared] = two_addresses();
    alliance.coordinator.kill();
    alliance
        .coordinator
        .words
        .extend(["--pages".to_owned(), shared.to_string()]);
    alliance.coordinator.environment = fast.environment();
    alliance.coordinator.again();
    listens(shared);
    for node in &mut alliance.nodes {
        node.kill();
        node.environment = fast.environment();
        node.again();
    }
    let mut pages = Service::start_with(NODE, &home, &["pages", "--listen", &own.to_string()]);
    pages.kill();
    pages.environment = fast.environment();
    pages.again();
    listens(own);
    let sites = [
        (
            format!("https://localhost:{}", shared.port()),
            "manager",
            manager,
            &["/", "/rounds", "/log", "/years"],
        ),
        (
            format!("http://{own}"),
            "li-hua",
            hospital,
            &["/", "/inbox", "/ledger", "/months"],
        ),
    ];
    let sites = sites.map(|(url, name, password, paths)| (Visits { url }, name, password, paths));
    let whole = Duration::from_secs(if long() { 1200 } else { 40 });
    let mut samples: Vec<Vec<Held>> = Vec::new();
    let (mut rounds, mut visits) = (0_u32, 0_u32);
    while fast.since.elapsed() < whole {
        let month = rounds % 12 + 1;
        open_and_close(&hub, month, &fast);
        rounds += 1;
        for (site, name, password, paths) in &sites {
            let mut cookie = site.sign_in(name, password).await.unwrap();
            for path in *paths {
                let mut page = site.get(path, &cookie).await;
                if page.status == 303 {
                    // On a busy machine half an hour of the fast clock has passed.
                    cookie = site.sign_in(name, password).await.unwrap();
                    page = site.get(path, &cookie).await;
                }
                assert_eq!(page.status, 200, "{path}");
                visits += 1;
            }
        }
        call_under(NODE, &home, &["ledger", "--json"], fast.environment());
        let all = alliance.nodes.iter().chain([&alliance.coordinator, &pages]);
        samples.push(all.map(held).collect());
        sleep(Duration::from_millis(500)).await;
    }
    println!(
        "{rounds} rounds, {visits} pages in {:?}",
        fast.since.elapsed()
    );
    let names = ["h01", "h02", "h03", "coordinator", "pages of h01"];
    for (at, name) in names.into_iter().enumerate() {
        let most = |part: &[Vec<Held>]| {
            let memory = part.iter().map(|held| held[at].memory).max().unwrap();
            (
                memory,
                part.iter().map(|held| held[at].files).max().unwrap(),
            )
        };
        let quarters = samples.chunks(samples.len().div_ceil(4)).map(most);
        let quarters: Vec<(u64, usize)> = quarters.collect();
        println!("{name}: most KiB and files in each quarter {quarters:?}");
        let [first, second, .., last] = quarters.as_slice() else {
            panic!("too few samples");
        };
        assert!(last.0 <= second.0 + GROWTH, "{name} grows");
        assert!(last.1 <= second.1.max(first.1), "{name} keeps files open");
    }
}

fn open_and_close(hub: &Path, month: u32, fast: &Fast) {
    let period = format!("2025-{month:02}");
    // Of fast hours: a minute and a half.
    let words = [
        "round",
        "open",
        "monthly-benchmark",
        "--period",
        &period,
        "--deadline",
        "12h",
        "--json",
    ];
    let mut opened = tried(COORDINATOR, hub, &words, fast.environment());
    for _ in 0..100 {
        // SQLite sleeps while another process writes: of its 30 seconds the library leaves 60 ms.
        if !matches!(&opened, Err(error) if error.contains("database is locked")) {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
        opened = tried(COORDINATOR, hub, &words, fast.environment());
    }
    let opened = opened.unwrap();
    let opened: serde_json::Value = serde_json::from_str(&opened).unwrap();
    let wait = [
        "round",
        "wait",
        opened["id"].as_str().unwrap(),
        "--timeout",
        "11h",
    ];
    call_under(COORDINATOR, hub, &wait, fast.environment());
}

/// Out of what a new account's command printed.
fn password(said: &str) -> String {
    let line = said.lines().find_map(|line| line.strip_prefix("password "));
    line.unwrap().trim().to_owned()
}
