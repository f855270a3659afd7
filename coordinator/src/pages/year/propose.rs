//! A plan proposed on a page, from inputs that lie in the folder `inputs` of the data folder: what they let
//! expect of each member's volume and what the split would be are shown first, then the digest that was seen
//! is proposed, as `year propose` proposes it.

use std::path::Path;
use std::sync::Arc;

use policies::figures::budget::{BudgetInput, Noise, Plan};
use policies::year::{Computed, Published, compute, unusual};
use schemas::officer::Role;
use schemas::year::{Matter, Says};
use web::block::{Block, Cell, Form, Input, Level};
use web::shell::Page;
use web::site::routes::{Fields, Places};

use super::super::answer::Visit;
use super::super::desk::Desk;
use super::super::fault::Fault;
use super::super::words;
use super::{exact, head, key, read};
use crate::year::YearError;

/// Where inputs lie, below the data folder.
const FOLDER: &str = "inputs";
/// Most files that are listed.
const FILES: usize = 100;
/// Longest inputs.
const LONGEST: u64 = 16 * 1024 * 1024;
/// The factor that a forecast is of.
const VOLUME: &str = "case-weighted-volume";

/// Names of the inputs that lie there.
fn files(desk: &Desk) -> Vec<String> {
    let data = desk.config.data.as_deref().unwrap_or(Path::new(""));
    let found = std::fs::read_dir(data.join(FOLDER)).into_iter().flatten();
    let names = found.flatten().filter_map(|entry| {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        let name = entry.file_name().into_string().ok()?;
        let is_json = Path::new(&name)
            .extension()
            .is_some_and(|end| end == "json");
        (is_file && is_json && name.chars().count() <= 100).then_some(name)
    });
    let mut names: Vec<String> = names.take(FILES).collect();
    names.sort();
    names
}

/// Inputs by name: only what was listed is read.
fn inputs(desk: &Desk, name: &str) -> Option<String> {
    let known = files(desk).into_iter().find(|one| one == name)?;
    let path = desk.config.data.as_ref()?.join(FOLDER).join(known);
    let short = std::fs::metadata(&path).is_ok_and(|found| found.len() <= LONGEST);
    std::fs::read_to_string(path).ok().filter(|_| short)
}

/// The page.
pub(in crate::pages) async fn show(
    desk: Arc<Desk>,
    visit: Visit,
    places: Places,
) -> Result<Page, Fault> {
    let (published, of) = read(&desk, places.year()?).await?;
    let mut page = head(&visit, &of, Some("say-propose"));
    let names = files(&desk);
    let mut blocks: Vec<Block> = key::told(&desk, &visit).into_iter().collect();
    blocks.push(Block::Text(visit.say("propose-told")));
    if names.is_empty() {
        blocks.push(Block::Note(Level::Notice, visit.say("propose-none")));
        page.add(String::new(), blocks);
        return Ok(page);
    }
    let choices = names.iter().map(|name| (name.clone(), name.clone()));
    let asked = visit.asked("file");
    blocks.push(Block::Form(Form {
        method: "get",
        to: format!("/years/{}/propose", of.number),
        inputs: vec![Input {
            choices: choices.collect(),
            ..key::input(&visit, "file", "text", asked)
        }],
        button: visit.say("propose-look"),
        token: String::new(),
    }));
    page.add(String::new(), blocks);
    let Some(text) = inputs(&desk, asked) else {
        return Ok(page);
    };
    let computed = compute(&published.rules, of.number, Matter::Plan, &text);
    let plan = match (computed, serde_json::from_str::<BudgetInput>(&text)) {
        (Ok(Computed::Plan(plan)), Ok(given)) => (plan, given),
        (Err(why), _) => {
            let told = visit.tell("as-told", &[("why", &why.to_string())]);
            page.add(String::new(), vec![Block::Note(Level::Alarm, told)]);
            return Ok(page);
        }
        _ => return Err(Fault::Form),
    };
    forecast(&mut page, &visit, &plan.1);
    split(&mut page, &visit, (&published, &text), &plan.0);
    let digest = Computed::Plan(plan.0).digest();
    let digest = digest.map_err(|error| Fault::broken("a result", error))?;
    let admin = matches!(visit.visitor, Some((_, Role::Administrator)));
    let blocks = if !admin || !key::is_here(&desk, &visit) {
        key::elsewhere(&visit, &of).to_vec()
    } else {
        let fields = vec![
            Input::hidden("file", asked),
            Input::hidden("seen", &digest.to_string()),
            key::input(&visit, "why", "text", ""),
        ];
        let to = format!("/years/{}/propose", of.number);
        vec![key::form((&desk, &visit), (to, "say-do-propose"), fields)]
    };
    page.add(visit.say("say-propose"), blocks);
    page.sources
        .push(words::source(&visit, "source-result", &digest));
    Ok(page)
}

