//! A small dictionary, and stays as columns.

use std::collections::BTreeMap;

use arrow_buffer::ScalarBuffer;
use node::scan::{Codes, Ready, Rows};
use policies::rules::{DEFAULT, Privacy};
use schemas::dictionary::{
    Dictionary, Dimension, Field, Group, Key, KeySource, Label, Reference, References, Scheme, Unit,
};
use schemas::id::Slug;
use schemas::loss::Rho;
use schemas::question::{Block, Bounds, Dataset, Filter, Measure, Question, Release, Table};
use schemas::time::{Month, Period};

/// A name.
pub fn slug(text: &str) -> Slug {
    text.parse().expect("a plain name")
}

/// A month.
pub fn month(text: &str) -> Month {
    text.parse().expect("a month")
}

fn label(text: &str) -> Label {
    Label {
        zh: text.to_owned(),
        en: text.to_owned(),
    }
}

/// Shipped rules.
pub fn rules() -> Privacy {
    Privacy::parse(DEFAULT).expect("the shipped rules hold")
}

/// The bins of a small dictionary: the cap is an edge.
pub const EDGES: [u32; 8] = [0, 250, 500, 1000, 1500, 2000, 3000, 6000];

/// Four case groups in two MDCs, sex and severity, cost with two items, length of stay.
pub fn dictionary() -> Dictionary {
    let group = |code: &str, mdc: &str, cost, stay| Group {
        code: code.to_owned(),
        name: label(code),
        mdc: mdc.to_owned(),
        weight_micro: cost,
        references: References {
            cost,
            charge: cost * 3,
            stay,
            score: None,
        },
    };
    let keys = |codes: &[&str]| {
        codes
            .iter()
            .map(|code| Key {
                code: (*code).to_owned(),
                label: label(code),
            })
            .collect()
    };
    let dimension = |id: &str, source, codes: &[&str]| Dimension {
        id: slug(id),
        label: label(id),
        source,
        keys: keys(codes),
    };
    let field = |id: &str, unit, reference, required, part_of: Option<&str>| Field {
        id: slug(id),
        label: label(id),
        unit,
        reference,
        most: 4_000_000_000,
        required,
        part_of: part_of.map(slug),
    };
    let dictionary = Dictionary {
        alliance: slug("test"),
        version: 1,
        currency: "CNY".to_owned(),
        scheme: Scheme {
            id: slug("local"),
            version: "1".to_owned(),
        },
        cap: 3,
        max_rows: 10_000_000,
        groups: vec![
            group("AA1", "MDCA", 1_000_000, 5_000),
            group("AB1", "MDCA", 333_333, 3_000),
            group("BA1", "MDCB", 2_345_678, 9_000),
            group("other", "other", 800_000, 6_000),
        ],
        dimensions: vec![
            dimension("case_group", KeySource::CaseGroup, &[]),
            dimension("mdc", KeySource::Mdc, &[]),
            dimension("month", KeySource::Month, &[]),
            dimension("sex", KeySource::Exact, &["f", "m", "other"]),
            dimension("severity", KeySource::Exact, &["1", "3", "5", "other"]),
        ],
        fields: vec![
            field("cost", Unit::Fen, Reference::Cost, true, None),
            field("los", Unit::MilliDay, Reference::Stay, true, None),
            field(
                "cost_drugs",
                Unit::Fen,
                Reference::Cost,
                false,
                Some("cost"),
            ),
            field(
                "cost_staff",
                Unit::Fen,
                Reference::Cost,
                false,
                Some("cost"),
            ),
        ],
        further: Vec::new(),
        bin_edges: EDGES.to_vec(),
    };
    dictionary.check().expect("the fixture holds");
    dictionary
}

/// One stay before it becomes columns.
#[derive(Clone, Debug)]
pub struct Stay {
    /// The patient.
    pub patient: u32,
    /// Settlement month, 0 to 11.
    pub month: u8,
    /// Index of the case group.
    pub group: u16,
    /// Index of the sex key.
    pub sex: u8,
    /// Index of the severity key.
    pub severity: u8,
    /// Fen.
    pub drugs: u32,
    /// Fen.
    pub staff: u32,
    /// Thousandths of a day.
    pub los: u32,
}

