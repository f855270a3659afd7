//! Budget years: the course, and each matter on a page of its own.

mod results;
mod merit;
mod workbench;
mod key;
mod letter;
mod next;
mod propose;
mod say;

use std::sync::Arc;

use policies::figures::Exact;
use policies::figures::watch::{Certainty, Kind};
use policies::year::{Course, Published, Stage, Year};
use schemas::id::Slug;
use schemas::time::Month;
use schemas::year::Matter;
use web::block::{Block, Cell, Level, Step, Table};
use web::chart::{self, Bar};
use web::number;
use web::shell::Page;

use super::answer::Visit;
use super::desk::Desk;
use super::fault::Fault;
use super::routes::Places;
use super::words;
pub(super) use letter::letter;
pub(super) use merit::{appraisal, bonus};
pub(super) use propose::{propose, show as proposal};
pub(super) use results::{execution, plan, settlement};
pub(super) use say::say;
pub(super) use workbench::show as workbench;

/// A year and where it stands.
pub(super) async fn read(desk: &Desk, year: u16) -> Result<(Published, Year), Fault> {
    let alliance = &desk.config.alliance;
    let published = crate::year::published(desk.store.pool(), alliance, year).await?;
    let stands = published.replay(|_, _, _| Ok(()));
    let stands = stands.map_err(|error| Fault::broken("a year", error))?;
    Ok((published, stands))
}

/// What a rule file calls something, where pages have words for it.
pub(super) fn named(visit: &Visit, id: &Slug) -> String {
    let key = format!("id-{id}");
    if visit.language.knows(&key) {
        visit.say(&key)
    } else {
        id.to_string()
    }
}

/// A grade.
pub(super) fn grade(visit: &Visit, id: &Slug) -> String {
    named(visit, id)
}

/// An exact number, as a decimal.
pub(super) fn exact(value: &Exact) -> String {
    value.to_string()
}

/// All years.
pub(super) async fn list(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    let mut page = Page::new(visit.say("way-years"), visit.say("years-lead"));
    let mut table = words::table(
        &visit,
        "years",
        "way-years",
        &["year", "stage", "#target", "matters"],
    );
    for one in crate::year::all(&desk.store, &desk.config.alliance)
        .await?
        .iter()
        .rev()
    {
        let matters = one.matters.iter().map(|(matter, (_, in_force))| {
            let state = if *in_force {
                "course-in-force"
            } else {
                "course-proposed"
            };
            format!(
                "{}: {}",
                visit.say(&format!("matter-{}", matter.as_str())),
                visit.say(state)
            )
        });
        let matters: Vec<String> = matters.collect();
        table.rows.push(vec![
            Cell::Link {
                text: one.year.to_string(),
                to: format!("/years/{}", one.year),
            },
            Cell::Text(words::stage(&visit, one.stage)),
            Cell::Money(one.target),
            Cell::Text(matters.join(&visit.say("comma"))),
        ]);
    }
    page.add(String::new(), vec![Block::Table(table)]);
    Ok(page)
}

/// The steps of a year's course.
pub(super) fn steps(visit: &Visit, stage: Stage) -> Vec<Step> {
    if stage == Stage::Withdrawn {
        return vec![Step {
            label: words::stage(visit, stage),
            done: true,
            now: true,
        }];
    }
    let all = [
        Stage::Target,
        Stage::Applications,
        Stage::Review,
        Stage::Planned,
        Stage::InForce,
        Stage::Closed,
    ];
    let step = |one: Stage| Step {
        label: words::stage(visit, one),
        done: one < stage,
        now: one == stage,
    };
    all.map(step).to_vec()
}

/// Spending of each member against its budget.
pub(super) fn use_of_budget(visit: &Visit, published: &Published, of: &Year) -> Vec<Block> {
    let rows = crate::year::execution(published, of, 12);
    let share = |text: &str| text.parse::<f64>().unwrap_or(0.0);
    let bars = rows.iter().filter_map(|(member, budget, spent, stands)| {
        let stands = stands.as_ref()?;
        let (level, key) = words::alert(stands.level);
        let colour = match level {
            Level::Alarm => 5,
            Level::Warning => 1,
            Level::Notice => 4,
            Level::Plain | Level::Good => 2,
        };
        let short = |amount| number::money_short(amount, visit.language);
        let told = format!(
            "{} % {} {} / {}",
            stands.spent,
            visit.say(key),
            short(*spent),
            short(*budget)
        );
        Some(Bar {
            name: member.to_string(),
            value: share(&stands.spent),
            interval: None,
            line: Some(100.0),
            told,
            colour,
        })
    });
    let bars: Vec<Bar> = bars.collect();
    if bars.is_empty() {
        return vec![Block::Text(visit.say("no-plan-yet"))];
    }
    let caption = visit.say("use-caption");
    vec![Block::Chart {
        svg: chart::bars(&caption, &bars),
        caption,
    }]
}

