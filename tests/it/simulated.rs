//! A made-up alliance: 60 case groups, hospitals of different size, and answers that a node would
//! give, with noise from a fixed seed. For tests only.

use policies::plan::{self, BlockLayout, Layout};
use policies::rules::{DEFAULT, Privacy};
use schemas::answer::{Answer, Counted, Grade, Snapshot, Span};
use schemas::dictionary::{
    Dictionary, Dimension, Field, Group, KeySource, Label, Reference, References, Scheme, Unit,
};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::outcome::Reason;
use schemas::question::{Block, Bounds, Dataset, Measure, Question, Release, Table};
use schemas::time::{DataYear, Period};

pub(crate) fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

fn label(zh: &str, en: &str) -> Label {
    Label {
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}

/// SplitMix64.
pub(crate) struct Source(pub(crate) u64);

impl Source {
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let high = u32::try_from((z ^ (z >> 31)) >> 32).unwrap();
        f64::from(high) / 4_294_967_296.0
    }

    pub(crate) fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.uniform(), self.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }
}

const NAMES: [(&str, &str, &str); 12] = [
    ("B", "脑缺血性疾患", "Cerebral ischaemia"),
    ("E", "呼吸系统感染", "Respiratory infection"),
    ("F", "经皮冠状动脉支架植入", "Coronary stent"),
    ("F", "心力衰竭、休克", "Heart failure and shock"),
    ("G", "阑尾切除术", "Appendectomy"),
    ("G", "食管、胃、十二指肠溃疡", "Peptic ulcer"),
    ("H", "胆囊切除术", "Cholecystectomy"),
    ("I", "髋、膝关节置换术", "Hip and knee replacement"),
    ("I", "骨折、脱位", "Fractures and dislocations"),
    ("K", "糖尿病", "Diabetes"),
    ("L", "肾功能不全", "Renal failure"),
    ("O", "剖宫产术", "Caesarean section"),
];

pub(crate) fn dictionary() -> Dictionary {
    let ends = [
        ("1", "伴严重并发症", "with MCC"),
        ("3", "伴并发症", "with CC"),
        ("5", "不伴并发症", "without"),
        ("9", "未细分", "undivided"),
        ("A", "合并", "merged"),
    ];
    let mut groups = Vec::new();
    for (n, (mdc, zh, en)) in NAMES.iter().enumerate() {
        for (k, (end, zh_end, en_end)) in ends.iter().enumerate() {
            let scale = 1.0 + 0.37 * n as f64;
            let cost = 600_000.0 * scale * (1.6 - 0.2 * k as f64);
            groups.push(Group {
                code: format!("{mdc}{}{}{end}", ['B', 'R'][n % 2], n % 10),
                name: label(&format!("{zh}，{zh_end}"), &format!("{en}, {en_end}")),
                mdc: (*mdc).to_owned(),
                weight_micro: (cost / 1.2) as u64,
                references: References {
                    cost: cost as u64,
                    charge: (cost * 1.3) as u64,
                    stay: (4000.0 + 700.0 * scale) as u64,
                    score: None,
                },
            });
        }
    }
    let last = groups.last_mut().unwrap();
    last.code = "other".to_owned();
    last.mdc = "Z".to_owned();
    last.name = label("其他", "Other");
    let derived = |id: &str, source| Dimension {
        id: slug(id),
        label: label(id, id),
        source,
        keys: Vec::new(),
    };
    let field = |id: &str, zh: &str, en: &str, unit, reference, part_of: Option<&str>| Field {
        id: slug(id),
        label: label(zh, en),
        unit,
        reference,
        most: 4_000_000_000,
        required: part_of.is_none(),
        part_of: part_of.map(slug),
    };
    let item = |id, zh, en| field(id, zh, en, Unit::Fen, Reference::Cost, Some("cost"));
    let mut bin_edges = vec![0];
    bin_edges.extend((0..30).map(|k| (100.0 * 1.17_f64.powi(k)) as u32));
    bin_edges.retain(|edge| *edge != 3000);
    bin_edges.push(3000);
    bin_edges.push(20_000);
    bin_edges.sort_unstable();
    let dictionary = Dictionary {
        alliance: slug("east-lake"),
        version: 1,
        currency: "CNY".to_owned(),
        scheme: Scheme {
            id: slug("chs-drg"),
            version: "1.1".to_owned(),
        },
        cap: 3,
        max_rows: 10_000_000,
        groups,
        dimensions: vec![
            derived("case_group", KeySource::CaseGroup),
            derived("mdc", KeySource::Mdc),
            derived("month", KeySource::Month),
        ],
        fields: vec![
            field("cost", "成本", "Cost", Unit::Fen, Reference::Cost, None),
            item("staff", "人员经费", "Staff"),
            item("supplies", "卫生材料费", "Supplies"),
            item("drugs", "药品费", "Drugs"),
            item("depreciation", "固定资产折旧费", "Depreciation"),
            item("intangible", "无形资产摊销费", "Intangibles"),
            item("risk", "提取医疗风险基金", "Risk fund"),
            item("running", "其他运行费用", "Other running"),
            field(
                "los",
                "住院日",
                "Length of stay",
                Unit::MilliDay,
                Reference::Stay,
                None,
            ),
        ],
        further: Vec::new(),
        bin_edges,
    };
    dictionary.check().unwrap();
    dictionary
}

