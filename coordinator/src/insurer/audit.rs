//! One audit: how far it is, the reconciliation, what was found, what the hospital opened, and the evidence.

use std::sync::Arc;

use web::block::{Block, Cell, Form, Input, Level, Step as Stage, Tile, Window};
use web::number;
use web::shell::Page;
use web::site::answer::{Visit, escaped};
use web::site::fault::Fault;
use web::site::routes::Places;

use super::desk::{Desk, Step, broken};
use super::{begin, words};
use crate::audit::{self, Folder, Progress, Report};

/// Findings and leaves on the page; a download has them all.
const ROWS: usize = 50;

/// The page.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit, places: Places) -> Result<Page, Fault> {
    let name = places.text("audit");
    let folder = desk.folder(name)?;
    let of = audit::progress(&folder).map_err(broken)?;
    let subject = &of.case.subject;
    let mut page = Page::new(
        visit.tell(
            "insurer.audit-of",
            &[
                ("hospital", subject.hospital.as_str()),
                ("month", &subject.period.to_string()),
            ],
        ),
        visit.tell("insurer.audit-lead", &[("payer", subject.payer.as_str())]),
    );
    page.above = vec![(visit.say("insurer.way-audits"), "/".to_owned())];
    let mut blocks = vec![stages(&visit, &of)];
    let step = desk.step(name);
    page.again = matches!(step, Some(Step::Works(_)));
    blocks.extend(begin::refused(&visit));
    blocks.extend(told(&visit, step));
    page.add(String::new(), blocks);
    page.add(
        visit.say("insurer.reconciliation"),
        vec![tiles(&visit, &of)],
    );
    let next = if of.prepared {
        next(&desk, &visit, name, &of)
    } else {
        begin::waits(&desk, &visit, (name, &folder))
    };
    page.add(visit.say("insurer.next"), next);
    page.add(
        visit.say("insurer.evidence"),
        evidence(&desk, &visit, name, &of),
    );
    // Long tables come last, below what is to be done next.
    page.add(visit.say("insurer.findings"), findings(&visit, &of));
    page.add(visit.say("insurer.opened"), opened(&visit, &folder, &of)?);
    page.sources = vec![
        (visit.say("insurer.source-key"), of.case.log_key.clone()),
        (
            visit.say("insurer.source-own-key"),
            of.case.insurer_key.to_string(),
        ),
    ];
    Ok(page)
}

fn stages(visit: &Visit, of: &Progress) -> Block {
    let steps = words::steps(of);
    let now = steps.iter().position(|(_, done)| !done);
    let stages = steps.iter().enumerate().map(|(place, (key, done))| Stage {
        label: visit.say(key),
        done: *done,
        now: now == Some(place),
    });
    Block::Steps(stages.collect())
}

/// How the step goes that was begun on a page.
fn told(visit: &Visit, step: Option<Step>) -> Option<Block> {
    let named = |step: &str| visit.say(&format!("insurer.do-{step}"));
    Some(match step? {
        Step::Works(step) => Block::Note(
            Level::Notice,
            visit.tell("insurer.works", &[("step", &named(step))]),
        ),
        Step::Done(step) => Block::Note(
            Level::Good,
            visit.tell("insurer.done", &[("step", &named(step))]),
        ),
        Step::Waits(step) => {
            let key = if step == "prepare" {
                "insurer.waits-prepare"
            } else {
                "insurer.waits"
            };
            Block::Note(Level::Warning, visit.tell(key, &[("step", &named(step))]))
        }
        Step::Failed(step, why) => Block::Note(
            Level::Warning,
            visit.tell("insurer.failed", &[("step", &named(step)), ("why", &why)]),
        ),
    })
}

