//! The mapping of a hospital's settlement list, for the month's close: declarative TOML like the
//! mapping of stays. Settlement numbers are read, turned into sealed leaves and not kept.

use std::collections::{BTreeMap, BTreeSet};

use schemas::id::Slug;
use schemas::time::Month;
use schemas::written;
use serde::Deserialize;

use super::IngestError;
use super::amount::SourceUnit;
use super::columns::Columns;
use super::date::{Date, DateFormat};
use super::encoding::Encoding;
use super::mapping::{CaseGroup, Mapping};
use super::row::Row;

/// How a list's columns become settlements.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettlementMapping {
    /// Always `settlements`.
    pub dataset: Dataset,
    /// How the file writes characters; CSV only.
    #[serde(default)]
    pub encoding: Encoding,
    /// Column → value: rows with another value are passed over.
    #[serde(default)]
    pub only: BTreeMap<String, String>,
    /// Column of the settlement number, as hospital and payer both know it.
    pub settlement: String,
    /// Column of the patient's number, to find the stored stay again; only its keyed hash is used.
    #[serde(default)]
    pub patient: Option<String>,
    /// Who paid.
    pub payer: Payer,
    /// What the payer paid; refunds are negative.
    pub amount: Amount,
    /// The case group, as the payer knows it.
    pub case_group: CaseGroup,
    /// When it was settled; without it every row belongs to the month that is closed.
    #[serde(default)]
    pub time: Option<Settled>,
}

/// What a row is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dataset {
    /// A settlement.
    Settlements,
}

/// Who paid.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payer {
    /// Column of the payer.
    pub column: String,
    /// Value → payer of the alliance. Rows of other values are passed over: no payer audits them.
    pub values: BTreeMap<String, Slug>,
}

/// What was paid.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// Column of the amount.
    pub column: String,
    /// Unit in the column.
    pub unit: SourceUnit,
}

/// When it was settled.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settled {
    /// Column of the discharge date: the settlement month, as for stays.
    pub discharge: String,
    /// How it is written.
    pub format: DateFormat,
}

/// A mapping whose names are positions in one file.
#[derive(Debug)]
pub struct BoundSettlements {
    /// Values that a row has.
    pub width: usize,
    /// Settlement number.
    pub settlement: usize,
    /// Patient's number.
    pub patient: Option<usize>,
    /// Payer.
    pub payer: usize,
    /// Amount.
    pub amount: usize,
    /// Parts of the case group.
    pub group: Vec<usize>,
    time: Option<(usize, DateFormat)>,
    only: Vec<(usize, Vec<u8>)>,
}

impl SettlementMapping {
    /// Reads a mapping.
    pub fn parse(text: &str) -> Result<Self, IngestError> {
        if text.len() > Mapping::MAX_BYTES {
            return Err(IngestError::rule("file", "at most 4 MiB"));
        }
        let mapping: Self = toml::from_str(text).map_err(|error| {
            let at = error.span().map(|span| span.start);
            IngestError::Mapping(written::fault(text, error.message(), at))
        })?;
        let money = mapping.amount.unit.is_money();
        let rules = [
            (money, "amount.unit", "a unit of money"),
            (
                !mapping.payer.values.is_empty(),
                "payer.values",
                "names at least one payer",
            ),
            (
                !mapping.case_group.columns.is_empty(),
                "case_group.columns",
                "names at least one column",
            ),
        ];
        match rules.into_iter().find(|(holds, ..)| !holds) {
            Some((_, place, rule)) => Err(IngestError::rule(place, rule)),
            None => Ok(mapping),
        }
    }

    /// Every payer of the mapping: each gets its batch, also where it paid nothing.
    pub fn payers(&self) -> BTreeSet<Slug> {
        self.payer.values.values().cloned().collect()
    }

    /// Resolves the names against a file's header.
    pub fn bind(&self, header: &[String]) -> Result<BoundSettlements, IngestError> {
        let columns = Columns(header);
        let find = |name: &str| columns.find(name);
        let only = self.only.iter();
        let only = only.map(|(name, value)| Ok((find(name)?, value.as_bytes().to_vec())));
        let group = self.case_group.columns.iter().map(|name| find(name));
        let time = self.time.as_ref();
        let time = time.map(|time| Ok::<_, IngestError>((find(&time.discharge)?, time.format)));
        Ok(BoundSettlements {
            width: header.len(),
            settlement: find(&self.settlement)?,
            patient: self.patient.as_deref().map(find).transpose()?,
            payer: find(&self.payer.column)?,
            amount: find(&self.amount.column)?,
            group: group.collect::<Result<_, _>>()?,
            time: time.transpose()?,
            only: only.collect::<Result<_, IngestError>>()?,
        })
    }

    /// The payer of a value of the payer's column.
    pub fn payer_of(&self, value: &[u8]) -> Option<&Slug> {
        self.payer.values.get(std::str::from_utf8(value).ok()?)
    }

    /// The case group of a row.
    pub fn group_of(&self, bound: &BoundSettlements, row: &Row) -> Option<String> {
        let parts = bound.group.iter().map(|place| row.value(*place));
        let parts: Option<Vec<&str>> = parts.map(|part| std::str::from_utf8(part).ok()).collect();
        let code = parts?.join(&self.case_group.join);
        Some(self.case_group.values.get(&code).cloned().unwrap_or(code))
    }
}

impl BoundSettlements {
    /// Whether the filter passes a row over.
    pub fn passes_over(&self, row: &Row) -> bool {
        let mut only = self.only.iter();
        only.any(|(place, value)| row.value(*place) != value.as_slice())
    }

    /// The row's month, or `None` where it is no date. Where the list does not say, every row
    /// belongs to the month that is closed.
    pub fn month(&self, row: &Row, closed: Month) -> Option<Month> {
        match self.time {
            None => Some(closed),
            Some((place, format)) => Date::parse(row.value(place), format)?.month(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_mapping_is_read_and_odd_ones_are_refused() {
        let text = include_str!("../../../deploy/mappings/settlements.toml");
        let mapping = SettlementMapping::parse(text).unwrap();
        assert!(!mapping.payers().is_empty());
        let header: Vec<String> = text.split('"').map(str::to_owned).collect();
        assert!(mapping.bind(&header[..1]).is_err());
        for (from, to) in [
            ("\"yuan\"", "\"day\""),
            ("[\"drg\"]", "[]"),
            ("\"settlements\"", "\"stays\""),
        ] {
            assert!(text.contains(from), "{from}");
            assert!(SettlementMapping::parse(&text.replace(from, to)).is_err());
        }
    }
}
