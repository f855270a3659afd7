//! One round of the inbox: who asks, why, what in plain words, what it reads, what becomes visible, what it
//! costs, what was asked before, and the decision.

use std::collections::BTreeMap;
use std::sync::Arc;

use policies::plan::{self, Layout};
use schemas::answer::Answer;
use schemas::question::{Measure, Purpose};
use web::block::{Block, Cell, Level, Table, Window};
use web::number;
use web::shell::Page;
use web::site::answer::Visit;
use web::site::routes::Places;

use super::desk::{Desk, STEWARD};
use super::fault::Fault;
use super::named::{self, tile};
use super::{inbox, sign};
use crate::answer::{App, Examined, asked_by, examine};
use crate::steward::{self, Letter, LetterState};

/// Numbers of a held answer on the page; a download has them all.
const ROWS: usize = 60;

/// A letter by the digest in the path.
pub(super) async fn find(desk: &Desk, places: &Places) -> Result<Letter, Fault> {
    let found = steward::find(&desk.state, places.text("round")).await?;
    found.ok_or(Fault::Missing)
}

/// The page.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit, places: Places) -> Result<Page, Fault> {
    let letter = find(&desk, &places).await?;
    let app = desk.app().await?;
    let round = &letter.round;
    let examined = examine(&app, &asked_by(round, letter.digest)).await;
    let mut page = Page::new(round.id.to_string(), who(&app, &visit, &letter));
    page.above = vec![(visit.say("node.way-inbox"), "/inbox".to_owned())];
    let mut blocks: Vec<Block> = sign::told(&visit).into_iter().collect();
    blocks.push(tiles(&visit, &letter, examined.as_ref().ok()));
    if let Err(error) = &examined {
        let told = visit.tell("node.would-not", &[("why", &error.to_string())]);
        blocks.push(Block::Note(Level::Alarm, told));
    }
    if let Some(reason) = &letter.reason {
        let told = visit.tell("node.refused-for", &[("why", reason)]);
        blocks.push(Block::Note(Level::Plain, told));
    }
    page.add(String::new(), blocks);
    question(&mut page, &app, &visit, &letter);
    if let Ok(facts) = &examined {
        let price = price(&visit, &app, facts.bound.layout());
        page.add(visit.say("node.price"), vec![Block::Table(price)]);
    }
    let similar = similar(&desk, &visit, &letter).await?;
    page.add(visit.say("node.similar"), vec![Block::Table(similar)]);
    if let (LetterState::Held, Ok(facts)) = (letter.state, &examined) {
        let held = held(&app, &visit, facts).await?;
        page.add(visit.say("node.held-answer"), held);
    }
    let decisions = decisions(&desk, &visit, &letter, examined.is_ok());
    page.add(visit.say("node.decision"), decisions);
    page.sources = sources(&visit, &letter, examined.as_ref().ok())?;
    Ok(page)
}

/// Who asks: as the alliance's signature and the node's own classes say, not as the asker writes.
fn who(app: &App, visit: &Visit, letter: &Letter) -> String {
    let key = match letter.round.purpose {
        Purpose::Audit => "node.asked-by-insurer",
        _ => "node.asked-by-alliance",
    };
    visit.tell(key, &[("alliance", app.dictionary.alliance.as_str())])
}

fn tiles(visit: &Visit, letter: &Letter, facts: Option<&Examined>) -> Block {
    let round = &letter.round;
    let state = inbox::state(visit, letter.state);
    let mut tiles = vec![
        tile(
            visit,
            "state",
            (
                state.shown(),
                visit.tell("node.until", &[("at", &number::moment(round.deadline))]),
            ),
            state.level(),
            "",
        ),
        tile(
            visit,
            "node.purpose",
            (
                named::purpose(visit, round.purpose),
                inbox::template(visit, letter),
            ),
            Level::Plain,
            "",
        ),
    ];
    if let Some(facts) = facts {
        let left = facts.left.saturating_sub(facts.charge);
        let paid = named::purpose(visit, facts.bound.purpose);
        tiles.push(tile(
            visit,
            "node.price-now",
            (
                named::rho(facts.charge),
                visit.tell("node.paid-by", &[("quota", &paid)]),
            ),
            Level::Plain,
            "/ledger",
        ));
        tiles.push(tile(
            visit,
            "node.left",
            (
                named::rho(facts.left),
                visit.tell("node.left-after", &[("left", &left.to_string())]),
            ),
            Level::Plain,
            "/ledger",
        ));
    }
    Block::Tiles(tiles)
}

