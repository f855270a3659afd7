//! An audit begun on a page: the insurer's keys and the nonce before the close, then the paid list and the
//! hospital's book after it. What `audit begin` and `audit prepare` do, by the same functions.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::sync::Arc;

use proofs::book::Subject;
use schemas::digest::Digest;
use schemas::id::Slug;
use web::block::{Block, Form, Input, Level};
use web::shell::Page;
use web::site::answer::{Visit, escaped};
use web::site::fault::Fault;
use web::site::routes::{Fields, Places};
use web::site::upload::{Part, Sent};

use super::desk::{Desk, Step, broken};
use crate::audit::{self, AuditError, Case, Folder, Witness};

/// Most audits of a folder that pages begin.
const MOST: usize = 10_000;
/// Longest paid list in bytes: a million lines of a number, an amount and a group.
const LIST: usize = 128 * 1024 * 1024;
/// Longest book in bytes.
const BOOK: usize = 128 * 1024 * 1024;

fn input(visit: &Visit, name: &'static str, kind: &'static str) -> Input {
    Input {
        name,
        label: visit.say(&format!("insurer.input-{name}")),
        kind,
        value: String::new(),
        autocomplete: "off",
        choices: Vec::new(),
    }
}

/// Why nothing was done, from the address.
pub(super) fn refused(visit: &Visit) -> Option<Block> {
    let key = format!("insurer.refused-{}", visit.asked("refused"));
    let known = visit.language.knows(&key);
    known.then(|| Block::Note(Level::Alarm, visit.say(&key)))
}

/// The page.
#[expect(clippy::unused_async, reason = "pages of a site are of one shape")]
pub(super) async fn show(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    let mut page = Page::new(visit.say("insurer.begin"), visit.say("insurer.begin-lead"));
    page.above = vec![(visit.say("insurer.way-audits"), "/".to_owned())];
    let mut blocks: Vec<Block> = refused(&visit).into_iter().collect();
    let names = [
        "name",
        "alliance",
        "hospital",
        "payer",
        "month",
        "log-key",
        "witnesses",
        "quorum",
    ];
    blocks.push(Block::Form(Form {
        method: "post",
        to: "/begin".to_owned(),
        inputs: names
            .map(|name| {
                let kind = if name == "witnesses" { "lines" } else { "text" };
                input(&visit, name, kind)
            })
            .to_vec(),
        button: visit.say("insurer.do-begin"),
        token: desk.gate.sessions.token(&visit.cookie),
    }));
    page.add(String::new(), blocks);
    Ok(page)
}

/// The case that a form describes; nothing where a field is wrong.
fn case(fields: &Fields) -> Option<Case> {
    let witness = |one: &str| {
        let (organisation, key) = one.split_once('=')?;
        Some(Witness {
            organisation: organisation.parse().ok()?,
            key: key.to_owned(),
        })
    };
    let witnesses = fields.text("witnesses").split_whitespace().map(witness);
    let quorum = fields.text("quorum");
    Some(Case {
        alliance: fields.text("alliance").parse().ok()?,
        subject: Subject {
            hospital: fields.text("hospital").parse().ok()?,
            period: fields.text("month").parse().ok()?,
            payer: fields.text("payer").parse().ok()?,
        },
        log_key: fields.text("log-key").trim().to_owned(),
        witnesses: witnesses.collect::<Option<_>>()?,
        quorum: if quorum.is_empty() {
            0
        } else {
            quorum.parse().ok()?
        },
        // Filled in by who begins.
        insurer_key: Digest::from_bytes([0; 32]),
    })
}

