//! Early warnings that were told, newest first. The node keeps neither a case's number nor a day.

use std::sync::Arc;

use policies::early::Kind;
use policies::figures::alerts::{Deviation, Level as Alert};
use web::block::{Block, Cell, Level, Window};
use web::number;
use web::shell::Page;
use web::site::answer::Visit;

use super::desk::Desk;
use super::fault::Fault;
use super::named;
use crate::early;
use crate::store::dictionaries;

/// Warnings on the page; a download has them all.
const ROWS: usize = 100;
/// Letters of a case's keyed hash.
const SHORT: usize = 12;

/// What a warning is about.
fn what(visit: &Visit, kind: Kind, side: Option<Deviation>) -> String {
    let key = match kind {
        Kind::Incurred => "node.warn-incurred",
        Kind::Projected => "node.warn-projected",
        Kind::Benchmark => "node.warn-benchmark",
        Kind::Day => "node.warn-day",
        Kind::Days => "node.warn-days",
        Kind::Month => "node.warn-month",
        Kind::Anomaly => "node.warn-anomaly",
    };
    let side = match side {
        Some(Deviation::High) => visit.say("node.warn-high"),
        Some(Deviation::Low) => visit.say("node.warn-low"),
        _ => String::new(),
    };
    format!("{}{side}", visit.say(key))
}

fn level(visit: &Visit, level: Option<Alert>) -> Cell {
    let (level, key) = match level {
        Some(Alert::Red) => (Level::Alarm, "alert-red"),
        Some(Alert::Yellow) => (Level::Warning, "alert-yellow"),
        Some(Alert::Blue) => (Level::Notice, "alert-blue"),
        Some(Alert::None) | None => return Cell::text("–"),
    };
    Cell::Mark(level, visit.say(key))
}

/// The page.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    let told = early::list(&desk.state).await?;
    let dictionary = dictionaries::latest(&desk.state).await?;
    let mut page = Page::new(
        visit.say("node.way-warnings"),
        visit.say("node.warnings-lead"),
    );
    let heads = [
        "node.told-at",
        "node.month",
        "node.level",
        "node.warning",
        "node.case-group",
        "node.department",
        "#node.day-of-stay",
        "#node.found",
        "#node.against",
        "node.differs-in",
        "node.case",
    ];
    let mut table = visit.table("warnings", "node.way-warnings", &heads);
    for one in told.iter().rev() {
        let alert = &one.alert;
        let group = dictionary.as_ref().map_or_else(
            || alert.group.clone(),
            |known| named::key(&visit, known, "case_group", &alert.group),
        );
        let hints = alert.hints.iter().map(|hint| {
            let name = dictionary.as_ref().map_or_else(
                || hint.category.to_string(),
                |known| named::field(&visit, known, hint.category.as_str()),
            );
            format!("{name} {}", number::money(hint.more))
        });
        let hints: Vec<String> = hints.collect();
        let case: String = one.subject.chars().take(SHORT).collect();
        table.rows.push(vec![
            Cell::Text(number::moment(one.at)),
            Cell::text(alert.month),
            level(&visit, alert.level),
            Cell::Text(what(&visit, alert.kind, alert.side)),
            Cell::Text(group),
            Cell::text(&alert.department),
            alert
                .day_of_stay
                .map_or_else(|| Cell::text("–"), Cell::text),
            Cell::Money(alert.found),
            Cell::Money(alert.against),
            Cell::Text(hints.join(&visit.say("comma"))),
            Cell::Code(case),
        ]);
    }
    let all = table.rows.len();
    let shown = all.min(ROWS);
    let named = [("from", 1), ("to", shown), ("all", all)];
    let named = named.map(|(name, number)| (name, number.to_string()));
    table.window = (all > ROWS).then(|| Window {
        from: 0,
        most: ROWS,
        before: None,
        behind: None,
        told: visit.tell(
            "rows-shown",
            &named.each_ref().map(|(name, text)| (*name, text.as_str())),
        ),
    });
    page.add(String::new(), vec![Block::Table(table)]);
    Ok(page)
}
