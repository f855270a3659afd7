//! The rules of the check, in one table.

use schemas::time::Month;

use crate::ingest::row::{Broken, BrokenFault};

/// What a rule says about the data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Aspect {
    /// 准确率: values are what they should be.
    Accuracy,
    /// 完整性: nothing that must be there is missing.
    Completeness,
    /// 一致性: values agree with each other.
    Consistency,
}

/// A rule that a row can break.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Rule {
    /// The row has another number of values than the header.
    Width,
    /// Bytes that are not UTF-8 in a column that the mapping names.
    Encoding,
    /// A value that must be there is empty.
    Required,
    /// Not a date of the mapping's format, or one that does not exist.
    Date,
    /// The month is in the future, or before the oldest year that the mapping believes.
    DateRange,
    /// Admission after discharge, or birth after discharge.
    DateOrder,
    /// Not an amount: digits with at most two decimals.
    Amount,
    /// Not a whole number.
    Number,
    /// Below zero.
    Negative,
    /// Above the dictionary's greatest value, or an age above 130.
    Range,
    /// The length of stay is not the days between the dates.
    LosDates,
    /// Not a code of the dictionary's grouper.
    CodeShape,
    /// The parts do not add up to the whole.
    TotalParts,
    /// The same patient and settlement number again.
    Duplicate,
    /// Shaped like a person's identifier in a column that is kept.
    Identifier,
    /// Free text in a column of codes.
    FreeText,
    /// A reference between resources leads nowhere, or to several.
    Reference,
    /// No signed rates of an earlier month cost the stay's month and department.
    Rates,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 18] = [
        Self::Width,
        Self::Encoding,
        Self::Required,
        Self::Date,
        Self::DateRange,
        Self::DateOrder,
        Self::Amount,
        Self::Number,
        Self::Negative,
        Self::Range,
        Self::LosDates,
        Self::CodeShape,
        Self::TotalParts,
        Self::Duplicate,
        Self::Identifier,
        Self::FreeText,
        Self::Reference,
        Self::Rates,
    ];

    /// Id in the quarantine file, aspect, and what must hold.
    pub fn entry(self) -> (&'static str, Aspect, &'static str) {
        use Aspect::{Accuracy, Completeness, Consistency};
        match self {
            Self::Width => (
                "width",
                Consistency,
                "as many values as the header has names",
            ),
            Self::Encoding => ("encoding", Accuracy, "UTF-8; save the file as UTF-8"),
            Self::Required => ("required", Completeness, "not empty"),
            Self::Date => ("date", Accuracy, "an existing date in the mapping's format"),
            Self::DateRange => (
                "date-range",
                Accuracy,
                "from the mapping's oldest year to the current month",
            ),
            Self::DateOrder => (
                "date-order",
                Consistency,
                "birth, admission, discharge in order",
            ),
            Self::Amount => ("amount", Accuracy, "digits with at most two decimals"),
            Self::Number => ("number", Accuracy, "a whole number"),
            Self::Negative => ("negative", Accuracy, "not below zero"),
            Self::Range => (
                "range",
                Accuracy,
                "not above the dictionary's greatest value",
            ),
            Self::LosDates => ("los-dates", Consistency, "the days between the dates"),
            Self::CodeShape => ("code-shape", Accuracy, "a code of the dictionary's grouper"),
            Self::TotalParts => ("total-parts", Consistency, "the parts add up to the whole"),
            Self::Duplicate => (
                "duplicate",
                Consistency,
                "patient and settlement number once",
            ),
            Self::Identifier => (
                "identifier",
                Accuracy,
                "no identifier in a column that is kept",
            ),
            Self::FreeText => ("free-text", Accuracy, "a code, not free text"),
            Self::Reference => (
                "reference",
                Consistency,
                "a reference leads to one resource of the folder",
            ),
            Self::Rates => (
                "rates",
                Completeness,
                "signed rates of an earlier month cost the stay's month and department",
            ),
        }
    }

    /// Id in the quarantine file.
    pub fn id(self) -> &'static str {
        self.entry().0
    }
}

/// A broken rule: which, in which field, in which month where that is known. Never the value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The rule.
    pub rule: Rule,
    /// The field or dimension, as the mapping names it.
    pub field: String,
    /// The settlement month.
    pub month: Option<Month>,
}

impl Fault {
    /// A fault in a month that is not known.
    pub fn new(rule: Rule, field: &str) -> Self {
        Self {
            rule,
            field: field.to_owned(),
            month: None,
        }
    }

    /// The fault of what belongs to a row.
    pub fn of_broken(broken: Broken) -> Self {
        let rule = match broken.fault {
            BrokenFault::Reference => Rule::Reference,
            BrokenFault::Amount => Rule::Amount,
            BrokenFault::Negative => Rule::Negative,
        };
        Self::new(rule, broken.element)
    }

    /// The same fault in a month.
    #[must_use]
    pub fn in_month(self, month: Month) -> Self {
        Self {
            month: Some(month),
            ..self
        }
    }
}
