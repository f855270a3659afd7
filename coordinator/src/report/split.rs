//! The page's part about one dimension: a table of its keys, hospitals against each other, structures.

use policies::figures::Benchmark;
use policies::figures::benchmark::{Asked, Kind, Row, Split};
use schemas::outcome::Outcome;

use super::chart;
use super::columns::{Column, Summed, columns, has, pooled};
use super::page::{Chart, Line};
use super::words::{Dress, Shown, shown};

/// Most groups in the page's tables; all are in the CSV and JSON files.
const MOST_ROWS: usize = 400;
/// Groups in the table of hospitals against groups.
const MOST_COMPARED: usize = 40;

pub(super) struct SplitView<'a> {
    pub(super) zh: &'a str,
    pub(super) en: &'a str,
    pub(super) in_money: bool,
    pub(super) shown: usize,
    pub(super) all: usize,
    pub(super) file: String,
    pub(super) chart: Option<Chart>,
    pub(super) columns: Vec<Column>,
    /// Columns that no row has a figure in.
    pub(super) left_out: String,
    pub(super) rows: Vec<Line>,
    pub(super) compared: Vec<Line>,
    pub(super) hospitals: Vec<&'a str>,
    /// Cost structures of the biggest rows; empty where hospitals tell their own, or none was asked
    /// for.
    pub(super) structures: Vec<Line>,
    pub(super) structures_chart: String,
}

/// What the page shows of each key; the rest is in the split's CSV file.
fn split_columns(asked: &[Asked]) -> Vec<Column> {
    let mut all = columns(asked);
    all.retain(|column| !matches!(column.kind, Kind::TotalCost | Kind::AboveCap));
    all
}

pub(super) fn split_view<'a>(benchmark: &'a Benchmark, split: &'a Split) -> SplitView<'a> {
    let (zh, en) = match split.dimension.as_str() {
        "case_group" => ("病组", "case group"),
        "mdc" => ("主要诊断大类", "major diagnostic category"),
        other => (other, other),
    };
    let summed = Summed::of(benchmark);
    let asked = split_columns(&split.asked).into_iter();
    let (columns, empty): (Vec<Column>, Vec<Column>) = asked
        .map(|column| column.summed(summed))
        .partition(|column| told(split, column.kind));
    let left_out: Vec<String> = empty.iter().map(named).collect();
    let rows = chart::biggest(split, MOST_ROWS);
    let compared = chart::biggest(split, MOST_COMPARED);
    let of_sums = has(&split.asked, Kind::Structure)
        && (benchmark.hospitals.is_empty() || pooled(&split.asked, Kind::Structure));
    SplitView {
        zh,
        en,
        in_money: split.in_money,
        shown: rows.len(),
        all: split.rows.len(),
        file: format!("by-{}.csv", split.dimension),
        chart: has(&split.asked, Kind::P50).then(|| Chart {
            svg: chart::boxes(split),
            further: chart::biggest(split, chart::MOST_BOXES)
                .iter()
                .any(|row| row.alliance.percentiles.p90.value().is_some()),
        }),
        rows: rows.iter().map(|row| group_line(&columns, row)).collect(),
        columns,
        left_out: left_out.join("、"),
        compared: if has(&split.asked, Kind::MeanCost) {
            compared.iter().map(|row| compared_line(row)).collect()
        } else {
            Vec::new()
        },
        hospitals: benchmark.hospitals.iter().map(|h| h.id.as_str()).collect(),
        structures: if of_sums {
            structures(split)
        } else {
            Vec::new()
        },
        structures_chart: if of_sums {
            chart::structures(benchmark, split)
        } else {
            String::new()
        },
    }
}

/// Whether some row of the alliance has this figure, or there are no rows that could.
fn told(split: &Split, kind: Kind) -> bool {
    let rows = split.rows.iter();
    let mut figures = rows.filter_map(|row| row.alliance.figure(kind));
    split.rows.is_empty() || figures.any(|figure| figure.value().is_some())
}

fn named(column: &Column) -> String {
    if column.zh == column.en {
        return column.zh.to_owned();
    }
    format!("{} {}", column.zh, column.en)
}

/// Cost structures of the biggest rows.
fn structures(split: &Split) -> Vec<Line> {
    let biggest = chart::biggest(split, MOST_COMPARED).into_iter();
    let shares = |row: &Row| {
        let structure = row.alliance.structure.iter();
        structure
            .map(|share| shown(share, Dress::Percent))
            .collect()
    };
    biggest.map(|row| line(row, shares(row))).collect()
}

fn group_line(columns: &[Column], row: &Row) -> Line {
    let figures = columns.iter().map(|column| {
        let outcome = row.alliance.figure(column.kind);
        shown(outcome.unwrap_or(&Outcome::NoData), column.dress())
    });
    line(row, figures.collect())
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
