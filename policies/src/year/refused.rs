//! Why a statement is not taken.

use schemas::id::Slug;
use schemas::money::Fen;
use schemas::seal::SealError;
use schemas::time::{Month, Timestamp};
use schemas::year::Matter;

use super::{LONGEST, MOST, Stage};

/// Why a statement is refused; the year stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The signature.
    #[error("the signature is refused: {0}")]
    Seal(String),
    /// Of another alliance or year.
    #[error("the statement is about another alliance or year")]
    Elsewhere,
    /// The year's first statement opens it, and no other does.
    #[error("a year is opened once, by its first statement, or again after it was withdrawn")]
    Opening,
    /// Nobody who takes part.
    #[error("`{0}` takes no part in this year")]
    Stranger(Slug),
    /// Somebody else's to say.
    #[error("`{0}` may not say this; it is for {1}")]
    Role(Slug, &'static str),
    /// Not now.
    #[error("this is not said while the year stands at `{}`", .0.as_str())]
    Stage(Stage),
    /// Rules that the year does not have.
    #[error("the rules are not those that the year was opened under")]
    Rules,
    /// Parties that the rules need.
    #[error("the rules need the parties {0}")]
    Party(String),
    /// Somebody's name or key is somebody else's too.
    #[error("`{0}` has the name or key of another member, party or administrator")]
    Shared(Slug),
    /// Nobody to share anything.
    #[error("a year needs members: approve hospitals first")]
    NoMembers,
    /// Another key than the speaker's.
    #[error("this is not the key that `{0}` has in this year")]
    Key(Slug),
    /// Dated after now, or taken by a clock that runs behind the last one.
    #[error("the statement is dated after now, or the clock runs behind the last statement")]
    Time,
    /// Too long, or an amount below zero.
    #[error(
        "a text has at most {LONGEST} characters, an amount is zero or more, a target above it"
    )]
    Content,
    /// Applied too often.
    #[error("a member applies at most {0} times; the last application counts")]
    Often(u8),
    /// Reported too often.
    #[error("a task is reported on at most {0} times; wait until the last report is judged")]
    Reports(u8),
    /// The proposer's own matter.
    #[error("`{0}` proposed this result; another administrator answers what is said against it")]
    Own(Slug),
    /// No word to take back.
    #[error("the speaker has not asked to withdraw the year")]
    Unwithdrawn,
    /// Another version.
    #[error("this is not the newest result; look at it and speak about that one")]
    Superseded,
    /// Nothing was proposed.
    #[error("nothing was proposed about this yet")]
    Nothing,
    /// The time to object is over.
    #[error("objections were possible until {0}")]
    Late(Timestamp),
    /// Members may still object.
    #[error("members may object until {0}, and not all have accepted")]
    Early(Timestamp),
    /// An objection is not answered, or was right.
    #[error("an objection of `{0}` is open; answer it, or propose another result")]
    Contested(Slug),
    /// Said before.
    #[error("this was said already")]
    Again,
    /// A member that accepted a version objects to it.
    #[error("`{0}` accepted this version; it can object to a later one")]
    Accepted(Slug),
    /// A second objection to one version.
    #[error("`{0}` objected to this version already, and that stands")]
    Objected(Slug),
    /// An objection is answered twice.
    #[error("the objection of `{0}` is decided")]
    Decided(Slug),
    /// An answer to nobody.
    #[error("`{0}` did not object to this version")]
    NotObjected(Slug),
    /// A purpose or goal of no words.
    #[error("say what it is for, and what is expected")]
    Empty,
    /// A decision without its reason.
    #[error(
        "say why (`--why`): an objection, an answer, a judgement, a later version, another target and \
         taking a year back have a reason"
    )]
    Unreasoned,
    /// No time, or too much of it, for a task.
    #[error("a task is given 1 to {0} days (`--days`)")]
    Days(u16),
    /// More than there is.
    #[error("the amount is above the year's target of {0}; check it")]
    Beyond(Fen),
    /// What a result in force rests on.
    #[error("the settlement or the bonus of the year is in force and rests on what was paid")]
    Settled,
    /// Signed before something that its signer should know.
    #[error("this was signed before the opening, or before what it is about changed; sign it anew")]
    Stale,
    /// Rules that do not hold yet in January of the year.
    #[error("the rules of `{0}` are effective later than January of the year")]
    Effective(&'static str),
    /// Too much was said.
    #[error("a year holds at most {MOST} statements")]
    Full,
    /// A bonus that waits for its payment.
    #[error("the bonus in force is not paid out yet")]
    Unpaid,
    /// A year that cannot be meant.
    #[error("{0} is no year from 2000 to 2199")]
    Number(u16),
    /// A month that is not the year's.
    #[error("`{0}` is no month of the year")]
    Month(Month),
    /// What was paid was said before.
    #[error("what was paid for {0} was said already; say that it is restated")]
    Said(Month),
    /// What was paid was not said before.
    #[error("nothing was said of {0} that could be restated")]
    Unsaid(Month),
    /// No such task.
    #[error("`{0}` is no open task of this member, or nothing was reported of it yet")]
    Task(Slug),
    /// A task that is not done.
    #[error("the task `{0}` is open; judge it done first")]
    Unfinished(Slug),
    /// The plan is to be made again.
    #[error(
        "members or the plan change from {0} on: propose the plan again and put it in force first, or take the \
         change back (`stay`, `stand`)"
    )]
    Changing(Month),
    /// No change to take back.
    #[error("`{0}` neither joins nor leaves, or a plan in force knows of it already")]
    Unchanged(Slug),
    /// No plan that is made again.
    #[error("nobody asked for the plan to be made again (`replan`), or it was and is in force")]
    Stands,
    /// A plan made again from a month on of which the insurer has spoken.
    #[error("the insurer spoke of {0} already: the plan is made again from a later month on")]
    Replanned(Month),
    /// A month from which no plan can be made again.
    #[error("a plan is made again from February to December on, not before {0} in this year")]
    Before(Month),
    /// A hospital that joins and takes part already.
    #[error("`{0}` takes part in this year already; what it was to leave is taken back by `stay`")]
    Member(Slug),
    /// A member leaves from a month on of which the insurer has spoken.
    #[error("the insurer spoke of {0} already: a member leaves from a later month on")]
    Paid(Month),
    /// A member that is not there in a month.
    #[error("`{0}` takes no part in {1}")]
    Absent(Slug, Month),
    /// Results that name the members.
    #[error("`{}` is in force and rests on the plan: nobody joins or leaves any more, and no plan is made again", .0.as_str())]
    Named(Matter),
    /// Something waits.
    #[error("`{}` is proposed and not in force", .0.as_str())]
    Open(Matter),
}

impl From<SealError> for Refused {
    fn from(error: SealError) -> Self {
        Self::Seal(error.to_string())
    }
}
