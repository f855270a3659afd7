//! Openings that a payer's audit asks for: two officers of the hospital sign, or one refuses for good.

use std::sync::Arc;

use schemas::digest::Digest;
use web::block::{Block, Cell, Level};
use web::number;
use web::shell::Page;
use web::site::answer::Visit;
use web::site::routes::{Fields, Places};

use super::desk::Desk;
use super::fault::Fault;
use super::sign::{self, Refused};
use crate::audit::{self, AuditError, Opening, Stands};

/// Openings with forms on the page; at most so many of a payer wait.
const FORMS: usize = 64;

fn state(visit: &Visit, opening: &Opening) -> Cell {
    match &opening.state {
        Stands::Waits(by) if by.is_empty() => {
            Cell::Mark(Level::Warning, visit.say("node.opening-waits"))
        }
        Stands::Waits(by) => {
            let names: Vec<String> = by.iter().map(ToString::to_string).collect();
            let names = names.join(&visit.say("comma"));
            let told = visit.tell("node.opening-signed", &[("by", &names)]);
            Cell::Mark(Level::Warning, told)
        }
        Stands::Refused(officer) => Cell::Mark(
            Level::Plain,
            visit.tell("node.opening-refused", &[("by", officer.as_str())]),
        ),
        Stands::Answered => Cell::Mark(Level::Good, visit.say("node.opening-answered")),
    }
}

/// The page.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    let app = desk.app().await?;
    let all = audit::openings(&desk.state, &app.standing, &desk.config.hospital).await?;
    let mut page = Page::new(
        visit.say("node.way-openings"),
        visit.say("node.openings-lead"),
    );
    page.above = vec![(visit.say("node.way-inbox"), "/inbox".to_owned())];
    let heads = [
        "node.payer",
        "node.month",
        "#node.version",
        "#node.leaves",
        "node.arrived",
        "state",
        "node.request",
    ];
    let mut table = visit.table("openings", "node.way-openings", &heads);
    for one in &all {
        table.rows.push(vec![
            Cell::text(&one.payer),
            Cell::text(one.month),
            Cell::text(one.version),
            Cell::Number(one.leaves.to_string()),
            Cell::Text(number::moment(one.at)),
            state(&visit, one),
            Cell::Code(one.request.short()),
        ]);
    }
    let mut blocks: Vec<Block> = sign::told(&visit).into_iter().collect();
    blocks.push(Block::Table(table));
    page.add(String::new(), blocks);
    let name = sign::visitor(&visit)?;
    let waits = |one: &&Opening| matches!(&one.state, Stands::Waits(by) if !by.contains(name));
    let waiting: Vec<&Opening> = all.iter().filter(waits).take(FORMS).collect();
    if !waiting.is_empty() && !sign::has_key(&desk, name) {
        let told = visit.tell("node.key-elsewhere-opening", &[("name", name.as_str())]);
        page.add(String::new(), vec![Block::Note(Level::Warning, told)]);
        return Ok(page);
    }
    for one in waiting {
        let title = visit.tell(
            "node.opening-of",
            &[
                ("payer", one.payer.as_str()),
                ("month", &one.month.to_string()),
                ("n", &one.leaves.to_string()),
            ],
        );
        let to = |what: &str| format!("/openings/{}/{what}", one.request);
        let reason = vec![sign::input(&visit, "reason", "text", "")];
        let blocks = vec![
            Block::Text(visit.say("node.opening-told")),
            sign::form(
                &desk,
                &visit,
                (to("approve"), "node.opening-sign"),
                Vec::new(),
            ),
            sign::form(&desk, &visit, (to("refuse"), "node.opening-refuse"), reason),
        ];
        page.add(title, blocks);
    }
    Ok(page)
}

/// Why an officer's word on an opening was not taken; what should have worked is a fault.
fn refusal(error: AuditError) -> Result<Refused, Fault> {
    match error {
        AuditError::NoOpening(_) => Err(Fault::Missing),
        AuditError::Again(_) => Ok("again"),
        AuditError::Decided(_) => Ok("decided"),
        AuditError::Officers(_) => Ok("forbidden"),
        AuditError::Steward(error) => sign::refusal(error),
        other => Err(other.into()),
    }
}

/// Signs for an opening, or refuses it: `audit approve` and `audit refuse`.
pub(super) async fn decide(
    approve: bool,
    (desk, visit): (Arc<Desk>, Visit),
    places: Places,
    fields: Fields,
) -> Result<String, Fault> {
    const TO: &str = "/openings";
    let request: Digest = places.text("request").parse().map_err(|_| Fault::Missing)?;
    let signing = match sign::signing(&desk, &visit, &fields).await? {
        Ok(signing) => signing,
        Err(refused) => return Ok(sign::onward(TO, Err(refused))),
    };
    let app = desk.app().await?;
    let acting = signing.acting(&desk, &app.standing);
    let (done, word) = if approve {
        let signed = audit::approve(&desk.state, acting, &request).await;
        (signed.map(drop), "opening-sign")
    } else {
        let reason = fields.text("reason");
        let refused = audit::refuse(&desk.state, acting, &request, reason).await;
        (refused, "opening-refuse")
    };
    match done {
        Ok(()) => Ok(sign::onward(TO, Ok(word))),
        Err(error) => Ok(sign::onward(TO, Err(refusal(error)?))),
    }
}
