//! What an audit's values are called on pages.

use schemas::money::Fen;
use web::block::{Cell, Level};
use web::site::answer::Visit;

use crate::audit::{Fault, Progress};

/// Whole fen in a decimal text, as an amount.
pub(super) fn amount(text: &str) -> Cell {
    text.parse::<i64>()
        .map_or_else(|_| Cell::text(text), |fen| Cell::Money(Fen(fen)))
}

/// What is wrong.
pub(super) fn fault(visit: &Visit, fault: Fault) -> Cell {
    let (level, key) = match fault {
        Fault::Missing => (Level::Alarm, "insurer.fault-missing"),
        Fault::Amount => (Level::Alarm, "insurer.fault-amount"),
        Fault::Group => (Level::Warning, "insurer.fault-group"),
        Fault::Duplicated => (Level::Alarm, "insurer.fault-duplicated"),
        Fault::Unreadable => (Level::Alarm, "insurer.fault-unreadable"),
        Fault::Invented => (Level::Alarm, "insurer.fault-invented"),
    };
    Cell::Mark(level, visit.say(key))
}

/// The steps of an audit with whether each is done.
pub(super) fn steps(of: &Progress) -> [(&'static str, bool); 7] {
    let (asked, replied) = of.requests;
    [
        ("insurer.step-begun", true),
        ("insurer.step-prepared", of.prepared),
        ("insurer.step-answered", of.prepared && replied >= asked),
        ("insurer.step-matched", of.matched.is_some()),
        ("insurer.step-totalled", of.totalled),
        ("insurer.step-sampled", of.sampled.is_some()),
        ("insurer.step-reported", of.report.is_some()),
    ]
}
