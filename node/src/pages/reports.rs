//! One month of one load: its quality, what was found, how far its rows could be told apart, its steps, and
//! the button that releases it.

use std::sync::Arc;

use schemas::dictionary::Dictionary;
use schemas::id::Slug;
use schemas::time::Month;
use web::block::{Block, Cell, Input, Level};
use web::number;
use web::shell::Page;
use web::site::answer::Visit;
use web::site::routes::Places;

use super::desk::{Desk, STEWARD};
use super::fault::Fault;
use super::named::{self, permille, tile};
use super::{examine, months, sign};
use crate::config::Quality;
use crate::deidentify::risk::{Risk, Share};
use crate::lifecycle::{self, Step};
use crate::load::{Exposure, KeptQuality, kept_reports};
use crate::quality;
use crate::release::{self, MonthState};
use crate::store::columns;
use crate::store::dictionaries;
use policies::quality::{CONSUMABLES, State as Stands};
use schemas::question::Dataset;

/// The page.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit, places: Places) -> Result<Page, Fault> {
    let month: Month = places.text("month").parse().map_err(|_| Fault::Missing)?;
    let all = release::months(&desk.state).await?;
    let mut found = all.into_iter();
    let held = found.find(|one| one.load == places.text("load") && one.month == month);
    let held = held.ok_or(Fault::Missing)?;
    let mut page = Page::new(
        visit.tell("node.month-of", &[("month", &month.to_string())]),
        visit.tell("node.load-of", &[("load", &held.load)]),
    );
    page.above = vec![(visit.say("node.way-months"), "/months".to_owned())];
    // The load's name comes from the state file here, not from the address.
    let folder = columns::folder(&desk.config.data).join(&held.load);
    let (scores, exposed) = kept_reports(&folder).unwrap_or_default();
    let scores = scores.into_iter().find(|one| one.month == month);
    let exposed = exposed.into_iter().find(|one| one.month == month);
    let mut first: Vec<Block> = sign::told(&visit).into_iter().collect();
    first.push(tiles(&visit, &held, exposed.as_ref()));
    page.add(String::new(), first);
    match &scores {
        Some(scores) => page.add(visit.say("node.quality"), judged(&visit, scores)),
        None => page.add(
            visit.say("node.quality"),
            vec![Block::Note(Level::Warning, visit.say("node.report-gone"))],
        ),
    }
    let mut findings = findings(&desk, &visit, (held.dataset, month)).await?;
    findings.extend(examine::form(&desk, &visit, &held));
    page.add(visit.say("node.findings"), findings);
    if let Some(exposed) = &exposed {
        let dictionary = dictionaries::latest(&desk.state).await?;
        let blocks = risks(&desk, &visit, dictionary.as_ref(), exposed);
        page.add(visit.say("node.deidentification"), blocks);
    }
    let steps = steps(&desk, &visit, &held).await?;
    page.add(visit.say("node.steps"), steps);
    Ok(page)
}

fn tiles(visit: &Visit, held: &MonthState, exposed: Option<&Exposure>) -> Block {
    let state = months::state(visit, held);
    let grade = named::grade(held.grade);
    let release = held.release.map_or_else(String::new, |number| {
        visit.tell("node.release-number", &[("n", &number.to_string())])
    });
    let rows = number::grouped(&held.rows.to_string());
    let mut tiles = vec![
        tile(visit, "state", (state.shown(), release), state.level(), ""),
        tile(
            visit,
            "grade",
            (grade.shown(), visit.say("node.grade-note")),
            grade.level(),
            "",
        ),
        tile(visit, "node.rows", (rows, String::new()), Level::Plain, ""),
    ];
    if let Some(exposed) = exposed {
        let risk = &exposed.risk;
        let level = if exposed.findings > 0 {
            Level::Alarm
        } else if exposed.short.is_empty() {
            Level::Good
        } else {
            Level::Warning
        };
        let kl = format!("k {} · l {}", risk.smallest_class, risk.fewest_groups);
        let note = if exposed.short.is_empty() {
            visit.say("node.exposure-good")
        } else {
            visit.say("node.exposure-short")
        };
        tiles.push(tile(visit, "node.deidentification", (kl, note), level, ""));
    }
    Block::Tiles(tiles)
}