fn tiles(visit: &Visit, of: &Progress) -> Block {
    let tile = |key: &str, (value, note): (String, String), level| Tile {
        label: visit.say(key),
        value,
        note,
        level,
        to: String::new(),
    };
    let dash = || "–".to_owned();
    let (asked, replied) = of.requests;
    let level = if replied < asked {
        Level::Warning
    } else {
        Level::Good
    };
    let mut tiles = vec![tile(
        "insurer.replies",
        (
            format!("{replied} / {asked}"),
            visit.say("insurer.replies-note"),
        ),
        level,
    )];
    let lines = of.matched.as_ref().map(|(lines, paid)| {
        let told = visit.tell(
            "insurer.lines",
            &[("n", &number::grouped(&lines.to_string()))],
        );
        (words::amount(paid).shown(), told)
    });
    let lines = lines.unwrap_or_else(|| (dash(), visit.say("insurer.not-matched")));
    tiles.push(tile("insurer.paid", lines, Level::Plain));
    let report = of.report.as_ref();
    let committed = report.map(|report| {
        let leaves = number::grouped(&report.leaves.to_string());
        (
            words::amount(&report.committed).shown(),
            visit.tell("insurer.leaves", &[("n", &leaves)]),
        )
    });
    let committed = committed.unwrap_or_else(|| (dash(), visit.say("insurer.not-reported")));
    tiles.push(tile("insurer.committed", committed, Level::Plain));
    tiles.push(match report.map(|report| report.accounted) {
        Some(true) => tile(
            "insurer.accounted",
            (visit.say("yes"), visit.say("insurer.accounted-note")),
            Level::Good,
        ),
        Some(false) => tile(
            "insurer.accounted",
            (visit.say("no"), visit.say("insurer.not-accounted")),
            Level::Warning,
        ),
        None => tile("insurer.accounted", (dash(), String::new()), Level::Plain),
    });
    tiles.push(witnessed(visit, report));
    Block::Tiles(tiles)
}

/// Who has seen the close.
fn witnessed(visit: &Visit, report: Option<&Report>) -> Tile {
    let names = report.map(|report| {
        let names: Vec<String> = report.witnesses.iter().map(ToString::to_string).collect();
        names.join(&visit.say("comma"))
    });
    let (value, note, level) = match names {
        None => ("–".to_owned(), String::new(), Level::Plain),
        Some(names) if names.is_empty() => (
            visit.say("no"),
            visit.say("insurer.not-witnessed"),
            Level::Warning,
        ),
        Some(names) => (visit.say("yes"), names, Level::Good),
    };
    Tile {
        label: visit.say("insurer.witnessed"),
        value,
        note,
        level,
        to: String::new(),
    }
}

fn part(visit: &Visit, all: usize) -> Option<Window> {
    let named = [("from", 1), ("to", all.min(ROWS)), ("all", all)];
    let named = named.map(|(name, number)| (name, number.to_string()));
    (all > ROWS).then(|| Window {
        from: 0,
        most: ROWS,
        before: None,
        behind: None,
        told: visit.tell(
            "rows-shown",
            &named.each_ref().map(|(name, text)| (*name, text.as_str())),
        ),
    })
}

fn findings(visit: &Visit, of: &Progress) -> Vec<Block> {
    let mut blocks = Vec::new();
    if let Some(report) = &of.report {
        let heads = ["insurer.fault", "#insurer.count"];
        let mut counts = visit.table("counts", "insurer.by-fault", &heads);
        for (fault, count) in report.counts() {
            counts
                .rows
                .push(vec![words::fault(visit, fault), Cell::count(count)]);
        }
        blocks.push(Block::Table(counts));
    }
    let heads = [
        "insurer.fault",
        "insurer.settlement",
        "#insurer.paid",
        "insurer.paid-group",
        "#insurer.listed",
        "insurer.listed-group",
        "#insurer.place",
    ];
    let mut table = visit.table("findings", "insurer.findings", &heads);
    for finding in &of.findings {
        let dash = || Cell::text("–");
        let amount = |one: &Option<audit::Paid>| {
            one.as_ref()
                .map_or_else(dash, |one| Cell::Money(schemas::money::Fen(one.fen)))
        };
        let group = |one: &Option<audit::Paid>| {
            one.as_ref().map_or_else(dash, |one| Cell::text(&one.group))
        };
        table.rows.push(vec![
            words::fault(visit, finding.fault),
            finding.settlement.as_ref().map_or_else(dash, Cell::text),
            amount(&finding.paid),
            group(&finding.paid),
            amount(&finding.listed),
            group(&finding.listed),
            finding.place.map_or_else(dash, Cell::text),
        ]);
    }
    table.window = part(visit, table.rows.len());
    blocks.push(Block::Table(table));
    blocks
}

