//! One round: what was asked in plain words, who answered, who is missing and why.

use std::sync::Arc;

use schemas::dictionary::Dictionary;
use schemas::question::{Measure, Question};
use schemas::round::{Standing, State as RoundState};
use web::block::{Block, Cell, Level, Tile};
use web::shell::Page;

use super::answer::Visit;
use super::desk::Desk;
use super::fault::Fault;
use super::routes::Places;
use super::{rounds, words};
use crate::ask;
use crate::collect;
use crate::dictionary;

/// The page.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit, places: Places) -> Result<Page, Fault> {
    let held = ask::find(&desk.store, &desk.authority, &places.name("id")?).await?;
    let round = &held.round;
    let of = collect::progress(&desk.store, &held, desk.clock.now()).await?;
    let template = round.template.as_ref().map_or("", |one| one.id.as_str());
    let mut page = Page::new(round.id.to_string(), rounds::name(&desk, &visit, template)?);
    page.above = vec![(visit.say("way-rounds"), "/rounds".to_owned())];
    let tile = |key: &str, value: String, note: String, level| Tile {
        label: visit.say(key),
        value,
        note,
        level,
        to: String::new(),
    };
    let (state, level) = (
        words::round(&visit, held.state),
        words::round(&visit, held.state).level(),
    );
    let needed = visit.tell("answers-needed", &[("n", &of.min_answers.to_string())]);
    let late = of
        .hospitals
        .values()
        .filter(|place| place.standing != Standing::Answered)
        .count();
    let price = round
        .question
        .rho()
        .map_err(|error| Fault::broken("a price", error))?;
    let mut blocks = vec![Block::Tiles(vec![
        tile("state", state.shown(), words::moment(round.deadline), level),
        tile(
            "answers",
            format!("{} / {}", of.answers, of.hospitals.len()),
            needed,
            Level::Plain,
        ),
        tile(
            "missing",
            late.to_string(),
            visit.say("missing-note"),
            if late == 0 {
                Level::Good
            } else {
                Level::Warning
            },
        ),
        tile(
            "price",
            format!("ρ {price}"),
            visit.say("price-note"),
            Level::Plain,
        ),
    ])];
    if held.state == RoundState::Closed {
        let to = format!("/rounds/{}/benchmark", round.id);
        blocks.push(Block::Links(vec![(visit.say("benchmark"), to)]));
    }
    page.add(String::new(), blocks);
    let cited =
        dictionary::by_digest(&desk.store, &desk.authority, round.question.dictionary).await;
    let cited = cited.map_err(|error| Fault::broken("the dictionary", error))?;
    let cited = cited.map(|published| published.dictionary);
    page.add(
        visit.say("question"),
        vec![Block::List(plain(&visit, &round.question, cited.as_ref()))],
    );
    let mut table = words::table(
        &visit,
        "hospitals",
        "progress",
        &["member", "standing", "heard"],
    );
    for (hospital, place) in &of.hospitals {
        table.rows.push(vec![
            Cell::text(hospital),
            words::standing(&visit, place.standing),
            words::heard(&visit, place.heard_seconds_ago),
        ]);
    }
    page.add(visit.say("progress"), vec![Block::Table(table)]);
    if held.state == RoundState::Open {
        page.live = format!("/rounds/{}/live", round.id);
    }
    page.sources = vec![
        words::source(&visit, "source-round", &held.digest),
        words::source(&visit, "source-dictionary", &round.question.dictionary),
        words::source(&visit, "source-rules", &round.question.rules),
    ];
    Ok(page)
}

/// What the dictionary calls a dimension or a field.
pub(super) fn label(visit: &Visit, dictionary: Option<&Dictionary>, id: &str) -> String {
    let dimension =
        dictionary.and_then(|all| all.dimensions.iter().find(|one| one.id.as_str() == id));
    let field = dictionary.and_then(|all| all.fields.iter().find(|one| one.id.as_str() == id));
    let label = dimension
        .map(|one| &one.label)
        .or(field.map(|one| &one.label));
    label.map_or_else(
        || id.to_owned(),
        |one| visit.language.pick(&one.zh, &one.en).to_owned(),
    )
}

/// What is measured, in words.
pub(super) fn measure(visit: &Visit, dictionary: Option<&Dictionary>, of: &Measure) -> String {
    let (key, field) = match of {
        Measure::Count => return visit.say("measure-count"),
        Measure::CountWhere { .. } => return visit.say("measure-count-where"),
        Measure::Sum { field } => ("measure-sum", field),
        Measure::Relative { field } => ("measure-relative", field),
        Measure::Squares { field } => ("measure-squares", field),
        Measure::Histogram { field } => ("measure-histogram", field),
        Measure::Structure { field } => ("measure-structure", field),
    };
    visit.tell(key, &[("field", &label(visit, dictionary, field.as_str()))])
}

/// A question in words, made from the typed question and the dictionary alone.
pub(super) fn plain(
    visit: &Visit,
    question: &Question,
    dictionary: Option<&Dictionary>,
) -> Vec<String> {
    let label = |id: &str| label(visit, dictionary, id);
    let comma = visit.say("comma");
    let mut lines = vec![visit.tell(
        "ask-period",
        &[("period", &words::period(&question.period))],
    )];
    for (dimension, keys) in &question.filter {
        let named = [
            ("dimension", label(dimension.as_str())),
            ("keys", keys.join(&comma)),
        ];
        lines.push(visit.tell(
            "ask-filter",
            &named.each_ref().map(|(name, text)| (*name, text.as_str())),
        ));
    }
    for table in &question.tables {
        let by: Vec<String> = table.by.iter().map(|id| label(id.as_str())).collect();
        let by = if by.is_empty() {
            visit.say("ask-whole")
        } else {
            by.join(" × ")
        };
        let measures: Vec<String> = table
            .blocks
            .iter()
            .map(|block| measure(visit, dictionary, &block.measure))
            .collect();
        lines.push(visit.tell(
            "ask-table",
            &[("by", &by), ("measures", &measures.join(&comma))],
        ));
    }
    let bounds = question.bounds;
    let named = [
        ("groups", bounds.groups.to_string()),
        ("stays", bounds.stays.to_string()),
    ];
    lines.push(visit.tell(
        "ask-bounds",
        &named.each_ref().map(|(name, text)| (*name, text.as_str())),
    ));
    lines
}