/// The four scores, and the rules that rows in quarantine break.
fn judged(visit: &Visit, scores: &KeptQuality) -> Vec<Block> {
    let mut table = visit.table("scores", "node.scores", &["node.aspect", "#node.score"]);
    for (key, score) in [
        ("node.accuracy", scores.accuracy),
        ("node.completeness", scores.completeness),
        ("node.consistency", scores.consistency),
        ("node.timeliness", scores.timeliness),
    ] {
        table
            .rows
            .push(vec![Cell::Text(visit.say(key)), Cell::text(score)]);
    }
    let all = scores.kept.saturating_add(scores.refused).max(1);
    let heads = ["node.rule", "#node.row-count", "#node.share"];
    let mut broken = visit.table("quarantine", "node.quarantine", &heads);
    for (rule, rows) in &scores.rules {
        let key = format!("node.rule-{rule}");
        let name = if visit.language.knows(&key) {
            visit.say(&key)
        } else {
            rule.clone()
        };
        let share = u128::from(*rows).saturating_mul(1000) / u128::from(all);
        broken.rows.push(vec![
            Cell::Text(name),
            Cell::Number(rows.to_string()),
            Cell::Text(permille(share)),
        ]);
    }
    vec![Block::Table(table), Block::Table(broken)]
}

/// What `quality run` found, where it ran.
async fn findings(
    desk: &Desk,
    visit: &Visit,
    (dataset, month): (Dataset, Month),
) -> Result<Vec<Block>, Fault> {
    let ran = quality::list(&desk.state).await?;
    // Consumables are examined with the stays that they were used in.
    let own =
        |name: &str| name == dataset.as_str() || (dataset == Dataset::Stays && name == CONSUMABLES);
    let of = ran.iter().map(|one| (one, &one.report));
    let of = of.filter(|(_, report)| report.month == month && own(&report.dataset));
    let ran: Vec<_> = of.map(|(one, _)| one).collect();
    if ran.is_empty() {
        return Ok(vec![Block::Text(visit.say("node.quality-not-run"))]);
    }
    let heads = [
        "state",
        "node.rule",
        "node.department",
        "node.case-group",
        "node.field",
        "#node.row-count",
        "#node.of",
    ];
    let mut table = visit.table("findings", "node.findings", &heads);
    for one in ran.iter().flat_map(|standing| &standing.known) {
        let finding = &one.finding;
        let state = match &one.state {
            Stands::Open => Cell::Mark(Level::Warning, visit.say("node.finding-open")),
            Stands::Fixed => Cell::Mark(Level::Good, visit.say("node.finding-fixed")),
            Stands::Waived { by, .. } => Cell::Mark(
                Level::Notice,
                visit.tell("node.finding-waived", &[("by", by)]),
            ),
        };
        table.rows.push(vec![
            state,
            Cell::text(&finding.rule),
            Cell::text(&finding.department),
            Cell::text(&finding.group),
            Cell::text(&finding.field),
            Cell::Number(finding.rows.to_string()),
            Cell::Number(finding.of.to_string()),
        ]);
    }
    Ok(vec![Block::Table(table)])
}

/// How far rows could be told apart: the month, and of a small one without each quasi-identifier.
fn risks(
    desk: &Desk,
    visit: &Visit,
    dictionary: Option<&Dictionary>,
    exposed: &Exposure,
) -> Vec<Block> {
    let settings = &desk.config.quality;
    let name = |id: &Slug| {
        let known = dictionary.map(|known| named::field(visit, known, id.as_str()));
        known.unwrap_or_else(|| id.to_string())
    };
    let names: Vec<String> = settings.quasi_identifiers.iter().map(name).collect();
    let mut blocks = vec![Block::Text(visit.tell(
        "node.exposure-told",
        &[
            ("by", &names.join(&visit.say("comma"))),
            ("k", &settings.small_class.to_string()),
            ("l", &settings.least_groups.to_string()),
        ],
    ))];
    if exposed.findings > 0 {
        blocks.push(Block::Note(
            Level::Alarm,
            visit.say("node.refused-identifiers"),
        ));
    }
    if !exposed.short.is_empty() {
        blocks.push(Block::Note(
            Level::Warning,
            visit.say("node.exposure-no-row"),
        ));
    }
    let heads = [
        "node.seen-by",
        "#node.classes",
        "#node.k",
        "#node.l",
        "#node.entropy-l",
        "#node.t-groups",
        "#node.t-days",
        "#node.mean-risk",
        "#node.small-rows",
        "#node.high-rows",
    ];
    let mut table = visit.table("risk", "node.deidentification", &heads);
    table
        .rows
        .push(risk(settings, visit.say("node.all-quasi"), &exposed.risk));
    for (left_out, figures) in &exposed.without {
        let told = visit.tell("node.without", &[("name", &name(left_out))]);
        table.rows.push(risk(settings, told, figures));
    }
    blocks.push(Block::Table(table));
    blocks
}

