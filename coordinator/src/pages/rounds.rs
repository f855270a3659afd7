//! All rounds, attributed and pooled.

use std::sync::Arc;

use web::block::{Block, Cell};
use web::shell::Page;

use super::answer::Visit;
use super::desk::Desk;
use super::fault::Fault;
use super::words;
use crate::accounts::Role;
use crate::ask;
use crate::collect;
use crate::pooled;
use crate::template;

/// What a template is called; its own name where it is not known.
pub(super) fn name(desk: &Desk, visit: &Visit, id: &str) -> Result<String, Fault> {
    let templates = template::load(desk.config.templates.as_deref())?;
    let found = templates
        .iter()
        .find(|(known, _)| known.as_str() == id)
        .map(|(_, one)| &one.label);
    Ok(found.map_or_else(
        || id.to_owned(),
        |label| visit.language.pick(&label.zh, &label.en).to_owned(),
    ))
}

/// Both lists.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    let mut page = Page::new(visit.say("way-rounds"), visit.say("rounds-lead"));
    let heads = [
        "round", "question", "period", "state", "#answers", "#asked", "deadline",
    ];
    let mut table = words::table(&visit, "rounds", "rounds-attributed", &heads);
    let mut all = ask::list(&desk.store, &desk.authority).await?;
    all.reverse();
    for held in all {
        let progress = collect::progress(&desk.store, &held, desk.clock.now()).await?;
        let round = &held.round;
        let template = round.template.as_ref().map_or("", |one| one.id.as_str());
        table.rows.push(vec![
            Cell::Link {
                text: round.id.to_string(),
                to: format!("/rounds/{}", round.id),
            },
            Cell::Text(name(&desk, &visit, template)?),
            Cell::Text(words::period(&round.question.period)),
            words::round(&visit, held.state),
            Cell::Number(progress.answers.to_string()),
            Cell::count(progress.hospitals.len()),
            Cell::text(words::moment(round.deadline)),
        ]);
    }
    let heads = [
        "round", "question", "period", "state", "#uploads", "#asked", "opened",
    ];
    let mut sums = words::table(&visit, "pooled", "rounds-pooled", &heads);
    let mut all = pooled::rounds(&desk.store, &desk.authority).await?;
    all.reverse();
    for held in all {
        let of = pooled::progress(&desk.store, &held, desk.clock.now()).await?;
        let template = of.template.as_deref().unwrap_or_default();
        let template = template.split('@').next().unwrap_or_default();
        sums.rows.push(vec![
            Cell::Link {
                text: of.round.to_string(),
                to: format!("/pooled/{}", of.round),
            },
            Cell::Text(name(&desk, &visit, template)?),
            Cell::Text(words::period(&of.period)),
            words::pooled(&visit, &of.state),
            Cell::count(of.uploads()),
            Cell::count(of.hospitals.len()),
            Cell::text(words::moment(schemas::time::Timestamp(of.opened))),
        ]);
    }
    let mut blocks = vec![Block::Table(table), Block::Table(sums)];
    if matches!(visit.visitor, Some((_, Role::Administrator))) {
        let to = "/rounds/new".to_owned();
        blocks.insert(0, Block::Links(vec![(visit.say("compose"), to)]));
    }
    page.add(String::new(), blocks);
    Ok(page)
}
