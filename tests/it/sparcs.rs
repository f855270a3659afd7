//! Real data: six hospitals of the SPARCS 2020 public-use file, each loaded, released and asked on
//! the node's own path. The file is not part of the project; where it is missing these tests say
//! that they did not run.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use coordinator::dictionary::{Discharges, Plan, SPARCS};
use dashu::rational::RBig;
use node::answer::{self, App, Asked};
use node::clock::Clock;
use node::config::Config;
use node::ingest::mapping::Mapping;
use node::load::{self, Request};
use node::noise::{self, Gaussian, Source};
use node::release::{self, SignOff};
use node::snapshot::Cache;
use node::store::dictionaries;
use node::store::state::State;
use policies::figures::benchmark::Benchmark;
use policies::figures::half_up;
use policies::figures::indices::{self, Pair, Total};
use policies::figures::percentile::{self, Bins};
use policies::plan::{Layout, compile};
use policies::template;
use schemas::dictionary::{Dictionary, References};
use schemas::question::{Filter, Measure, Question};
use schemas::seal::Signer;
use schemas::time::{DataYear, Period, Timestamp};
use serde_json::Value;
use tests::fixture::{block, long, question, rules, slug};
use tests::noise::Zero;

use crate::coverage::{Held, World};

const MAPPING: &str = include_str!("../../deploy/mappings/sparcs.toml");
const ORACLE: &str = include_str!("../oracles/sparcs.json");
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

