//! The alliance that every seed starts from: made once by the product's own functions, then copied.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use coordinator::authority::Authority;
use coordinator::config::{Config as HubConfig, Limits};
use coordinator::store::state::State as HubState;
use node::access::Standing;
use node::answer::{App, POLICY};
use node::config::Config;
use node::config::keys::Keys;
use node::ingest::costed::RateBook;
use node::ingest::mapping::Mapping;
use node::load::{Request, load};
use node::release::{self, SignOff};
use node::steward::Acting;
use node::store::dictionaries;
use node::store::state::State;
use node::synth::{Settings, write_hospital};
use policies::rules::{DEFAULT, Privacy};
use schemas::dictionary::Dictionary;
use schemas::id::Slug;
use schemas::seal::{PublicKey, Signer};
use schemas::time::Timestamp;
use tempfile::TempDir;

use super::catalog::Catalog;
use super::decide;
use super::member;
use super::wire::held;
use crate::fixture::slug;
use crate::officers;

/// 2026-01-15: the year 2025 is over.
pub(super) const START: Timestamp = Timestamp(1_768_435_200);

/// Hospitals of the alliance.
pub(super) const HOSPITALS: usize = 4;

const MAPPING: &str = include_str!("../../deploy/mappings/consilium-csv.toml");

/// What is shared by all seeds and never changed.
#[derive(Debug)]
pub struct Made {
    _folder: TempDir,
    pub(super) hub: PathBuf,
    pub(super) hub_config: HubConfig,
    pub(super) members: Vec<Member>,
    pub(super) rules: Privacy,
    pub(super) catalog: Catalog,
    /// The key that signs rounds.
    pub(super) alliance: PublicKey,
}

/// A hospital as it was made.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: Slug,
    pub(super) folder: PathBuf,
    pub(super) standing: Standing,
    /// The steward's key, and that of the second officer.
    pub(super) officers: [Signer; 2],
    pub(super) key: Signer,
    /// What nodes of runs that ended had opened.
    spare: Mutex<Vec<App>>,
}

impl Member {
    /// What another run had opened.
    pub(super) fn take(&self) -> Option<App> {
        held(&self.spare).pop()
    }

    /// Keeps what a run had opened.
    pub(super) fn give(&self, app: App) {
        held(&self.spare).push(app);
    }
}

/// Where state files lie: memory, where the machine has such a folder.
pub(super) fn room() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.expect("a folder")
}

fn dictionary() -> Dictionary {
    let groups = node::synth::groups().expect("the generator's groups");
    let table = node::synth::groups_csv(&groups[..5]);
    let groups = coordinator::dictionary::read_listed(table.as_bytes(), b',').expect("groups");
    let mut made = coordinator::dictionary::Plan::parse(coordinator::dictionary::CHS)
        .expect("a plan")
        .build(&slug("river"), groups)
        .expect("a dictionary");
    // Every question digests the dictionary: few keys make many runs.
    for dimension in &mut made.dimensions {
        let mut place = 0;
        dimension.keys.retain(|key| {
            place += 1;
            place <= 6 || key.code == "other"
        });
    }
    made.further.clear();
    made.check().expect("a small dictionary");
    made
}

