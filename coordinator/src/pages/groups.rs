//! Case groups of a benchmark: searched for, sorted, a part of them at a time.

use policies::figures::Benchmark;
use policies::figures::benchmark::{Kind, Row, Split};
use web::block::{Block, Cell, Form, Input, Table, Window};

use super::answer::Visit;
use super::benchmark::{cell, head, text_head};
use super::charts;
use super::words;
use crate::report::columns::{Column, column, columns};

/// Rows of case groups on a page.
const ROWS: usize = 40;

/// The rows that are searched for, biggest first unless sorted otherwise.
fn sorted<'a>(visit: &Visit, split: &'a Split) -> Vec<&'a Row> {
    let searched = visit.asked("q").to_lowercase();
    let fits = |row: &&Row| {
        let all = [&row.code, &row.name.zh, &row.name.en, &name(visit, row)];
        searched.is_empty()
            || all
                .iter()
                .any(|text| text.to_lowercase().contains(&searched))
    };
    let mut rows: Vec<&Row> = split.rows.iter().filter(fits).collect();
    let size = |row: &Row| {
        row.alliance
            .stays
            .value()
            .and_then(|one| one.value.parse::<f64>().ok())
    };
    let cost = |row: &Row| {
        row.alliance
            .mean_cost
            .value()
            .and_then(|one| one.value.parse::<f64>().ok())
    };
    match visit.asked("sort") {
        "code" => rows.sort_by(|a, b| a.code.cmp(&b.code)),
        "cost" => rows.sort_by(|a, b| cost(b).unwrap_or(-1.0).total_cmp(&cost(a).unwrap_or(-1.0))),
        _ => rows.sort_by(|a, b| size(b).unwrap_or(-1.0).total_cmp(&size(a).unwrap_or(-1.0))),
    }
    rows
}

/// The rows of a split, those that are searched for, biggest first unless sorted otherwise.
pub(super) fn groups(visit: &Visit, of: &Benchmark, split: &Split) -> Vec<Block> {
    let columns: Vec<Column> = columns(&split.asked);
    let rows = sorted(visit, split);
    let mut table = words::table(visit, "groups", "groups", &[]);
    table.columns = vec![text_head(visit, "code"), text_head(visit, "name")];
    table
        .columns
        .extend(columns.iter().map(|column| head(visit, of, column)));
    let own = split.rows.first().map_or(0, |row| row.hospitals.len());
    let with_hospitals = of
        .hospitals
        .iter()
        .take(own)
        .filter(|one| one.data.value().is_some());
    let shown: Vec<(usize, String)> = with_hospitals
        .filter_map(|one| {
            Some((
                of.hospitals.iter().position(|other| other.id == one.id)?,
                one.id.to_string(),
            ))
        })
        .collect();
    let mean = column(Kind::MeanCost);
    // A split that tells no cost has no columns of it.
    let costs = columns.iter().any(|one| one.kind == Kind::MeanCost);
    if costs {
        table
            .columns
            .extend(shown.iter().map(|(_, id)| web::block::Column {
                title: visit.tell("mean-of", &[("hospital", id)]),
                unit: of.currency.clone(),
                numeric: true,
            }));
    }
    for row in &rows {
        let name = name(visit, row);
        let to = visit.with(&[("group", &row.code), ("from", "")]);
        let code = Cell::Link {
            text: row.code.clone(),
            to: format!("{to}#group"),
        };
        let figures = columns
            .iter()
            .map(|column| cell(visit, row.alliance.figure(column.kind), column));
        let mut line: Vec<Cell> = [code, Cell::text(name)]
            .into_iter()
            .chain(figures)
            .collect();
        if costs {
            let cells = shown.iter().map(|(place, _)| {
                cell(
                    visit,
                    row.hospitals.get(*place).map(|one| &one.mean_cost),
                    &mean,
                )
            });
            line.extend(cells);
        }
        table.rows.push(line);
    }
    window(visit, &mut table);
    let mut blocks = vec![Block::Form(search(visit, of, split))];
    if let Some(row) = split
        .rows
        .iter()
        .find(|row| row.code == visit.asked("group"))
    {
        blocks.extend(charts::group(visit, of, row));
    }
    blocks.push(Block::Table(table));
    blocks
}

/// What a row is called; main categories and the like that a dictionary names by their code have words
/// of their own.
pub(super) fn name(visit: &Visit, row: &Row) -> String {
    let own = visit.language.pick(&row.name.zh, &row.name.en);
    let key = format!("name-{}", row.code);
    if own == row.code && visit.language.knows(&key) {
        visit.say(&key)
    } else {
        own.to_owned()
    }
}

/// The part of a long table that the page shows.
pub(super) fn window(visit: &Visit, table: &mut Table) {
    let all = table.rows.len();
    let from = visit
        .number("from", 1_000_000)
        .unwrap_or(0)
        .min(all.saturating_sub(1));
    let to = from.saturating_add(ROWS).min(all);
    let address = |from: usize| {
        format!(
            "{}#{}",
            visit.with(&[("from", &from.to_string())]),
            table.id
        )
    };
    let named = [("from", from.saturating_add(1)), ("to", to), ("all", all)];
    let named = named.map(|(name, number)| (name, number.to_string()));
    let told = visit.tell(
        "rows-shown",
        &named.each_ref().map(|(name, text)| (*name, text.as_str())),
    );
    table.window = Some(Window {
        from,
        most: ROWS,
        before: (from > 0).then(|| (address(from.saturating_sub(ROWS)), visit.say("before"))),
        behind: (to < all).then(|| (address(to), visit.say("behind"))),
        told: if all == 0 { String::new() } else { told },
    });
}

fn search(visit: &Visit, of: &Benchmark, split: &Split) -> Form {
    let input = |name, key: &str, kind, value: &str, choices| Input {
        name,
        label: visit.say(key),
        kind,
        value: value.to_owned(),
        autocomplete: "off",
        choices,
    };
    let sorts =
        ["size", "cost", "code"].map(|one| (one.to_owned(), visit.say(&format!("sort-{one}"))));
    let dimension = |id: &str| {
        let key = format!("dimension-{id}");
        if visit.language.knows(&key) {
            visit.say(&key)
        } else {
            id.to_owned()
        }
    };
    let splits = of
        .splits
        .iter()
        .map(|one| (one.dimension.to_string(), dimension(one.dimension.as_str())));
    let mut inputs = vec![
        input("q", "search", "search", visit.asked("q"), Vec::new()),
        input(
            "split",
            "split",
            "text",
            split.dimension.as_str(),
            splits.collect(),
        ),
        input("sort", "sort", "text", visit.asked("sort"), sorts.to_vec()),
    ];
    if !visit.asked("pooled").is_empty() {
        inputs.push(input(
            "pooled",
            "rounds-pooled",
            "text",
            visit.asked("pooled"),
            Vec::new(),
        ));
    }
    Form {
        method: "get",
        to: visit.path.clone(),
        inputs,
        button: visit.say("show"),
        token: String::new(),
    }
}
