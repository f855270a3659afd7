//! The steward's inbox: what waits for a decision, what was decided, pooled rounds with what was said to them.

use std::sync::Arc;

use schemas::time::Timestamp;
use web::block::{Block, Cell, Level, Table};
use web::number;
use web::shell::Page;
use web::site::Site as _;
use web::site::answer::Visit;

use super::desk::Desk;
use super::fault::Fault;
use super::named;
use super::sign;
use crate::lifecycle;
use crate::pooled;
use crate::steward::{self, Letter, LetterState};

/// A letter's state.
pub(super) fn state(visit: &Visit, state: LetterState) -> Cell {
    let level = match state {
        LetterState::Pending | LetterState::Held => Level::Warning,
        LetterState::Approved | LetterState::Released => Level::Notice,
        LetterState::Sent => Level::Good,
        LetterState::Refused | LetterState::Late => Level::Plain,
    };
    Cell::Mark(level, visit.say(&format!("node.letter-{}", state.as_str())))
}

/// The template that a round names.
pub(super) fn template(visit: &Visit, letter: &Letter) -> String {
    match &letter.round.template {
        Some(reference) => {
            let label = super::standing::label(visit, &reference.to_string());
            format!("{label} ({reference})").trim_start().to_owned()
        }
        None => visit.say("node.free-question"),
    }
}

fn letters(visit: &Visit, id: &'static str, title: &str, letters: &[&Letter]) -> Table {
    let heads = [
        "round",
        "state",
        "node.template",
        "node.purpose",
        "period",
        "node.arrived",
        "deadline",
    ];
    let mut table = visit.table(id, title, &heads);
    for letter in letters {
        let round = &letter.round;
        table.rows.push(vec![
            Cell::Link {
                text: round.id.to_string(),
                to: format!("/inbox/{}", letter.digest),
            },
            state(visit, letter.state),
            Cell::Text(template(visit, letter)),
            Cell::Text(named::purpose(visit, round.purpose)),
            Cell::Text(number::period(&round.question.period)),
            Cell::Text(number::moment(letter.at)),
            Cell::Text(number::moment(round.deadline)),
        ]);
    }
    table
}

/// The page.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    let now = desk.now();
    steward::expire(&desk.state, now).await?;
    let all = steward::letters(&desk.state).await?;
    let waits = |letter: &&Letter| matches!(letter.state, LetterState::Pending | LetterState::Held);
    let (waiting, rest): (Vec<&Letter>, Vec<&Letter>) = all.iter().partition(waits);
    let mut page = Page::new(visit.say("node.way-inbox"), visit.say("node.inbox-lead"));
    let mut blocks: Vec<Block> = sign::told(&visit).into_iter().collect();
    let lock = steward::locked(&desk.state).await?;
    let locked = lock.as_ref().is_some_and(|lock| lock.locked);
    if let Some(lock) = lock.filter(|lock| lock.locked) {
        let at = number::moment(lock.at);
        let told = visit.tell("node.locked", &[("who", &lock.who), ("at", &at)]);
        blocks.push(Block::Note(Level::Alarm, told));
    }
    blocks.push(Block::Table(letters(
        &visit,
        "waiting",
        "node.inbox-waiting",
        &waiting,
    )));
    let standing = (visit.say("node.way-standing"), "/standing".to_owned());
    let openings = (visit.say("node.way-openings"), "/openings".to_owned());
    blocks.push(Block::Links(vec![standing, openings]));
    page.add(String::new(), blocks);
    let decided = letters(&visit, "decided", "node.inbox-decided", &rest);
    page.add(visit.say("node.inbox-decided"), vec![Block::Table(decided)]);
    let pooled = pooled_rounds(&desk, &visit, now).await?;
    page.add(visit.say("rounds-pooled"), vec![Block::Table(pooled)]);
    let agreements = agreements(&desk, &visit, now).await?;
    page.add(visit.say("node.agreements"), vec![Block::Table(agreements)]);
    if visit.visitor.as_ref().is_some_and(|(name, role)| {
        super::desk::STEWARD.contains(role) && sign::has_key(&desk, name)
    }) {
        let (to, button) = if locked {
            ("/unlock", "node.unlock")
        } else {
            ("/lock", "node.lock")
        };
        let form = sign::form(&desk, &visit, (to.to_owned(), button), Vec::new());
        let text = Block::Text(visit.say("node.lock-told"));
        page.add(visit.say("node.lock-title"), vec![text, form]);
    }
    Ok(page)
}

async fn pooled_rounds(desk: &Desk, visit: &Visit, now: Timestamp) -> Result<Table, Fault> {
    let heads = [
        "round",
        "node.part",
        "state",
        "node.why",
        "node.next",
        "deadline",
    ];
    let mut table = visit.table("pooled", "rounds-pooled", &heads);
    for one in pooled::offered(&desk.state, now).await? {
        let level = match one.state.as_str() {
            "waits" | "awaited" => Level::Warning,
            "uploaded" | "certified" | "said" => Level::Good,
            _ => Level::Plain,
        };
        table.rows.push(vec![
            Cell::text(&one.round),
            Cell::Text(visit.say(&format!("node.part-{}", one.part))),
            Cell::Mark(level, visit.say(&format!("node.pooled-{}", one.state))),
            Cell::Text(one.why),
            Cell::Text(one.next),
            Cell::Text(number::moment(Timestamp(one.closes))),
        ]);
    }
    Ok(table)
}

async fn agreements(desk: &Desk, visit: &Visit, now: Timestamp) -> Result<Table, Fault> {
    let heads = [
        "name",
        "node.parties",
        "node.purpose",
        "node.from",
        "node.to",
        "state",
    ];
    let mut table = visit.table("agreements", "node.agreements", &heads);
    let held = lifecycle::list(&desk.state).await;
    for one in held.map_err(|error| Fault::broken("agreements", error))? {
        let of = &one.agreement;
        let parties: Vec<String> = of.parties.iter().map(ToString::to_string).collect();
        let (level, key) = if one.in_force(now) {
            (Level::Good, "course-in-force")
        } else {
            (Level::Plain, "node.ended")
        };
        table.rows.push(vec![
            Cell::text(&of.id),
            Cell::Text(parties.join(&visit.say("comma"))),
            Cell::text(&of.purpose),
            Cell::text(&of.from),
            Cell::text(&of.to),
            Cell::Mark(level, visit.say(key)),
        ]);
    }
    Ok(table)
}