/// The question in plain words, what it reads and what becomes visible.
fn question(page: &mut Page, app: &App, visit: &Visit, letter: &Letter) {
    let text = steward::text(&letter.round.question, &app.dictionary);
    let whole = visit.language.pick(&text.zh, &text.en);
    let mut lines: Vec<String> = whole.lines().map(str::to_owned).collect();
    let visible = lines.pop().unwrap_or_default();
    page.add(visit.say("question"), vec![Block::List(lines)]);
    let columns: Vec<String> = text
        .columns
        .iter()
        .map(|id| named::field(visit, &app.dictionary, id))
        .collect();
    page.add(
        visit.say("node.columns"),
        vec![Block::Text(columns.join(&visit.say("comma")))],
    );
    page.add(visit.say("node.visible"), vec![Block::Text(visible)]);
}

/// What each part costs and how far its numbers will be off.
fn price(visit: &Visit, app: &App, layout: &Layout) -> Table {
    let heads = [
        "split",
        "node.measure",
        "#node.numbers",
        "#node.rho",
        "#node.error",
        "node.unit",
    ];
    let mut table = visit.table("price", "node.price-parts", &heads);
    for block in plan::explain(layout).blocks {
        let by: Vec<String> = block
            .by
            .iter()
            .map(|id| named::field(visit, &app.dictionary, id))
            .collect();
        let by = if by.is_empty() {
            visit.say("ask-whole")
        } else {
            by.join(" × ")
        };
        let unit = match block.measure {
            Measure::Count | Measure::CountWhere { .. } | Measure::Histogram { .. } => {
                "node.unit-stays"
            }
            Measure::Squares { .. } => "node.unit-squares",
            _ => "node.unit-thousandths",
        };
        table.rows.push(vec![
            Cell::Text(by),
            Cell::Text(named::measure(visit, &app.dictionary, &block.measure)),
            Cell::count(block.numbers),
            Cell::Number(block.rho.to_string()),
            Cell::Number(block.error),
            Cell::Text(visit.say(unit)),
        ]);
    }
    table
}

/// Earlier questions of the same tables and measures, with what became of them.
async fn similar(desk: &Desk, visit: &Visit, letter: &Letter) -> Result<Table, Fault> {
    let mut known = BTreeMap::new();
    for one in steward::letters(&desk.state).await? {
        if let Ok(question) = one.round.question.digest() {
            known.entry(question).or_insert(one);
        }
    }
    let mut table = visit.table(
        "similar",
        "node.similar",
        &["node.asked-on", "round", "state", "question"],
    );
    for one in steward::similar(&desk.state, &letter.round.question).await? {
        let of = known.get(&one.question);
        let round = of.map_or_else(
            || Cell::Text(visit.say("node.not-in-inbox")),
            |of| Cell::Link {
                text: of.round.id.to_string(),
                to: format!("/inbox/{}", of.digest),
            },
        );
        let state = of.map_or_else(|| Cell::text("–"), |of| inbox::state(visit, of.state));
        table.rows.push(vec![
            Cell::Text(number::moment(one.at)),
            round,
            state,
            Cell::Code(one.question.short()),
        ]);
    }
    Ok(table)
}

/// The answer as it would leave.
async fn held(app: &App, visit: &Visit, facts: &Examined) -> Result<Vec<Block>, Fault> {
    let kept = facts.bound.kept(app).await;
    let kept = kept.map_err(|error| Fault::broken("a held answer", error))?;
    let Some(charged) = kept else {
        return Ok(vec![Block::Text(visit.say("node.held-not-yet"))]);
    };
    let opened = charged.sealed().open(&app.signer.public());
    let answer = opened.map_err(|error| Fault::broken("a held answer", error))?;
    let mut table = numbers(visit, app, facts.bound.layout(), &answer);
    let all = table.rows.len();
    let shown = all.min(ROWS);
    let named = [
        ("from", "1".to_owned()),
        ("to", shown.to_string()),
        ("all", all.to_string()),
    ];
    table.window = (all > ROWS).then(|| Window {
        from: 0,
        most: ROWS,
        before: None,
        behind: None,
        told: visit.tell(
            "rows-shown",
            &named.each_ref().map(|(name, text)| (*name, text.as_str())),
        ),
    });
    Ok(vec![Block::Table(table)])
}

