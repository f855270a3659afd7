//! One hospital's node in a folder of its own, filled the way a hospital fills it: CSV files
//! through the real loader, released by an officer, answered with the real noise.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use node::answer::{App, Asked, By, POLICY};
use node::clock::Clock;
use node::config::Config;
use node::config::keys::Keys;
use node::ingest::costed::RateBook;
use node::ingest::mapping::Mapping;
use node::load::{LoadError, Request, Summary, load};
use node::release::{self, SignOff};
use node::scan::Rows;
use node::snapshot;
use node::store::dictionaries;
use node::store::state::State;
use node::synth::{Settings, write_hospital};
use policies::rules::DEFAULT;
use policies::template::{self, Template};
use schemas::dictionary::Dictionary;
use schemas::loss::Rho;
use schemas::question::Question;
use schemas::time::{Period, Timestamp};
use sqlx::Row as _;
use tempfile::TempDir;
use tests::officers;

pub(crate) const MAPPING: &str = include_str!("../../deploy/mappings/consilium-csv.toml");

/// 2026-01-15: the year 2025 is over.
pub(crate) const NOW: Timestamp = Timestamp(1_768_435_200);

/// The dictionary that the alliance builds from the generator's groups.
pub(crate) fn dictionary() -> Dictionary {
    let table = node::synth::groups_csv(&node::synth::groups().unwrap());
    let groups = coordinator::dictionary::read_listed(table.as_bytes(), b',').unwrap();
    coordinator::dictionary::Plan::parse(coordinator::dictionary::CHS)
        .unwrap()
        .build(&"river".parse().unwrap(), groups)
        .unwrap()
}

