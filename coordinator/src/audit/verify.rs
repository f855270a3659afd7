//! Checking an evidence pack, from its files and the hospital's key alone.

use std::collections::BTreeMap;

use proofs::book::{Believed, Book};
use proofs::exchange::{Ask, Opened, Request};
use proofs::oprf::{Output, Shown, verify_shown};
use schemas::seal::{PublicKey, Sealed};

use super::AuditError;
use super::findings::{Finding, compare};
use super::folder::{Case, Folder, Witness, batch_name};
use super::open::{self, Sampled};
use super::pack::{Report, ShownClaim};
use super::paid::claim;

/// What a verifier knows by itself; where it knows nothing, the pack's own word is taken.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Known {
    /// The key of the hospital's settlement log.
    pub log_key: Option<String>,
    /// Keys of witnesses, and how many organisations must have witnessed the close.
    pub witnesses: Option<(Vec<Witness>, u32)>,
}

/// Believes a pack: every finding follows from what hospital and insurer signed, and witnesses have
/// seen the close where they are asked for.
pub fn verify(folder: &Folder, known: &Known) -> Result<Report, AuditError> {
    let mut case = folder.case()?;
    if known
        .log_key
        .as_ref()
        .is_some_and(|key| *key != case.log_key)
    {
        return Err(AuditError::Other("hospital's log key"));
    }
    // Under the insurer's own witnesses the report is checked, under the verifier's the close.
    let book = folder.book(&case)?;
    if let Some((witnesses, quorum)) = &known.witnesses {
        case.witnesses.clone_from(witnesses);
        case.quorum = *quorum;
        Book::from_bytes(&folder.read("book")?)?.witnesses(&case.trust()?)?;
    }
    let report: Report = folder.json("report.json")?;
    let opened: Opened = folder.json("total.json")?;
    let sampled: Sampled = folder.json("sample.json")?;
    let header = (&book.header.release, &book.header.leaves);
    if header != (&report.release, &report.leaves) {
        return Err(AuditError::Pack("it reports on another version"));
    }
    if book.witnesses != report.witnesses {
        return Err(AuditError::Pack("it names other witnesses"));
    }
    if open::total(&book, &opened.0)?.to_string() != report.committed {
        return Err(AuditError::Pack("the total is another"));
    }
    let counts = (sampled.unmatched.len(), sampled.opened.len());
    let reported = (report.unmatched, report.opened);
    if (u64::try_from(counts.0), u64::try_from(counts.1)) != (Ok(reported.0), Ok(reported.1)) {
        return Err(AuditError::Pack("another number of leaves was opened"));
    }
    let shown: Vec<ShownClaim> = folder.json("shown.json")?;
    let mut batches: BTreeMap<u32, Vec<ShownClaim>> = BTreeMap::new();
    for claim in shown {
        batches.entry(claim.batch).or_default().push(claim);
    }
    let mut findings = Vec::new();
    for (batch, claims) in &batches {
        findings.extend(derive(folder, &case, &book, *batch, claims)?);
    }
    findings.sort();
    findings.extend(open::invented(&book, &sampled)?);
    if findings != report.findings {
        return Err(AuditError::Pack("findings do not follow from the proofs"));
    }
    Ok(report)
}

/// The findings about the shown claims of one batch, from the leaves themselves.
fn derive(
    folder: &Folder,
    case: &Case,
    book: &Believed,
    batch: u32,
    claims: &[ShownClaim],
) -> Result<Vec<Finding>, AuditError> {
    let name = batch_name(usize::try_from(batch).unwrap_or(usize::MAX));
    let request: Sealed<Request> = folder.json(&format!("requests/{name}.json"))?;
    let asked = request.open(&PublicKey::from_bytes(*case.insurer_key.as_bytes()))?;
    if asked.subject != case.subject || asked.release != book.header.release {
        return Err(AuditError::Pack("a request is about something else"));
    }
    let Ask::Evaluate(elements) = asked.ask else {
        return Err(AuditError::Pack("a request asks for something else"));
    };
    let (said, _) = folder.said(case, &name)?;
    let answer = said.as_evaluated().ok_or(AuditError::Reply(name))?;
    let shown = claims.iter().map(|one| {
        Ok(Shown {
            place: usize::try_from(one.place).unwrap_or(usize::MAX),
            input: claim(&case.subject, &one.settlement)?.key(),
            blind: *one.blind.as_bytes(),
        })
    });
    let shown = shown.collect::<Result<Vec<_>, AuditError>>()?;
    let key = book.header.public_key()?;
    let outputs: Vec<Output> = verify_shown(&elements.0, &answer, &key, &shown)?;
    let mut findings = Vec::new();
    for (claim, output) in claims.iter().zip(&outputs) {
        let found = book.leaves.find(output)?;
        findings.extend(compare(&claim.settlement, &claim.paid, &found));
    }
    Ok(findings)
}
