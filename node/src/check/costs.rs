//! The cost of a stay by the rates of an earlier closed month: its own items, and its part of what was
//! spread. It sees this row and the rates.

use policies::costing::Method;
use schemas::money::Fen;
use schemas::time::Month;

use super::Checker;
use super::amounts::number_fault;
use super::rules::{Fault, Rule};
use crate::ingest::amount::{self, NotAnAmount, SourceUnit};
use crate::ingest::costed::{BoundCosting, BoundRates};
use crate::ingest::row::Row;

/// Amounts of a row while it is costed.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    own: Vec<Fen>,
    cost: Vec<Fen>,
}

impl Checker<'_> {
    /// Puts the costed fields of a row into its amounts.
    pub(super) fn read_costs(&mut self, row: &Row, month: Month) -> Result<(), Fault> {
        let Some(costing) = &self.bound.costing else {
            return Ok(());
        };
        let none = || Fault::new(Rule::Rates, "costing");
        let rates = costing.rates(month).ok_or_else(none)?;
        let department = row.value(costing.department);
        if department.is_empty() {
            return Err(Fault::new(Rule::Required, "costing.department"));
        }
        let department = match &costing.walk {
            Some(walk) => walk.find(department, month).ok_or_else(none)?,
            None => department,
        };
        let of = rates.departments.get(department).ok_or_else(none)?;
        self.scratch.own.clear();
        self.scratch.own.resize(rates.items, Fen(0));
        let borne = read_own(costing, rates, row, &mut self.scratch.own)?;
        let weight = self.amounts.get(rates.weight).copied().map_or(0, u64::from);
        let (weight, scale) = match rates.used.method {
            // Lengths of stay are kept in thousandths of a day.
            Method::TopDown => (weight, 1_000),
            Method::CostToCharge => {
                let rest = weight.checked_sub(borne);
                (
                    rest.ok_or_else(|| Fault::new(Rule::TotalParts, "costing.charges"))?,
                    1,
                )
            }
        };
        let cost = &mut self.scratch.cost;
        let range = || Fault::new(Rule::Range, "costing");
        of.cost(&self.scratch.own, (weight, scale), cost)
            .ok_or_else(range)?;
        let mut all = cost.iter().map(|fen| fen.0);
        let all = all.try_fold(0_i64, i64::checked_add).ok_or_else(range)?;
        for (place, item) in &rates.fields {
            let value = match item {
                None => all,
                Some(item) => cost.get(*item).map_or(0, |fen| fen.0),
            };
            let field = self.bound.fields.get(*place);
            let most = field.map_or(0, |field| field.most);
            let name = field.map_or("", |field| &field.name);
            let value = u32::try_from(value).ok();
            let value = value.filter(|value| u64::from(*value) <= most);
            let value = value.ok_or_else(|| Fault::new(Rule::Range, name))?;
            if let Some(amount) = self.amounts.get_mut(*place) {
                *amount = value;
            }
        }
        Ok(())
    }
}

/// Reads the items that the stay bears itself; gives their sum.
fn read_own(
    costing: &BoundCosting,
    rates: &BoundRates,
    row: &Row,
    to: &mut [Fen],
) -> Result<u64, Fault> {
    let mut sum = 0_u64;
    for ((item, column, unit), place) in costing.own.iter().zip(&rates.own) {
        let Some(place) = place else { continue };
        let fen = own(row.value(*column), *unit).map_err(|fault| match fault {
            Unread::Empty => Fault::new(Rule::Required, item.as_str()),
            Unread::Number(NotAnAmount::Shape) => Fault::new(Rule::Amount, item.as_str()),
            Unread::Number(other) => number_fault(other, item.as_str()),
        })?;
        let range = || Fault::new(Rule::Range, item.as_str());
        sum = sum.checked_add(fen).ok_or_else(range)?;
        if let Some(amount) = to.get_mut(*place) {
            *amount = Fen(i64::try_from(fen).map_err(|_| range())?);
        }
    }
    Ok(sum)
}

enum Unread {
    Empty,
    Number(NotAnAmount),
}

fn own(text: &[u8], unit: SourceUnit) -> Result<u64, Unread> {
    if text.is_empty() {
        return Err(Unread::Empty);
    }
    amount::parse(text, unit).map_err(Unread::Number)
}
