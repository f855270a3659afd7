//! From a row of bytes to a checked stay, or the rule it breaks. A rule sees one row, and through
//! the duplicate check one patient's rows: what other patients did never drops a row.

mod amounts;
mod costs;
pub mod quarantine;
pub mod rules;
pub mod scheme;

use schemas::dictionary::Dictionary;
use schemas::time::Month;

use self::amounts::number_fault;
use self::rules::{Fault, Rule};
use self::scheme::CodeShape;
use crate::ingest::amount;
use crate::ingest::bound::{Bound, When};
use crate::ingest::date::Date;
use crate::ingest::row::Row;

/// Greatest age that is believed.
const MOST_YEARS: u16 = 130;

/// A row that passed every check. It still points to the raw row and lives only as long.
#[derive(Debug)]
pub struct Checked<'a> {
    row: &'a Row,
    month: Month,
    age: Option<u16>,
    group: u16,
    has_group: bool,
    amounts: &'a [u32],
}

impl Checked<'_> {
    /// The raw row.
    pub fn row(&self) -> &Row {
        self.row
    }

    /// The settlement month.
    pub fn month(&self) -> Month {
        self.month
    }

    /// Age in whole years on the day of discharge, where the source has it.
    pub fn age(&self) -> Option<u16> {
        self.age
    }

    /// Index of the case group.
    pub fn group(&self) -> u16 {
        self.group
    }

    /// Whether the source gave a case group.
    pub fn has_group(&self) -> bool {
        self.has_group
    }

    /// The fields in bound order.
    pub fn amounts(&self) -> &[u32] {
        self.amounts
    }
}

/// Checks rows against one bound mapping.
#[derive(Debug)]
pub struct Checker<'a> {
    bound: &'a Bound,
    shape: CodeShape,
    other_group: u16,
    last_month: Month,
    amounts: Vec<u32>,
    code: Vec<u8>,
    unknown_groups: u64,
    scratch: costs::Scratch,
}

impl<'a> Checker<'a> {
    /// A checker; no month after `last_month` is believed.
    pub fn new(bound: &'a Bound, dictionary: &Dictionary, last_month: Month) -> Self {
        Self {
            bound,
            shape: CodeShape::of(dictionary.scheme.id.as_str()),
            // A checked dictionary has at most 4,096 groups, the last of them `other`.
            other_group: u16::try_from(dictionary.groups.len().saturating_sub(1))
                .unwrap_or(u16::MAX),
            last_month,
            amounts: Vec::with_capacity(bound.fields.len()),
            code: Vec::new(),
            unknown_groups: 0,
            scratch: costs::Scratch::default(),
        }
    }

    /// Well-shaped case groups so far that the dictionary does not list.
    pub fn unknown_groups(&self) -> u64 {
        self.unknown_groups
    }

    /// The settlement month of a row, where it can be read.
    pub fn month(&self, row: &Row) -> Option<Month> {
        self.time(row).ok().map(|(month, _)| month)
    }

    /// Checks a row. A fault carries the month where it is known.
    pub fn check<'r>(&'r mut self, row: &'r Row) -> Result<Checked<'r>, Fault> {
        if row.width() != self.bound.width {
            return Err(Fault::new(Rule::Width, ""));
        }
        let broken = row.broken().map(Fault::of_broken);
        if let Some(fault) = broken.or_else(|| self.encoding(row)) {
            let month = self.time(row).map(|(month, _)| month);
            return Err(month.map_or(fault.clone(), |month| fault.in_month(month)));
        }
        let (month, discharge) = self.time(row)?;
        let group_known = self.rest(row, (month, discharge));
        let (age, group) = group_known.map_err(|fault| fault.in_month(month))?;
        Ok(Checked {
            row,
            month,
            age,
            group,
            has_group: !self.code.is_empty(),
            amounts: &self.amounts,
        })
    }

    fn rest(
        &mut self,
        row: &Row,
        (month, discharge): (Month, Option<Date>),
    ) -> Result<(Option<u16>, u16), Fault> {
        for (column, name) in [
            (self.bound.patient, "patient"),
            (self.bound.settlement, "settlement"),
        ] {
            if column.is_some_and(|column| row.value(column).is_empty()) {
                return Err(Fault::new(Rule::Required, name));
            }
        }
        let days = self.days(row, discharge)?;
        let age = self.age(row, discharge)?;
        self.read_amounts(row, days)?;
        self.read_costs(row, month)?;
        self.check_totals()?;
        Ok((age, self.group(row)?))
    }

