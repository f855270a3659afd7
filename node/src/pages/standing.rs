//! Templates that are answered unasked, until a day and under one policy.

use std::sync::Arc;

use policies::template;
use schemas::question::Purpose;
use web::block::{Block, Cell, Level};
use web::number;
use web::shell::Page;
use web::site::Site as _;
use web::site::answer::Visit;
use web::site::routes::Fields;

use super::desk::{Desk, STEWARD};
use super::fault::Fault;
use super::{named, sign};
use crate::answer::App;
use crate::ledger;
use crate::steward;

const PURPOSES: [Purpose; 4] = [
    Purpose::Benchmark,
    Purpose::Budget,
    Purpose::Audit,
    Purpose::Free,
];

/// The page.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    let app = desk.app().await?;
    let policy = app.standing.approved.policy;
    let whose = (&app.standing.officers, &app.hospital, policy);
    let granted = steward::standing(&app.state, whose, desk.now()).await?;
    let mut page = Page::new(
        visit.say("node.way-standing"),
        visit.say("node.standing-lead"),
    );
    page.above = vec![(visit.say("node.way-inbox"), "/inbox".to_owned())];
    let heads = [
        "node.template",
        "name",
        "node.purpose",
        "node.until-day",
        "node.signed-by",
        "state",
    ];
    let mut table = visit.table("standing", "node.way-standing", &heads);
    for one in &granted {
        let of = &one.approval;
        let purpose = of.purpose.map_or_else(
            || visit.say("node.any-purpose"),
            |purpose| named::purpose(&visit, purpose),
        );
        let state = match one.void {
            None => Cell::Mark(Level::Good, visit.say("course-in-force")),
            Some("ended") => Cell::Mark(Level::Plain, visit.say("node.ended")),
            Some("the policy changed") => Cell::Mark(Level::Warning, visit.say("node.void-policy")),
            Some(_) => Cell::Mark(Level::Alarm, visit.say("node.void")),
        };
        table.rows.push(vec![
            Cell::text(&of.template),
            Cell::Text(label(&visit, &of.template.to_string())),
            Cell::Text(purpose),
            Cell::Text(number::moment(of.until)),
            Cell::text(&of.officer),
            state,
        ]);
    }
    let mut blocks: Vec<Block> = sign::told(&visit).into_iter().collect();
    blocks.push(Block::Table(table));
    page.add(String::new(), blocks);
    let steward = visit
        .visitor
        .as_ref()
        .filter(|(_, role)| STEWARD.contains(role));
    if steward.is_some_and(|(name, _)| sign::has_key(&desk, name)) {
        forms(&mut page, &desk, &visit, &app, &granted);
    } else {
        page.add(
            visit.say("node.decision"),
            vec![Block::Text(visit.say("node.only-steward"))],
        );
    }
    page.sources = vec![(visit.say("node.source-policy"), policy.to_string())];
    Ok(page)
}

/// What a template is called.
pub(super) fn label(visit: &Visit, reference: &str) -> String {
    let mut shipped = template::shipped().into_iter();
    let known = shipped.find(|one| one.reference().to_string() == reference);
    known.map_or_else(String::new, |one| {
        visit.language.pick(&one.label.zh, &one.label.en).to_owned()
    })
}

fn forms(page: &mut Page, desk: &Desk, visit: &Visit, app: &App, granted: &[steward::Granted]) {
    let allowed = app.policy.allow.templates.keys().map(|reference| {
        let label = label(visit, reference);
        (reference.clone(), format!("{reference} {label}"))
    });
    let allowed: Vec<(String, String)> = allowed.collect();
    let any = (String::new(), visit.say("node.any-purpose"));
    let purposes = PURPOSES.map(|one| (ledger::name(one).to_owned(), named::purpose(visit, one)));
    let purposes: Vec<(String, String)> = std::iter::once(any).chain(purposes).collect();
    let fields = vec![
        sign::choice(visit, "template", "", allowed),
        sign::choice(visit, "purpose", "", purposes),
        sign::input(visit, "until", "date", ""),
    ];
    let add = ("/standing/add".to_owned(), "node.standing-add");
    page.add(
        visit.say("node.standing-add"),
        vec![
            Block::Text(visit.say("node.standing-told")),
            sign::form(desk, visit, add, fields),
        ],
    );
    if granted.is_empty() {
        return;
    }
    let held = granted.iter().map(|one| {
        let reference = one.approval.template.to_string();
        (reference.clone(), reference)
    });
    let fields = vec![sign::choice(visit, "template", "", held.collect())];
    let end = ("/standing/remove".to_owned(), "node.standing-end");
    page.add(
        visit.say("node.standing-end"),
        vec![sign::form(desk, visit, end, fields)],
    );
}

/// Lets a template be answered unasked: `steward standing add`.
pub(super) async fn add(
    (desk, visit): (Arc<Desk>, Visit),
    fields: Fields,
) -> Result<String, Fault> {
    const TO: &str = "/standing";
    let signing = match sign::signing(&desk, &visit, &fields).await? {
        Ok(signing) => signing,
        Err(refused) => return Ok(sign::onward(TO, Err(refused))),
    };
    let app = desk.app().await?;
    let wanted = fields.text("template");
    let mut shipped = template::shipped().into_iter();
    let known = shipped.find(|one| one.reference().to_string() == wanted);
    let known = known.filter(|_| app.policy.allow.templates.contains_key(wanted));
    let Some(known) = known else {
        return Ok(sign::onward(TO, Err("no-template")));
    };
    let Some(until) = steward::end_of(fields.text("until")) else {
        return Ok(sign::onward(TO, Err("day")));
    };
    if until <= desk.now() {
        return Ok(sign::onward(TO, Err("day")));
    }
    let purpose = match fields.text("purpose") {
        "" => None,
        word => {
            let found = PURPOSES.into_iter().find(|one| ledger::name(*one) == word);
            Some(found.ok_or(Fault::Form)?)
        }
    };
    let acting = signing.acting(&desk, &app.standing);
    let done = steward::stand(&app.state, acting, known.reference(), purpose, until).await;
    match done {
        Ok(()) => Ok(sign::onward(TO, Ok("standing"))),
        Err(error) => Ok(sign::onward(TO, Err(sign::refusal(error)?))),
    }
}

/// Ends a standing approval: `steward standing remove`.
pub(super) async fn remove(
    (desk, visit): (Arc<Desk>, Visit),
    fields: Fields,
) -> Result<String, Fault> {
    const TO: &str = "/standing";
    let signing = match sign::signing(&desk, &visit, &fields).await? {
        Ok(signing) => signing,
        Err(refused) => return Ok(sign::onward(TO, Err(refused))),
    };
    let app = desk.app().await?;
    let acting = signing.acting(&desk, &app.standing);
    let done = steward::remove_standing(&app.state, acting, fields.text("template")).await;
    match done {
        Ok(()) => Ok(sign::onward(TO, Ok("standing-end"))),
        Err(error) => Ok(sign::onward(TO, Err(sign::refusal(error)?))),
    }
}
