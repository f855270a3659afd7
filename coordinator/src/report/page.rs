//! The HTML page: one file, no script, nothing loaded from elsewhere.

use askama::Template;
use policies::figures::Benchmark;
use policies::figures::benchmark::{Hospital, Row, Split};

use super::ReportError;
use super::chart;
use super::words::{Dress, Shown, shown, status};

/// Most groups in the page's tables; all are in the CSV and JSON files.
const MOST_ROWS: usize = 400;
/// Groups in the table of hospitals against groups.
const MOST_COMPARED: usize = 40;

#[derive(Template)]
#[template(path = "benchmark.html")]
struct Page<'a> {
    of: &'a Benchmark,
    answered: usize,
    missing: Vec<Missing>,
    totals: Vec<TotalRow>,
    hospitals: Vec<HospitalRow>,
    structure: Vec<Line>,
    cost_index: String,
    structure_chart: String,
    capped_chart: String,
    splits: Vec<SplitView<'a>>,
}

struct Missing {
    id: String,
    why: &'static str,
}

struct TotalRow {
    zh: &'static str,
    en: &'static str,
    figure: Shown,
}

struct HospitalRow {
    id: String,
    grade: String,
    newest: String,
    gaps: String,
    answer: String,
    releases: String,
    rank: String,
    figures: Vec<Shown>,
}

struct Line {
    code: String,
    zh: String,
    en: String,
    figures: Vec<Shown>,
}

struct SplitView<'a> {
    zh: &'a str,
    en: &'a str,
    in_money: bool,
    shown: usize,
    all: usize,
    file: String,
    chart: String,
    rows: Vec<Line>,
    compared: Vec<Line>,
    hospitals: Vec<&'a str>,
}

pub(super) fn render(benchmark: &Benchmark) -> Result<Vec<u8>, ReportError> {
    let hospitals = &benchmark.hospitals;
    let missing = hospitals.iter().filter(|h| h.data.value().is_none());
    let missing: Vec<Missing> = missing
        .map(|hospital| Missing {
            id: hospital.id.to_string(),
            why: status(&hospital.data),
        })
        .collect();
    let page = Page {
        of: benchmark,
        answered: hospitals.len().saturating_sub(missing.len()),
        missing,
        totals: totals(benchmark),
        hospitals: hospitals.iter().map(hospital_row).collect(),
        structure: structure(benchmark),
        cost_index: chart::cost_index(benchmark),
        structure_chart: chart::structure(benchmark),
        capped_chart: chart::capped(benchmark),
        splits: benchmark
            .splits
            .iter()
            .map(|split| split_view(benchmark, split))
            .collect(),
    };
    let text = page.render().map_err(|_| ReportError::Form("HTML"))?;
    Ok(text.into_bytes())
}

fn totals(benchmark: &Benchmark) -> Vec<TotalRow> {
    let (total, all) = (&benchmark.total, &benchmark.total.all);
    let row = |zh, en, figure, dress| TotalRow {
        zh,
        en,
        figure: shown(figure, dress),
    };
    vec![
        row("病例数", "Stays", &all.stays, Dress::Number),
        row(
            "封顶总费用",
            "Capped cost, total",
            &all.total_cost,
            Dress::Number,
        ),
        row(
            "封顶均次费用",
            "Capped mean cost",
            &all.mean_cost,
            Dress::Number,
        ),
        row(
            "变异系数",
            "Coefficient of variation",
            &all.variation,
            Dress::Number,
        ),
        row(
            "平均住院日",
            "Mean length of stay, days",
            &all.mean_stay,
            Dress::Number,
        ),
        row(
            "封顶病例占比",
            "Share of capped stays",
            &all.capped_share,
            Dress::Percent,
        ),
        row(
            "封顶使均值降低（参考值的倍数）",
            "What the cap takes off the mean, multiples of the reference",
            &all.above_cap,
            Dress::Number,
        ),
        row(
            "病例组合指数 CMI",
            "Case mix index",
            &total.cmi,
            Dress::Number,
        ),
        row(
            "费用消耗指数（对参考值）",
            "Cost index, against reference",
            &total.cost_index.reference,
            Dress::Number,
        ),
        row(
            "时间消耗指数（对参考值）",
            "Time index, against reference",
            &total.time_index.reference,
            Dress::Number,
        ),
    ]
}

