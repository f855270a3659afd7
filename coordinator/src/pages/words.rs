//! What the alliance's values are called on pages.

use policies::figures::alerts::Level as Alert;
use policies::figures::benchmark::Figure;
use policies::year::{Course, Stage};
use schemas::digest::Digest;
use schemas::outcome::{Outcome, Reason};
use schemas::round::{Standing, State as RoundState};
use web::block::{Cell, Level, Table};
use web::number;
pub(super) use web::number::{moment, period};

use super::answer::Visit;

/// Seconds of silence after which a member is no longer fresh, and after which it is away.
const FRESH: i64 = 120;
const AWAY: i64 = 3_600;

/// A table of these columns; keys that begin with `#` hold numbers.
pub(super) fn table(visit: &Visit, id: &'static str, title: &str, heads: &[&str]) -> Table {
    visit.table(id, title, heads)
}

/// Where a hospital stands in a round.
pub(super) fn standing(visit: &Visit, standing: Standing) -> Cell {
    match standing {
        Standing::Waiting => Cell::Mark(Level::Notice, visit.say("standing-waiting")),
        Standing::Answered => Cell::Mark(Level::Good, visit.say("standing-answered")),
        Standing::Late => Cell::Mark(Level::Warning, visit.say("reason-late")),
        Standing::Declined(why) => Cell::Mark(Level::Warning, visit.say(reason(why))),
    }
}

fn reason(why: Reason) -> &'static str {
    match why {
        Reason::Refused => "reason-refused",
        Reason::Declined => "reason-declined",
        Reason::OutOfAllowance => "reason-out-of-allowance",
        Reason::NoData => "reason-no-data",
        Reason::NotMapped => "reason-not-mapped",
        Reason::Late => "reason-late",
        Reason::Busy => "reason-busy",
        Reason::OverQuota => "reason-over-quota",
    }
}

/// A round's state.
pub(super) fn round(visit: &Visit, state: RoundState) -> Cell {
    match state {
        RoundState::Open => Cell::Mark(Level::Notice, visit.say("round-open")),
        RoundState::Closed => Cell::Mark(Level::Good, visit.say("round-closed")),
        RoundState::Dead => Cell::Mark(Level::Alarm, visit.say("round-dead")),
    }
}

/// A pooled round's state.
pub(super) fn pooled(visit: &Visit, state: &str) -> Cell {
    let (level, key) = match state {
        "open" => (Level::Notice, "round-open"),
        "proposed" => (Level::Notice, "pooled-proposed"),
        "certified" => (Level::Notice, "pooled-certified"),
        "done" => (Level::Good, "pooled-done"),
        "void" => (Level::Warning, "pooled-void"),
        _ => (Level::Alarm, "round-dead"),
    };
    Cell::Mark(level, visit.say(key))
}

/// How long ago somebody was heard of: never a green that is stale.
pub(super) fn heard(visit: &Visit, seconds: Option<i64>) -> Cell {
    let Some(seconds) = seconds else {
        return Cell::Mark(Level::Warning, visit.say("never-heard"));
    };
    let level = if seconds <= FRESH {
        Level::Good
    } else if seconds <= AWAY {
        Level::Notice
    } else {
        Level::Warning
    };
    Cell::Mark(level, number::ago(seconds, visit.language))
}

/// Whether a member was heard of lately.
pub(super) fn is_fresh(seconds: Option<i64>) -> bool {
    seconds.is_some_and(|seconds| seconds <= FRESH)
}

/// A figure, or why there is none.
pub(super) fn figure(visit: &Visit, outcome: &Outcome<Figure>, share: bool) -> Cell {
    let key = match outcome {
        Outcome::Value(figure) => {
            let noise = &figure.noise;
            // A share from none to all says nothing.
            let is = |text: &str, end: f64| text.parse() == Ok(end);
            let all = noise.high.as_deref().is_some_and(|high| is(high, 1.0));
            if share && all && is(&noise.low, 0.0) {
                return Cell::Missing(visit.say("not-usable"));
            }
            return Cell::Ranged {
                value: figure.value.clone(),
                low: noise.low.clone(),
                high: noise.high.clone(),
                share,
            };
        }
        Outcome::Suppressed => "outcome-suppressed",
        Outcome::NoData => "reason-no-data",
        Outcome::NotMapped => "reason-not-mapped",
        Outcome::Declined => "reason-declined",
        Outcome::OutOfAllowance => "reason-out-of-allowance",
        Outcome::Late => "reason-late",
    };
    Cell::Missing(visit.say(key))
}

/// A year's stage.
pub(super) fn stage(visit: &Visit, stage: Stage) -> String {
    visit.say(match stage {
        Stage::Target => "stage-target",
        Stage::Applications => "stage-applications",
        Stage::Review => "stage-review",
        Stage::Planned => "stage-planned",
        Stage::InForce => "stage-in-force",
        Stage::Closed => "stage-closed",
        Stage::Withdrawn => "stage-withdrawn",
    })
}

/// How far a result is.
pub(super) fn course(visit: &Visit, course: &Course) -> Cell {
    match (course.in_force, course.void) {
        (true, _) => Cell::Mark(Level::Good, visit.say("course-in-force")),
        (false, true) => Cell::Mark(Level::Alarm, visit.say("course-void")),
        (false, false) => Cell::Mark(Level::Notice, visit.say("course-proposed")),
    }
}

/// How near a budget is, as the rules of alerts say.
pub(super) fn alert(level: Alert) -> (Level, &'static str) {
    match level {
        Alert::None => (Level::Good, "alert-none"),
        Alert::Blue => (Level::Notice, "alert-blue"),
        Alert::Yellow => (Level::Warning, "alert-yellow"),
        Alert::Red => (Level::Alarm, "alert-red"),
    }
}

/// A source in a footer.
pub(super) fn source(visit: &Visit, key: &str, digest: &Digest) -> (String, String) {
    (visit.say(key), digest.to_string())
}
