//! Files that are brought in the browser: streamed into the folder `incoming` under a name that the node
//! chooses, and taken away again. Mappings decide what is read of a row: the steward alone brings and removes
//! them. Nothing of a file is told elsewhere.

use std::io::Write as _;
use std::sync::Arc;

use web::block::{Block, Form, Input, Level};
use web::site::Site as _;
use web::site::answer::{Visit, escaped};
use web::site::routes::Fields;
use web::site::upload::{Coming, Part, Sent};

use super::desk::{Desk, STEWARD};
use super::fault::Fault;
use super::sign;
use crate::incoming::{Incoming, IncomingError, is_mapping};

/// Largest file that is brought in the browser, in bytes: 2 GiB.
const MOST: u64 = 2 * 1024 * 1024 * 1024;
/// Largest mapping.
pub(super) const MAPPING: u64 = 1024 * 1024;
/// How names of files end that can be read, the longer ones first.
const ENDS: [&str; 6] = ["csv.gz", "ndjson.gz", "csv", "ndjson", "parquet", "toml"];

/// What lies in `incoming`.
#[derive(Debug, Default)]
pub(super) struct Here {
    /// The folder, where there is one.
    pub(super) folder: Option<Incoming>,
    /// Names of mappings.
    pub(super) mappings: Vec<String>,
    /// Names of everything else.
    pub(super) sources: Vec<String>,
}

impl Here {
    /// What lies there now; or why the folder is not used.
    pub(super) fn look(desk: &Desk) -> Result<Result<Self, sign::Refused>, Fault> {
        let folder = match Incoming::of(&desk.config.data) {
            Ok(folder) => folder,
            Err(error) => return refusal(error).map(Err),
        };
        let files = folder.iter().flat_map(Incoming::files);
        let (mappings, sources) = files.map(|one| one.name).partition(|name| is_mapping(name));
        Ok(Ok(Self {
            folder,
            mappings,
            sources,
        }))
    }

    /// The folder, where both a file and a mapping of these names lie there: no name leads out of it.
    pub(super) fn both(&self, (file, mapping): (&str, &str)) -> Option<&Incoming> {
        let known = |names: &[String], name: &str| names.iter().any(|one| one == name);
        let both = known(&self.sources, file) && known(&self.mappings, mapping);
        self.folder.as_ref().filter(|_| both)
    }
}

/// Why the folder is not used, where words say it.
fn refusal(error: IncomingError) -> Result<sign::Refused, Fault> {
    match error {
        IncomingError::Open => Ok("incoming-open"),
        other @ IncomingError::Io(_) => Err(Fault::broken("the folder `incoming`", other)),
    }
}

/// Whether who is signed in may bring and remove mappings.
fn may_map(visit: &Visit) -> bool {
    let visitor = visit.visitor.as_ref();
    visitor.is_some_and(|(_, role)| STEWARD.contains(role))
}

/// The form that brings a file.
pub(super) fn form(desk: &Desk, visit: &Visit) -> Block {
    let key = if may_map(visit) {
        "node.input-upload"
    } else {
        "node.input-upload-file"
    };
    Block::Form(Form {
        method: "post",
        to: "/incoming".to_owned(),
        inputs: vec![Input {
            label: visit.say(key),
            ..sign::input(visit, "upload", "file", "")
        }],
        button: visit.say("node.do-upload"),
        token: desk.gate.sessions.token(&visit.cookie),
    })
}

/// The form that takes a file away.
pub(super) fn removal(desk: &Desk, visit: &Visit, name: &str) -> Block {
    Block::Form(Form {
        method: "post",
        to: "/incoming/remove".to_owned(),
        inputs: vec![Input::hidden("file", name)],
        button: visit.tell("node.do-remove", &[("file", name)]),
        token: desk.gate.sessions.token(&visit.cookie),
    })
}

/// Everything that lies there, each with the form that takes it away, as far as who is signed in may.
pub(super) fn removals(desk: &Desk, visit: &Visit, here: &Here) -> Vec<Block> {
    let mappings = here.mappings.iter().filter(|_| may_map(visit));
    let all = here.sources.iter().chain(mappings);
    let forms: Vec<Block> = all.map(|name| removal(desk, visit, name)).collect();
    if forms.is_empty() {
        return forms;
    }
    let told = Block::Text(visit.say("node.lying-told"));
    std::iter::once(told).chain(forms).collect()
}

