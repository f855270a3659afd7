//! All audits: what, how far, and what was found.

use std::sync::Arc;

use web::block::{Block, Cell, Level};
use web::shell::Page;
use web::site::answer::Visit;
use web::site::fault::Fault;

use super::desk::Desk;
use super::words;
use crate::audit::{self, Folder};

/// The page.
#[expect(clippy::unused_async, reason = "pages of a site are of one shape")]
pub(super) async fn show(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    let mut page = Page::new(
        visit.say("insurer.way-audits"),
        visit.say("insurer.audits-lead"),
    );
    let heads = [
        "insurer.audit",
        "hospital",
        "insurer.month",
        "insurer.step",
        "insurer.findings",
        "#insurer.paid",
        "#insurer.committed",
        "insurer.accounted",
    ];
    let mut table = visit.table("audits", "insurer.way-audits", &heads);
    for name in audit::audits(&desk.root) {
        let Ok(of) = audit::progress(&Folder::new(&desk.root.join(&name))) else {
            let damaged = Cell::Mark(Level::Alarm, visit.say("insurer.damaged"));
            let rest = std::iter::repeat_with(|| Cell::text("–")).take(6);
            let first = [Cell::text(&name), damaged];
            table.rows.push(first.into_iter().chain(rest).collect());
            continue;
        };
        let last = words::steps(&of).into_iter().rfind(|(_, done)| *done);
        let step = last.map_or_else(String::new, |(key, _)| visit.say(key));
        let findings = match (of.findings.len(), of.matched.is_some()) {
            (_, false) => Cell::text("–"),
            (0, true) => Cell::Mark(Level::Good, "0".to_owned()),
            (n, true) => Cell::Mark(Level::Alarm, n.to_string()),
        };
        let report = of.report.as_ref();
        let paid = of.matched.as_ref().map(|(_, paid)| words::amount(paid));
        let accounted = match report.map(|report| report.accounted) {
            None => Cell::text("–"),
            Some(true) => Cell::Mark(Level::Good, visit.say("yes")),
            Some(false) => Cell::Mark(Level::Warning, visit.say("no")),
        };
        table.rows.push(vec![
            Cell::Link {
                text: name.clone(),
                to: format!("/audits/{}", web::site::answer::escaped(&name)),
            },
            Cell::text(&of.case.subject.hospital),
            Cell::text(of.case.subject.period),
            Cell::Text(step),
            findings,
            paid.unwrap_or_else(|| Cell::text("–")),
            report.map_or_else(|| Cell::text("–"), |one| words::amount(&one.committed)),
            accounted,
        ]);
    }
    page.add(
        String::new(),
        vec![
            Block::Table(table),
            Block::Links(vec![(visit.say("insurer.begin"), "/begin".to_owned())]),
        ],
    );
    Ok(page)
}
