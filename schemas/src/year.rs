//! What is said in the course of a budget year: statements, each signed by whoever says it. What may
//! be said when, and what follows, is decided by `policies::year`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::Slug;
use crate::money::Fen;
use crate::seal::{Message, PublicKey};
use crate::time::{Month, Timestamp};

/// One statement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Of which alliance.
    pub alliance: Slug,
    /// About which year.
    pub year: u16,
    /// Who says it: an administrator, a member or a party of the year.
    pub by: Slug,
    /// When, by the speaker's clock.
    pub at: Timestamp,
    /// What.
    pub says: Says,
}

impl Message for Statement {
    const TAG: &'static str = "consilium-year-statement-v1";
}

/// What parties decide together.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Matter {
    /// The split of the budget.
    Plan,
    /// Who bears the overspend.
    Settlement,
    /// Surplus and bonus.
    Bonus,
    /// The appraisal.
    Appraisal,
}

impl Matter {
    /// All matters, in the order in which a year comes to them.
    pub const ALL: [Self; 4] = [Self::Plan, Self::Settlement, Self::Bonus, Self::Appraisal];

    /// One word, as rules and logs name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Settlement => "settlement",
            Self::Bonus => "bonus",
            Self::Appraisal => "appraisal",
        }
    }
}

/// What is said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Says {
    /// An administrator opens the year: its control target, its rules, who takes part.
    Open {
        /// All there is to spend.
        target: Fen,
        /// Digest of the year's rules.
        rules: Digest,
        /// Member hospitals and their message keys.
        members: BTreeMap<Slug, PublicKey>,
        /// Parties that sign, and their keys.
        parties: BTreeMap<Slug, PublicKey>,
    },
    /// An administrator lets members apply.
    Invite,
    /// A member applies (预算申报书); again replaces what it applied for.
    Apply {
        /// How much.
        amount: Fen,
        /// What for, at most 1,000 characters.
        purpose: String,
        /// What it expects to achieve, at most 1,000 characters.
        expected: String,
    },
    /// An administrator ends the applications.
    Review,
    /// An administrator proposes a result, computed elsewhere, by its digest.
    Propose {
        /// About what.
        matter: Matter,
        /// Digest of the result.
        result: Digest,
        /// The reason of a later version, at most 1,000 characters.
        why: String,
    },
    /// A member has nothing against it.
    Accept {
        /// About what.
        matter: Matter,
        /// Digest of the result.
        result: Digest,
    },
    /// A member objects or appeals.
    Object {
        /// About what.
        matter: Matter,
        /// Digest of the result.
        result: Digest,
        /// Why, at most 1,000 characters.
        why: String,
    },
    /// Whoever decides about objections answers one.
    Answer {
        /// About what.
        matter: Matter,
        /// Digest of the result.
        result: Digest,
        /// Whose objection.
        member: Slug,
        /// Whether it is right: then another result has to be proposed.
        upheld: bool,
        /// Why, at most 1,000 characters.
        why: String,
    },
    /// A party signs.
    Sign {
        /// About what.
        matter: Matter,
        /// Digest of the result.
        result: Digest,
    },
    /// The insurer says what it paid a member for a month.
    Paid {
        /// Whom.
        member: Slug,
        /// The month.
        month: Month,
        /// How much, in all.
        amount: Fen,
        /// Replaces what was said of this month before.
        restates: bool,
    },
    /// The insurer pays out a bonus in force.
    PayOut {
        /// Digest of the bonus.
        result: Digest,
    },
    /// An administrator sets another target; a plan that was proposed under the one before is void.
    Target {
        /// All there is to spend.
        target: Fen,
        /// Why, at most 1,000 characters.
        why: String,
    },
    /// An administrator gives a member something to improve (整改任务).
    Task {
        /// Its name, once a year.
        task: Slug,
        /// Whose it is.
        member: Slug,
        /// What is to be reached, at most 1,000 characters.
        goal: String,
        /// By which measures, at most 1,000 characters.
        measures: String,
        /// Who answers for it at the member, at most 1,000 characters.
        owner: String,
        /// Days until it is due.
        days: u16,
    },
    /// The member says what it did.
    Report {
        /// The task.
        task: Slug,
        /// What was done, at most 1,000 characters.
        done: String,
    },
    /// An administrator says whether a reported task is done.
    Judge {
        /// The task.
        task: Slug,
        /// Whether it is; otherwise it stays open.
        done: bool,
        /// Why, at most 1,000 characters.
        why: String,
    },
    /// Two administrators take back a year in which no plan is in force.
    Withdraw {
        /// Why, at most 1,000 characters.
        why: String,
    },
    /// An administrator takes back its word to withdraw the year.
    Keep {
        /// Why, at most 1,000 characters.
        why: String,
    },
    /// An administrator lets a hospital join a year whose plan is in force; the plan has to be made again.
    Join {
        /// Which hospital.
        member: Slug,
        /// Its message key.
        key: PublicKey,
        /// The first month in which it takes part, February to December.
        from: Month,
        /// Why, at most 1,000 characters.
        why: String,
    },
    /// An administrator lets a member leave a year whose plan is in force; the plan has to be made again.
    Leave {
        /// Which member.
        member: Slug,
        /// The first month in which it takes no part any more, February to December.
        from: Month,
        /// Why, at most 1,000 characters.
        why: String,
    },
    /// An administrator takes back that a member joins or leaves, before a plan about it is in force.
    Stay {
        /// Which member.
        member: Slug,
        /// Why, at most 1,000 characters.
        why: String,
    },
    /// An administrator has the plan in force made again from a month on, under the same rules: a mistake in
    /// it, or another target.
    Replan {
        /// The first month that is planned anew, February to December.
        from: Month,
        /// Another control target of the whole year, above zero.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<Fen>,
        /// Why, at most 1,000 characters.
        why: String,
    },
    /// An administrator takes back that the plan is made again, before another is in force.
    Stand {
        /// Why, at most 1,000 characters.
        why: String,
    },
    /// An administrator closes the year.
    Close,
}

impl Says {
    /// One word, as logs name it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open",
            Self::Invite => "invite",
            Self::Apply { .. } => "apply",
            Self::Review => "review",
            Self::Propose { .. } => "propose",
            Self::Accept { .. } => "accept",
            Self::Object { .. } => "object",
            Self::Answer { .. } => "answer",
            Self::Sign { .. } => "sign",
            Self::Paid { .. } => "paid",
            Self::PayOut { .. } => "pay-out",
            Self::Target { .. } => "target",
            Self::Task { .. } => "task",
            Self::Report { .. } => "report",
            Self::Judge { .. } => "judge",
            Self::Withdraw { .. } => "withdraw",
            Self::Keep { .. } => "keep",
            Self::Join { .. } => "join",
            Self::Leave { .. } => "leave",
            Self::Stay { .. } => "stay",
            Self::Replan { .. } => "replan",
            Self::Stand { .. } => "stand",
            Self::Close => "close",
        }
    }
}
