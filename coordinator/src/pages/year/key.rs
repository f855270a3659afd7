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

/// Where the key of a speaker lies: an administrator's where `administrator add` puts it, a party's beside it
/// as `party-NAME.pk8`, where the party left it to the alliance's machine.
fn path(desk: &Desk, of: &Year, name: &Slug) -> Option<PathBuf> {
    let kind = if of.parties.contains_key(name) {
        "party"
    } else {
        "administrator"
    };
    let data = desk.config.data.as_ref()?;
    Some(data.join(format!("{kind}-{name}.pk8"))).filter(|path| path.is_file())
}

/// Who can speak on this page: who is signed in, and parties, where their keys lie here.
pub(super) fn speakers(desk: &Desk, visit: &Visit, of: &Year) -> Vec<Slug> {
    let own = visit.visitor.iter().map(|(name, _)| name);
    let all = own.chain(of.parties.keys());
    let here = all.filter(|name| path(desk, of, name).is_some());
    here.cloned().collect()
}

/// A key, once the password was typed again; or why it is not used.
pub(super) async fn open(
    (desk, visit, of): (&Arc<Desk>, &Visit, &Year),
    fields: &Fields,
) -> Result<Result<(Slug, Signer), &'static str>, Fault> {
    if !sign_in::confirmed(desk, visit, fields.text("password")).await? {
        return Ok(Err("password"));
    }
    let name = fields.name("speaker")?;
    if !speakers(desk, visit, of).contains(&name) {
        return Ok(Err("no-key"));
    }
    let Some(path) = path(desk, of, &name) else {
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
        Refused::Late(_) => "late",
        Refused::Early(_) => "early",
        Refused::Contested(_) => "contested",
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

/// A form that is signed: who speaks, its fields, the password.
pub(super) fn form(
    (desk, visit): (&Desk, &Visit),
    (to, button): (String, &str),
    speakers: &[Slug],
    fields: Vec<Input>,
) -> Block {
    let choices = speakers
        .iter()
        .map(|name| (name.to_string(), name.to_string()));
    let speaker = Input {
        choices: choices.collect(),
        ..input(visit, "speaker", "text", "")
    };
    let password = Input {
        autocomplete: "current-password",
        ..input(visit, "password", "password", "")
    };
    let inputs = [speaker].into_iter().chain(fields).chain([password]);
    Block::Form(Form {
        method: "post",
        to,
        inputs: inputs.collect(),
        button: visit.say(button),
        token: desk.gate.sessions.token(&visit.cookie),
    })
}
