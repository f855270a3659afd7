//! The evidence pack: a folder from which anyone checks every finding without network and without
//! believing the insurer or the hospital. It shows the claims of findings and no others.

use std::collections::{BTreeMap, BTreeSet};

use proofs::exchange::Opened;
use proofs::oprf::{Blinded, MAX_BATCH};
use schemas::digest::Digest;
use schemas::id::Slug;
use serde::{Deserialize, Serialize};

use super::AuditError;
use super::findings::{Fault, Finding};
use super::folder::{Folder, batch_name};
use super::matching::{Matched, RESULT};
use super::open::{self, Sampled};
use super::paid::{List, Paid, claim};

/// What an audit came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Version of the month's close.
    pub release: u32,
    /// Organisations that witnessed the close, of those that the insurer knows; none where it asked
    /// for none.
    pub witnesses: Vec<Slug>,
    /// Leaves, padding included.
    pub leaves: u32,
    /// Lines of the paid list: the insurer's word.
    pub lines: u64,
    /// Sum of the paid list in whole fen: the insurer's word.
    pub paid: String,
    /// The total that the leaves open to, whole fen.
    pub committed: String,
    /// Leaves without a claim.
    pub unmatched: u64,
    /// How many of them were opened.
    pub opened: u64,
    /// Whether claims and opened leaves add up to the total: nothing is left unexplained.
    pub accounted: bool,
    /// Every finding.
    pub findings: Vec<Finding>,
}

/// A claim that a finding is about, with what shows where it was asked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShownClaim {
    pub(super) settlement: String,
    pub(super) paid: Vec<Paid>,
    pub(super) batch: u32,
    pub(super) place: u32,
    pub(super) blind: Digest,
}

impl Report {
    /// Findings by kind.
    pub fn counts(&self) -> BTreeMap<Fault, usize> {
        let mut counts = BTreeMap::new();
        for finding in &self.findings {
            *counts.entry(finding.fault).or_default() += 1;
        }
        counts
    }
}

/// Writes the pack below `pack/` and gives the report.
pub fn report(folder: &Folder) -> Result<Report, AuditError> {
    let case = folder.case()?;
    let book = folder.book(&case)?;
    let matched: Matched = folder.json(RESULT)?;
    let opened: Opened = folder.json("total.json")?;
    let sampled: Sampled = folder.json("sample.json")?;
    let committed = open::total(&book, &opened.0)?;
    let invented = open::invented(&book, &sampled)?;
    let mut report = Report {
        release: book.header.release,
        witnesses: book.witnesses.clone(),
        leaves: book.header.leaves,
        lines: matched.lines,
        paid: matched.paid,
        committed: committed.to_string(),
        unmatched: u64::try_from(sampled.unmatched.len()).unwrap_or(u64::MAX),
        opened: u64::try_from(sampled.opened.len()).unwrap_or(u64::MAX),
        accounted: accounted(committed, &matched.listed, &sampled)?,
        findings: matched.findings,
    };
    report.findings.extend(invented);
    let shown = shown(folder, &report.findings)?;
    let batches: BTreeSet<u32> = shown.iter().map(|claim| claim.batch).collect();
    for batch in batches {
        let name = batch_name(usize::try_from(batch).unwrap_or(usize::MAX));
        for kind in ["requests", "replies"] {
            let name = format!("{kind}/{name}.json");
            folder.write(&format!("pack/{name}"), &folder.read(&name)?)?;
        }
    }
    for name in ["book", "case.json", "total.json", "sample.json"] {
        folder.write(&format!("pack/{name}"), &folder.read(name)?)?;
    }
    folder.write_json("pack/shown.json", &shown)?;
    folder.write_json("pack/report.json", &report)?;
    Ok(report)
}

fn accounted(committed: i128, listed: &str, sampled: &Sampled) -> Result<bool, AuditError> {
    let mut sum = open::decimal(listed)?;
    for leaf in &sampled.opened {
        sum += leaf.opening()?.amount;
    }
    Ok(sum == committed)
}

fn shown(folder: &Folder, findings: &[Finding]) -> Result<Vec<ShownClaim>, AuditError> {
    let case = folder.case()?;
    let list = List::parse(&folder.secret("private/paid.csv")?, &case.subject)?;
    let by_number = list.by_number();
    let numbers = findings.iter();
    let numbers: BTreeSet<&str> = numbers
        .filter_map(|finding| finding.settlement.as_deref())
        .collect();
    let mut blinds: BTreeMap<usize, Blinded> = BTreeMap::new();
    let mut shown = Vec::new();
    for number in numbers {
        let (line, paid) = by_number.get(number).ok_or(AuditError::Other("list"))?;
        let (batch, place) = (line / MAX_BATCH, line % MAX_BATCH);
        if let std::collections::btree_map::Entry::Vacant(entry) = blinds.entry(batch) {
            let name = format!("private/blinds/{}", batch_name(batch));
            entry.insert(Blinded::from_bytes(&folder.secret(&name)?)?);
        }
        let blinded = blinds.get(&batch).ok_or(AuditError::Stopped)?;
        let one = blinded.shown(place, &claim(&case.subject, number)?.key())?;
        let small = |value| u32::try_from(value).map_err(|_| AuditError::Stopped);
        shown.push(ShownClaim {
            settlement: number.to_owned(),
            paid: paid.clone(),
            batch: small(batch)?,
            place: small(place)?,
            blind: Digest::from_bytes(one.blind),
        });
    }
    Ok(shown)
}