/// A figure, marked where it falls short of the settings.
fn held_to(text: String, short: bool) -> Cell {
    if short {
        Cell::Mark(Level::Warning, text)
    } else {
        Cell::Number(text)
    }
}

fn risk(settings: &Quality, name: String, of: &Risk) -> Vec<Cell> {
    let closeness = u128::from(settings.closeness_permille);
    let share = |share: Share| {
        let of = share.permille();
        held_to(permille(of), of > closeness)
    };
    let (k, l) = (of.smallest_class, of.fewest_groups);
    vec![
        Cell::Text(name),
        Cell::Number(of.classes.to_string()),
        held_to(k.to_string(), k < u64::from(settings.small_class)),
        held_to(l.to_string(), l < u64::from(settings.least_groups)),
        Cell::Number(of.entropy_groups.clone()),
        share(of.t_groups),
        of.t_days.map_or_else(|| Cell::text("–"), share),
        Cell::Text(permille(of.mean.permille())),
        Cell::Text(permille(u128::from(of.small_permille))),
        Cell::Text(permille(of.above.permille())),
    ]
}

/// The steps that were taken, and the next one where it waits.
async fn steps(desk: &Desk, visit: &Visit, held: &MonthState) -> Result<Vec<Block>, Fault> {
    let heads = ["node.step", "time", "node.officer"];
    let mut table = visit.table("steps", "node.steps", &heads);
    let mut last = Step::Loaded;
    for taken in lifecycle::of(&desk.state).await? {
        if taken.load == held.load && taken.month == held.month {
            last = last.max(taken.step);
            table.rows.push(vec![
                Cell::Text(visit.say(&format!("node.step-{}", taken.step.as_str()))),
                Cell::Text(number::moment(taken.at)),
                Cell::Text(taken.officer),
            ]);
        }
    }
    let mut blocks = vec![Block::Table(table)];
    let steward = visit
        .visitor
        .as_ref()
        .filter(|(_, role)| STEWARD.contains(role));
    if held.release.is_some() {
        return Ok(blocks);
    }
    let Some((name, _)) = steward else {
        blocks.push(Block::Text(visit.say("node.only-steward")));
        return Ok(blocks);
    };
    if !sign::has_key(desk, name) {
        let told = visit.tell("node.key-elsewhere-month", &[("name", name.as_str())]);
        blocks.push(Block::Note(Level::Warning, told));
        return Ok(blocks);
    }
    let next = if desk.config.stewardship.each_step {
        last.next().unwrap_or(Step::Released)
    } else {
        Step::Released
    };
    let mut fields = vec![
        Input::hidden("month", &held.month.to_string()),
        Input::hidden("step", next.as_str()),
    ];
    if held.grade == schemas::answer::Grade::D {
        let words = ["no", "yes"].map(|word| (word.to_owned(), visit.say(word)));
        fields.push(sign::choice(visit, "grade_d", "no", words.to_vec()));
    }
    let button = match next {
        Step::Validated => "node.do-validated",
        Step::Deidentified => "node.do-deidentified",
        _ => "node.do-released",
    };
    blocks.push(Block::Text(visit.say("node.release-month-told")));
    let to = ("/months/step".to_owned(), button);
    blocks.push(sign::form(desk, visit, to, fields));
    Ok(blocks)
}
