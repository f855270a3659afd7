//! A mapping tried on a file: how much of each dimension it covers, codes that the dictionary lacks, and ten
//! rows as they would be kept, which only the data officer sees. Files lie in the folder `incoming`.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::sync::Arc;

use schemas::time::Month;
use web::block::{Block, Cell, Form, Level};
use web::shell::Page;
use web::site::Site as _;
use web::site::answer::Visit;

use super::desk::{Desk, STEWARD};
use super::fault::Fault;
use super::incoming::{self, Here};
use super::named::{self, permille};
use super::{load, sign};
use crate::access;
use crate::costing;
use crate::crosswalks;
use crate::incoming::Incoming;
use crate::ingest::date::month_of;
use crate::ingest::mapping::Mapping;
use crate::ingest::origin::Origin;
use crate::load::Request;
use crate::load::trial::{self, Trial};
use crate::store::dictionaries;
use schemas::dictionary::Dictionary;

/// Most rows that are read for a trial.
const ROWS: u64 = 20_000;
/// The page.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    let here = Here::look(&desk)?;
    let mut page = Page::new(
        visit.say("node.way-mapping"),
        visit.say("node.mapping-lead"),
    );
    page.above = vec![(visit.say("node.way-months"), "/months".to_owned())];
    let here = match here {
        Ok(here) => here,
        Err(refused) => {
            page.add(String::new(), vec![incoming::closed(&visit, refused)]);
            return Ok(page);
        }
    };
    let same = |names: &[String]| {
        names
            .iter()
            .map(|name| (name.clone(), name.clone()))
            .collect()
    };
    let (file, mapping) = (visit.asked("file"), visit.asked("mapping"));
    let form = Form {
        method: "get",
        to: "/mapping".to_owned(),
        inputs: vec![
            sign::choice(&visit, "file", file, same(&here.sources)),
            sign::choice(&visit, "mapping", mapping, same(&here.mappings)),
        ],
        button: visit.say("node.try"),
        token: String::new(),
    };
    // Only what was listed is opened: no name leads out of the folder.
    let folder = here.both((file, mapping));
    let mut blocks = vec![load::course(&visit, usize::from(folder.is_some()))];
    blocks.extend(sign::told(&visit));
    blocks.push(Block::Text(visit.say("node.upload-told")));
    blocks.push(incoming::form(&desk, &visit));
    page.add(String::new(), blocks);
    if here.sources.is_empty() || here.mappings.is_empty() {
        let told = Block::Note(Level::Notice, visit.say("node.incoming-empty"));
        page.add(String::new(), vec![told]);
    } else {
        page.add(visit.say("node.mapping-try"), vec![Block::Form(form)]);
    }
    if let Some(folder) = folder {
        tries((&desk, &visit), folder, (file, mapping), &mut page).await?;
    }
    let lying = incoming::removals(&desk, &visit, &here);
    if !lying.is_empty() {
        page.add(visit.say("node.lying"), lying);
    }
    Ok(page)
}

/// A mapping tried on a file, and the form that loads it.
async fn tries(
    (desk, visit): (&Arc<Desk>, &Visit),
    folder: &Incoming,
    (file, mapping): (&str, &str),
    page: &mut Page,
) -> Result<(), Fault> {
    let Ok(_turn) = desk.heavy.try_lock() else {
        return Err(Fault::Often);
    };
    let Some(dictionary) = dictionaries::latest(&desk.state).await? else {
        let told = Block::Note(Level::Warning, visit.say("node.no-dictionary"));
        page.add(String::new(), vec![told]);
        return Ok(());
    };
    let month = month_of(desk.now()).ok_or_else(|| Fault::broken("the clock", NoMonth))?;
    let request = request(desk, folder, (file, mapping)).await?;
    let tried = match request {
        Ok(request) => run(dictionary.clone(), month, request).await?,
        Err(why) => Err(why),
    };
    match tried {
        Err(why) => {
            let told = visit.tell("node.mapping-refused", &[("why", &why)]);
            page.add(String::new(), vec![Block::Note(Level::Alarm, told)]);
        }
        Ok(trial) => {
            tell(page, visit, &dictionary, &trial);
            if !trial.rows.is_empty() {
                let told = Block::Text(visit.say("node.load-told"));
                let form = load::form(desk, visit, (file, mapping));
                page.add(visit.say("node.do-load"), vec![told, form]);
            }
        }
    }
    Ok(())
}

/// The clock shows no month.
#[derive(Debug, thiserror::Error)]
#[error("the clock is out of range")]
struct NoMonth;

/// The text of a mapping.
fn text(folder: &Incoming, name: &str) -> Option<String> {
    let mut text = String::new();
    let file = folder.open(name).ok()?;
    let mut most = file.take(incoming::MAPPING.saturating_add(1));
    let read = most.read_to_string(&mut text).ok()?;
    u64::try_from(read)
        .is_ok_and(|read| read <= incoming::MAPPING)
        .then_some(text)
}