/// One line of a hospital's file, column by column.
#[derive(Clone, Debug)]
pub(crate) struct Line(BTreeMap<&'static str, String>);

impl Line {
    /// A sound stay of two days that ends on the 20th of `month` of 2025.
    pub(crate) fn new(patient: &str, settlement: &str, month: u8, drg: &str, yuan: u64) -> Self {
        let fixed = [
            ("sex", "f"),
            ("birth_date", "1960-05-05"),
            ("department", "0401"),
            ("insurance", "employee"),
            ("district", "230102"),
            ("diagnosis", "C50.903"),
            ("severity", "9"),
            ("disposition", "home"),
            ("readmission", "none"),
            ("self_paid", "0.00"),
        ];
        let mut line = Self(BTreeMap::new());
        for name in node::synth::HEADER {
            line.0.insert(name, "0.00".to_owned());
        }
        for (name, value) in fixed {
            line.set(name, value);
        }
        line.set("patient_id", patient)
            .set("settlement_no", settlement)
            .set("drg", drg)
            .set("admission_date", &format!("2025-{month:02}-18"))
            .set("discharge_date", &format!("2025-{month:02}-20"));
        let staff = yuan / 2;
        for (name, amount) in [
            ("total_cost", yuan),
            ("cost_staff", staff),
            ("cost_drugs", yuan - staff),
            ("total_charges", yuan),
            ("fund_paid", yuan),
        ] {
            line.set(name, &format!("{amount}.00"));
        }
        line
    }

    pub(crate) fn set(&mut self, column: &'static str, value: &str) -> &mut Self {
        self.0.insert(column, value.to_owned());
        self
    }

    pub(crate) fn with(mut self, column: &'static str, value: &str) -> Self {
        self.set(column, value);
        self
    }

    pub(crate) fn patient(&self) -> &str {
        &self.0["patient_id"]
    }

    fn text(&self) -> String {
        let values = node::synth::HEADER.map(|name| self.0[name].clone());
        values.join(",")
    }
}

/// A whole file.
pub(crate) fn file(lines: &[Line]) -> Vec<u8> {
    let mut text = node::synth::HEADER.join(",");
    for line in lines {
        text.push('\n');
        text.push_str(&line.text());
    }
    text.push('\n');
    text.into_bytes()
}

/// A node's folder, as `init` and `dictionary accept` leave it.
pub(crate) struct Hospital {
    pub(crate) config: Config,
    pub(crate) state: State,
    sources: TempDir,
    _folder: TempDir,
}

impl Hospital {
    pub(crate) async fn new(name: &str) -> Self {
        Self::with_policy(name, DEFAULT).await
    }

    pub(crate) async fn with_policy(name: &str, policy: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let closed = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(folder.path(), closed).unwrap();
        Config::new(name.parse().unwrap())
            .write_new(folder.path())
            .unwrap();
        std::fs::write(folder.path().join(POLICY), policy).unwrap();
        let config = Config::read(folder.path()).unwrap();
        Keys::open(&config.data)
            .unwrap()
            .make_message_key()
            .unwrap();
        let state = State::open(&config.data).await.unwrap();
        dictionaries::accept(&state, &dictionary(), false, NOW)
            .await
            .unwrap();
        officers::seat(&config, &state, NOW).await;
        let policy = node::answer::policy(&config).unwrap();
        officers::stand(&config, &state, &policy, NOW).await;
        Self {
            config,
            state,
            sources: tempfile::tempdir().unwrap(),
            _folder: folder,
        }
    }

    /// A second hospital with the first one's pseudonym keys: only so are keyed orders equal.
    pub(crate) async fn twin(&self) -> Self {
        let twin = Self::new(self.config.hospital.as_str()).await;
        for entry in std::fs::read_dir(self.config.data.join("keys")).unwrap() {
            let path = entry.unwrap().path();
            if path.to_string_lossy().contains("pseudonym") {
                let name = path.file_name().unwrap();
                std::fs::copy(&path, twin.config.data.join("keys").join(name)).unwrap();
            }
        }
        twin
    }

    /// Loads bytes as a file; the file itself is gone afterwards.
    pub(crate) async fn load_bytes(&self, bytes: &[u8]) -> Result<Summary, LoadError> {
        self.load_as(bytes, MAPPING).await
    }

    pub(crate) async fn load_as(&self, bytes: &[u8], mapping: &str) -> Result<Summary, LoadError> {
        self.load_file("source.csv", bytes, mapping).await
    }

    /// Under a file name, whose end says what the bytes are.
    pub(crate) async fn load_file(
        &self,
        name: &str,
        bytes: &[u8],
        mapping: &str,
    ) -> Result<Summary, LoadError> {
        let path = self.sources.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let request = Request {
            from: path.into(),
            mapping: Mapping::parse(mapping)?,
            only: Vec::new(),
            history: true,
            whole: false,
            rates: self.signed_rates().await,
            crosswalks: node::crosswalks::approved(&self.state, &self.register().await)
                .await
                .unwrap(),
        };
        load(&self.state, &self.config, NOW, &request, &|_| {}).await
    }

    /// The officers.
    pub(crate) async fn register(&self) -> policies::access::Officers {
        node::access::officers(self.state.pool(), &self.config.hospital)
            .await
            .unwrap()
    }

    /// The rates that two officers signed for.
    pub(crate) async fn signed_rates(&self) -> RateBook {
        let register = self.register().await;
        node::costing::book(&self.state, &register).await.unwrap()
    }

    pub(crate) async fn release(&self) {
        let by = SignOff {
            officer: "Li Hua",
            accept_grade_d: true,
            gate: None,
            at: NOW,
        };
        release::release(&self.state, &self.config.data, None, &by)
            .await
            .unwrap();
    }

    /// Loads and releases lines.
    pub(crate) async fn hold(&self, lines: &[Line]) -> Summary {
        let summary = self.load_bytes(&file(lines)).await.unwrap();
        self.release().await;
        summary
    }

    /// The node opened for answering, with the noise of the product.
    pub(crate) async fn app(&self) -> Arc<App> {
        let state = State::open(&self.config.data).await.unwrap();
        let app = App::open(&self.config, state, Clock::Fixed(NOW)).await;
        Arc::new(app.unwrap())
    }

    /// The columns of everything released in 2025.
    pub(crate) async fn rows(&self, app: &App) -> Vec<Rows> {
        let year = coordinator::ask::period("2025").unwrap();
        let released = snapshot::released(&self.state, &self.config.data, &year)
            .await
            .unwrap();
        app.cache.rows(&released, &app.dictionary).unwrap()
    }

    /// What was spent of 2025, in nano.
    pub(crate) async fn spent(&self, purpose: &str) -> u64 {
        let lines = node::ledger::lines(&self.state).await.unwrap();
        let of = |line: &&node::ledger::Line| line.year.0 == 2025 && line.purpose == purpose;
        let line = lines.iter().find(of);
        line.map_or(Rho::ZERO, |line| line.spent).nano()
    }

    /// Every file below the data folder, with its size, and the rows of every table: what a
    /// refusal must leave as it is. SQLite's side files come and go with its connections.
    pub(crate) async fn trace(&self) -> (BTreeMap<PathBuf, u64>, BTreeMap<String, i64>) {
        let files = bytes_below(&self.config.data)
            .into_iter()
            .filter(|(path, _)| !path.to_string_lossy().contains("state.sqlite"))
            .map(|(path, bytes)| (path, bytes.len() as u64));
        (files.collect(), table_rows(&self.state).await)
    }
}

/// Number of rows by table.
pub(crate) async fn table_rows(state: &State) -> BTreeMap<String, i64> {
    let names = sqlx::query("select name from sqlite_master where type = 'table'")
        .fetch_all(state.pool())
        .await
        .unwrap();
    let mut rows = BTreeMap::new();
    for name in names {
        let name: String = name.get(0);
        let count = sqlx::query(sqlx::AssertSqlSafe(format!("select count(*) from {name}")))
            .fetch_one(state.pool())
            .await
            .unwrap();
        rows.insert(name, count.get(0));
    }
    rows
}

/// Every file below a folder.
pub(crate) fn bytes_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                found.push((path, bytes));
            }
        }
    }
    found
}