fn numbers(visit: &Visit, app: &App, layout: &Layout, answer: &Answer) -> Table {
    let heads = [
        "node.cell",
        "node.measure",
        "#node.place",
        "#node.noisy",
        "#node.error",
    ];
    let mut table = visit.table("held", "node.held-answer", &heads);
    for (spec, block) in layout.blocks.iter().zip(&answer.blocks) {
        let Some(of) = layout.table_of(spec) else {
            continue;
        };
        let measure = named::measure(visit, &app.dictionary, &spec.measure);
        let width = usize::try_from(spec.width).unwrap_or(1).max(1);
        for (position, number) in block.iter().flatten().enumerate() {
            let mut rest = position / width;
            let mut keys: Vec<&str> = Vec::new();
            for axis in of.axes.iter().rev() {
                let place = rest.checked_rem(axis.keys.len()).unwrap_or(0);
                keys.push(axis.keys.get(place).map_or("", String::as_str));
                rest = rest.checked_div(axis.keys.len()).unwrap_or(0);
            }
            keys.reverse();
            let cell = if keys.is_empty() {
                visit.say("ask-whole")
            } else {
                keys.join(" × ")
            };
            let error = 1.96 * spec.sigma.as_f64();
            table.rows.push(vec![
                Cell::Text(cell),
                Cell::text(&measure),
                Cell::count((position % width).saturating_add(1)),
                Cell::Number(number.to_string()),
                Cell::Number(format!("{error:.1}")),
            ]);
        }
    }
    table
}

/// What may be decided now, by who is signed in.
fn decisions(desk: &Desk, visit: &Visit, letter: &Letter, would: bool) -> Vec<Block> {
    let Some((name, role)) = &visit.visitor else {
        return Vec::new();
    };
    if !STEWARD.contains(role) {
        return vec![Block::Text(visit.say("node.only-steward"))];
    }
    let open = matches!(
        letter.state,
        LetterState::Pending | LetterState::Approved | LetterState::Held
    );
    if !open {
        return vec![Block::Text(visit.say("node.nothing-left"))];
    }
    if !sign::has_key(desk, name) {
        let told = visit.tell(
            "node.key-elsewhere",
            &[("name", name.as_str()), ("round", letter.round.id.as_str())],
        );
        return vec![Block::Note(Level::Warning, told)];
    }
    let to = |what: &str| format!("/inbox/{}/{what}", letter.digest);
    let mut blocks = Vec::new();
    if letter.state == LetterState::Pending && would {
        let hold = ["no", "yes"].map(|word| (word.to_owned(), visit.say(word)));
        let fields = vec![sign::choice(visit, "hold", "no", hold.to_vec())];
        blocks.push(Block::Text(visit.say("node.approve-told")));
        blocks.push(sign::form(
            desk,
            visit,
            (to("approve"), "node.approve"),
            fields,
        ));
        if letter.round.template.is_some() {
            let words = visit.say("node.standing-instead");
            blocks.push(Block::Links(vec![(words, "/standing".to_owned())]));
        }
    }
    if letter.state == LetterState::Approved {
        blocks.push(Block::Text(visit.say("node.hold-told")));
        blocks.push(sign::form(
            desk,
            visit,
            (to("hold"), "node.hold"),
            Vec::new(),
        ));
    }
    if letter.state == LetterState::Held {
        blocks.push(Block::Text(visit.say("node.release-told")));
        blocks.push(sign::form(
            desk,
            visit,
            (to("release"), "node.let-leave"),
            Vec::new(),
        ));
    }
    blocks.push(Block::Text(visit.say("node.refuse-told")));
    let fields = vec![sign::input(visit, "reason", "text", "")];
    blocks.push(sign::form(
        desk,
        visit,
        (to("refuse"), "node.refuse"),
        fields,
    ));
    blocks
}

fn sources(
    visit: &Visit,
    letter: &Letter,
    facts: Option<&Examined>,
) -> Result<Vec<(String, String)>, Fault> {
    let question = &letter.round.question;
    let digest = question.digest();
    let digest = digest.map_err(|error| Fault::broken("a question", error))?;
    let mut sources = vec![
        (visit.say("source-round"), letter.digest.to_string()),
        (visit.say("source-question"), digest.to_string()),
        (
            visit.say("source-dictionary"),
            question.dictionary.to_string(),
        ),
        (visit.say("source-rules"), question.rules.to_string()),
    ];
    if let Some(facts) = facts {
        sources.push((visit.say("node.source-releases"), facts.bound.releases()));
        sources.push((
            visit.say("node.source-policies"),
            facts.verdict.reason.clone(),
        ));
    }
    Ok(sources)
}