/// What the commands `map test` and `load` would read; or why the mapping is none.
pub(super) async fn request(
    desk: &Desk,
    folder: &Incoming,
    (file, mapping): (&str, &str),
) -> Result<Result<Request, String>, Fault> {
    let Some(text) = text(folder, mapping) else {
        return Ok(Err("the mapping cannot be read".to_owned()));
    };
    // Rows are read by path: nobody but this account puts another file there after this look.
    if folder.open(file).is_err() {
        return Ok(Err("the file cannot be read".to_owned()));
    }
    let mapping = match Mapping::parse(&text) {
        Ok(mapping) if mapping.source.is_none() => mapping,
        Ok(_) => return Ok(Err("the mapping reads a view of a database".to_owned())),
        Err(error) => return Ok(Err(error.to_string())),
    };
    let register = access::officers(desk.state.pool(), &desk.config.hospital).await?;
    let rates = costing::book(&desk.state, &register).await?;
    let crosswalks = crosswalks::approved(&desk.state, &register)
        .await
        .map_err(|error| Fault::broken("crosswalks", error))?;
    Ok(Ok(Request {
        from: Origin::File(folder.path(file)),
        mapping,
        only: Vec::new(),
        history: false,
        whole: false,
        rates,
        crosswalks,
    }))
}

async fn run(
    dictionary: Dictionary,
    month: Month,
    request: Request,
) -> Result<Result<Trial, String>, Fault> {
    let worked =
        tokio::task::spawn_blocking(move || trial::run(&dictionary, month, &request, ROWS)).await;
    let tried = worked.map_err(|error| Fault::broken("a trial", error))?;
    Ok(tried.map_err(|error| error.to_string()))
}

fn tell(page: &mut Page, visit: &Visit, dictionary: &Dictionary, trial: &Trial) {
    let read = visit.tell("node.rows-read", &[("n", &trial.read.to_string())]);
    let heads = ["node.dimension", "#node.covered"];
    let mut covered = visit.table("coverage", "node.coverage", &heads);
    for (name, share) in &trial.coverage_permille {
        covered.rows.push(vec![
            Cell::Text(named::field(visit, dictionary, name)),
            Cell::Text(permille(u128::from(*share))),
        ]);
    }
    for (place, share) in &trial.crossed_permille {
        covered.rows.push(vec![
            Cell::text(place),
            Cell::Text(permille(u128::from(*share))),
        ]);
    }
    page.add(
        visit.say("node.coverage"),
        vec![Block::Text(read), Block::Table(covered)],
    );
    let heads = ["node.dimension", "code", "#node.row-count"];
    let mut unlisted = visit.table("unlisted", "node.unlisted", &heads);
    // A rare code with its exact count may be one patient's: looked at here, kept nowhere.
    unlisted.closed = true;
    for (name, codes) in trial.unlisted.iter().chain(&trial.unmapped) {
        for (code, rows) in codes {
            unlisted.rows.push(vec![
                Cell::Text(named::field(visit, dictionary, name)),
                Cell::text(code),
                Cell::Number(rows.to_string()),
            ]);
        }
    }
    let rare: u64 = trial.rare.values().sum();
    let rare = visit.tell("node.unlisted-rare", &[("codes", &rare.to_string())]);
    page.add(
        visit.say("node.unlisted"),
        vec![Block::Table(unlisted), Block::Text(rare)],
    );
    let heads = ["node.rule", "#node.row-count"];
    let mut rules = visit.table("refused", "node.quarantine", &heads);
    for (rule, rows) in &trial.rules {
        rules.rows.push(vec![
            Cell::Text(visit.say(&format!("node.rule-{rule}"))),
            Cell::Number(rows.to_string()),
        ]);
    }
    page.add(visit.say("node.quarantine"), vec![Block::Table(rules)]);
    if !trial.notes.is_empty() {
        let notes = Block::List(trial.notes.clone());
        page.add(visit.say("node.notes"), vec![notes]);
    }
    let steward = visit
        .visitor
        .as_ref()
        .is_some_and(|(_, role)| STEWARD.contains(role));
    let rows = if steward {
        Block::Table(ten(visit, dictionary, trial))
    } else {
        Block::Text(visit.say("node.rows-steward-only"))
    };
    page.add(visit.say("node.ten-rows"), vec![rows]);
}

/// The first rows as they would be kept.
fn ten(visit: &Visit, dictionary: &Dictionary, trial: &Trial) -> web::block::Table {
    let names: BTreeSet<&String> = trial.rows.iter().flat_map(|row| row.keys()).collect();
    let heads: Vec<String> = names
        .iter()
        .map(|name| named::field(visit, dictionary, name))
        .collect();
    let mut table = visit.table("rows", "node.ten-rows", &[]);
    // Rows are looked at here and go nowhere else.
    table.closed = true;
    table.columns = heads
        .into_iter()
        .map(|title| web::block::Column {
            title,
            unit: String::new(),
            numeric: false,
        })
        .collect();
    for row in &trial.rows {
        let cells = names.iter().map(|name| {
            let code = row.get(*name).map_or("", String::as_str);
            Cell::Text(named::key(visit, dictionary, name, code))
        });
        table.rows.push(cells.collect());
    }
    table
}