/// The year's warnings that the noise cannot have made.
pub(super) async fn warnings(
    desk: &Desk,
    visit: &Visit,
    published: &Published,
    of: &Year,
) -> Result<Table, Fault> {
    let before = match of.number.checked_sub(1) {
        Some(number) => match crate::year::read(&desk.store, &desk.config.alliance, number).await {
            Err(crate::year::YearError::Unknown(_)) => None,
            other => Some(other?),
        },
        None => None,
    };
    let mut table = words::table(
        visit,
        "warnings",
        "warnings",
        &["month", "member", "warning", "#found", "#against"],
    );
    table.empty = visit.say("no-warnings");
    let Ok(until) = Month::new(of.number, 12) else {
        return Ok(table);
    };
    for one in crate::year::warnings((published, of), before.as_ref(), &[], until) {
        if one.certainty != Certainty::Decided {
            continue;
        }
        let (level, key) = match (one.kind, one.level) {
            (Kind::Budget, Some(level)) => words::alert(level),
            (Kind::Budget, None) => (Level::Notice, "warning-budget"),
            (Kind::Deviation, _) => (Level::Notice, "warning-deviation"),
            (Kind::Anomaly, _) => (Level::Warning, "warning-anomaly"),
            (Kind::OverTarget, _) => (Level::Warning, "warning-over-target"),
            (Kind::Splurge, _) => (Level::Warning, "warning-splurge"),
            (Kind::ServicesFell, _) => (Level::Alarm, "warning-services"),
            (Kind::CaseGroup, _) => (Level::Notice, "warning-group"),
        };
        table.rows.push(vec![
            Cell::text(one.month),
            Cell::text(&one.member),
            Cell::Mark(level, visit.say(key)),
            Cell::Number(one.found),
            Cell::Number(one.against),
        ]);
    }
    Ok(table)
}

const MATTERS: [(Matter, &str); 4] = [
    (Matter::Plan, "plan"),
    (Matter::Settlement, "settlement"),
    (Matter::Bonus, "bonus"),
    (Matter::Appraisal, "appraisal"),
];

/// The pages of a year.
fn ways(visit: &Visit, of: &Year) -> Block {
    let to = |part: &str| format!("/years/{}/{part}", of.number);
    let mut links = vec![(visit.say("matter-execution"), to("execution"))];
    for (matter, part) in MATTERS {
        if of.matters.contains_key(&matter) {
            links.push((visit.say(&format!("matter-{part}")), to(part)));
        }
    }
    if of.matters.contains_key(&Matter::Plan) {
        links.push((visit.say("letter"), to("letter")));
    }
    Block::Links(links)
}

/// Those who take part in a year: members by their names, parties of the shipped rules by what they are.
pub(super) fn names<'a>(visit: &Visit, all: impl IntoIterator<Item = &'a Slug>) -> String {
    let one = |name: &Slug| {
        let key = format!("party-{name}");
        let known = visit.language.knows(&key);
        if known {
            visit.say(&key)
        } else {
            name.to_string()
        }
    };
    let all: Vec<String> = all.into_iter().map(one).collect();
    if all.is_empty() {
        "–".to_owned()
    } else {
        all.join(&visit.say("comma"))
    }
}

