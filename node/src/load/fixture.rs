//! A small dictionary, a folder and files for tests.

use std::path::PathBuf;

use schemas::dictionary::{
    Dictionary, Dimension, Field, Group, Key, KeySource, Label, Reference, References, Scheme, Unit,
};
use schemas::time::Timestamp;

use super::{LoadError, Request, Summary, load};
use crate::config::Config;
use crate::ingest::costed::RateBook;
use crate::ingest::mapping::Mapping;
use crate::store::dictionaries;
use crate::store::state::State;

fn label(text: &str) -> Label {
    Label {
        zh: text.to_owned(),
        en: text.to_owned(),
    }
}

fn group(code: &str) -> Group {
    Group {
        code: code.to_owned(),
        name: label(code),
        mdc: code.chars().take(1).collect(),
        weight_micro: 1_000_000,
        references: References {
            cost: 1_000_000,
            charge: 1_500_000,
            stay: 7000,
            score: None,
        },
    }
}

fn dimension(id: &str, source: KeySource, keys: &[&str]) -> Dimension {
    let key = |code: &&str| Key {
        code: (*code).to_owned(),
        label: label(code),
    };
    Dimension {
        id: id.parse().unwrap(),
        label: label(id),
        source,
        keys: keys.iter().map(key).collect(),
    }
}

fn field(id: &str, unit: Unit, most: u32, required: bool, part_of: Option<&str>) -> Field {
    let reference = match unit {
        Unit::Fen => Reference::Cost,
        Unit::MilliDay => Reference::Stay,
        Unit::CentiPoint => Reference::Score,
    };
    Field {
        id: id.parse().unwrap(),
        label: label(id),
        unit,
        reference,
        most,
        required,
        part_of: part_of.map(|whole| whole.parse().unwrap()),
    }
}

/// Three groups, four stored dimensions, cost of two items, charges, length of stay.
pub(crate) fn dictionary() -> Dictionary {
    let money = 100_000_000;
    let dictionary = Dictionary {
        alliance: "trial".parse().unwrap(),
        version: 1,
        currency: "CNY".to_owned(),
        scheme: Scheme {
            id: "chs-drg".parse().unwrap(),
            version: "1.1".to_owned(),
        },
        cap: 3,
        max_rows: 10_000_000,
        groups: vec![group("FR19"), group("GD15"), group("ES35"), group("other")],
        dimensions: vec![
            dimension("case_group", KeySource::CaseGroup, &[]),
            dimension("mdc", KeySource::Mdc, &[]),
            dimension("month", KeySource::Month, &[]),
            dimension("sex", KeySource::Exact, &["male", "female", "other"]),
            dimension(
                "age_band",
                KeySource::Bands,
                &["0-4", "60-64", "65-69", "90+", "other"],
            ),
            dimension(
                "district",
                KeySource::Prefix { chars: 4 },
                &["3301", "3302", "other"],
            ),
            dimension(
                "insurance",
                KeySource::Exact,
                &["employee", "resident", "other"],
            ),
        ],
        fields: vec![
            field("cost", Unit::Fen, money, true, None),
            field("charges", Unit::Fen, money, false, None),
            field("los", Unit::MilliDay, 365_000, true, None),
            field("cost_staff", Unit::Fen, money, false, Some("cost")),
            field("cost_drugs", Unit::Fen, money, false, Some("cost")),
        ],
        further: Vec::new(),
        bin_edges: vec![0, 500, 1000, 3000],
    };
    dictionary.check().unwrap();
    dictionary
}

/// A mapping for [`HEADER`].
pub(crate) const MAPPING: &str = r#"
dataset = "stays"
patient = { column = "patient_id" }
settlement = "settlement_no"
[time]
format = "YYYY-MM-DD"
discharge = "discharge_date"
admission = "admission_date"
[case_group]
columns = ["drg"]
[dimensions]
sex = { column = "sex", values = { "1" = "male", "2" = "female" } }
age_band = { birth_date = "birth_date" }
district = { column = "district" }
insurance = { column = "insurance" }
[fields]
cost = { column = "total_cost", unit = "yuan" }
los = { from_dates = true }
cost_staff = { column = "cost_staff", unit = "yuan" }
cost_drugs = { column = "cost_drugs", unit = "yuan" }
"#;

/// Columns of the test files.
pub(crate) const HEADER: &str = "settlement_no,patient_id,name,sex,birth_date,admission_date,\
                                 discharge_date,insurance,district,drg,total_cost,cost_staff,cost_drugs";

/// A sound row.
pub(crate) fn row(settlement: &str, patient: &str, month: &str, drg: &str) -> String {
    format!(
        "{settlement},{patient},张三,1,1960-05-05,{month}-01,{month}-04,employee,330102,{drg},\
         100.50,60.25,40.25"
    )
}

/// A node in a folder of its own, with the dictionary accepted.
pub(crate) struct Trial {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) state: State,
    pub(crate) config: Config,
}

/// 2025-07-01, the time of every test.
pub(crate) const NOW: Timestamp = Timestamp(1_751_328_000);

impl Trial {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::new("h1".parse().unwrap());
        config.data = folder.path().join("node");
        std::fs::create_dir(&config.data).unwrap();
        let state = State::open(&config.data).await.unwrap();
        dictionaries::accept(&state, &dictionary(), false, NOW)
            .await
            .unwrap();
        Self {
            folder,
            state,
            config,
        }
    }

    /// A request for a file of these rows.
    pub(crate) fn request(&self, name: &str, rows: &[String]) -> Request {
        let file = self.folder.path().join(name);
        std::fs::write(&file, format!("{HEADER}\n{}\n", rows.join("\n"))).unwrap();
        Request {
            from: file.into(),
            mapping: Mapping::parse(MAPPING).unwrap(),
            only: Vec::new(),
            history: false,
            whole: false,
            rates: RateBook::default(),
            crosswalks: crate::ingest::crosswalk::Crosswalks::default(),
        }
    }

    pub(crate) async fn load(&self, name: &str, rows: &[String]) -> Result<Summary, LoadError> {
        let request = self.request(name, rows);
        load(&self.state, &self.config, NOW, &request, &|_| {}).await
    }

    /// Every byte below the data folder, by file.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut folders = vec![self.config.data.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let bytes = std::fs::read(&path).unwrap();
                    found.push((path, bytes));
                }
            }
        }
        found
    }
}