/// Ranks as the loader gives them: by order of the list. (The loader's own order is keyed.)
pub fn ranked(stays: &[Stay]) -> Vec<(Stay, [u8; 3])> {
    let mut groups: BTreeMap<u32, Vec<u16>> = BTreeMap::new();
    let mut counts: BTreeMap<(u32, u16), u8> = BTreeMap::new();
    let mut months: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    let mut ranked = Vec::with_capacity(stays.len());
    for stay in stays {
        let known = groups.entry(stay.patient).or_default();
        let group_rank = known
            .iter()
            .position(|group| *group == stay.group)
            .unwrap_or_else(|| {
                known.push(stay.group);
                known.len() - 1
            });
        let stay_rank = counts.entry((stay.patient, stay.group)).or_default();
        let seen = months.entry(stay.patient).or_default();
        let series_rank = if seen.contains(&stay.month) {
            255
        } else {
            seen.push(stay.month);
            u8::try_from(seen.len() - 1).unwrap_or(255)
        };
        let group_rank = u8::try_from(group_rank).unwrap_or(255);
        ranked.push((stay.clone(), [group_rank, *stay_rank, series_rank]));
        *stay_rank = stay_rank.saturating_add(1);
    }
    ranked
}

/// Stays as column batches, one a month of 2025.
pub fn rows(stays: &[Stay]) -> Vec<Rows> {
    let ranked = ranked(stays);
    let batch = |number: u8| {
        let of_month: Vec<&(Stay, [u8; 3])> = ranked
            .iter()
            .filter(|(stay, _)| stay.month == number)
            .collect();
        let column = |value: fn(&Stay) -> u32| -> ScalarBuffer<u32> {
            of_month.iter().map(|(stay, _)| value(stay)).collect()
        };
        let key = |value: fn(&Stay) -> u8| {
            Codes::Narrow(of_month.iter().map(|(stay, _)| value(stay)).collect())
        };
        let rank = |at: usize| -> ScalarBuffer<u8> {
            of_month.iter().map(|(_, ranks)| ranks[at]).collect()
        };
        Rows {
            month: Month::new(2025, number + 1).expect("a month"),
            group: of_month.iter().map(|(stay, _)| stay.group).collect(),
            keys: BTreeMap::from([
                (slug("sex"), key(|stay| stay.sex)),
                (slug("severity"), key(|stay| stay.severity)),
            ]),
            fields: BTreeMap::from([
                (slug("cost"), column(|stay| stay.drugs + stay.staff)),
                (slug("los"), column(|stay| stay.los)),
                (slug("cost_drugs"), column(|stay| stay.drugs)),
                (slug("cost_staff"), column(|stay| stay.staff)),
            ]),
            ready: Ready::default(),
            group_rank: rank(0),
            stay_rank: rank(1),
            series_rank: rank(2),
        }
        .made_ready(&dictionary())
    };
    (0..12).map(batch).filter(|rows| !rows.is_empty()).collect()
}

/// A loss.
pub fn rho(text: &str) -> Rho {
    text.parse().expect("a loss")
}

/// A block.
pub fn block(measure: Measure, loss: &str) -> Block {
    Block {
        measure,
        rho: rho(loss),
    }
}

/// Every measure of a field-bearing table, each at the given loss.
pub fn all_measures(loss: &str) -> Vec<Block> {
    let cost = || slug("cost");
    let filter = Filter::from([(slug("sex"), vec!["f".to_owned()])]);
    [
        Measure::Count,
        Measure::CountWhere { filter },
        Measure::Sum { field: cost() },
        Measure::Sum { field: slug("los") },
        Measure::Relative { field: cost() },
        Measure::Squares { field: cost() },
        Measure::Histogram { field: cost() },
        Measure::Structure { field: cost() },
    ]
    .into_iter()
    .map(|measure| block(measure, loss))
    .collect()
}

/// A question over 2025 with the given tables.
pub fn question(tables: &[(&[&str], Vec<Block>)]) -> Question {
    let table = |(by, blocks): &(&[&str], Vec<Block>)| Table {
        by: by.iter().map(|id| slug(id)).collect(),
        blocks: blocks.clone(),
    };
    Question {
        dataset: Dataset::Stays,
        dictionary: dictionary().digest().expect("a digest"),
        rules: rules().digest().expect("a digest"),
        period: Period {
            from: month("2025-01"),
            to: month("2025-12"),
        },
        filter: Filter::new(),
        tables: tables.iter().map(table).collect(),
        bounds: Bounds {
            groups: 3,
            stays: 1,
        },
        series: None,
        release: Release::Attributed,
        centred: false,
    }
    .canonical()
}

/// Whether the long tier runs (`sh deploy/test.sh --long`).
pub fn long() -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test command chooses the tier"
    )]
    let set = std::env::var("CONSILIUM_LONG");
    set.is_ok_and(|value| value == "1")
}
