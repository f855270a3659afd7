//! What can become of a question or of a cell: never a number where there is none (rule TYPE-1).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a node does not answer. None of these depends on patients' data.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The question is malformed or breaks a rule that everyone can check.
    Refused,
    /// The hospital's own policy or officer does not allow it.
    Declined,
    /// The allowance of a data year or of the purpose is used up.
    OutOfAllowance,
    /// No month of the period has been released.
    NoData,
    /// The data are coded by another dictionary than the question's.
    NotMapped,
    /// The deadline had passed.
    Late,
    /// More rounds in this minute than the hospital takes; ask later. Nothing was charged.
    Busy,
    /// More rounds in this week than the hospital takes.
    OverQuota,
}

impl Reason {
    /// One word for tables and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Declined => "declined",
            Self::OutOfAllowance => "out_of_allowance",
            Self::NoData => "no_data",
            Self::NotMapped => "not_mapped",
            Self::Late => "late",
            Self::Busy => "busy",
            Self::OverQuota => "over_quota",
        }
    }
}

/// A published figure or the reason why there is none.
///
/// `T` is the figure: a text of fixed decimals in files, a rational inside computations.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum Outcome<T> {
    /// A figure with its interval.
    Value(T),
    /// Too few by the noisy count (0 and few cannot be told apart), or the noise is too large for
    /// a meaningful figure.
    Suppressed,
    /// The source lacks the field, or the hospital released no month.
    NoData,
    /// Coded by another dictionary.
    NotMapped,
    /// The hospital declined.
    Declined,
    /// The hospital's allowance was used up.
    OutOfAllowance,
    /// No answer by the deadline.
    Late,
}

impl<T> Outcome<T> {
    /// The figure, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Suppressed
            | Self::NoData
            | Self::NotMapped
            | Self::Declined
            | Self::OutOfAllowance
            | Self::Late => None,
        }
    }

    /// The same outcome about another figure.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Value(value) => Outcome::Value(change(value)),
            Self::Suppressed => Outcome::Suppressed,
            Self::NoData => Outcome::NoData,
            Self::NotMapped => Outcome::NotMapped,
            Self::Declined => Outcome::Declined,
            Self::OutOfAllowance => Outcome::OutOfAllowance,
            Self::Late => Outcome::Late,
        }
    }

    /// One word for tables.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Value(_) => "value",
            Self::Suppressed => "suppressed",
            Self::NoData => "no_data",
            Self::NotMapped => "not_mapped",
            Self::Declined => "declined",
            Self::OutOfAllowance => "out_of_allowance",
            Self::Late => "late",
        }
    }
}

impl<T> From<Reason> for Outcome<T> {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Refused | Reason::Declined | Reason::Busy | Reason::OverQuota => Self::Declined,
            Reason::OutOfAllowance => Self::OutOfAllowance,
            Reason::NoData => Self::NoData,
            Reason::NotMapped => Self::NotMapped,
            Reason::Late => Self::Late,
        }
    }
}