/// Why the folder is not used, on a page.
pub(super) fn closed(visit: &Visit, refused: sign::Refused) -> Block {
    Block::Note(Level::Alarm, visit.say(&format!("node.refused-{refused}")))
}

/// How a name ends that the browser gave, where it is one that can be read.
fn end_of(called: &str) -> Option<&'static str> {
    let called = called.to_ascii_lowercase();
    let mut ends = ENDS.into_iter();
    ends.find(|end| called.ends_with(&format!(".{end}")))
}

/// Takes a file: its new name in `incoming`, or why it is not taken.
async fn take(
    (desk, visit): (&Desk, &Visit),
    coming: &mut Coming<'_>,
) -> Result<Result<String, sign::Refused>, Fault> {
    // All that can be said before a byte of it is read.
    let Some(end) = end_of(&coming.called) else {
        let none = coming.called.is_empty();
        return Ok(Err(if none { "no-file" } else { "kind" }));
    };
    let most = if end == "toml" { MAPPING } else { MOST };
    if end == "toml" && !may_map(visit) {
        return Ok(Err("mapping-steward"));
    }
    let folder = match Incoming::make(&desk.config.data) {
        Ok(folder) => folder,
        Err(error) => return refusal(error).map(Err),
    };
    folder.sweep();
    let Some(room) = folder.room() else {
        return Ok(Err("full"));
    };
    let broken = |error| Fault::broken("a file that comes", error);
    let mut writing = folder.begin().map_err(broken)?;
    let mut size = 0_u64;
    while let Some(bytes) = coming.chunk().await? {
        size = size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if size > most.min(room) {
            return Ok(Err(if size > most { "large" } else { "full" }));
        }
        writing.file().write_all(&bytes).map_err(broken)?;
    }
    if size == 0 {
        return Ok(Err("no-file"));
    }
    // No part of the name that the browser gave: it may hold anything.
    let time: String = desk.now().to_string();
    let time: String = time.chars().filter(char::is_ascii_alphanumeric).collect();
    let name = writing.keep(&time, end).map_err(broken)?;
    tracing::info!(size, "a file was brought on a page");
    Ok(Ok(name))
}

/// Takes the file of the form and leads to its trial.
pub(super) async fn bring(
    (desk, visit): (Arc<Desk>, Visit),
    mut sent: Sent,
) -> Result<String, Fault> {
    // One at a time: others are told to wait instead of filling the disk together.
    let Ok(_turn) = desk.coming.try_lock() else {
        return Err(Fault::Often);
    };
    while let Some(part) = sent.next().await? {
        let Part::File(mut coming) = part else {
            continue;
        };
        return Ok(match take((&desk, &visit), &mut coming).await? {
            Ok(name) => {
                let field = if is_mapping(&name) { "mapping" } else { "file" };
                format!("/mapping?done=uploaded&{field}={}", escaped(&name))
            }
            Err(refused) => sign::onward("/mapping", Err(refused)),
        });
    }
    Ok(sign::onward("/mapping", Err("no-file")))
}

/// Takes a file away.
#[expect(clippy::unused_async, reason = "forms of a site are of one shape")]
pub(super) async fn remove(
    (desk, visit): (Arc<Desk>, Visit),
    fields: Fields,
) -> Result<String, Fault> {
    const TO: &str = "/mapping";
    let here = match Here::look(&desk)? {
        Ok(here) => here,
        Err(refused) => return Ok(sign::onward(TO, Err(refused))),
    };
    let wanted = fields.text("file");
    if is_mapping(wanted) && !may_map(&visit) {
        return Ok(sign::onward(TO, Err("mapping-steward")));
    }
    // Only what was listed: no name leads out of the folder.
    let mut all = here.mappings.iter().chain(&here.sources);
    let name = all.find(|name| *name == wanted);
    let Some((folder, name)) = here.folder.as_ref().zip(name) else {
        return Ok(sign::onward(TO, Err("no-file")));
    };
    let removed = folder.remove(name);
    removed.map_err(|error| Fault::broken("a file in `incoming`", error))?;
    Ok(sign::onward(TO, Ok("removed")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_kinds_that_can_be_read_are_taken() {
        for (called, end) in [
            ("2025-03.csv", Some("csv")),
            ("A.CSV.GZ", Some("csv.gz")),
            ("../../etc/x.toml", Some("toml")),
            ("x.exe", None),
            ("csv", None),
            ("", None),
        ] {
            assert_eq!(end_of(called), end, "{called}");
        }
    }
}