fn blocks(list: &[(Measure, &str)]) -> Vec<Block> {
    let block = |(measure, rho): &(Measure, &str)| Block {
        measure: measure.clone(),
        rho: rho.parse().unwrap(),
    };
    list.iter().map(block).collect()
}

fn measures() -> [Measure; 8] {
    let (cost, los) = (slug("cost"), slug("los"));
    [
        Measure::Count,
        Measure::Sum {
            field: cost.clone(),
        },
        Measure::Sum { field: los.clone() },
        Measure::Relative {
            field: cost.clone(),
        },
        Measure::Relative { field: los },
        Measure::Squares {
            field: cost.clone(),
        },
        Measure::Histogram {
            field: cost.clone(),
        },
        Measure::Structure { field: cost },
    ]
}

/// A yearly benchmark by case group, or a monthly one by MDC.
pub(crate) fn layout(dictionary: &Dictionary, rules: &Privacy, monthly: bool) -> Layout {
    let [
        count,
        sum,
        days,
        cost_index,
        time_index,
        squares,
        bins,
        items,
    ] = measures();
    let (by, table) = if monthly {
        (
            "mdc",
            blocks(&[(count.clone(), "0.02"), (sum.clone(), "0.02")]),
        )
    } else {
        let list = [
            (count.clone(), "0.06"),
            (sum.clone(), "0.10"),
            (days.clone(), "0.03"),
            (squares, "0.04"),
            (bins, "0.06"),
            (items.clone(), "0.02"),
        ];
        ("case_group", blocks(&list))
    };
    let whole = blocks(&[
        (count, "0.01"),
        (sum, "0.01"),
        (days, "0.01"),
        (cost_index, "0.02"),
        (time_index, "0.02"),
        (items, "0.02"),
    ]);
    let question = Question {
        dataset: Dataset::Stays,
        dictionary: dictionary.digest().unwrap(),
        rules: rules.digest().unwrap(),
        period: Period::year(DataYear(2025)).unwrap(),
        filter: std::collections::BTreeMap::new(),
        tables: vec![
            Table {
                by: Vec::new(),
                blocks: whole,
            },
            Table {
                by: vec![slug(by)],
                blocks: table,
            },
        ],
        bounds: Bounds {
            groups: 3,
            stays: 1,
        },
        series: None,
        release: Release::Attributed,
        centred: true,
    };
    plan::compile(&question.canonical(), dictionary, rules).unwrap()
}

pub(crate) fn rules() -> Privacy {
    Privacy::parse(DEFAULT).unwrap()
}

/// One stay: case group, cost in fen, stay in milli-days.
pub(crate) type Stay = (usize, f64, f64);

/// The stays of a hospital with a price level.
pub(crate) fn stays(
    dictionary: &Dictionary,
    n: usize,
    level: f64,
    source: &mut Source,
) -> Vec<Stay> {
    (0..n)
        .map(|_| {
            let pick = source.uniform() * source.uniform();
            let group = (pick * dictionary.groups.len() as f64) as usize;
            let r = &dictionary.groups[group].references;
            let cost = r.cost as f64 * level * (0.55 * source.normal() - 0.15).exp();
            let days = r.stay as f64 * level.sqrt() * (0.5 * source.normal() - 0.12).exp();
            (group, cost, days)
        })
        .collect()
}

