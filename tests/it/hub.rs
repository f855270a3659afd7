//! A coordinator on loopback whose operator does as he likes: he has the alliance's key and the
//! database. And the node's real process beside it.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use coordinator::api::{App, Listeners};
use coordinator::authority::Authority;
use coordinator::clock::Clock;
use coordinator::config::{Config, Limits};
use coordinator::store::state::State;
use coordinator::{dictionary, membership, register};
use node::config::keys::Keys;
use schemas::enrolment::Fingerprint;
use schemas::id::Slug;
use schemas::round::Round;
use schemas::seal::{Sealed, Signer};
use schemas::time::Timestamp;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::binary::binary;
use crate::hospital::{self, Hospital};

pub(crate) struct Hub {
    pub(crate) folder: TempDir,
    pub(crate) config: Config,
    pub(crate) state: State,
    pub(crate) authority: Authority,
    stop: CancellationToken,
    service: JoinHandle<()>,
}

impl Hub {
    /// An alliance with the dictionary that [`Hospital`]s have accepted.
    pub(crate) async fn found() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let alliance: Slug = "river".parse().unwrap();
        let now = Clock::System.now();
        Authority::create(folder.path(), &alliance, now).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let listeners = Listeners::bind(any, any).await.unwrap();
        let (nodes, public) = listeners.addresses().unwrap();
        let config = Config {
            alliance: alliance.clone(),
            hosts: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
            node_address: nodes,
            public_address: public,
            node_url: format!("https://localhost:{}", nodes.port()),
            public_url: format!("https://localhost:{}", public.port()),
            templates: None,
            rules: None,
            pages: None,
            limits: Limits::default(),
            data: None,
        };
        let open = || Authority::open(folder.path(), &alliance).unwrap();
        let state = State::open(folder.path()).await.unwrap();
        let authority = open();
        dictionary::publish(&state, &authority, hospital::dictionary(), now)
            .await
            .unwrap();
        let stop = CancellationToken::new();
        let app = App::new(
            config.clone(),
            state.clone(),
            open(),
            Clock::System,
            stop.clone(),
        );
        let service = tokio::spawn(async move { listeners.serve(app).await.unwrap() });
        Self {
            folder,
            config,
            state,
            authority,
            stop,
            service,
        }
    }

    pub(crate) async fn end(self) -> TempDir {
        self.stop.cancel();
        self.service.await.unwrap();
        self.folder
    }

    /// Enrols a hospital as its officer would.
    pub(crate) async fn join(&self, hospital: &Hospital) {
        let (name, data) = (&hospital.config.hospital, &hospital.config.data);
        let url = &self.config.public_url;
        let now = Clock::System.now();
        let (inviter, approver): (Slug, Slug) = ("li".parse().unwrap(), "wu".parse().unwrap());
        let code = register::invite(&self.state, &self.authority, url, name, &inviter, now)
            .await
            .unwrap();
        let signer = Keys::open(data).unwrap().message_key().unwrap();
        let certificate = node::enrol::enrol(data, name, &signer, &code, None)
            .await
            .unwrap();
        let said = Fingerprint::of(&certificate, &signer.public());
        membership::approve(&self.state, name, said, &approver, now)
            .await
            .unwrap();
    }

    /// Puts a round of any content before a hospital, past every check of the real coordinator.
    pub(crate) async fn put(&self, round: &Round, hospital: &str, signer: &Signer) {
        let sealed = Sealed::seal(signer, round).unwrap();
        let now = Clock::System.now().0;
        for statement in [
            "delete from replies where round = $1",
            "delete from roster where round = $1",
            "delete from rounds where id = $1",
        ] {
            self.execute(sqlx::query(statement).bind(round.id.as_str()))
                .await;
        }
        let insert = "insert into rounds (id, digest, sealed, state, opened, deadline, ended) \
                      values ($1, $2, $3, 'open', $4, $5, null)";
        let insert = sqlx::query(insert)
            .bind(round.id.to_string())
            .bind(sealed.digest().unwrap().to_string())
            .bind(serde_json::to_string(&sealed).unwrap())
            .bind(now)
            .bind(now + 3600);
        self.execute(insert).await;
        let roster = sqlx::query("insert into roster (round, hospital) values ($1, $2)");
        self.execute(roster.bind(round.id.to_string()).bind(hospital.to_owned()))
            .await;
    }

    /// Takes a round back.
    pub(crate) async fn drop_round(&self, id: &str) {
        let ended = sqlx::query("update rounds set state = 'dead' where id = $1");
        self.execute(ended.bind(id.to_owned())).await;
    }

    async fn execute(
        &self,
        query: sqlx::query::Query<'_, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>,
    ) {
        query.execute(self.state.pool()).await.unwrap();
    }
}

/// An open round about a question.
pub(crate) fn round(id: &str, hospital: &str, question: schemas::question::Question) -> Round {
    let now = Clock::System.now();
    Round {
        id: id.parse().unwrap(),
        template: None,
        purpose: schemas::question::Purpose::Benchmark,
        question,
        roster: vec![hospital.parse().unwrap()],
        min_answers: 1,
        opened: now,
        deadline: Timestamp(now.0 + 3600),
    }
}

/// The node's own process, `consilium-node run`; it ends with this value.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    pub(crate) fn start(data: &Path) -> Self {
        let log = data.join("run.log");
        let file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let child = Command::new(binary("consilium-node"))
            .args(["--data".as_ref(), data.as_os_str(), "run".as_ref()])
            .env("RUST_LOG", "debug")
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Self { child, log }
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Waits until a condition holds, at most 30 seconds.
pub(crate) async fn until<F>(what: &str, mut holds: F)
where
    F: AsyncFnMut() -> bool,
{
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited in vain: {what}");
}
