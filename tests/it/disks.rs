//! Disks that fail under the real binary: full, read-only, an fsync that fails, a page that is not what was
//! written. Nothing is told that was not kept, a question is charged once, and what is damaged is named.

use std::path::{Path, PathBuf};
use std::process::Command;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};
use tempfile::TempDir;

const NODE: &str = "consilium-node";
const MAPPING: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../deploy/mappings/consilium-csv.toml"
);
/// fsync and fdatasync that fail, for the process that is started with it.
const SHIM: &str = "#include <errno.h>\nint fsync(int f){(void)f;errno=EIO;return -1;}\n\
                    int fdatasync(int f){(void)f;errno=EIO;return -1;}\n";

/// A folder of its own file system, where this account may mount one.
struct Disk {
    place: TempDir,
    mounted: bool,
}

impl Disk {
    #[expect(
        clippy::disallowed_methods,
        reason = "test.sh says by the environment what is to be run"
    )]
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let mounted = Self::mount(&["-t", "tmpfs", "-o", "size=48m", "tmpfs"], place.path());
        if !mounted {
            assert_ne!(
                std::env::var("CONSILIUM_DISKS").as_deref(),
                Ok("1"),
                "cannot mount"
            );
            println!("SKIPPED: a file system cannot be mounted here");
        }
        Self { place, mounted }
    }

    fn mount(words: &[&str], place: &Path) -> bool {
        let mut command = Command::new("mount");
        command.args(words).arg(place);
        command.output().is_ok_and(|done| done.status.success())
    }

    fn path(&self) -> &Path {
        self.place.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            drop(Command::new("umount").arg(self.place.path()).output());
        }
    }
}