/// References of 1,000 units and the highest cap: a thousandth is a cent or a milli-day, and
/// nothing is capped.
fn lifted(mut dictionary: Dictionary) -> Dictionary {
    dictionary.cap = 1_000_000;
    for group in &mut dictionary.groups {
        group.references = References {
            cost: 1000,
            charge: 1000,
            stay: 1000,
        };
    }
    dictionary
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
        file: file(folder),
        mapping: Mapping::parse(MAPPING).unwrap(),
        only: vec![("facility_key".to_owned(), id.to_owned())],
        history: true,
    };
    let summary = load::load(&state, &config, NOW, &request, &|_| {})
        .await
        .unwrap();
    assert_eq!((summary.refused, summary.unknown_groups), (0, 0), "{id}");
    let by = SignOff {
        officer: "Li Hua",
        accept_grade_d: true,
        at: NOW,
    };
    release::release(&state, &config.data, None, &by)
        .await
        .unwrap();
    Arc::new(App {
        hospital: slug(id),
        data: config.data,
        state,
        dictionary: dictionary.clone(),
        floors: rules(),
        policy: rules(),
        signer: Signer::generate().unwrap().0,
        noise,
        cache: Cache::default(),
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

fn exact_question(dictionary: &Dictionary) -> Question {
    let sum = |field: &str| block(Measure::Sum { field: slug(field) }, "0.01");
    let died = Filter::from([(slug("disposition"), vec!["died".to_owned()])]);
    let whole = vec![
        block(Measure::Count, "0.01"),
        block(Measure::CountWhere { filter: died }, "0.01"),
        sum("cost"),
        sum("charges"),
        sum("los"),
    ];
    let groups = vec![block(Measure::Count, "0.01"), sum("cost"), sum("los")];
    let mut asked = question(&[(&[], whole), (&["case_group"], groups)]);
    asked.dictionary = dictionary.digest().unwrap();
    asked.period = year();
    asked.canonical()
}

/// n, sums, deaths, CMI and indices of the six hospitals equal the expected figures.
#[tokio::test]
async fn exact_figures_equal_the_expected_ones() {
    let Some(folder) = data("exact figures") else {
        return;
    };
    let dictionary = lifted(built(&folder));
    let home = tempfile::tempdir().unwrap();
    let asked = exact_question(&dictionary);
    let layout = compile(&asked, &dictionary, &rules()).unwrap();
    let expected = oracle();
    for id in hospitals() {
        let app = node(&folder, home.path(), &id, &dictionary, Box::new(Zero)).await;
        let asked = Asked {
            question: asked.clone(),
            template: None,
            by_officer: true,
        };
        let blocks = answered(&app, &asked).await;
        let numbers = |by: &[&str], measure: &Measure| {
            let block = layout.find(layout.table_by(by).unwrap(), measure).unwrap();
            blocks[block].clone().unwrap()
        };
        let want = &expected["hospital"][&id];
        let sum = |field: &str| Measure::Sum { field: slug(field) };
        let died = Filter::from([(slug("disposition"), vec!["died".to_owned()])]);
        let whole = [
            (Measure::Count, "n", 1),
            (Measure::CountWhere { filter: died }, "deaths", 1),
            (sum("cost"), "sum_cost_cents", 1),
            (sum("charges"), "sum_charges_cents", 1),
            (sum("los"), "sum_los", 1000),
        ];
        for (measure, name, unit) in whole {
            assert_eq!(
                numbers(&[], &measure),
                [want[name].as_i64().unwrap() * unit],
                "{id} {name}"
            );
        }
        let by_group = ["case_group"];
        let counts = numbers(&by_group, &Measure::Count);
        let (costs, days) = (
            numbers(&by_group, &sum("cost")),
            numbers(&by_group, &sum("los")),
        );
        assert_eq!(counts.last(), Some(&0), "every group is listed");
        let groups = counts.iter().filter(|n| **n > 0).count();
        assert_eq!(Some(groups as u64), want["drg_count"].as_u64(), "{id}");
        figures(want, &dictionary, &counts, &costs, &days);
    }
}

/// Indices against the statewide means, as exact fractions, to six places.
fn figures(want: &Value, dictionary: &Dictionary, counts: &[i64], costs: &[i64], days: &[i64]) {
    let expected = oracle();
    let statewide = &expected["drg"];
    let number = |value: &Value| RBig::from(value.as_u64().unwrap());
    let all = |name: &str| -> RBig {
        let groups = statewide.as_object().unwrap().values();
        groups
            .map(|group| number(&group[name]))
            .fold(RBig::ZERO, |sum, part| sum + part)
    };
    let mean = all("cost_cents") / all("n");
    let (mut weights, mut by_cost, mut by_days) = (Vec::new(), Vec::new(), Vec::new());
    for (place, group) in dictionary.groups.iter().enumerate() {
        let Some(of) = statewide.get(&group.code) else {
            continue;
        };
        let n = RBig::from(counts[place]);
        weights.push((
            number(&of["cost_cents"]) / number(&of["n"]) / &mean,
            n.clone(),
        ));
        let pair = |own: i64, sum: RBig| Pair {
            own: Total {
                sum: RBig::from(own),
                n: n.clone(),
            },
            benchmark: Total {
                sum,
                n: number(&of["n"]),
            },
        };
        by_cost.push(pair(costs[place], number(&of["cost_cents"])));
        by_days.push(pair(
            days[place],
            number(&of["los_days"]) * RBig::from(1000),
        ));
    }
    let found = [
        (
            "cmi",
            indices::cmi(weights.iter().map(|(weight, n)| (weight, n))),
        ),
        ("cost_index", indices::consumption(&by_cost)),
        ("time_index", indices::consumption(&by_days)),
        ("oe_cost", indices::observed_expected(&by_cost)),
    ];
    for (name, figure) in found {
        let text = format!("{:.6}", want[name].as_f64().unwrap());
        assert_eq!(half_up(&figure.unwrap(), 6), text, "{name}");
    }
}

/// The stays of the file: hospital, case group, cost in cents.
fn stays(folder: &Path) -> Vec<(String, String, u64)> {
    let mut reader = csv::Reader::from_path(file(folder)).unwrap();
    let header = reader.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    let (hospital, group, cost) = (at("facility_key"), at("apr_drg"), at("total_costs"));
    let row = |row: csv::StringRecord| {
        let (whole, cents) = row[cost].split_once('.').unwrap();
        assert_eq!(cents.len(), 2);
        (
            row[hospital].to_owned(),
            row[group].to_owned(),
            format!("{whole}{cents}").parse().unwrap(),
        )
    };
    reader.records().map(|found| row(found.unwrap())).collect()
}

/// The six nodes under the real dictionary, asked the yearly benchmark with scripted noise.
struct Alliance {
    _home: tempfile::TempDir,
    apps: Vec<Arc<App>>,
    asked: Asked,
    layout: Layout,
    world: World,
}

impl Alliance {
    async fn open(folder: &Path) -> Self {
        let dictionary = built(folder);
        let home = tempfile::tempdir().unwrap();
        let yearly = template::shipped()
            .into_iter()
            .find(|t| t.id.as_str() == "yearly-benchmark")
            .unwrap();
        let draft = yearly
            .draft(&dictionary, rules().digest().unwrap(), year())
            .unwrap();
        let layout = compile(&draft.question, &dictionary, &rules()).unwrap();
        let asked = Asked {
            question: draft.question,
            template: Some(yearly.reference()),
            by_officer: false,
        };
        let rows = stays(folder);
        let (mut apps, mut held) = (Vec::new(), Vec::new());
        for id in hospitals() {
            let app = node(folder, home.path(), &id, &dictionary, Box::new(Zero)).await;
            let blocks = answered(&app, &asked).await;
            let of = |code: &String| -> Vec<f64> {
                let own = rows.iter().filter(|row| row.0 == id && row.1 == *code);
                own.map(|row| row.2 as f64).collect()
            };
            held.push(Held {
                id: slug(&id),
                exact: blocks.into_iter().map(Option::unwrap).collect(),
                costs: dictionary
                    .groups
                    .iter()
                    .map(|group| of(&group.code))
                    .collect(),
            });
            apps.push(app);
        }
        let world = World {
            dictionary,
            layout: layout.clone(),
            rules: rules(),
            hospitals: held,
        };
        Self {
            _home: home,
            apps,
            asked,
            layout,
            world,
        }
    }

    /// The benchmark without noise; its intervals are those of the noise that would be drawn.
    fn exact(&self) -> Benchmark {
        let blocks = self
            .world
            .hospitals
            .iter()
            .map(|held| held.exact.iter().cloned().map(Some).collect());
        self.world.benchmark(blocks.collect()).1
    }
}

/// 200 draws of the node's own noise on a fresh scan each: the true value of each shown figure lies
/// in its 95 % noise interval as often as it says.
#[tokio::test]
async fn intervals_cover_on_real_data() {
    let Some(folder) = data("coverage on SPARCS") else {
        return;
    };
    let alliance = Alliance::open(&folder).await;
    let mut released = Vec::new();
    for app in &alliance.apps {
        released.push(answer::bind(app, &alliance.asked).await.unwrap().released);
    }
    let runs = if long() { 1000 } else { 200 };
    let tally = alliance.world.cover(runs, |at| {
        let exact = answer::exact(&alliance.apps[at], &alliance.layout, &released[at]).unwrap();
        noise::add(&alliance.layout, exact, &Gaussian, 1)
            .unwrap()
            .into_blocks()
    });
    tally.judge(&format!("SPARCS, six hospitals, {runs} runs"));
}

/// Share of capped stays and effect of the cap, in the JSON and on the page, against the file.
#[tokio::test]
async fn the_report_says_what_the_cap_does() {
    let Some(folder) = data("the cap in the report") else {
        return;
    };
    let alliance = Alliance::open(&folder).await;
    let found = alliance.exact();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sparcs-report");
    let files = coordinator::report::write(&target, &found).unwrap();
    let read = |end: &str| {
        let file = files
            .iter()
            .find(|file| file.extension().is_some_and(|e| e == end))
            .unwrap();
        std::fs::read_to_string(file).unwrap()
    };
    let (json, page): (Value, String) =
        (serde_json::from_str(&read("json")).unwrap(), read("html"));
    let references: std::collections::BTreeMap<&str, u64> = {
        let groups = alliance.world.dictionary.groups.iter();
        groups
            .map(|group| (group.code.as_str(), group.references.cost))
            .collect()
    };
    let rows = stays(&folder);
    let truth = |hospital: Option<&str>| {
        let own = rows
            .iter()
            .filter(|row| hospital.is_none_or(|id| id == row.0));
        let (mut n, mut capped, mut above) = (0_u64, 0_u64, 0.0);
        for (_, group, cost) in own {
            let reference = references[group.as_str()];
            n += 1;
            // Bins are of thousandths of the reference, rounded half up.
            capped += u64::from((2000 * cost + reference) / (2 * reference) >= 3000);
            above += (*cost as f64 / reference as f64 - 3.0).max(0.0);
        }
        (RBig::from(capped) / RBig::from(n), above / n as f64)
    };
    let check = |figures: &Value, hospital: Option<&str>| {
        let (share, above) = truth(hospital);
        let value = figures["all"]["capped_share"]["value"].as_str().unwrap();
        assert_eq!(value, half_up(&share, 4), "{hospital:?}");
        let percent: f64 = value.parse::<f64>().unwrap() * 100.0;
        assert!(page.contains(&format!("{percent:.2}\u{a0}%")), "{percent}");
        let effect = &figures["all"]["above_cap"];
        let value = effect["value"].as_str().unwrap();
        assert!(page.contains(value), "{value}");
        // Estimated from bins a fifth wide: within a quarter, or two hundredths of the reference.
        let estimate: f64 = value.parse().unwrap();
        println!(
            "{}: capped {percent:.2} %, above the cap {estimate} (true {above:.4}), interval {} - {}",
            hospital.unwrap_or("alliance"),
            effect["noise"]["low"],
            effect["noise"]["high"]
        );
        assert!(
            (estimate - above).abs() <= (above / 4.0).max(0.02),
            "{estimate} {above}"
        );
    };
    check(&json["total"], None);
    for hospital in json["hospitals"].as_array().unwrap() {
        check(&hospital["totals"], hospital["id"].as_str());
    }
    assert!(page.contains("封顶影响") && page.contains("封顶病例占比"));
}

/// Nearest-rank and type-7 percentiles of three case groups of the six hospitals together lie in
/// the intervals that are published, and in the one bin that an exact histogram gives.
#[tokio::test]
async fn percentiles_lie_in_their_intervals() {
    let Some(folder) = data("percentiles of SPARCS") else {
        return;
    };
    let alliance = Alliance::open(&folder).await;
    let found = alliance.exact();
    let dictionary = &alliance.world.dictionary;
    assert_eq!(dictionary.bin_edges.len(), 32);
    let table = alliance.layout.table_by(&["case_group"]).unwrap();
    let histogram = Measure::Histogram {
        field: slug("cost"),
    };
    let block = alliance.layout.find(table, &histogram).unwrap();
    let expected = oracle();
    let mut published = 0;
    for (code, want) in expected["quantiles_drg"].as_object().unwrap() {
        let group = dictionary
            .groups
            .iter()
            .position(|group| group.code == *code)
            .unwrap();
        let reference = dictionary.groups[group].references.cost as f64;
        let count = |bin: usize| -> i64 {
            let each = alliance.world.hospitals.iter();
            each.map(|held| held.exact[block][group * 32 + bin]).sum()
        };
        let counts: Vec<f64> = (0..32).map(|bin| count(bin) as f64).collect();
        assert_eq!(Some(counts.iter().sum::<f64>()), want["n"].as_f64());
        let edges = dictionary
            .bin_edges
            .iter()
            .map(|edge| f64::from(*edge))
            .collect();
        let bins = Bins {
            edges,
            counts,
            sigma: 1e-9,
            stays: want["n"].as_f64().unwrap(),
        };
        let row = &found.splits[0].rows[group].alliance.percentiles;
        for ((percent, p), said) in [("25", 0.25), ("50", 0.5), ("75", 0.75), ("90", 0.9)]
            .into_iter()
            .zip(row.all())
        {
            let exact = percentile::quantile(&bins, p).unwrap();
            for rule in ["nearest_rank", "linear_type7"] {
                let cents = want[rule][percent].as_f64().unwrap();
                // Half a thousandth of the reference: amounts are rounded before they are binned.
                let at = 1000.0 * cents / reference;
                assert!(
                    exact.low <= at + 0.5 && at - 0.5 <= exact.high.unwrap(),
                    "{code} P{percent} {rule}"
                );
                if let Some(figure) = said.value() {
                    published += 1;
                    let end = |text: &str| text.parse::<f64>().unwrap();
                    let high = figure.noise.high.as_deref().map_or(f64::INFINITY, end);
                    assert!(
                        end(&figure.noise.low) <= cents / 100.0 && cents / 100.0 <= high,
                        "{code} P{percent}"
                    );
                }
            }
        }
    }
    // P90 needs 100 σ of the noise; the other three are published for all three groups.
    assert!(published >= 18, "{published}");
}