/// What is expected of each member's volume, with its standard error.
fn forecast(page: &mut Page, visit: &Visit, given: &BudgetInput) {
    let heads = ["member", "#propose-volume", "#propose-error"];
    let mut table = words::table(visit, "forecast", "propose-forecast", &heads);
    for member in &given.members {
        let mut factors = member.factors.iter();
        let found = factors.find(|(name, _)| name.as_str() == VOLUME);
        let (value, error) = found.map_or((None, None), |(_, of)| {
            (
                Some(number(&exact(&of.value))),
                of.variance.as_ref().map(|one| number(&exact(one))),
            )
        });
        let dash = || Cell::text("–");
        table.rows.push(vec![
            Cell::text(&member.id),
            value.map_or_else(dash, |value| Cell::Number(format!("{value:.0}"))),
            error.map_or_else(dash, |one| {
                Cell::Number(format!("{:.1}", one.max(0.0).sqrt()))
            }),
        ]);
    }
    page.add(visit.say("propose-forecast"), vec![Block::Table(table)]);
}

/// A number as it is drawn; no amount of money.
fn number(text: &str) -> f64 {
    match text.split_once('/') {
        Some((top, bottom)) => {
            let of = |part: &str| part.trim().parse::<f64>().unwrap_or(0.0);
            of(top) / of(bottom).max(f64::MIN_POSITIVE)
        }
        None => text.trim().parse().unwrap_or(0.0),
    }
}

/// What the split would be.
fn split(page: &mut Page, visit: &Visit, (published, text): (&Published, &str), plan: &Plan) {
    let heads = ["member", "#share", "#amount", "#low", "#high"];
    let mut table = words::table(visit, "split", "matter-plan", &heads);
    for part in &plan.members {
        let ends = match &part.noise {
            Some(Noise::Interval { low, high }) => [Cell::Money(*low), Cell::Money(*high)],
            _ => [Cell::text("–"), Cell::text("–")],
        };
        let first = [
            Cell::text(&part.id),
            Cell::Share(part.share.clone()),
            Cell::Money(part.amount),
        ];
        table.rows.push(first.into_iter().chain(ends).collect());
    }
    let mut blocks = vec![Block::Table(table)];
    for odd in unusual(&published.rules, Matter::Plan, text) {
        let told = visit.tell("as-told", &[("why", &odd)]);
        blocks.push(Block::Note(Level::Warning, told));
    }
    page.add(visit.say("matter-plan"), blocks);
}

/// Proposes what was seen and leads to the year.
pub(in crate::pages) async fn propose(
    desk: Arc<Desk>,
    visit: Visit,
    places: Places,
    fields: Fields,
) -> Result<String, Fault> {
    let (_, of) = read(&desk, places.year()?).await?;
    let to = format!("/years/{}", of.number);
    let back = format!("{to}/propose");
    let Some(text) = inputs(&desk, fields.text("file")) else {
        return Ok(format!("{back}?refused=no-file"));
    };
    let signer = match key::open((&desk, &visit), &fields).await? {
        Ok(signer) => signer,
        Err(refused) => return Ok(format!("{back}?refused={refused}")),
    };
    let (why, now) = (fields.text("why").trim().to_owned(), desk.clock.now());
    if why.is_empty() {
        let apart = crate::year::apart(&desk.store, (&desk.config.alliance, of.number), &text);
        if !apart.await?.is_empty() {
            return Ok(format!("{back}?refused=owed"));
        }
    }
    let mut unseen = false;
    let seal = |computed: &Computed, _| {
        let result = computed.digest()?;
        unseen = result.to_string() != fields.text("seen");
        if unseen {
            return Err(YearError::NoResult);
        }
        let matter = Matter::Plan;
        let says = Says::Propose {
            matter,
            result,
            why,
        };
        key::sealed((&desk, &of), &signer, (says, now))
    };
    let about = (&desk.config.alliance, of.number);
    let done = crate::year::propose(&desk.store, about, (Matter::Plan, &text), seal, now).await;
    if unseen {
        return Ok(format!("{back}?refused=unseen"));
    }
    key::onward((&desk, &visit, &to), done.map(|_| "propose"))
}
