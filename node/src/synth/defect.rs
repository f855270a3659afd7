//! What is wrong with some rows, on purpose.

use super::chance::Chance;
use super::row::Line;

/// A kind of defect, as real files have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Defect {
    /// A field that every row needs is empty.
    Missing,
    /// A date that is none, or in the wrong order.
    BadDate,
    /// The cost items do not add up to the total.
    Total,
    /// An amount below zero.
    Negative,
    /// A case group that no table lists.
    UnknownCode,
    /// The same line again.
    Duplicate,
}

impl Defect {
    /// One word for the list of defects.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::BadDate => "bad_date",
            Self::Total => "total",
            Self::Negative => "negative",
            Self::UnknownCode => "unknown_code",
            Self::Duplicate => "duplicate",
        }
    }

    /// Any kind.
    pub(super) fn draw(chance: &mut Chance) -> Self {
        match chance.below(6) {
            0 => Self::Missing,
            1 => Self::BadDate,
            2 => Self::Total,
            3 => Self::Negative,
            4 => Self::UnknownCode,
            _ => Self::Duplicate,
        }
    }

    /// Spoils a line; gives the column. [`Self::Duplicate`] changes nothing.
    pub(super) fn spoil(self, line: &mut Line, chance: &mut Chance) -> &'static str {
        let column = match self {
            Self::Missing => {
                chance.of_these(&["patient_id", "discharge_date", "drg", "total_cost"])
            }
            Self::BadDate => chance.of_these(&["discharge_date", "admission_date", "birth_date"]),
            Self::Total => "cost_other",
            Self::Negative => chance.of_these(&["total_charges", "cost_drugs", "fund_paid"]),
            Self::UnknownCode => "drg",
            Self::Duplicate => return "",
        };
        let text = match self {
            Self::Missing | Self::Duplicate => String::new(),
            // The year's own months and one day too many, so that no month is changed.
            Self::BadDate => format!("{}-02-30", line.get(column).get(..4).unwrap_or("2025")),
            Self::Total => format!("{}.00", chance.between(200_001, 300_000)),
            // Not zero, so that the sign means something.
            Self::Negative => format!("-{}.05", chance.between(1, 900)),
            Self::UnknownCode => chance.of_these(&["QX99", "ZX95", "N/A", "0000"]).to_owned(),
        };
        line.set(column, &text);
        column
    }
}
