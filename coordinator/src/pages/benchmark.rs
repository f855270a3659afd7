//! The benchmark of a closed round: hospitals side by side, case groups with search, cost structure. What
//! is suppressed says so.

use std::sync::Arc;

use policies::figures::Benchmark;
use policies::figures::benchmark::{Figure, Kind};
use policies::{figures, plan};
use schemas::outcome::Outcome;
use web::block::{Block, Cell, Level};
use web::chart::{self, Bar};
use web::shell::Page;

use super::answer::Visit;
use super::charts;
use super::desk::Desk;
use super::fault::Fault;
use super::groups;
use super::routes::Places;
use super::words;
use crate::merge;
use crate::pooled;
use crate::report::columns::{Column, Unit, columns, of_hospitals_only};

/// Computed once for each round: the answers of a closed one never change.
async fn benchmark(desk: &Desk, places: &Places, visit: &Visit) -> Result<Arc<Benchmark>, Fault> {
    let id = places.name("id")?;
    let beside = visit.asked("pooled");
    let beside = if beside.is_empty() {
        None
    } else {
        Some(beside.parse().map_err(|_| Fault::Missing)?)
    };
    let which = (id, beside);
    if let Some(kept) = desk.kept(&which) {
        return Ok(kept);
    }
    let _turn = desk.computing.lock().await;
    if let Some(kept) = desk.kept(&which) {
        return Ok(kept);
    }
    let collected = merge::merge(&desk.store, &desk.authority, &which.0).await?;
    let rules = desk.rules()?;
    let made = if let Some(round) = &which.1 {
        let at = (round, desk.clock.now());
        // Two rounds that do not stand together have no page.
        let made = pooled::beside(&desk.store, &desk.authority, &rules, &collected, at).await;
        made.map_err(|_| Fault::Missing)?
    } else {
        let layout = plan::compile(&collected.round.question, &collected.dictionary, &rules);
        let layout = layout.map_err(|error| Fault::broken("a layout", error))?;
        let made = figures::benchmark(&layout, &collected.dictionary, &rules, &collected.hospitals);
        made.map_err(|error| Fault::broken("a benchmark", error))?
    };
    let made = Arc::new(made);
    desk.keep(which, Arc::clone(&made));
    Ok(made)
}

pub(super) fn head(visit: &Visit, of: &Benchmark, column: &Column) -> web::block::Column {
    let unit = match column.unit {
        Unit::Money => of.currency.clone(),
        Unit::Days => visit.say("days"),
        Unit::Points => visit.say("score-points"),
        Unit::Percentile | Unit::Reference => visit.say("times-reference"),
        Unit::Stays | Unit::Share | Unit::Ratio => String::new(),
    };
    let title = visit.language.pick(column.zh, column.en).to_owned();
    web::block::Column {
        title,
        unit,
        numeric: true,
    }
}

pub(super) fn text_head(visit: &Visit, key: &str) -> web::block::Column {
    web::block::Column {
        title: visit.say(key),
        unit: String::new(),
        numeric: false,
    }
}

/// The page.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit, places: Places) -> Result<Page, Fault> {
    let of = benchmark(&desk, &places, &visit).await?;
    let id = places.name("id")?;
    let mut page = Page::new(visit.say("benchmark"), lead(&visit, &of));
    page.above = vec![
        (visit.say("way-rounds"), "/rounds".to_owned()),
        (id.to_string(), format!("/rounds/{id}")),
    ];
    let note = visit.tell(
        "benchmark-note",
        &[
            ("cap", &of.cap.to_string()),
            ("threshold", &of.threshold.to_string()),
            ("hospitals", &of.least_hospitals.to_string()),
        ],
    );
    page.add(String::new(), vec![Block::Note(Level::Notice, note)]);
    page.add(visit.say("hospitals"), hospitals(&visit, &of));
    if let Some(block) = structure(&visit, &of) {
        page.add(visit.say("structure"), block);
    }
    let wanted = visit.asked("split");
    let known = of
        .splits
        .iter()
        .find(|one| one.dimension.as_str() == wanted);
    if let Some(split) = known.or(of.splits.first()) {
        page.add(visit.say("groups"), groups::groups(&visit, &of, split));
    }
    page.sources = vec![
        words::source(&visit, "source-question", &of.inputs.question),
        words::source(&visit, "source-dictionary", &of.inputs.dictionary),
        words::source(&visit, "source-rules", &of.inputs.rules),
    ];
    let answers = of.inputs.answers.iter();
    page.sources.extend(answers.map(|(hospital, digest)| {
        (
            visit.tell("source-answer", &[("hospital", hospital.as_str())]),
            digest.to_string(),
        )
    }));
    Ok(page)
}

