//! A node's answer to a question, and what stands beside it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::Slug;
use crate::seal::Message;
use crate::time::Month;

/// Grade of a month's data, stated by the hospital's data officer at release. The scores behind
/// it stay at the node.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema,
)]
pub enum Grade {
    /// All four scores 95 or more.
    A,
    /// All four scores 85 or more.
    B,
    /// All four scores 70 or more.
    C,
    /// Below.
    D,
}

/// Whose stays count as one person's: all bounds and promises of privacy are about it.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// A patient, by a key of the source.
    Patient,
    /// Every stay by itself: the source has no key of the patient.
    Stay,
}

/// The time that the stays booked in a month are of.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// That month.
    Month,
    /// The whole year, booked in its December: the source does not know the month.
    Year,
}

/// The released data of one month that an answer was computed on. Its content digest stays at
/// the node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The month.
    pub month: Month,
    /// Release number: rises with every release at this node.
    pub release: u32,
    /// The officer's grade.
    pub grade: Grade,
    /// Whose stays count as one person's.
    pub counted: Counted,
    /// The time that its stays are of.
    pub span: Span,
    /// The hospital tries it in some departments first: only their stays are in it, and no budget may rest
    /// on it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub pilot: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// A noised answer. It binds the question, the data and the rules, and nothing of the asker, the
/// time or the ledger, so that the same question on the same data has the same bytes for ever.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Digest of the question.
    pub question: Digest,
    /// The hospital that answers.
    pub hospital: Slug,
    /// The data, by month.
    pub snapshots: Vec<Snapshot>,
    /// Digest of the compiled layout: blocks, cells, bounds, noise.
    pub mechanism: Digest,
    /// Digest of the node's policy.
    pub policy: Digest,
    /// Noised cells of every block in layout order. `None`: the source lacks the field (no data).
    pub blocks: Vec<Option<Vec<i64>>>,
}

impl Message for Answer {
    const TAG: &'static str = "consilium-answer-v1";
}
