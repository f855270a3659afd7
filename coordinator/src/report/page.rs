//! The HTML page: one file, no script, nothing loaded from elsewhere.

use askama::Template;
use policies::figures::Benchmark;
use policies::figures::benchmark::{Asked, Figure, Hospital, Kind};
use schemas::id::Slug;
use schemas::outcome::Outcome;

use super::ReportError;
use super::chart;
use super::columns::{Column, Summed, columns, has, of_hospitals_only, pooled};
use super::split::{SplitView, split_view};
use super::words::{Dress, Shown, by_year, counted, graded, newest, shown, status};

#[derive(Template)]
#[template(path = "benchmark.html")]
struct Page<'a> {
    of: &'a Benchmark,
    answered: usize,
    missing: Vec<Missing>,
    /// Hospitals that are not in the sums of the pooled round.
    not_summed: Vec<&'a str>,
    period: String,
    by_year: Vec<&'a str>,
    totals: Vec<TotalRow>,
    /// Some total can have a sampling interval.
    sampled: bool,
    /// Some figure can have an improved value beside it, in the files.
    improved: bool,
    columns: Vec<Column>,
    hospitals: Vec<HospitalRow>,
    structure: Vec<Line>,
    /// The hospitals that tell their own structure.
    structured: Vec<&'a str>,
    cost_index: Option<Chart>,
    structure_chart: String,
    capped_chart: Option<Chart>,
    /// No hospital tells its own share of capped stays.
    capped_pooled: bool,
    splits: Vec<SplitView<'a>>,
}

/// A chart, and what its caption may promise.
pub(super) struct Chart {
    pub(super) svg: String,
    /// Some sampling interval, or P90, is drawn.
    pub(super) further: bool,
}

struct Missing {
    id: String,
    why: &'static str,
}

pub(super) struct TotalRow {
    pub(super) zh: &'static str,
    pub(super) en: &'static str,
    pub(super) figure: Shown,
    pub(super) unit: String,
    /// How it was obtained and of how many hospitals, where the report holds both ways.
    obtained: String,
}

struct HospitalRow {
    id: String,
    grade: String,
    counted: &'static str,
    newest: String,
    gaps: String,
    answer: String,
    releases: String,
    rank: String,
    figures: Vec<Shown>,
}

pub(super) struct Line {
    pub(super) code: String,
    pub(super) zh: String,
    pub(super) en: String,
    pub(super) figures: Vec<Shown>,
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
    let asked = &benchmark.asked;
    let whole_years = hospitals
        .iter()
        .filter(|h| h.data.value().is_some_and(by_year));
    let by_year: Vec<&str> = whole_years.map(|hospital| hospital.id.as_str()).collect();
    let answered = hospitals.len().saturating_sub(missing.len());
    let page = Page {
        of: benchmark,
        period: period(benchmark, !by_year.is_empty() && by_year.len() == answered),
        by_year,
        columns: hospital_columns(asked),
        answered,
        missing,
        not_summed: not_summed(benchmark),
        totals: totals(benchmark),
        sampled: asked.iter().any(|asked| asked.sampling),
        improved: benchmark
            .splits
            .iter()
            .flat_map(|split| &split.asked)
            .chain(asked)
            .any(|asked| asked.improved.is_some()),
        hospitals: hospitals.iter().map(|h| hospital_row(asked, h)).collect(),
        structure: structure(benchmark),
        structured: chart::told_by(benchmark, Kind::Structure)
            .map(|hospital| hospital.id.as_str())
            .collect(),
        cost_index: has(asked, Kind::CostIndexReference).then(|| Chart {
            svg: chart::cost_index(benchmark),
            further: hospitals
                .iter()
                .any(|h| sampled(&h.totals.cost_index.reference)),
        }),
        structure_chart: chart::structure(benchmark),
        capped_chart: has(asked, Kind::CappedShare).then(|| Chart {
            svg: chart::capped(benchmark),
            further: sampled(&benchmark.total.all.capped_share)
                || hospitals
                    .iter()
                    .any(|h| sampled(&h.totals.all.capped_share)),
        }),
        capped_pooled: pooled(asked, Kind::CappedShare),
        splits: benchmark
            .splits
            .iter()
            .map(|split| split_view(benchmark, split))
            .collect(),
    };
    let text = page.render().map_err(|_| ReportError::Form("HTML"))?;
    Ok(text.into_bytes())
}

/// Hospitals of the report that the sums of its pooled round do not hold.
fn not_summed(benchmark: &Benchmark) -> Vec<&str> {
    let summed = benchmark.pooled.as_ref();
    let summed = summed.map_or(&[][..], |pooled| &pooled.round.hospitals);
    let hospitals = benchmark.hospitals.iter().map(|hospital| &hospital.id);
    hospitals
        .filter(|id| !summed.contains(id))
        .map(Slug::as_str)
        .collect()
}

/// The months, or where all data are of whole years, those.
pub(super) fn period(benchmark: &Benchmark, by_year: bool) -> String {
    let period = &benchmark.period;
    if by_year {
        let years: Vec<String> = period
            .years()
            .iter()
            .map(|year| year.0.to_string())
            .collect();
        return format!("{} 全年 whole year", years.join(", "));
    }
    if period.from == period.to {
        return period.from.to_string();
    }
    format!("{} – {}", period.from, period.to)
}

fn sampled(outcome: &Outcome<Figure>) -> bool {
    outcome
        .value()
        .is_some_and(|figure| figure.sampling.is_some())
}

pub(super) fn totals(benchmark: &Benchmark) -> Vec<TotalRow> {
    let figures = columns(&benchmark.asked).into_iter();
    let rows = figures.filter(|column| !of_hospitals_only(column.kind));
    let summed = Summed::of(benchmark);
    rows.filter_map(|column| {
        let column = column.summed(summed);
        let figure = shown(benchmark.total.figure(column.kind)?, column.dress());
        Some(TotalRow {
            zh: column.zh,
            en: column.en,
            unit: column.unit_beside(&benchmark.currency),
            obtained: column.obtained(),
            figure,
        })
    })
    .collect()
}

/// What the page shows of each hospital; the rest is in `hospitals.csv`.
fn hospital_columns(asked: &[Asked]) -> Vec<Column> {
    let mut all = columns(asked);
    all.retain(|column| {
        !matches!(
            column.kind,
            Kind::TotalCost
                | Kind::Deviation
                | Kind::Variation
                | Kind::P25
                | Kind::P50
                | Kind::P75
                | Kind::P90
                | Kind::TimeObservedExpected
        ) && !pooled(asked, column.kind)
    });
    all
}

fn hospital_row(asked: &[Asked], hospital: &Hospital) -> HospitalRow {
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
    let figure = |column: &Column| {
        let outcome = totals.figure(column.kind).unwrap_or(&Outcome::NoData);
        shown(outcome, column.dress())
    };
    HospitalRow {
        id: hospital.id.to_string(),
        grade: or_status(data.and_then(graded)),
        counted: data.map_or("–", |d| counted(d).1),
        newest: or_status(data.and_then(newest)),
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
        figures: hospital_columns(asked).iter().map(figure).collect(),
    }
}

/// Cost items down, alliance and hospitals across.
pub(super) fn structure(benchmark: &Benchmark) -> Vec<Line> {
    let cells = || {
        let each = chart::told_by(benchmark, Kind::Structure).map(|h| &h.totals.all);
        std::iter::once(&benchmark.total.all).chain(each)
    };
    let asked = has(&benchmark.asked, Kind::Structure);
    let items = benchmark.items.iter().enumerate().filter(|_| asked);
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
