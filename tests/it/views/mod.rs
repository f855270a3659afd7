//! Views of real database servers as a source, by the real program: the same stays as CSV, what later loads
//! read, what is refused and how it is told, and a node that is killed while it loads.

mod changes;
mod killed;
mod refused;
pub(crate) mod server;
mod tls;

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use crate::binary::binary;
use crate::hospital::{Hospital, Line, MAPPING, file};
use server::{Kind, SECRET, Server};

/// What the mapping of a view has beside that of the file.
const SOURCE: &str = "[source]\nview = \"reporting.stays\"\nkey = [\"settlement_no\"]\n\
                      watermark = \"changed_at\"\n";

fn mapping() -> String {
    // Tables come after the top-level keys.
    let (top, tables) = MAPPING.split_once("\n[").unwrap();
    format!("{top}\n{SOURCE}\n[{tables}")
}

/// The hospital's database: a table, and a view of it that one role reads.
struct Database {
    server: Server,
    folder: tempfile::TempDir,
}

/// What a command said, and whether it succeeded.
struct Said {
    ok: bool,
    out: String,
    err: String,
}

impl Said {
    fn number(&self, name: &str) -> u64 {
        let summary: serde_json::Value = serde_json::from_str(&self.out).unwrap();
        summary[name]
            .as_u64()
            .unwrap_or_else(|| panic!("{name}: {}", self.err))
    }
}

fn column(name: &str, value: &str) -> String {
    let is_money = value.contains('.') && value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let kind = if name.ends_with("_date") {
        "date"
    } else if is_money && name != "diagnosis" {
        "numeric(12, 2)"
    } else {
        "varchar(200)"
    };
    format!("{name} {kind}")
}

impl Database {
    /// Starts a server with an empty table; `None` where none is installed.
    async fn start(kind: Kind) -> Option<Self> {
        Some(Self::of(Server::start(kind).await?).await)
    }

