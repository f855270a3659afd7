//! Rounds: a question put to several hospitals with a deadline, and their replies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::digest::Digest;
use crate::id::Slug;
use crate::outcome::Reason;
use crate::question::{Purpose, Question};
use crate::seal::{Message, Sealed};
use crate::time::Timestamp;

/// A named, versioned template that a round was opened from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateRef {
    /// Its name.
    pub id: Slug,
    /// Its version.
    pub version: u32,
}

impl std::fmt::Display for TemplateRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.id, self.version)
    }
}

/// An open round, signed by the alliance. What is asked stands in the question; who asks, why and
/// until when stands here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// Its name, unique for ever.
    pub id: Slug,
    /// The template; none for a free question.
    pub template: Option<TemplateRef>,
    /// Which quota pays, subject to the node's own policy.
    pub purpose: Purpose,
    /// What is asked.
    pub question: Question,
    /// The hospitals asked, sorted.
    pub roster: Vec<Slug>,
    /// Fewer answers than this by the deadline: the round dies.
    pub min_answers: u32,
    /// When it was opened.
    pub opened: Timestamp,
    /// After this moment no answer is taken.
    pub deadline: Timestamp,
}

impl Round {
    /// Longest window of a round: 60 days, in seconds.
    pub const LONGEST: i64 = 60 * 86_400;
}

impl Message for Round {
    const TAG: &'static str = "consilium-round-v1";
}

/// What a node says to a round.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Said {
    /// The stored, signed answer.
    Answered(Sealed<Answer>),
    /// Why there is none.
    Declined(Reason),
}

/// The envelope of one sending: binds the answer to the round and to the node's ledger at that
/// time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// Digest of the round as signed.
    pub round: Digest,
    /// Who replies.
    pub hospital: Slug,
    /// What is said.
    pub said: Said,
    /// Head of the node's log.
    pub log_head: Digest,
}

impl Message for Reply {
    const TAG: &'static str = "consilium-reply-v1";
}

/// Where a hospital stands in a round, for progress pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Not heard of yet.
    Waiting,
    /// Answered.
    Answered,
    /// Declined with a reason.
    Declined(Reason),
    /// Silent until the deadline.
    Late,
}

/// State of a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Answers are taken.
    Open,
    /// Enough answers; nothing more is taken.
    Closed,
    /// Too few answers by the deadline.
    Dead,
}