fn hospital_row(hospital: &Hospital) -> HospitalRow {
    let (totals, data) = (&hospital.totals, hospital.data.value());
    let or_status =
        |text: Option<String>| text.unwrap_or_else(|| status(&hospital.data).to_owned());
    let rank = match hospital.rank.value() {
        Some(rank) => match rank.place() {
            Some(place) => format!("{place} / {}", rank.of),
            None => format!(
                "不可区分 not separable ({}–{} / {})",
                rank.first, rank.last, rank.of
            ),
        },
        None => status(&hospital.rank).to_owned(),
    };
    let number = |outcome| shown(outcome, Dress::Number);
    HospitalRow {
        id: hospital.id.to_string(),
        grade: or_status(data.and_then(|d| d.grade).map(|grade| format!("{grade:?}"))),
        newest: or_status(data.and_then(|d| d.newest).map(|month| month.to_string())),
        gaps: or_status(data.map(|d| {
            if d.missing.is_empty() {
                return "无 none".to_owned();
            }
            let months: Vec<String> = d.missing.iter().map(ToString::to_string).collect();
            months.join(" ")
        })),
        answer: data.map_or_else(|| "–".to_owned(), |d| d.answer.short()),
        releases: data.map_or_else(
            || "–".to_owned(),
            |d| {
                let releases: Vec<String> =
                    d.snapshots.iter().map(|s| s.release.to_string()).collect();
                let mut releases = releases;
                releases.dedup();
                releases.join(" ")
            },
        ),
        rank,
        figures: vec![
            number(&totals.all.stays),
            number(&totals.all.mean_cost),
            number(&totals.cmi),
            number(&totals.cost_index.reference),
            number(&totals.cost_index.alliance),
            number(&totals.cost_index.observed_expected),
            number(&totals.time_index.reference),
            number(&totals.time_index.alliance),
            number(&totals.all.mean_stay),
            shown(&totals.all.capped_share, Dress::Percent),
            number(&totals.all.above_cap),
        ],
    }
}

/// Cost items down, alliance and hospitals across.
fn structure(benchmark: &Benchmark) -> Vec<Line> {
    let cells = || {
        let each = benchmark.hospitals.iter().map(|h| &h.totals.all);
        std::iter::once(&benchmark.total.all).chain(each)
    };
    let items = benchmark.items.iter().enumerate();
    items
        .map(|(place, item)| Line {
            code: item.id.to_string(),
            zh: item.label.zh.clone(),
            en: item.label.en.clone(),
            figures: cells()
                .filter_map(|cell| cell.structure.get(place))
                .map(|share| shown(share, Dress::Percent))
                .collect(),
        })
        .collect()
}

fn split_view<'a>(benchmark: &'a Benchmark, split: &'a Split) -> SplitView<'a> {
    let (zh, en) = match split.dimension.as_str() {
        "case_group" => ("病组", "case group"),
        "mdc" => ("主要诊断大类", "major diagnostic category"),
        other => (other, other),
    };
    let rows = chart::biggest(split, MOST_ROWS);
    let compared = chart::biggest(split, MOST_COMPARED);
    SplitView {
        zh,
        en,
        in_money: split.in_money,
        shown: rows.len(),
        all: split.rows.len(),
        file: format!("by-{}.csv", split.dimension),
        chart: chart::boxes(split),
        rows: rows.iter().map(|row| group_line(row)).collect(),
        compared: compared.iter().map(|row| compared_line(row)).collect(),
        hospitals: benchmark.hospitals.iter().map(|h| h.id.as_str()).collect(),
    }
}

fn group_line(row: &Row) -> Line {
    let cell = &row.alliance;
    let mut figures = vec![
        shown(&cell.stays, Dress::Number),
        shown(&cell.mean_cost, Dress::Number),
        shown(&cell.deviation, Dress::Number),
        shown(&cell.variation, Dress::Number),
    ];
    let percentiles = cell.percentiles.all().into_iter();
    figures.extend(percentiles.map(|p| shown(p, Dress::Number)));
    figures.push(shown(&cell.capped_share, Dress::Percent));
    figures.push(shown(&cell.mean_stay, Dress::Number));
    line(row, figures)
}

fn compared_line(row: &Row) -> Line {
    let means = row.hospitals.iter();
    line(
        row,
        means
            .map(|cell| shown(&cell.mean_cost, Dress::Number))
            .collect(),
    )
}

fn line(row: &Row, figures: Vec<Shown>) -> Line {
    Line {
        code: row.code.clone(),
        zh: row.name.zh.clone(),
        en: row.name.en.clone(),
        figures,
    }
}
