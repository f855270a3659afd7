//! The plan, its execution and the overspend of a year.

use std::sync::Arc;

use policies::figures::budget::Noise;
use policies::figures::overspend::OverspendInput;
use policies::year::{Computed, Proposed, Published, Year};
use schemas::money::Fen;
use schemas::year::Matter;
use web::block::{Block, Cell, Level, Tile};
use web::chart::{self, Bar};
use web::number;
use web::shell::Page;

use super::super::answer::Visit;
use super::super::desk::Desk;
use super::super::fault::Fault;
use super::super::routes::Places;
use super::super::words;
use super::{head, objections, read};

/// The newest result about a matter.
pub(super) fn newest<'a>(
    published: &'a Published,
    of: &Year,
    matter: Matter,
) -> Result<&'a Proposed, Fault> {
    let wanted = of.matters.get(&matter).ok_or(Fault::Missing)?.result;
    let found = published
        .results
        .iter()
        .find(|one| one.computed.digest().is_ok_and(|digest| digest == wanted));
    found.ok_or(Fault::Missing)
}

/// A page about a matter, with its state on top and objections below.
pub(super) fn about(
    visit: &Visit,
    of: &Year,
    matter: Matter,
    blocks: Vec<Block>,
) -> Result<Page, Fault> {
    let course = of.matters.get(&matter).ok_or(Fault::Missing)?;
    let mut page = head(visit, of, Some(&format!("matter-{}", matter.as_str())));
    let state = words::course(visit, course);
    let told = visit.tell(
        "result-told",
        &[
            ("state", &state.shown()),
            ("version", &course.version.to_string()),
            ("by", course.by.as_str()),
        ],
    );
    page.add(String::new(), vec![Block::Note(state.level(), told)]);
    page.add(String::new(), blocks);
    let key = if matter == Matter::Settlement {
        "appeals"
    } else {
        "objections"
    };
    page.add(
        visit.say(key),
        vec![Block::Table(objections(visit, course, key))],
    );
    page.sources
        .push(words::source(visit, "source-result", &course.result));
    Ok(page)
}

pub(super) fn tile(visit: &Visit, key: &str, amount: Fen) -> Tile {
    Tile {
        label: visit.say(key),
        value: number::money_short(amount, visit.language),
        note: number::money(amount),
        level: Level::Plain,
        to: String::new(),
    }
}

/// Numbers on paper: fen as they are drawn.
fn drawn(amount: Fen) -> f64 {
    amount.to_string().parse().unwrap_or(0.0)
}

/// The split of the budget.
pub(in crate::pages) async fn plan(
    desk: Arc<Desk>,
    visit: Visit,
    places: Places,
) -> Result<Page, Fault> {
    let (published, of) = read(&desk, places.year()?).await?;
    let Computed::Plan(plan) = &newest(&published, &of, Matter::Plan)?.computed else {
        return Err(Fault::Missing);
    };
    let heads = [
        "member",
        "tier",
        "#share",
        "#amount",
        "#low",
        "#high",
        "pinned",
        "#floor",
        "#ceiling",
        "#change",
        "#deduction",
    ];
    let mut table = words::table(&visit, "plan", "matter-plan", &heads);
    let mut bars = Vec::new();
    for part in &plan.members {
        let interval = match &part.noise {
            Some(Noise::Interval { low, high }) => Some((*low, *high)),
            _ => None,
        };
        let word = |value: &dyn std::fmt::Debug| format!("{value:?}").to_lowercase();
        let ends = interval.map_or_else(
            || [Cell::text("–"), Cell::text("–")],
            |(low, high)| [Cell::Money(low), Cell::Money(high)],
        );
        let [low, high] = ends;
        table.rows.push(vec![
            Cell::text(&part.id),
            Cell::Text(visit.say(&format!("tier-{}", word(&part.tier)))),
            Cell::Share(part.share.clone()),
            Cell::Money(part.amount),
            low,
            high,
            Cell::Text(visit.say(&format!("pinned-{}", word(&part.pinned)))),
            Cell::Money(part.floor),
            Cell::Money(part.ceiling),
            Cell::Share(part.change.clone()),
            Cell::Money(part.deduction),
        ]);
        bars.push(Bar {
            name: part.id.to_string(),
            value: drawn(part.amount),
            interval: interval.map(|(low, high)| (drawn(low), drawn(high))),
            line: Some(drawn(part.ceiling)),
            told: format!(
                "{} ({})",
                number::money_short(part.amount, visit.language),
                number::percent(&part.share)
            ),
            colour: 0,
        });
    }
    let caption = visit.say("plan-caption");
    let mut blocks = vec![
        Block::Tiles(vec![
            tile(&visit, "target", plan.total),
            tile(&visit, "reserve", plan.reserve),
            tile(&visit, "distributed", plan.distributable),
        ]),
        Block::Chart {
            svg: chart::bars(&caption, &bars),
            caption,
        },
        Block::Table(table),
    ];
    let pairs = plan.not_separable.iter().map(|(one, other)| {
        visit.tell(
            "not-separable",
            &[("one", one.as_str()), ("other", other.as_str())],
        )
    });
    blocks.push(Block::List(pairs.collect()));
    let to = format!("/years/{}/workbench", of.number);
    blocks.push(Block::Links(vec![(visit.say("bench"), to)]));
    about(&visit, &of, Matter::Plan, blocks)
}

