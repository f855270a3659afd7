//! A database server of this test alone: in a folder of its own, on a socket in it, ended by its own
//! process id. Where no server is installed the tests say so and end, unless the caller promised one.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection as _, Row as _};

/// How long a server may take to begin or to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// The password of the role that reads.
pub(crate) const SECRET: &str = "hunter2-zebra";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Postgres,
    MariaDb,
}

pub(crate) struct Server {
    pub(crate) kind: Kind,
    folder: tempfile::TempDir,
    child: Child,
}

/// Folders that hold a kind's programs.
fn folders(kind: Kind) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.push("/usr/sbin".into());
    if kind == Kind::Postgres {
        let versions = std::fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten();
        folders.extend(versions.flatten().map(|entry| entry.path().join("bin")));
    }
    folders
}

fn program(kind: Kind, name: &str) -> Option<PathBuf> {
    let mut places = folders(kind).into_iter().map(|folder| folder.join(name));
    places.find(|path| path.is_file())
}

/// A command of the server's. A server does not run as root: then it runs as nobody.
pub(crate) fn command(path: &Path) -> Command {
    let mut command = Command::new(path);
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.env_remove("PGHOST").stdin(Stdio::null());
    command
}

pub(crate) const NOBODY: u32 = 65_534;

/// Writes a file that the server alone reads.
pub(crate) fn secret_file(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

fn ran(mut command: Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
}

/// The SQL that makes MariaDB's own tables, as a file to read from.
fn system_tables(folder: &Path) -> std::fs::File {
    let mut sql = "use mysql;\nset @auth_root_socket = null;\n".to_owned();
    for name in [
        "mysql_system_tables",
        "mysql_performance_tables",
        "mysql_system_tables_data",
    ] {
        let path = format!("/usr/share/mysql/{name}.sql");
        sql += &std::fs::read_to_string(path).unwrap();
    }
    let path = folder.join("first.sql");
    std::fs::write(&path, sql).unwrap();
    std::fs::File::open(path).unwrap()
}

/// Whether the caller says that servers are installed.
pub(crate) fn promised() -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test command says what it installed"
    )]
    let promised = std::env::var("CONSILIUM_SERVERS");
    promised.is_ok_and(|value| value == "1")
}

impl Server {
    /// Starts a server; `None` where none is installed.
    pub(crate) async fn start(kind: Kind) -> Option<Self> {
        Self::start_with(kind, |_| Vec::new()).await
    }

    /// The same, with further arguments that follow from its folder.
    pub(crate) async fn start_with(
        kind: Kind,
        more: impl FnOnce(&Path) -> Vec<String>,
    ) -> Option<Self> {
        let names = match kind {
            Kind::Postgres => ["initdb", "postgres"],
            // It makes its own folder, from SQL that is installed beside it.
            Kind::MariaDb => ["mariadbd", "mariadbd"],
        };
        let [Some(init), Some(serve)] = names.map(|name| program(kind, name)) else {
            assert!(!promised(), "{kind:?} was promised and is not installed");
            eprintln!("SKIPPED: {kind:?} is not installed; `sh deploy/test.sh` installs it");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let data = folder.path().join("data");
        let mut server = command(&serve);
        let mut first = command(&init);
        match kind {
            Kind::Postgres => {
                first.arg("-D").arg(&data);
                first.args([
                    "-U",
                    "postgres",
                    "--auth=scram-sha-256",
                    "--no-sync",
                    "-E",
                    "UTF8",
                ]);
                let secret = folder.path().join("secret");
                std::fs::write(&secret, SECRET).unwrap();
                std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
                first.arg("--pwfile").arg(secret).arg("--locale=C.UTF-8");
                server.arg("-D").arg(&data).arg("-k").arg(folder.path());
                server.args(["-c", "listen_addresses=", "-c", "fsync=off"]);
            }
            Kind::MariaDb => {
                let own = data.join("mysql");
                std::fs::create_dir_all(&own).unwrap();
                if is_root() {
                    chown(&data, Some(NOBODY), Some(NOBODY)).unwrap();
                    chown(&own, Some(NOBODY), Some(NOBODY)).unwrap();
                }
                let data = format!("--datadir={}", data.display());
                first.args(["--no-defaults", "--bootstrap", &data, "--skip-networking"]);
                first.stdin(system_tables(folder.path()));
                // Servers of several tests do not share a place for passing tables.
                let passing = format!("--tmpdir={}", folder.path().display());
                first.arg(&passing);
                server.args(["--no-defaults", &passing]);
                server.args([&data, "--skip-networking"]);
                server.arg(format!("--socket={}", folder.path().join("s").display()));
                server.arg(format!(
                    "--pid-file={}",
                    folder.path().join("pid").display()
                ));
            }
        }
        ran(first);
        server.args(more(folder.path()));
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = server
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self {
            kind,
            folder,
            child,
        };
        server.wait().await;
        Some(server)
    }

    async fn wait(&self) {
        let end = Instant::now() + PATIENCE;
        while let Err(error) = self.try_run("select 1").await {
            assert!(Instant::now() < end, "{:?}: {error}", self.kind);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The URL for a user.
    pub(crate) fn url(&self, user: &str, secret: &str) -> String {
        let folder = self.folder.path().display();
        match self.kind {
            Kind::Postgres => {
                format!("postgres://{user}:{secret}@localhost/postgres?host={folder}")
            }
            Kind::MariaDb => format!("mysql://{user}:{secret}@localhost/?socket={folder}/s"),
        }
    }

    fn admin(&self) -> String {
        match self.kind {
            Kind::Postgres => self.url("postgres", SECRET),
            Kind::MariaDb => self.url("root", ""),
        }
    }

    async fn try_run(&self, sql: &str) -> Result<(), sqlx::Error> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self.kind {
            Kind::Postgres => {
                let mut to = sqlx::PgConnection::connect(&self.admin()).await?;
                sqlx::raw_sql(sql).execute(&mut to).await?;
                to.close().await
            }
            Kind::MariaDb => {
                let mut to = sqlx::MySqlConnection::connect(&self.admin()).await?;
                sqlx::raw_sql(sql).execute(&mut to).await?;
                to.close().await
            }
        }
    }

    /// Runs statements as the server's owner.
    pub(crate) async fn run(&self, sql: &str) {
        if let Err(error) = self.try_run(sql).await {
            panic!("{error}: {}", &sql[..sql.len().min(200)]);
        }
    }

    /// Rows of texts.
    pub(crate) async fn texts<const N: usize>(&self, sql: &str) -> Vec<[String; N]> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self.kind {
            Kind::Postgres => {
                let mut to = sqlx::PgConnection::connect(&self.admin()).await.unwrap();
                let rows = sqlx::query(sql).fetch_all(&mut to).await.unwrap();
                let rows = rows.iter().map(|row| std::array::from_fn(|at| row.get(at)));
                rows.collect()
            }
            Kind::MariaDb => {
                let mut to = sqlx::MySqlConnection::connect(&self.admin()).await.unwrap();
                let rows = sqlx::query(sql).fetch_all(&mut to).await.unwrap();
                let rows = rows.iter().map(|row| std::array::from_fn(|at| row.get(at)));
                rows.collect()
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A clean end by its own number; the hard one only if that is not heard.
        let number = self.child.id().to_string();
        let signal = if self.kind == Kind::Postgres {
            "-INT"
        } else {
            "-TERM"
        };
        Command::new("kill").args([signal, &number]).status().ok();
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
