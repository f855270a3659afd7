//! Amounts of a row, and the sums that must hold within it.

use super::Checker;
use super::rules::{Fault, Rule};
use crate::ingest::amount::{self, NotAnAmount};
use crate::ingest::bound::BoundField;
use crate::ingest::row::Row;

impl Checker<'_> {
    pub(super) fn read_amounts(&mut self, row: &Row, days: Option<u64>) -> Result<(), Fault> {
        self.amounts.clear();
        for field in &self.bound.fields {
            let value = amount_of(field, row, days)?;
            let value = u32::try_from(value)
                .ok()
                .filter(|value| u64::from(*value) <= field.most);
            self.amounts
                .push(value.ok_or_else(|| Fault::new(Rule::Range, &field.name))?);
        }
        Ok(())
    }

    pub(super) fn check_totals(&self) -> Result<(), Fault> {
        let amount = |place: usize| self.amounts.get(place).copied().map_or(0, u64::from);
        for total in &self.bound.totals {
            let sum: u64 = total.parts.iter().map(|part| amount(*part)).sum();
            let whole = amount(total.whole);
            if sum > whole || (total.complete && sum != whole) {
                let name = self
                    .bound
                    .fields
                    .get(total.whole)
                    .map_or("", |field| &field.name);
                return Err(Fault::new(Rule::TotalParts, name));
            }
        }
        Ok(())
    }
}

fn amount_of(field: &BoundField, row: &Row, days: Option<u64>) -> Result<u64, Fault> {
    let from_dates = days.map(|days| days * 1000).filter(|_| field.from_dates);
    if field.costed.is_some() {
        return Ok(0); // Follows when the others are read.
    }
    let Some((column, unit)) = field.column else {
        return from_dates.ok_or_else(|| Fault::new(Rule::Required, &field.name));
    };
    let text = row.value(column);
    if text.is_empty() {
        return Err(Fault::new(Rule::Required, &field.name));
    }
    let value = amount::parse(text, unit).map_err(|fault| match fault {
        NotAnAmount::Shape => Fault::new(Rule::Amount, &field.name),
        other => number_fault(other, &field.name),
    })?;
    if from_dates.is_some_and(|days| days != value) {
        return Err(Fault::new(Rule::LosDates, &field.name));
    }
    Ok(value)
}

/// The rule that a text breaks which is not a number.
pub(super) fn number_fault(fault: NotAnAmount, name: &str) -> Fault {
    match fault {
        NotAnAmount::Shape => Fault::new(Rule::Number, name),
        NotAnAmount::Negative => Fault::new(Rule::Negative, name),
        NotAnAmount::TooLarge => Fault::new(Rule::Range, name),
    }
}