/// The exact blocks of these stays.
pub(crate) fn exact(layout: &Layout, dictionary: &Dictionary, stays: &[Stay]) -> Vec<Vec<i64>> {
    let shares = [0.34, 0.27, 0.2, 0.09, 0.01, 0.01, 0.08];
    let mdcs = dictionary.mdcs();
    let block = |block: &BlockLayout| {
        let width = block.width as usize;
        let mut cells = vec![0_i64; layout.numbers(block)];
        let table = layout.table_of(block).unwrap();
        let less = i64::from(block.centre);
        for (group, cost, days) in stays {
            let of = &dictionary.groups[*group];
            let cell = match table.axes.first().map(|axis| axis.dimension.as_str()) {
                Some("case_group") => *group,
                Some("mdc") => mdcs.binary_search(&of.mdc.as_str()).unwrap(),
                _ => 0,
            };
            let scaled = |field: &Slug, own: bool| {
                let (value, kind, r) = if field.as_str() == "cost" {
                    (*cost, 0, of.references.cost)
                } else {
                    (*days, 2, of.references.stay)
                };
                let unit = if own {
                    r
                } else {
                    table.cell_references[kind][*group]
                };
                (1000.0 * value.min(3.0 * r as f64) / unit as f64).round() as i64
            };
            let start = cell * width;
            match &block.measure {
                Measure::Count | Measure::CountWhere { .. } => cells[start] += 1,
                Measure::Sum { field } => cells[start] += scaled(field, false) - less,
                Measure::Relative { field } => cells[start] += scaled(field, true) - less,
                Measure::Squares { field } => cells[start] += (scaled(field, false) - less).pow(2),
                Measure::Histogram { .. } => {
                    let at = 1000.0 * cost / of.references.cost as f64;
                    let edges = &dictionary.bin_edges;
                    let bin = edges.partition_point(|edge| f64::from(*edge) <= at) - 1;
                    cells[start + bin] += 1;
                }
                Measure::Structure { field } => {
                    for (item, share) in shares.iter().enumerate() {
                        cells[start + item] += (scaled(field, false) as f64 * share) as i64;
                    }
                }
            }
        }
        cells
    };
    layout.blocks.iter().map(block).collect()
}

/// An answer with noise.
pub(crate) fn answer(layout: &Layout, id: &str, exact: &[Vec<i64>], source: &mut Source) -> Answer {
    let pairs = layout.blocks.iter().zip(exact);
    let blocks = pairs.map(|(block, cells)| {
        let sigma = block.sigma.as_f64();
        let noisy = |cell: &i64| cell + (sigma * source.normal()).round() as i64;
        Some(cells.iter().map(noisy).collect())
    });
    Answer {
        question: layout.question,
        hospital: slug(id),
        snapshots: layout
            .period
            .months()
            .into_iter()
            .map(|month| Snapshot {
                month,
                release: 1,
                grade: if month.number() == 5 {
                    Grade::B
                } else {
                    Grade::A
                },
                counted: Counted::Patient,
                span: Span::Month,
                pilot: false,
            })
            .collect(),
        mechanism: layout.digest().unwrap(),
        policy: Digest::ZERO,
        blocks: blocks.collect(),
    }
}

/// Hospitals that answered, with their true stays, and one that is late.
pub(crate) fn replies(
    layout: &Layout,
    dictionary: &Dictionary,
    seed: u64,
) -> Vec<(Slug, Result<Answer, Reason>)> {
    let mut source = Source(seed);
    let hospitals = [
        ("first-people", 21_000, 1.08),
        ("second-people", 12_000, 1.02),
        ("central", 9000, 0.97),
        ("maternity", 5200, 0.93),
        ("county", 3100, 0.88),
        ("township", 700, 0.9),
    ];
    let mut replies: Vec<(Slug, Result<Answer, Reason>)> = hospitals
        .iter()
        .map(|(id, n, level)| {
            let stays = stays(dictionary, *n, *level, &mut source);
            let exact = exact(layout, dictionary, &stays);
            (slug(id), Ok(answer(layout, id, &exact, &mut source)))
        })
        .collect();
    replies.push((slug("riverside"), Err(Reason::Late)));
    replies
}
