//! The insurer's paid list: CSV with the columns `settlement`, `fen`, `group`.

use std::collections::{BTreeMap, BTreeSet};

use proofs::book::Subject;
use proofs::leaf::Claim;
use schemas::digest::Digest;
use serde::{Deserialize, Serialize};

use super::AuditError;

/// Most lines of a list.
const MOST: usize = 1_000_000;

/// One payment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paid {
    /// Whole fen; negative for a refund.
    pub fen: i64,
    /// Case group as paid.
    pub group: String,
}

impl std::fmt::Debug for Paid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Paid(secret)")
    }
}

/// The list in its order: settlement number and payment.
pub(super) struct List(pub(super) Vec<(String, Paid)>);

impl List {
    pub(super) fn parse(bytes: &[u8], subject: &Subject) -> Result<Self, AuditError> {
        let mut reader = csv::Reader::from_reader(bytes);
        let refuse = |row: usize, rule| AuditError::Paid {
            row: u64::try_from(row).unwrap_or(u64::MAX),
            rule,
        };
        let header = reader.headers().map_err(|_| refuse(1, "UTF-8"))?;
        let header = header
            .iter()
            .map(|name| name.trim_start_matches('\u{feff}'));
        if !header.eq(["settlement", "fen", "group"]) {
            return Err(refuse(1, "the columns are settlement,fen,group"));
        }
        let mut lines = Vec::new();
        for (row, record) in (2..).zip(reader.records()) {
            let record = record.map_err(|_| refuse(row, "three values in UTF-8"))?;
            let value = |place| record.get(place).unwrap_or_default().trim();
            Claim::new(subject.hospital.clone(), subject.period, value(0))
                .map_err(|_| refuse(row, "the number is 1 to 64 visible ASCII characters"))?;
            let fen = value(1).parse();
            let fen = fen.map_err(|_| refuse(row, "the amount is whole fen"))?;
            if lines.len() == MOST {
                return Err(refuse(row, "at most 1,000,000 lines"));
            }
            let group = value(2).to_owned();
            lines.push((value(0).to_owned(), Paid { fen, group }));
        }
        if lines.is_empty() {
            return Err(refuse(2, "at least one payment"));
        }
        Ok(Self(lines))
    }

    /// What is asked about: one input a line, so that sizes follow from the number of lines alone.
    /// A number that was paid more than once is asked once; the other lines ask about nothing.
    pub(super) fn inputs(
        &self,
        subject: &Subject,
        secret: &[u8; 32],
    ) -> Result<Vec<Vec<u8>>, AuditError> {
        let mut seen = BTreeSet::new();
        let mut inputs = Vec::with_capacity(self.0.len());
        for (place, (number, _)) in self.0.iter().enumerate() {
            inputs.push(if seen.insert(number.as_str()) {
                claim(subject, number)?.key()
            } else {
                let place = place.to_be_bytes();
                let nothing = Digest::of("consilium-audit-nothing-v1", &[secret, &place]);
                nothing.as_bytes().to_vec()
            });
        }
        Ok(inputs)
    }

    /// Payments by number, with the line at which the number is asked about.
    pub(super) fn by_number(&self) -> BTreeMap<&str, (usize, Vec<Paid>)> {
        let mut by: BTreeMap<&str, (usize, Vec<Paid>)> = BTreeMap::new();
        for (place, (number, paid)) in self.0.iter().enumerate() {
            let entry = by.entry(number).or_insert_with(|| (place, Vec::new()));
            entry.1.push(paid.clone());
        }
        by
    }

    pub(super) fn total(&self) -> i128 {
        self.0.iter().map(|(_, paid)| i128::from(paid.fen)).sum()
    }
}

pub(super) fn claim(subject: &Subject, number: &str) -> Result<Claim, AuditError> {
    Ok(Claim::new(
        subject.hospital.clone(),
        subject.period,
        number,
    )?)
}
