//! One pooled round: who is in the sum, what the committee said.

use std::sync::Arc;

use schemas::time::Timestamp;
use web::block::{Block, Cell, Level};
use web::shell::Page;

use super::answer::Visit;
use super::desk::Desk;
use super::fault::Fault;
use super::routes::Places;
use super::{round, rounds, words};
use crate::dictionary;
use crate::pooled;

/// The page.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit, places: Places) -> Result<Page, Fault> {
    let held = pooled::find(&desk.store, &desk.authority, &places.name("id")?).await?;
    let of = pooled::progress(&desk.store, &held, desk.clock.now()).await?;
    let template = of.template.as_deref().unwrap_or_default();
    let template = template.split('@').next().unwrap_or_default();
    let mut page = Page::new(of.round.to_string(), rounds::name(&desk, &visit, template)?);
    page.above = vec![(visit.say("way-rounds"), "/rounds".to_owned())];
    let state = words::pooled(&visit, &of.state);
    let told = visit.tell(
        "pooled-told",
        &[
            ("state", &state.shown()),
            ("uploads", &of.uploads().to_string()),
            ("asked", &of.hospitals.len().to_string()),
            ("least", &of.n_min.to_string()),
            ("t", &of.t.to_string()),
        ],
    );
    page.add(
        String::new(),
        vec![
            Block::Note(state.level(), told),
            Block::Text(visit.say("pooled-lead")),
        ],
    );
    let question = &held.asked.question;
    let cited = dictionary::by_digest(&desk.store, &desk.authority, question.dictionary).await;
    let cited = cited.map_err(|error| Fault::broken("the dictionary", error))?;
    let cited = cited.map(|published| published.dictionary);
    page.add(
        visit.say("question"),
        vec![Block::List(round::plain(&visit, question, cited.as_ref()))],
    );
    let mut table = words::table(
        &visit,
        "hospitals",
        "progress",
        &["member", "uploaded", "in-sum"],
    );
    for place in &of.hospitals {
        let came = place.uploaded.map(|at| words::moment(Timestamp(at)));
        table.rows.push(vec![
            Cell::text(&place.hospital),
            came.map_or_else(
                || Cell::Mark(Level::Warning, visit.say("no-upload")),
                Cell::Text,
            ),
            match place.in_sum {
                Some(true) => Cell::Mark(Level::Good, visit.say("yes")),
                Some(false) => Cell::Mark(Level::Warning, visit.say("no")),
                None => Cell::text("–"),
            },
        ]);
    }
    let mut seats = words::table(&visit, "committee", "committee", &["member", "said"]);
    for seat in &of.committee {
        let said: Vec<String> = seat
            .said
            .iter()
            .map(|word| visit.say(&format!("seat-{word}")))
            .collect();
        seats.rows.push(vec![
            Cell::text(&seat.member),
            Cell::text(said.join(&visit.say("comma"))),
        ]);
    }
    page.add(
        visit.say("progress"),
        vec![Block::Table(table), Block::Table(seats)],
    );
    page.sources = vec![words::source(
        &visit,
        "source-dictionary",
        &question.dictionary,
    )];
    Ok(page)
}