    /// Text in another encoding would be taken for codes that nobody listed.
    fn encoding(&self, row: &Row) -> Option<Fault> {
        if row.bytes().is_ascii() {
            return None;
        }
        let broken =
            |(column, _): &&(usize, String)| std::str::from_utf8(row.value(*column)).is_err();
        let found = self.bound.read.iter().find(broken);
        found.map(|(_, name)| Fault::new(Rule::Encoding, name))
    }

    fn time(&self, row: &Row) -> Result<(Month, Option<Date>), Fault> {
        let (month, discharge) = match self.bound.when {
            When::Discharge(column) => {
                let date = self.date(row, column, "discharge")?;
                (date.month(), Some(date))
            }
            When::Year(column) => {
                let text = row.value(column);
                if text.is_empty() {
                    return Err(Fault::new(Rule::Required, "year"));
                }
                let year = amount::whole(text)
                    .ok()
                    .and_then(|year| u16::try_from(year).ok());
                let year = year.ok_or_else(|| Fault::new(Rule::Number, "year"))?;
                (Month::new(year, 12).ok(), None)
            }
        };
        // A year that is not over yet has no December; its rows are believed all the same.
        let believed = |month: &Month| {
            let past = match self.bound.when {
                When::Discharge(_) => *month <= self.last_month,
                When::Year(_) => month.year() <= self.last_month.year(),
            };
            past && month.year() >= self.bound.oldest
        };
        let month = month.filter(believed);
        let month = month.ok_or_else(|| Fault::new(Rule::DateRange, "discharge"))?;
        Ok((month, discharge))
    }

    fn date(&self, row: &Row, column: usize, name: &str) -> Result<Date, Fault> {
        let text = row.value(column);
        if text.is_empty() {
            return Err(Fault::new(Rule::Required, name));
        }
        Date::parse(text, self.bound.format).ok_or_else(|| Fault::new(Rule::Date, name))
    }

    /// Days from admission to discharge; a stay within one day counts 1.
    fn days(&self, row: &Row, discharge: Option<Date>) -> Result<Option<u64>, Fault> {
        let Some(column) = self.bound.admission else {
            return Ok(None);
        };
        let admission = self.date(row, column, "admission")?;
        let Some(discharge) = discharge else {
            return Ok(None);
        };
        let days = discharge.days().checked_sub(admission.days());
        let days = days.ok_or_else(|| Fault::new(Rule::DateOrder, "admission"))?;
        Ok(Some(u64::from(days.max(1))))
    }

    fn age(&self, row: &Row, discharge: Option<Date>) -> Result<Option<u16>, Fault> {
        let (age, name) = if let Some(column) = self.bound.birth {
            let birth = self.date(row, column, "birth_date")?;
            let age = discharge.map(|discharge| birth.years_until(discharge));
            let age = age.map(|age| age.ok_or_else(|| Fault::new(Rule::DateOrder, "birth_date")));
            (age.transpose()?, "birth_date")
        } else if let Some(column) = self.bound.age {
            let text = row.value(column);
            if text.is_empty() {
                return Err(Fault::new(Rule::Required, "age"));
            }
            let age = amount::whole(text).map_err(|fault| number_fault(fault, "age"))?;
            (Some(u16::try_from(age).unwrap_or(u16::MAX)), "age")
        } else {
            (None, "")
        };
        if age.is_some_and(|age| age > MOST_YEARS) {
            return Err(Fault::new(Rule::Range, name));
        }
        Ok(age)
    }

    /// A missing case group and a well-shaped unknown one become `other`.
    fn group(&mut self, row: &Row) -> Result<u16, Fault> {
        self.code.clear();
        for (place, column) in self.bound.group.iter().enumerate() {
            if place > 0 {
                self.code.extend_from_slice(&self.bound.group_join);
            }
            self.code.extend_from_slice(row.value(*column));
        }
        if let Some(group) = self.bound.groups.find(&self.code) {
            return Ok(group);
        }
        if !self.code.is_empty() && !self.shape.fits(&self.code) {
            return Err(Fault::new(Rule::CodeShape, "case_group"));
        }
        self.unknown_groups += 1;
        Ok(self.other_group)
    }
}

#[cfg(test)]
mod test;
