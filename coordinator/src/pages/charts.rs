//! Charts of a benchmark: cost against time of each hospital, and how costs spread.

use policies::figures::Benchmark;
use policies::figures::benchmark::{Cell as Figures, Figure, Kind, Row};
use schemas::outcome::Outcome;
use web::block::{Block, Cell};
use web::chart::{self, Bar, Point, Spread};

use super::answer::Visit;
use super::benchmark::cell;
use super::groups;
use crate::report::columns::column;

fn read(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// A figure as it is drawn, with the ends of its interval; none above the last edge.
fn drawn(outcome: &Outcome<Figure>) -> Option<(f64, Option<f64>, Option<f64>)> {
    let figure = outcome.value()?;
    let high = figure.noise.high.as_deref().and_then(read);
    Some((read(&figure.value)?, read(&figure.noise.low), high))
}

/// Each hospital's cost index against its time index, both against the reference.
pub(super) fn quadrant(visit: &Visit, of: &Benchmark) -> Option<Block> {
    let points = of.hospitals.iter().filter_map(|hospital| {
        let totals = &hospital.totals;
        let (x, xl, xh) = drawn(&totals.cost_index.reference)?;
        let (y, yl, yh) = drawn(&totals.time_index.reference)?;
        Some(Point {
            name: hospital.id.to_string(),
            told: format!("{}: {x:.3} × {y:.3}", hospital.id),
            x,
            y,
            xl,
            xh,
            yl,
            yh,
        })
    });
    let points: Vec<Point> = points.collect();
    if points.is_empty() {
        return None;
    }
    let caption = visit.say("quadrant-caption");
    let axes = [Kind::CostIndexReference, Kind::TimeIndexReference].map(|kind| {
        let column = column(kind);
        visit.language.pick(column.zh, column.en).to_owned()
    });
    Some(Block::Chart {
        svg: chart::quadrant(&caption, &axes, &points),
        caption,
    })
}

/// Percentiles of one row; none where none is known.
fn percentiles(visit: &Visit, name: String, of: &Figures) -> Option<Spread> {
    let all = &of.percentiles;
    let value = |outcome: &Outcome<Figure>| drawn(outcome).map(|one| one.0);
    let [p25, p50, p75, p90] = [&all.p25, &all.p50, &all.p75, &all.p90].map(value);
    p50.or(p25).or(p75)?;
    let shown = [Kind::P25, Kind::P50, Kind::P75].map(|kind| {
        let cell = cell(visit, of.figure(kind), &column(kind));
        match cell {
            Cell::Ranged { .. } => cell.shown(),
            _ => "–".to_owned(),
        }
    });
    Some(Spread {
        name,
        p25,
        p50,
        p75,
        p90,
        told: shown.join(" / "),
    })
}

/// How costs spread over percentiles, the alliance first.
pub(super) fn spreads(
    visit: &Visit,
    key: &str,
    rows: &mut dyn Iterator<Item = (String, &Figures)>,
) -> Option<Block> {
    let rows: Vec<Spread> = rows
        .filter_map(|(name, of)| percentiles(visit, name, of))
        .collect();
    if rows.is_empty() {
        return None;
    }
    let caption = visit.say(key);
    Some(Block::Chart {
        svg: chart::spread(&caption, &rows),
        caption,
    })
}

/// The rows of a benchmark: the alliance, then its hospitals.
pub(super) fn totals<'a>(
    visit: &Visit,
    of: &'a Benchmark,
) -> impl Iterator<Item = (String, &'a Figures)> {
    let hospitals = of
        .hospitals
        .iter()
        .map(|one| (one.id.to_string(), &one.totals.all));
    std::iter::once((visit.say("alliance"), &of.total.all)).chain(hospitals)
}

/// The mean cost of one case group, hospital by hospital, with the alliance's as a line; and its spread.
pub(super) fn group(visit: &Visit, of: &Benchmark, row: &Row) -> Vec<Block> {
    let mean = column(Kind::MeanCost);
    let alliance = drawn(&row.alliance.mean_cost).map(|one| one.0);
    let named = of.hospitals.iter().map(|one| one.id.to_string());
    let rows: Vec<(String, &Figures)> = std::iter::once((visit.say("alliance"), &row.alliance))
        .chain(named.zip(&row.hospitals))
        .collect();
    let bars = rows.iter().enumerate().filter_map(|(place, (name, of))| {
        let (value, low, high) = drawn(&of.mean_cost)?;
        let shown = cell(visit, Some(&of.mean_cost), &mean).shown();
        Some(Bar {
            name: name.clone(),
            value,
            interval: low.zip(high),
            line: alliance,
            told: shown,
            colour: usize::from(place == 0),
        })
    });
    let bars: Vec<Bar> = bars.collect();
    let mut blocks = Vec::new();
    let name = &groups::name(visit, row);
    if !bars.is_empty() {
        let named = [("code", row.code.as_str()), ("name", name)];
        let caption = visit.tell("group-caption", &named);
        blocks.push(Block::Chart {
            svg: chart::bars(&caption, &bars),
            caption,
        });
    }
    let mut rows = rows.into_iter();
    blocks.extend(spreads(visit, "group-spread-caption", &mut rows));
    if blocks.is_empty() {
        blocks.push(Block::Text(visit.tell("group-hidden", &[("name", name)])));
    }
    blocks
}

/// A decimal text of a rule or a price as it is drawn.
pub(super) fn paper(text: &str) -> f64 {
    read(text).filter(|one| one.is_finite()).unwrap_or(0.0)
}
