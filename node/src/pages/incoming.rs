//! Files that are brought in the browser: streamed into the folder `incoming` under a name that the node
//! chooses, readable by its account alone, and taken away again there. Nothing of them is told elsewhere.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::rand::{SecureRandom as _, SystemRandom};
use web::block::{Block, Form, Input};
use web::site::Site as _;
use web::site::answer::{Visit, escaped};
use web::site::routes::Fields;
use web::site::upload::{Coming, Part, Sent};

use super::desk::Desk;
use super::fault::Fault;
use super::sign;

/// Where files wait that are to be tried or loaded, below the data folder.
pub(super) use crate::config::INCOMING as FOLDER;
/// Most files that are listed.
const FILES: usize = 500;
/// Largest file that is brought in the browser, in bytes: 2 GiB.
const MOST: u64 = 2 * 1024 * 1024 * 1024;
/// Largest mapping.
pub(super) const MAPPING: u64 = 1024 * 1024;
/// How names of files end that can be read, the longer ones first.
const ENDS: [&str; 6] = ["csv.gz", "ndjson.gz", "csv", "ndjson", "parquet", "toml"];

/// Names of the files in `incoming`: mappings, and everything else.
pub(super) fn files(data: &Path) -> (Vec<String>, Vec<String>) {
    let found = std::fs::read_dir(data.join(FOLDER)).into_iter().flatten();
    let names = found.flatten().filter_map(|entry| {
        // A link could lead anywhere.
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        let name = entry.file_name().into_string().ok()?;
        // What begins with a dot is still coming.
        (is_file && !name.starts_with('.') && name.chars().count() <= 100).then_some(name)
    });
    let mut names: Vec<String> = names.take(FILES).collect();
    names.sort();
    names.into_iter().partition(|name| is_mapping(name))
}

fn is_mapping(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|end| end == "toml")
}

/// The form that brings a file.
pub(super) fn form(desk: &Desk, visit: &Visit) -> Block {
    Block::Form(Form {
        method: "post",
        to: "/incoming".to_owned(),
        inputs: vec![Input {
            label: visit.say("node.input-upload"),
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

/// A file that is being written; removed unless it was kept.
struct Writing {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl Writing {
    fn begin(folder: &Path) -> std::io::Result<Self> {
        let mut made = DirBuilder::new();
        made.recursive(true).mode(0o700).create(folder)?;
        let path = folder.join(format!(".coming-{}", letters()?));
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Self {
            path,
            file,
            kept: false,
        })
    }

    fn keep(mut self, to: &Path) -> std::io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.path, to)?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed now is removed before the next file comes.
            drop(std::fs::remove_file(&self.path));
        }
    }
}

/// Removes what a node that died was writing.
fn sweep(folder: &Path) {
    let found = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in found {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(".coming-") {
            drop(std::fs::remove_file(entry.path()));
        }
    }
}

/// Six random letters.
fn letters() -> std::io::Result<String> {
    let mut bytes = [0; 6];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| std::io::Error::other("no random numbers"))?;
    Ok(bytes
        .iter()
        .map(|byte| char::from(b'a' + byte % 26))
        .collect())
}

/// How a name ends that the browser gave, where it is one that can be read.
fn end_of(called: &str) -> Option<&'static str> {
    let called = called.to_ascii_lowercase();
    let mut ends = ENDS.into_iter();
    ends.find(|end| called.ends_with(&format!(".{end}")))
}

/// Takes a file: its new name in `incoming`, or why it is not taken.
async fn take(
    desk: &Desk,
    coming: &mut Coming<'_>,
    most: u64,
) -> Result<Result<String, sign::Refused>, Fault> {
    let Some(end) = end_of(&coming.called) else {
        let none = coming.called.is_empty();
        return Ok(Err(if none { "no-file" } else { "kind" }));
    };
    let most = if end == "toml" { MAPPING } else { most };
    let folder = desk.config.data.join(FOLDER);
    let broken = |error| Fault::broken("a file that comes", error);
    sweep(&folder);
    let mut writing = Writing::begin(&folder).map_err(broken)?;
    let mut size = 0_u64;
    while let Some(bytes) = coming.chunk().await? {
        size = size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if size > most {
            return Ok(Err("large"));
        }
        writing.file.write_all(&bytes).map_err(broken)?;
    }
    if size == 0 {
        return Ok(Err("no-file"));
    }
    // No part of the name that the browser gave: it may hold anything.
    let time: String = desk.now().to_string();
    let time: String = time.chars().filter(char::is_ascii_alphanumeric).collect();
    let name = format!("{time}-{}.{end}", letters().map_err(broken)?);
    writing.keep(&folder.join(&name)).map_err(broken)?;
    tracing::info!(size, "a file was brought on a page");
    Ok(Ok(name))
}

/// Takes the file of the form and leads to its trial.
pub(super) async fn bring(desk: Arc<Desk>, mut sent: Sent) -> Result<String, Fault> {
    // One at a time: others are told to wait instead of filling the disk together.
    let Ok(_turn) = desk.coming.try_lock() else {
        return Err(Fault::Often);
    };
    while let Some(part) = sent.next().await? {
        let Part::File(mut coming) = part else {
            continue;
        };
        return Ok(match take(&desk, &mut coming, MOST).await? {
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
pub(super) async fn remove(desk: Arc<Desk>, fields: Fields) -> Result<String, Fault> {
    let (mappings, sources) = files(&desk.config.data);
    let wanted = fields.text("file");
    // Only what was listed: no name leads out of the folder.
    let mut all = mappings.iter().chain(&sources);
    let Some(name) = all.find(|name| *name == wanted) else {
        return Ok(sign::onward("/mapping", Err("no-file")));
    };
    let path = desk.config.data.join(FOLDER).join(name);
    std::fs::remove_file(path).map_err(|error| Fault::broken("a file in `incoming`", error))?;
    Ok(sign::onward("/mapping", Ok("removed")))
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

    #[test]
    fn what_was_not_kept_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("incoming");
        drop(Writing::begin(&below).unwrap());
        assert_eq!(std::fs::read_dir(&below).unwrap().count(), 0);
        std::fs::write(below.join(".coming-dead"), "x").unwrap();
        let kept = Writing::begin(&below).unwrap();
        kept.keep(&below.join("a.csv")).unwrap();
        assert_eq!(files(folder.path()).1, ["a.csv"]);
        sweep(&below);
        assert_eq!(std::fs::read_dir(&below).unwrap().count(), 1);
    }
}
