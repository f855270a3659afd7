//! How far an audit is, read from its folder alone.

use std::fs;
use std::path::Path;

use super::AuditError;
use super::findings::Finding;
use super::folder::{Case, Folder};
use super::matching::{Matched, RESULT};
use super::open::Sampled;
use super::pack::Report;

/// Most audits that a folder is searched for.
const AUDITS: usize = 2_000;
/// Most files of a pack.
const FILES: usize = 20_000;

/// How far an audit is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Progress {
    /// What is audited.
    pub case: Case,
    /// Whether the paid list was blinded into requests.
    pub prepared: bool,
    /// Requests, and how many of them the hospital replied to.
    pub requests: (usize, usize),
    /// Lines of the paid list and its sum in whole fen, once claims were looked up.
    pub matched: Option<(u64, String)>,
    /// What was found so far; of a written report all of it.
    pub findings: Vec<Finding>,
    /// Whether the total was checked.
    pub totalled: bool,
    /// Leaves without a claim, and how many of them were opened.
    pub sampled: Option<(usize, usize)>,
    /// The written report.
    pub report: Option<Report>,
}

/// Names of the folders below `root` that hold an audit, in order.
pub fn audits(root: &Path) -> Vec<String> {
    let found = fs::read_dir(root).into_iter().flatten().flatten();
    let names = found.filter_map(|entry| {
        // A link could lead anywhere.
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let name = entry.file_name().into_string().ok()?;
        (is_folder && entry.path().join("case.json").is_file()).then_some(name)
    });
    let mut names: Vec<String> = names.take(AUDITS).collect();
    names.sort();
    names
}

fn count(folder: &Folder, name: &str) -> Result<usize, AuditError> {
    if folder.has(name) {
        Ok(folder.names(name)?.len())
    } else {
        Ok(0)
    }
}

/// Reads how far an audit is.
pub fn progress(folder: &Folder) -> Result<Progress, AuditError> {
    let matched: Option<Matched> = folder
        .has(RESULT)
        .then(|| folder.json(RESULT))
        .transpose()?;
    let sampled: Option<Sampled> = folder
        .has("sample.json")
        .then(|| folder.json("sample.json"))
        .transpose()?;
    let report: Option<Report> = folder
        .has("pack/report.json")
        .then(|| folder.json("pack/report.json"))
        .transpose()?;
    let findings = match (&report, &matched) {
        (Some(report), _) => report.findings.clone(),
        (None, Some(matched)) => matched.findings.clone(),
        (None, None) => Vec::new(),
    };
    Ok(Progress {
        case: folder.case()?,
        prepared: folder.has("book"),
        requests: (count(folder, "requests")?, count(folder, "replies")?),
        matched: matched.map(|matched| (matched.lines, matched.paid)),
        findings,
        totalled: folder.has("total.json"),
        sampled: sampled.map(|of| (of.unmatched.len(), of.opened.len())),
        report,
    })
}

/// A leaf that the hospital opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leaf {
    /// Its place in the log.
    pub place: Option<u32>,
    /// Whole fen; 0 of padding.
    pub amount: i128,
    /// The case group, in the hospital's word; empty of padding.
    pub group: String,
}

/// What the hospital opened of the leaves without a claim; nothing before `sample`.
pub fn opened(folder: &Folder) -> Result<Vec<Leaf>, AuditError> {
    if !folder.has("sample.json") {
        return Ok(Vec::new());
    }
    let sampled: Sampled = folder.json("sample.json")?;
    let leaves = sampled.opened.iter().map(|leaf| {
        Ok(Leaf {
            place: leaf.place,
            amount: leaf.opening()?.amount,
            group: leaf.group.clone(),
        })
    });
    leaves.collect()
}

/// The files of a written pack: name below it and bytes, in order.
pub fn pack_files(folder: &Folder) -> Result<Vec<(String, Vec<u8>)>, AuditError> {
    let mut names = Vec::new();
    for name in [
        "book",
        "case.json",
        "total.json",
        "sample.json",
        "shown.json",
        "report.json",
    ] {
        names.push(name.to_owned());
    }
    for kind in ["requests", "replies"] {
        let place = format!("pack/{kind}");
        if folder.has(&place) {
            let below = folder.names(&place)?.into_iter();
            names.extend(below.map(|name| format!("{kind}/{name}")));
        }
    }
    let files = names.into_iter().take(FILES);
    files
        .map(|name| {
            let bytes = folder.read(&format!("pack/{name}"))?;
            Ok((name, bytes))
        })
        .collect()
}
