//! The cockpit: who is there, what is open, how the year's money stands, and the three aims side by side.

use std::sync::Arc;

use policies::figures::appraisal::Source;
use policies::year::{AppraisalInput, Computed, Published, Stage, Year};
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::year::Matter;
use web::block::{Block, Cell, Level, Table, Tile};
use web::number;
use web::shell::Page;

use super::answer::Visit;
use super::desk::Desk;
use super::fault::Fault;
use super::{allowance, words, year};
use crate::ask;
use crate::collect;
use crate::collect::Progress;
use crate::register::{self, Standing};

/// The cockpit.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    let mut page = Page::new(visit.say("way-cockpit"), visit.say("cockpit-lead"));
    let open = open(&desk).await?;
    let (members, fresh, active) = members(&desk, &visit, &open).await?;
    let missing: usize = open.iter().map(|one| waiting(one).count()).sum();
    let tile = |label: &str, value: String, note: String, level: Level, to: &str| Tile {
        label: visit.say(label),
        value,
        note,
        level,
        to: to.to_owned(),
    };
    let away = active.saturating_sub(fresh);
    let mut tiles = vec![
        tile(
            "members-fresh",
            format!("{fresh} / {active}"),
            visit.tell("members-away", &[("n", &away.to_string())]),
            if away == 0 {
                Level::Good
            } else {
                Level::Warning
            },
            "#members",
        ),
        tile(
            "rounds-open",
            open.len().to_string(),
            visit.say("rounds-open-note"),
            Level::Plain,
            "/rounds",
        ),
        tile(
            "answers-missing",
            missing.to_string(),
            visit.say("answers-missing-note"),
            if missing == 0 {
                Level::Good
            } else {
                Level::Notice
            },
            "/rounds",
        ),
    ];
    let year = newest(&desk).await?;
    if let Some((published, of)) = &year {
        tiles.extend(money(&visit, published, of));
    }
    page.add(String::new(), vec![Block::Tiles(tiles)]);
    if !open.is_empty() {
        page.add(
            visit.say("rounds-open"),
            vec![Block::Table(still_open(&visit, &open))],
        );
    }
    if let Some((published, of)) = &year {
        let title = visit.tell("year-title", &[("year", &of.number.to_string())]);
        let mut blocks = vec![Block::Steps(year::steps(&visit, of.stage))];
        blocks.extend(year::use_of_budget(&visit, published, of));
        blocks.push(Block::Table(
            year::warnings(&desk, &visit, published, of).await?,
        ));
        let to = format!("/years/{}", of.number);
        blocks.push(Block::Links(vec![(visit.say("year-more"), to)]));
        page.add(title, blocks);
        let aims = aims(&visit, published, of);
        page.add(
            visit.say("aims"),
            vec![Block::Text(visit.say("aims-lead")), Block::Table(aims)],
        );
        page.sources
            .push(words::source(&visit, "source-rules", &of.rules));
    }
    page.add(visit.say("members"), vec![Block::Table(members)]);
    let left = allowance::blocks(&desk, &visit).await?;
    page.add(visit.say("allowance"), left);
    Ok(page)
}

async fn open(desk: &Desk) -> Result<Vec<Progress>, Fault> {
    let mut open = Vec::new();
    for held in ask::list(&desk.store, &desk.authority).await? {
        if held.state == schemas::round::State::Open {
            open.push(collect::progress(&desk.store, &held, desk.clock.now()).await?);
        }
    }
    Ok(open)
}

fn waiting(of: &Progress) -> impl Iterator<Item = &Slug> {
    let all = of.hospitals.iter();
    all.filter(|(_, place)| place.standing == schemas::round::Standing::Waiting)
        .map(|(id, _)| id)
}

fn still_open(visit: &Visit, open: &[Progress]) -> Table {
    let heads = ["round", "#answers", "#asked", "missing", "left"];
    let mut table = words::table(visit, "open", "rounds-open", &heads);
    for one in open {
        let names: Vec<&str> = waiting(one).map(Slug::as_str).collect();
        table.rows.push(vec![
            Cell::Link {
                text: one.id.to_string(),
                to: format!("/rounds/{}", one.id),
            },
            Cell::Number(one.answers.to_string()),
            Cell::count(one.hospitals.len()),
            Cell::text(names.join(", ")),
            Cell::text(visit.tell(
                "minutes-left",
                &[("n", &(one.seconds_left / 60).to_string())],
            )),
        ]);
    }
    table
}

