//! The coordinator of a simulation: its real state file, authority, handlers and background task.

use std::path::PathBuf;

use coordinator::api::{App, Inside, Said};
use coordinator::authority::Authority;
use coordinator::clock::Clock;
use coordinator::config::Config;
use coordinator::store::state::State;
use rustls::pki_types::CertificateDer;
use schemas::id::Slug;
use schemas::round::Round;
use schemas::seal::{Sealed, Signer};
use schemas::time::Timestamp;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// A running coordinator; its process may die and start again.
#[derive(Debug)]
pub(super) struct Hub {
    folder: PathBuf,
    config: Config,
    pub(super) clock: Clock,
    pub(super) authority: Authority,
    process: Mutex<Process>,
}

#[derive(Debug)]
struct Process {
    state: State,
    inside: Inside,
}

async fn start(folder: &std::path::Path, config: &Config, clock: &Clock) -> Process {
    let state = State::open(folder).await.expect("the coordinator's state");
    let authority = Authority::open(folder, &config.alliance).expect("an authority");
    let stop = CancellationToken::new();
    let app = App::new(
        config.clone(),
        state.clone(),
        authority,
        clock.clone(),
        stop,
    );
    let inside = Inside::start(app).await.expect("the coordinator starts");
    Process { state, inside }
}

impl Hub {
    pub(super) async fn start(folder: PathBuf, config: Config, now: Timestamp) -> Self {
        let clock = Clock::at(now);
        Self {
            process: Mutex::new(start(&folder, &config, &clock).await),
            authority: Authority::open(&folder, &config.alliance).expect("an authority"),
            folder,
            config,
            clock,
        }
    }

    /// The process dies and starts again.
    pub(super) async fn restart(&self) {
        let mut process = self.process.lock().await;
        *process = start(&self.folder, &self.config, &self.clock).await;
    }

    /// The state, as commands of the operator open it.
    pub(super) async fn state(&self) -> State {
        self.process.lock().await.state.clone()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// A request of whoever shows this certificate.
    pub(super) async fn ask(
        &self,
        shown: CertificateDer<'static>,
        (method, path): (&str, &str),
        headers: &[(String, String)],
        body: Vec<u8>,
    ) -> Said {
        let process = self.process.lock().await;
        process
            .inside
            .ask(shown, (method, path), headers, body)
            .await
    }

    /// The background task looks once.
    pub(super) async fn look(&self) -> Result<(), String> {
        let mut process = self.process.lock().await;
        process
            .inside
            .look()
            .await
            .map_err(|error| error.to_string())
    }

    /// Puts a round of any content before hospitals, past every check of the coordinator: its
    /// operator has the key and the database.
    pub(super) async fn put(&self, round: &Round, signer: &Signer, hospitals: &[Slug]) -> bool {
        let sealed = Sealed::seal(signer, round).expect("a signature");
        let state = self.state().await;
        let Ok(mut change) = state.begin().await else {
            return false;
        };
        let insert = sqlx::query(
            "insert into rounds (id, digest, sealed, state, opened, deadline, ended) \
             values ($1, $2, $3, 'open', $4, $5, null) on conflict do nothing",
        )
        .bind(round.id.as_str())
        .bind(sealed.digest().expect("a digest").to_string())
        .bind(serde_json::to_string(&sealed).expect("a text"))
        .bind(self.now().0)
        .bind(self.now().0.saturating_add(3600))
        .execute(&mut *change)
        .await;
        if !insert.is_ok_and(|done| done.rows_affected() == 1) {
            return false;
        }
        for hospital in hospitals {
            let asked = sqlx::query("insert into roster (round, hospital) values ($1, $2)")
                .bind(round.id.as_str())
                .bind(hospital.as_str())
                .execute(&mut *change)
                .await;
            if asked.is_err() {
                return false;
            }
        }
        change.commit().await.is_ok()
    }
}