/// One year.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit, places: Places) -> Result<Page, Fault> {
    let (published, of) = read(&desk, places.year()?).await?;
    let mut page = head(&visit, &of, None);
    let mut blocks = vec![Block::Steps(steps(&visit, of.stage)), ways(&visit, &of)];
    blocks.extend(key::told(&desk, &visit));
    let awaited = of.awaited(&published.rules.year, desk.clock.now());
    let lines: Vec<String> = awaited.iter().map(|one| next::told(&visit, one)).collect();
    if !lines.is_empty() {
        blocks.push(Block::Note(Level::Notice, visit.say("waits-for")));
        blocks.push(Block::List(lines));
    }
    page.add(String::new(), blocks);
    let heads = [
        "matter",
        "version",
        "state",
        "signed-by",
        "accepted-by",
        "objections-open",
        "result",
    ];
    let mut table = words::table(&visit, "matters", "sign-off", &heads);
    for (matter, course) in &of.matters {
        let open = course
            .objections
            .values()
            .filter(|one| one.decided.is_none())
            .count();
        table.rows.push(vec![
            Cell::Text(visit.say(&format!("matter-{}", matter.as_str()))),
            Cell::text(course.version),
            words::course(&visit, course),
            Cell::Text(names(&visit, &course.signed)),
            Cell::Text(names(&visit, &course.accepted)),
            Cell::text(open),
            Cell::Code(course.result.short()),
        ]);
    }
    page.add(visit.say("sign-off"), vec![Block::Table(table)]);
    let part = say::forms(&desk, &visit, (&published, &of));
    if !part.is_empty() {
        page.add(visit.say("say-part"), part);
    }
    let mut table = words::table(
        &visit,
        "applications",
        "applications",
        &["member", "#amount", "purpose", "expected"],
    );
    for (member, one) in &of.applications {
        table.rows.push(vec![
            Cell::text(member),
            Cell::Money(one.amount),
            Cell::text(&one.purpose),
            Cell::text(&one.expected),
        ]);
    }
    page.add(visit.say("applications"), vec![Block::Table(table)]);
    let mut table = words::table(
        &visit,
        "tasks",
        "tasks",
        &["task", "member", "goal", "owner", "due", "state"],
    );
    for (name, task) in &of.tasks {
        let (level, key) = match (task.done, &task.reported) {
            (Some(_), _) => (Level::Good, "task-done"),
            (None, Some(_)) => (Level::Notice, "task-reported"),
            (None, None) if task.is_late(desk.clock.now()) => (Level::Alarm, "task-late"),
            (None, None) => (Level::Plain, "round-open"),
        };
        table.rows.push(vec![
            Cell::text(name),
            Cell::text(&task.member),
            Cell::text(&task.goal),
            Cell::text(&task.owner),
            Cell::text(words::moment(task.due)),
            Cell::Mark(level, visit.say(key)),
        ]);
    }
    page.add(visit.say("tasks"), vec![Block::Table(table)]);
    Ok(page)
}

/// A page of a year.
fn head(visit: &Visit, of: &Year, matter: Option<&str>) -> Page {
    let title = visit.tell("year-title", &[("year", &of.number.to_string())]);
    let target = number::money(of.target);
    let told = [("stage", words::stage(visit, of.stage)), ("target", target)];
    let lead = visit.tell(
        "year-lead",
        &told.each_ref().map(|(name, text)| (*name, text.as_str())),
    );
    let mut page = Page::new(
        matter.map_or_else(|| title.clone(), |key| visit.say(key)),
        lead,
    );
    page.above = vec![(visit.say("way-years"), "/years".to_owned())];
    if matter.is_some() {
        page.above.push((title, format!("/years/{}", of.number)));
    }
    page.sources
        .push(words::source(visit, "source-rules", &of.rules));
    page
}

/// Objections or appeals to every version, and what was answered.
fn objections(visit: &Visit, course: &Course, key: &str) -> Table {
    let heads = ["member", "version", "why", "answers-given", "outcome"];
    let mut table = words::table(visit, "objections", key, &heads);
    for (version, member, one) in course.heard() {
        let answers = one.answers.iter().map(|(by, answer)| {
            let word = if answer.upheld { "upheld" } else { "rejected" };
            format!("{by}: {} ({})", answer.why, visit.say(word))
        });
        let answers: Vec<String> = answers.collect();
        let (level, key) = match one.decided {
            None => (Level::Notice, "round-open"),
            Some(true) => (Level::Good, "upheld"),
            Some(false) => (Level::Plain, "rejected"),
        };
        table.rows.push(vec![
            Cell::text(member),
            Cell::text(version),
            Cell::text(&one.why),
            Cell::Text(answers.join("; ")),
            Cell::Mark(level, visit.say(key)),
        ]);
    }
    table
}