/// A command: whether it succeeded, what it told on standard output, and on standard error.
fn tried(data: &Path, words: &[&str], shim: Option<&Path>) -> (bool, String, String) {
    let mut command = Command::new(crate::binary::binary(NODE));
    command.arg("--data").arg(data).args(words);
    if let Some(shim) = shim {
        command.env("LD_PRELOAD", shim);
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(!err.contains("panicked"), "{words:?}: {err}");
    (output.status.success(), out, err)
}

fn done(data: &Path, words: &[&str]) -> String {
    let (done, out, err) = tried(data, words, None);
    assert!(done, "{words:?}: {err}");
    out
}

/// A node with the released year 2025 that answers its own officers.
fn node(place: &Path) -> PathBuf {
    let (data, files) = (place.join("node"), place.join("files"));
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let made = "synth --seed 7 --year 2025 --hospitals 1 --stays 200 --out";
    let made: Vec<String> = made
        .split(' ')
        .map(str::to_owned)
        .chain([text(&files)])
        .collect();
    done(&data, &made.iter().map(String::as_str).collect::<Vec<_>>());
    done(&data, &["init", "--hospital", "h01"]);
    let dictionary = place.join("dictionary.json");
    std::fs::write(
        &dictionary,
        serde_json::to_vec(&crate::hospital::dictionary()).unwrap(),
    )
    .unwrap();
    done(
        &data,
        &[
            "dictionary",
            "accept",
            &text(&dictionary),
            "--unsigned-for-trial",
        ],
    );
    let file = files.join("h01.csv");
    done(
        &data,
        &["load", &text(&file), "--history", "--mapping", MAPPING],
    );
    for (name, role) in [("li-hua", "steward"), ("zhao-min", "security_officer")] {
        done(&data, &["officer", "add", name, "--role", role]);
    }
    for name in ["li-hua", "zhao-min"] {
        done(&data, &["policy", "approve", "--as", name]);
    }
    done(
        &data,
        &["release", "all", "--officer", "Li Hua", "--accept-grade-d"],
    );
    data
}

const ASK: [&str; 5] = ["ask", "yearly-benchmark", "--period", "2025", "--spend"];

async fn open(data: &Path) -> SqliteConnection {
    let file = SqliteConnectOptions::new().filename(data.join("state.sqlite"));
    file.connect().await.unwrap()
}

/// Loss spent, and answers kept.
async fn kept(data: &Path) -> (i64, i64) {
    let mut state = open(data).await;
    let select = "select (select coalesce(sum(spent_nano), 0) from ledger where purpose = 'all'), \
                  (select count(*) from answers)";
    let row: (i64, i64) = sqlx::query_as(select).fetch_one(&mut state).await.unwrap();
    row
}

/// Whole again: the question is answered, and was charged once.
async fn whole_again(data: &Path) {
    done(data, &["log", "fsck"]);
    done(data, &ASK);
    let once = kept(data).await;
    assert!(once.0 > 0 && once.1 == 1, "{once:?}");
    // The stored answer again, for nothing.
    done(data, &ASK);
    assert_eq!(kept(data).await, once);
}

#[tokio::test]
async fn a_full_disk_charges_nothing_and_tells_nothing() {
    let disk = Disk::new();
    if !disk.mounted {
        return;
    }
    let data = node(disk.path());
    assert_eq!(kept(&data).await, (0, 0));
    let filler = disk.path().join("filler");
    let mut size = 1_usize << 20;
    while size > 0 {
        use std::io::Write as _;
        let mut file = std::fs::File::options()
            .append(true)
            .create(true)
            .open(&filler)
            .unwrap();
        if file.write_all(&vec![7; size]).is_err() {
            size /= 2;
        }
    }
    let (done, out, err) = tried(&data, &ASK, None);
    assert!(!done && out.is_empty() && !err.is_empty(), "{out} {err}");
    let (sound, told, _) = tried(&data, &["doctor"], None);
    assert!(!sound && told.contains("make room on its disk"), "{told}");
    std::fs::remove_file(filler).unwrap();
    assert_eq!(kept(&data).await, (0, 0));
    whole_again(&data).await;
}

#[tokio::test]
async fn a_read_only_disk_charges_nothing_and_tells_nothing() {
    let disk = Disk::new();
    if !disk.mounted {
        return;
    }
    let data = node(disk.path());
    assert!(Disk::mount(&["-o", "remount,ro"], disk.path()));
    let (done, out, err) = tried(&data, &ASK, None);
    assert!(!done && out.is_empty() && !err.is_empty(), "{out} {err}");
    let (sound, told, _) = tried(&data, &["doctor"], None);
    assert!(!sound && told.contains("FAULT"), "{told}");
    assert!(Disk::mount(&["-o", "remount,rw"], disk.path()));
    assert_eq!(kept(&data).await, (0, 0));
    whole_again(&data).await;
}

/// What could not be brought to the disk is not told; if it is there all the same, it is there with its
/// answer, and costs nothing again.
#[tokio::test]
async fn a_failed_fsync_tells_nothing_and_charges_at_most_once() {
    let place = tempfile::tempdir().unwrap();
    let (source, shim) = (place.path().join("shim.c"), place.path().join("shim.so"));
    std::fs::write(&source, SHIM).unwrap();
    let mut build = Command::new("cc");
    build
        .args(["-shared", "-fPIC", "-o"])
        .arg(&shim)
        .arg(&source);
    assert!(
        build.output().unwrap().status.success(),
        "cc builds what cargo needs too"
    );
    let data = node(place.path());
    let (done, out, err) = tried(&data, &ASK, Some(&shim));
    assert!(!done && out.is_empty() && !err.is_empty(), "{out} {err}");
    let (spent, answers) = kept(&data).await;
    assert_eq!(spent > 0, answers == 1, "charge and answer are one");
    whole_again(&data).await;
}

#[tokio::test]
async fn a_damaged_page_is_named_and_a_backup_mends_it() {
    let place = tempfile::tempdir().unwrap();
    let data = node(place.path());
    done(&data, &ASK);
    let spent = kept(&data).await;
    let backup = place.path().join("backup");
    let to = backup.to_str().unwrap();
    done(&data, &["backup", "--keys", "include", "--to", to]);
    for (number, table) in (1..).zip(["log", "ledger", "answers", "months"]) {
        let mut state = open(&data).await;
        sqlx::raw_sql("pragma wal_checkpoint(truncate)")
            .execute(&mut state)
            .await
            .unwrap();
        let root = "select rootpage from sqlite_master where type = 'table' and name = $1";
        let root: i64 = sqlx::query_scalar(root)
            .bind(table)
            .fetch_one(&mut state)
            .await
            .unwrap();
        let size: i64 = sqlx::query_scalar("pragma page_size")
            .fetch_one(&mut state)
            .await
            .unwrap();
        drop(state);
        let file = data.join("state.sqlite");
        let mut bytes = std::fs::read(&file).unwrap();
        let (at, size) = (
            usize::try_from((root - 1) * size).unwrap(),
            usize::try_from(size).unwrap(),
        );
        bytes[at + 8..at + size].fill(0xa5);
        std::fs::write(&file, bytes).unwrap();

        let (sound, told, _) = tried(&data, &["doctor"], None);
        assert!(!sound && told.contains("FAULT state"), "{table}: {told}");
        assert!(told.contains("backup"), "{table}: {told}");
        // Whose answer is damaged is not answered with another noise.
        let new = match table {
            "answers" => ASK,
            _ => ["ask", "monthly-benchmark", "--period", "2025-03", "--spend"],
        };
        let (answered, out, _) = tried(&data, &new, None);
        assert!(!answered && out.is_empty(), "{table}: {out}");
        assert!(!tried(&data, &["run"], None).0);

        done(&data, &["restore", "--replace", "--from", to]);
        assert_eq!(kept(&data).await, spent, "{table}");
        assert!(
            !tried(&data, &ASK, None).0,
            "nothing before an officer's word"
        );
        done(&data, &["log", "restored", "--as", "li-hua", "--yes"]);
        done(&data, &["log", "fsck"]);
        done(&data, &ASK);
        assert_eq!(kept(&data).await, spent, "{table}");
        let aside = place.path().join(format!("node.before-restore-{number}"));
        assert!(
            aside.join("state.sqlite").exists(),
            "what was damaged is kept"
        );
    }
}
