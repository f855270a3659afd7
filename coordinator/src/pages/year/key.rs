//! A statement made on a page is signed by its speaker's own key, as `year say` signs it: an administrator
//! types the password again, and the key lies in the data folder.

use std::path::PathBuf;
use std::sync::Arc;

use policies::year::{Refused, Year};
use schemas::id::Slug;
use schemas::seal::{Sealed, Signer};
use schemas::time::Timestamp;
use schemas::year::{Says, Statement};
use web::block::{Block, Form, Input, Level};
use web::site::answer::escaped;
use web::site::routes::Fields;
use web::site::sign_in;

use super::super::answer::Visit;
use super::super::desk::Desk;
use super::super::fault::Fault;
use crate::store::private;
use crate::year::YearError;

/// Where the key of who is signed in lies: where `administrator add` puts it. Nobody speaks for somebody else
/// on a page: parties speak by command, with a key of their own.
fn path(desk: &Desk, visit: &Visit) -> Option<(Slug, PathBuf)> {
    let (name, _) = visit.visitor.as_ref()?;
    let data = desk.config.data.as_ref()?;
    let path = data.join(format!("administrator-{name}.pk8"));
    path.is_file().then(|| (name.clone(), path))
}

/// Whether who is signed in can speak here.
pub(super) fn is_here(desk: &Desk, visit: &Visit) -> bool {
    path(desk, visit).is_some()
}

/// The key of who is signed in, once the password was typed again; or why it is not used.
pub(super) async fn open(
    (desk, visit): (&Arc<Desk>, &Visit),
    fields: &Fields,
) -> Result<Result<(Slug, Signer), &'static str>, Fault> {
    if !sign_in::confirmed(desk, visit, fields.text("password")).await? {
        return Ok(Err("password"));
    }
    let Some((name, path)) = path(desk, visit) else {
        return Ok(Err("no-key"));
    };
    let bytes = private::read(&path).map_err(|error| Fault::broken("a key", error))?;
    let key = Signer::from_pkcs8(&bytes).map_err(|error| Fault::broken("a key", error))?;
    Ok(Ok((name, key)))
}

/// A statement, sealed as the command seals it.
pub(super) fn sealed(
    (desk, of): (&Desk, &Year),
    (name, key): &(Slug, Signer),
    (says, at): (Says, Timestamp),
) -> Result<Sealed<Statement>, YearError> {
    let statement = Statement {
        alliance: desk.config.alliance.clone(),
        year: of.number,
        by: name.clone(),
        at,
        says,
    };
    Ok(Sealed::seal(key, &statement)?)
}

/// A refusal that pages have words for in both languages.
fn key_of(error: &YearError) -> Option<&'static str> {
    let YearError::Refused(refused) = error else {
        return match error {
            YearError::NoPlan => Some("no-plan"),
            _ => None,
        };
    };
    Some(match refused {
        Refused::Role(..) | Refused::Stranger(_) => "role",
        Refused::Stage(_) => "stage",
        Refused::Key(_) => "key",
        Refused::Time => "time",
        Refused::Content => "content",
        Refused::Own(_) => "own",
        Refused::Superseded => "superseded",
        Refused::Nothing => "nothing",
        Refused::Again => "again",
        _ => return None,
    })
}

/// The address to go on to after a statement. What did not work at all is a fault.
pub(super) fn onward(
    (desk, visit, to): (&Desk, &Visit, &str),
    done: Result<&str, YearError>,
) -> Result<String, Fault> {
    let error = match done {
        Ok(word) => return Ok(format!("{to}?done={}", escaped(word))),
        Err(error) => error,
    };
    if let Some(key) = key_of(&error) {
        return Ok(format!("{to}?refused={key}"));
    }
    if matches!(error, YearError::State(_) | YearError::Fault(_)) {
        return Err(error.into());
    }
    if let Some((name, _)) = &visit.visitor {
        desk.refuse(name, error.to_string());
    }
    Ok(format!("{to}?refused=other"))
}

/// What was done, or why nothing was, from the address.
pub(super) fn told(desk: &Desk, visit: &Visit) -> Option<Block> {
    if visit.asked("refused") == "other" {
        let (name, _) = visit.visitor.as_ref()?;
        let told = visit.tell("as-told", &[("why", &desk.refused(name)?)]);
        return Some(Block::Note(Level::Alarm, told));
    }
    let both = [(Level::Good, "done"), (Level::Alarm, "refused")];
    both.into_iter().find_map(|(level, name)| {
        let key = format!("say-{name}-{}", visit.asked(name));
        visit
            .language
            .knows(&key)
            .then(|| Block::Note(level, visit.say(&key)))
    })
}

/// A field.
pub(super) fn input(visit: &Visit, name: &'static str, kind: &'static str, value: &str) -> Input {
    Input {
        name,
        label: visit.say(&format!("say-input-{name}")),
        kind,
        value: value.to_owned(),
        autocomplete: "off",
        choices: Vec::new(),
    }
}

/// A form that is signed: its fields, the password.
pub(super) fn form(
    (desk, visit): (&Desk, &Visit),
    (to, button): (String, &str),
    fields: Vec<Input>,
) -> Block {
    let mut inputs = fields;
    inputs.push(Input {
        autocomplete: "current-password",
        ..input(visit, "password", "password", "")
    });
    Block::Form(Form {
        method: "post",
        to,
        inputs,
        button: visit.say(button),
        token: desk.gate.sessions.token(&visit.cookie),
    })
}

/// Where no key of who is signed in lies here: the command that speaks where it does.
pub(super) fn elsewhere(visit: &Visit, of: &Year) -> [Block; 2] {
    let name = visit.visitor.as_ref().map_or("", |(name, _)| name.as_str());
    [
        Block::Text(visit.tell("say-key-elsewhere", &[("name", name)])),
        command(of.number, name, "…"),
    ]
}

/// The command by which somebody speaks of a year.
pub(super) fn command(year: u16, name: &str, says: &str) -> Block {
    Block::Command(format!(
        "consilium-coordinator year say {year} --as {name} --key FILE {says}"
    ))
}
