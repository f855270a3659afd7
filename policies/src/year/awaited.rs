//! What a year waits for, one of it at a time: who has to say what. Commands write it in English, pages in the
//! reader's language.

use std::fmt::{self, Display, Formatter};

use schemas::id::Slug;
use schemas::money::Fen;
use schemas::time::{Month, Timestamp};
use schemas::year::Matter;

/// Something that comes next in a year, with who has to say it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Awaited {
    /// An administrator invites applications.
    Invite,
    /// These members have not applied.
    Applications(Vec<Slug>),
    /// An administrator ends the applications.
    Review,
    /// An administrator proposes a plan.
    Plan,
    /// Members or the plan change from a month on, for a new target where there is one.
    Change(Month, Option<Fen>),
    /// The result is void: target, members or payments changed.
    Void(Matter),
    /// The objection of this member was right.
    Upheld(Matter, Slug),
    /// Those who answer this member's objection differ.
    Differ(Matter, Slug),
    /// An objection has to be answered.
    Answer {
        /// Against what.
        matter: Matter,
        /// Who has still to answer.
        by: Vec<Slug>,
        /// Whose objection.
        member: Slug,
        /// Until when.
        until: Timestamp,
        /// Whether that is past.
        late: bool,
    },
    /// These members may accept or object until then.
    Heard(Matter, Vec<Slug>, Timestamp),
    /// These parties have still to sign.
    Sign(Matter, Vec<Slug>),
    /// The insurer pays out the bonus.
    PayOut,
    /// A member's months of which the insurer has not said what it paid.
    Unpaid(String),
    /// A member reports on a task; whether it is late.
    Report(Slug, Slug, bool),
    /// An administrator judges a task; whether it is late.
    Judge(Slug, bool),
    /// These matters are not proposed yet.
    Unproposed(Vec<Matter>),
    /// An administrator closes the year.
    Close,
}

/// Names with commas between them.
fn listed(names: &[Slug]) -> String {
    let names: Vec<&str> = names.iter().map(Slug::as_str).collect();
    names.join(", ")
}

fn late(is: bool) -> &'static str {
    if is { ", late" } else { "" }
}

impl Display for Awaited {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invite => f.write_str("an administrator invites applications (`invite`)"),
            Self::Applications(of) => write!(f, "no application of {}", listed(of)),
            Self::Review => f.write_str("an administrator ends the applications (`review`)"),
            Self::Plan => f.write_str("an administrator proposes a plan (`year propose`)"),
            Self::Change(from, target) => {
                let target = target.map_or(String::new(), |fen| format!(", for a target of {fen}"));
                write!(
                    f,
                    "members or the plan change from {from} on: an administrator proposes the plan again{target} \
                     (`year inputs`, `year propose`)"
                )
            }
            Self::Void(matter) => write!(
                f,
                "{}: void, target, members or payments changed; an administrator proposes another",
                matter.as_str()
            ),
            Self::Upheld(matter, member) => write!(
                f,
                "{}: the objection of {member} was right; an administrator proposes another",
                matter.as_str()
            ),
            Self::Differ(matter, member) => {
                let name = matter.as_str();
                write!(f, "{name}: those who answer {member}'s objection differ")
            }
            Self::Answer {
                matter,
                by,
                member,
                until,
                late: is_late,
            } => write!(
                f,
                "{}: {} answers the objection of {member} until {until}{}",
                matter.as_str(),
                listed(by),
                late(*is_late)
            ),
            Self::Heard(matter, who, until) => {
                let (name, who) = (matter.as_str(), listed(who));
                write!(f, "{name}: {who} may accept or object until {until}")
            }
            Self::Sign(matter, who) => {
                write!(f, "{}: to be signed by {}", matter.as_str(), listed(who))
            }
            Self::PayOut => f.write_str("the insurer pays out the bonus (`pay-out`)"),
            Self::Unpaid(months) => {
                write!(f, "{months} not paid in yet; the insurer says it (`paid`)")
            }
            Self::Report(member, task, is_late) => {
                write!(f, "{member} reports on the task {task}{}", late(*is_late))
            }
            Self::Judge(task, is_late) => {
                let late = late(*is_late);
                write!(f, "an administrator judges the task {task}{late}")
            }
            Self::Unproposed(matters) => {
                let names: Vec<&str> = matters.iter().map(|one| one.as_str()).collect();
                write!(f, "not proposed yet: {} (`year propose`)", names.join(", "))
            }
            Self::Close => f.write_str("an administrator closes the year (`close`)"),
        }
    }
}
