//! What the hospital opens: the payer's total, and leaves that belong to no claim.

use proofs::book::Believed;
use proofs::exchange::{Ask, MAX_OPENED, Opened, OpenedLeaf, Said};
use proofs::parcel::Receiver;
use proofs::sample as sampling;
use schemas::digest::Digest;
use serde::{Deserialize, Serialize};

use super::findings::{Fault, Finding};
use super::folder::{Case, Folder};
use super::matching::{Matched, RESULT};
use super::paid::Paid;
use super::{AuditError, prepare};

/// The total of the payer's leaves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Total {
    /// As committed to and opened, whole fen.
    pub committed: i128,
    /// As paid.
    pub paid: i128,
}

/// What was opened of the leaves without a claim.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampled {
    /// Opens the header's commitment; with the checkpoint it is the seed of the sample.
    pub nonce: Digest,
    /// Places of leaves without a claim.
    pub unmatched: Vec<u32>,
    /// What was opened of them: all, or a sample of [`MAX_OPENED`].
    pub opened: Vec<OpenedLeaf>,
}

/// Checks the opened total against the header and keeps it.
pub fn totals(folder: &Folder) -> Result<Total, AuditError> {
    let case = folder.case()?;
    let book = folder.book(&case)?;
    let opened = received(folder, &case, "total")?;
    let committed = total(&book, &opened.0)?;
    folder.write_json("total.json", &opened)?;
    let matched: Matched = folder.json(RESULT)?;
    Ok(Total {
        committed,
        paid: decimal(&matched.paid)?,
    })
}

/// The total, if it opens what the leaves add up to.
pub(super) fn total(book: &Believed, opened: &[OpenedLeaf]) -> Result<i128, AuditError> {
    let [total] = opened else {
        return Err(AuditError::Reply("total".to_owned()));
    };
    let opening = total.opening()?;
    book.header.total().verify(&opening)?;
    Ok(opening.amount)
}

/// Asks for leaves without a claim to be opened, or checks what was opened.
pub fn sample(folder: &Folder) -> Result<Sampled, AuditError> {
    let case = folder.case()?;
    let book = folder.book(&case)?;
    let matched: Matched = folder.json(RESULT)?;
    let nonce = prepare::nonce(folder)?;
    let mut sampled = Sampled {
        nonce,
        unmatched: matched.unmatched.clone(),
        opened: Vec::new(),
    };
    if !matched.unmatched.is_empty() {
        let ask = Ask::Open {
            receiver: receiver(folder)?.public(),
            nonce,
            places: matched.unmatched,
        };
        let number = u32::MAX;
        folder.ask("open", (&case, book.header.release), number, ask)?;
        sampled.opened = received(folder, &case, "open")?.0;
    }
    invented(&book, &sampled)?;
    folder.write_json("sample.json", &sampled)?;
    Ok(sampled)
}

/// The invented settlements among opened leaves, once each opening fits its leaf and none of the
/// chosen is missing.
pub(super) fn invented(book: &Believed, sampled: &Sampled) -> Result<Vec<Finding>, AuditError> {
    let (unmatched, nonce) = (&sampled.unmatched, &sampled.nonce);
    let chosen = if unmatched.len() <= MAX_OPENED {
        unmatched.clone()
    } else {
        sampling::sample(&book.text, nonce, unmatched, MAX_OPENED)
    };
    let places = sampled.opened.iter().map(|leaf| leaf.place);
    if !places.eq(chosen.iter().map(|place| Some(*place))) {
        return Err(AuditError::Reply("open".to_owned()));
    }
    let mut findings = Vec::new();
    for (place, opened) in chosen.iter().zip(&sampled.opened) {
        let leaves = book.leaves.as_slice();
        let leaf = usize::try_from(*place)
            .ok()
            .and_then(|place| leaves.get(place));
        let leaf = leaf.ok_or(AuditError::Pack("a place beyond the book"))?;
        let opening = opened.opening()?;
        leaf.commitment().verify(&opening)?;
        if opening.amount != 0 || !opened.group.is_empty() {
            findings.push(Finding {
                fault: Fault::Invented,
                settlement: None,
                paid: None,
                listed: Some(Paid {
                    // A leaf's amount is 64 bits; what is beyond would be evidence all the same.
                    fen: i64::try_from(opening.amount).unwrap_or(i64::MAX),
                    group: opened.group.clone(),
                }),
                place: Some(*place),
            });
        }
    }
    Ok(findings)
}

fn received(folder: &Folder, case: &Case, name: &str) -> Result<Opened, AuditError> {
    let (said, request) = folder.said(case, name)?;
    let Said::Parcel(parcel) = said else {
        return Err(AuditError::Reply(name.to_owned()));
    };
    Ok(Opened::open(&receiver(folder)?, &request, &parcel)?)
}

fn receiver(folder: &Folder) -> Result<Receiver, AuditError> {
    let secret = folder.secret_32("private/receiver.key")?;
    Ok(Receiver::from_bytes(secret)?)
}

pub(super) fn decimal(text: &str) -> Result<i128, AuditError> {
    text.parse().map_err(|_| AuditError::Pack("a sum is none"))
}
