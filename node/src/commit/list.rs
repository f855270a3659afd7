//! Reading a settlement list: rows that break a rule are listed by number, field and rule.

use std::collections::BTreeMap;

use proofs::leaf::{Claim, GROUP_BYTES, Settlement};
use schemas::id::Slug;
use serde::Serialize;

use super::{CloseError, Request};
use crate::check::rules::{Fault, Rule};
use crate::config::keys::Keys;
use crate::deidentify::StayIds;
use crate::ingest::amount::{self, NotAnAmount, SourceUnit};
use crate::ingest::row::Row;
use crate::ingest::settlements::BoundSettlements;
use crate::ingest::source::Source;

/// Most settlements of one list: some 400 bytes each are held.
pub(super) const MOST: usize = 1_000_000;

/// A refused row. Never a value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Refused {
    /// Its number; the header is row 1.
    pub row: u64,
    /// The field, as the mapping names it.
    pub field: String,
    /// The rule's id.
    pub rule: &'static str,
}

/// One row's payment, to be compared with the stored stay.
pub(super) struct Paid {
    pub(super) row: u64,
    pub(super) stay: [u8; 16],
    pub(super) amount: i64,
}

pub(super) struct Listed {
    pub(super) by_payer: BTreeMap<Slug, Vec<Settlement>>,
    /// Empty where the list has no patient column or the year no pseudonym key.
    pub(super) paid: Vec<Paid>,
    pub(super) refused: Vec<Refused>,
    pub(super) passed_over: u64,
}

/// What finds the month's stored stays again, if the list can name them.
pub(super) fn stay_ids(keys: &Keys, request: &Request) -> Result<Option<StayIds>, CloseError> {
    if request.mapping.patient.is_none() {
        return Ok(None);
    }
    Ok(keys.pseudonym_key(request.month.year())?.map(StayIds::new))
}

pub(super) fn read(
    request: &Request,
    hospital: &Slug,
    mut ids: Option<StayIds>,
) -> Result<Listed, CloseError> {
    let mut source = Source::open(&request.file, request.mapping.encoding)?;
    let bound = request.mapping.bind(source.header())?;
    let payers = request.mapping.payers().into_iter();
    let mut listed = Listed {
        by_payer: payers.map(|payer| (payer, Vec::new())).collect(),
        paid: Vec::new(),
        refused: Vec::new(),
        passed_over: 0,
    };
    let mut row = Row::new();
    let mut kept = 0;
    while source.read(&mut row)? {
        match take(request, hospital, &bound, &row) {
            Ok(None) => listed.passed_over += 1,
            Err(fault) => listed.refused.push(Refused {
                row: row.number(),
                field: fault.field,
                rule: fault.rule.id(),
            }),
            Ok(Some((payer, settlement))) => {
                kept += 1;
                if kept > MOST {
                    return Err(CloseError::TooMany);
                }
                if let (Some(ids), Some(patient)) = (&mut ids, bound.patient) {
                    let number = row.value(bound.settlement);
                    listed.paid.push(Paid {
                        row: row.number(),
                        stay: ids.of(row.value(patient), number),
                        amount: settlement.amount,
                    });
                }
                let batch = listed.by_payer.entry(payer.clone()).or_default();
                batch.push(settlement);
            }
        }
    }
    Ok(listed)
}

fn take<'a>(
    request: &'a Request,
    hospital: &Slug,
    bound: &BoundSettlements,
    row: &Row,
) -> Result<Option<(&'a Slug, Settlement)>, Fault> {
    if row.width() != bound.width {
        return Err(Fault::new(Rule::Width, ""));
    }
    if let Some(broken) = row.broken() {
        return Err(Fault::of_broken(broken));
    }
    if bound.passes_over(row) {
        return Ok(None);
    }
    let Some(payer) = request.mapping.payer_of(row.value(bound.payer)) else {
        return Ok(None);
    };
    let month = bound.month(row, request.month);
    if month.ok_or_else(|| Fault::new(Rule::Date, "time"))? != request.month {
        return Ok(None);
    }
    let number = std::str::from_utf8(row.value(bound.settlement));
    let number = number.map_err(|_| Fault::new(Rule::CodeShape, "settlement"))?;
    if number.is_empty() {
        return Err(Fault::new(Rule::Required, "settlement"));
    }
    let claim = Claim::new(hospital.clone(), request.month, number);
    let claim = claim.map_err(|_| Fault::new(Rule::CodeShape, "settlement"))?;
    let amount = signed(row.value(bound.amount), request.mapping.amount.unit)?;
    let group = request.mapping.group_of(bound, row).unwrap_or_default();
    let visible = group.bytes().all(|byte| byte.is_ascii_graphic());
    if !(1..=GROUP_BYTES).contains(&group.len()) || !visible {
        return Err(Fault::new(Rule::CodeShape, "case_group"));
    }
    let settlement = Settlement {
        claim,
        amount,
        group,
    };
    Ok(Some((payer, settlement)))
}

/// An amount that may be negative: a refund.
fn signed(text: &[u8], unit: SourceUnit) -> Result<i64, Fault> {
    let (digits, negative) = match text.strip_prefix(b"-") {
        Some(digits) => (digits, true),
        None => (text, false),
    };
    let fault = |rule| Fault::new(rule, "amount");
    let size = amount::parse(digits, unit).map_err(|error| {
        fault(match error {
            NotAnAmount::Shape | NotAnAmount::Negative => Rule::Amount,
            NotAnAmount::TooLarge => Rule::Range,
        })
    })?;
    let size = i64::try_from(size).map_err(|_| fault(Rule::Range))?;
    Ok(if negative { -size } else { size })
}