fn lead(visit: &Visit, of: &Benchmark) -> String {
    visit.tell(
        "benchmark-lead",
        &[
            ("period", &words::period(&of.period)),
            ("scheme", &format!("{} {}", of.scheme.id, of.scheme.version)),
            ("currency", &of.currency),
        ],
    )
}

pub(super) fn cell(visit: &Visit, outcome: Option<&Outcome<Figure>>, column: &Column) -> Cell {
    words::figure(
        visit,
        outcome.unwrap_or(&Outcome::NoData),
        column.unit == Unit::Share,
    )
}

/// All hospitals and the alliance, and the cost index as bars.
fn hospitals(visit: &Visit, of: &Benchmark) -> Vec<Block> {
    let columns: Vec<Column> = columns(&of.asked);
    let mut table = words::table(visit, "hospitals", "hospitals", &["hospital", "rank"]);
    table
        .columns
        .extend(columns.iter().map(|column| head(visit, of, column)));
    let total = columns.iter().map(|column| {
        let none = of_hospitals_only(column.kind);
        if none {
            Cell::text("–")
        } else {
            cell(visit, of.total.figure(column.kind), column)
        }
    });
    table.rows.push(
        [Cell::Text(visit.say("alliance")), Cell::text("–")]
            .into_iter()
            .chain(total)
            .collect(),
    );
    for hospital in &of.hospitals {
        let rank = hospital.rank.value().map(|rank| match rank.place() {
            Some(place) => format!("{place} / {}", rank.of),
            None => visit.tell(
                "rank-open",
                &[
                    ("first", &rank.first.to_string()),
                    ("last", &rank.last.to_string()),
                    ("of", &rank.of.to_string()),
                ],
            ),
        });
        let figures = columns
            .iter()
            .map(|column| cell(visit, hospital.totals.figure(column.kind), column));
        let first = [
            Cell::text(&hospital.id),
            rank.map_or_else(|| Cell::text("–"), Cell::Text),
        ];
        table.rows.push(first.into_iter().chain(figures).collect());
    }
    let number = |text: &str| text.parse::<f64>().unwrap_or(0.0);
    let bars = of.hospitals.iter().filter_map(|hospital| {
        let figure = hospital.totals.cost_index.reference.value()?;
        let high = figure.noise.high.as_deref().map(number);
        Some(Bar {
            name: hospital.id.to_string(),
            value: number(&figure.value),
            interval: Some((number(&figure.noise.low), high.unwrap_or(f64::INFINITY))),
            line: Some(1.0),
            told: cell(
                visit,
                Some(&hospital.totals.cost_index.reference),
                &crate::report::columns::column(Kind::CostIndexReference),
            )
            .shown(),
            colour: 0,
        })
    });
    let bars: Vec<Bar> = bars.collect();
    let mut blocks = Vec::new();
    if !bars.is_empty() {
        let caption = visit.say("index-caption");
        blocks.push(Block::Chart {
            svg: chart::bars(&caption, &bars),
            caption,
        });
    }
    blocks.extend(charts::quadrant(visit, of));
    let mut rows = charts::totals(visit, of);
    blocks.extend(charts::spreads(visit, "spread-caption", &mut rows));
    blocks.push(Block::Table(table));
    blocks
}

/// Parts of the cost, where they are known of all items.
fn structure(visit: &Visit, of: &Benchmark) -> Option<Vec<Block>> {
    let number = |outcome: &Outcome<Figure>| {
        outcome
            .value()
            .and_then(|one| one.value.parse::<f64>().ok())
    };
    let named =
        |label: &schemas::dictionary::Label| visit.language.pick(&label.zh, &label.en).to_owned();
    let names: Vec<String> = of.items.iter().map(|item| named(&item.label)).collect();
    let cells = std::iter::once((visit.say("alliance"), &of.total.all)).chain(
        of.hospitals
            .iter()
            .map(|one| (one.id.to_string(), &one.totals.all)),
    );
    let mut rows = Vec::new();
    let mut table = words::table(visit, "structure", "structure", &["hospital"]);
    table
        .columns
        .extend(names.iter().map(|name| web::block::Column {
            title: name.clone(),
            unit: String::new(),
            numeric: true,
        }));
    for (name, cell) in cells.filter(|(_, cell)| !cell.structure.is_empty()) {
        let shares: Option<Vec<f64>> = cell.structure.iter().map(number).collect();
        rows.extend(shares.map(|shares| (name.clone(), shares)));
        let shown = cell
            .structure
            .iter()
            .map(|share| words::figure(visit, share, true));
        table
            .rows
            .push(std::iter::once(Cell::Text(name)).chain(shown).collect());
    }
    if rows.is_empty() {
        return None;
    }
    let caption = visit.say("structure-caption");
    let svg = chart::stacked(&caption, &names, &rows);
    Some(vec![Block::Chart { svg, caption }, Block::Table(table)])
}