/// Spending against the plan.
pub(in crate::pages) async fn execution(
    desk: Arc<Desk>,
    visit: Visit,
    places: Places,
) -> Result<Page, Fault> {
    let (published, of) = read(&desk, places.year()?).await?;
    let mut page = head(&visit, &of, Some("matter-execution"));
    page.add(String::new(), super::use_of_budget(&visit, &published, &of));
    let heads = [
        "member",
        "#budget",
        "#paid",
        "#used-percent",
        "#ahead",
        "level",
    ];
    let mut table = words::table(&visit, "execution", "matter-execution", &heads);
    for (member, budget, spent, stands) in crate::year::execution(&published, &of, 12) {
        let none = || Cell::text("–");
        table.rows.push(vec![
            Cell::text(member),
            Cell::Money(budget),
            Cell::Money(spent),
            stands
                .as_ref()
                .map_or_else(none, |one| Cell::Number(one.spent.clone())),
            stands
                .as_ref()
                .map_or_else(none, |one| Cell::Number(one.ahead.clone())),
            stands.as_ref().map_or_else(none, |one| {
                let (level, key) = words::alert(one.level);
                Cell::Mark(level, visit.say(key))
            }),
        ]);
    }
    let mut months = words::table(
        &visit,
        "payments",
        "payments",
        &["member", "month", "#paid"],
    );
    for (member, paid) in &of.paid {
        for (month, amount) in paid {
            months.rows.push(vec![
                Cell::text(member),
                Cell::text(month),
                Cell::Money(*amount),
            ]);
        }
    }
    super::super::groups::window(&visit, &mut months);
    page.add(String::new(), vec![Block::Table(table)]);
    page.add(
        visit.say("warnings"),
        vec![Block::Table(
            super::warnings(&desk, &visit, &published, &of).await?,
        )],
    );
    page.add(visit.say("payments"), vec![Block::Table(months)]);
    Ok(page)
}

/// Who bears the overspend, and appeals.
pub(in crate::pages) async fn settlement(
    desk: Arc<Desk>,
    visit: Visit,
    places: Places,
) -> Result<Page, Fault> {
    let (published, of) = read(&desk, places.year()?).await?;
    let found = newest(&published, &of, Matter::Settlement)?;
    let Computed::Settlement(settled) = &found.computed else {
        return Err(Fault::Missing);
    };
    let tiles = [
        ("reasonable", settled.reasonable),
        ("unreasonable", settled.unreasonable),
        ("by-insurer", settled.insurer),
        ("from-reserve", settled.from_reserve),
        ("uncovered", settled.uncovered),
    ];
    let mut table = words::table(
        &visit,
        "settlement",
        "matter-settlement",
        &["member", "#bears", "#next-year"],
    );
    for (member, fen) in &settled.responsible {
        let next = settled.next_year.get(member).copied().unwrap_or_default();
        table.rows.push(vec![
            Cell::text(member),
            Cell::Money(*fen),
            Cell::Money(next),
        ]);
    }
    let mut classes = words::table(
        &visit,
        "classes",
        "classes",
        &["member", "cause", "class", "#amount"],
    );
    let input = serde_json::from_str::<OverspendInput>(&found.inputs);
    for one in input.map(|input| input.classified).unwrap_or_default() {
        let cause = serde_json::to_value(one.cause).ok();
        let cause = cause
            .as_ref()
            .and_then(|word| word.as_str())
            .unwrap_or_default()
            .replace('_', "-");
        let class = if one.cause.reasonable() {
            "reasonable"
        } else {
            "unreasonable"
        };
        classes.rows.push(vec![
            Cell::text(one.member),
            Cell::Text(visit.say(&format!("cause-{cause}"))),
            Cell::Text(visit.say(class)),
            Cell::Money(one.amount),
        ]);
    }
    let tiles = tiles
        .map(|(key, amount)| tile(&visit, key, amount))
        .to_vec();
    let blocks = vec![
        Block::Tiles(tiles),
        Block::Table(table),
        Block::Table(classes),
    ];
    about(&visit, &of, Matter::Settlement, blocks)
}