/// Leaves without a claim that the hospital opened.
fn opened(visit: &Visit, folder: &Folder, of: &Progress) -> Result<Vec<Block>, Fault> {
    let mut blocks = vec![Block::Text(match of.sampled {
        Some((unmatched, opened)) => visit.tell(
            "insurer.opened-told",
            &[
                ("opened", &opened.to_string()),
                ("all", &unmatched.to_string()),
            ],
        ),
        None => visit.say("insurer.opened-not-yet"),
    })];
    let heads = [
        "#insurer.place",
        "#insurer.amount",
        "insurer.listed-group",
        "insurer.leaf",
    ];
    let mut table = visit.table("opened", "insurer.opened", &heads);
    let mut leaves = audit::opened(folder).map_err(broken)?;
    // What is no padding stands first.
    leaves.sort_by_key(|leaf| leaf.amount == 0 && leaf.group.is_empty());
    for leaf in leaves {
        let padding = leaf.amount == 0 && leaf.group.is_empty();
        let kind = if padding {
            Cell::text(visit.say("insurer.padding"))
        } else {
            Cell::Mark(Level::Alarm, visit.say("insurer.fault-invented"))
        };
        table.rows.push(vec![
            leaf.place.map_or_else(|| Cell::text("–"), Cell::text),
            words::amount(&leaf.amount.to_string()),
            Cell::Text(leaf.group),
            kind,
        ]);
    }
    table.window = part(visit, table.rows.len());
    blocks.push(Block::Table(table));
    Ok(blocks)
}

fn form(desk: &Desk, visit: &Visit, name: &str, step: &'static str) -> Block {
    Block::Form(Form {
        method: "post",
        to: format!("/audits/{}/step", escaped(name)),
        inputs: vec![Input::hidden("step", step)],
        button: visit.say(&format!("insurer.do-{step}")),
        token: desk.gate.sessions.token(&visit.cookie),
    })
}

/// The steps that can be taken now, as the commands take them.
fn next(desk: &Desk, visit: &Visit, name: &str, of: &Progress) -> Vec<Block> {
    let (asked, replied) = of.requests;
    let mut blocks = Vec::new();
    if replied < asked {
        blocks.push(Block::Text(visit.say("insurer.exchange-told")));
        blocks.push(form(desk, visit, name, "exchange"));
    }
    if replied > 0 {
        blocks.push(Block::Text(visit.say("insurer.match-told")));
        blocks.push(form(desk, visit, name, "match"));
    }
    if of.matched.is_some() {
        blocks.push(Block::Text(visit.say("insurer.totals-told")));
        blocks.push(form(desk, visit, name, "totals"));
        blocks.push(Block::Text(visit.say("insurer.sample-told")));
        blocks.push(form(desk, visit, name, "sample"));
    }
    if of.totalled && of.sampled.is_some() {
        blocks.push(Block::Text(visit.say("insurer.report-told")));
        blocks.push(form(desk, visit, name, "report"));
    }
    blocks
}

fn evidence(desk: &Desk, visit: &Visit, name: &str, of: &Progress) -> Vec<Block> {
    if of.report.is_none() {
        return vec![Block::Text(visit.say("insurer.no-pack"))];
    }
    let to = format!("/audits/{}/pack", escaped(name));
    vec![
        Block::Text(visit.say("insurer.pack-told")),
        Block::Links(vec![(visit.say("insurer.pack-download"), to)]),
        form(desk, visit, name, "verify"),
    ]
}