    /// An empty table and its view at a server.
    async fn of(server: Server) -> Self {
        let kind = server.kind;
        let text = String::from_utf8(file(&[Line::new("P", "S", 1, "ES35", 1)])).unwrap();
        let (header, values) = text.trim_end().split_once('\n').unwrap();
        let columns = header.split(',').zip(values.split(','));
        let columns: Vec<String> = columns.map(|(name, value)| column(name, value)).collect();
        let (schema, time, role) = match kind {
            Kind::Postgres => (
                "create schema",
                "timestamptz",
                format!(
                    "create role reader login password '{SECRET}'; \
                     grant usage on schema reporting to reader; \
                     grant select on reporting.stays to reader"
                ),
            ),
            Kind::MariaDb => (
                "create database",
                "datetime(6)",
                format!(
                    "create user reader@localhost identified by '{SECRET}'; \
                     grant select on reporting.* to reader@localhost"
                ),
            ),
        };
        let columns = columns.join(", ");
        for sql in [
            format!("{schema} his"),
            format!("{schema} reporting"),
            format!("create table his.stays ({columns}, changed_at {time})"),
            "create view reporting.stays as select * from his.stays".to_owned(),
            role,
        ] {
            server.run(&sql).await;
        }
        Self {
            server,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Adds lines, changed now or at a time that is given.
    async fn add(&self, lines: &[Line], at: Option<&str>) {
        let text = String::from_utf8(file(lines)).unwrap();
        let now = match self.server.kind {
            Kind::Postgres => "clock_timestamp()",
            Kind::MariaDb => "now(6)",
        };
        let at = at.map_or_else(|| now.to_owned(), |at| format!("'{at}'"));
        let rows = text.lines().skip(1).map(|line| {
            let values: Vec<String> = line.split(',').map(|value| format!("'{value}'")).collect();
            format!("({}, {at})", values.join(", "))
        });
        let rows: Vec<String> = rows.collect();
        let sql = format!("insert into his.stays values {}", rows.join(", "));
        self.server.run(&sql).await;
    }

    /// Sets columns of some rows, changed now.
    async fn change(&self, set: &str, of: &str) {
        let now = match self.server.kind {
            Kind::Postgres => "clock_timestamp()",
            Kind::MariaDb => "now(6)",
        };
        let sql = format!("update his.stays set {set}, changed_at = {now} where {of}");
        self.server.run(&sql).await;
    }

    /// Month, group and cost in fen of every row of the view, in order.
    async fn expected(&self) -> Vec<(String, String, u32)> {
        let sql = match self.server.kind {
            Kind::Postgres => {
                "select to_char(discharge_date, 'YYYY-MM'), drg, total_cost::text \
                 from reporting.stays"
            }
            Kind::MariaDb => {
                "select date_format(discharge_date, '%Y-%m'), drg, cast(total_cost as char) \
                 from reporting.stays"
            }
        };
        let rows = self.server.texts::<3>(sql).await;
        let stay = |[month, drg, yuan]: [String; 3]| (month, drg, fen(&yuan));
        let mut rows: Vec<_> = rows.into_iter().map(stay).collect();
        rows.sort();
        rows
    }

    /// The file that holds the URL, for its owner alone.
    fn url(&self, name: &str, url: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        let mut options = std::fs::File::options();
        let options = options.create(true).write(true).truncate(true).mode(0o600);
        options
            .open(&path)
            .unwrap()
            .write_all(url.as_bytes())
            .unwrap();
        path
    }

    /// A command of the node on the view.
    fn command(&self, hospital: &Hospital, command: &str, mapping: &str) -> Command {
        let path = self.folder.path().join("mapping.toml");
        std::fs::write(&path, mapping).unwrap();
        let url = self.url("url", &self.server.url("reader", SECRET));
        let mut program = Command::new(binary("consilium-node"));
        program.arg("--data").arg(&hospital.config.data);
        program.args(command.split(' ')).arg("--mapping").arg(path);
        program.arg("--database").arg(url).arg("--json");
        program.env("RUST_LOG", "trace");
        program
    }

    fn run(&self, hospital: &Hospital, command: &str, mapping: &str) -> Said {
        let said = said(self.command(hospital, &format!("{command} --history"), mapping));
        let all = format!("{}{}", said.out, said.err);
        assert!(!all.contains(SECRET) && !all.contains("reader:"), "{all}");
        said
    }

    /// Loads what is new and has the officer release it.
    async fn load(&self, hospital: &Hospital) -> u64 {
        let said = self.run(hospital, "load", &mapping());
        assert!(said.ok, "{}", said.err);
        let kept = said.number("kept");
        assert_eq!(said.number("refused"), 0);
        hospital.release().await;
        kept
    }
}

fn said(mut command: Command) -> Said {
    let output = command.output().unwrap();
    Said {
        ok: output.status.success(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn fen(yuan: &str) -> u32 {
    yuan.replace('.', "").parse().unwrap()
}

/// Month, group and cost of every released stay, in order.
async fn held(hospital: &Hospital) -> Vec<(String, String, u32)> {
    let app = hospital.app().await;
    let mut stays = Vec::new();
    let years = coordinator::ask::period("2024-01..2025-12").unwrap();
    let (state, data) = (&hospital.state, &hospital.config.data);
    let released = node::snapshot::released(state, data, &years).await.unwrap();
    for rows in app.cache.rows(&released, &app.dictionary).unwrap() {
        let mut fields = rows.fields.iter();
        let (_, cost) = fields.find(|(name, _)| name.as_str() == "cost").unwrap();
        for (group, cost) in rows.group.iter().zip(cost.iter()) {
            let group = &app.dictionary.groups[usize::from(*group)].code;
            stays.push((rows.month.to_string(), group.clone(), *cost));
        }
    }
    stays.sort();
    stays
}

/// Stays `from..to`, each with a patient, a month and a cost of its own.
fn lines(from: u32, to: u32) -> Vec<Line> {
    let groups = ["ES35", "GD15"];
    let line = |n: u32| {
        let month = u8::try_from(n % 12 + 1).unwrap();
        let group = groups[n as usize % 2];
        let (patient, stay) = (format!("P{:07}", n / 2), format!("S{n:07}"));
        Line::new(&patient, &stay, month, group, u64::from(1000 + n))
    };
    (from..to).map(line).collect()
}
