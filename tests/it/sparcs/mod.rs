//! Real data: six hospitals of the SPARCS 2020 public-use file, each loaded, released and asked on
//! the node's own path. The file is not part of the project; where it is missing these tests say
//! that they did not run.

mod alliance;
mod exact;
mod intervals;
mod report;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use coordinator::dictionary::{Discharges, Plan, SPARCS};
use node::access::Standing;
use node::answer::{self, App, Asked};
use node::clock::Clock;
use node::config::Config;
use node::ingest::mapping::Mapping;
use node::load::{self, Request};
use node::noise::Source;
use node::release::{self, SignOff};
use node::store::dictionaries;
use node::store::state::State;
use schemas::dictionary::Dictionary;
use schemas::seal::Signer;
use schemas::time::{DataYear, Period, Timestamp};
use serde_json::Value;
use tests::fixture::{rules, slug};
use tests::officers;

const MAPPING: &str = include_str!("../../../deploy/mappings/sparcs.toml");
const ORACLE: &str = include_str!("../../oracles/sparcs.json");
/// 2025-07-01.
const NOW: Timestamp = Timestamp(1_751_328_000);

/// The folder of real data, or a word that the test did not run.
fn data(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("CONSILIUM_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folders = named.into_iter().chain([beside]);
    let found = folders
        .map(|folder| folder.join("sparcs"))
        .find(|folder| folder.join("sparcs_2020_msk_alliance6.csv").is_file());
    if found.is_none() {
        println!("did not run: {test} needs the SPARCS files (CONSILIUM_DATA or ../shared/data)");
    }
    found
}

fn file(folder: &Path) -> PathBuf {
    folder.join("sparcs_2020_msk_alliance6.csv")
}

/// The alliance's dictionary, built from the statewide file as the demo does.
fn built(folder: &Path) -> Dictionary {
    let mut unpack = Command::new("gzip")
        .arg("-dc")
        .arg(folder.join("sparcs_2020_msk_unified.csv.gz"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut text = Vec::new();
    unpack
        .stdout
        .take()
        .unwrap()
        .read_to_end(&mut text)
        .unwrap();
    assert!(unpack.wait().unwrap().success());
    let columns = Discharges {
        group: "apr_drg".to_owned(),
        name: None,
        cost: "total_costs".to_owned(),
        charge: Some("total_charges".to_owned()),
        stay: "los".to_owned(),
        mdc_column: None,
        mdc: "08".to_owned(),
    };
    let (groups, rows) = columns.read(text.as_slice(), b',').unwrap();
    assert_eq!(rows, 36_631);
    Plan::parse(SPARCS)
        .unwrap()
        .build(&slug("trial"), groups)
        .unwrap()
}

fn oracle() -> Value {
    serde_json::from_str(ORACLE).unwrap()
}

fn hospitals() -> Vec<String> {
    oracle()["hospital"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect()
}

/// A node that holds its hospital's released stays.
async fn node(
    folder: &Path,
    home: &Path,
    id: &str,
    dictionary: &Dictionary,
    noise: Box<dyn Source>,
) -> Arc<App> {
    let mut config = Config::new(slug(id));
    config.data = home.join(id);
    std::fs::create_dir(&config.data).unwrap();
    let state = State::open(&config.data).await.unwrap();
    dictionaries::accept(&state, dictionary, false, NOW)
        .await
        .unwrap();
    let request = Request {
        from: file(folder).into(),
        mapping: Mapping::parse(MAPPING).unwrap(),
        only: vec![("facility_key".to_owned(), id.to_owned())],
        history: true,
        whole: false,
        rates: node::ingest::costed::RateBook::default(),
        crosswalks: node::ingest::crosswalk::Crosswalks::default(),
    };
    let summary = load::load(&state, &config, NOW, &request, &|_| {})
        .await
        .unwrap();
    assert_eq!((summary.refused, summary.unknown_groups), (0, 0), "{id}");
    let by = SignOff {
        officer: "Li Hua",
        accept_grade_d: true,
        gate: None,
        at: NOW,
    };
    release::release(&state, &config.data, None, &by)
        .await
        .unwrap();
    officers::seat_under(&config, &state, &rules(), NOW).await;
    officers::stand(&config, &state, &rules(), NOW).await;
    let (data, hospital) = (&config.data, &config.hospital);
    let standing = Standing::open(&state, data, hospital, &rules(), NOW).await;
    Arc::new(App {
        standing: standing.unwrap(),
        hospital: slug(id),
        data: config.data,
        state,
        dictionary: dictionary.clone(),
        floors: rules(),
        policy: rules(),
        signer: Signer::generate().unwrap().0,
        noise,
        cache: Arc::default(),
        engine: None,
        threads: 1,
        clock: Clock::Fixed(NOW),
        watch: |_| {},
    })
}

fn year() -> Period {
    Period::year(DataYear(2020)).unwrap()
}

/// The signed answer's numbers, by the whole path with charge and ledger.
async fn answered(app: &Arc<App>, asked: &Asked) -> Vec<Option<Vec<i64>>> {
    let charged = answer::reply(app, asked).await.unwrap();
    charged.sealed().open(&app.signer.public()).unwrap().blocks
}
