//! What to know first: what waits, how fresh the data are, what is left of the allowance, warnings, and for
//! those who see figures where the hospital stands.

use std::sync::Arc;

use schemas::officer::Role;
use schemas::time::Month;
use web::block::{Block, Level, Tile};
use web::number;
use web::shell::Page;
use web::site::Site as _;
use web::site::answer::Visit;

use super::desk::{ALL, COSTS, Desk, FIGURES, OFFICERS};
use super::fault::Fault;
use super::named::{self, tile};
use super::position;
use crate::early;
use crate::ledger;
use crate::release;
use crate::steward::{self, LetterState};

/// Warnings of this many seconds are new.
const NEW: i64 = 7 * 86_400;

/// The page.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    let role = visit.visitor.as_ref().map(|(_, role)| *role);
    let may = |roles: &[Role]| role.is_some_and(|role| roles.contains(&role));
    let mut page = Page::new(
        visit.say("node.way-overview"),
        visit.say("node.overview-lead"),
    );
    let mut tiles = vec![freshness(&desk, &visit).await?];
    if may(OFFICERS) {
        tiles.insert(0, inbox(&desk, &visit).await?);
    }
    tiles.extend(allowance(&desk, &visit).await?);
    if may(COSTS) {
        tiles.push(warnings(&desk, &visit).await?);
    }
    page.add(String::new(), vec![Block::Tiles(tiles)]);
    if may(FIGURES) {
        let blocks = stands(&desk, &visit).await?;
        page.add(visit.say("node.way-position"), blocks);
    }
    let ways = [
        ("node.way-inbox", "/inbox", OFFICERS),
        ("node.way-months", "/months", ALL),
        ("node.way-ledger", "/ledger", ALL),
        ("node.way-costs", "/costs", COSTS),
    ];
    let ways = ways.iter().filter(|(_, _, roles)| may(roles));
    let links = ways.map(|(key, to, _)| (visit.say(key), (*to).to_owned()));
    page.add(String::new(), vec![Block::Links(links.collect())]);
    Ok(page)
}

async fn inbox(desk: &Desk, visit: &Visit) -> Result<Tile, Fault> {
    steward::expire(&desk.state, desk.now()).await?;
    let letters = steward::letters(&desk.state).await?;
    let waits = letters
        .iter()
        .filter(|one| matches!(one.state, LetterState::Pending | LetterState::Held))
        .count();
    let level = if waits > 0 {
        Level::Warning
    } else {
        Level::Good
    };
    let note = visit.say("node.inbox-note");
    let value = (waits.to_string(), note);
    Ok(tile(visit, "node.inbox-waiting", value, level, "/inbox"))
}

/// The newest released month, and how many wait.
async fn freshness(desk: &Desk, visit: &Visit) -> Result<Tile, Fault> {
    let months = release::months(&desk.state).await?;
    let newest: Option<Month> = months
        .iter()
        .filter(|month| month.state == "released")
        .map(|month| month.month)
        .max();
    let waits = months
        .iter()
        .filter(|month| month.release.is_none())
        .count();
    let value = newest.map_or_else(|| visit.say("node.none-released"), |one| one.to_string());
    let (level, note) = match (newest, waits) {
        (_, 1..) => (
            Level::Warning,
            visit.tell("node.months-wait", &[("n", &waits.to_string())]),
        ),
        (None, _) => (Level::Warning, visit.say("node.nothing-answered")),
        (Some(_), 0) => (Level::Good, visit.say("node.all-released")),
    };
    Ok(tile(visit, "node.newest", (value, note), level, "/months"))
}

/// What is left of the newest data years.
async fn allowance(desk: &Desk, visit: &Visit) -> Result<Vec<Tile>, Fault> {
    let policy = crate::answer::policy(&desk.config)?;
    let total = policy.allowance.total;
    let lines = ledger::lines(&desk.state).await?;
    let years = lines.iter().rev().filter(|line| line.purpose == "all");
    let tiles = years.take(2).map(|line| {
        let left = total.saturating_sub(line.spent);
        let note = visit.tell(
            "node.spent-of",
            &[
                ("spent", &line.spent.to_string()),
                ("limit", &total.to_string()),
            ],
        );
        let level = if left.nano() == 0 {
            Level::Alarm
        } else {
            Level::Plain
        };
        Tile {
            label: visit.tell("node.left-of-year", &[("year", &line.year.to_string())]),
            ..tile(
                visit,
                "node.left",
                (named::rho(left), note),
                level,
                "/ledger",
            )
        }
    });
    Ok(tiles.collect())
}

async fn warnings(desk: &Desk, visit: &Visit) -> Result<Tile, Fault> {
    let told = early::list(&desk.state).await?;
    let since = desk.now().0.saturating_sub(NEW);
    let fresh = told.iter().filter(|one| one.at.0 >= since).count();
    let level = if fresh > 0 {
        Level::Warning
    } else {
        Level::Plain
    };
    let note = visit.tell("node.warnings-all", &[("n", &told.len().to_string())]);
    let value = (fresh.to_string(), note);
    Ok(tile(visit, "node.warnings-new", value, level, "/warnings"))
}

/// Where the hospital stands against the alliance, in two numbers.
async fn stands(desk: &Desk, visit: &Visit) -> Result<Vec<Block>, Fault> {
    let of = match position::position(desk).await? {
        Ok(of) => of,
        Err(missing) => {
            let told = visit.say(&format!("node.missing-{missing}"));
            return Ok(vec![Block::Note(Level::Notice, told)]);
        }
    };
    let gap = of.gap();
    let range = gap.low.map_or_else(String::new, |low| {
        let (low, high) = (
            position::short(visit, low),
            position::short(visit, gap.high),
        );
        format!("{low} – {high}")
    });
    let period = number::period(&of.benchmark.period);
    let gap = position::short(visit, gap.value);
    let saving = position::short(visit, of.saving());
    let tiles = vec![
        tile(visit, "node.gap", (gap, range), Level::Plain, "/position"),
        tile(
            visit,
            "node.saving",
            (saving, period),
            Level::Plain,
            "/position",
        ),
    ];
    Ok(vec![Block::Tiles(tiles)])
}
