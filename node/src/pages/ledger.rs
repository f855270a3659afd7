//! The ledger of privacy: what is left of each data year as it burned down, and every charge.

use std::collections::BTreeMap;
use std::sync::Arc;

use policies::rules::Privacy;
use schemas::loss::Rho;
use web::block::{Block, Cell, Level};
use web::decline::{self, Line};
use web::number;
use web::shell::Page;
use web::site::Site as _;
use web::site::answer::Visit;

use super::charges::{Charge, charges};
use super::desk::Desk;
use super::fault::Fault;
use super::named::{self, tile};
use crate::ledger::{self, WORST};
use crate::noise;
use crate::steward;

/// δ at which ε is shown.
const DELTA: f64 = 1e-6;

/// ε of a loss, for people.
fn epsilon(rho: Rho) -> String {
    noise::epsilon(rho, DELTA).map_or_else(|| "–".to_owned(), |e| format!("{e:.3}"))
}

fn limit(policy: &Privacy, purpose: &str) -> Rho {
    match purpose {
        "benchmark" => policy.allowance.benchmark,
        "budget" => policy.allowance.budget,
        "audit" => policy.allowance.audit,
        "free" => policy.allowance.free,
        WORST => policy.pooled.worst,
        _ => policy.allowance.total,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a place on a chart, no amount")]
fn drawn(rho: Rho) -> f64 {
    rho.nano() as f64 / 1e9
}

#[expect(clippy::cast_precision_loss, reason = "a place on a chart, no time")]
fn when(seconds: i64) -> f64 {
    seconds as f64
}

/// The page.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    let app = desk.app().await?;
    let policy = &app.policy;
    let lines = ledger::lines(&desk.state).await?;
    let all = charges(&desk.state.log().await?);
    let mut page = Page::new(visit.say("node.way-ledger"), visit.say("node.ledger-lead"));
    let total = policy.allowance.total;
    let mut years: BTreeMap<u16, Rho> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.purpose == "all") {
        years.insert(line.year.0, line.spent);
    }
    let tiles = years.iter().rev().map(|(year, spent)| {
        let left = total.saturating_sub(*spent);
        let level = if left.nano() == 0 {
            Level::Alarm
        } else if left.nano() < total.nano() / 5 {
            Level::Warning
        } else {
            Level::Good
        };
        let note = visit.tell(
            "node.left-of",
            &[
                ("spent", &spent.to_string()),
                ("limit", &total.to_string()),
                ("epsilon", &epsilon(*spent)),
            ],
        );
        web::block::Tile {
            label: visit.tell("node.left-of-year", &[("year", &year.to_string())]),
            ..tile(&visit, "node.left", (named::rho(left), note), level, "")
        }
    });
    let mut blocks = vec![Block::Tiles(tiles.collect())];
    if ledger::rolled_back(desk.state.pool())
        .await
        .map_err(|error| Fault::broken("the ledger", error))?
    {
        blocks.push(Block::Note(Level::Alarm, visit.say("node.rolled-back")));
    }
    if !all.is_empty() {
        blocks.push(burned(&desk, &visit, &all, total));
    }
    page.add(String::new(), blocks);
    let heads = [
        "year",
        "node.purpose",
        "#node.spent",
        "#node.limit",
        "#node.left",
        "#node.epsilon",
    ];
    let mut table = visit.table("lines", "node.ledger-lines", &heads);
    for line in &lines {
        let most = limit(policy, &line.purpose);
        table.rows.push(vec![
            Cell::Text(line.year.to_string()),
            Cell::Text(named::line(&visit, &line.purpose)),
            Cell::Number(line.spent.to_string()),
            Cell::Number(most.to_string()),
            Cell::Number(most.saturating_sub(line.spent).to_string()),
            Cell::Number(epsilon(line.spent)),
        ]);
    }
    page.add(
        visit.say("node.ledger-lines"),
        vec![
            Block::Text(visit.say("node.ledger-told")),
            Block::Table(table),
        ],
    );
    let table = every(&desk, &visit, &all).await?;
    page.add(visit.say("node.charges"), vec![Block::Table(table)]);
    let head = desk.state.log_head().await?;
    let signed = app.standing.approved.policy;
    page.sources = vec![
        (visit.say("source-log"), head.to_string()),
        (visit.say("node.source-policy"), signed.to_string()),
    ];
    Ok(page)
}

/// What was left of each year after each charge.
fn burned(desk: &Desk, visit: &Visit, all: &[Charge], total: Rho) -> Block {
    let mut lines: BTreeMap<u16, Line> = BTreeMap::new();
    for charge in all {
        let left = total.saturating_sub(charge.spent);
        let told = format!(
            "{} · ρ {} → ρ {left}",
            number::moment(charge.at),
            charge.rho
        );
        let line = lines.entry(charge.year).or_insert_with(|| Line {
            name: charge.year.to_string(),
            first: drawn(total),
            steps: Vec::new(),
        });
        line.steps.push((when(charge.at.0), drawn(left), told));
    }
    let lines: Vec<Line> = lines.into_values().collect();
    let caption = visit.tell("node.burn-caption", &[("limit", &total.to_string())]);
    let first = all
        .first()
        .map_or_else(String::new, |one| number::moment(one.at));
    let now = number::moment(desk.now());
    let svg = decline::steps(&caption, &lines, when(desk.now().0), (&first, &now));
    Block::Chart { svg, caption }
}

/// Every charge with the round that it was for.
async fn every(desk: &Desk, visit: &Visit, all: &[Charge]) -> Result<web::block::Table, Fault> {
    let mut rounds = BTreeMap::new();
    for letter in steward::letters(&desk.state).await? {
        if let Ok(question) = letter.round.question.digest() {
            rounds.insert(question, letter);
        }
    }
    let officer = visit
        .visitor
        .as_ref()
        .is_some_and(|(_, role)| super::desk::OFFICERS.contains(role));
    let heads = [
        "time",
        "kind",
        "node.for",
        "node.purpose",
        "year",
        "#node.rho",
        "#node.spent-after",
        "#number",
    ];
    let mut table = visit.table("charges", "node.charges", &heads);
    for charge in all.iter().rev() {
        let letter = rounds.get(&charge.subject);
        let cause = match letter {
            Some(letter) if officer => Cell::Link {
                text: letter.round.id.to_string(),
                to: format!("/inbox/{}", letter.digest),
            },
            Some(letter) => Cell::text(&letter.round.id),
            None => Cell::Code(charge.subject.short()),
        };
        let purpose = if charge.purpose.is_empty() {
            "–".to_owned()
        } else {
            named::line(visit, &charge.purpose)
        };
        let sign = if charge.back { "-" } else { "" };
        table.rows.push(vec![
            Cell::Text(number::moment(charge.at)),
            Cell::Text(visit.say(&format!("node.charge-{}", charge.kind))),
            cause,
            Cell::Text(purpose),
            Cell::text(charge.year),
            Cell::Number(format!("{sign}{}", charge.rho)),
            Cell::Number(charge.spent.to_string()),
            Cell::text(charge.sequence),
        ]);
    }
    Ok(table)
}