/// Whether a text stands anywhere in bytes.
pub(crate) fn holds(bytes: &[u8], text: &str) -> bool {
    let text = text.as_bytes();
    bytes.windows(text.len()).any(|window| window == text)
}

/// A question of the officer's own, written as a template without its head.
pub(crate) fn question(app: &App, period: &str, body: &str) -> Question {
    let text = format!(
        "id = \"own\"\nversion = 1\nlabel = {{ zh = \"问\", en = \"q\" }}\npurpose = \"free\"\n\
         release = \"attributed\"\n{body}"
    );
    draft(app, period, &Template::parse(&text).unwrap())
}

pub(crate) fn shipped(app: &App, name: &str, period: &str) -> (Question, Template) {
    let mut all = template::shipped().into_iter();
    let template = all.find(|t| t.id.as_str() == name).unwrap();
    (draft(app, period, &template), template)
}

fn draft(app: &App, period: &str, template: &Template) -> Question {
    let floors = node::answer::floors_digest(app).unwrap();
    let period: Period = coordinator::ask::period(period).unwrap();
    let draft = template.draft(&app.dictionary, floors, period);
    draft.unwrap().question
}

/// The officer asks at the node.
pub(crate) fn by_officer(question: Question) -> Asked {
    Asked {
        question,
        template: None,
        by: By::Officer,
    }
}

/// An error with its causes, as a log shows it.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// How many stays a made-up hospital has in the files of either tier, and its CSV file, without defects.
pub(crate) fn made() -> (u32, Vec<u8>) {
    let rows = if tests::fixture::long() {
        100_000
    } else {
        3_000
    };
    let settings = Settings {
        seed: 11,
        year: 2025,
        defects_ppm: 0,
        planted: false,
    };
    let folder = tempfile::tempdir().unwrap();
    write_hospital(folder.path(), &settings, "h01", rows).unwrap();
    (rows, std::fs::read(folder.path().join("h01.csv")).unwrap())
}
