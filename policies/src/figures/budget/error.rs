//! Why there is no plan.

use schemas::id::Slug;
use schemas::time::Month;

use super::bounds::BoundsError;
use super::rating::RatingError;
use super::split::MOST;
use crate::figures::apportion::ApportionError;

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BudgetError {
    /// No members.
    #[error("a budget needs members")]
    Empty,
    /// Too many members.
    #[error("a budget has at most {MOST} members")]
    TooMany,
    /// A member twice.
    #[error("member `{0}` stands twice")]
    Twice(Slug),
    /// A number with endless or too many decimals.
    #[error("member `{0}`: `{1}` has more than nine decimals")]
    Decimals(Slug, Slug),
    /// An amount below zero, or none for the years before.
    #[error("member `{0}`: amounts are zero or more, of one to five years before")]
    Before(Slug),
    /// A factor without a value.
    #[error("member `{0}` has no value for factor `{1}`")]
    Missing(Slug, Slug),
    /// A value for no factor of the rules.
    #[error("member `{0}` has a value for `{1}`, which is no factor of the rules")]
    Unknown(Slug, Slug),
    /// A factor twice: given and computed.
    #[error("member `{0}`: `{1}` is given and follows from scores or demand; leave one out")]
    Both(Slug, Slug),
    /// Scores.
    #[error("member `{0}`: {1}")]
    Rating(Slug, #[source] RatingError),
    /// Demand that no factor shares.
    #[error("the rules have no factor `service-demand`, so demand by service line is not used")]
    NoDemand,
    /// Too many service lines.
    #[error("a plan has at most 200 service lines")]
    Lines,
    /// A demand that is none.
    #[error("the demand of `{0}` and its variance are zero or more, with at most nine decimals")]
    Demand(Slug),
    /// A part that is none.
    #[error("member `{0}` is there for `{1}` from 0 to 1, with at most nine decimals")]
    Serves(Slug, Slug),
    /// Nobody is there for it.
    #[error("no member is there for the service line `{0}`")]
    Unserved(Slug),
    /// Case groups.
    #[error("case groups have plain names of at most 64 characters, each once, at most 20,000")]
    Groups,
    /// A level that is none.
    #[error("mean cost and days of the case group `{0}` are above zero")]
    Group(String),
    /// A variance below zero.
    #[error("member `{0}`: a variance is zero or more")]
    Variance(Slug),
    /// All members' values of a factor, or of the base, are zero.
    #[error("nobody has anything above zero of `{0}`, so nothing can be shared by it")]
    Nothing(String),
    /// More is deducted than the member gets.
    #[error("member `{0}`: more is deducted than it gets; spread it over more years")]
    Deduction(Slug),
    /// A plan that is made again from no month that it could be.
    #[error(
        "a plan is made again from February to December of its year, with what it gave before, not from {0}"
    )]
    From(Month),
    /// What a member is said to have got is none.
    #[error(
        "member `{0}`: what the plan before gave is an advance a month, zero or more, and what was taken"
    )]
    Given(Slug),
    /// A deduction that changes in mid-year.
    #[error(
        "member `{0}`: its deduction is that of the plan before, and nothing for who joins in mid-year"
    )]
    Taken(Slug),
    /// No factor fits the bounds.
    #[error(transparent)]
    Bounds(#[from] BoundsError),
    /// The total is below zero, or a sum leaves 64 bits of fen.
    #[error("an amount is out of range")]
    OutOfRange,
    /// A split.
    #[error(transparent)]
    Apportion(#[from] ApportionError),
    /// The inputs have no canonical bytes.
    #[error("the inputs cannot be written canonically")]
    Canonical,
}