impl Made {
    /// Makes everything: keys, officers, policies, loaded and released months, certificates.
    pub async fn new() -> Arc<Self> {
        let folder = room();
        let rules = Privacy::parse(DEFAULT).expect("the shipped rules");
        let dictionary = dictionary();
        let hub = folder.path().join("hub");
        std::fs::create_dir(&hub).expect("a folder");
        let alliance = slug("river");
        Authority::create(&hub, &alliance, START).expect("an authority");
        let hub_config = hub_config(&alliance);
        let state = HubState::open(&hub).await.expect("a state");
        let authority = Authority::open(&hub, &alliance).expect("an authority");
        coordinator::dictionary::publish(&state, &authority, dictionary.clone(), START)
            .await
            .expect("a dictionary");
        let mut members = Vec::new();
        for number in 1..=HOSPITALS {
            let made = hospital(folder.path(), number, &dictionary).await;
            member::join(&state, &authority, &hub_config, &made, START).await;
            members.push(made);
        }
        sqlx::query("pragma wal_checkpoint(truncate)")
            .execute(state.pool())
            .await
            .expect("a checkpoint");
        drop(state);
        let mut catalog = Catalog::new(&dictionary, &rules);
        for member in &members {
            catalog.look(member).await;
        }
        // The files are copied from here on; connections close by themselves.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        Arc::new(Self {
            _folder: folder,
            hub,
            hub_config,
            members,
            rules,
            catalog,
            alliance: authority.signer().public(),
        })
    }
}

fn hub_config(alliance: &Slug) -> HubConfig {
    let any = "127.0.0.1:0".parse().expect("an address");
    HubConfig {
        alliance: alliance.clone(),
        hosts: vec!["localhost".to_owned()],
        node_address: any,
        public_address: any,
        node_url: "https://localhost:1".to_owned(),
        public_url: "https://localhost:2".to_owned(),
        templates: None,
        rules: None,
        pages: None,
        data: None,
        limits: Limits::default(),
    }
}

async fn hospital(root: &Path, number: usize, dictionary: &Dictionary) -> Member {
    let name = slug(&format!("h{number}"));
    let folder = root.join(name.as_str());
    std::fs::create_dir(&folder).expect("a folder");
    let closed = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&folder, closed).expect("a closed folder");
    Config::new(name.clone())
        .write_new(&folder)
        .expect("settings");
    std::fs::write(folder.join(POLICY), DEFAULT).expect("a policy");
    let config = Config::read(&folder).expect("settings");
    let keys = Keys::open(&folder).expect("keys");
    let key = keys.make_message_key().expect("a key");
    let state = State::open(&folder).await.expect("a state");
    dictionaries::accept(&state, dictionary, false, START)
        .await
        .expect("a dictionary");
    officers::seat(&config, &state, START).await;
    let register = node::access::officers(state.pool(), &name)
        .await
        .expect("the officers");
    let sources = tempfile::tempdir().expect("a folder");
    let settings = Settings {
        seed: 7,
        year: 2025,
        defects_ppm: 0,
        planted: false,
    };
    write_hospital(sources.path(), &settings, name.as_str(), 240).expect("a hospital");
    let request = Request {
        from: sources.path().join(format!("{name}.csv")).into(),
        mapping: Mapping::parse(MAPPING).expect("a mapping"),
        only: Vec::new(),
        history: true,
        whole: false,
        rates: RateBook::default(),
        crosswalks: node::crosswalks::approved(&state, &register)
            .await
            .expect("no crosswalks"),
    };
    load(&state, &config, START, &request, &|_| {})
        .await
        .expect("a load");
    let by = SignOff {
        officer: "Li Hua",
        accept_grade_d: true,
        gate: None,
        at: START,
    };
    release::release(&state, &folder, None, &by)
        .await
        .expect("a release");
    let policy = node::answer::policy(&config).expect("a policy");
    let standing = Standing::open(&state, &folder, &name, &policy, START)
        .await
        .expect("a signed policy");
    let [steward, _] =
        &[officers::STEWARD, officers::SECOND].map(|who| officers::key(&folder, who));
    let by = Acting {
        officers: &standing.officers,
        access: &standing.access,
        policy: standing.approved.policy,
        hospital: &name,
        name: &slug(officers::STEWARD),
        key: steward,
        at: START,
    };
    decide::stand_first(by, &state).await;
    state.pool().close().await;
    Member {
        officers: [officers::STEWARD, officers::SECOND].map(|who| officers::key(&folder, who)),
        name,
        folder,
        standing,
        key,
        spare: Mutex::default(),
    }
}
