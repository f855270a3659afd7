//! Where to look first: the signals that the alliance's `signals` wrote, from the file `signals.json` beside
//! the audits.

use std::sync::Arc;

use schemas::id::Slug;
use schemas::time::Period;
use serde::Deserialize;
use web::block::{Block, Cell, Level};
use web::number;
use web::shell::Page;
use web::site::answer::Visit;
use web::site::fault::Fault;

use super::desk::Desk;

const FILE: &str = "signals.json";
/// Longest file that is read.
const LONGEST: u64 = 16 * 1024 * 1024;

/// One test, as far as the page shows it.
#[derive(Deserialize)]
struct Signal {
    hospital: Slug,
    kind: String,
    category: Option<String>,
    status: String,
    #[serde(default)]
    flagged: bool,
    value: Option<String>,
    reference: Option<String>,
    p: Option<String>,
}

#[derive(Deserialize)]
struct Signals {
    period: Period,
    before: Option<Period>,
    q: String,
    tests: usize,
    each: Vec<Signal>,
}

fn read(desk: &Desk) -> Result<Signals, &'static str> {
    let path = desk.root.join(FILE);
    let length = std::fs::metadata(&path).map_err(|_| "insurer.no-signals")?;
    if length.len() > LONGEST {
        return Err("insurer.signals-refused");
    }
    let bytes = std::fs::read(&path).map_err(|_| "insurer.no-signals")?;
    serde_json::from_slice(&bytes).map_err(|_| "insurer.signals-refused")
}

/// A word where there is one, the code else.
fn word(visit: &Visit, key: &str, code: &str) -> String {
    let key = format!("insurer.{key}-{code}");
    if visit.language.knows(&key) {
        visit.say(&key)
    } else {
        code.to_owned()
    }
}

/// The page.
#[expect(clippy::unused_async, reason = "pages of a site are of one shape")]
pub(super) async fn show(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    let mut page = Page::new(
        visit.say("insurer.way-signals"),
        visit.say("insurer.signals-lead"),
    );
    let of = match read(&desk) {
        Ok(of) => of,
        Err(key) => {
            let told = Block::Note(Level::Notice, visit.say(key));
            page.add(String::new(), vec![told]);
            return Ok(page);
        }
    };
    let flags = of.each.iter().filter(|one| one.flagged).count();
    let before = of
        .before
        .map_or_else(|| "–".to_owned(), |one| number::period(&one));
    let told = visit.tell(
        "insurer.signals-told",
        &[
            ("period", &number::period(&of.period)),
            ("before", &before),
            ("flags", &flags.to_string()),
            ("tests", &of.tests.to_string()),
            ("q", &of.q),
        ],
    );
    let heads = [
        "insurer.flag",
        "hospital",
        "insurer.signal",
        "insurer.category",
        "#insurer.value",
        "#insurer.reference",
        "#insurer.p",
    ];
    let mut table = visit.table("signals", "insurer.way-signals", &heads);
    let (flagged, rest): (Vec<&Signal>, Vec<&Signal>) = of.each.iter().partition(|one| one.flagged);
    for one in flagged.into_iter().chain(rest) {
        let flag = match (one.flagged, one.status.as_str()) {
            (true, _) => Cell::Mark(Level::Warning, visit.say("insurer.flagged")),
            (false, "tested") => Cell::text("–"),
            (false, other) => Cell::Missing(word(&visit, "status", other)),
        };
        let share = |text: &Option<String>| {
            text.as_ref()
                .map_or_else(|| Cell::text("–"), |text| Cell::Share(text.clone()))
        };
        let category = one.category.as_deref().unwrap_or("all");
        table.rows.push(vec![
            flag,
            Cell::text(&one.hospital),
            Cell::Text(word(&visit, "kind", &one.kind)),
            Cell::Text(word(&visit, "category", category)),
            share(&one.value),
            share(&one.reference),
            one.p.as_ref().map_or_else(|| Cell::text("–"), Cell::text),
        ]);
    }
    page.add(
        String::new(),
        vec![Block::Note(Level::Notice, told), Block::Table(table)],
    );
    Ok(page)
}