/// Begins an audit in a new folder and leads to it.
pub(super) async fn begin(desk: Arc<Desk>, fields: Fields) -> Result<String, Fault> {
    // A name is of small letters, digits and hyphens: it leads nowhere else.
    let name: Result<Slug, _> = fields.text("name").parse();
    let Some((name, case)) = name.ok().zip(case(&fields)) else {
        return Ok("/begin?refused=form".to_owned());
    };
    let known = audit::audits(&desk.root);
    let path = desk.root.join(name.as_str());
    if known.len() >= MOST {
        return Ok("/begin?refused=name".to_owned());
    }
    // Whoever makes the folder begins the audit: of two at once one is told that the name is taken.
    let made = DirBuilder::new().mode(0o700).create(&path);
    match made {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Ok("/begin?refused=name".to_owned());
        }
        Err(error) => return Err(Fault::broken("an audit", error)),
    }
    let worked = tokio::task::spawn_blocking(move || {
        let begun = audit::begin(&Folder::new(&path), &case);
        if begun.is_err() {
            // Only where nothing was written: the name is free again.
            drop(std::fs::remove_dir(&path));
        }
        begun
    });
    let begun = worked
        .await
        .map_err(|error| Fault::broken("an audit", error))?;
    match begun {
        Ok(_) => Ok(format!("/audits/{name}")),
        Err(AuditError::Io { path, source }) => {
            Err(Fault::broken("an audit", AuditError::Io { path, source }))
        }
        // The key or the witnesses are none; nothing was written before they were read.
        Err(_) => Ok("/begin?refused=key".to_owned()),
    }
}

/// What the hospital is given, and the form that takes list and book.
pub(super) fn waits(desk: &Desk, visit: &Visit, (name, folder): (&str, &Folder)) -> Vec<Block> {
    let mut blocks = Vec::new();
    if let Ok(begun) = audit::begun(folder) {
        let lines = [
            visit.tell(
                "insurer.give-key",
                &[("key", &begun.message_key.to_string())],
            ),
            visit.tell("insurer.give-nonce", &[("nonce", &begun.nonce.to_string())]),
        ];
        blocks.push(Block::Text(visit.say("insurer.give")));
        blocks.push(Block::List(lines.to_vec()));
    }
    blocks.push(Block::Text(visit.say("insurer.prepare-told")));
    blocks.push(Block::Form(Form {
        method: "post",
        to: format!("/audits/{}/prepare", escaped(name)),
        inputs: vec![input(visit, "paid", "file"), input(visit, "book", "file")],
        button: visit.say("insurer.do-prepare"),
        token: desk.gate.sessions.token(&visit.cookie),
    }));
    blocks
}

/// Takes list and book, and prepares beside the page.
pub(super) async fn prepare(
    (desk, places): (Arc<Desk>, Places),
    mut sent: Sent,
) -> Result<String, Fault> {
    let name = places.text("audit").to_owned();
    let folder = desk.folder(&name)?;
    let to = format!("/audits/{}", escaped(&name));
    // Before a byte of list or book is read: of many at once one is kept in memory.
    let turn = desk.begin(&name, "prepare").ok_or(Fault::Often)?;
    if audit::progress(&folder).map_err(broken)?.prepared {
        return Ok(format!("{to}?refused=prepared"));
    }
    let (mut paid, mut book) = (None, None);
    while let Some(part) = sent.next().await? {
        let Part::File(mut coming) = part else {
            continue;
        };
        let (kept, most) = match coming.field.as_str() {
            "paid" => (&mut paid, LIST),
            "book" => (&mut book, BOOK),
            _ => return Err(Fault::Form),
        };
        let bytes = coming.whole(most).await?.ok_or(Fault::Form)?;
        *kept = Some(bytes).filter(|bytes| !bytes.is_empty());
    }
    tokio::spawn(async move {
        turn.end(Step::ended("prepare", work(folder, paid, book).await));
    });
    Ok(to)
}

async fn work(
    folder: Folder,
    paid: Option<Vec<u8>>,
    book: Option<Vec<u8>>,
) -> Result<(), AuditError> {
    let paid = paid.ok_or_else(|| AuditError::Waiting("no paid list was sent".to_owned()))?;
    let book = match book {
        Some(book) => book,
        None => audit::fetch_book(&folder).await?,
    };
    let worked = tokio::task::spawn_blocking(move || {
        audit::prepare(&folder, &paid, &book, &|_, _| {}).map(drop)
    });
    worked.await.map_err(|_| AuditError::Stopped)?
}
