//! The hospital's evaluations are checked and unblinded, and every claim is looked up in the book.

use proofs::book::Believed;
use proofs::leaf::Match;
use proofs::oprf::{Blinded, MAX_BATCH};
use serde::{Deserialize, Serialize};

use super::findings::{Finding, compare};
use super::folder::{Case, Folder, batch_name};
use super::paid::List;
use super::{AuditError, work};

/// Name of the result.
pub(super) const RESULT: &str = "match.json";

/// What matching found. It stays on the insurer's machine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matched {
    /// Lines of the paid list.
    pub lines: u64,
    /// Sum of the paid list, whole fen.
    pub paid: String,
    /// Sum of the leaves that belong to a claim, whole fen.
    pub listed: String,
    /// By settlement number.
    pub findings: Vec<Finding>,
    /// Places of leaves that belong to no claim: padding, or invented.
    pub unmatched: Vec<u32>,
}

/// Matches. It draws nothing and changes nothing but its result: killed and run again it gives the
/// same.
pub fn find(folder: &Folder, progress: &dyn Fn(usize, usize)) -> Result<Matched, AuditError> {
    let case = folder.case()?;
    let book = folder.book(&case)?;
    let list = List::parse(&folder.secret("private/paid.csv")?, &case.subject)?;
    let inputs = list.inputs(&case.subject, &folder.secret_32("private/nonce.key")?)?;
    let batches: Vec<&[Vec<u8>]> = inputs.chunks(MAX_BATCH).collect();
    let missing = (0..batches.len())
        .filter(|batch| !folder.has(&format!("replies/{}.json", batch_name(*batch))));
    let missing = missing.count();
    if missing > 0 {
        let (all, missing) = (batches.len(), missing);
        let text = format!("{missing} of {all} batches are not answered yet");
        return Err(AuditError::Waiting(text));
    }
    let found = work::each(batches.len(), progress, |batch| {
        let inputs = batches.get(batch).ok_or(AuditError::Stopped)?;
        look_up(folder, &case, &book, batch, inputs)
    })?;
    let found: Vec<Vec<Match>> = found.into_iter().flatten().collect();
    let matched = result(&list, &book, &found);
    folder.write_json(RESULT, &matched)?;
    Ok(matched)
}

fn look_up(
    folder: &Folder,
    case: &Case,
    book: &Believed,
    batch: usize,
    inputs: &[Vec<u8>],
) -> Result<Vec<Vec<Match>>, AuditError> {
    let name = batch_name(batch);
    let blinded = Blinded::from_bytes(&folder.secret(&format!("private/blinds/{name}"))?)?;
    let (said, _) = folder.said(case, &name)?;
    let answer = said.as_evaluated().ok_or(AuditError::Reply(name))?;
    let outputs = blinded.finalize(inputs, &answer, &book.header.public_key()?)?;
    let leaves = &book.leaves;
    outputs
        .iter()
        .map(|output| Ok(leaves.find(output)?))
        .collect()
}

fn result(list: &List, book: &Believed, found: &[Vec<Match>]) -> Matched {
    let mut claimed = vec![false; book.leaves.as_slice().len()];
    let mut listed = 0_i128;
    for one in found.iter().flatten() {
        if let Some(claimed) = claimed.get_mut(one.place) {
            *claimed = true;
        }
        let label = one.label.as_ref();
        listed += label.map_or(0, |label| i128::from(label.amount));
    }
    let mut findings = Vec::new();
    for (number, (line, paid)) in list.by_number() {
        let found = found.get(line).map(Vec::as_slice).unwrap_or_default();
        findings.extend(compare(number, &paid, found));
    }
    findings.sort();
    let unmatched = (0_u32..).zip(&claimed);
    Matched {
        lines: u64::try_from(list.0.len()).unwrap_or(u64::MAX),
        paid: list.total().to_string(),
        listed: listed.to_string(),
        findings,
        unmatched: unmatched
            .filter(|(_, claimed)| !**claimed)
            .map(|(place, _)| place)
            .collect(),
    }
}