/// The members, how many active ones were heard of lately, and how many are active.
async fn members(
    desk: &Desk,
    visit: &Visit,
    open: &[Progress],
) -> Result<(Table, usize, usize), Fault> {
    let heads = ["member", "standing", "heard", "missing-in", "joined"];
    let mut table = words::table(visit, "members", "members", &heads);
    let (mut fresh, mut active) = (0_usize, 0_usize);
    for member in register::members(&desk.store).await? {
        let now = desk.clock.now();
        let age = member.seen.map(|at| now.0.saturating_sub(at.0).max(0));
        let (level, key) = match member.standing {
            Standing::Active => (Level::Good, "member-active"),
            Standing::Pending => (Level::Notice, "member-pending"),
            Standing::Revoked => (Level::Alarm, "member-revoked"),
        };
        if member.standing == Standing::Active {
            active = active.saturating_add(1);
            fresh = fresh.saturating_add(usize::from(words::is_fresh(age)));
        }
        let due = open
            .iter()
            .filter(|round| waiting(round).any(|id| *id == member.hospital));
        let due: Vec<&str> = due.map(|round| round.id.as_str()).collect();
        table.rows.push(vec![
            Cell::text(&member.hospital),
            Cell::Mark(level, visit.say(key)),
            if member.standing == Standing::Active {
                words::heard(visit, age)
            } else {
                Cell::text("–")
            },
            Cell::text(if due.is_empty() {
                "–".to_owned()
            } else {
                due.join(", ")
            }),
            Cell::text(words::moment(member.joined)),
        ]);
    }
    Ok((table, fresh, active))
}

/// The newest year that was not withdrawn.
async fn newest(desk: &Desk) -> Result<Option<(Published, Year)>, Fault> {
    let all = crate::year::all(&desk.store, &desk.config.alliance).await?;
    let of = all.iter().rev().find(|one| one.stage != Stage::Withdrawn);
    match of {
        Some(one) => Ok(Some(year::read(desk, one.year).await?)),
        None => Ok(None),
    }
}

fn money(visit: &Visit, published: &Published, of: &Year) -> Vec<Tile> {
    let to = format!("/years/{}", of.number);
    let tile = |key: &str, value: String, note: String, level: Level, to: String| Tile {
        label: visit.say(key),
        value,
        note,
        level,
        to,
    };
    let named = [("year", of.number.to_string())];
    let named = named
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let mut tiles = vec![tile(
        "target",
        number::money_short(of.target, visit.language),
        visit.tell("year-title", &named),
        Level::Plain,
        to.clone(),
    )];
    let rows = crate::year::execution(published, of, 12);
    let sum = |amounts: &mut dyn Iterator<Item = Fen>| {
        Fen(amounts.fold(0, |all, one| all.saturating_add(one.0)))
    };
    let budget = sum(&mut rows.iter().map(|row| row.1));
    let spent = sum(&mut rows.iter().map(|row| row.2));
    if !rows.is_empty() {
        let over = rows.iter().filter(|row| row.2 > row.1).count();
        let level = if over > 0 { Level::Alarm } else { Level::Good };
        let note = visit.tell(
            "paid-of",
            &[("budget", &number::money_short(budget, visit.language))],
        );
        let at = format!("{to}/execution");
        tiles.push(tile(
            "paid",
            number::money_short(spent, visit.language),
            note,
            Level::Plain,
            at.clone(),
        ));
        tiles.push(tile(
            "over-budget",
            over.to_string(),
            visit.say("over-budget-note"),
            level,
            at,
        ));
    }
    tiles
}

/// Quality, fund and patients of each member beside each other, as far as the year holds them.
fn aims(visit: &Visit, published: &Published, of: &Year) -> Table {
    let heads = [
        "member",
        "#aim-quality",
        "aim-grade",
        "#aim-fund",
        "aim-fund-level",
        "#aim-patients",
    ];
    let mut table = words::table(visit, "aims", "aims", &heads);
    let wanted = of
        .matters
        .get(&Matter::Appraisal)
        .map(|course| course.result);
    let mut results = published.results.iter();
    let found = results.find(|one| one.computed.digest().ok() == wanted && wanted.is_some());
    let appraised = match found.map(|one| &one.computed) {
        Some(Computed::Appraisal(all)) => &all[..],
        _ => &[],
    };
    let input = found.and_then(|one| serde_json::from_str::<AppraisalInput>(&one.inputs).ok());
    let execution = crate::year::execution(published, of, 12);
    let none = || Cell::Missing(visit.say("reason-no-data"));
    for member in of.members.keys() {
        let appraisal = appraised.iter().find(|one| one.id == *member);
        let stands = execution
            .iter()
            .find(|row| row.0 == *member)
            .and_then(|row| row.3.as_ref());
        let values = input
            .as_ref()
            .and_then(|all| all.members.iter().find(|one| one.id == *member));
        let patients = values.and_then(|one| one.scores.get(&Source::Patients));
        table.rows.push(vec![
            Cell::text(member),
            appraisal.map_or_else(none, |one| Cell::Number(one.composite.clone())),
            appraisal.map_or_else(none, |one| Cell::Text(year::grade(visit, &one.grade))),
            stands.map_or_else(none, |one| Cell::Number(one.spent.clone())),
            stands.map_or_else(none, |one| {
                let (level, key) = words::alert(one.level);
                Cell::Mark(level, visit.say(key))
            }),
            patients.map_or_else(none, |score| Cell::Number(year::exact(score))),
        ]);
    }
    table
}
