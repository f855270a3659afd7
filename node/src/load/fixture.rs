//! A small dictionary, a folder and files for tests.

use schemas::dictionary::{
    Dictionary, Dimension, Field, Group, Key, KeySource, Label, Reference, References, Scheme, Unit,
};

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
        mdc: code[..1].to_owned(),
        weight_micro: 1_000_000,
        references: References {
            cost: 1_000_000,
            charge: 1_500_000,
            stay: 7000,
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
