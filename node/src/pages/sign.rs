//! A decision on a page is signed by the officer's own key, as the command signs it: the officer types the
//! password again, and the key lies below the data folder.

use std::sync::Arc;

use schemas::id::Slug;
use schemas::seal::Signer;
use web::block::{Block, Form, Input, Level};
use web::site::answer::{Visit, escaped};
use web::site::routes::Fields;
use web::site::{Site as _, sign_in};

use super::desk::Desk;
use super::fault::Fault;
use crate::access::Standing;
use crate::config::keys::Keys;
use crate::steward::{Acting, StewardError};

/// An officer who typed the password again, with the key.
#[derive(Debug)]
pub(super) struct Signing {
    pub(super) name: Slug,
    pub(super) key: Signer,
}

/// Why nothing was decided: the end of a key of words.
pub(super) type Refused = &'static str;

/// Who is signed in.
pub(super) fn visitor(visit: &Visit) -> Result<&Slug, Fault> {
    let visitor = visit.visitor.as_ref().map(|(name, _)| name);
    visitor.ok_or(Fault::Forbidden)
}

/// Whether an officer's key lies below the data folder.
pub(super) fn has_key(desk: &Desk, name: &Slug) -> bool {
    Keys::open(&desk.config.data).is_ok_and(|keys| keys.officer_path(name).is_file())
}

/// Whether who is signed in typed the password again.
pub(super) async fn confirmed(
    desk: &Arc<Desk>,
    visit: &Visit,
    fields: &Fields,
) -> Result<Result<Slug, Refused>, Fault> {
    if sign_in::confirmed(desk, visit, fields.text("password")).await? {
        Ok(Ok(visitor(visit)?.clone()))
    } else {
        Ok(Err("password"))
    }
}

/// The officer who is signed in, with the key; refused where the password is wrong or the key elsewhere.
pub(super) async fn signing(
    desk: &Arc<Desk>,
    visit: &Visit,
    fields: &Fields,
) -> Result<Result<Signing, Refused>, Fault> {
    let name = match confirmed(desk, visit, fields).await? {
        Ok(name) => name,
        Err(refused) => return Ok(Err(refused)),
    };
    if !has_key(desk, &name) {
        return Ok(Err("no-key"));
    }
    let keys = Keys::open(&desk.config.data)?;
    // As the command: below the folder of keys a relative path would be looked for.
    let path = std::path::absolute(keys.officer_path(&name));
    let path = path.map_err(|error| Fault::broken("the data folder", error))?;
    let key = keys.officer_key(&path)?;
    Ok(Ok(Signing { name, key }))
}

impl Signing {
    /// Acting under the policy in force.
    pub(super) fn acting<'a>(&'a self, desk: &'a Desk, standing: &'a Standing) -> Acting<'a> {
        Acting {
            officers: &standing.officers,
            access: &standing.access,
            policy: standing.approved.policy,
            hospital: &desk.config.hospital,
            name: &self.name,
            key: &self.key,
            at: desk.now(),
        }
    }
}

/// Why the steward's decision was not taken; what should have worked is a fault.
pub(super) fn refusal(error: StewardError) -> Result<Refused, Fault> {
    match error {
        StewardError::Decided(_) => Ok("decided"),
        StewardError::Forbidden(_) | StewardError::Officers(_) => Ok("forbidden"),
        StewardError::Reason => Ok("reason"),
        StewardError::NoStanding(_) => Ok("no-standing"),
        StewardError::NoLetter(_) => Err(Fault::Missing),
        other => Err(other.into()),
    }
}

/// The address to go on to, with what was done or why nothing was.
pub(super) fn onward(to: &str, done: Result<&str, Refused>) -> String {
    let (name, value) = match done {
        Ok(done) => ("done", done),
        Err(refused) => {
            tracing::info!(refused, "a decision on a page was not taken");
            ("refused", refused)
        }
    };
    format!("{to}?{name}={}", escaped(value))
}

/// What was done or why nothing was, from the address.
pub(super) fn told(visit: &Visit) -> Option<Block> {
    [(Level::Good, "done"), (Level::Alarm, "refused")]
        .into_iter()
        .find_map(|(level, name)| {
            let key = format!("node.{name}-{}", visit.asked(name));
            let known = !visit.asked(name).is_empty() && visit.language.knows(&key);
            known.then(|| Block::Note(level, visit.say(&key)))
        })
}

/// A field that is written in.
pub(super) fn input(visit: &Visit, name: &'static str, kind: &'static str, value: &str) -> Input {
    Input {
        name,
        label: visit.say(&format!("node.input-{name}")),
        kind,
        value: value.to_owned(),
        autocomplete: "off",
        choices: Vec::new(),
    }
}

/// A field that is chosen.
pub(super) fn choice(
    visit: &Visit,
    name: &'static str,
    value: &str,
    choices: Vec<(String, String)>,
) -> Input {
    Input {
        choices,
        ..input(visit, name, "text", value)
    }
}

/// A form that is signed: its fields, and the password.
pub(super) fn form(
    desk: &Desk,
    visit: &Visit,
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
