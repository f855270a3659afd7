//! Closed months of the hospital's costs, the full cost of each clinical department, and where a figure came
//! from.

use std::sync::Arc;

use policies::costing::{Origin, explain};
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::time::Month;
use web::block::{Block, Cell};
use web::number;
use web::shell::Page;
use web::site::answer::Visit;
use web::site::routes::Places;

use super::desk::Desk;
use super::fault::Fault;
use crate::costing::{self, Kept};

/// Most lines of a trace on the page and in its download.
const LINES: usize = 2_000;

/// All closed months.
pub(super) async fn list(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    let mut page = Page::new(visit.say("node.way-costs"), visit.say("node.costs-lead"));
    let heads = ["node.month", "#node.version", "node.closed-at"];
    let mut table = visit.table("closed", "node.way-costs", &heads);
    for (month, version, at) in costing::list(&desk.state).await?.into_iter().rev() {
        table.rows.push(vec![
            Cell::Link {
                text: month.to_string(),
                to: format!("/costs/{month}"),
            },
            Cell::text(version),
            Cell::Text(number::moment(at)),
        ]);
    }
    page.add(String::new(), vec![Block::Table(table)]);
    Ok(page)
}

async fn kept(desk: &Desk, places: &Places) -> Result<Kept, Fault> {
    let month: Month = places.text("month").parse().map_err(|_| Fault::Missing)?;
    Ok(costing::closed(&desk.state, month).await?)
}

/// A cost item in words.
fn item(visit: &Visit, id: &Slug) -> String {
    let key = format!("node.item-{id}");
    if visit.language.knows(&key) {
        visit.say(&key)
    } else {
        id.to_string()
    }
}

/// One month: departments and cost items.
pub(super) async fn month(desk: Arc<Desk>, visit: Visit, places: Places) -> Result<Page, Fault> {
    let kept = kept(&desk, &places).await?;
    let closed = &kept.closed;
    let mut page = Page::new(
        visit.tell("node.costs-of", &[("month", &closed.month.to_string())]),
        visit.tell(
            "node.costs-month-lead",
            &[
                ("total", &number::money(closed.total)),
                ("n", &closed.full.len().to_string()),
                ("version", &kept.version.to_string()),
            ],
        ),
    );
    page.above = vec![(visit.say("node.way-costs"), "/costs".to_owned())];
    let mut table = visit.table("departments", "node.full-costs", &["node.department"]);
    let numeric = |title: String| web::block::Column {
        title,
        unit: String::new(),
        numeric: true,
    };
    let items = &kept.rules.items;
    let named = items.iter().map(|id| numeric(item(&visit, id)));
    table.columns.extend(named);
    table.columns.push(numeric(visit.say("node.all-items")));
    for (department, full) in &closed.full {
        let mut row = vec![Cell::Link {
            text: department.to_string(),
            to: format!("/costs/{}/{department}", closed.month),
        }];
        let of = |id: &Slug| Cell::Money(full.get(id).copied().unwrap_or_default());
        row.extend(items.iter().map(of));
        row.push(Cell::Money(closed.of(department).unwrap_or_default()));
        table.rows.push(row);
    }
    page.add(String::new(), vec![Block::Table(table)]);
    page.sources = vec![
        (visit.say("source-rules"), closed.rules.to_string()),
        (visit.say("node.source-ledgers"), closed.ledgers.to_string()),
    ];
    Ok(page)
}

/// Where a department's costs came from, item by item.
pub(super) async fn trace(desk: Arc<Desk>, visit: Visit, places: Places) -> Result<Page, Fault> {
    let kept = kept(&desk, &places).await?;
    let department = places.name("department")?;
    if !kept.closed.full.contains_key(&department) {
        return Err(Fault::Missing);
    }
    let month = kept.closed.month.to_string();
    let mut page = Page::new(
        visit.tell(
            "node.trace-of",
            &[("department", department.as_str()), ("month", &month)],
        ),
        visit.say("node.trace-lead"),
    );
    page.above = vec![
        (visit.say("node.way-costs"), "/costs".to_owned()),
        (month.clone(), format!("/costs/{month}")),
    ];
    let heads = [
        "node.cost-item",
        "#node.depth",
        "node.from-department",
        "#node.came",
        "#node.held",
        "#node.direct",
    ];
    let mut table = visit.table("trace", "node.trace", &heads);
    for id in &kept.rules.items {
        let origin = explain(&kept.ledgers, &kept.closed, &department, id);
        if origin.held != Fen(0) || !origin.received.is_empty() {
            tree(&mut table.rows, &item(&visit, id), &origin, 0);
        }
    }
    page.add(String::new(), vec![Block::Table(table)]);
    page.sources = vec![
        (visit.say("source-rules"), kept.closed.rules.to_string()),
        (
            visit.say("node.source-ledgers"),
            kept.closed.ledgers.to_string(),
        ),
    ];
    Ok(page)
}

fn tree(rows: &mut Vec<Vec<Cell>>, item: &str, origin: &Origin, deep: usize) {
    if rows.len() >= LINES {
        return;
    }
    let from = format!("{}{}", "· ".repeat(deep), origin.from);
    rows.push(vec![
        Cell::text(item),
        Cell::count(deep),
        Cell::Text(from),
        Cell::Money(origin.amount),
        Cell::Money(origin.held),
        Cell::Money(origin.direct),
    ]);
    for one in &origin.received {
        tree(rows, item, one, deep.saturating_add(1));
    }
}
